/** The structure of a model's graph: every value defined once, every operand defined, no cycles. */
import { fail } from '../ir/diagnostic.ts';
import type { OnnxGraph, OnnxNode } from './model.ts';
import { UniqueNames, suggest } from './names.ts';

/** A node and the name that diagnostics and origins call it by: its own, or the operator and the node's place in the file, `Conv_3`. */
export interface NamedNode {
  readonly name: string;
  readonly node: OnnxNode;
}

/** The nodes so that each follows those it reads from, and otherwise as in the file. */
export function orderNodes(graph: OnnxGraph): readonly NamedNode[] {
  const names = new UniqueNames();
  const named = graph.nodes.map((node, i) => ({ node, name: names.take(node.name || `${node.op}_${i}`) }));
  const definedBy = definitions(graph, named);
  const reads = (node: NamedNode): readonly NamedNode[] => {
    const producers: NamedNode[] = [];
    for (const input of node.node.inputs) {
      if (input === '') continue;
      const producer = definedBy.get(input);
      if (producer === undefined) {
        const hint = suggest(input, [...definedBy.keys()]);
        fail('invalid', 'onnx/undefined-value', `operand '${input}' is defined nowhere`, { place: [node.name], hint });
      }
      if (typeof producer !== 'string') producers.push(producer);
    }
    return producers;
  };
  for (const { name } of graph.outputs) {
    if (!definedBy.has(name)) {
      fail('invalid', 'onnx/undefined-value', `output '${name}' is defined nowhere`, { hint: suggest(name, [...definedBy.keys()]) });
    }
  }
  return sorted(named, reads);
}

/** What defines each value: a node, or a part of the graph. */
function definitions(graph: OnnxGraph, nodes: readonly NamedNode[]): ReadonlyMap<string, NamedNode | string> {
  const definedBy = new Map<string, NamedNode | string>();
  const define = (value: string, by: NamedNode | string): void => {
    const other = definedBy.get(value);
    // An initializer may share the name of an input, whose default value it is then.
    if (other !== undefined && !(other === INPUT && by === INITIALIZER)) {
      const who = [other, by].map((definer) => (typeof definer === 'string' ? definer : definer.name));
      fail('invalid', 'onnx/duplicate-value', `value '${value}' is defined twice, by ${who.join(' and by ')}`);
    }
    definedBy.set(value, by);
  };
  for (const input of graph.inputs) define(input.name, INPUT);
  for (const initializer of graph.initializers) define(initializer.name, INITIALIZER);
  for (const initializer of graph.sparseInitializers) define(initializer, INITIALIZER);
  for (const node of nodes) for (const output of node.node.outputs) if (output !== '') define(output, node);
  return definedBy;
}

const INPUT = 'an input';
const INITIALIZER = 'an initializer';

/** Depth first in file order, on a stack of its own, since a chain of nodes may be long. */
function sorted(nodes: readonly NamedNode[], reads: (node: NamedNode) => readonly NamedNode[]): readonly NamedNode[] {
  const order: NamedNode[] = [];
  const state = new Map<NamedNode, 'open' | 'done'>();
  for (const root of nodes) {
    if (state.has(root)) continue;
    const path = [{ node: root, rest: reads(root).values() }];
    state.set(root, 'open');
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const next = top.rest.next();
      if (next.done) {
        path.pop();
        state.set(top.node, 'done');
        order.push(top.node);
      } else if (state.get(next.value) === 'open') {
        const cycle = path.slice(path.findIndex(({ node }) => node === next.value)).map(({ node }) => node.name);
        fail('invalid', 'onnx/cycle', `the graph has a cycle: ${shorten([...cycle, next.value.name]).join(' ← ')}`);
      } else if (!state.has(next.value)) {
        state.set(next.value, 'open');
        path.push({ node: next.value, rest: reads(next.value).values() });
      }
    }
  }
  return order;
}

/** The names of a long path with its middle left out. */
function shorten(names: readonly string[]): readonly string[] {
  return names.length <= 8 ? names : [...names.slice(0, 4), '…', ...names.slice(-3)];
}
