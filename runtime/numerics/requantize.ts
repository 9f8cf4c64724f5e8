/**
 * Integers that stand for real numbers: real = scale · (integer − zero point). Products of them sum exactly; these are the steps from sums to
 * integers of another scale, by a whole multiplier and a shift, each rounded once.
 */
import { INTEGERS_ONLY, roundTiesToEven } from './fixed.ts';

export const I8_MIN = -128;
export const I8_MAX = 127;

/** Shifts that `scaleSum` takes. */
export const LEAST_SHIFT = 8;
export const GREATEST_SHIFT = 62;

/** Shifts of sums in 16-bit fixed point. */
export const GREATEST_FIXED_SHIFT = 31;

const HALF = 2 ** 16;

/** min(max(x, low), high): `high` where the bounds cross. */
export function clamp(x: number, low: number, high: number): number {
  const raised = x < low ? low : x;
  return raised > high ? high : raised;
}

/** A number clamped to the range of 8-bit integers. */
export function saturate8(x: number): number {
  return clamp(x, I8_MIN, I8_MAX);
}

/**
 * ⌊x · multiplier / 2^shift⌉, ties up, for a sum x and a multiplier of 32 bits, signed, and a shift from 8 to 62. The product has up to
 * 63 bits, so it is taken in two halves, each of which a double holds. Exact where the result has at most 32 bits; beyond, it is as large.
 */
export function scaleSum(x: number, multiplier: number, shift: number): number {
  const high = Math.floor(multiplier / HALF);
  const low = multiplier - high * HALF;
  if (shift <= 16) return Math.floor((x * high * HALF + x * low + 2 ** (shift - 1)) / 2 ** shift);
  const upper = x * high + Math.floor((x * low) / HALF) + 2 ** (shift - 17);
  return Math.floor(upper / 2 ** (shift - 16));
}

/** The 8-bit integer of a sum: scaled, moved to the zero point, clamped. */
export function requantizeSum(x: number, multiplier: number, shift: number, zero: number, low: number, high: number): number {
  return clamp(scaleSum(x, multiplier, shift) + zero, low, high);
}

/** ⌊x / 2^shift⌉, ties to even, clamped: the 16-bit integer of a sum that a double holds. */
export function requantizeFixedSum(x: number, shift: number, low: number, high: number): number {
  return clamp(roundTiesToEven(x / 2 ** shift), low, high) + 0;
}

/** a · factorA + b · factorB + addend, modulo 2^32, shifted arithmetically, clamped. */
export function scaledSum(a: number, b: number, { factorA, factorB, addend, shift }: SumScaling, low: number, high: number): number {
  return clamp(((Math.imul(a, factorA) + Math.imul(b, factorB) + addend) | 0) >> shift, low, high);
}

/** The integer nearest to the real number x / scale, `inverse` being 1 / scale in binary32, ties to even; NaN gives the zero point. */
export function quantizeFloat(x: number, inverse: number, zero: number, low: number, high: number): number {
  // Beyond where the sum rounds it is beyond all bounds.
  const q = Math.fround(x * inverse) + INTEGERS_ONLY - INTEGERS_ONLY + zero;
  const raised = q < low ? low : q;
  return raised > high ? high : raised === raised ? raised : clamp(zero, low, high);
}

/** The real number of an integer, in binary32. */
export function dequantizeInteger(q: number, scale: number, zero: number): number {
  return Math.fround((q - zero) * scale);
}

/** Multipliers for some factors, and the one shift that they share. */
export interface Multipliers {
  readonly multipliers: Int32Array;
  readonly shift: number;
}

/**
 * Multipliers m with m / 2^shift nearest to factors that are positive: the greatest has its full 31 bits, the others as many as the common
 * shift leaves. Throws a RangeError where the greatest factor is not from 2^-32 to 2^22, which no sensible scales have.
 */
export function multipliersOf(factors: readonly number[]): Multipliers {
  const greatest = Math.max(...factors);
  let shift = 30 - Math.floor(Math.log2(greatest));
  if (Math.round(greatest * 2 ** shift) >= 2 ** 31) shift--;
  if (!(shift >= LEAST_SHIFT && shift <= GREATEST_SHIFT)) throw new RangeError(`a factor of ${greatest} has no multiplier and shift`);
  return { multipliers: Int32Array.from(factors, (factor) => Math.round(factor * 2 ** shift)), shift };
}

/** What `scaledSum` takes. */
export interface SumScaling {
  /** 16 bits, signed. */
  readonly factorA: number;
  readonly factorB: number;
  /** 32 bits: zero points, and one half for the rounding. */
  readonly addend: number;
  readonly shift: number;
}

/** More would let the zero point of the result overflow 32 bits. */
const GREATEST_SUM_SHIFT = 20;

/**
 * How `scaledSum` adds integers of two scales: `a` and `b` are the operands' scales over the result's, and the zero points of the three. Factors
 * have up to 15 bits. Throws a RangeError where a ratio is 2^15 or more.
 */
export function sumScaling(a: number, b: number, zeroA: number, zeroB: number, zero: number): SumScaling {
  let shift = GREATEST_SUM_SHIFT;
  while (shift >= 1 && Math.round(Math.max(a, b) * 2 ** shift) >= 2 ** 15) shift--;
  if (shift < 1) throw new RangeError(`scales whose ratio is ${Math.max(a, b)} cannot be added`);
  const [factorA, factorB] = [Math.round(a * 2 ** shift), Math.round(b * 2 ** shift)];
  return { factorA, factorB, addend: zero * 2 ** shift + 2 ** (shift - 1) - zeroA * factorA - zeroB * factorB, shift };
}
