/** Small models of one operator, built from random choices in every form that the operator has in a version of ONNX. */
import { elementCount } from '../../compiler/ir/types.ts';
import type { Choices } from '../support/choices.ts';
import type { AttributeSpec, ModelSpec, NodeSpec, TensorSpec, ValueSpec } from '../support/onnx-builder.ts';

export type Shape = readonly number[];
export type Attributes = Readonly<Record<string, AttributeSpec>>;
export type Contents = 'ordinary' | 'positive';

/** Adds nodes, the last of which computes `y`; draws whatever the operator may be given. */
export type Draw = (sketch: Sketch) => void;

/** A model under construction; its last node computes `y`. */
export class Sketch {
  readonly choices: Choices;
  /** Version of ONNX's operators. */
  readonly opset: number;
  readonly #inputs: ValueSpec[] = [];
  readonly #constants: TensorSpec[] = [];
  readonly #nodes: NodeSpec[] = [];

  constructor(choices: Choices, opset: number) {
    this.choices = choices;
    this.opset = opset;
  }

  /** A shape of up to 5 in each dimension. */
  shape(rank = this.choices.between(1, 4), most = 5): Shape {
    return Array.from({ length: rank }, () => this.choices.between(1, most));
  }

  /** A new input. */
  input(shape: Shape): string {
    const name = `x${this.#inputs.length}`;
    this.#inputs.push({ name, shape });
    return name;
  }

  floats(dims: Shape, contents: Contents = 'ordinary'): string {
    return this.constant({ dims, data: randomFloats(elementCount(dims), this.choices.below(2 ** 30), contents) });
  }

  scalar(value: number): string {
    return this.constant({ dims: [], data: Float32Array.of(value) });
  }

  ints(values: readonly number[]): string {
    return this.constant({ dims: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  bool(value: boolean): string {
    return this.constant({ dims: [], data: Uint8Array.of(Number(value)), dataType: 9 });
  }

  /** A node; '' leaves an operand out. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, output = 'y'): string {
    this.#nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** An attribute in up to `last`, later a constant operand: what to put where. */
  attributeUpTo(
    last: number,
    name: string,
    values: readonly number[],
  ): { readonly operands: readonly string[]; readonly attributes: Attributes } {
    return this.opset <= last ? { operands: [], attributes: { [name]: values } } : { operands: [this.ints(values)], attributes: {} };
  }

  model(): ModelSpec {
    return { opset: this.opset, nodes: this.#nodes, inputs: this.#inputs, initializers: this.#constants, outputs: [{ name: 'y' }] };
  }

  /** A constant of any type. */
  constant(spec: TensorSpec): string {
    const name = `c${this.#constants.length}`;
    this.#constants.push({ ...spec, name });
    return name;
  }
}

/** Numbers from -1 to 1, or from 0.1 to 1.1; equal seeds give equal ones. */
export function randomFloats(count: number, seed: number, contents: Contents = 'ordinary'): Float32Array {
  let state = seed + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const share = (state >>> 8) / 2 ** 24;
    return contents === 'positive' ? share + 0.1 : share * 2 - 1;
  });
}
