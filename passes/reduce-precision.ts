import type { NarrowName } from '../runtime/numerics/narrow.ts';
import { NARROW_FORMATS } from '../runtime/numerics/narrow.ts';
import type { Graph } from '../compiler/ir/graph.ts';
import type { Tensor } from '../compiler/ir/tensor.ts';
import type { PassContext } from './pass.ts';
import { pass } from './pass.ts';
import { constantOf, needsConstantWeights } from './precision/constants.ts';
import { convertGraph, encoded } from './precision/convert.ts';
import { KEEP_PARAMETER } from './precision/patterns.ts';
import { planConversion } from './precision/plan.ts';

const COMPUTES = ['conv', 'gemm', 'average-pool', 'add', 'sub', 'mul', 'div'] as const;

export const reducePrecision = pass({
  name: 'reduce-precision',
  doc: 'Computes in floats narrower than f32: weights and values are rounded to them, products are summed in f32, biases stay f32. What has no narrow form stays f32 between casts.',
  meaning: 'lossy',
  requires: ['legal', 'unconverted'],
  establishes: ['legal', 'live'],
  params: {
    to: { kind: 'enum', values: Object.keys(NARROW_FORMATS), default: 'f16', doc: 'element type of values and weights' },
    keep: KEEP_PARAMETER,
  },
  run: (graph, { to, keep }, context) => narrowed(graph, to as NarrowName, keep, context),
});

function narrowed(graph: Graph, to: NarrowName, keep: string, context: PassContext): Graph {
  const refuses = needsConstantWeights(graph);
  const planned = planConversion(graph, context, { form: to, computes: COMPUTES, keep, refuses });
  const rounded = new Map<string, Tensor>();
  const weights = (name: string): Tensor => {
    const known = rounded.get(name) ?? encoded(constantOf(graph, name), to);
    rounded.set(name, known);
    return known;
  };
  return convertGraph(
    graph,
    planned,
    {
      elementOf: () => to,
      constantsOf: ({ inputs: [, w = '', bias] }) => ({
        weights: weights(w),
        bias: bias === undefined ? undefined : constantOf(graph, bias),
      }),
      rescaling: [],
    },
    context,
  );
}
