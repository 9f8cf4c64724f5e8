/** Outputs that no op computes. */
import type { Graph } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { GraphWriter } from '../graph-writer.ts';

/** Ops whose result can stand where their operand does. */
const IN_PLACE: readonly OpName[] = ['reshape', 'flatten', 'transpose'];

/** Copies what is an output and yet an input, a constant or a view of one: outputs of a program have memory of their own. */
export function copyOutputs(graph: Graph): Graph {
  const isGiven = (name: string): boolean => {
    const node = graph.node(name);
    return node.kind !== 'op' || (IN_PLACE.includes(node.op) && isGiven(node.inputs[0] ?? ''));
  };
  const given = new Set(graph.outputs.map(({ value }) => value).filter(isGiven));
  if (given.size === 0) return graph;
  const writer = new GraphWriter(graph);
  for (const node of graph.nodes) writer.copy(node);
  const originOf = (name: string): readonly string[] => {
    const node = graph.node(name);
    return node.kind === 'op' ? node.origin : [];
  };
  const copies = new Map(
    [...given].map((value) => [value, writer.op(writer.fresh(value, 'copy'), 'identity', [value], {}, originOf(value))]),
  );
  return writer.finish(
    graph.stage,
    graph.outputs.map(({ name, value }) => ({ name, value: copies.get(value) ?? value })),
  );
}
