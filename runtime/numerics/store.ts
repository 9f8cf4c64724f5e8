/** Real numbers as they are stored in an element type, and back: what the host does at the ports of a program, and what conversions mean. */
import type { ElementType, QuantizedName } from './element.ts';
import { elementBits, fractionBits, isFixed, isQuantized, quantizationOf } from './element.ts';
import { fromFixed16, toFixed16 } from './fixed.ts';
import { fromNarrow, isNarrow, narrowEncoder } from './narrow.ts';
import { dequantizeInteger, I8_MAX, I8_MIN, quantizeFloat } from './requantize.ts';

/**
 * From a binary32 number to what an array of the type's width holds: itself, the bits of a narrow float, or the nearest integer, saturated. A quantized
 * type has one scale. Throws a TypeError for types that do not stand for real numbers.
 */
export function encoderOf(element: ElementType): (x: number) => number {
  if (element === 'f32') return (x) => x;
  if (isNarrow(element)) return narrowEncoder(element);
  if (isFixed(element)) {
    const fraction = fractionBits(element);
    return (x) => toFixed16(x, fraction);
  }
  if (isQuantized(element)) {
    const { inverse, zeroPoint } = inverseScaleOf(element);
    return (x) => quantizeFloat(x, inverse, zeroPoint, I8_MIN, I8_MAX);
  }
  throw new TypeError(`${element} does not stand for real numbers`);
}

/** Encodes numbers into an array of the type's width. */
export function encodeInto(to: Float32Array | Int8Array | Int16Array, element: ElementType, numbers: Float32Array): void {
  const count = numbers.length;
  if (element === 'f32') to.set(numbers);
  else if (isQuantized(element)) {
    // Twice as fast as by a function that is a variable.
    const { inverse, zeroPoint } = inverseScaleOf(element);
    for (let i = 0; i < count; i++) to[i] = quantizeFloat(numbers[i] as number, inverse, zeroPoint, I8_MIN, I8_MAX);
  } else if (isFixed(element)) {
    const fraction = fractionBits(element);
    for (let i = 0; i < count; i++) to[i] = toFixed16(numbers[i] as number, fraction);
  } else {
    const encode = encoderOf(element);
    for (let i = 0; i < count; i++) to[i] = encode(numbers[i] as number);
  }
}

/** Decodes what is stored into numbers. */
export function decodeInto(numbers: Float32Array, element: ElementType, stored: Float32Array | Int8Array | Int16Array): void {
  if (element === 'f32') {
    numbers.set(stored);
    return;
  }
  const table = decodings(element);
  const mask = table.length - 1;
  const count = numbers.length;
  for (let i = 0; i < count; i++) numbers[i] = table[(stored[i] as number) & mask] as number;
}

const tables = new Map<ElementType, Float32Array>();
/** More types than a program has; beyond them the tables are made anew. */
const MOST_TABLES = 64;

/** The numbers that all integers of a type's width stand for; those that are negative as signed integers come last. */
function decodings(element: ElementType): Float32Array {
  const known = tables.get(element);
  if (known) return known;
  const bits = elementBits(element);
  const decode = decoderOf(element);
  const table = Float32Array.from({ length: 2 ** bits }, (_, i) => decode((i << (32 - bits)) >> (32 - bits)));
  if (tables.size >= MOST_TABLES) tables.clear();
  tables.set(element, table);
  return table;
}

/** What `quantizeFloat` multiplies with for a type of one scale, and its zero point. */
export function inverseScaleOf(element: QuantizedName): { readonly inverse: number; readonly zeroPoint: number } {
  const { scales, zeroPoint } = quantizationOf(element);
  return { inverse: Math.fround(1 / (scales[0] ?? NaN)), zeroPoint };
}

/** From what is stored to the binary32 number that it stands for. */
export function decoderOf(element: ElementType): (stored: number) => number {
  if (element === 'f32') return (x) => x;
  // An array of signed integers may hold the bits.
  if (isNarrow(element)) {
    const mask = element === 'f16' || element === 'bf16' ? 0xffff : 0xff;
    return (bits) => fromNarrow(element, bits & mask);
  }
  if (isFixed(element)) {
    const fraction = fractionBits(element);
    return (q) => fromFixed16(q, fraction);
  }
  if (isQuantized(element)) {
    const { scales, zeroPoint } = quantizationOf(element);
    const scale = scales[0] ?? NaN;
    return (q) => dequantizeInteger(q, scale, zeroPoint);
  }
  throw new TypeError(`${element} does not stand for real numbers`);
}
