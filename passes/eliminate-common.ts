import { tensorFingerprint, tensorHash } from '../compiler/ir/content-hash.ts';
import type { ConstantNode, Graph, Node, OpNode } from '../compiler/ir/graph.ts';
import { hasTrait } from '../compiler/ir/ops.ts';
import { printType } from '../compiler/ir/types.ts';
import type { PassContext } from './pass.ts';
import { pass } from './pass.ts';

export const eliminateCommon = pass({
  name: 'eliminate-common',
  doc: 'Computes a value once that several operations compute from the same operands, and keeps one of several constants of the same bits.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {},
  idempotent: true,
  run: (graph, _params, context) => merge(graph, context),
});

/** Keeps the first of equal nodes; users and outputs of the others read that one. */
function merge(graph: Graph, context: PassContext): Graph {
  const constantKey = constantKeys(graph);
  const firstOf = new Map<string, string>();
  const replacedBy = new Map<string, string>();
  const kept = new Map<string, Node>();
  const current = (name: string): string => replacedBy.get(name) ?? name;

  for (const original of graph.nodes) {
    const node = original.kind === 'op' ? withInputs(original, original.inputs.map(current)) : original;
    const key = node.kind === 'op' ? operationKey(node) : node.kind === 'constant' ? constantKey(node) : undefined;
    const first = key === undefined ? undefined : kept.get(firstOf.get(key) ?? '');
    if (key !== undefined && first && context.allow(`merge-${node.kind}`, node.name)) {
      context.count(`merged ${node.kind}s`);
      replacedBy.set(node.name, first.name);
      if (first.kind === 'op' && node.kind === 'op')
        kept.set(first.name, { ...first, origin: [...new Set([...first.origin, ...node.origin])] });
      continue;
    }
    if (key !== undefined && !first) firstOf.set(key, node.name);
    kept.set(node.name, node);
  }
  if (replacedBy.size === 0) return graph;
  return graph.with({ nodes: [...kept.values()], outputs: graph.outputs.map((output) => ({ ...output, value: current(output.value) })) });
}

function withInputs(node: OpNode, inputs: readonly string[]): OpNode {
  return inputs.every((input, i) => input === node.inputs[i]) ? node : { ...node, inputs };
}

/** Equal for operations that compute the same: of op, operands (in either order where that does not matter), attributes and type. */
function operationKey({ op, inputs, attributes, type }: OpNode): string {
  const operands = hasTrait(op, 'commutative') ? inputs.toSorted() : inputs;
  const values = Object.values(attributes).map((value) => (Object.is(value, -0) ? '-0' : String(value)));
  return JSON.stringify([op, operands, values, printType(type)]);
}

/** A key by contents for constants; undefined for one that no other resembles, whose contents need no hashing. */
function constantKeys(graph: Graph): (node: ConstantNode) => string | undefined {
  const alike = new Map<string, number>();
  const resemblance = ({ type, value }: ConstantNode): string => `${printType(type)} ${tensorFingerprint(value)}`;
  for (const node of graph.nodes) if (node.kind === 'constant') alike.set(resemblance(node), (alike.get(resemblance(node)) ?? 0) + 1);
  return (node) => ((alike.get(resemblance(node)) ?? 0) > 1 ? `${printType(node.type)} ${tensorHash(node.value)}` : undefined);
}
