/**
 * Exponential and logarithm in binary32: the polynomials of Moshier's Cephes library (expf, logf), every product and sum rounded
 * to binary32 in the order written here, so that any engine with IEEE arithmetic gives the same bits.
 */
import { floatBits, floatFromBits } from './float.ts';

const round = Math.fround;

/**
 * Largest errors over all 2^32 operands, in units of the last place: the spacing of binary32 at the true value, 2^-149 for denormals.
 * They are measured, at 0x428cce63 and 0x3f3331ae.
 */
export const EXP_MAX_ULP = 0.991;
export const LOG_MAX_ULP = 0.83;

const LOG2_E = round(1.4426950408889634);
/** ln 2 in two parts; the first has so few bits that its products with an exponent are exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = round(-2.1219444e-4);
const SQRT_HALF = round(0.7071067811865476);

/** From here on the exponential is infinite or zero; in between the scaling by a power of two overflows and underflows by itself. */
const EXP_INFINITE = 89;
const EXP_ZERO = -104;

const E0 = round(1.98756915e-4);
const E1 = round(1.3981999507e-3);
const E2 = round(8.3334519073e-3);
const E3 = round(4.1665795894e-2);
const E4 = round(1.6666665459e-1);
const E5 = round(5.0000001201e-1);

/** Two to an integer power from -126 to 127. */
const powerOfTwo = (exponent: number): number => floatFromBits((exponent + 127) << 23);

/**
 * e^x for a binary32 x. Error at most `EXP_MAX_ULP`; overflow gives infinity, underflow denormals and then +0, NaN a NaN.
 */
export function expF32(x: number): number {
  if (x !== x) return NaN;
  if (x >= EXP_INFINITE) return Infinity;
  if (x <= EXP_ZERO) return 0;
  const exponent = Math.floor(round(round(LOG2_E * x) + 0.5));
  let r = round(x - round(exponent * LN2_HIGH));
  r = round(r - round(exponent * LN2_LOW));
  let y = round(round(E0 * r) + E1);
  y = round(round(y * r) + E2);
  y = round(round(y * r) + E3);
  y = round(round(y * r) + E4);
  y = round(round(y * r) + E5);
  y = round(round(y * round(r * r)) + r);
  y = round(y + 1);
  const half = exponent >> 1; // two steps, because 2^exponent itself can be out of range; only the second one rounds
  return round(round(y * powerOfTwo(half)) * powerOfTwo(exponent - half));
}

const L0 = round(7.0376836292e-2);
const L1 = round(-1.151461031e-1);
const L2 = round(1.167699874e-1);
const L3 = round(-1.2420140846e-1);
const L4 = round(1.4249322787e-1);
const L5 = round(-1.6668057665e-1);
const L6 = round(2.0000714765e-1);
const L7 = round(-2.4999993993e-1);
const L8 = round(3.3333331174e-1);

const LEAST_NORMAL = 2 ** -126;

/**
 * The natural logarithm of a binary32 x. Error at most `LOG_MAX_ULP`; denormals are exact like other operands, zero of either sign gives
 * -infinity, +infinity itself, a negative number or NaN a NaN.
 */
export function logF32(x: number): number {
  if (x === 0) return -Infinity;
  if (!(x > 0)) return NaN;
  if (x === Infinity) return Infinity;
  const denormal = x < LEAST_NORMAL;
  const bits = floatBits(denormal ? x * 2 ** 24 : x);
  let exponent = (bits >>> 23) - (denormal ? 150 : 126);
  let m = floatFromBits((bits & 0x7fffff) | 0x3f000000); // x = m · 2^exponent with m in [1/2, 1)
  if (m < SQRT_HALF) {
    exponent -= 1;
    m = round(m + m);
  }
  const r = round(m - 1);
  const z = round(r * r);
  let y = round(round(L0 * r) + L1);
  y = round(round(y * r) + L2);
  y = round(round(y * r) + L3);
  y = round(round(y * r) + L4);
  y = round(round(y * r) + L5);
  y = round(round(y * r) + L6);
  y = round(round(y * r) + L7);
  y = round(round(y * r) + L8);
  y = round(round(y * r) * z);
  y = round(y + round(exponent * LN2_LOW));
  y = round(y - round(0.5 * z));
  return round(round(r + y) + round(exponent * LN2_HIGH));
}
