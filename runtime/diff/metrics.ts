/** How far a tensor is from what it should be: figures that are summed up over samples. */
import type { Grid } from './grid.ts';

/**
 * The figures of one comparison. Shares are 0 to 1. A step is the distance between neighbouring numbers of the tensor's own type; where that differs, as in
 * floats, it is the distance at the root mean square of the expected values.
 */
export interface ErrorMetrics {
  readonly elements: number;
  /** 10·log10(Σ expected² / Σ error²); Infinity without any error. */
  readonly sqnrDecibels: number;
  /** Of the angle between the tensors as vectors; 1 where they are equal. */
  readonly cosine: number;
  readonly maximumError: number;
  /** Steps are absent where they are not counted. */
  readonly maximumSteps?: number;
  readonly rmse: number;
  /** rmse in steps: 1/√12 = 0.289 for values that are rounded once to the nearest. */
  readonly rmseSteps?: number;
  /** Mean of actual - expected: a bias that a correction could take away. */
  readonly meanError: number;
  /** Share of elements held at an end of the type's range although the expected value lies beyond it. */
  readonly saturated: number;
  /** Share of elements that are zero although the expected value is not. */
  readonly zeroed: number;
  /** Elements that are NaN or infinite where a number is expected, or the other way round. */
  readonly nonFinite: number;
}

/** Adds up over samples. */
export class ErrorStatistics {
  readonly #grid: Grid;
  readonly #inSteps: boolean;
  #elements = 0;
  #signal = 0;
  #power = 0;
  #product = 0;
  #noise = 0;
  #sum = 0;
  #maximum = 0;
  #saturated = 0;
  #zeroed = 0;
  #nonFinite = 0;

  /** `grid` is that of the actual values' type; `inSteps` says whether errors are counted in its steps too. */
  constructor(grid: Grid, inSteps = true) {
    this.#grid = grid;
    this.#inSteps = inSteps;
  }

  /** The elements of one sample. */
  add(expected: Float64Array, actual: Float64Array): void {
    if (expected.length !== actual.length) throw new RangeError(`${expected.length} elements are compared with ${actual.length}`);
    for (let i = 0; i < expected.length; i++) this.#add(expected[i] as number, actual[i] as number);
    this.#elements += expected.length;
  }

  #add(x: number, y: number): void {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      if (!Object.is(x, y)) this.#nonFinite++;
      return;
    }
    const error = y - x;
    this.#signal += x * x;
    this.#power += y * y;
    this.#product += x * y;
    this.#noise += error * error;
    this.#sum += error;
    this.#maximum = Math.max(this.#maximum, Math.abs(error));
    if ((y === this.#grid.high && x > y) || (y === this.#grid.low && x < y)) this.#saturated++;
    if (y === 0 && x !== 0) this.#zeroed++;
  }

  /** Σ error², infinite where an element became NaN or infinite. */
  get noise(): number {
    return this.#nonFinite > 0 ? Infinity : this.#noise;
  }

  get elements(): number {
    return this.#elements;
  }

  metrics(): ErrorMetrics {
    const share = (part: number): number => (this.#elements === 0 ? 0 : part / this.#elements);
    const maximumError = this.#nonFinite > 0 ? Infinity : this.#maximum;
    const rmse = Math.sqrt(share(this.noise));
    const step = this.#grid.step(Math.sqrt(share(this.#signal)));
    return {
      elements: this.#elements,
      sqnrDecibels: decibels(this.#signal, this.noise),
      cosine: cosine(this.#product, this.#signal, this.#power, this.#noise),
      maximumError,
      rmse,
      ...(this.#inSteps && { maximumSteps: maximumError / step, rmseSteps: rmse / step }),
      meanError: share(this.#sum),
      saturated: share(this.#saturated),
      zeroed: share(this.#zeroed),
      nonFinite: this.#nonFinite,
    };
  }
}

/** 10·log10(signal / noise); Infinity where there is no noise, -Infinity where there is nothing else. */
export function decibels(signal: number, noise: number): number {
  if (noise === 0) return Infinity;
  return noise === Infinity ? -Infinity : 10 * Math.log10(signal / noise);
}

function cosine(product: number, signal: number, power: number, noise: number): number {
  if (noise === 0) return 1;
  return signal === 0 || power === 0 ? 0 : product / Math.sqrt(signal * power);
}
