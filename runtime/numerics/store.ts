/** Real numbers as they are stored in an element type, and back: what the host does at the ports of a program, and what conversions mean. */
import type { ElementType, QuantizedName } from './element.ts';
import { fractionBits, isFixed, isQuantized, quantizationOf } from './element.ts';
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

/** Encodes numbers into an array of the type's width, in the order of indexes where one is given. */
export function encodeInto(to: Int8Array | Int16Array, element: ElementType, numbers: ArrayLike<number>, order?: Uint32Array): void {
  const count = numbers.length;
  if (isQuantized(element)) {
    // Twice as fast as by a function that is a variable.
    const { inverse, zeroPoint } = inverseScaleOf(element);
    if (order === undefined)
      for (let i = 0; i < count; i++) to[i] = quantizeFloat(numbers[i] as number, inverse, zeroPoint, I8_MIN, I8_MAX);
    else for (let i = 0; i < count; i++) to[i] = quantizeFloat(numbers[order[i] as number] as number, inverse, zeroPoint, I8_MIN, I8_MAX);
  } else {
    const encode = encoderOf(element);
    if (order === undefined) for (let i = 0; i < count; i++) to[i] = encode(numbers[i] as number);
    else for (let i = 0; i < count; i++) to[i] = encode(numbers[order[i] as number] as number);
  }
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
