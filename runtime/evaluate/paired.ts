/** Two programs on the same samples: which predictions changed, whether by more than chance, and how far the outputs are apart. */
import type { PortData } from '../machine/host.ts';
import type { Proportion } from './metrics.ts';
import { NORMAL_QUANTILE } from './metrics.ts';

/** Samples that are predicted rightly by one of two programs only. */
export interface Flips {
  /** Wrong before and right now. */
  readonly better: number;
  /** Right before and wrong now. */
  readonly worse: number;
}

/** Flips between two lists that tell for each sample whether it is predicted rightly: 1, or 0. */
export function countFlips(before: Uint8Array, after: Uint8Array): Flips {
  let [better, worse] = [0, 0];
  for (const [sample, right] of after.entries()) {
    if (right === before[sample]) continue;
    if (right) better++;
    else worse++;
  }
  return { better, worse };
}

/**
 * McNemar's test, two-sided and exact for any number of flips: how probable a split at least as uneven is where both programs are equally good,
 * so that each flip is a fair coin. 2·Σ i ≤ min(better, worse) of C(n, i)·2⁻ⁿ, at most 1. No logarithm takes part, so that every computer gives the same bits.
 */
export function mcnemar({ better, worse }: Flips): number {
  const flips = better + worse;
  const fewer = Math.min(better, worse);
  // C(n, fewer)·2⁻ⁿ as a product that stays near 1 as long as halvings are left.
  let largest = 1;
  let halvings = flips;
  for (let i = 1; i <= fewer; i++) {
    largest *= (flips - fewer + i) / i;
    while (largest > 1 && halvings > 0) {
      largest /= 2;
      halvings--;
    }
  }
  largest *= 2 ** -halvings;
  let sum = 0;
  for (let term = largest, i = fewer; i >= 0 && term > 0; i--) {
    sum += term;
    term *= i / (flips - i + 1);
  }
  return Math.min(1, 2 * sum);
}

/**
 * The loss of a proportion of `samples` and its 95 % interval, from flips, so that what both programs predict alike adds no width: Wald's interval with half
 * a sample added to each cell of the table of both programs (Agresti and Min 2005), which holds for few flips, too.
 */
export function pairedLoss({ better, worse }: Flips, samples: number): Proportion {
  const difference = (worse - better) / (samples + 2);
  const half = (NORMAL_QUANTILE * Math.sqrt(better + worse + 1 - (worse - better) * difference)) / (samples + 2);
  return { value: (worse - better) / samples, low: difference - half, high: difference + half };
}

/** What outputs lost against those of a reference, over all elements that are finite in both. */
export interface OutputNoise {
  /** 10·log10(Σ reference² / Σ (output − reference)²); null where the sum of squared differences is 0, that is without any loss. */
  readonly sqnrDecibels: number | null;
  /** Samples that have an element which is not finite, where the reference's is. */
  readonly notFinite: number;
}

/** Compares the outputs of all samples, `width` elements each. */
export function outputNoise(reference: PortData, output: PortData, width: number): OutputNoise {
  let [signal, noise, notFinite] = [0, 0, 0];
  for (let start = 0; start < reference.length; start += width) {
    let lost = false;
    for (let i = start; i < start + width; i++) {
      const expected = reference[i] ?? NaN;
      const value = output[i] ?? NaN;
      if (!Number.isFinite(expected)) continue;
      if (Number.isFinite(value)) {
        signal += expected * expected;
        noise += (value - expected) ** 2;
      } else lost = true;
    }
    if (lost) notFinite++;
  }
  return { sqnrDecibels: noise === 0 ? null : 10 * Math.log10(signal / noise), notFinite };
}

/** The first sample of which an element has other bits, NaN and the sign of zero included; undefined where there is none. */
export function firstDifferentSample(a: PortData, b: PortData, width: number): number | undefined {
  const [x, y] = [bits(a), bits(b)];
  const at = x.findIndex((word, i) => word !== y[i]);
  return at < 0 ? undefined : Math.floor(at / width);
}

function bits(data: PortData): Uint32Array | Int16Array {
  return data instanceof Float32Array ? new Uint32Array(data.buffer, data.byteOffset, data.length) : data;
}
