import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, CANONICAL_NAN_BITS, floatBits, floatFromBits, pmax, pmin, storeCanonical } from '../../runtime/numerics/float.ts';

/** NaN bits of every class: both signs, quiet and signalling, each single payload bit and all of them, and payloads below. */
function nanPatterns(): number[] {
  const payloads = [0x7fffff, 0x400000, 0x3fffff, 0x400001, 0x200000, 0x5a5a5a, 0x123456];
  for (let bit = 0; bit < 23; bit++) payloads.push(2 ** bit, 0x400000 | (2 ** bit));
  return payloads.flatMap((payload) => [0x7f800000 + payload, 0xff800000 + payload]);
}

/** NaNs that arithmetic makes on its own; x86 gives them a sign. */
const computedNaNs = (zero: number): number[] => [
  zero / zero,
  zero * Infinity,
  Infinity - Infinity,
  -Infinity + Infinity,
  Math.sqrt(zero - 1),
];

describe('one NaN', () => {
  it('is stored with the canonical bits, wherever it came from', () => {
    const words = new Uint32Array(1);
    const floats = new Float32Array(words.buffer);
    const stores = [
      (x: number) => (floats[0] = canonical(x)),
      (x: number) => {
        storeCanonical(floats, 0, x);
      },
    ];
    const wrong: number[] = [];
    // Often enough that the compiled code is seen as well as the interpreted.
    for (const store of stores) {
      for (let round = 0; round < 2000; round++) {
        for (const pattern of nanPatterns()) {
          words[0] = pattern;
          store(floats[0] as number);
          if (words[0] !== CANONICAL_NAN_BITS) wrong.push(pattern);
        }
        for (const nan of computedNaNs(round - round)) {
          words[0] = 0;
          store(nan);
          if (words[0] !== CANONICAL_NAN_BITS) wrong.push(-1);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('leaves every other number alone', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (x) => {
        expect(Object.is(canonical(x), x)).toBe(true);
        const floats = new Float32Array(1);
        storeCanonical(floats, 0, x);
        expect(Object.is(floats[0], x)).toBe(true);
      }),
    );
    expect(Object.is(canonical(-0), -0)).toBe(true);
  });
});

describe('bit casts', () => {
  it('know the encodings', () => {
    const known: [number, number][] = [
      [0, 0],
      [-0, 0x80000000],
      [1, 0x3f800000],
      [-2, 0xc0000000],
      [Infinity, 0x7f800000],
      [-Infinity, 0xff800000],
      [2 ** -149, 1],
      [2 ** -126, 0x00800000],
      [(2 - 2 ** -23) * 2 ** 127, 0x7f7fffff],
    ];
    for (const [x, bits] of known) {
      expect(floatBits(x)).toBe(bits);
      expect(Object.is(floatFromBits(bits), x)).toBe(true);
      expect(Object.is(floatFromBits(bits | 0), x)).toBe(true);
    }
  });

  it('invert each other except for NaN', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), (bits) => {
        const x = floatFromBits(bits);
        expect(floatBits(x)).toBe(Number.isNaN(x) ? CANONICAL_NAN_BITS : bits);
      }),
    );
    for (const bits of nanPatterns()) {
      expect(floatFromBits(bits)).toBeNaN();
      expect(floatBits(floatFromBits(bits))).toBe(CANONICAL_NAN_BITS);
    }
  });
});

describe('pseudo-maximum and minimum', () => {
  it('are the conditional expressions, zeros and NaN included', () => {
    const cases: [a: number, b: number, max: number, min: number][] = [
      [1, 2, 2, 1],
      [2, 1, 2, 1],
      [-0, 0, -0, -0],
      [0, -0, 0, 0],
      [NaN, 1, NaN, NaN],
      [1, NaN, 1, 1],
      [-Infinity, Infinity, Infinity, -Infinity],
    ];
    for (const [a, b, max, min] of cases) {
      expect(Object.is(pmax(a, b), max)).toBe(true);
      expect(Object.is(pmin(a, b), min)).toBe(true);
    }
  });
});
