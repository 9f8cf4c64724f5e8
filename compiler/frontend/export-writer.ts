/** Writes the messages of an exported model: operators, initializers, and the conversions between what is stored and the real numbers it stands for. */
import onnxProto from 'onnx-proto';
import type { ElementType, FixedName, Quantization, QuantizedName } from '../../runtime/numerics/element.ts';
import { fractionBits, isFixed, isQuantized, quantizationOf } from '../../runtime/numerics/element.ts';
import { isNarrow } from '../../runtime/numerics/narrow.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Graph, OpNode } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';
import { uniqueName } from '../ir/names.ts';
import { dataBytes, tensor } from '../ir/tensor.ts';
import type { TensorType } from '../ir/types.ts';
import { tensorType } from '../ir/types.ts';
import { dataTypeOf } from './tensor.ts';

const { AttributeProto, ModelProto } = onnxProto.onnx;

/** The first whose quantization knows 16 bits. */
export const EXPORT_OPSET = 21;
/** The version of the format that came with the opset. */
const IR_VERSION = 10;

export type OnnxAttributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

export class ModelWriter {
  readonly #graph: Graph;
  readonly #nodes: object[] = [];
  readonly #initializers: object[] = [];
  #made = 0;

  /** Names of the graph's values in the model. */
  readonly #names: ReadonlyMap<string, string>;
  readonly #taken: Set<string>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#names = namesOf(graph);
    this.#taken = new Set([...this.#names.values(), ...graph.outputs.map(({ name }) => name)]);
  }

  type(name: string): TensorType {
    return this.#graph.node(name).type;
  }

  initializer(name: string, value: Tensor): string {
    const dataType = exportedType(value.type, name);
    this.#initializers.push({ name: this.#nameOf(name), dims: value.type.shape, dataType, rawData: dataBytes(value) });
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
    if (isQuantized(element) || isFixed(element)) {
      const { axis } = scalingOf(element);
      return this.add(node, 'DequantizeLinear', [value, ...this.#scaleAndZero(node, element)], axis === undefined ? {} : { axis }, output);
    }
    if (isNarrow(element)) return this.add(node, 'Cast', [value], { to: exportedType(tensorType('f32', []), value) }, output);
    exportedType(tensorType(element, []), node.name);
    return output === undefined ? value : this.add(node, 'Identity', [value], {}, output);
  }

  /** The bias of a product of `x` and `w`: f32, i32 over the product of their scales, or i64 with the fraction bits of both. */
  realBias(node: OpNode, bias: string, x: ElementType, w: ElementType): string {
    if (isFixed(x) && isFixed(w)) return this.#fixedBias(node, bias, fractionBits(x) + fractionBits(w));
    if (!isQuantized(x) || !isQuantized(w)) return bias;
    const [ofX, { scales, axis }] = [quantizationOf(x), quantizationOf(w)];
    const products = scales.map((scale) => Math.fround(scale * (ofX.scales[0] ?? NaN)));
    const factors = this.#scales(node, products, axis);
    return this.add(node, 'DequantizeLinear', [bias, factors], axis === undefined ? {} : { axis: 0 });
  }

  /** Operators do not take 64-bit integers for real numbers, so that a bias becomes f32. */
  #fixedBias(node: OpNode, bias: string, fraction: number): string {
    const of = this.#graph.node(bias);
    if (of.kind !== 'constant' || of.type.element !== 'i64') return this.real(node, bias, of.type.element);
    const values = Float32Array.from(Array.from(of.value.data, Number), (sum) => sum / 2 ** fraction);
    return this.#operand(node, tensor(tensorType('f32', of.type.shape), values));
  }

  /** f32 as elements of a narrower type, rounded once. */
  stored(node: OpNode, value: string, element: ElementType, output?: string): string {
    const to = exportedType(tensorType(element, []), node.name);
    if (!isQuantized(element) && !isFixed(element)) return this.add(node, 'Cast', [value], { to }, output);
    return this.add(node, 'QuantizeLinear', [value, ...this.#scaleAndZero(node, element)], {}, output);
  }

  /** The operands of QuantizeLinear and DequantizeLinear behind the first; the zero point has the type of the elements. */
  #scaleAndZero(node: OpNode, element: QuantizedName | FixedName): string[] {
    const { scales, zeroPoint, axis } = scalingOf(element);
    const data = isFixed(element) ? new Int16Array(1) : new Int8Array(scales.length).fill(zeroPoint);
    const zeros = tensor(tensorType(isFixed(element) ? 'i16' : 'i8', axis === undefined ? [] : [scales.length]), data);
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
    const [input, result] = [inputs.map((each) => this.#nameOf(each)), this.#nameOf(name)];
    this.#nodes.push({ name: result, opType: op, input, output: [result], attribute, docString: node.origin.join(', ') });
    return name;
  }

  finish(): Uint8Array {
    const { inputs, outputs, name } = this.#graph;
    for (const { name: output, value } of outputs) {
      const given = this.#nameOf(value);
      if (given === output || copiedInput(this.#graph, value) === output) continue;
      if (inputs.some((input) => input.name === output))
        fail('unsupported', 'onnx/output-name', `output ${output} has the name of an input and other values`, { place: [output] });
      this.#nodes.push({ name: output, opType: 'Identity', input: [given], output: [output], attribute: [] });
    }
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
          output: outputs.map((output) => valueInfo(output.name, this.type(output.value))),
        },
      }),
    ).finish();
  }

  #fresh(base: string): string {
    const name = uniqueName(`${base}/onnx${this.#made++}`, (each) => this.#taken.has(each) || this.#graph.find(each) !== undefined);
    this.#taken.add(name);
    return name;
  }

  #nameOf(value: string): string {
    return this.#names.get(value) ?? value;
  }
}

/** Inputs and outputs have the model's names, an output on the value that an op computes for it; what else has one of these gets another. */
function namesOf(graph: Graph): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set(graph.inputs.map(({ name }) => name));
  for (const { name, value } of graph.outputs) {
    if (graph.node(value).kind !== 'op' || names.has(value) || taken.has(name)) continue;
    names.set(value, name);
  }
  for (const { name } of graph.outputs) taken.add(name);
  for (const node of graph.nodes) {
    if (node.kind === 'input' || names.has(node.name)) continue;
    const name = uniqueName(node.name, (each) => taken.has(each) || (each !== node.name && graph.find(each) !== undefined));
    names.set(node.name, name);
    taken.add(name);
  }
  return names;
}

/** The input that a value is a copy of, or undefined. */
function copiedInput(graph: Graph, value: string): string | undefined {
  let node = graph.node(value);
  while (node.kind === 'op' && node.op === 'identity') node = graph.node(node.inputs[0] ?? '');
  return node.kind === 'input' ? node.name : undefined;
}

/** The scales of quantized integers; fixed point has one, a power of two. */
function scalingOf(element: QuantizedName | FixedName): Quantization {
  return isFixed(element) ? { scales: [2 ** -fractionBits(element)], zeroPoint: 0 } : quantizationOf(element);
}

/** TensorProto.DataType of a type's elements. */
function exportedType({ element }: TensorType, name: string): number {
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
