/** The seeded generator behind random vectors: xorshift32 (Marsaglia, "Xorshift RNGs", 2003), the triple 13, 17, 5. */

/** State after a reset, unless a seed is given. */
export const DEFAULT_SEED = 0x9e3779b9;

/** The next state of a nonzero unsigned 32-bit state; the period is 2^32 - 1. */
export function xorshift32(state: number): number {
  let x = state ^ (state << 13);
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
}

/** A float in [0, 1) from a state: its upper bits, as many as the significand of the format has, so that it is exact. */
export function uniformFloat(state: number, significandBits: number): number {
  return (state >>> (32 - significandBits)) * 2 ** -significandBits;
}

/** A binary32 number in [0, 1) from a state: its upper 24 bits. */
export function uniformF32(state: number): number {
  return uniformFloat(state, 24);
}

/** A fixed-point number in [0, 1) from a state: its upper `fraction` bits as a raw integer. */
export function uniformFixed(state: number, fraction: number): number {
  return fraction === 0 ? 0 : state >>> (32 - fraction);
}
