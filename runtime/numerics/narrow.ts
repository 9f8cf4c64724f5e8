/**
 * Floats narrower than binary32: IEEE binary16, bfloat16 (binary32 without its low 16 bits) and the two 8-bit floats of the OCP specification (OFP8,
 * revision 1.0). Each of their numbers is a binary32 number, so arithmetic widens them, computes in binary32 and rounds once.
 */
import { roundTiesToEven } from './fixed.ts';
import { exponentOf } from './float.ts';

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

const cast = new Float32Array(1);
const castBits = new Uint32Array(cast.buffer);

/** The bits of infinity in binary32 without a sign; above them are those of NaN. */
const INFINITE = 0x7f800000;
const SINGLE_FRACTION_BITS = 23;
const SINGLE_BIAS = 127;

/** `toNarrow` of one format. */
function encoder({ bits, fractionBits, leastExponent, greatest, overflow, nan }: Format): (x: number) => number {
  const signBit = 1 << (bits - 1);
  const shift = SINGLE_FRACTION_BITS - fractionBits;
  const belowHalf = (1 << (shift - 1)) - 1;
  const leastNormal = (SINGLE_BIAS + leastExponent) << SINGLE_FRACTION_BITS;
  // The leading bit of a normal fraction counts the exponent up by one.
  const bias = (SINGLE_BIAS + leastExponent - 1) << fractionBits;
  const unit = 2 ** (fractionBits - leastExponent);
  return (x) => {
    cast[0] = x;
    const word = castBits[0] as number;
    const sign = word >>> 31 === 0 ? 0 : signBit;
    const magnitude = word & 0x7fffffff;
    if (magnitude >= INFINITE) return magnitude > INFINITE ? nan : sign | overflow;
    // Ties go to the even one, and a carry counts the exponent up.
    const encoded =
      magnitude < leastNormal
        ? roundTiesToEven(Math.abs(x) * unit)
        : ((magnitude + belowHalf + ((magnitude >>> shift) & 1)) >>> shift) - bias;
    return sign | (encoded > greatest ? overflow : encoded);
  };
}

const ENCODERS: Readonly<Record<NarrowName, (x: number) => number>> = {
  f16: encoder(NARROW_FORMATS.f16),
  bf16: encoder(NARROW_FORMATS.bf16),
  f8e4m3: encoder(NARROW_FORMATS.f8e4m3),
  f8e5m2: encoder(NARROW_FORMATS.f8e5m2),
};

/**
 * The bits of the number of a format that is nearest to a binary32 number, ties to the even one; -0 keeps its sign. Overflow gives infinity in
 * binary16 and bfloat16 and the greatest number in the 8-bit floats, as ONNX's saturating Cast does; so does infinity. A NaN gives the one NaN.
 */
export function toNarrow(name: NarrowName, x: number): number {
  return ENCODERS[name](x);
}

/** `toNarrow` of one format, for many numbers. */
export function narrowEncoder(name: NarrowName): (x: number) => number {
  return ENCODERS[name];
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

/** Distance from `x` to the next number of a format away from zero. */
export function narrowStep(name: NarrowName, x: number): number {
  const { fractionBits, leastExponent } = NARROW_FORMATS[name];
  return 2 ** (Math.max(leastExponent, exponentOf(x)) - fractionBits);
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
