/** Builds a graph node by node, inferring types. */
import { DiagnosticError } from './diagnostic.ts';
import type { Attributes, GraphOutput, Node, Stage } from './graph.ts';
import { Graph } from './graph.ts';
import { makeOp } from './infer.ts';
import { legalName, uniqueName } from './names.ts';
import { OpError } from './op.ts';
import type { OpName } from './ops.ts';
import type { Tensor } from './tensor.ts';
import type { TensorType } from './types.ts';

export interface OpDetails {
  /** What the value should be called; made legal and unique. The op's name without it. */
  readonly name?: string;
  /** Names of the source model's nodes that the op computes. */
  readonly origin?: readonly string[];
}

export class GraphBuilder {
  readonly #name: string;
  readonly #nodes = new Map<string, Node>();
  readonly #outputs: GraphOutput[] = [];

  constructor(name: string) {
    this.#name = legalName(name);
  }

  /** Adds a graph input and gives its value's name, which is the very name where no other value has it. */
  input(name: string, type: TensorType): string {
    return this.#add({ kind: 'input', name: uniqueName(name, (other) => this.#nodes.has(other)), type });
  }

  /** Adds a constant and gives its value's name. */
  constant(name: string, value: Tensor): string {
    return this.#add({ kind: 'constant', name: this.#fresh(name), type: value.type, value });
  }

  /**
   * Adds an op and gives its value's name. Operands are value names, '' for an absent optional one.
   * Throws a diagnostic placed at the value when operands or attributes do not fit.
   */
  op(op: OpName, inputs: readonly string[], attributes: Attributes = {}, { name = op, origin = [] }: OpDetails = {}): string {
    const fresh = this.#fresh(name);
    const operandTypes = inputs.map((input) => (input === '' ? undefined : this.type(input)));
    try {
      return this.#add(makeOp({ name: fresh, op, inputs, operandTypes, attributes, origin }));
    } catch (error) {
      if (error instanceof OpError)
        throw new DiagnosticError([{ kind: 'invalid', code: 'ir/op', message: error.message, place: [`%${fresh}`] }]);
      throw error;
    }
  }

  /** Makes a value an output that users read under `name`. */
  output(name: string, value: string): void {
    this.#outputs.push({ name, value });
  }

  /** The type of a value added before. */
  type(value: string): TensorType {
    const node = this.#nodes.get(value);
    if (!node) throw new Error(`no value %${value} has been built`);
    return node.type;
  }

  build(stage: Stage = 'imported'): Graph {
    return new Graph({ name: this.#name, stage, nodes: [...this.#nodes.values()], outputs: this.#outputs });
  }

  #add(node: Node): string {
    this.#nodes.set(node.name, node);
    return node.name;
  }

  #fresh(hint: string): string {
    return uniqueName(legalName(hint), (name) => this.#nodes.has(name));
  }
}
