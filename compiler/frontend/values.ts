/** The values that an import has defined so far: ONNX's names on one side, the graph's on the other. */
import type { GraphBuilder } from '../ir/builder.ts';
import type { Tensor } from '../ir/tensor.ts';
import type { TensorType } from '../ir/types.ts';

export class Values {
  readonly #builder: GraphBuilder;
  readonly #values = new Map<string, string>();
  readonly #constants = new Map<string, () => Tensor>();

  readonly #outer: Values | undefined;

  constructor(builder: GraphBuilder, outer?: Values) {
    this.#builder = builder;
    this.#outer = outer;
  }

  /** The same constants and types for another graph. */
  over(builder: GraphBuilder): Values {
    return new Values(builder, this);
  }

  /** Defines a value by its name in the graph. */
  define(onnxName: string, value: string): void {
    this.#values.set(onnxName, value);
  }

  /** Defines a constant, which is loaded and enters the graph only when an op reads it. */
  defineConstant(onnxName: string, load: () => Tensor): void {
    let tensor: Tensor | undefined;
    this.#constants.set(onnxName, () => (tensor ??= load()));
  }

  isDefined(onnxName: string): boolean {
    return this.#values.has(onnxName) || this.#constants.has(onnxName);
  }

  /** The tensor that a value always is, or undefined when it is computed or fed. */
  constant(onnxName: string): Tensor | undefined {
    return this.#constants.get(onnxName)?.() ?? this.#outer?.constant(onnxName);
  }

  type(onnxName: string): TensorType {
    const value = this.#values.get(onnxName);
    return value === undefined
      ? (this.constant(onnxName)?.type ?? this.#outer?.type(onnxName) ?? undefinedValue(onnxName))
      : this.#builder.type(value);
  }

  /** The graph's name of a value. */
  value(onnxName: string): string {
    const known = this.#values.get(onnxName);
    if (known !== undefined) return known;
    const tensor = this.constant(onnxName);
    if (!tensor) return undefinedValue(onnxName);
    const value = this.#builder.constant(onnxName, tensor);
    this.define(onnxName, value);
    return value;
  }
}

function undefinedValue(onnxName: string): never {
  throw new Error(`value ${onnxName} is read before it is defined`);
}
