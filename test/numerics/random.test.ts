import { describe, expect, it } from 'vitest';
import { DEFAULT_SEED, uniformF32, uniformFixed, xorshift32 } from '../../runtime/numerics/random.ts';

/** One step in integers modulo 2^32, from the definition. */
function reference(state: bigint): bigint {
  const mask = 2n ** 32n - 1n;
  let x = state;
  x ^= (x << 13n) & mask;
  x ^= x >> 17n;
  x ^= (x << 5n) & mask;
  return x;
}

describe('xorshift32', () => {
  it('follows its definition', () => {
    let state = DEFAULT_SEED;
    for (let i = 0; i < 10000; i++) {
      const next = xorshift32(state);
      expect(next).toBe(Number(reference(BigInt(state))));
      state = next;
    }
  });

  it('gives the published sequence', () => {
    // From state 1: 1 ^ 1 << 13 = 0x2001; >> 17 adds nothing; 0x2001 ^ 0x2001 << 5 = 0x42021.
    expect(xorshift32(1)).toBe(0x42021);
  });
});

describe('uniform numbers', () => {
  it('lie in [0, 1), use the upper bits, and fill the interval', () => {
    expect(uniformF32(0xffffffff)).toBe(1 - 2 ** -24);
    expect(uniformF32(0xff)).toBe(0);
    expect(Math.fround(uniformF32(0xffffffff))).toBe(uniformF32(0xffffffff));
    for (let f = 0; f <= 15; f++) {
      expect(uniformFixed(0xffffffff, f)).toBe(2 ** f - 1);
      expect(uniformFixed(1, f)).toBe(0);
    }
    expect(uniformFixed(0x80000000, 10)).toBe(512);
    const bins = new Array<number>(16).fill(0);
    let state = DEFAULT_SEED;
    for (let i = 0; i < 160000; i++) {
      state = xorshift32(state);
      const bin = Math.floor(uniformF32(state) * 16);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    // 10000 each; five standard deviations are 484.
    for (const count of bins) expect(Math.abs(count - 10000)).toBeLessThan(484);
  });
});
