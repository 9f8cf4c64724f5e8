/**
 * Graphs of any stage as ONNX models, so that another runtime can execute what is meant. Images that a graph holds channels last are transposed around
 * the operators that ONNX defines channels first; fused activations become nodes of their own. Opset 17, static shapes, the graph's own names.
 */
import onnxProto from 'onnx-proto';
import { fail } from '../ir/diagnostic.ts';
import type { Attributes, Graph, OpNode } from '../ir/graph.ts';
import type { OpName } from '../ir/ops.ts';
import type { Tensor } from '../ir/tensor.ts';
import { dataBytes } from '../ir/tensor.ts';
import type { TensorType } from '../ir/types.ts';

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;

export const EXPORT_OPSET = 17;
/** The version of the format that came with the opset. */
const IR_VERSION = 8;

const NHWC_TO_NCHW = [0, 3, 1, 2];
const NCHW_TO_NHWC = [0, 2, 3, 1];
const HWIO_TO_OIHW = [3, 2, 0, 1];

type OnnxAttributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

/** Writes the nodes of one op; the last of them gives the op's own value. */
type Exporter = (node: OpNode, writer: ModelWriter) => void;

/** A serialised ModelProto; the same bytes for the same graph. Fixed-point graphs have no form in ONNX and are refused. */
export function exportOnnx(graph: Graph): Uint8Array {
  const writer = new ModelWriter(graph);
  for (const node of graph.nodes) {
    if (node.kind === 'constant') writer.initializer(node.name, node.value);
    else if (node.kind === 'op') EXPORTERS[node.op](node, writer);
  }
  return writer.finish();
}

class ModelWriter {
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
    this.#initializers.push({ name, dims: value.type.shape, dataType: dataTypeOf(value.type, name), rawData: dataBytes(value) });
    return name;
  }

  /** A list of integers, or one number, that an operator takes as an operand. */
  ints(node: OpNode, values: readonly number[]): string {
    const type: TensorType = { element: 'i64', shape: [values.length] };
    return this.initializer(this.#fresh(node.name), { type, data: BigInt64Array.from(values, BigInt) });
  }

  number(node: OpNode, value: number): string {
    return this.initializer(this.#fresh(node.name), { type: { element: 'f32', shape: [] }, data: Float32Array.of(value) });
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

function dataTypeOf({ element }: TensorType, name: string): number {
  const types = { f32: TensorProto.DataType.FLOAT, i64: TensorProto.DataType.INT64, i32: TensorProto.DataType.INT32 } as const;
  if (element === 'f32' || element === 'i64' || element === 'i32') return types[element];
  return fail('unsupported', 'onnx/export-type', `${element} has no form in an exported model`, { place: [name] });
}

function valueInfo(name: string, type: TensorType): object {
  return { name, type: { tensorType: { elemType: dataTypeOf(type, name), shape: { dim: type.shape.map((dimValue) => ({ dimValue })) } } } };
}

function attributeOf(name: string, value: OnnxAttributes[string]): object {
  const { AttributeType: types } = AttributeProto;
  if (typeof value === 'string') return { name, type: types.STRING, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: types.INT, i: value };
  return 'float' in value ? { name, type: types.FLOAT, f: value.float } : { name, type: types.INTS, ints: [...value] };
}

/** An operator with the op's operands and no attributes. */
const plain =
  (op: string): Exporter =>
  (node, writer) => {
    writer.add(node, op, node.inputs, {}, node.name);
  };

/** The activation that an op ends in; `output` is the value before it. */
function finish(node: OpNode, writer: ModelWriter, fused: (output?: string) => string): void {
  const { activation, activation_min: low, activation_max: high } = node.attributes;
  if (activation === 'relu') writer.add(node, 'Relu', [fused()], {}, node.name);
  else if (activation === 'clip')
    writer.add(node, 'Clip', [fused(), writer.number(node, Number(low)), writer.number(node, Number(high))], {}, node.name);
  else fused(node.name);
}

/** An operator on images: channels first in ONNX, whatever the graph has. */
function onImages(
  node: OpNode,
  writer: ModelWriter,
  op: string,
  rest: readonly string[],
  attributes: OnnxAttributes,
  output?: string,
): string {
  const [x = ''] = node.inputs;
  if (node.attributes.layout === 'nchw') return writer.add(node, op, [x, ...rest], attributes, output);
  const images = writer.add(node, 'Transpose', [x], { perm: NHWC_TO_NCHW });
  const result = writer.add(node, op, [images, ...rest], attributes);
  return writer.add(node, 'Transpose', [result], { perm: NCHW_TO_NHWC }, output);
}

const ints = (attributes: Attributes, name: string): readonly number[] => attributes[name] as readonly number[];

function windowsOf({ attributes }: OpNode): OnnxAttributes {
  return { strides: ints(attributes, 'strides'), pads: ints(attributes, 'pads'), dilations: ints(attributes, 'dilations') };
}

const refuse: Exporter = (node) =>
  fail('unsupported', 'onnx/export-fixed-point', 'fixed-point arithmetic has no form in ONNX', {
    place: [node.name],
    hint: 'export a stage before to-fixed-point',
  });

const EXPORTERS: Readonly<Record<OpName, Exporter>> = {
  add: (node, writer) => finish(node, writer, (output) => writer.add(node, 'Add', node.inputs, {}, output)),
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  relu: plain('Relu'),
  sigmoid: plain('Sigmoid'),
  tanh: plain('Tanh'),
  identity: plain('Identity'),
  matmul: plain('MatMul'),
  clip: (node, writer) => {
    const bounds = [node.attributes.min, node.attributes.max].map((bound) => writer.number(node, Number(bound)));
    writer.add(node, 'Clip', [...node.inputs, ...bounds], {}, node.name);
  },
  quantize: refuse,
  dequantize: refuse,
  conv: (node, writer) =>
    finish(node, writer, (output) => {
      const [, w = '', ...bias] = node.inputs;
      const weights = node.attributes.layout === 'nchw' ? w : writer.add(node, 'Transpose', [w], { perm: HWIO_TO_OIHW });
      return onImages(node, writer, 'Conv', [weights, ...bias], { ...windowsOf(node), group: Number(node.attributes.groups) }, output);
    }),
  gemm: (node, writer) =>
    finish(node, writer, (output) => {
      const { trans_a, trans_b, alpha, beta } = node.attributes;
      const scales = { alpha: { float: Number(alpha) }, beta: { float: Number(beta) } };
      return writer.add(node, 'Gemm', node.inputs, { transA: Number(trans_a), transB: Number(trans_b), ...scales }, output);
    }),
  'max-pool': (node, writer) => {
    const { attributes } = node;
    const pooled = { kernel_shape: ints(attributes, 'kernel'), ...windowsOf(node), ceil_mode: Number(attributes.ceil_mode) };
    onImages(node, writer, 'MaxPool', [], pooled, node.name);
  },
  'average-pool': (node, writer) => {
    const { attributes } = node;
    if (ints(attributes, 'dilations').some((dilation) => dilation !== 1))
      fail('unsupported', 'onnx/export-dilation', `opset ${EXPORT_OPSET} has no dilated AveragePool`, { place: [node.name] });
    const { strides, pads } = windowsOf(node) as Record<'strides' | 'pads', readonly number[]>;
    const modes = { ceil_mode: Number(attributes.ceil_mode), count_include_pad: Number(attributes.count_include_pad) };
    onImages(node, writer, 'AveragePool', [], { kernel_shape: ints(attributes, 'kernel'), strides, pads, ...modes }, node.name);
  },
  lrn: (node, writer) => {
    const { size, alpha, beta, bias } = node.attributes;
    const factors = { alpha: { float: Number(alpha) }, beta: { float: Number(beta) }, bias: { float: Number(bias) } };
    onImages(node, writer, 'LRN', [], { size: Number(size), ...factors }, node.name);
  },
  'batch-norm': (node, writer) => {
    writer.add(node, 'BatchNormalization', node.inputs, { epsilon: { float: Number(node.attributes.epsilon) } }, node.name);
  },
  softmax: (node, writer) => {
    writer.add(node, 'Softmax', node.inputs, { axis: Number(node.attributes.axis) }, node.name);
  },
  concat: (node, writer) => {
    writer.add(node, 'Concat', node.inputs, { axis: Number(node.attributes.axis) }, node.name);
  },
  flatten: (node, writer) => {
    writer.add(node, 'Flatten', node.inputs, { axis: Number(node.attributes.axis) }, node.name);
  },
  reshape: (node, writer) => {
    writer.add(node, 'Reshape', [...node.inputs, writer.ints(node, ints(node.attributes, 'shape'))], { allowzero: 1 }, node.name);
  },
  transpose: (node, writer) => {
    writer.add(node, 'Transpose', node.inputs, { perm: ints(node.attributes, 'perm') }, node.name);
  },
  pad: (node, writer) => {
    const operands = [writer.ints(node, ints(node.attributes, 'pads')), writer.number(node, Number(node.attributes.value))];
    writer.add(node, 'Pad', [...node.inputs, ...operands], {}, node.name);
  },
};
