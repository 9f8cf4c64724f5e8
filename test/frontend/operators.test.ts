import { describe, expect, test } from 'vitest';
import { printType } from '../../compiler/ir/types.ts';
import { diagnosticOf, importSpec, importedText } from '../support/frontend.ts';
import type { AttributeSpec, ModelSpec, TensorSpec } from '../support/onnx-builder.ts';
import { node } from '../support/onnx-builder.ts';

type Operand = readonly number[] | TensorSpec;
type Attributes = Readonly<Record<string, AttributeSpec>>;

const floats = (...data: number[]): TensorSpec => ({ dims: [data.length], data: Float32Array.from(data) });
const scalar = (value: number): TensorSpec => ({ dims: [], data: Float32Array.of(value) });
const ints = (...data: number[]): TensorSpec => ({ dims: [data.length], data: BigInt64Array.from(data, BigInt) });
const bool = (value: boolean): TensorSpec => ({ dims: [], data: Uint8Array.of(Number(value)), dataType: 9 });

/** A model of one node: operands that are shapes are inputs x0, x1, …; tensors are constants; undefined ones are left out. */
function single(
  opset: number,
  op: string,
  operands: readonly (Operand | undefined)[],
  attributes: Attributes = {},
  outputs = 'y',
): ModelSpec {
  const isShape = (operand: Operand | undefined): operand is readonly number[] => operand !== undefined && !('dims' in operand);
  const name = (i: number): string => `x${i}`;
  return {
    opset,
    nodes: [node(op, operands.map((operand, i) => (operand ? name(i) : '_')).join(' '), outputs, attributes, 'n')],
    inputs: operands.flatMap((operand, i) => (isShape(operand) ? [{ name: name(i), shape: operand }] : [])),
    outputs: [{ name: 'y' }],
    initializers: operands.flatMap((operand, i) => (operand && !isShape(operand) ? [{ ...operand, name: name(i) }] : [])),
  };
}

/** The ops that a node becomes, an output that is no op as it is. */
function opsOf(...args: Parameters<typeof single>): string {
  return importedText(single(...args)).replace(/\n?output "y" = %y$/, '');
}

const errorOf = (...args: Parameters<typeof single>): string => diagnosticOf(() => importSpec(single(...args)));

const BATCH_NORM: Operand[] = [[1, 2, 3, 3], floats(1, 1), floats(0, 0), floats(0, 0), floats(1, 1)];
const NORMALISED = '%y: f32[1,2,3,3] = batch-norm(%x0, %x1, %x2, %x3, %x4)';

describe('operators with one counterpart', () => {
  test.each<[string, string]>([
    [opsOf(6, 'Relu', [[2, 3]]), '%y: f32[2,3] = relu(%x0)'],
    [opsOf(26, 'Relu', [[2, 3]]), '%y: f32[2,3] = relu(%x0)'],
    [opsOf(13, 'Identity', [[2, 3]]), '%y: f32[2,3] = identity(%x0)'],
    [opsOf(7, 'Add', [[2, 3], [3]]), '%y: f32[2,3] = add(%x0, %x1)'],
    [opsOf(6, 'Sub', [[2, 3], [3]], { broadcast: 1 }), '%y: f32[2,3] = sub(%x0, %x1)'],
    [opsOf(13, 'Mul', [[2, 1], [3]]), '%y: f32[2,3] = mul(%x0, %x1)'],
    [opsOf(14, 'Div', [[2, 3], []]), '%y: f32[2,3] = div(%x0, %x1)'],
    [
      opsOf(13, 'MatMul', [
        [4, 2, 3],
        [3, 5],
      ]),
      '%y: f32[4,2,5] = matmul(%x0, %x1)',
    ],
    [
      opsOf(13, 'Gemm', [
        [2, 3],
        [3, 4],
      ]),
      '%y: f32[2,4] = gemm(%x0, %x1)',
    ],
    [
      opsOf(9, 'Gemm', [[3, 2], [4, 3], [4]], { transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } }),
      '%y: f32[2,4] = gemm(%x0, %x1, %x2) {alpha=0.5, beta=2, trans_a=true, trans_b=true}',
    ],
    [opsOf(6, 'Gemm', [[2, 3], [3, 4], [4]], { broadcast: 1 }), '%y: f32[2,4] = gemm(%x0, %x1, %x2)'],
    [opsOf(9, 'Flatten', [[2, 3, 4]]), '%y: f32[2,12] = flatten(%x0)'],
    [opsOf(13, 'Flatten', [[2, 3, 4]], { axis: -1 }), '%y: f32[6,4] = flatten(%x0) {axis=-1}'],
    [opsOf(13, 'Transpose', [[2, 3, 4]]), '%y: f32[4,3,2] = transpose(%x0) {perm=[2,1,0]}'],
    [opsOf(13, 'Transpose', [[2, 3, 4]], { perm: [0, 2, 1] }), '%y: f32[2,4,3] = transpose(%x0) {perm=[0,2,1]}'],
  ])('%#', (actual, expected) => {
    expect(actual).toBe(expected);
  });

  test('broadcasting at an axis, as before opset 7', () => {
    expect(opsOf(6, 'Add', [[2, 3, 4], [3]], { broadcast: 1, axis: 1 })).toBe(
      '%y.b: f32[3,1] = reshape(%x1) {shape=[3,1]}\n%y: f32[2,3,4] = add(%x0, %y.b)',
    );
    expect(errorOf(6, 'Add', [[2, 3], [3]], { broadcast: 1, axis: 2 })).toBe('invalid onnx/bad-node: n: axis 2 leaves no room for [3]');
    expect(errorOf(7, 'Add', [[2, 3], [3]], { axis: 1 })).toBe('unsupported onnx/unsupported-attribute: n: Add with axis is not supported');
  });
});

describe('Conv', () => {
  const conv = (attributes: Attributes, x = [1, 2, 8, 8], w = [4, 2, 3, 3]): string => opsOf(11, 'Conv', [x, w], attributes);

  test('attributes', () => {
    expect(conv({})).toBe('%y: f32[1,4,6,6] = conv(%x0, %x1)');
    expect(conv({ strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2], kernel_shape: [3, 3] })).toBe(
      '%y: f32[1,4,5,5] = conv(%x0, %x1) {strides=[2,1], pads=[1,0,2,1], dilations=[1,2]}',
    );
    expect(conv({ group: 2 }, [1, 4, 3, 3])).toBe('%y: f32[1,4,1,1] = conv(%x0, %x1) {groups=2}');
    expect(opsOf(22, 'Conv', [[1, 2, 8, 8], [4, 2, 3, 3], [4]])).toBe('%y: f32[1,4,6,6] = conv(%x0, %x1, %x2)');
  });

  test('automatic padding', () => {
    expect(conv({ auto_pad: 'NOTSET', pads: [1, 1, 1, 1] })).toBe('%y: f32[1,4,8,8] = conv(%x0, %x1) {pads=[1,1,1,1]}');
    expect(conv({ auto_pad: 'VALID' })).toBe('%y: f32[1,4,6,6] = conv(%x0, %x1)');
    expect(conv({ auto_pad: 'SAME_UPPER', strides: [2, 2] })).toBe('%y: f32[1,4,4,4] = conv(%x0, %x1) {strides=[2,2], pads=[0,0,1,1]}');
    expect(conv({ auto_pad: 'SAME_LOWER', strides: [2, 2] })).toBe('%y: f32[1,4,4,4] = conv(%x0, %x1) {strides=[2,2], pads=[1,1,0,0]}');
    expect(conv({ auto_pad: 'SAME_UPPER', dilations: [2, 1] }, [1, 2, 8, 7])).toBe(
      '%y: f32[1,4,8,7] = conv(%x0, %x1) {pads=[2,1,2,1], dilations=[2,1]}',
    );
    expect(conv({ auto_pad: 'SAME_UPPER', strides: [3, 3] }, [1, 2, 3, 6], [4, 2, 1, 1])).toBe(
      '%y: f32[1,4,1,2] = conv(%x0, %x1) {strides=[3,3]}',
    );
  });

  test.each<[string, string]>([
    [
      errorOf(11, 'Conv', [
        [1, 2, 8],
        [4, 2, 3],
      ]),
      'unsupported onnx/unsupported-rank: n: Conv on 3 dimensions is not supported, only on images (4 dimensions)',
    ],
    [
      errorOf(
        11,
        'Conv',
        [
          [1, 2, 8, 8],
          [4, 2, 3, 3],
        ],
        { kernel_shape: [5, 5] },
      ),
      'invalid onnx/bad-node: n: kernel_shape [5,5] contradicts weights of [3,3]',
    ],
    [
      errorOf(
        11,
        'Conv',
        [
          [1, 2, 8, 8],
          [4, 2, 3, 3],
        ],
        { auto_pad: 'SAME' },
      ),
      'invalid onnx/bad-node: n: auto_pad has no value SAME',
    ],
    [
      errorOf(
        11,
        'Conv',
        [
          [1, 2, 8, 8],
          [4, 2, 3, 3],
        ],
        { auto_pad: 'VALID', pads: [1, 1, 1, 1] },
      ),
      'invalid onnx/bad-node: n: pads and auto_pad=VALID exclude each other',
    ],
    [
      errorOf(
        11,
        'Conv',
        [
          [1, 2, 8, 8],
          [4, 2, 3, 3],
        ],
        { strides: [0, 1] },
      ),
      'invalid onnx/bad-node: n: strides must be two positive integers, not [0,1]',
    ],
    [
      errorOf(11, 'Conv', [
        [1, 2, 8, 8],
        [4, 3, 3, 3],
      ]),
      'invalid onnx/bad-node: n: 1 groups of 3 input channels do not make the 2 of f32[1,2,8,8]',
    ],
  ])('error %#', (actual, expected) => {
    expect(actual).toBe(expected);
  });
});

describe('MaxPool', () => {
  const pool = (opset: number, attributes: Attributes, outputs = 'y'): string =>
    opsOf(opset, 'MaxPool', [[1, 2, 7, 7]], { kernel_shape: [3, 3], ...attributes }, outputs);

  test('attributes', () => {
    expect(pool(7, { strides: [2, 2] })).toBe('%y: f32[1,2,3,3] = max-pool(%x0) {kernel=[3,3], strides=[2,2]}');
    expect(pool(12, { strides: [3, 3], ceil_mode: 1, storage_order: 0 })).toBe(
      '%y: f32[1,2,3,3] = max-pool(%x0) {kernel=[3,3], strides=[3,3], ceil_mode=true}',
    );
    expect(pool(12, { dilations: [2, 2] })).toBe('%y: f32[1,2,3,3] = max-pool(%x0) {kernel=[3,3], dilations=[2,2]}');
  });

  test('automatic padding leaves rounding no say', () => {
    expect(pool(12, { auto_pad: 'VALID', strides: [3, 3], ceil_mode: 1 })).toBe(
      '%y: f32[1,2,2,2] = max-pool(%x0) {kernel=[3,3], strides=[3,3]}',
    );
    expect(pool(12, { auto_pad: 'SAME_LOWER', strides: [2, 2] })).toBe(
      '%y: f32[1,2,4,4] = max-pool(%x0) {kernel=[3,3], strides=[2,2], pads=[1,1,1,1]}',
    );
  });

  test('indices that no one reads are left out', () => {
    expect(pool(12, {}, 'y indices')).toBe('%y: f32[1,2,5,5] = max-pool(%x0) {kernel=[3,3]}');
  });

  test('errors', () => {
    const used = { ...single(12, 'MaxPool', [[1, 2, 7, 7]], { kernel_shape: [3, 3] }, 'y indices'), outputs: [{ name: 'indices' }] };
    expect(diagnosticOf(() => importSpec(used))).toBe(
      "unsupported onnx/unsupported-output: n: only the first output of MaxPool is supported, but 'indices' is used",
    );
    expect(errorOf(12, 'MaxPool', [[1, 2, 7, 7]])).toBe('invalid onnx/bad-node: n: MaxPool has no kernel_shape');
    expect(errorOf(12, 'MaxPool', [[1, 2, 7]], { kernel_shape: [3] })).toBe(
      'unsupported onnx/unsupported-rank: n: MaxPool on 3 dimensions is not supported, only on images (4 dimensions)',
    );
  });
});

describe('Clip', () => {
  test('bounds are attributes up to opset 10', () => {
    expect(opsOf(6, 'Clip', [[2]], { min: { float: 0 }, max: { float: 6 } })).toBe('%y: f32[2] = clip(%x0) {min=0, max=6}');
    expect(opsOf(10, 'Clip', [[2]])).toBe('%y: f32[2] = clip(%x0) {min=-3.4028235e+38, max=3.4028235e+38}');
  });

  test('bounds are constant operands from opset 11 on', () => {
    expect(opsOf(11, 'Clip', [[2], scalar(-1), scalar(1)])).toBe('%y: f32[2] = clip(%x0) {min=-1, max=1}');
    expect(opsOf(13, 'Clip', [[2], undefined, floats(6)])).toBe('%y: f32[2] = clip(%x0) {min=-3.4028235e+38, max=6}');
    expect(opsOf(13, 'Clip', [[2], scalar(0)])).toBe('%y: f32[2] = clip(%x0) {min=0, max=3.4028235e+38}');
  });

  test('errors', () => {
    expect(errorOf(13, 'Clip', [[2], []])).toBe("unsupported onnx/not-constant: n: the lower bound must be a constant, 'x1' is none");
    expect(errorOf(13, 'Clip', [[2], floats(1, 2)])).toBe('invalid onnx/bad-node: n: the lower bound must be one number, not [2]');
    expect(errorOf(13, 'Clip', [[2], ints(1)])).toBe('unsupported onnx/unsupported-type: n: Clip of i64 is not supported');
    expect(errorOf(11, 'Clip', [[2]], { min: { float: 0 } })).toBe(
      'unsupported onnx/unsupported-attribute: n: Clip with min is not supported',
    );
  });
});

describe('BatchNormalization', () => {
  test('in inference', () => {
    expect(opsOf(6, 'BatchNormalization', BATCH_NORM, { is_test: 1, spatial: 1 })).toBe(NORMALISED);
    expect(opsOf(7, 'BatchNormalization', BATCH_NORM, { momentum: { float: 0.9 } })).toBe(NORMALISED);
    expect(opsOf(13, 'BatchNormalization', BATCH_NORM)).toBe(NORMALISED);
    expect(opsOf(15, 'BatchNormalization', BATCH_NORM, { training_mode: 0 })).toBe(NORMALISED);
    expect(opsOf(15, 'BatchNormalization', BATCH_NORM, { epsilon: { float: 0.25 } })).toBe(`${NORMALISED} {epsilon=0.25}`);
  });

  test('in training is refused', () => {
    const refused = 'unsupported onnx/training: n: BatchNormalization in training mode is not supported, only inference is';
    expect(errorOf(6, 'BatchNormalization', BATCH_NORM)).toBe(refused);
    expect(errorOf(15, 'BatchNormalization', BATCH_NORM, { training_mode: 1 })).toBe(refused);
    const read = { ...single(9, 'BatchNormalization', BATCH_NORM, {}, 'y mean var'), outputs: [{ name: 'y' }, { name: 'var' }] };
    const named = "BatchNormalization that names the outputs 'mean', 'var' is in training mode, which is not supported, only inference is";
    expect(diagnosticOf(() => importSpec(read))).toBe(`unsupported onnx/training: n: ${named}`);
    const unread = { ...single(13, 'BatchNormalization', BATCH_NORM, {}, 'y mean var'), outputs: [{ name: 'y' }] };
    expect(diagnosticOf(() => importSpec(unread))).toBe(`unsupported onnx/training: n: ${named}`);
    expect(opsOf(6, 'BatchNormalization', BATCH_NORM, { is_test: 1 }, 'y mean var')).toBe(NORMALISED);
    expect(errorOf(7, 'BatchNormalization', BATCH_NORM, { spatial: 0 })).toBe(
      'unsupported onnx/unsupported-attribute: n: BatchNormalization with spatial=0 is not supported',
    );
  });
});

describe('Dropout', () => {
  const kept = '%y: f32[2] = identity(%x0)';

  test('in inference', () => {
    expect(opsOf(6, 'Dropout', [[2]], { is_test: 1, ratio: { float: 0.5 } })).toBe(kept);
    expect(opsOf(7, 'Dropout', [[2]], { ratio: { float: 0.5 } })).toBe(kept);
    expect(opsOf(12, 'Dropout', [[2], scalar(0.5)], { seed: 5 }, 'y mask')).toBe(kept);
    expect(opsOf(13, 'Dropout', [[2], scalar(0.5), bool(false)])).toBe(kept);
    expect(opsOf(22, 'Dropout', [[2], undefined, undefined])).toBe(kept);
  });

  test('in training is refused', () => {
    const refused = 'unsupported onnx/training: n: Dropout in training mode is not supported, only inference is';
    expect(errorOf(6, 'Dropout', [[2]])).toBe(refused);
    expect(errorOf(13, 'Dropout', [[2], scalar(0.5), bool(true)])).toBe(refused);
    expect(errorOf(13, 'Dropout', [[2], scalar(0.5), []])).toBe(
      "unsupported onnx/not-constant: n: the training mode must be a constant, 'x2' is none",
    );
  });

  test('at a ratio of 0 drops nothing in training either', () => {
    expect(opsOf(13, 'Dropout', [[2], scalar(0), bool(true)])).toBe(kept);
    expect(errorOf(13, 'Dropout', [[2], undefined, bool(true)])).toContain('onnx/training');
  });

  test('keeps everything, says the mask', () => {
    const outputs = [{ name: 'y' }, { name: 'mask', dataType: 9 }];
    const graph = importSpec({ ...single(13, 'Dropout', [[2]], {}, 'y mask'), outputs });
    expect(graph.node('mask')).toMatchObject({
      kind: 'constant',
      value: { type: { element: 'i1', shape: [2] }, data: Uint8Array.of(1, 1) },
    });
  });

  test('a mask as it was before opset 12 is refused', () => {
    const used = { ...single(11, 'Dropout', [[2]], {}, 'y mask'), outputs: [{ name: 'y' }, { name: 'mask' }] };
    expect(diagnosticOf(() => importSpec(used))).toBe(
      "unsupported onnx/unsupported-output: n: only the first output of Dropout is supported, but 'mask' is used",
    );
  });
});

describe('Reshape', () => {
  const reshape = (shape: number[], attributes: Attributes = {}, x = [2, 3, 4]): string =>
    opsOf(14, 'Reshape', [x, ints(...shape)], attributes);

  test('shapes', () => {
    expect(reshape([4, 6])).toBe('%y: f32[4,6] = reshape(%x0) {shape=[4,6]}');
    expect(reshape([0, -1])).toBe('%y: f32[2,12] = reshape(%x0) {shape=[2,12]}');
    expect(reshape([-1, 0, 2])).toBe('%y: f32[4,3,2] = reshape(%x0) {shape=[4,3,2]}');
    expect(reshape([], {}, [1, 1])).toBe('%y: f32[] = reshape(%x0) {shape=[]}');
    expect(reshape([3, 0], { allowzero: 1 }, [0, 5])).toBe('%y: f32[3,0] = reshape(%x0) {shape=[3,0]}');
    expect(opsOf(6, 'Reshape', [[2, 3], ints(3, -1)])).toBe('%y: f32[3,2] = reshape(%x0) {shape=[3,2]}');
  });

  test('errors', () => {
    expect(errorOf(13, 'Reshape', [[2, 3], ints(4, -1)])).toBe('invalid onnx/bad-node: n: [2,3] does not divide into a shape [4,-1]');
    expect(errorOf(13, 'Reshape', [[2, 3], ints(-1, -1)])).toBe('invalid onnx/bad-node: n: a shape [-1,-1] has two open dimensions');
    expect(errorOf(13, 'Reshape', [[2, 3], ints(2, 3, 0)])).toBe('invalid onnx/bad-node: n: no dimension 2 of [2,3] to keep');
    expect(errorOf(13, 'Reshape', [[2, 3], ints(7)])).toBe('invalid onnx/bad-node: n: f32[2,3] does not have the elements of a shape [7]');
    expect(errorOf(13, 'Reshape', [[2, 3], floats(6)])).toBe('invalid onnx/bad-node: n: the shape must be a list of integers');
    expect(errorOf(13, 'Reshape', [[2, 3], [1]])).toBe("unsupported onnx/not-constant: n: the shape must be a constant, 'x1' is none");
    expect(errorOf(13, 'Reshape', [[2, 3]])).toBe('invalid onnx/bad-node: n: Reshape has no shape');
  });
});

describe('Squeeze and Unsqueeze', () => {
  test('axes are an attribute up to opset 12', () => {
    expect(opsOf(11, 'Squeeze', [[1, 3, 1]], { axes: [0] })).toBe('%y: f32[3,1] = reshape(%x0) {shape=[3,1]}');
    expect(opsOf(11, 'Squeeze', [[1, 3, 1]])).toBe('%y: f32[3] = reshape(%x0) {shape=[3]}');
    expect(opsOf(11, 'Unsqueeze', [[2, 3]], { axes: [0, -1] })).toBe('%y: f32[1,2,3,1] = reshape(%x0) {shape=[1,2,3,1]}');
  });

  test('axes are a constant operand from opset 13 on', () => {
    expect(opsOf(13, 'Squeeze', [[1, 3, 1], ints(-1)])).toBe('%y: f32[1,3] = reshape(%x0) {shape=[1,3]}');
    expect(opsOf(13, 'Squeeze', [[1, 3, 1]])).toBe('%y: f32[3] = reshape(%x0) {shape=[3]}');
    expect(opsOf(21, 'Unsqueeze', [[2, 3], ints(2, 0)])).toBe('%y: f32[1,2,1,3] = reshape(%x0) {shape=[1,2,1,3]}');
  });

  test('errors', () => {
    expect(errorOf(13, 'Squeeze', [[1, 3], ints(1)])).toBe('invalid onnx/bad-node: n: dimension 1 of [1,3] is not 1');
    expect(errorOf(13, 'Squeeze', [[1, 3], ints(2)])).toBe('invalid onnx/bad-node: n: axes [2] are not distinct ones of 2 dimensions');
    expect(errorOf(13, 'Unsqueeze', [[2], ints(0, -3)])).toBe(
      'invalid onnx/bad-node: n: axes [0,-3] are not distinct ones of 3 dimensions',
    );
    expect(errorOf(13, 'Unsqueeze', [[2]])).toBe('invalid onnx/bad-node: n: Unsqueeze has no axes');
    expect(errorOf(13, 'Unsqueeze', [[2], [1]])).toBe("unsupported onnx/not-constant: n: the axes must be a constant, 'x1' is none");
  });
});

describe('Constant', () => {
  const added = (attributes: Attributes): string => {
    const nodes = [node('Constant', '', 'c', attributes, 'n'), node('Add', 'x c', 'y')];
    const graph = importSpec({ nodes, inputs: [{ name: 'x', shape: [2] }], outputs: [{ name: 'y' }] });
    const constant = graph.node('c');
    return constant.kind === 'constant' ? `[${constant.type.shape.join()}] ${[...constant.value.data].join()}` : constant.kind;
  };

  test('in every form', () => {
    expect(added({ value: { tensor: floats(1, 2) } })).toBe('[2] 1,2');
    expect(added({ value_float: { float: 0.5 } })).toBe('[] 0.5');
    expect(added({ value_floats: { floats: [1, 2] } })).toBe('[2] 1,2');
    const reshaped = (attributes: Attributes, shape: string): void => {
      const nodes = [node('Constant', '', 'c', attributes), node('Reshape', 'x c', 'y')];
      expect(importedText({ nodes, inputs: [{ name: 'x', shape: [6] }], outputs: [{ name: 'y' }] })).toContain(`{shape=[${shape}]}`);
    };
    reshaped({ value_int: -1 }, '6');
    reshaped({ value_ints: [2, -1] }, '2,3');
  });

  test('errors', () => {
    const error = (attributes: Attributes): string => diagnosticOf(() => added(attributes));
    expect(error({ value_strings: { strings: ['a'] } })).toBe(
      'unsupported onnx/unsupported-attribute: n: Constant with value_strings is not supported',
    );
    expect(error({ value_string: 'a' })).toBe('unsupported onnx/unsupported-attribute: n: Constant with value_string is not supported');
    expect(error({})).toBe('invalid onnx/bad-node: n: Constant has no value');
    expect(error({ value: { tensor: { dims: [1], data: Float64Array.of(1) } } })).toBe(
      'unsupported onnx/unsupported-type: n: element type double is not supported',
    );
  });

  test('a double is refused where it is read, also as an initializer', () => {
    expect(errorOf(13, 'Add', [[1], { dims: [1], data: Float64Array.of(1) }])).toBe(
      'unsupported onnx/unsupported-type: initializer x1: element type double is not supported',
    );
  });
});

describe('ConstantOfShape', () => {
  const filled = (shape: number[], attributes: Attributes = {}): string => {
    const nodes = [node('ConstantOfShape', 's', 'c', attributes, 'n'), node('Identity', 'c', 'y')];
    const graph = importSpec({
      nodes,
      outputs: [{ name: 'y', ...dataType(attributes) }],
      initializers: [{ ...ints(...shape), name: 's' }],
    });
    const constant = graph.node('y');
    return constant.kind === 'constant' ? `${printType(constant.type)} ${[...constant.value.data].join()}` : constant.kind;
  };
  const dataType = (attributes: Attributes): { dataType?: number } => (Object.keys(attributes).length > 0 ? { dataType: 7 } : {});

  test('of zeros, or of a value', () => {
    expect(filled([2, 2])).toBe('f32[2,2] 0,0,0,0');
    expect(filled([2], { value: { tensor: ints(3) } })).toBe('i64[2] 3,3');
    expect(filled([])).toBe('f32[] 0');
    expect(filled([0, 3])).toBe('f32[0,3] ');
  });

  test('errors', () => {
    const error = (shape: number[], attributes: Attributes = {}): string => diagnosticOf(() => filled(shape, attributes));
    expect(error([2], { value: { tensor: ints(1, 2) } })).toBe('invalid onnx/bad-node: n: the value must be one element, not 2');
    expect(error([-1])).toBe('invalid onnx/bad-node: n: -1 is no dimension');
    expect(error([2 ** 20, 2 ** 20])).toBe('invalid onnx/bad-node: n: [1048576,1048576] is larger than the address space');
    expect(error([2 ** 29])).toBe(
      "unsupported onnx/too-large: n: computing the model's constants takes more than the memory budget of 512 MiB (raise it with --memory-budget or PLUMBLINE_MEMORY_BUDGET, such as --memory-budget 2GiB)",
    );
    expect(errorOf(13, 'ConstantOfShape', [[2]])).toContain('only supported on values that are known at compile time: ConstantOfShape ×1');
  });
});
