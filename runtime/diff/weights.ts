/** How the constant weights of a product use their type: one scale for all leaves channels of small weights few steps, which is where depthwise layers lose. */
import type { Graph } from '../../compiler/ir/graph.ts';
import { numbers } from '../../passes/contract/compare.ts';
import type { ElementType } from '../numerics/element.ts';
import { fractionBits, isFixed, isQuantized, quantizationOf } from '../numerics/element.ts';
import { FIXED_MAX } from '../numerics/fixed.ts';
import { I8_MAX } from '../numerics/requantize.ts';

/** Of the output channels the one with the least, the median and the greatest. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly greatest: number;
}

export interface WeightsView {
  /** Element type without its scales, and shape. */
  readonly type: string;
  readonly channels: number;
  /** The greatest magnitude of a channel, in real numbers. */
  readonly magnitude: Spread;
  /** Of types with a scale: whether channels have their own, and the greatest magnitude of a channel in steps of the `available` ones. */
  readonly steps?: Spread & { readonly scales: 'channel' | 'tensor'; readonly available: number };
}

/** Of the weights of a value that a product with constant weights computes; output channels are their last dimension. */
export function weightsOf(value: string, graph: Graph): WeightsView | undefined {
  const node = graph.node(value);
  if (node.kind !== 'op' || (node.op !== 'conv' && node.op !== 'gemm')) return undefined;
  const weights = graph.node(node.inputs[1] ?? '');
  if (weights.kind !== 'constant') return undefined;
  const { element, shape } = weights.type;
  const channels = shape.at(-1) ?? 1;
  const greatest = new Float64Array(channels);
  numbers(weights.value).forEach((x, i) => (greatest[i % channels] = Math.max(greatest[i % channels] as number, Math.abs(x))));
  const grid = stepsOf(element);
  return {
    type: `${isQuantized(element) ? 'i8' : element}[${shape.join(',')}]`,
    channels,
    magnitude: spread(greatest),
    ...(grid && {
      steps: {
        ...spread(greatest.map((x, c) => Math.round(x / (grid.steps[c] ?? grid.steps[0] ?? 1)))),
        scales: grid.steps.length > 1 ? 'channel' : 'tensor',
        available: grid.available,
      },
    }),
  };
}

/** The distance of two numbers of the type, or of each channel; undefined for floats. */
function stepsOf(element: ElementType): { readonly steps: readonly number[]; readonly available: number } | undefined {
  if (isFixed(element)) return { steps: [2 ** -fractionBits(element)], available: FIXED_MAX };
  return isQuantized(element) ? { steps: quantizationOf(element).scales, available: I8_MAX } : undefined;
}

function spread(values: Float64Array): Spread {
  const sorted = values.toSorted();
  return { least: sorted[0] ?? 0, median: sorted[sorted.length >> 1] ?? 0, greatest: sorted.at(-1) ?? 0 };
}
