import type { Graph, Node } from '../compiler/ir/graph.ts';
import { pass } from './pass.ts';

/** The nodes of a graph without those that no output depends on and `keep` does not hold on to; inputs always stay. */
export function liveNodes(graph: Graph, keep: (dead: Node) => boolean = () => false): readonly Node[] {
  const live = new Set(graph.outputs.map((output) => output.value));
  const kept: Node[] = [];
  // Users stand behind what they use, so from the end on it is known of each node whether it is used.
  for (const node of graph.nodes.toReversed()) {
    if (node.kind !== 'input' && !live.has(node.name) && !keep(node)) continue;
    kept.push(node);
    if (node.kind === 'op') for (const input of node.inputs) live.add(input);
  }
  return kept.length === graph.nodes.length ? graph.nodes : kept.reverse();
}

export const eliminateDead = pass({
  name: 'eliminate-dead',
  doc: 'Removes operations and constants that no output depends on. Graph inputs stay, being part of the signature.',
  meaning: 'exact',
  requires: [],
  establishes: ['live'],
  params: {},
  idempotent: true,
  run(graph, _params, context) {
    const nodes = liveNodes(graph, (dead) => {
      const refused = !context.allow(`remove-${dead.kind}`, dead.name);
      if (!refused) context.count(`removed ${dead.kind}s`);
      return refused;
    });
    return nodes === graph.nodes ? graph : graph.with({ nodes });
  },
});
