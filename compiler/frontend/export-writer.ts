/** Writes the messages of an exported model: operators, initializers, and the conversions between what is stored and the real numbers it stands for. */
import onnxProto from 'onnx-proto';
import type { ElementType, QuantizedName } from '../../runtime/numerics/element.ts';
import { isFixed, isQuantized, quantizationOf } from '../../runtime/numerics/element.ts';
import { isNarrow } from '../../runtime/numerics/narrow.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Graph, OpNode } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';
import { dataBytes, tensor } from '../ir/tensor.ts';
import type { TensorType } from '../ir/types.ts';
import { tensorType } from '../ir/types.ts';
import { dataTypeOf } from './tensor.ts';

const { AttributeProto, ModelProto } = onnxProto.onnx;

/** The first that has 8-bit floats. */
export const EXPORT_OPSET = 19;
/** The version of the format that came with the opset. */
const IR_VERSION = 9;

export type OnnxAttributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

export class ModelWriter {
  readonly #graph: Graph;
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  #made = 0;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  type(name: string): TensorType {
    return this.#graph.node(name).type;
  }

  initializer(name: string, value: Tensor): string {
    this.#initializers.push({ name, dims: value.type.shape, dataType: exportedType(value.type, name), rawData: dataBytes(value) });
    return name;
  }

  /** A list of integers, or one number, that an operator takes as an operand. */
  ints(node: OpNode, values: readonly number[]): string {
    return this.#operand(node, tensor(tensorType('i64', [values.length]), BigInt64Array.from(values, BigInt)));
  }

  number(node: OpNode, value: number): string {
    return this.#operand(node, tensor(tensorType('f32', []), Float32Array.of(value)));
  }

  /** The real numbers, in f32, that elements of a type stand for; the operand itself where it is f32, unless `output` names the result. */
  real(node: OpNode, value: string, element: ElementType, output?: string): string {
    if (isQuantized(element)) {
      const { axis } = quantizationOf(element);
      return this.add(node, 'DequantizeLinear', [value, ...this.#scaleAndZero(node, element)], axis === undefined ? {} : { axis }, output);
    }
    if (isNarrow(element)) return this.add(node, 'Cast', [value], { to: exportedType(tensorType('f32', []), value) }, output);
    exportedType(tensorType(element, []), node.name);
    return output === undefined ? value : this.add(node, 'Identity', [value], {}, output);
  }

  /** The bias of a product of `x` and `w`: f32, or i32 over the product of their scales. */
  realBias(node: OpNode, bias: string, x: ElementType, w: ElementType): string {
    if (!isQuantized(x) || !isQuantized(w)) return bias;
    const [ofX, { scales, axis }] = [quantizationOf(x), quantizationOf(w)];
    const products = scales.map((scale) => Math.fround(scale * (ofX.scales[0] ?? NaN)));
    const factors = this.#scales(node, products, axis);
    return this.add(node, 'DequantizeLinear', [bias, factors], axis === undefined ? {} : { axis: 0 });
  }

  /** f32 as elements of a narrower type, rounded once. */
  stored(node: OpNode, value: string, element: ElementType, output?: string): string {
    const to = exportedType(tensorType(element, []), node.name);
    if (!isQuantized(element)) return this.add(node, 'Cast', [value], { to }, output);
    return this.add(node, 'QuantizeLinear', [value, ...this.#scaleAndZero(node, element)], {}, output);
  }

  /** The operands of QuantizeLinear and DequantizeLinear behind the first; the zero point has the type of the elements. */
  #scaleAndZero(node: OpNode, element: QuantizedName): string[] {
    const { scales, zeroPoint, axis } = quantizationOf(element);
    const zeros = tensor(tensorType('i8', axis === undefined ? [] : [scales.length]), new Int8Array(scales.length).fill(zeroPoint));
    return [this.#scales(node, scales, axis), this.#operand(node, zeros)];
  }

  /** One scale, or one for each index along a dimension. */
  #scales(node: OpNode, scales: readonly number[], axis: number | undefined): string {
    return this.#operand(node, tensor(tensorType('f32', axis === undefined ? [] : [scales.length]), Float32Array.from(scales)));
  }

  #operand(node: OpNode, value: Tensor): string {
    return this.initializer(this.#fresh(node.name), value);
  }

  /** Adds an operator and gives its result, a new value unless `output` names it. */
  add(node: OpNode, op: string, inputs: readonly string[], attributes: OnnxAttributes = {}, output?: string): string {
    const name = output ?? this.#fresh(node.name);
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.#nodes.push({ name, opType: op, input: [...inputs], output: [name], attribute, docString: node.origin.join(', ') });
    return name;
  }

  finish(): Uint8Array {
    const { inputs, outputs, name } = this.#graph;
    // Outputs have names of their own, which may be those of other values.
    const taken = new Set(this.#graph.nodes.map((node) => node.name));
    const ends = outputs.map((output) => {
      if (output.name === output.value) return output.name;
      if (taken.has(output.name))
        fail('unsupported', 'onnx/output-name', `output ${output.name} has the name of another value`, { place: [output.name] });
      this.#nodes.push({ name: output.name, opType: 'Identity', input: [output.value], output: [output.name], attribute: [] });
      return output.name;
    });
    return ModelProto.encode(
      ModelProto.create({
        irVersion: IR_VERSION,
        producerName: 'plumbline',
        opsetImport: [{ domain: '', version: EXPORT_OPSET }],
        graph: {
          name,
          node: this.#nodes,
          initializer: this.#initializers,
          input: inputs.map((input) => valueInfo(input.name, input.type)),
          output: ends.map((end, i) => valueInfo(end, this.type(outputs[i]?.value ?? end))),
        },
      }),
    ).finish();
  }

  #fresh(base: string): string {
    const name = `${base}/onnx${this.#made++}`;
    return this.#graph.find(name) ? this.#fresh(base) : name;
  }
}

/** TensorProto.DataType of a type's elements. */
function exportedType({ element }: TensorType, name: string): number {
  if (isFixed(element))
    fail('unsupported', 'onnx/export-fixed-point', 'fixed-point arithmetic has no form in ONNX', {
      place: [name],
      hint: 'export a stage before it became fixed point',
    });
  return dataTypeOf(element) ?? fail('unsupported', 'onnx/export-type', `${element} has no form in an exported model`, { place: [name] });
}

function valueInfo(name: string, type: TensorType): object {
  return {
    name,
    type: { tensorType: { elemType: exportedType(type, name), shape: { dim: type.shape.map((dimValue) => ({ dimValue })) } } },
  };
}

function attributeOf(name: string, value: OnnxAttributes[string]): object {
  const { AttributeType: types } = AttributeProto;
  if (typeof value === 'string') return { name, type: types.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: types.INT, i: value };
  return 'float' in value ? { name, type: types.FLOAT, f: value.float } : { name, type: types.INTS, ints: [...value] };
}
