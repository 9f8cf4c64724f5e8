/** IEEE binary32 beyond what JavaScript fixes by itself: one NaN, the pseudo-maximum and minimum, bit casts. */

/** The bits of every NaN that arithmetic stores. */
export const CANONICAL_NAN_BITS = 0x7fc00000;

const cast = new DataView(new ArrayBuffer(4));

/** The bits of `x` rounded to binary32, as an unsigned number. NaN gives the canonical bits. */
export function floatBits(x: number): number {
  if (x !== x) return CANONICAL_NAN_BITS;
  cast.setFloat32(0, x);
  return cast.getUint32(0);
}

/** The binary32 number that `bits` (taken modulo 2^32) encode. All NaN bits give a NaN; JavaScript keeps no payload. */
export function floatFromBits(bits: number): number {
  cast.setUint32(0, bits);
  return cast.getFloat32(0);
}

/**
 * `x`, or the NaN whose binary32 bits are `CANONICAL_NAN_BITS`. A NaN that arithmetic made can carry a sign or a payload, which a
 * store into a Float32Array would show; hence every result passes through here.
 */
export function canonical(x: number): number {
  return x === x ? x : NaN;
}

/** `x[index] = canonical(value)`, rounded by the store; twice as fast as that in long loops. */
export function storeCanonical(x: Float32Array, index: number, value: number): void {
  if (value !== value) x[index] = NaN;
  else x[index] = value;
}

/** `a < b ? b : a`, WebAssembly's pmax: a NaN in `b` gives `a`, a NaN in `a` stays, and of equal zeros the first is kept. */
export function pmax(a: number, b: number): number {
  return a < b ? b : a;
}

/** `b < a ? b : a`, WebAssembly's pmin: a NaN in `b` gives `a`, a NaN in `a` stays, and of equal zeros the first is kept. */
export function pmin(a: number, b: number): number {
  return b < a ? b : a;
}

const wide = new DataView(new ArrayBuffer(8));

/** floor(log2 |x|) of a finite double; very small for zero. */
export function exponentOf(x: number): number {
  wide.setFloat64(0, x);
  return ((wide.getUint32(0) >>> 20) & 0x7ff) - 1023;
}
