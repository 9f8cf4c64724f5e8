/** A pass that is right everywhere but at one place, to be found. */
import type { Graph, Node } from '../../compiler/ir/graph.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { Pass, PassInvocation } from '../../passes/pass.ts';
import { invoke, pass } from '../../passes/pass.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { PASSES, PRESETS } from '../../passes/registry.ts';

/** Copies the weights of every convolution and product, which is exact; but of those of one value a row, mostly an output channel, goes wrong. */
export const planted = pass({
  name: 'planted',
  doc: 'A pass of the tests that is wrong at one place.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {
    value: { kind: 'string', default: '', doc: 'the value whose weights go wrong' },
    channel: { kind: 'int', default: 0, doc: 'the row of the weights that does' },
  },
  run(graph, { value, channel }, context) {
    const copies = new Map<string, Node>();
    for (const { root, weight } of weightsOf(graph)) {
      const node = graph.node(weight);
      if (node.kind !== 'constant' || !context.allow('copy-weights', root)) continue;
      const data = floats(node.value).slice();
      const row = data.length / (node.type.shape[0] ?? 1);
      if (root === value) for (let i = channel * row; i < (channel + 1) * row; i++) data[i] = 4 - 3 * (data[i] ?? 0);
      copies.set(weight, { ...node, value: { type: node.type, data } });
    }
    return copies.size === 0 ? graph : graph.with({ nodes: graph.nodes.map((node) => copies.get(node.name) ?? node) });
  },
});

/** Wrong only where its first and its third transformation are both made. */
export const twoWrong: Pass = pass({
  ...planted,
  name: 'two-wrong',
  run(graph, params, context) {
    const allowed = weightsOf(graph).map(({ root }) => context.allow('copy-weights', root));
    return allowed[0] && allowed[2] ? planted.run(graph, params, { ...context, allow: () => true }) : graph;
  },
});

/** The convolutions and products of a graph, and their weights. */
export function weightsOf(graph: Graph): readonly { readonly root: string; readonly weight: string }[] {
  return graph.ops.flatMap(({ name, op, inputs: [, weight = ''] }) =>
    (op === 'conv' || op === 'gemm') && graph.find(weight)?.kind === 'constant' ? [{ root: name, weight }] : [],
  );
}

export const VOCABULARY = { passes: { ...PASSES, planted: planted as Pass }, presets: PRESETS };

/** The passes of O1 and two more, with a pass of the tests at a place among them, wrong at the transformation `at` (from 0) that it makes there, or nowhere. */
export function pipelineWith(model: Graph, place: number, at: number | undefined, channel = 0): readonly PassInvocation[] {
  const steps = parsePipeline('O1,simplify,eliminate-dead');
  const found = weightsOf(runPipeline(model, steps.slice(0, place)).graph);
  const value = at === undefined ? '' : (found[at]?.root ?? '');
  return [...steps.slice(0, place), invoke(planted, { value, channel }), ...steps.slice(place)];
}
