/** Paired statistics, reckoned by hand and with exact fractions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countFlips, firstDifferentSample, mcnemar, outputNoise, pairedLoss } from '../../runtime/evaluate/paired.ts';
import { DEFAULT_SEED, uniformF32, xorshift32 } from '../../runtime/numerics/random.ts';

/** 2·Σ i ≤ fewer of C(n, i) over 2ⁿ, in integers until the last division. */
function exactly(better: number, worse: number): number {
  const flips = better + worse;
  let [choose, sum] = [1n, 0n];
  for (let i = 0; i <= Math.min(better, worse); i++) {
    sum += choose;
    choose = (choose * BigInt(flips - i)) / BigInt(i + 1);
  }
  return Math.min(1, Number((2n * sum * 10n ** 30n) / 2n ** BigInt(flips)) / 1e30);
}

describe("McNemar's exact test", () => {
  it('is what a fair coin gives', () => {
    expect(mcnemar({ better: 0, worse: 0 })).toBe(1);
    expect(mcnemar({ better: 3, worse: 3 })).toBe(1);
    // 2·(1 + 7) / 2⁷, 2·(1 + 12 + 66) / 2¹², 2 / 2¹⁰.
    expect(mcnemar({ better: 1, worse: 6 })).toBe(0.125);
    expect(mcnemar({ better: 10, worse: 2 })).toBeCloseTo(158 / 4096, 15);
    expect(mcnemar({ better: 0, worse: 10 })).toBe(2 ** -9);
  });

  it('equals exact fractions, and does not care which program comes first', () => {
    fc.assert(
      fc.property(fc.nat(120), fc.nat(120), (better, worse) => {
        const p = mcnemar({ better, worse });
        expect(Math.abs(p - exactly(better, worse))).toBeLessThanOrEqual(1e-12 * p + 1e-28);
        expect(mcnemar({ better: worse, worse: better })).toBe(p);
      }),
    );
  });

  it('holds out with many flips', () => {
    expect(mcnemar({ better: 4000, worse: 4000 })).toBe(1);
    expect(mcnemar({ better: 4000, worse: 4200 })).toBeCloseTo(exactly(4000, 4200), 12);
    expect(mcnemar({ better: 0, worse: 10_000 })).toBe(0);
  });
});

describe('flips', () => {
  it('are counted in both directions', () => {
    expect(countFlips(Uint8Array.of(1, 1, 0, 0, 0), Uint8Array.of(1, 0, 1, 1, 0))).toEqual({ better: 2, worse: 1 });
  });
});

describe('the noise of outputs', () => {
  it('is a ratio of powers, in decibels', () => {
    // Σ reference² = 200, Σ difference² = 2.
    const { sqnrDecibels } = outputNoise(Float32Array.of(10, 0, 0, -10), Float32Array.of(11, 0, 0, -9), 2);
    expect(sqnrDecibels).toBeCloseTo(20, 12);
  });

  it('is none where no element differs in value', () => {
    expect(outputNoise(Float32Array.of(1, 0), Float32Array.of(1, -0), 2)).toEqual({ sqnrDecibels: null, notFinite: 0 });
  });

  it('leaves out what is not finite, and counts the samples where that is new', () => {
    const reference = Float32Array.of(10, 1, NaN, 1, 10, 1);
    const output = Float32Array.of(NaN, 1, 5, Infinity, 11, 1);
    const { sqnrDecibels, notFinite } = outputNoise(reference, output, 2);
    expect(notFinite).toBe(2);
    expect(sqnrDecibels).toBeCloseTo(10 * Math.log10(102), 12);
  });
});

describe('the first sample that differs', () => {
  it('is told by bits', () => {
    expect(firstDifferentSample(Float32Array.of(1, 2, 0, 4), Float32Array.of(1, 2, -0, 4), 2)).toBe(1);
    expect(firstDifferentSample(Float32Array.of(NaN, 2), Float32Array.of(NaN, 2), 2)).toBeUndefined();
    expect(firstDifferentSample(Int16Array.of(1, 2, 3), Int16Array.of(1, 2, 4), 1)).toBe(2);
  });
});

describe('the interval of a paired loss', () => {
  it('is what Agresti and Min give', () => {
    // Half a sample in each cell: 10.5 and 4.5 flips among 102, so (10.5 - 4.5) / 102 ± 1.96 · sqrt(15 - 6² / 102) / 102.
    const { value, low, high } = pairedLoss({ better: 4, worse: 10 }, 100);
    expect(value).toBe(0.06);
    expect(low).toBeCloseTo(6 / 102 - (1.959963984540054 * Math.sqrt(15 - 36 / 102)) / 102, 12);
    expect(high).toBeCloseTo(6 / 102 + (1.959963984540054 * Math.sqrt(15 - 36 / 102)) / 102, 12);
  });

  it('is not empty without flips, and mirrors where both programs change places', () => {
    expect(pairedLoss({ better: 0, worse: 0 }, 10_000).high).toBeCloseTo(1.96e-4, 6);
    const [a, b] = [pairedLoss({ better: 2, worse: 9 }, 500), pairedLoss({ better: 9, worse: 2 }, 500)];
    expect(a.value).toBe(-b.value);
    expect(a.low).toBe(-b.high);
  });

  it('covers the true difference in about 95 of 100 samples of two programs', () => {
    let state = DEFAULT_SEED;
    const uniform = (): number => uniformF32((state = xorshift32(state)));
    const [samples, trials] = [2000, 2000];
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      let [better, worse] = [0, 0];
      for (let i = 0; i < samples; i++) {
        const x = uniform();
        if (x < 0.004) better++;
        else if (x < 0.01) worse++;
      }
      const { low, high } = pairedLoss({ better, worse }, samples);
      if (low <= 0.002 && 0.002 <= high) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.93);
    expect(covered / trials).toBeLessThan(0.97);
  });
});
