import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clamp,
  dequantizeInteger,
  multipliersOf,
  quantizeFloat,
  requantizeFixedSum,
  requantizeSum,
  saturate8,
  scaledSum,
  scaleSum,
  sumScaling,
} from '../../runtime/numerics/requantize.ts';

const RUNS = { numRuns: 20_000 };

const word = fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 65535, 65536, -65536, -65537));
const half = fc.integer({ min: -32768, max: 32767 });

/** ⌊x / 2^shift⌋. */
const floorShift = (x: bigint, shift: number): bigint => x >> BigInt(shift);

function clampBig(x: bigint, low: number, high: number): number {
  const raised = x < BigInt(low) ? BigInt(low) : x;
  return Number(raised > BigInt(high) ? BigInt(high) : raised);
}

describe('clamp', () => {
  it('is the less of the high bound and the greater of number and low bound, where they cross too', () => {
    expect([-5, 0, 5].map((x) => clamp(x, -1, 1))).toEqual([-1, 0, 1]);
    expect([-5, 0, 5].map((x) => clamp(x, 1, -1))).toEqual([-1, -1, -1]);
    expect([-129, -128, 127, 128].map(saturate8)).toEqual([-128, -128, 127, 127]);
  });
});

describe('scaleSum', () => {
  const exact = (x: number, multiplier: number, shift: number): bigint =>
    floorShift(BigInt(x) * BigInt(multiplier) + 2n ** BigInt(shift - 1), shift);

  it('is exact where the result has 32 bits, and as large beyond', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 8, max: 62 }), (x, multiplier, shift) => {
        const [found, expected] = [scaleSum(x, multiplier, shift), exact(x, multiplier, shift)];
        if (expected >= -(2n ** 31n) && expected < 2n ** 31n) expect(BigInt(found)).toBe(expected);
        else expect(clampBig(BigInt(found), -(2 ** 31), 2 ** 31 - 1)).toBe(clampBig(expected, -(2 ** 31), 2 ** 31 - 1));
      }),
      RUNS,
    );
  });

  it('rounds ties up', () => {
    // ±1 · 2^30 / 2^31 are halves.
    expect([1, -1, 3, -3].map((x) => scaleSum(x, 2 ** 30, 31))).toEqual([1, 0, 2, -1]);
    // A product that ends on a half in the lowest bits only, and one step on either side of it.
    expect([2 ** 30 - 1, 2 ** 30, 2 ** 30 + 1].map((multiplier) => scaleSum(1, multiplier, 31))).toEqual([0, 1, 1]);
  });

  it('ends in elements: zero point, then bounds', () => {
    fc.assert(
      fc.property(
        word,
        word,
        fc.integer({ min: 8, max: 62 }),
        fc.integer({ min: -128, max: 127 }),
        half,
        half,
        (x, m, shift, zero, low, high) => {
          expect(requantizeSum(x, m, shift, zero, low, high)).toBe(clampBig(exact(x, m, shift) + BigInt(zero), low, high));
        },
      ),
      RUNS,
    );
  });
});

describe('multipliersOf', () => {
  it('has the greatest factor in 31 bits, and all of them nearest', () => {
    const factor = fc.double({ min: 2 ** -30, max: 2 ** 20, noNaN: true });
    fc.assert(
      fc.property(fc.array(factor, { minLength: 1, maxLength: 8 }), (factors) => {
        const { multipliers, shift } = multipliersOf(factors);
        const greatest = Math.max(...multipliers);
        expect(greatest).toBeGreaterThanOrEqual(2 ** 30);
        expect(shift).toBeGreaterThanOrEqual(8);
        expect(shift).toBeLessThanOrEqual(62);
        for (const [i, each] of factors.entries())
          expect(Math.abs((multipliers[i] as number) - each * 2 ** shift)).toBeLessThanOrEqual(0.5);
      }),
      RUNS,
    );
  });

  it.each([2 ** -33, 2 ** 23, 0, NaN, Infinity])('refuses a greatest factor of %d', (factor) => {
    expect(() => multipliersOf([factor])).toThrow(RangeError);
  });
});

describe('requantizeFixedSum', () => {
  it('is the quotient to nearest, ties to even, clamped', () => {
    const sum = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.integer({ min: -(2 ** 17), max: 2 ** 17 }));
    fc.assert(
      fc.property(sum, fc.integer({ min: 0, max: 31 }), half, half, (x, shift, low, high) => {
        const floor = floorShift(BigInt(x), shift);
        const rest = 2n * (BigInt(x) - floor * 2n ** BigInt(shift));
        const whole = 2n ** BigInt(shift);
        const nearest = rest > whole || (rest === whole && floor % 2n !== 0n) ? floor + 1n : floor;
        expect(requantizeFixedSum(x, shift, low, high)).toBe(clampBig(nearest, low, high));
      }),
      RUNS,
    );
  });
});

describe('scaledSum', () => {
  /** Scales of operands over that of the result, with zero points. */
  const SCALES = [
    [0.5, 0.5, 0, 0, 0],
    [1, 1, -128, -128, -128],
    [0.731, 0.214, 3, -7, 12],
    [0.003, 1.9, 127, -128, 0],
    [1000, 0.001, 5, 5, 5],
  ] as const;

  it.each(SCALES)('of all pairs is within a step of the real sum: %d, %d; %i, %i, %i', (a, b, zeroA, zeroB, zero) => {
    const scaling = sumScaling(a, b, zeroA, zeroB, zero);
    let worst = 0;
    let differing = 0;
    for (let x = -128; x < 128; x++)
      for (let y = -128; y < 128; y++) {
        const found = scaledSum(x, y, scaling, -128, 127);
        const sum = BigInt(x) * BigInt(scaling.factorA) + BigInt(y) * BigInt(scaling.factorB) + BigInt(scaling.addend);
        if (found !== clampBig(floorShift(BigInt.asIntN(32, sum), scaling.shift), -128, 127)) differing++;
        const real = clamp((x - zeroA) * a + (y - zeroB) * b + zero, -128, 127);
        worst = Math.max(worst, Math.abs(found - real));
      }
    expect(differing).toBe(0);
    // Half a step of rounding, and 255 steps of each operand by half a unit of its factor.
    expect(worst).toBeLessThanOrEqual(0.5 + (255 * 2 * 0.5) / 2 ** scaling.shift);
  });

  it('wraps at 32 bits and shifts modulo 32', () => {
    const operands = fc.record({ factorA: half, factorB: half, addend: fc.integer(), shift: fc.integer() });
    const byte = fc.integer({ min: -128, max: 127 });
    fc.assert(
      fc.property(byte, byte, operands, half, half, (a, b, scaling, low, high) => {
        const sum = BigInt(a) * BigInt(scaling.factorA) + BigInt(b) * BigInt(scaling.factorB) + BigInt(scaling.addend);
        const shift = ((scaling.shift % 32) + 32) % 32;
        expect(scaledSum(a, b, scaling, low, high)).toBe(clampBig(floorShift(BigInt.asIntN(32, sum), shift), low, high));
      }),
      RUNS,
    );
  });

  it('refuses scales too far apart', () => {
    expect(() => sumScaling(2 ** 15, 1, 0, 0, 0)).toThrow(RangeError);
  });
});

describe('quantizeFloat and dequantizeInteger', () => {
  it.each([
    ['8 bits', -128, 127, 0.05, -3],
    ['8 bits, symmetric', -128, 127, 2 ** -7, 0],
    ['16 bits', -32768, 32767, 2 ** -10, 0],
    ['16 bits with a zero point', -32768, 32767, 2 ** -4, 1000],
  ] as const)('give back every integer of %s', (_, low, high, step, zero) => {
    const scale = Math.fround(step);
    for (let q = low; q <= high; q++)
      expect(quantizeFloat(dequantizeInteger(q, scale, zero), Math.fround(1 / scale), zero, low, high)).toBe(q);
  });

  it('rounds ties to even, clamps, and takes NaN for zero', () => {
    const quantized = (x: number): number => quantizeFloat(x, 1, 10, -128, 127);
    expect([0.5, 1.5, -0.5, -1.5, NaN, Infinity, -Infinity, 1e30].map(quantized)).toEqual([10, 12, 10, 8, 10, 127, -128, 127]);
    expect(quantizeFloat(NaN, 1, 100, -5, 5)).toBe(5);
  });

  it('multiplies in binary32', () => {
    // 7 · fround(0.1) lies between two numbers of binary32.
    expect(dequantizeInteger(7, Math.fround(0.1), 0)).toBe(Math.fround(7 * Math.fround(0.1)));
    expect(dequantizeInteger(7, Math.fround(0.1), 0)).not.toBe(7 * Math.fround(0.1));
    expect(dequantizeInteger(-128, 1, 127)).toBe(-255);
  });
});
