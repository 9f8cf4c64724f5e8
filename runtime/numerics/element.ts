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

/**
 * 8-bit integers that stand for real numbers, real = scale · (integer − zero point): `i8<0.05>`, `i8<0.05,-3>`, or with a scale for each index along
 * a dimension `i8<axis=3:0.1 0.2>`. Scales are binary32 numbers in their shortest text, so that equal types have equal names.
 */
export type QuantizedName = `i8<${string}>`;

export type ElementType = ScalarName | FixedName | QuantizedName;

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

/** What a quantized type means. */
export interface Quantization {
  /** One, or one for each index along `axis`; positive binary32 numbers. */
  readonly scales: readonly number[];
  /** The integer that stands for zero; 0 where there is an axis. */
  readonly zeroPoint: number;
  readonly axis?: number;
}

export function isQuantized(type: ElementType): type is QuantizedName {
  return type.startsWith('i8<');
}

/** The name of a quantized type. Throws a RangeError for scales that are no positive binary32 numbers and zero points beyond 8 bits. */
export function quantized({ scales, zeroPoint, axis }: Quantization): QuantizedName {
  const [scale = NaN] = scales;
  if (!scales.every((each) => each > 0 && each < Infinity && Math.fround(each) === each))
    throw new RangeError('scales of a quantized type are positive binary32 numbers');
  if (!Number.isInteger(zeroPoint) || zeroPoint < -128 || zeroPoint > 127) throw new RangeError(`${zeroPoint} is no 8-bit zero point`);
  if (axis === undefined) return zeroPoint === 0 ? `i8<${shortest(scale)}>` : `i8<${shortest(scale)},${zeroPoint}>`;
  if (zeroPoint !== 0) throw new RangeError('a quantized type with an axis has no zero point');
  return `i8<axis=${axis}:${scales.map(shortest).join(' ')}>`;
}

/** Shortest decimal of a binary32 number. */
function shortest(x: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(x.toPrecision(digits));
    if (Math.fround(candidate) === x) return String(candidate);
  }
  return String(Number(x.toPrecision(9)));
}

/** Characters that an element type's text has at most: enough for a scale for each of 2^16 channels. */
export const MAX_ELEMENT_TEXT = 2 ** 20;

const TENSOR_SCALE = /^i8<([\d.e+-]+)(?:,(-?\d{1,3}))?>$/;
const CHANNEL_SCALES = /^i8<axis=(\d{1,2}):([\d.e+ -]+)>$/;

const quantizations = new Map<string, Quantization | undefined>();
/** More types than a program has; beyond them the cache starts anew. */
const MOST_CACHED = 4096;

/** The meaning of a quantized type's name, or undefined where the text is none in its one form. */
function parseQuantization(text: string): Quantization | undefined {
  if (quantizations.has(text)) return quantizations.get(text);
  const found = readQuantization(text);
  if (quantizations.size >= MOST_CACHED) quantizations.clear();
  quantizations.set(text, found);
  return found;
}

function readQuantization(text: string): Quantization | undefined {
  const whole = TENSOR_SCALE.exec(text);
  const channels = whole ? null : CHANNEL_SCALES.exec(text);
  const scales = (whole?.[1] ?? channels?.[2] ?? '').split(' ').map((each) => Math.fround(Number(each)));
  const quantization: Quantization = {
    scales,
    zeroPoint: Number(whole?.[2] ?? 0),
    ...(channels && { axis: Number(channels[1]) }),
  };
  try {
    return (whole ?? channels) && quantized(quantization) === text ? quantization : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What a quantized type means. Throws a RangeError for a text that is none. */
export function quantizationOf(type: QuantizedName): Quantization {
  const quantization = parseQuantization(type);
  if (!quantization) throw new RangeError(`${type.slice(0, 60)} is no quantized type`);
  return quantization;
}

/** The element type that `text` spells, or undefined. */
export function parseElementType(text: string): ElementType | undefined {
  if (Object.hasOwn(SCALARS, text)) return text as ScalarName;
  if (FIXED.test(text)) return text as FixedName;
  if (!text.startsWith('i8<') || text.length > MAX_ELEMENT_TEXT) return undefined;
  return parseQuantization(text) ? (text as QuantizedName) : undefined;
}

/** Storage bits of one element. */
export function elementBits(type: ElementType): number {
  if (isFixed(type)) return 16;
  return isQuantized(type) ? 8 : SCALARS[type].bits;
}

/** Bytes of `count` consecutive elements; types narrower than a byte are padded to whole bytes. */
export function elementBytes(type: ElementType, count = 1): number {
  return Math.ceil((elementBits(type) * count) / 8);
}
