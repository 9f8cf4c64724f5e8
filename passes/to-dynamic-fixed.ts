import type { FixedName } from '../runtime/numerics/element.ts';
import { fixed16, fractionBits } from '../runtime/numerics/element.ts';
import { FIXED_MAX, FIXED_MIN } from '../runtime/numerics/fixed.ts';
import type { Graph, OpNode } from '../compiler/ir/graph.ts';
import type { Tensor } from '../compiler/ir/tensor.ts';
import { floats, tensor } from '../compiler/ir/tensor.ts';
import { tensorType } from '../compiler/ir/types.ts';
import type { PassContext } from './pass.ts';
import { pass } from './pass.ts';
import { biasOf, constantOf, needsConstantWeights } from './precision/constants.ts';
import { ValueClasses, extremes, joinFollowing, rangesOfClasses, rangesOfValues } from './precision/classes.ts';
import { convertGraph, encoded, isProduct } from './precision/convert.ts';
import { KEEP_PARAMETER } from './precision/patterns.ts';
import { planConversion } from './precision/plan.ts';
import type { Range } from './precision/ranges.ts';

const COMPUTES = ['conv', 'gemm', 'average-pool', 'add', 'sub'] as const;
const SUMS: readonly OpNode['op'][] = ['add', 'sub', 'concat'];

export const toDynamicFixed = pass({
  name: 'to-dynamic-fixed',
  doc: 'Computes in 16-bit fixed point with a binary point for each value, from its range on calibration data. Sums of products are exact and rounded once. What has no such form stays f32 between conversions.',
  meaning: 'lossy',
  requires: ['legal', 'unconverted'],
  establishes: ['legal', 'live'],
  params: { keep: KEEP_PARAMETER },
  calibrated: true,
  run(graph, { keep }, context) {
    const refuses = needsConstantWeights(graph);
    const planned = planConversion(graph, context, { form: 'fx16', computes: COMPUTES, keep, refuses });
    return planned.size === 0 ? graph : converted(graph, planned, context);
  },
});

/** The most fraction bits with which a range fits, or as many as there are; none where it does not fit at all. */
export function fractionFor({ low, high }: Range): number {
  let fraction = 15;
  while (fraction > 0 && (high * 2 ** fraction > FIXED_MAX || low * 2 ** fraction < FIXED_MIN)) fraction--;
  return fraction;
}

function converted(graph: Graph, planned: ReadonlySet<string>, context: PassContext): Graph {
  const classes = new ValueClasses();
  joinFollowing(graph, planned, classes);
  for (const node of graph.ops)
    if (planned.has(node.name) && SUMS.includes(node.op)) for (const input of node.inputs) classes.join(node.name, input);
  const rangeOf = rangesOfValues(graph, context.calibration(graph), ({ min, max }) => ({ low: min, high: max }));
  const ranges = rangesOfClasses(graph, planned, classes, rangeOf);
  const fractions = new Map([...ranges].map(([root, range]) => [root, fractionFor(range)]));
  const weights = new Weights(graph);
  const fractionOf = (value: string): number => fractions.get(classes.of(value)) ?? 0;
  limitToSums(graph, planned, weights, fractionOf, (value, fraction) => void fractions.set(classes.of(value), fraction));
  return convertGraph(
    graph,
    planned,
    {
      elementOf: (value) => fixed16(fractionOf(value)),
      constantsOf: (node, x) => weights.constantsOf(node, x as FixedName),
      rescaling: ['average-pool'],
    },
    context,
  );
}

/** A sum of products has the fraction bits of both factors, and is never given more; that may take some from the factors of other sums. */
function limitToSums(
  graph: Graph,
  planned: ReadonlySet<string>,
  weights: Weights,
  fractionOf: (value: string) => number,
  limit: (value: string, fraction: number) => void,
): void {
  const products = graph.ops.filter((node) => planned.has(node.name) && isProduct(node));
  for (let changed = true; changed;) {
    changed = false;
    for (const {
      name,
      inputs: [x = '', w = ''],
    } of products) {
      const most = fractionOf(x) + fractionBits(weights.elementOf(w));
      if (fractionOf(name) <= most) continue;
      limit(name, most);
      changed = true;
    }
  }
}

/** Weights in fixed point, each with its own binary point. */
class Weights {
  readonly #graph: Graph;
  readonly #converted = new Map<string, Tensor>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  elementOf(name: string): FixedName {
    return this.#of(name).type.element as FixedName;
  }

  constantsOf(node: OpNode, x: FixedName): { weights: Tensor; bias: Tensor | undefined } {
    const weights = this.#of(node.inputs[1] ?? '');
    const channels = weights.type.shape.at(-1) ?? 1;
    const scale = 2 ** (fractionBits(x) + fractionBits(weights.type.element as FixedName));
    const data = BigInt64Array.from(biasOf(this.#graph, node, channels), (b) => BigInt(Math.round(b * scale)));
    return { weights, bias: node.inputs[2] === undefined ? undefined : tensor(tensorType('i64', [channels]), data) };
  }

  #of(name: string): Tensor {
    const known = this.#converted.get(name);
    if (known) return known;
    const value = constantOf(this.#graph, name);
    const made = encoded(value, fixed16(fractionFor(extremes(floats(value)))));
    this.#converted.set(name, made);
    return made;
  }
}
