/**
 * Graphs of any stage as ONNX models, so that another runtime can execute what is meant. Images that a graph holds channels last are transposed around
 * the operators that ONNX defines channels first; fused activations become nodes of their own. Static shapes, the graph's own names for what stands between inputs and outputs.
 *
 * Narrow floats are cast to f32, computed with, and cast back. Quantized integers, of 8 bits or of 16 with a binary point, have the form that is called
 * QDQ: DequantizeLinear in front of the operator and QuantizeLinear behind it. So onnxruntime sums in f32 what the graph sums exactly, and rounds a quotient where the graph shifts a product.
 */
import type { ElementType } from '../../runtime/numerics/element.ts';
import type { Attributes, Graph, OpNode } from '../ir/graph.ts';
import { inferType } from '../ir/infer.ts';
import type { OpName } from '../ir/ops.ts';
import type { OnnxAttributes } from './export-writer.ts';
import { ModelWriter } from './export-writer.ts';

const NHWC_TO_NCHW = [0, 3, 1, 2];
const NCHW_TO_NHWC = [0, 2, 3, 1];
const HWIO_TO_OIHW = [3, 2, 0, 1];

/** Writes the nodes of one op; the last of them gives the op's own value. */
type Exporter = (node: OpNode, writer: ModelWriter) => void;

/** A serialised ModelProto; the same bytes for the same graph. Inputs and outputs have their names in the model. */
export function exportOnnx(graph: Graph): Uint8Array {
  const writer = new ModelWriter(graph);
  for (const node of graph.nodes) {
    if (node.kind === 'constant') writer.initializer(node.name, node.value);
    else if (node.kind === 'op') EXPORTERS[node.op](node, writer);
  }
  return writer.finish();
}

/** Adds nodes that turn a value into another, which has the name `output` if one is given. */
type Step = (value: string, output?: string) => string;

/** Steps one behind the other, the last of which gives the op's value. */
function inSteps(node: OpNode, steps: readonly Step[]): void {
  steps.reduce((value, step, i) => step(value, i === steps.length - 1 ? node.name : undefined), '');
}

/** Whether operators that only move elements take a type: all but those of 8-bit floats do, which are moved in f32. */
function isMoved(element: ElementType): boolean {
  return element !== 'f8e4m3' && element !== 'f8e5m2';
}

/** An op in f32, whatever its operands and its result are stored as. `compute` adds it; the activation that it ends in and the rounding follow. */
function inFloat(node: OpNode, writer: ModelWriter, compute: (output?: string) => string): void {
  const { element } = node.type;
  const rounding: Step[] = element === 'f32' ? [] : [(value, output) => writer.stored(node, value, element, output)];
  const layout = node.attributes.layout === 'nhwc' ? [transposing(node, writer, NCHW_TO_NHWC)] : [];
  const last = isMoved(element) ? [...rounding, ...layout] : [...layout, ...rounding];
  inSteps(node, [(_, output) => compute(output), ...activationOf(node, writer), ...last]);
}

function activationOf(node: OpNode, writer: ModelWriter): Step[] {
  const { activation, activation_min: low, activation_max: high } = node.attributes;
  if (activation === 'relu') return [(value, output) => writer.add(node, 'Relu', [value], {}, output)];
  if (activation !== 'clip') return [];
  return [
    (value, output) => writer.add(node, 'Clip', [value, writer.number(node, Number(low)), writer.number(node, Number(high))], {}, output),
  ];
}

function transposing(node: OpNode, writer: ModelWriter, perm: readonly number[]): Step {
  return (value, output) => writer.add(node, 'Transpose', [value], { perm }, output);
}

/** The operands as f32. */
function reals(node: OpNode, writer: ModelWriter): string[] {
  return node.inputs.map((input) => writer.real(node, input, writer.type(input).element));
}

/** An operand as f32 after a transposition, if there is one. */
function realTransposed(node: OpNode, writer: ModelWriter, value: string, perm: readonly number[] | undefined): string {
  const type = writer.type(value);
  if (!perm) return writer.real(node, value, type.element);
  const transpose = transposing(node, writer, perm);
  if (!isMoved(type.element)) return transpose(writer.real(node, value, type.element));
  return writer.real(node, transpose(value), inferType('transpose', [type], { perm }).element);
}

type Operands = (node: OpNode, writer: ModelWriter) => string[];

/** An operator that computes on f32, with further operands behind the op's own. */
const computing =
  (op: string, attributesOf: (node: OpNode) => OnnxAttributes = () => ({}), further: Operands = () => []): Exporter =>
  (node, writer) => {
    inFloat(node, writer, (output) => writer.add(node, op, [...reals(node, writer), ...further(node, writer)], attributesOf(node), output));
  };

/** An operator that keeps its operands' bits. */
const moving =
  (op: string, attributesOf: (node: OpNode) => OnnxAttributes = () => ({}), further: Operands = () => []): Exporter =>
  (node, writer) => {
    if (!isMoved(node.type.element)) computing(op, attributesOf, further)(node, writer);
    else writer.add(node, op, [...node.inputs, ...further(node, writer)], attributesOf(node), node.name);
  };

/** The same numbers in another element type. */
const conversion: Exporter = (node, writer) => {
  inFloat(node, writer, (output) => {
    const [x = ''] = node.inputs;
    return writer.real(node, x, writer.type(x).element, output);
  });
};

/** An operator on images: channels first in ONNX, whatever the graph has. */
const onImages =
  (op: string, attributesOf: (node: OpNode) => OnnxAttributes): Exporter =>
  (node, writer) => {
    inFloat(node, writer, (output) => writer.add(node, op, [imageOf(node, writer)], attributesOf(node), output));
  };

function imageOf(node: OpNode, writer: ModelWriter): string {
  return realTransposed(node, writer, node.inputs[0] ?? '', node.attributes.layout === 'nhwc' ? NHWC_TO_NCHW : undefined);
}

const ints = (attributes: Attributes, name: string): readonly number[] => attributes[name] as readonly number[];
const axisOf = ({ attributes }: OpNode): OnnxAttributes => ({ axis: Number(attributes.axis) });

function windowsOf({ attributes }: OpNode): OnnxAttributes {
  return { strides: ints(attributes, 'strides'), pads: ints(attributes, 'pads'), dilations: ints(attributes, 'dilations') };
}

/** The bias of a product, operand 2, as a list of none or one. */
function biasOf(node: OpNode, writer: ModelWriter): string[] {
  const [x = '', w = '', bias = ''] = node.inputs;
  return bias === '' ? [] : [writer.realBias(node, bias, writer.type(x).element, writer.type(w).element)];
}

const EXPORTERS: Readonly<Record<OpName, Exporter>> = {
  add: computing('Add'),
  sub: computing('Sub'),
  mul: computing('Mul'),
  div: computing('Div'),
  relu: computing('Relu'),
  sigmoid: computing('Sigmoid'),
  tanh: computing('Tanh'),
  matmul: computing('MatMul'),
  identity: moving('Identity'),
  clip: computing(
    'Clip',
    () => ({}),
    (node, writer) => [node.attributes.min, node.attributes.max].map((bound) => writer.number(node, Number(bound))),
  ),
  cast: conversion,
  quantize: conversion,
  dequantize: conversion,
  requantize: conversion,
  conv: (node, writer) => {
    inFloat(node, writer, (output) => {
      const weights = realTransposed(node, writer, node.inputs[1] ?? '', node.attributes.layout === 'nhwc' ? HWIO_TO_OIHW : undefined);
      const operands = [imageOf(node, writer), weights, ...biasOf(node, writer)];
      return writer.add(node, 'Conv', operands, { ...windowsOf(node), group: Number(node.attributes.groups) }, output);
    });
  },
  gemm: (node, writer) => {
    const { trans_a, trans_b, alpha, beta } = node.attributes;
    const scales = { alpha: { float: Number(alpha) }, beta: { float: Number(beta) } };
    inFloat(node, writer, (output) => {
      const [a = '', b = ''] = node.inputs.slice(0, 2).map((input) => writer.real(node, input, writer.type(input).element));
      const operands = [a, b, ...biasOf(node, writer)];
      return writer.add(node, 'Gemm', operands, { transA: Number(trans_a), transB: Number(trans_b), ...scales }, output);
    });
  },
  'max-pool': onImages('MaxPool', (node) => ({
    kernel_shape: ints(node.attributes, 'kernel'),
    ...windowsOf(node),
    ceil_mode: Number(node.attributes.ceil_mode),
  })),
  'average-pool': onImages('AveragePool', (node) => ({
    kernel_shape: ints(node.attributes, 'kernel'),
    ...windowsOf(node),
    ceil_mode: Number(node.attributes.ceil_mode),
    count_include_pad: Number(node.attributes.count_include_pad),
  })),
  lrn: onImages('LRN', ({ attributes: { size, alpha, beta, bias } }) => ({
    size: Number(size),
    alpha: { float: Number(alpha) },
    beta: { float: Number(beta) },
    bias: { float: Number(bias) },
  })),
  'batch-norm': computing('BatchNormalization', ({ attributes }) => ({ epsilon: { float: Number(attributes.epsilon) } })),
  softmax: computing('Softmax', axisOf),
  concat: moving('Concat', axisOf),
  flatten: moving('Flatten', axisOf),
  reshape: moving(
    'Reshape',
    () => ({ allowzero: 1 }),
    (node, writer) => [writer.ints(node, ints(node.attributes, 'shape'))],
  ),
  transpose: moving('Transpose', ({ attributes }) => ({ perm: ints(attributes, 'perm') })),
  pad: computing(
    'Pad',
    () => ({}),
    (node, writer) => [writer.ints(node, ints(node.attributes, 'pads')), writer.number(node, Number(node.attributes.value))],
  ),
};
