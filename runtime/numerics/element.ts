/**
 * Element types: the scalars that tensors, scratchpads and instructions are made of.
 * This module imports nothing; the ISA and the IR both build on it.
 */

/** Scalars without parameters. `bits` is the storage width of one element. */
export const SCALARS = {
  f32: { bits: 32, kind: 'float', doc: 'IEEE 754 binary32' },
  f16: { bits: 16, kind: 'float', doc: 'IEEE 754 binary16' },
  bf16: { bits: 16, kind: 'float', doc: 'bfloat16: binary32 with the low 16 bits dropped' },
  f8e4m3: { bits: 8, kind: 'float', doc: 'OCP 8-bit float, 4 exponent and 3 mantissa bits' },
  f8e5m2: { bits: 8, kind: 'float', doc: 'OCP 8-bit float, 5 exponent and 2 mantissa bits' },
  i64: { bits: 64, kind: 'integer', doc: 'signed 64-bit integer' },
  i32: { bits: 32, kind: 'integer', doc: 'signed 32-bit integer' },
  i16: { bits: 16, kind: 'integer', doc: 'signed 16-bit integer' },
  i8: { bits: 8, kind: 'integer', doc: 'signed 8-bit integer' },
  u8: { bits: 8, kind: 'integer', doc: 'unsigned 8-bit integer' },
  i4: { bits: 4, kind: 'integer', doc: 'signed 4-bit integer, rows padded to bytes' },
  u4: { bits: 4, kind: 'integer', doc: 'unsigned 4-bit integer, rows padded to bytes' },
  i1: { bits: 1, kind: 'integer', doc: 'boolean' },
} as const satisfies Record<string, { bits: number; kind: 'float' | 'integer'; doc: string }>;

export type ScalarName = keyof typeof SCALARS;

/** 16-bit two's-complement fixed point; `fx16.F` has F fraction bits, so its value is the integer divided by 2^F. */
export type FixedName = `fx16.${number}`;

export type ElementType = ScalarName | FixedName;

const FIXED = /^fx16\.(\d|1[0-5])$/;

export function isFixed(type: ElementType): type is FixedName {
  return type.startsWith('fx16.');
}

/** Number of fraction bits, 0 to 15, of a fixed-point type. */
export function fractionBits(type: FixedName): number {
  return Number(type.slice(5));
}

export function fixed16(fraction: number): FixedName {
  if (!Number.isInteger(fraction) || fraction < 0 || fraction > 15)
    throw new RangeError(`fixed point needs 0 to 15 fraction bits, not ${fraction}`);
  return `fx16.${fraction}`;
}

/** The element type that `text` spells, or undefined. */
export function parseElementType(text: string): ElementType | undefined {
  if (Object.hasOwn(SCALARS, text)) return text as ScalarName;
  return FIXED.test(text) ? (text as FixedName) : undefined;
}

/** Storage bits of one element. */
export function elementBits(type: ElementType): number {
  return isFixed(type) ? 16 : SCALARS[type].bits;
}

/** Bytes of `count` consecutive elements; types narrower than a byte are padded to whole bytes. */
export function elementBytes(type: ElementType, count = 1): number {
  return Math.ceil((elementBits(type) * count) / 8);
}
