/** Weights and biases of quantized products. */
import type { ElementType, QuantizedName } from '../../runtime/numerics/element.ts';
import { quantizationOf, quantized } from '../../runtime/numerics/element.ts';
import { roundTiesToEven } from '../../runtime/numerics/fixed.ts';
import { I8_MAX, clamp } from '../../runtime/numerics/requantize.ts';
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import type { CalibrationStatistics } from '../calibration.ts';
import { biasOf, constantOf } from './constants.ts';
import type { ProductConstants } from './convert.ts';
import { scaleOf } from './quantized-type.ts';

export interface WeightOptions {
  /** Whether each output channel of a product has a scale. */
  readonly perChannel: (node: OpNode) => boolean;
  /** Given where biases are corrected. */
  readonly statistics?: CalibrationStatistics;
}

/** A bias takes half of what 32 bits hold; products of 8 bits take the other half. */
const BIAS_LIMIT = 2 ** 30;
/** Channels share one shift, so that a scale that is much less than the greatest would leave no bits of its multiplier. */
const LEAST_SHARE = 2 ** -16;

/** Symmetric weights, and the bias in units of the products. */
export function quantizedConstants(graph: Graph, options: WeightOptions): (node: OpNode, x: ElementType) => ProductConstants {
  const converted = new Map<string, Tensor>();
  return (node, element) => {
    const [x = '', w = '', c] = node.inputs;
    const weights = constantOf(graph, w);
    const channels = weights.type.shape.at(-1) ?? 1;
    const perChannel = options.perChannel(node);
    const bias = biasOf(graph, node, channels);
    const [scale = 1] = quantizationOf(element as QuantizedName).scales;
    const scales = scalesOf(floats(weights), channels, bias, scale, perChannel);
    const integers = Int8Array.from(floats(weights), (value, i) => integerOf(value, scales[i % channels] ?? 1));
    const means = options.statistics?.get(x)?.means;
    if (means) correct(bias, node, weights, integers, scales, means);
    const of = perChannel
      ? quantized({ scales, zeroPoint: 0, axis: weights.type.shape.length - 1 })
      : quantized({ scales: scales.slice(0, 1), zeroPoint: 0 });
    const units = Int32Array.from(bias, (b, i) => clamp(roundTiesToEven(b / (scale * (scales[i] ?? 1))), -(2 ** 31), 2 ** 31 - 1));
    const key = `${w} ${of}`;
    const shared = converted.get(key) ?? tensor(tensorType(of, weights.type.shape), integers);
    converted.set(key, shared);
    return {
      weights: shared,
      bias: c === undefined && units.every((unit) => unit === 0) ? undefined : tensor(tensorType('i32', [channels]), units),
    };
  };
}

function integerOf(value: number, scale: number): number {
  return clamp(roundTiesToEven(value / scale), -I8_MAX, I8_MAX) + 0;
}

/** For each channel, the last dimension, the scale with which its greatest weight is 127 and its bias is in bounds. */
function scalesOf(weights: Float32Array, channels: number, bias: Float64Array, x: number, perChannel: boolean): number[] {
  const greatest = new Float64Array(channels);
  weights.forEach((value, i) => (greatest[i % channels] = Math.max(greatest[i % channels] ?? 0, Math.abs(value))));
  const wanted = Array.from(greatest, (most, c) => Math.max(most / I8_MAX, Math.abs(bias[c] ?? 0) / (x * BIAS_LIMIT)));
  const largest = wanted.reduce((a, b) => Math.max(a, b), 0);
  return wanted.map((scale) => scaleOf(perChannel ? Math.max(scale, largest * LEAST_SHARE) : largest));
}

/** Takes what the rounding of the weights adds to the mean of each output channel off the bias. Padding is left out of account. */
function correct(
  bias: Float64Array,
  { attributes }: OpNode,
  weights: Tensor,
  integers: Int8Array,
  scales: readonly number[],
  means: readonly number[],
): void {
  const channels = bias.length;
  const inputs = weights.type.shape.at(-2) ?? 1;
  const perGroup = channels / Number(attributes.groups ?? 1);
  floats(weights).forEach((value, i) => {
    const c = i % channels;
    const input = Math.floor(c / perGroup) * inputs + (Math.floor(i / channels) % inputs);
    const error = (integers[i] as number) * (scales[c] ?? 1) - value;
    bias[c] = (bias[c] ?? 0) - error * (means[input] ?? 0);
  });
}
