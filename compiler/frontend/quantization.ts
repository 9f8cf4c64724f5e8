/**
 * QuantizeLinear and DequantizeLinear. Of values that are computed, they become `quantize` and `dequantize` of a quantized type, 8 bits with one scale,
 * or of fixed point, 16 bits with a power of two;
 * of known ones, any of their forms is evaluated. Unsigned integers with a zero point z are signed ones with z - 128: the same numbers.
 */
import type { ElementType, FixedName, QuantizedName } from '../../runtime/numerics/element.ts';
import { fixed16, isFixed, isQuantized, quantized } from '../../runtime/numerics/element.ts';
import { roundTiesToEven } from '../../runtime/numerics/fixed.ts';
import { clamp } from '../../runtime/numerics/requantize.ts';
import type { Tensor } from '../ir/tensor.ts';
import { floats } from '../ir/tensor.ts';
import { elementCount, tensorType } from '../ir/types.ts';
import { ELEMENT_COST_BYTES, isInteger, store } from './arithmetic/elementwise.ts';
import type { NodeImport } from './node.ts';

/** The greatest integer of each type that a value can be quantized to, and the least. */
const RANGES: Readonly<Record<string, readonly [low: number, high: number]>> = { i8: [-128, 127], u8: [0, 255], i16: [-32768, 32767] };

/** What is added to an unsigned 8-bit integer to make it a signed one. */
const SIGN = -128;

export function quantizeLinear(node: NodeImport): string {
  const x = node.operand(0);
  if (node.type(x).element !== 'f32') node.unsupportedElement(node.type(x).element);
  const { element, unsigned } = tensorScale(node, node.constant(2, 'zero point')?.type.element ?? 'u8');
  const value = node.result('quantize', [x], { to: element });
  if (unsigned) node.markUnsigned(value);
  return value;
}

export function dequantizeLinear(node: NodeImport): string {
  const x = node.operand(0);
  const { element } = node.type(x);
  if (!isQuantized(element) && !isFixed(element))
    node.unsupported(
      'onnx/unsupported-type',
      `DequantizeLinear of ${element} is only supported of what QuantizeLinear has made, and of constants`,
    );
  const { element: wanted } = tensorScale(node, isFixed(element) ? 'i16' : node.isUnsigned(x) ? 'u8' : 'i8');
  if (element !== wanted)
    node.unsupported(
      'onnx/unsupported-scale',
      `DequantizeLinear as ${wanted} of a value that was quantized as ${element} is not supported`,
    );
  return node.result('dequantize', [x]);
}

/** The type that scale and zero point make of integers of 8 or 16 bits, which are `integers`. */
function tensorScale(node: NodeImport, integers: ElementType): { readonly element: QuantizedName | FixedName; readonly unsigned: boolean } {
  // Of matter to several scales only.
  node.skipAttributes('axis');
  if (integers !== 'i8' && integers !== 'u8' && integers !== 'i16')
    node.unsupported(
      'onnx/unsupported-type',
      `${node.operator} of ${integers} is not supported on values that are not known at compile time`,
    );
  const { scales, zeros } = scaling(node, integers);
  const [scale = NaN] = scales;
  if (scales.length !== 1)
    node.unsupported('onnx/unsupported-scale', `${node.operator} with ${scales.length} scales is only supported on constants`);
  if (!(scale > 0 && scale < Infinity)) node.invalid(`the scale must be a positive number, not ${scale}`);
  if (integers === 'i16') return { element: binaryPoint(node, scale, zeros[0] ?? 0), unsigned: false };
  const unsigned = integers === 'u8';
  return { element: quantized({ scales: [scale], zeroPoint: (zeros[0] ?? 0) + (unsigned ? SIGN : 0) }), unsigned };
}

/** Integers of 16 bits stand for real numbers where a binary point says which. */
function binaryPoint(node: NodeImport, scale: number, zero: number): FixedName {
  const fraction = -Math.log2(scale);
  if (Number.isInteger(fraction) && fraction >= 0 && fraction <= 15 && zero === 0) return fixed16(fraction);
  return node.unsupported(
    'onnx/unsupported-scale',
    `${node.operator} of i16 is only supported with the zero point 0 and a scale of 1, 1/2, 1/4, … 2^-15, not ${zero} and ${scale}`,
  );
}

interface Scaling {
  readonly scales: Float32Array;
  readonly zeros: readonly number[];
  /** Whether there is a scale for each index along a dimension, not one for all. */
  readonly perChannel: boolean;
}

/** The constant scale and zero point of a node that has `integers` on one side. */
function scaling(node: NodeImport, integers: ElementType): Scaling {
  requirePlain(node);
  const { type, data } = node.known(1);
  if (!(data instanceof Float32Array)) return node.unsupportedElement(type.element);
  const zeros = node.constant(2, 'zero point');
  if (zeros && zeros.type.element !== integers) node.invalid(`the zero point must be ${integers}, not ${zeros.type.element}`);
  if (type.shape.length > 1 || (zeros && zeros.data.length !== data.length))
    node.invalid(`scale [${type.shape.join(',')}] and zero point must be one number each, or one for each index along a dimension`);
  return { scales: data, zeros: Array.from(zeros?.data ?? new Int8Array(data.length), Number), perChannel: data.length !== 1 };
}

/** Refuses attributes that change what the operators mean. */
function requirePlain(node: NodeImport): void {
  // The axis matters only to several scales; saturation only to 8-bit floats.
  node.skipAttributes('axis', 'saturate');
  if ((node.int('block_size') ?? 0) !== 0)
    node.unsupported('onnx/unsupported-attribute', `${node.operator} with a scale for each block is not supported`);
  for (const name of ['output_dtype', 'precision'])
    if ((node.int(name) ?? 0) !== 0) node.unsupported('onnx/unsupported-attribute', `${node.operator} with ${name} is not supported`);
}

/** Scale and zero point of each element of a known tensor. */
function linear(node: NodeImport, shape: readonly number[], integers: ElementType): (i: number) => readonly [scale: number, zero: number] {
  const given = node.int('axis') ?? 1;
  const { scales, zeros, perChannel } = scaling(node, integers);
  const axis = given < 0 ? given + shape.length : given;
  if (perChannel && shape[axis] !== scales.length)
    node.invalid(`${scales.length} scales do not fit dimension ${given} of [${shape.join(',')}]`);
  const inner = perChannel ? elementCount(shape.slice(axis + 1)) : Infinity;
  return (i) => {
    const c = Math.floor(i / inner) % scales.length;
    return [scales[c] ?? NaN, zeros[c] ?? 0];
  };
}

/** Of a known tensor: the quotient rounded to nearest, ties to even, plus the zero point, saturated. */
export function quantizeKnown(node: NodeImport): Tensor {
  const x = node.known(0);
  if (x.type.element !== 'f32') node.unsupportedElement(x.type.element);
  const element = node.constant(2, 'zero point')?.type.element ?? 'u8';
  const range = RANGES[element];
  if (!range) return node.unsupportedElement(element);
  const of = linear(node, x.type.shape, element);
  const result = allocated(node, tensorType(element, x.type.shape));
  floats(x).forEach((value, i) => {
    const [scale, zero] = of(i);
    const quotient = Math.fround(value / scale);
    store(result.data, i, clamp(quotient === quotient ? roundTiesToEven(quotient) + zero : zero, ...range));
  });
  return result;
}

/** Of a known tensor: integers less the zero point, times the scale, each step rounded to f32. */
export function dequantizeKnown(node: NodeImport): Tensor {
  const x = node.known(0);
  if (!isInteger(x.type.element) || x.type.element === 'i64') node.unsupportedElement(x.type.element);
  const of = linear(node, x.type.shape, x.type.element);
  const result = allocated(node, tensorType('f32', x.type.shape));
  for (let i = 0; i < result.data.length; i++) {
    const [scale, zero] = of(i);
    store(result.data, i, Math.fround(Number(x.data[i]) - zero) * scale);
  }
  return result;
}

function allocated(node: NodeImport, type: Tensor['type']): Tensor {
  node.spend(ELEMENT_COST_BYTES * elementCount(type.shape));
  return node.allocate(type);
}
