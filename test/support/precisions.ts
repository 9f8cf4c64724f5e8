/** Element types that layers are computed in, and how a layer of real numbers is written in each: what passes do, by hand. */
import type { GraphBuilder } from '../../compiler/ir/builder.ts';
import { narrow } from '../../compiler/ir/ops/narrow.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { quantizationOf, quantized } from '../../runtime/numerics/element.ts';
import { toFixed16 } from '../../runtime/numerics/fixed.ts';
import type { NarrowName } from '../../runtime/numerics/narrow.ts';
import { NARROW_FORMATS } from '../../runtime/numerics/narrow.ts';
import { quantizeFloat } from '../../runtime/numerics/requantize.ts';

export interface Precision {
  readonly name: string;
  /** Element types of operands and results. */
  readonly operand: ElementType;
  readonly result: ElementType;
  /** A second operand of sums. */
  readonly other: ElementType;
  /** A real operand in the precision. */
  input(builder: GraphBuilder, value: string, to?: ElementType): string;
  weights(builder: GraphBuilder, value: Tensor): string;
  bias(builder: GraphBuilder, value: Tensor, weights: string): string;
  /** A result as f32 again. */
  output(builder: GraphBuilder, value: string): string;
}

function float(name: NarrowName): Precision {
  return {
    name,
    operand: name,
    result: name,
    other: name,
    input: (builder, value, to = name) => builder.op('cast', [value], { to }),
    weights: (builder, value) => builder.constant('w', narrow(name, value)),
    bias: (builder, value) => builder.constant('b', value),
    output: (builder, value) => builder.op('cast', [value], { to: 'f32' }),
  };
}

const fixed: Precision = {
  name: 'fx16 with a binary point for each value',
  operand: 'fx16.8',
  result: 'fx16.5',
  other: 'fx16.8',
  input: (builder, value, to = 'fx16.8') => builder.op('quantize', [value], { to }),
  weights: (builder, value) =>
    builder.constant(
      'w',
      tensor(
        tensorType('fx16.6', value.type.shape),
        Int16Array.from(floats(value), (x) => toFixed16(x, 6)),
      ),
    ),
  bias: (builder, value) =>
    builder.constant(
      'b',
      tensor(
        tensorType('i64', value.type.shape),
        BigInt64Array.from(floats(value), (x) => BigInt(Math.round(x * 2 ** 14))),
      ),
    ),
  output: (builder, value) => builder.op('dequantize', [value]),
};

/** 8-bit integers, weights with one scale, or with one for each index of their last dimension. */
function quantizedTo(name: string, weightsOf: (channels: number, axis: number) => ElementType): Precision {
  const operand = quantized({ scales: [0.0625], zeroPoint: -3 });
  return {
    name,
    operand,
    result: quantized({ scales: [Math.fround(0.7)], zeroPoint: 5 }),
    other: quantized({ scales: [Math.fround(0.11)], zeroPoint: 17 }),
    input: (builder, value, to = operand) => builder.op('quantize', [value], { to }),
    weights(builder, value) {
      const { shape } = value.type;
      const channels = shape.at(-1) ?? 1;
      const element = weightsOf(channels, shape.length - 1);
      const { scales } = quantizationOf(element as `i8<${string}>`);
      const data = Int8Array.from(floats(value), (x, i) =>
        quantizeFloat(x, 1 / (scales[scales.length === 1 ? 0 : i % channels] ?? 1), 0, -127, 127),
      );
      return builder.constant('w', tensor(tensorType(element, shape), data));
    },
    bias(builder, value, weights) {
      const { scales } = quantizationOf(builder.type(weights).element as `i8<${string}>`);
      const data = Int32Array.from(floats(value), (x, c) => Math.round(x / (0.0625 * (scales[scales.length === 1 ? 0 : c] ?? 1))));
      return builder.constant('b', tensor(tensorType('i32', value.type.shape), data));
    },
    output: (builder, value) => builder.op('dequantize', [value]),
  };
}

export const PRECISIONS: readonly Precision[] = [
  ...(Object.keys(NARROW_FORMATS) as NarrowName[]).map(float),
  fixed,
  quantizedTo('i8 with one scale of the weights', () => quantized({ scales: [0.25], zeroPoint: 0 })),
  quantizedTo('i8 with a scale for each channel', (channels, axis) =>
    quantized({ scales: Array.from({ length: channels }, (_, c) => Math.fround(0.125 + 0.05 * c)), zeroPoint: 0, axis }),
  ),
];
