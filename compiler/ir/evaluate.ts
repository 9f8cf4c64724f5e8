/** The reference executor: a graph's meaning, op by op, in the arithmetic order of the machine's contract. */
import { fail } from './diagnostic.ts';
import type { Graph, Node, OpNode } from './graph.ts';
import { opRecord } from './ops.ts';
import type { Tensor } from './tensor.ts';
import { printType, sameType } from './types.ts';

export interface EvaluateOptions {
  /** Which values the result holds: those of the graph's outputs (the default), or all, for which more memory is needed. */
  readonly keep?: 'all' | 'outputs';
  /** Called for every node, in graph order, as soon as its value is known. */
  readonly observe?: (node: Node, value: Tensor) => void;
  /** Gives the value, of the node's type, that counts as the node's from there on, in place of the one that was computed. */
  readonly override?: (node: Node, value: Tensor) => Tensor;
}

/** Value of one op from its operands' values, in the op table's order; absent optional operands are undefined. */
export function evaluateNode(node: OpNode, operands: readonly (Tensor | undefined)[]): Tensor {
  return opRecord(node.op).evaluate(operands, node.attributes, node.type);
}

/**
 * Values of a verified graph by value name. `inputs` gives a tensor for each graph input under the input's name; a missing one or one of another
 * type is a diagnostic. Result tensors may share data with each other, with inputs and with constants: treat them as immutable.
 */
export function evaluateGraph(graph: Graph, inputs: ReadonlyMap<string, Tensor>, options: EvaluateOptions = {}): Map<string, Tensor> {
  const { keep = 'outputs', observe, override } = options;
  const values = new Map<string, Tensor>();
  const lastUsers = keep === 'all' ? new Map<string, string[]>() : valuesByLastUser(graph);
  for (const node of graph.nodes) {
    const computed = valueOf(node, values, inputs);
    const value = override?.(node, computed) ?? computed;
    values.set(node.name, value);
    observe?.(node, value);
    for (const done of lastUsers.get(node.name) ?? []) values.delete(done);
  }
  return values;
}

function valueOf(node: Node, values: ReadonlyMap<string, Tensor>, inputs: ReadonlyMap<string, Tensor>): Tensor {
  switch (node.kind) {
    case 'constant':
      return node.value;
    case 'op':
      return evaluateNode(
        node,
        node.inputs.map((name) => values.get(name)),
      );
    case 'input': {
      const given = inputs.get(node.name);
      if (!given) return fail('usage', 'evaluate/missing-input', `input %${node.name} of type ${printType(node.type)} is not given`);
      if (!sameType(given.type, node.type))
        fail('usage', 'evaluate/input-type', `input %${node.name} has type ${printType(node.type)}, not ${printType(given.type)}`);
      return given;
    }
  }
}

/** For each node the values, outputs of the graph excepted, that no later node reads. */
function valuesByLastUser(graph: Graph): Map<string, string[]> {
  const lastUser = new Map<string, string>();
  for (const node of graph.nodes) {
    lastUser.set(node.name, node.name);
    if (node.kind === 'op') for (const input of node.inputs) if (input !== '') lastUser.set(input, node.name);
  }
  const byUser = new Map<string, string[]>();
  for (const [value, user] of lastUser) {
    if (graph.isOutput(value)) continue;
    const list = byUser.get(user);
    if (list) list.push(value);
    else byUser.set(user, [value]);
  }
  return byUser;
}
