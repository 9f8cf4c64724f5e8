/** What the host does where values enter and leave a program, decided in one place. */
import { equalGraphs } from '../../compiler/ir/equal.ts';
import type { Graph, Node, OpNode } from '../../compiler/ir/graph.ts';
import { hasTrait } from '../../compiler/ir/ops.ts';
import { isPortable, movesNothing, portSides } from '../../compiler/ir/ports.ts';
import { liveNodes } from '../eliminate-dead.ts';
import { GraphWriter } from '../graph-writer.ts';

/**
 * Leaves to the host as much as ports can have, and the rest to the machine; what nothing reads is dropped. What the host reads for an output is computed: an input, a constant, or a view of one,
 * is copied. The very same graph where it was decided so already.
 */
export function assignPorts(graph: Graph): Graph {
  const result = placed(withCopies(graph.with({ nodes: liveNodes(graph) })));
  return equalGraphs(result, graph) ? graph : result;
}

function placed(graph: Graph): Graph {
  const sides = portSides(graph, isPortable);
  const place = (node: Node): Node => {
    if (node.kind !== 'op' || !isPortable(node)) return node;
    const device = sides.has(node.name) ? 'host' : 'machine';
    return node.attributes.device === device ? node : { ...node, attributes: { ...node.attributes, device } };
  };
  return graph.with({ nodes: graph.nodes.map(place) });
}

/** Copies what outputs read and nothing computes. */
function withCopies(graph: Graph): Graph {
  const sides = portSides(graph, isPortable);
  const given = new Set<string>();
  const isView = (node: OpNode): boolean =>
    node.op !== 'identity' && (hasTrait(node.op, 'view') || (!sides.has(node.name) && movesNothing(node, graph)));
  for (const node of graph.nodes) {
    const isOfGiven = node.kind === 'op' && isView(node) && given.has(node.inputs[0] ?? '');
    if (node.kind !== 'op' || isOfGiven || sides.get(node.name) === 'input') given.add(node.name);
  }
  const readByHost = new Set(
    graph.ops.flatMap(({ name, inputs }) => (sides.get(name) === 'output' && given.has(inputs[0] ?? '') ? inputs : [])),
  );
  for (const { value } of graph.outputs) if (given.has(value)) readByHost.add(value);
  if (readByHost.size === 0) return graph;
  const writer = new GraphWriter(graph);
  const copies = new Map<string, string>();
  for (const node of graph.nodes) {
    const [operand = ''] = node.kind === 'op' ? node.inputs : [];
    const copy = sides.get(node.name) === 'output' ? copies.get(operand) : undefined;
    writer.copy(node.kind === 'op' && copy !== undefined ? { ...node, inputs: [copy] } : node);
    if (!readByHost.has(node.name)) continue;
    const origin = node.kind === 'op' ? node.origin : [];
    copies.set(node.name, writer.op(writer.fresh(node.name, 'copy'), 'identity', [node.name], {}, origin));
  }
  return writer.finish(
    graph.stage,
    graph.outputs.map(({ name, value }) => ({ name, value: copies.get(value) ?? value })),
  );
}
