/**
 * Vector arithmetic on plain numbers for the references, under a rounding: that of 16-bit fixed point, or none. Numbers are values, not raw
 * integers. Matrices are row-major.
 */
import { fromFixed16, toFixed16 } from '../../runtime/numerics/fixed.ts';
import { DEFAULT_SEED, xorshift32 } from '../../runtime/numerics/random.ts';
import { expF32 } from '../../runtime/numerics/transcendental.ts';

export type Vector = readonly number[];

/** A number type: what is left of an exact result, its exponential, and how fine its random numbers are. */
export interface Rounding {
  readonly round: (x: number) => number;
  readonly exp: (x: number) => number;
  /** Random numbers are multiples of 2^-randomBits. */
  readonly randomBits: number;
}

/** The ISA's 16-bit fixed point: every result rounded once to nearest, ties to even, and saturated. */
export function fixedPoint(fractionBits: number): Rounding {
  const round = (x: number): number => fromFixed16(toFixed16(x, fractionBits), fractionBits);
  return { round, exp: (x) => round(expF32(x)), randomBits: fractionBits };
}

/** Double precision. */
export const DOUBLE: Rounding = { round: (x) => x, exp: Math.exp, randomBits: 32 };

/** Operations that round each element of a result once; sums of products round at their end. */
export class Arithmetic {
  readonly #rounding: Rounding;
  #state = DEFAULT_SEED;

  constructor(rounding: Rounding) {
    this.#rounding = rounding;
  }

  add(a: Vector, b: Vector): number[] {
    return this.#elementwise(a, (x, i) => x + at(b, i));
  }

  subtract(a: Vector, b: Vector): number[] {
    return this.#elementwise(a, (x, i) => x - at(b, i));
  }

  multiply(a: Vector, b: Vector): number[] {
    return this.#elementwise(a, (x, i) => x * at(b, i));
  }

  divide(a: Vector, b: Vector): number[] {
    return this.#elementwise(a, (x, i) => x / at(b, i));
  }

  /** Each element plus the scalar. */
  plus(a: Vector, scalar: number): number[] {
    return this.#elementwise(a, (x) => x + scalar);
  }

  /** Each element times the scalar. */
  scale(a: Vector, scalar: number): number[] {
    return this.#elementwise(a, (x) => x * scalar);
  }

  exp(a: Vector): number[] {
    return a.map((x) => this.#rounding.exp(x));
  }

  dot(a: Vector, b: Vector): number {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i);
    return this.#rounding.round(sum);
  }

  /** The matrix with rows as long as `x`, times `x`. */
  times(matrix: Vector, x: Vector): number[] {
    return rowsOf(matrix, x.length).map((row) => this.dot(row, x));
  }

  /** The transposed of the matrix with as many rows as `x` has elements, times `x`. */
  transposedTimes(matrix: Vector, x: Vector): number[] {
    const columns = matrix.length / x.length;
    return Array.from({ length: columns }, (_, column) => {
      let sum = 0;
      for (let row = 0; row < x.length; row++) sum += at(matrix, row * columns + column) * at(x, row);
      return this.#rounding.round(sum);
    });
  }

  /** The matrix a bᵀ. */
  outer(a: Vector, b: Vector): number[] {
    return a.flatMap((x) => this.scale(b, x));
  }

  /** e^a / (1 + e^a), the published idiom. */
  logistic(a: Vector): number[] {
    const power = this.exp(a);
    return this.divide(power, this.plus(power, 1));
  }

  /** (e^2a - 1) / (e^2a + 1). */
  tanh(a: Vector): number[] {
    const power = this.exp(this.add(a, a));
    return this.divide(this.plus(power, -1), this.plus(power, 1));
  }

  softmax(a: Vector): number[] {
    const power = this.exp(this.plus(a, -Math.max(...a)));
    const sum = this.#rounding.round(power.reduce((total, x) => total + x, 0));
    return this.#elementwise(power, (x) => x / sum);
  }

  /** 1 with the probabilities given, else 0: by whether the next random number of each is below. */
  sample(probabilities: Vector): number[] {
    const { randomBits } = this.#rounding;
    return probabilities.map((probability) => {
      this.#state = xorshift32(this.#state);
      return probability > Math.floor(this.#state / 2 ** (32 - randomBits)) / 2 ** randomBits ? 1 : 0;
    });
  }

  #elementwise(a: Vector, operation: (x: number, i: number) => number): number[] {
    return a.map((x, i) => this.#rounding.round(operation(x, i)));
  }
}

/** An element that exists; a reference that reads another is wrong, and gets NaN. */
export function at(a: Vector, i: number): number {
  return a[i] ?? NaN;
}

/** The rows of a matrix. */
export function rowsOf(matrix: Vector, columns: number): number[][] {
  return Array.from({ length: matrix.length / columns }, (_, row) => matrix.slice(row * columns, (row + 1) * columns));
}
