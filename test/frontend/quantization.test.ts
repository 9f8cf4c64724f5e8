/** QuantizeLinear and DequantizeLinear around what a model computes, and casts between floats. */
import { describe, expect, test } from 'vitest';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { diagnosticOf, importSpec, importedText } from '../support/frontend.ts';
import type { ModelSpec, NodeSpec, TensorSpec, ValueSpec } from '../support/onnx-builder.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';
import { runOrt } from '../support/ort.ts';

const INITIALIZERS: readonly TensorSpec[] = [
  { name: 's', dims: [], data: Float32Array.of(0.5) },
  { name: 's2', dims: [1], data: Float32Array.of(0.25) },
  { name: 'many', dims: [2], data: Float32Array.of(0.5, 0.25) },
  { name: 's3', dims: [], data: Float32Array.of(0.3) },
  { name: 'negative', dims: [], data: Float32Array.of(-1) },
  { name: 'i8', dims: [], data: Int8Array.of(-3) },
  { name: 'u8', dims: [], data: Uint8Array.of(125) },
  { name: 'i16', dims: [], data: Int16Array.of(0) },
];

const INPUT: ValueSpec = { name: 'x', shape: [1, 2, 2, 2] };

const model = (nodes: readonly NodeSpec[], output: ValueSpec = { name: 'y' }, input: ValueSpec = INPUT): ModelSpec => ({
  opset: 19,
  nodes,
  inputs: [input],
  outputs: [output],
  initializers: INITIALIZERS,
});

const textOf = (...args: Parameters<typeof model>): readonly string[] => importedText(model(...args)).split('\n');
const errorOf = (...args: Parameters<typeof model>): string => diagnosticOf(() => importSpec(model(...args)));

const QUANTIZED = '%q: i8<0.5,-3>[1,2,2,2] = quantize(%x) {to=i8<0.5,-3>}';
const DEQUANTIZED = '%y: f32[1,2,2,2] = dequantize(%q)';

describe('quantization of computed values', () => {
  test.each<[string, string]>([
    ['signed', 'i8'],
    ['unsigned, which is signed less 128', 'u8'],
  ])('%s', (_, zero) => {
    const nodes = [node('QuantizeLinear', `x s ${zero}`, 'q', { axis: 1 }), node('DequantizeLinear', `q s ${zero}`, 'y')];
    expect(textOf(nodes)).toEqual([QUANTIZED, DEQUANTIZED, 'output "y" = %y']);
  });

  test('unsigned with the zero point 0 where there is none', () => {
    const [first] = textOf([node('QuantizeLinear', 'x s', 'q'), node('DequantizeLinear', 'q s', 'y')]);
    expect(first).toBe('%q: i8<0.5,-128>[1,2,2,2] = quantize(%x) {to=i8<0.5,-128>}');
  });

  test('between them, what moves elements or takes maxima', () => {
    const nodes = [
      node('QuantizeLinear', 'x s u8', 'q'),
      node('MaxPool', 'q', 'm', { kernel_shape: [2, 1] }),
      node('Transpose', 'm', 't', { perm: [0, 2, 3, 1] }),
      node('Concat', 't t', 'c', { axis: 3 }),
      node('Flatten', 'c', 'f'),
      node('DequantizeLinear', 'f s u8', 'y'),
    ];
    expect(textOf(nodes).at(-2)).toBe('%y: f32[1,8] = dequantize(%f)');
  });

  test('a signed output', () => {
    expect(textOf([node('QuantizeLinear', 'x s i8', 'y')], { name: 'y', dataType: 3 })).toHaveLength(2);
  });

  test.each<[string, Parameters<typeof model>]>([
    [
      'unsupported onnx/unsupported-type: output y: unsigned quantized integers are not supported as an output, signed ones are (quantize to int8, or output what DequantizeLinear gives)',
      [[node('QuantizeLinear', 'x s u8', 'q'), node('Flatten', 'q', 'y')], { name: 'y', dataType: 2 }],
    ],
    [
      'unsupported onnx/unsupported-scale: n: QuantizeLinear of i16 is only supported with the zero point 0 and a scale of 1, 1/2, 1/4, … 2^-15, not 0 and 0.30000001192092896',
      [[node('QuantizeLinear', 'x s3 i16', 'y', {}, 'n')]],
    ],
    [
      'unsupported onnx/unsupported-scale: n: QuantizeLinear with 2 scales is only supported on constants',
      [[node('QuantizeLinear', 'x many', 'y', {}, 'n')]],
    ],
    ['invalid onnx/bad-node: n: the scale must be a positive number, not -1', [[node('QuantizeLinear', 'x negative', 'y', {}, 'n')]]],
    [
      'unsupported onnx/unsupported-scale: n: DequantizeLinear as i8<0.25,-3> of a value that was quantized as i8<0.5,-3> is not supported',
      [[node('QuantizeLinear', 'x s i8', 'q'), node('DequantizeLinear', 'q s2 i8', 'y', {}, 'n')]],
    ],
    [
      'invalid onnx/bad-node: n: the zero point must be u8, not i8',
      [[node('QuantizeLinear', 'x s u8', 'q'), node('DequantizeLinear', 'q s i8', 'y', {}, 'n')]],
    ],
    [
      'unsupported onnx/unsupported-type: n: Add of quantized integers is not supported, only of what DequantizeLinear gives',
      [[node('QuantizeLinear', 'x s i8', 'q'), node('Add', 'q q', 'y', {}, 'n')]],
    ],
    [
      'unsupported onnx/unsupported-type: n: Relu of quantized integers is not supported, only of what DequantizeLinear gives',
      [[node('QuantizeLinear', 'x s i8', 'q'), node('Relu', 'q', 'y', {}, 'n')]],
    ],
    [
      'unsupported onnx/unsupported-type: n: DequantizeLinear of i8 is only supported of what QuantizeLinear has made, and of constants',
      [[node('DequantizeLinear', 'x s i8', 'y', {}, 'n')], { name: 'y' }, { ...INPUT, dataType: 3 }],
    ],
  ])('%s', (message, args) => {
    expect(errorOf(...args)).toBe(message);
  });

  test('a quantized convolution is what it is to onnxruntime', async () => {
    const weights = Uint8Array.from({ length: 24 }, (_, i) => (i * 37) % 256);
    const spec: ModelSpec = {
      ...model([
        node('QuantizeLinear', 'x s u8', 'q'),
        node('DequantizeLinear', 'q s u8', 'dx'),
        node('DequantizeLinear', 'w ws wz', 'dw', { axis: 0 }),
        node('DequantizeLinear', 'b bs', 'db', { axis: 0 }),
        node('Conv', 'dx dw db', 'c', { pads: [1, 1, 0, 0] }),
        node('Relu', 'c', 'r'),
        node('QuantizeLinear', 'r s2', 'qr'),
        node('DequantizeLinear', 'qr s2', 'y'),
      ]),
      initializers: [
        ...INITIALIZERS.slice(0, 1),
        { name: 's2', dims: [], data: Float32Array.of(0.25) },
        { name: 'u8', dims: [], data: Uint8Array.of(125) },
        { name: 'w', dims: [3, 2, 2, 2], data: weights },
        { name: 'ws', dims: [3], data: Float32Array.of(0.015625, 0.0078125, 0.0625) },
        { name: 'wz', dims: [3], data: Uint8Array.of(128, 100, 7) },
        { name: 'b', dims: [3], data: Int32Array.of(100, -200, 3) },
        { name: 'bs', dims: [3], data: Float32Array.of(0.0078125, 0.00390625, 0.03125) },
      ],
    };
    const inputs = new Map([['x', tensor(tensorType('f32', [1, 2, 2, 2]), Float32Array.of(1.3, -0.2, 5, 0.26, -7, 3, 9, 0.75))]]);
    const wanted = (await runOrt(modelBytes(spec), inputs)).get('y');
    const found = evaluateGraph(importSpec(spec), inputs).get('y');
    if (!wanted || !found) throw new Error('there is no y');
    // Scales are powers of two and sums are exact, so that both sides are.
    expect(floats(found)).toEqual(floats(wanted));
    expect(new Set(floats(found)).size).toBeGreaterThan(5);
  });
});

describe('casts between floats', () => {
  test('of computed values', () => {
    expect(textOf([node('Cast', 'x', 'h', { to: 10 }), node('Relu', 'h', 'r'), node('Cast', 'r', 'y', { to: 1 })])).toEqual([
      '%h: f16[1,2,2,2] = cast(%x) {to=f16}',
      '%r: f16[1,2,2,2] = relu(%h)',
      '%y: f32[1,2,2,2] = cast(%r) {to=f32}',
      'output "y" = %y',
    ]);
  });

  test('a product of halves takes its bias in f32, and bounds are halves', () => {
    const half = (name: string, dims: readonly number[], ...data: number[]): TensorSpec => ({ name, dims, data: Uint16Array.from(data) });
    const spec: ModelSpec = {
      ...model(
        [node('Gemm', 'x w b', 'g'), node('Clip', 'g low high', 'c'), node('Pad', 'c pads one', 'y')],
        { name: 'y', dataType: 10 },
        { name: 'x', shape: [1, 2], dataType: 10 },
      ),
      initializers: [
        half('w', [2, 1], 0x3c00, 0x3c00),
        half('b', [1], 0x3c00),
        half('low', [], 0),
        half('high', [], 0x4000),
        half('one', [], 0x3c00),
        { name: 'pads', dims: [4], data: BigInt64Array.of(0n, 0n, 0n, 1n) },
      ],
    };
    expect(importedText(spec).split('\n')).toEqual([
      '%g.bias: f32[1] = cast(%b) {to=f32}',
      '%g: f16[1,1] = gemm(%x, %w, %g.bias)',
      '%c: f16[1,1] = clip(%g) {min=0, max=2}',
      '%y: f16[1,2] = pad(%c) {pads=[0,0,0,1], value=1}',
      'output "y" = %y',
    ]);
  });

  test('that do not saturate are refused', () => {
    expect(errorOf([node('Cast', 'x', 'y', { to: 17, saturate: 0 }, 'n')])).toBe(
      'unsupported onnx/unsupported-attribute: n: Cast to f8e4m3 with saturate=0 is not supported',
    );
  });
});
