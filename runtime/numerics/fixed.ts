/**
 * 16-bit fixed point on raw integers: the value of `a` under F fraction bits is a / 2^F. Every result is exact, then rounded once to
 * nearest with ties to even, then saturated to the 16-bit range.
 */
import { expF32, logF32 } from './transcendental.ts';

export const FIXED_MIN = -32768;
export const FIXED_MAX = 32767;

/** Beyond 2^51 the sum of a double and this has no place for halves. */
export const INTEGERS_ONLY = 1.5 * 2 ** 52;
const MOST_ROUNDED = 2 ** 51;

/** `x` rounded to an integer, ties to the even one; exact for every double, infinities and NaN stay. Zero has no sign. */
export function roundTiesToEven(x: number): number {
  // The addition itself rounds ties to even.
  return x < MOST_ROUNDED && x > -MOST_ROUNDED ? x + INTEGERS_ONLY - INTEGERS_ONLY : roundLarge(x);
}

function roundLarge(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 !== 0) ? low + 1 : low;
}

/** A number clamped to the range of 16-bit integers. */
export function saturate16(x: number): number {
  return x < FIXED_MIN ? FIXED_MIN : x > FIXED_MAX ? FIXED_MAX : x + 0; // an integer has no negative zero
}

export function addFixed(a: number, b: number): number {
  return saturate16(a + b);
}

export function subtractFixed(a: number, b: number): number {
  return saturate16(a - b);
}

/**
 * The 16-bit result of a sum of products of raw integers, which carries 2·F fraction bits. The sum is exact as long as its magnitude
 * stays below 2^53, which takes more than four million products.
 */
export function roundProductSum(sum: number, fraction: number): number {
  return saturate16(roundTiesToEven(sum / (1 << fraction)));
}

export function multiplyFixed(a: number, b: number, fraction: number): number {
  return roundProductSum(a * b, fraction);
}

/** sum + a · b, exact until it is rounded once. */
export function multiplyAddFixed(sum: number, a: number, b: number, fraction: number): number {
  return roundProductSum(sum * (1 << fraction) + a * b, fraction);
}

/**
 * a / b. Division by zero saturates towards the sign of `a`, and 0 / 0 is 0. The double quotient decides the rounding rightly: a true
 * quotient that is no tie lies at least 2^-16 from one.
 */
export function divideFixed(a: number, b: number, fraction: number): number {
  if (b === 0) return a === 0 ? 0 : a < 0 ? FIXED_MIN : FIXED_MAX;
  return saturate16(roundTiesToEven((a * (1 << fraction)) / b));
}

/** The nearest fixed-point number to `x`, as a raw integer; NaN gives 0, infinities saturate. */
export function toFixed16(x: number, fraction: number): number {
  return x === x ? saturate16(roundTiesToEven(x * (1 << fraction))) : 0;
}

/** The value of a raw integer, exact in binary32. */
export function fromFixed16(a: number, fraction: number): number {
  return a / (1 << fraction);
}

/** The binary32 exponential of the value, converted back. */
export function expFixed(a: number, fraction: number): number {
  return toFixed16(expF32(fromFixed16(a, fraction)), fraction);
}

/** The binary32 logarithm of the value, converted back; the least number for zero and below. */
export function logFixed(a: number, fraction: number): number {
  return a <= 0 ? FIXED_MIN : toFixed16(logF32(fromFixed16(a, fraction)), fraction);
}
