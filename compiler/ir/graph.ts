/**
 * The graph IR: an immutable SSA graph of tensor operations with static types.
 * Every node defines exactly one value, and the node's name is the value's name. Nodes stand in topological order.
 */
import type { OpName } from './ops.ts';
import type { Tensor } from './tensor.ts';
import type { TensorType } from './types.ts';

/** What may exist in a graph; the verifier has a spec for each (`verify.ts`). */
export const STAGES = ['imported', 'optimized', 'legal'] as const;
export type Stage = (typeof STAGES)[number];

/** Attribute values, after the op table's defaults have been filled in. */
export type AttributeValue = number | boolean | string | readonly number[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface InputNode {
  readonly kind: 'input';
  /** Value name; also the name under which users feed the input. */
  readonly name: string;
  readonly type: TensorType;
}

export interface ConstantNode {
  readonly kind: 'constant';
  readonly name: string;
  readonly type: TensorType;
  readonly value: Tensor;
}

export interface OpNode {
  readonly kind: 'op';
  readonly name: string;
  readonly op: OpName;
  /** Operand value names in the op table's order; an optional operand that is absent in the middle is ''. */
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
  readonly type: TensorType;
  /** Names of the source model's nodes that this one computes, in source order. */
  readonly origin: readonly string[];
}

export type Node = InputNode | ConstantNode | OpNode;

export interface GraphOutput {
  /** The name that users read the output under; it survives every rewrite. */
  readonly name: string;
  readonly value: string;
}

export class Graph {
  readonly name: string;
  readonly stage: Stage;
  readonly nodes: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  readonly #byName: ReadonlyMap<string, Node>;
  #users: ReadonlyMap<string, readonly OpNode[]> | undefined;

  constructor(fields: { name: string; stage: Stage; nodes: readonly Node[]; outputs: readonly GraphOutput[] }) {
    this.name = fields.name;
    this.stage = fields.stage;
    this.nodes = fields.nodes;
    this.outputs = fields.outputs;
    this.#byName = new Map(fields.nodes.map((node) => [node.name, node]));
  }

  /** The same graph with some fields replaced. */
  with(fields: Partial<{ name: string; stage: Stage; nodes: readonly Node[]; outputs: readonly GraphOutput[] }>): Graph {
    return new Graph({ name: this.name, stage: this.stage, nodes: this.nodes, outputs: this.outputs, ...fields });
  }

  get inputs(): readonly InputNode[] {
    return this.nodes.filter((node) => node.kind === 'input');
  }

  get ops(): readonly OpNode[] {
    return this.nodes.filter((node) => node.kind === 'op');
  }

  find(name: string): Node | undefined {
    return this.#byName.get(name);
  }

  /** The node that defines a value; throws when there is none, which the verifier rules out. */
  node(name: string): Node {
    const node = this.#byName.get(name);
    if (!node) throw new Error(`graph ${this.name} has no value %${name}`);
    return node;
  }

  /** The op nodes that read a value, in graph order. */
  users(name: string): readonly OpNode[] {
    this.#users ??= usersOf(this.ops);
    return this.#users.get(name) ?? [];
  }

  isOutput(name: string): boolean {
    return this.outputs.some((output) => output.value === name);
  }
}

function usersOf(ops: readonly OpNode[]): ReadonlyMap<string, readonly OpNode[]> {
  const users = new Map<string, OpNode[]>();
  for (const node of ops)
    for (const input of new Set(node.inputs)) {
      const list = users.get(input);
      if (list) list.push(node);
      else users.set(input, [node]);
    }
  return users;
}
