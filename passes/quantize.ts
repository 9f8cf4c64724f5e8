import type { QuantizedName } from '../runtime/numerics/element.ts';
import type { Graph, OpNode } from '../compiler/ir/graph.ts';
import { hasTrait } from '../compiler/ir/ops.ts';
import { pass } from './pass.ts';
import type { CalibrationStatistics } from './calibration.ts';
import { needsConstantWeights } from './precision/constants.ts';
import { ValueClasses, joinFollowing, rangesOfClasses, rangesOfValues } from './precision/classes.ts';
import type { KnownRange } from './precision/classes.ts';
import { convertGraph } from './precision/convert.ts';
import { KEEP_PARAMETER, Patterns, warnOfUnused } from './precision/patterns.ts';
import { planConversion } from './precision/plan.ts';
import { quantizedType } from './precision/quantized-type.ts';
import type { RangeMethod } from './precision/ranges.ts';
import { RANGE_METHODS, chooseRange } from './precision/ranges.ts';
import { quantizedConstants } from './precision/weights.ts';

const COMPUTES = ['conv', 'gemm', 'average-pool', 'add'] as const;

export const quantize = pass({
  name: 'quantize',
  doc: 'Computes in 8-bit integers: values have one scale and zero point each, from their ranges on calibration data, weights a scale for each output channel. Sums of products are exact and requantized once, activations are clamps. What has no such form stays f32 between conversions.',
  meaning: 'lossy',
  requires: ['legal', 'unconverted'],
  establishes: ['legal', 'live'],
  params: {
    activations: {
      kind: 'enum',
      values: ['asymmetric', 'symmetric'],
      default: 'asymmetric',
      doc: 'whether values have a zero point, or ranges around zero',
    },
    weights: { kind: 'enum', values: ['channel', 'tensor'], default: 'channel', doc: 'a scale for each output channel, or one for all' },
    'per-channel': {
      kind: 'string',
      default: '',
      doc: 'with weights=tensor, operations whose weights have a scale for each output channel all the same: globs, as keep has them',
    },
    ranges: {
      kind: 'enum',
      values: RANGE_METHODS,
      default: 'mse',
      doc: 'the part of a value’s range that is covered: all of it, a percentile, the least square error, or the least divergence of distributions; graph inputs are always covered whole',
    },
    percentile: { kind: 'float', default: 99.99, minimum: 50, maximum: 100, doc: 'share of elements that ranges=percentile covers' },
    'bias-correction': { kind: 'bool', default: true, doc: 'take the mean error that rounded weights cause off the bias' },
    keep: KEEP_PARAMETER,
  },
  calibrated: true,
  run(graph, params, context) {
    const constantWeights = needsConstantWeights(graph);
    const planned = planConversion(graph, context, {
      form: 'i8',
      computes: COMPUTES,
      keep: params.keep,
      refuses: (node) => constantWeights(node) ?? refusedSum(node, graph),
    });
    if (planned.size === 0) return graph;
    const statistics = context.calibration(graph);
    const exceptions = new Patterns(params['per-channel']);
    warnOfUnused(exceptions, graph, context);
    if (params.weights === 'channel' && params['per-channel'] !== '') context.warn('per-channel has no effect without weights=tensor');
    const symmetric = params.activations === 'symmetric';
    const elementOf = valueTypes(graph, planned, statistics, {
      method: params.ranges,
      percentile: params.percentile,
      symmetric,
    });
    const constantsOf = quantizedConstants(graph, {
      perChannel: (node) => params.weights === 'channel' || exceptions.matches(node),
      ...(params['bias-correction'] && { statistics }),
    });
    return convertGraph(graph, planned, { elementOf, constantsOf, rescaling: ['add', 'average-pool'] }, context);
  },
});

function refusedSum({ op, inputs }: OpNode, graph: Graph): string | undefined {
  const [a, b] = inputs.map((input) => graph.node(input).type.shape.join());
  return op === 'add' && a !== b ? 'broadcasts an operand' : undefined;
}

interface ValueOptions {
  readonly method: RangeMethod;
  readonly percentile: number;
  readonly symmetric: boolean;
}

/** The type of each value: one for values that are handed on, and for what is concatenated. */
function valueTypes(
  graph: Graph,
  planned: ReadonlySet<string>,
  statistics: CalibrationStatistics,
  options: ValueOptions,
): (value: string) => QuantizedName {
  const rangeOf = rangesOfValues(graph, statistics, (known, value) =>
    chooseRange(known, isGiven(value, graph) ? { ...options, method: 'minmax' } : options),
  );
  const classes = new ValueClasses();
  joinFollowing(graph, planned, classes);
  joinConcatenated(graph, planned, classes, rangeOf);
  const ranges = rangesOfClasses(graph, planned, classes, rangeOf);
  const types = new Map<string, QuantizedName>();
  return (value) => {
    const root = classes.of(value);
    const known = types.get(root) ?? quantizedType(ranges.get(root) ?? { low: 0, high: 0 }, options.symmetric);
    types.set(root, known);
    return known;
  };
}

/** Inputs of the graph, and what only moves their elements: their levels are often exactly those of 8 bits. */
function isGiven(value: string, graph: Graph): boolean {
  const node = graph.node(value);
  if (node.kind !== 'op') return node.kind === 'input';
  return hasTrait(node.op, 'moving') && isGiven(node.inputs[0] ?? '', graph);
}

/** How much wider the range of a concatenation may be for an operand that others read too. */
const GREATEST_LOSS = 2;

/**
 * Operands take the type of the concatenation, so that whatever computes them requantizes straight to it. One that others read too, and whose own range
 * is much narrower, keeps its type and is requantized for the concatenation.
 */
function joinConcatenated(graph: Graph, planned: ReadonlySet<string>, classes: ValueClasses, rangeOf: KnownRange): void {
  for (const node of graph.ops) {
    if (node.op !== 'concat' || !planned.has(node.name)) continue;
    for (const input of node.inputs) {
      const readByOthers = graph.users(input).some((user) => user !== node && planned.has(user.name));
      const loss = extent(rangeOf(node.name)) / extent(rangeOf(input));
      if (!readByOthers || !(loss > GREATEST_LOSS)) classes.join(node.name, input);
    }
  }
}

function extent({ low, high }: { readonly low: number; readonly high: number }): number {
  return high - low;
}
