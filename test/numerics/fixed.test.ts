import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addFixed,
  divideFixed,
  expFixed,
  fromFixed16,
  logFixed,
  multiplyFixed,
  roundProductSum,
  roundTiesToEven,
  saturate16,
  subtractFixed,
  toFixed16,
} from '../../runtime/numerics/fixed.ts';
import { expF32, logF32 } from '../../runtime/numerics/transcendental.ts';

/** Exact quotient rounded to nearest, ties to even, in integers alone. */
function roundQuotient(numerator: bigint, denominator: bigint): bigint {
  const [n, d] = denominator < 0n ? [-numerator, -denominator] : [numerator, denominator];
  const floor = n >= 0n ? n / d : -((-n + d - 1n) / d);
  const twice = 2n * (n - floor * d);
  return twice > d || (twice === d && floor % 2n !== 0n) ? floor + 1n : floor;
}

const saturate = (x: bigint): number => Number(x < -32768n ? -32768n : x > 32767n ? 32767n : x);

/** Numerator and power-of-two denominator of a finite double. */
function exactRatio(x: number): [bigint, bigint] {
  let denominator = 1n;
  let scaled = x;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    denominator *= 2n;
  }
  return [BigInt(scaled), denominator];
}

const FRACTIONS = Array.from({ length: 16 }, (_, i) => i);
const raw = fc.integer({ min: -32768, max: 32767 });
const fraction = fc.integer({ min: 0, max: 15 });

/** Calls `check` for each raw 16-bit integer; expectations are made on the number of failures, for speed. */
function failures(check: (a: number) => boolean): number[] {
  const found: number[] = [];
  for (let a = -32768; a <= 32767; a++) if (!check(a)) found.push(a);
  return found;
}

describe('rounding to integers', () => {
  it('takes ties to the even neighbour', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, -2.5].map(roundTiesToEven).map((x) => x + 0)).toEqual([0, 2, 2, 0, -2, -2]);
    expect(roundTiesToEven(0.49999999999999994) + 0).toBe(0);
    expect(roundTiesToEven(2 ** 52 + 1)).toBe(2 ** 52 + 1);
    expect(roundTiesToEven(2 ** 51 + 0.5)).toBe(2 ** 51);
    expect(roundTiesToEven(-(2 ** 53))).toBe(-(2 ** 53));
    expect(roundTiesToEven(Infinity)).toBe(Infinity);
    expect(roundTiesToEven(-Infinity)).toBe(-Infinity);
    expect(roundTiesToEven(NaN)).toBeNaN();
  });

  it('is exact on all doubles', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: -(2 ** 60), max: 2 ** 60 }), (x) => {
        fc.pre(x === 0 || Math.abs(x) > 2 ** -60);
        expect(BigInt(roundTiesToEven(x))).toBe(roundQuotient(...exactRatio(x)));
      }),
    );
  });
});

describe('16-bit fixed point', () => {
  it('saturates', () => {
    expect([32767, 32768, -32768, -32769, Infinity, -Infinity].map(saturate16)).toEqual([32767, 32767, -32768, -32768, 32767, -32768]);
  });

  it('adds and subtracts with saturation, for each first operand', () => {
    for (const b of [0, 1, -1, 2, 1000, -1000, 32767, -32767, -32768]) {
      expect(failures((a) => addFixed(a, b) === saturate(BigInt(a) + BigInt(b)))).toEqual([]);
      expect(failures((a) => subtractFixed(a, b) === saturate(BigInt(a) - BigInt(b)))).toEqual([]);
    }
  });

  it('multiplies exactly and rounds once, for each first operand', () => {
    for (const f of [0, 1, 8, 10, 15]) {
      for (const b of [0, 1, -1, 3, 513, -512, 32767, -32768])
        expect(failures((a) => multiplyFixed(a, b, f) === saturate(roundQuotient(BigInt(a) * BigInt(b), 1n << BigInt(f))))).toEqual([]);
    }
  });

  it('multiplies any pair', () => {
    fc.assert(
      fc.property(raw, raw, fraction, (a, b, f) => {
        expect(multiplyFixed(a, b, f)).toBe(saturate(roundQuotient(BigInt(a) * BigInt(b), 1n << BigInt(f))));
      }),
    );
  });

  it('rounds the largest sums of products exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n }), fraction, (sum, f) => {
        expect(roundProductSum(Number(sum), f)).toBe(saturate(roundQuotient(sum, 1n << BigInt(f))));
      }),
    );
    // Ties of sums that are themselves within range.
    expect([512, 1536, 2560, -512, -1536].map((sum) => roundProductSum(sum, 10) + 0)).toEqual([0, 2, 2, 0, -2]);
  });

  it('divides exactly and rounds once, for each dividend', () => {
    for (const f of [0, 8, 10, 15]) {
      for (const b of [1, -1, 2, 3, 7, -1024, 1025, 32767, -32767, -32768])
        expect(failures((a) => divideFixed(a, b, f) === saturate(roundQuotient(BigInt(a) << BigInt(f), BigInt(b))))).toEqual([]);
    }
  });

  it('divides any pair', () => {
    fc.assert(
      fc.property(raw, raw, fraction, (a, b, f) => {
        fc.pre(b !== 0);
        expect(divideFixed(a, b, f)).toBe(saturate(roundQuotient(BigInt(a) << BigInt(f), BigInt(b))));
      }),
    );
  });

  it('divides by zero towards the sign of the dividend', () => {
    expect(failures((a) => divideFixed(a, 0, 10) === (a === 0 ? 0 : a < 0 ? -32768 : 32767))).toEqual([]);
  });

  it('converts every raw integer to a number and back', () => {
    for (const f of FRACTIONS) {
      expect(failures((a) => fromFixed16(a, f) * 2 ** f === a && Math.fround(fromFixed16(a, f)) === fromFixed16(a, f))).toEqual([]);
      expect(failures((a) => toFixed16(fromFixed16(a, f), f) === a)).toEqual([]);
    }
  });

  it('converts every halfway point to the even neighbour, and its neighbours to the nearer one', () => {
    for (const f of FRACTIONS) {
      const half = 0.5 / 2 ** f;
      const near = half * (1 - 2 ** -20);
      expect(failures((a) => toFixed16(fromFixed16(a, f) + half, f) === Math.min(32767, a % 2 === 0 ? a : a + 1))).toEqual([]);
      expect(failures((a) => toFixed16(fromFixed16(a, f) + near, f) === a)).toEqual([]);
      expect(failures((a) => toFixed16(fromFixed16(a, f) - near, f) === a)).toEqual([]);
    }
  });

  it('converts NaN to 0 and saturates infinities', () => {
    expect([NaN, Infinity, -Infinity, 1e30, -1e30, -0].map((x) => toFixed16(x, 10) + 0)).toEqual([0, 32767, -32768, 32767, -32768, 0]);
  });

  it('takes exponential and logarithm of every operand through binary32', () => {
    for (const f of FRACTIONS) {
      const scale = BigInt(2 ** f);
      const rounded = (y: number): number => {
        if (Math.abs(y) >= 2 ** 20) return y < 0 ? -32768 : 32767;
        const [n, d] = exactRatio(y);
        return saturate(roundQuotient(n * scale, d));
      };
      expect(failures((a) => expFixed(a, f) + 0 === rounded(Math.max(expF32(a / 2 ** f), 2 ** -60)))).toEqual([]);
      expect(failures((a) => logFixed(a, f) + 0 === (a <= 0 ? -32768 : rounded(logF32(a / 2 ** f))))).toEqual([]);
    }
  });

  it('is within one step of the true exponential and logarithm', () => {
    const clamp = (y: number): number => Math.min(32767, Math.max(-32768, y));
    for (const f of [0, 8, 10, 15]) {
      const scale = 2 ** f;
      // Half a step from rounding, and 0.991 ulp of the polynomial, at most 2^-23 of the result.
      const bound = (y: number): number => 0.5 + Math.abs(y) * 2 ** -23;
      expect(failures((a) => Math.abs(expFixed(a, f) - clamp(Math.exp(a / scale) * scale)) <= bound(32768))).toEqual([]);
      expect(
        failures((a) => a <= 0 || Math.abs(logFixed(a, f) - clamp(Math.log(a / scale) * scale)) <= bound(Math.log(a / scale) * scale)),
      ).toEqual([]);
    }
  });
});
