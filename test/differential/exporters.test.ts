/** Small networks as exporters write them, with shapes computed by the model and in their layouts: compiled programs against onnxruntime. */
import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { expectAgreement } from '../support/agreement.ts';
import type { ModelSpec, NodeSpec, TensorSpec } from '../support/onnx-builder.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';
import { runOrt } from '../support/ort.ts';
import { loadTarget } from '../support/targets.ts';
import { randomFloats } from './sketch.ts';

/** Of the largest output: programs and onnxruntime add in different orders. */
const TOLERANCE = 1e-5;

const weights = (name: string, ...dims: number[]): TensorSpec => ({
  name,
  dims,
  data: randomFloats(elementCount(dims), dims.length * 31 + (dims[0] ?? 0)),
});
const positive = (name: string, count: number): TensorSpec => ({ name, dims: [count], data: randomFloats(count, 5, 'positive') });
const ints = (name: string, ...data: number[]): TensorSpec => ({ name, dims: [data.length], data: BigInt64Array.from(data, BigInt) });
const int = (name: string, value: number): TensorSpec => ({ ...ints(name, value), dims: [] });
const constant = (output: string, value: TensorSpec): NodeSpec => node('Constant', '', output, { value: { tensor: value } });

/** `x.view(x.size(0), -1)` after convolutions, interpolation-like arithmetic of sizes, functional padding, and a clamp. */
function pytorch(opset: number): ModelSpec {
  const axes = (from: string, to: string): NodeSpec =>
    opset < 13 ? node('Unsqueeze', from, to, { axes: [0] }) : node('Unsqueeze', `${from} first`, to);
  return {
    opset,
    nodes: [
      node('Identity', 'w1', 'w1.shared'),
      // F.pad: a list of the last dimensions first, filled up with zeros and turned around.
      constant('missing', ints('', 4)),
      node('ConstantOfShape', 'missing', 'zeros', { value: { tensor: ints('', 0) } }),
      constant('given', ints('', 1, 1, 1, 1)),
      node('Concat', 'given zeros', 'listed', { axis: 0 }),
      constant('pairs', ints('', -1, 2)),
      node('Reshape', 'listed pairs', 'paired'),
      node('Slice', 'paired last lowest first back', 'turned'),
      node('Transpose', 'turned', 'ends', { perm: [1, 0] }),
      constant('flat', ints('', -1)),
      node('Reshape', 'ends flat', 'long'),
      node('Cast', 'long', 'pads', { to: 7 }),
      node('Pad', 'x pads', 'padded'),
      node('Conv', 'padded w1.shared b1', 'conv1', { kernel_shape: [3, 3] }),
      node('BatchNormalization', 'conv1 scale shift mean variance', 'norm1'),
      node('Clip', 'norm1 low', 'relu1'),
      node('MaxPool', 'relu1', 'pool1', { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Dropout', 'pool1', 'dropped unused'),
      // scores / sqrt(features), with the square root computed in floats.
      node('Shape', 'dropped', 'shape1'),
      constant('one', int('', 1)),
      node('Gather', 'shape1 one', 'channels'),
      node('Cast', 'channels', 'channels.float', { to: 1 }),
      node('Sqrt', 'channels.float', 'root'),
      node('Div', 'dropped root', 'scaled'),
      node('Shape', 'scaled', 'shape2'),
      constant('zero', int('', 0)),
      node('Gather', 'shape2 zero', 'batch'),
      axes('batch', 'batch.list'),
      node('Concat', 'batch.list flat', 'wanted', { axis: 0 }),
      node('Reshape', 'scaled wanted', 'features'),
      node('Transpose', 'w2', 'w2.turned', { perm: [1, 0] }),
      node('MatMul', 'features w2.turned', 'product'),
      node('Add', 'product b2', 'y'),
    ],
    inputs: [{ name: 'x', shape: ['batch', 2, 8, 8] }],
    outputs: [{ name: 'y', shape: ['batch', 5] }],
    initializers: [
      ints('first', 0),
      ints('last', -1),
      ints('lowest', -9),
      ints('back', -1),
      { name: 'low', dims: [], data: Float32Array.of(0) },
      weights('w1', 4, 2, 3, 3),
      weights('b1', 4),
      weights('shift', 4),
      positive('scale', 4),
      { ...weights('mean', 4), name: 'mean' },
      positive('variance', 4),
      weights('w2', 5, 64),
      weights('b2', 5),
    ],
  };
}

/** NHWC in and out, transposes around every convolution, and a shape made of a slice of a shape. */
const tf2onnx: ModelSpec = {
  opset: 13,
  nodes: [
    node('Transpose', 'image', 'image.nchw', { perm: [0, 3, 1, 2] }),
    node('Conv', 'image.nchw k1', 'c1', { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3], strides: [2, 2] }),
    node('Transpose', 'c1', 'c1.nhwc', { perm: [0, 2, 3, 1] }),
    node('Add', 'c1.nhwc bias', 'biased'),
    node('Relu', 'biased', 'r1'),
    node('Transpose', 'r1', 'r1.nchw', { perm: [0, 3, 1, 2] }),
    node('Conv', 'r1.nchw k2', 'c2', { auto_pad: 'SAME_UPPER', kernel_shape: [1, 1] }),
    node('Transpose', 'c2', 'c2.nhwc', { perm: [0, 2, 3, 1] }),
    // Channels shuffled: groups moved behind the channels of a group.
    constant('groups', ints('', 0, 4, 4, 2, 3)),
    node('Reshape', 'c2.nhwc groups', 'grouped'),
    node('Transpose', 'grouped', 'shuffled', { perm: [0, 1, 2, 4, 3] }),
    node('Shape', 'shuffled', 'shape'),
    node('Cast', 'shape', 'shape.32', { to: 6 }),
    node('Slice', 'shape.32 begin end begin', 'batch'),
    node('Concat', 'batch rest', 'wanted.32', { axis: 0 }),
    node('Cast', 'wanted.32', 'wanted', { to: 7 }),
    node('Reshape', 'shuffled wanted', 'flat'),
    node('MatMul', 'flat dense', 'scores'),
    node('Softmax', 'scores', 'probabilities', { axis: -1 }),
    node('Identity', 'probabilities', 'Identity:0'),
  ],
  inputs: [{ name: 'image', shape: ['unk__1', 8, 8, 3] }],
  outputs: [{ name: 'Identity:0', shape: ['unk__2', 4] }],
  initializers: [
    weights('k1', 5, 3, 3, 3),
    weights('bias', 5),
    weights('k2', 6, 5, 1, 1),
    ints('begin', 0),
    ints('end', 1),
    { name: 'rest', dims: [1], data: Int32Array.of(-1) },
    weights('dense', 96, 4),
  ],
};

/** Keras' separable block, flattened in its own order for a layer that no weights can be reordered for. */
const interior: ModelSpec = {
  opset: 17,
  nodes: [
    node('Conv', 'x w', 'c', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }),
    node('Shape', 'c', 'spatial', { start: 2 }),
    node('ReduceProd', 'spatial', 'pixels', { axes: [0], keepdims: 1 }),
    node('Shape', 'c', 'leading', { end: 2 }),
    node('Concat', 'leading pixels', 'wanted', { axis: 0 }),
    node('Reshape', 'c wanted', 'rows'),
    node('Transpose', 'rows', 'pixels.first', { perm: [0, 2, 1] }),
    node('Softmax', 'pixels.first', 's', { axis: -1 }),
    node('MatMul', 's v', 'y'),
  ],
  inputs: [{ name: 'x', shape: [2, 3, 6, 5] }],
  outputs: [{ name: 'y' }, { name: 'rows' }, { name: 'x' }],
  initializers: [weights('w', 7, 3, 3, 3), weights('v', 7, 3)],
};

const target = loadTarget('cambricon');

const MODELS: Readonly<Record<string, ModelSpec>> = {
  'PyTorch, opset 11': pytorch(11),
  'PyTorch, opset 17': pytorch(17),
  tf2onnx,
  'transposes inside': interior,
};

describe('as exporters write them', () => {
  it.each(Object.keys(MODELS).flatMap((name) => ['O0', 'O1'].map((passes) => [name, passes] as const)))(
    '%s, compiled with %s',
    async (name, passes) => {
      const bytes = modelBytes(MODELS[name] ?? tf2onnx);
      const graph = importOnnx(bytes);
      const feeds = new Map(graph.inputs.map(({ name: input, type }) => [input, tensor(type, randomFloats(elementCount(type.shape), 3))]));
      const compiled = compileModel(graph, { target, passes: parsePipeline(passes) });
      const outputs = expectAgreement(compiled.legal, compiled, target, feeds);
      for (const [output, value] of await runOrt(bytes, feeds)) {
        const wanted = floats(value);
        const actual = outputs.get(output) ?? [];
        expect(actual).toHaveLength(wanted.length);
        const range = wanted.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
        const worst = wanted.reduce((most, y, i) => Math.max(most, Math.abs(y - (actual[i] ?? NaN))), 0);
        expect(worst).toBeLessThanOrEqual(TOLERANCE * range);
      }
    },
  );
});
