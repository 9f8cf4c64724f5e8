/** Writing a new graph from an old one, node by node, where values keep their names and new ones get names that the old graph does not use. */
import type { Attributes, Graph, GraphOutput, Node, Stage } from '../compiler/ir/graph.ts';
import { makeOp } from '../compiler/ir/infer.ts';
import { uniqueName } from '../compiler/ir/names.ts';
import type { OpName } from '../compiler/ir/ops.ts';
import type { Tensor } from '../compiler/ir/tensor.ts';

export class GraphWriter {
  readonly #source: Graph;
  readonly #nodes = new Map<string, Node>();

  constructor(source: Graph) {
    this.#source = source;
  }

  /** A value written before. */
  node(name: string): Node {
    const node = this.#nodes.get(name);
    if (!node) throw new Error(`%${name} has not been written yet`);
    return node;
  }

  /** A name of the form `base/suffix` that is new to both graphs. */
  fresh(base: string, suffix: string): string {
    return uniqueName(`${base}/${suffix}`, (name) => this.#nodes.has(name) || this.#source.find(name) !== undefined);
  }

  copy(node: Node): string {
    this.#nodes.set(node.name, node);
    return node.name;
  }

  constant(name: string, value: Tensor): string {
    return this.copy({ kind: 'constant', name, type: value.type, value });
  }

  /** Writes an op node; throws `OpError` where operands or attributes do not fit. */
  op(name: string, op: OpName, inputs: readonly string[], attributes: Attributes, origin: readonly string[]): string {
    const operandTypes = inputs.map((input) => (input === '' ? undefined : this.node(input).type));
    return this.copy(makeOp({ name, op, inputs, operandTypes, attributes, origin }));
  }

  finish(stage: Stage, outputs: readonly GraphOutput[]): Graph {
    return this.#source.with({ stage, nodes: [...this.#nodes.values()], outputs });
  }
}
