/**
 * Arithmetic on integers that stand for real numbers: 16-bit fixed point with a binary point for each value, and quantized 8-bit integers. Sums
 * of products are exact; how a sum becomes an element is told here once, for evaluation and for lowering.
 */
import type { ElementType, FixedName, Quantization, QuantizedName } from '../../../runtime/numerics/element.ts';
import { fractionBits, isFixed, isQuantized, quantizationOf } from '../../../runtime/numerics/element.ts';
import { FIXED_MAX, FIXED_MIN, fromFixed16, roundTiesToEven, toFixed16 } from '../../../runtime/numerics/fixed.ts';
import type { Multipliers, SumScaling } from '../../../runtime/numerics/requantize.ts';
import {
  clamp,
  dequantizeInteger,
  GREATEST_FIXED_SHIFT,
  I8_MAX,
  I8_MIN,
  multipliersOf,
  requantizeFixedSum,
  requantizeSum,
  sumScaling,
} from '../../../runtime/numerics/requantize.ts';
import { OpError } from '../op.ts';
import type { Tensor, TensorData } from '../tensor.ts';
import { zeros } from '../tensor.ts';
import type { TensorType } from '../types.ts';
import { elementCount } from '../types.ts';
import type { Activation } from './activation.ts';
import { isFloat } from './operands.ts';

export type IntegerName = FixedName | QuantizedName;

export function isInteger(element: ElementType): element is IntegerName {
  return isFixed(element) || isQuantized(element);
}

/** Terms of a sum of 8-bit products that 32 bits hold whatever they are: 255 · 127 each, and as much again for the bias. */
export const QUANTIZED_MAX_DEPTH = 2 ** 15;
/** Each fixed-point product is at most 2^30 in magnitude, so that so many of them stay below 2^53. */
export const FIXED_MAX_DEPTH = 2 ** 22;

/** Scale and zero point of a type of one scale; throws `OpError` where there are several. */
export function tensorScale(element: QuantizedName, name: string): { readonly scale: number; readonly zeroPoint: number } {
  const { scales, zeroPoint, axis } = quantizationOf(element);
  if (axis !== undefined) throw new OpError(`operand ${name} must have one scale for the whole tensor`);
  return { scale: scales[0] ?? NaN, zeroPoint };
}

/** The bounds of an activation on the integers of a type, and those of the type itself. */
export function boundsOf(element: IntegerName, { activation, activation_min, activation_max }: Activation): { low: number; high: number } {
  const [least, greatest] = isFixed(element) ? [FIXED_MIN, FIXED_MAX] : [I8_MIN, I8_MAX];
  if (activation === 'none') return { low: least, high: greatest };
  const integer = (x: number): number => {
    if (isFixed(element)) return toFixed16(x, fractionBits(element));
    const { scale, zeroPoint } = tensorScale(element, 'result');
    return clamp(roundTiesToEven(x / scale) + zeroPoint, least, greatest);
  };
  return activation === 'relu' ? { low: integer(0), high: greatest } : { low: integer(activation_min), high: integer(activation_max) };
}

/** How the exact sum of products of integers, bias included, becomes an element of the result. */
export type SumEnd =
  /** 8 bits: a multiplier for each channel and a shift for all. */
  | ({ readonly kind: 'scaled'; readonly zeroPoint: number; readonly low: number; readonly high: number } & Multipliers)
  /** f32: a scale for each channel. */
  | { readonly kind: 'scales'; readonly scales: Float32Array }
  /** 16 bits: fraction bits that are rounded away. */
  | { readonly kind: 'shifted'; readonly shift: number; readonly low: number; readonly high: number }
  /** f32: fraction bits of the sum. */
  | { readonly kind: 'fraction'; readonly shift: number };

/** The real number that one unit of a sum of products, and so of its bias, stands for in each channel; 1 where `x` and `w` are floats. */
export function unitsOfSums(x: ElementType, w: ElementType, channels: number): readonly number[] {
  if (isFixed(x) && isFixed(w)) return new Array<number>(channels).fill(2 ** -(fractionBits(x) + fractionBits(w)));
  if (!isQuantized(x) || !isQuantized(w)) return new Array<number>(channels).fill(1);
  const [ofX, ofW] = [quantizationOf(x), quantizationOf(w)];
  return Array.from({ length: channels }, (_, c) => (ofX.scales[0] ?? NaN) * (ofW.scales[ofW.axis === undefined ? 0 : c] ?? NaN));
}

/** The end of sums of products of `x` and `w`. Throws `OpError` where the scales or binary points do not go together. */
export function endOfSums(x: IntegerName, w: IntegerName, result: ElementType, channels: number, activation: Activation): SumEnd {
  if (isFixed(x) && isFixed(w)) return endOfFixedSums(fractionBits(x) + fractionBits(w), result, activation);
  if (isFixed(x) || isFixed(w)) throw new OpError(`${x} and ${w} do not multiply`);
  const scales = unitsOfSums(x, w, channels);
  if (result === 'f32') {
    if (activation.activation !== 'none') throw new OpError('a product of quantized operands with an f32 result takes no activation');
    return { kind: 'scales', scales: Float32Array.from(scales) };
  }
  if (!isQuantized(result)) throw new OpError(`a product of quantized operands gives a quantized result or f32, not ${result}`);
  return endOfScaledSums(scales, result, activation);
}

/** The end of sums that are real numbers over `scales`, one for each channel. */
export function endOfScaledSums(scales: readonly number[], result: QuantizedName, activation: Activation): SumEnd & { kind: 'scaled' } {
  const { scale, zeroPoint } = tensorScale(result, 'result');
  try {
    const factors = multipliersOf(scales.map((each) => each / scale));
    return { kind: 'scaled', ...factors, zeroPoint, ...boundsOf(result, activation) };
  } catch (error) {
    if (error instanceof RangeError) throw new OpError(error.message);
    throw error;
  }
}

/** The end of fixed-point sums with so many fraction bits. */
export function endOfFixedSums(fraction: number, result: ElementType, activation: Activation): SumEnd {
  if (result === 'f32') {
    if (activation.activation !== 'none') throw new OpError('a product in fixed point with an f32 result takes no activation');
    return { kind: 'fraction', shift: fraction };
  }
  if (!isFixed(result)) throw new OpError(`a product in fixed point gives a fixed-point result or f32, not ${result}`);
  const shift = fraction - fractionBits(result);
  if (shift < 0 || shift > GREATEST_FIXED_SHIFT)
    throw new OpError(`a sum with ${fraction} fraction bits cannot be rounded to ${fractionBits(result)}`);
  return { kind: 'shifted', shift, ...boundsOf(result, activation) };
}

/** The element of a sum of one channel. */
export function endSum(end: SumEnd, sum: number, channel: number): number {
  switch (end.kind) {
    case 'scaled':
      return requantizeSum(sum, end.multipliers[channel] as number, end.shift, end.zeroPoint, end.low, end.high);
    case 'scales':
      return Math.fround(Math.fround(sum) * (end.scales[channel] as number));
    case 'shifted':
      return requantizeFixedSum(sum, end.shift, end.low, end.high);
    case 'fraction':
      return Math.fround(sum / 2 ** end.shift);
  }
}

/** Elements of `type`, channels last, from exact sums and a bias for each channel. */
export function endSums(end: SumEnd, sums: Float64Array, channels: number, bias: TensorData | undefined, type: TensorType): Tensor {
  const result = zeros(type);
  const data = result.data as Int8Array | Int16Array | Float32Array;
  const addends = Float64Array.from({ length: channels }, (_, c) => Number(bias?.[c] ?? 0));
  for (let at = 0; at < sums.length; at += channels)
    for (let c = 0; c < channels; c++) data[at + c] = endSum(end, (sums[at + c] as number) + (addends[c] as number), c);
  return result;
}

/** The integers of a tensor less their zero point: real numbers over the scale. */
export function centred({ type: { element }, data }: Tensor): Float64Array {
  const zero = isQuantized(element) ? quantizationOf(element).zeroPoint : 0;
  return Float64Array.from(data as Int8Array | Int16Array, (q) => q - zero);
}

/** The real numbers, in binary32, of the elements of a tensor of integers; of a scale for each index along a dimension too. */
export function realNumbers({ type: { element, shape }, data }: Tensor): Float32Array {
  const integers = data as Int8Array | Int16Array;
  if (isFixed(element)) return Float32Array.from(integers, (q) => fromFixed16(q, fractionBits(element)));
  if (!isQuantized(element)) throw new TypeError(`${element} does not stand for real numbers`);
  const { scales, zeroPoint, axis } = quantizationOf(element);
  const inner = axis === undefined ? 1 : elementCount(shape.slice(axis + 1));
  return Float32Array.from(integers, (q, i) => dequantizeInteger(q, scales[Math.floor(i / inner) % scales.length] ?? NaN, zeroPoint));
}

/** How elements of two quantized types are added to a third. Throws `OpError` where the scales are too far apart. */
export function sumScalingOf(a: QuantizedName, b: QuantizedName, result: QuantizedName): SumScaling {
  const [of, other, sum] = [tensorScale(a, 'a'), tensorScale(b, 'b'), tensorScale(result, 'result')];
  try {
    return sumScaling(of.scale / sum.scale, other.scale / sum.scale, of.zeroPoint, other.zeroPoint, sum.zeroPoint);
  } catch (error) {
    if (error instanceof RangeError) throw new OpError(error.message);
    throw error;
  }
}

/** How elements of one quantized type become those of another: half of a sum. */
export function rescaling(from: QuantizedName, to: QuantizedName): SumScaling {
  const [of, result] = [tensorScale(from, 'x'), tensorScale(to, 'result')];
  try {
    return sumScaling(of.scale / result.scale, 0, of.zeroPoint, 0, result.zeroPoint);
  } catch (error) {
    if (error instanceof RangeError) throw new OpError(error.message);
    throw error;
  }
}

/** Which operands a product takes and what it gives. `channels` index dimension `axis` of the weights, `depth` terms are summed. */
export interface ProductForm {
  readonly channels: number;
  readonly axis: number;
  readonly depth: number;
}

/** The element type of a product; throws `OpError` where operands, bias and result do not go together. */
export function productElement(
  x: TensorType,
  w: TensorType,
  bias: TensorType | undefined,
  wanted: ElementType | 'same',
  activation: Activation,
  { channels, axis, depth }: ProductForm,
): ElementType {
  const result = wanted === 'same' ? x.element : wanted;
  const needs = (what: TensorType, element: ElementType, name: string): void => {
    if (what.element !== element) throw new OpError(`operand ${name} must be ${element}, not ${what.element}`);
  };
  if (isFloat(x.element)) {
    needs(w, x.element, 'w');
    if (bias) needs(bias, 'f32', 'bias');
    if (result !== 'f32' && result !== x.element) throw new OpError(`a product of ${x.element} gives ${x.element} or f32, not ${result}`);
    return result;
  }
  if (!isInteger(x.element)) throw new OpError(`operand x must be a float, fx16 or quantized, not ${x.element}`);
  if (isFixed(x.element) ? !isFixed(w.element) : !isQuantized(w.element))
    throw new OpError(`${x.element} and ${w.element} do not multiply`);
  if (bias) needs(bias, isFixed(x.element) ? 'i64' : 'i32', 'bias');
  if (isQuantized(x.element)) tensorScale(x.element, 'x');
  if (isQuantized(w.element)) requireWeights(quantizationOf(w.element), channels, axis);
  const most = isFixed(x.element) ? FIXED_MAX_DEPTH : QUANTIZED_MAX_DEPTH;
  if (depth > most) throw new OpError(`a product of ${isFixed(x.element) ? 'fx16' : 'i8'} sums at most ${most} terms, not ${depth}`);
  endOfSums(x.element, w.element as IntegerName, result, channels, activation);
  return result;
}

function requireWeights({ scales, zeroPoint, axis: own }: Quantization, channels: number, axis: number): void {
  if (zeroPoint !== 0) throw new OpError(`quantized weights have the zero point 0, not ${zeroPoint}`);
  if (own !== undefined && (own !== axis || scales.length !== channels))
    throw new OpError(`quantized weights have one scale, or ${channels} along dimension ${axis}, not ${scales.length} along ${own}`);
}
