/**
 * Floats narrower than binary32: IEEE binary16, bfloat16 (binary32 without its low 16 bits) and the two 8-bit floats of the OCP specification (OFP8,
 * revision 1.0). Each of their numbers is a binary32 number, so arithmetic widens them, computes in binary32 and rounds once.
 */

interface Format {
  readonly bits: 8 | 16;
  readonly fractionBits: number;
  /** Exponent of the least normal number. */
  readonly leastExponent: number;
  /** Bits of the greatest finite number. */
  readonly greatest: number;
  /** What larger numbers become: infinity, or the greatest finite one. */
  readonly overflow: number;
  /** Bits of every NaN that a conversion makes. */
  readonly nan: number;
}

export const NARROW_FORMATS = {
  f16: { bits: 16, fractionBits: 10, leastExponent: -14, greatest: 0x7bff, overflow: 0x7c00, nan: 0x7e00 },
  bf16: { bits: 16, fractionBits: 7, leastExponent: -126, greatest: 0x7f7f, overflow: 0x7f80, nan: 0x7fc0 },
  f8e4m3: { bits: 8, fractionBits: 3, leastExponent: -6, greatest: 0x7e, overflow: 0x7e, nan: 0x7f },
  f8e5m2: { bits: 8, fractionBits: 2, leastExponent: -14, greatest: 0x7b, overflow: 0x7b, nan: 0x7f },
} as const satisfies Readonly<Record<string, Format>>;

export type NarrowName = keyof typeof NARROW_FORMATS;

export function isNarrow(name: string): name is NarrowName {
  return Object.hasOwn(NARROW_FORMATS, name);
}

const cast = new DataView(new ArrayBuffer(4));

/** Exponent of the leading bit of a positive finite binary32 number that is not subnormal in the formats here; below, anything less than theirs. */
function exponentOf(magnitude: number): number {
  cast.setFloat32(0, magnitude);
  return (cast.getUint32(0) >>> 23) - 127;
}

/**
 * The bits of the number of a format that is nearest to a binary32 number, ties to the even one; -0 keeps its sign. Overflow gives infinity in
 * binary16 and bfloat16 and the greatest number in the 8-bit floats, as ONNX's saturating Cast does; so does infinity. A NaN gives the one NaN.
 */
export function toNarrow(name: NarrowName, x: number): number {
  const { bits, fractionBits, leastExponent, greatest, overflow, nan }: Format = NARROW_FORMATS[name];
  if (x !== x) return nan;
  const sign = x < 0 || Object.is(x, -0) ? 1 << (bits - 1) : 0;
  const magnitude = Math.abs(x);
  if (magnitude === Infinity) return sign | overflow;
  const exponent = Math.max(leastExponent, exponentOf(magnitude));
  // Exact, because a double holds what a power of two makes of a binary32 number.
  const scaled = magnitude * 2 ** (fractionBits - exponent);
  const low = Math.floor(scaled);
  const rest = scaled - low;
  const fraction = rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
  // The leading bit of a normal fraction counts the exponent up by one, and so does a carry.
  const encoded = (exponent - leastExponent) * 2 ** fractionBits + fraction;
  return sign | (encoded > greatest ? overflow : encoded);
}

/** The number that bits of a format encode; all its NaN bits give a NaN. */
export function fromNarrow(name: NarrowName, encoded: number): number {
  return valuesOf(name)[encoded] as number;
}

const values = new Map<NarrowName, Float32Array>();

/** The numbers of a format by their bits. */
export function valuesOf(name: NarrowName): Float32Array {
  let known = values.get(name);
  if (!known) values.set(name, (known = Float32Array.from({ length: 2 ** NARROW_FORMATS[name].bits }, (_, i) => decode(name, i))));
  return known;
}

function decode(name: NarrowName, encoded: number): number {
  const { bits, fractionBits, leastExponent, greatest, overflow }: Format = NARROW_FORMATS[name];
  const magnitude = encoded & (2 ** (bits - 1) - 1);
  const sign = encoded === magnitude ? 1 : -1;
  // Infinity stands behind the greatest number where there is one, also in f8e5m2, which no conversion gives.
  if (magnitude > greatest) return magnitude === greatest + 1 && (overflow > greatest || name === 'f8e5m2') ? sign * Infinity : NaN;
  const field = magnitude >> fractionBits;
  const fraction = magnitude % 2 ** fractionBits;
  return sign * (field === 0 ? fraction : fraction + 2 ** fractionBits) * 2 ** (Math.max(1, field) - 1 + leastExponent - fractionBits);
}

/** `toNarrow` of each element. */
export function narrowed(name: NarrowName, x: Float32Array): Uint16Array | Uint8Array {
  const result = NARROW_FORMATS[name].bits === 8 ? new Uint8Array(x.length) : new Uint16Array(x.length);
  for (let i = 0; i < x.length; i++) result[i] = toNarrow(name, x[i] as number);
  return result;
}

/** `fromNarrow` of each element. */
export function widened(name: NarrowName, encoded: Uint16Array | Uint8Array): Float32Array {
  const table = valuesOf(name);
  const result = new Float32Array(encoded.length);
  for (let i = 0; i < result.length; i++) result[i] = table[encoded[i] as number] as number;
  return result;
}
