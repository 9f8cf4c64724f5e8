import { describe, expect, it } from 'vitest';
import { floatBits, floatFromBits } from '../../runtime/numerics/float.ts';
import { EXP_MAX_ULP, expF32, LOG_MAX_ULP, logF32 } from '../../runtime/numerics/transcendental.ts';

/** Spacing of binary32 at a true value. */
function spacing(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -126) return 2 ** -149;
  let power = 2 ** Math.floor(Math.log2(magnitude));
  if (power > magnitude) power /= 2;
  if (2 * power <= magnitude) power *= 2;
  return power * 2 ** -23;
}

/** Error in units of the last place; infinite where overflow and its absence disagree. */
function ulps(result: number, truth: number): number {
  const rounded = Math.fround(truth);
  if (!Number.isFinite(rounded) || !Number.isFinite(result)) return Object.is(result, rounded) ? 0 : Infinity;
  return Math.abs(result - truth) / spacing(truth);
}

/** Greatest error over binary32 numbers from `first` to `last` bits, `step` apart. */
function worst(f: (x: number) => number, truth: (x: number) => number, first: number, last: number, step: number): number {
  let greatest = 0;
  for (let bits = first; bits <= last; bits += step) {
    const x = floatFromBits(bits);
    greatest = Math.max(greatest, ulps(f(x), truth(x)));
  }
  return greatest;
}

const INFINITY_BITS = 0x7f800000;
const SIGN = 0x80000000;

describe('exponential', () => {
  it('keeps its bound on a dense set of both signs', () => {
    const last = floatBits(105);
    expect(worst(expF32, Math.exp, 0, last, 1009)).toBeLessThanOrEqual(EXP_MAX_ULP);
    expect(worst(expF32, Math.exp, SIGN, SIGN + last, 1013)).toBeLessThanOrEqual(EXP_MAX_ULP);
    // Where most of the exponents' and all of the overflow's and underflow's work is.
    expect(worst(expF32, Math.exp, floatBits(0.25), last, 37)).toBeLessThanOrEqual(EXP_MAX_ULP);
    expect(worst(expF32, Math.exp, SIGN + floatBits(0.25), SIGN + last, 41)).toBeLessThanOrEqual(EXP_MAX_ULP);
  });

  it('attains its bound', () => {
    const x = floatFromBits(0x428cce63);
    expect(ulps(expF32(x), Math.exp(x))).toBeGreaterThan(EXP_MAX_ULP - 0.001);
  });

  it('is right at the edges', () => {
    expect(Object.is(expF32(0), 1)).toBe(true);
    expect(expF32(-0)).toBe(1);
    expect(expF32(Infinity)).toBe(Infinity);
    expect(Object.is(expF32(-Infinity), 0)).toBe(true);
    expect(expF32(NaN)).toBeNaN();
    expect(expF32(floatFromBits(0x42b17218))).toBe(Infinity); // the first number whose exponential overflows
    expect(expF32(floatFromBits(0x42b17217))).toBeLessThan(Infinity);
    expect(Object.is(expF32(-104), 0)).toBe(true);
    expect(expF32(-103)).toBe(2 ** -149);
    expect(expF32(2 ** -149)).toBe(1);
    expect(expF32(3e38)).toBe(Infinity);
    expect(expF32(-3e38)).toBe(0);
  });
});

describe('logarithm', () => {
  it('keeps its bound on a dense set', () => {
    expect(worst(logF32, Math.log, 1, INFINITY_BITS - 1, 1511)).toBeLessThanOrEqual(LOG_MAX_ULP);
    expect(worst(logF32, Math.log, floatBits(0.5), floatBits(2), 13)).toBeLessThanOrEqual(LOG_MAX_ULP);
  });

  it('keeps its bound on all denormals below 2^-131', () => {
    expect(worst(logF32, Math.log, 1, 2 ** 18, 1)).toBeLessThanOrEqual(LOG_MAX_ULP);
  });

  it('attains its bound', () => {
    const x = floatFromBits(0x3f3331ae);
    expect(ulps(logF32(x), Math.log(x))).toBeGreaterThan(LOG_MAX_ULP - 0.001);
  });

  it('is right at the edges', () => {
    expect(Object.is(logF32(1), 0)).toBe(true);
    expect(logF32(0)).toBe(-Infinity);
    expect(logF32(-0)).toBe(-Infinity);
    expect(logF32(Infinity)).toBe(Infinity);
    for (const x of [-1, -(2 ** -149), -Infinity, NaN]) expect(logF32(x)).toBeNaN();
  });
});

describe('both', () => {
  it('give binary32 numbers', () => {
    for (let bits = 1; bits < INFINITY_BITS; bits += 100003) {
      const x = floatFromBits(bits);
      for (const y of [expF32(x), expF32(-x), logF32(x)]) expect(Math.fround(y)).toBe(y);
    }
  });
});
