/** Parts of graphs, with the values that they are cut off from as inputs. */
import type { Graph, GraphOutput, Node } from '../../compiler/ir/graph.ts';
import { uniqueName } from '../../compiler/ir/names.ts';

/**
 * The part of a graph that computes the values of some ops. What they read of others becomes an input under its name. Outputs are those of the
 * graph that are left, in their order, and then the values that nothing else in the part reads. Undefined for a part without ops.
 */
export function subgraph(graph: Graph, ops: ReadonlySet<string>): Graph | undefined {
  const kept = graph.ops.filter(({ name }) => ops.has(name));
  if (kept.length === 0) return undefined;
  const read = new Set(kept.flatMap(({ inputs }) => inputs));
  const nodes = graph.nodes.flatMap((node): Node[] => {
    if (ops.has(node.name)) return [node];
    if (!read.has(node.name)) return [];
    return [node.kind === 'constant' ? node : { kind: 'input', name: node.name, type: node.type }];
  });
  const outputs: GraphOutput[] = graph.outputs.filter(({ value }) => ops.has(value));
  for (const { name } of kept) {
    if (read.has(name) || outputs.some(({ value }) => value === name)) continue;
    outputs.push({ name: uniqueName(name, (taken) => outputs.some((output) => output.name === taken)), value: name });
  }
  return graph.with({ nodes, outputs });
}
