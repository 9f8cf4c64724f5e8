/** A pass that is right everywhere but at one place, to be found. */
import type { Graph, Node } from '../../compiler/ir/graph.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import type { Pass, PassInvocation } from '../../passes/pass.ts';
import { invoke, pass } from '../../passes/pass.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { PASSES, PRESETS } from '../../passes/registry.ts';

/** Copies the weights of every convolution and product, which is exact; but those of transformation `at` lose an output channel's sign. */
export const planted = pass({
  name: 'planted',
  doc: 'A pass of the tests that is wrong at one place.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {
    at: { kind: 'int', default: 0, doc: 'the transformation that is wrong, from 0' },
    channel: { kind: 'int', default: 0, doc: 'the channel of its weights that is wrong' },
  },
  run(graph, { at, channel }, context) {
    const weights = weightsOf(graph);
    const wrong = weights[at]?.weight;
    const copies = new Map<string, Node>();
    for (const { root, weight } of weights) {
      const node = graph.node(weight);
      if (node.kind !== 'constant' || !context.allow('copy-weights', root)) continue;
      const data = floats(node.value).slice();
      // Weights of convolutions are O×I×H×W: a channel is a row. Those of products are N×K or K×N, and lose N elements of whichever.
      const row = data.length / (node.type.shape[0] ?? 1);
      if (weight === wrong) for (let i = channel * row; i < (channel + 1) * row; i++) data[i] = 4 - 3 * (data[i] ?? 0);
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

/** The passes of O1 and two more, with the planted one at a place among them. */
export function pipelineWith(place: number, at: number, channel = 0): readonly PassInvocation[] {
  const steps = parsePipeline('O1,simplify,eliminate-dead');
  return [...steps.slice(0, place), invoke(planted, { at, channel }), ...steps.slice(place)];
}
