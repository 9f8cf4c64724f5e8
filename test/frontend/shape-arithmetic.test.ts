/** What exporters compute around networks is evaluated at import: shapes, axes, bounds, and whatever depends on constants alone. */
import { describe, expect, test } from 'vitest';
import { EVALUATED_OPERATORS } from '../../compiler/frontend/shape-arithmetic.ts';
import { printType } from '../../compiler/ir/types.ts';
import { diagnosticOf, importSpec, importedText } from '../support/frontend.ts';
import type { AttributeSpec, ModelSpec, TensorSpec } from '../support/onnx-builder.ts';
import { node } from '../support/onnx-builder.ts';

type Attributes = Readonly<Record<string, AttributeSpec>>;

const floats = (...data: number[]): TensorSpec => ({ dims: [data.length], data: Float32Array.from(data) });
const ints = (...data: number[]): TensorSpec => ({ dims: [data.length], data: BigInt64Array.from(data, BigInt) });
const int = (value: number): TensorSpec => ({ dims: [], data: BigInt64Array.of(BigInt(value)) });
const bools = (...data: number[]): TensorSpec => ({ dims: [data.length], data: Uint8Array.from(data), dataType: 9 });
const shaped = (dims: number[], spec: TensorSpec): TensorSpec => ({ ...spec, dims });
const number = (value: number): TensorSpec => shaped([], floats(value));
/** A zero point, or several integers that are still to be shaped. */
const bytes = (...data: number[]): TensorSpec => ({ dims: [], data: Int8Array.from(data) });
const unsigned = (...data: number[]): TensorSpec => ({ dims: [data.length], data: Uint8Array.from(data) });
const grid = shaped([2, 3], ints(1, 2, 3, 4, 5, 6));

type Operand = TensorSpec | 'x' | undefined;

/** A model of one node on constants and on the input x of [2,3,4]; its outputs are y, y1, … */
function single(opset: number, op: string, operands: readonly Operand[], attributes: Attributes = {}, outputs = 1): ModelSpec {
  const name = (operand: Operand, i: number): string => (operand === 'x' ? 'x' : operand ? `c${i}` : '_');
  const results = Array.from({ length: outputs }, (_, i) => (i === 0 ? 'y' : `y${i}`));
  return {
    opset,
    nodes: [node(op, operands.map(name).join(' '), results.join(' '), attributes, 'n')],
    inputs: [{ name: 'x', shape: [2, 3, 4] }],
    outputs: results.map((result) => ({ name: result, untyped: true })),
    initializers: operands.flatMap((operand, i) => (operand && operand !== 'x' ? [{ ...operand, name: `c${i}` }] : [])),
  };
}

/** The values of a model's outputs, which are constants and all that there is. */
function valuesOf(spec: ModelSpec): string {
  const graph = importSpec(spec);
  expect(graph.ops).toEqual([]);
  return graph.outputs
    .map(({ value }) => {
      const output = graph.node(value);
      if (output.kind !== 'constant') throw new Error(`%${value} is no constant`);
      return `${printType(output.type)} ${Array.from(output.value.data, String).join(' ')}`;
    })
    .join(', ');
}

type Case = [name: string, values: string, ...Parameters<typeof single>];

const CASES: readonly Case[] = [
  ['the shape of an input', 'i64[3] 2 3 4', 13, 'Shape', ['x']],
  ['the shape of a constant', 'i64[2] 2 3', 13, 'Shape', [grid]],
  ['from a dimension on', 'i64[2] 3 4', 15, 'Shape', ['x'], { start: 1 }],
  ['between dimensions counted from the end', 'i64[1] 3', 15, 'Shape', ['x'], { start: -2, end: -1 }],
  ['bounds are cut off', 'i64[3] 2 3 4', 15, 'Shape', ['x'], { start: -9, end: 9 }],
  ['from behind the end on', 'i64[0] ', 15, 'Shape', ['x'], { start: 2, end: 1 }],
  ['elements', 'i64[] 24', 13, 'Size', ['x']],

  ['one index', 'i64[] 7', 13, 'Gather', [ints(5, 6, 7), int(2)]],
  ['an index from the end', 'i64[] 7', 13, 'Gather', [ints(5, 6, 7), int(-1)]],
  ['several indices', 'i64[3] 7 5 7', 13, 'Gather', [ints(5, 6, 7), ints(2, 0, 2)]],
  ['along another dimension', 'i64[2,1] 3 6', 13, 'Gather', [grid, ints(2)], { axis: 1 }],
  ['of floats', 'f32[1] 2.5', 13, 'Gather', [floats(1.5, 2.5), ints(1)], { axis: -1 }],
  ['of truth values', 'i1[1] 1', 13, 'Gather', [bools(0, 1), ints(1)]],
  ['no index', 'i64[0] ', 13, 'Gather', [ints(5), ints()]],

  ['bounds as attributes', 'i64[2] 6 7', 9, 'Slice', [ints(5, 6, 7)], { starts: [1], ends: [3], axes: [0] }],
  ['bounds as operands', 'i64[2] 6 7', 10, 'Slice', [ints(5, 6, 7), ints(1), ints(3)]],
  ['from the end', 'i64[1] 6', 13, 'Slice', [ints(5, 6, 7), ints(-2), ints(-1), ints(-1)]],
  ['cut off', 'i64[3] 5 6 7', 13, 'Slice', [ints(5, 6, 7), ints(-9), { ...ints(0), data: BigInt64Array.of(2n ** 63n - 1n) }]],
  ['in steps', 'i64[2] 5 7', 13, 'Slice', [ints(5, 6, 7), ints(0), ints(9), ints(0), ints(2)]],
  [
    'backwards',
    'i64[3] 7 6 5',
    13,
    'Slice',
    [ints(5, 6, 7), ints(-1), { ...ints(0), data: BigInt64Array.of(-(2n ** 63n)) }, ints(0), ints(-1)],
  ],
  ['backwards in steps', 'i64[2] 7 5', 13, 'Slice', [ints(5, 6, 7), ints(9), ints(-9), ints(0), ints(-2)]],
  ['of several dimensions', 'i64[1,2] 6 5', 13, 'Slice', [grid, ints(1, -1), ints(2, 0), ints(0, 1), ints(1, -1)]],
  ['nothing', 'i64[0] ', 13, 'Slice', [ints(5, 6, 7), ints(2), ints(1)]],
  ['nothing of nothing', 'i64[0] ', 13, 'Slice', [ints(), ints(-1), ints(-9), ints(0), ints(-1)]],

  ['of lists', 'i64[3] 1 2 3', 13, 'Concat', [ints(1), ints(2, 3)], { axis: 0 }],
  ['of one', 'i64[1] 1', 13, 'Concat', [ints(1)], { axis: -1 }],
  ['of rows', 'i64[2,4] 1 2 3 1 4 5 6 4', 13, 'Concat', [grid, shaped([2, 1], ints(1, 4))], { axis: 1 }],

  ['to floats', 'f32[2] 1 -2', 13, 'Cast', [ints(1, -2)], { to: 1 }],
  ['to integers, toward zero', 'i64[4] 1 -1 2 -2', 13, 'Cast', [floats(1.9, -1.9, 2, -2.5)], { to: 7 }],
  ['to smaller integers, around', 'i8[2] 44 -1', 13, 'Cast', [ints(300, -1)], { to: 3 }],
  ['to truth values', 'i1[3] 1 0 1', 13, 'Cast', [floats(0.5, 0, NaN)], { to: 9 }],
  ['from truth values', 'i32[2] 1 0', 13, 'Cast', [bools(1, 0)], { to: 6 }],
  ['to its own type', 'i64[1] 3', 13, 'Cast', [ints(3)], { to: 7 }],
  [
    'from halves',
    'f32[4] 1 -2.5 5.960464477539063e-8 Infinity',
    13,
    'Cast',
    [{ dims: [4], data: Uint16Array.of(0x3c00, 0xc100, 1, 0x7c00) }],
    { to: 1 },
  ],
  ['to halves', 'f16[3] 15360 49408 31744', 13, 'Cast', [floats(1, -2.5, 1e6)], { to: 10 }],
  ['from halves to 8 bits', 'f8e4m3[2] 56 126', 19, 'Cast', [{ dims: [2], data: Uint16Array.of(0x3c00, 0x7c00) }], { to: 17 }],
  ['from bfloat16', 'f32[2] 1 -2.5', 13, 'Cast', [{ dims: [2], data: Uint16Array.of(0x3f80, 0xc020), dataType: 16 }], { to: 1 }],

  ['ties to even, saturated', 'i8[5] 3 3 5 127 -128', 13, 'QuantizeLinear', [floats(0.25, -0.25, 0.75, 99, -99), number(0.5), bytes(3)]],
  ['unsigned unless told otherwise', 'u8[4] 0 2 255 0', 13, 'QuantizeLinear', [floats(0, 1, 999, NaN), number(0.5)]],
  [
    'with a scale for each row',
    'u8[2,2] 12 14 14 18',
    19,
    'QuantizeLinear',
    [shaped([2, 2], floats(1, 2, 1, 2)), floats(0.5, 0.25), unsigned(10, 10)],
    { axis: -2, saturate: 1 },
  ],
  ['of signed integers', 'f32[3] 0 -2 -65.5', 13, 'DequantizeLinear', [shaped([3], bytes(3, -1, -128)), number(0.5), bytes(3)]],
  ['of unsigned integers', 'f32[2] 0 127.5', 13, 'DequantizeLinear', [shaped([2], unsigned(0, 255)), number(0.5)]],
  ['of a bias', 'f32[2] 0.5 -0.75', 13, 'DequantizeLinear', [{ dims: [2], data: Int32Array.of(1, -3) }, floats(0.5, 0.25)], { axis: 0 }],
  [
    'with a scale for each column',
    'f32[2,2] -1 0.5 0 1.5',
    13,
    'DequantizeLinear',
    [shaped([2, 2], bytes(1, 2, 2, 4)), floats(1, 0.5), shaped([2], bytes(2, 1))],
  ],

  ['of zeros', 'f32[2] 0 0', 9, 'ConstantOfShape', [ints(2)]],
  ['of ones', 'i64[2] 1 1', 9, 'ConstantOfShape', [ints(2)], { value: { tensor: ints(1) } }],

  ['all of them', 'i64[] 4', 11, 'Squeeze', [shaped([1, 1], ints(4))]],
  ['axes as an attribute', 'i64[1] 4', 11, 'Squeeze', [shaped([1, 1], ints(4))], { axes: [0] }],
  ['axes as an operand', 'i64[1] 4', 13, 'Squeeze', [shaped([1, 1], ints(4)), ints(-1)]],
  ['axes as an attribute', 'i64[1] 4', 11, 'Unsqueeze', [int(4)], { axes: [0] }],
  ['axes as an operand', 'i64[1,1] 4', 13, 'Unsqueeze', [int(4), ints(0, 1)]],
  ['of a constant', 'i64[3,2] 1 2 3 4 5 6', 13, 'Reshape', [grid, ints(-1, 2)]],
  ['of a constant', 'i64[1,6] 1 2 3 4 5 6', 13, 'Flatten', [grid], { axis: 0 }],
  ['of a constant', 'i64[3,2] 1 4 2 5 3 6', 13, 'Transpose', [grid]],
  ['of a constant', 'i1[2] 1 0', 13, 'Identity', [bools(1, 0)]],

  ['of integers', 'i64[2] 4 6', 13, 'Add', [ints(1, 2), ints(3, 4)]],
  ['of integers that broadcast', 'i64[2,3] 11 12 13 14 15 16', 13, 'Add', [grid, int(10)]],
  ['of integers in an old form', 'i64[2] 4 5', 6, 'Add', [ints(1, 2), int(3)], { broadcast: 1 }],
  ['of integers, around', `i64[1] ${-(2n ** 63n)}`, 13, 'Add', [{ dims: [1], data: BigInt64Array.of(2n ** 63n - 1n) }, ints(1)]],
  [
    'of small integers, around',
    'i32[1] -2147483648',
    13,
    'Add',
    [
      { dims: [1], data: Int32Array.of(2 ** 31 - 1) },
      { dims: [1], data: Int32Array.of(1) },
    ],
  ],
  ['of floats', 'f32[1] 0.30000001192092896', 13, 'Add', [floats(0.1), floats(0.2)]],
  ['of integers', 'i64[1] -2', 13, 'Sub', [ints(1), ints(3)]],
  ['of floats', 'f32[1] -2', 13, 'Sub', [floats(1), floats(3)]],
  ['of integers', 'i64[1] -6', 13, 'Mul', [ints(2), ints(-3)]],
  [
    'of small integers, around',
    'i32[1] 1',
    13,
    'Mul',
    [
      { dims: [1], data: Int32Array.of(2 ** 31 - 1) },
      { dims: [1], data: Int32Array.of(2 ** 31 - 1) },
    ],
  ],
  ['of floats', 'f32[1] 2.25', 13, 'Mul', [floats(1.5), floats(1.5)]],
  ['of integers, toward zero', 'i64[4] 3 -3 -3 3', 13, 'Div', [ints(7, -7, 7, -7), ints(2, 2, -2, -2)]],
  ['of floats', 'f32[2] 3.5 Infinity', 13, 'Div', [floats(7, 1), floats(2, 0)]],
  ['with the sign of the divisor', 'i64[4] 1 1 -1 -1', 13, 'Mod', [ints(7, -7, 7, -7), ints(2, 2, -2, -2)]],
  ['with the sign of the dividend', 'i64[4] 1 -1 1 -1', 13, 'Mod', [ints(7, -7, 7, -7), ints(2, 2, -2, -2)], { fmod: 1 }],
  ['of floats', 'f32[2] 1.5 -1.5', 13, 'Mod', [floats(5.5, -5.5), floats(2, 2)], { fmod: 1 }],
  ['of integers', 'i64[2] -1 2', 13, 'Neg', [ints(1, -2)]],
  ['of floats', 'f32[2] -1.5 0', 13, 'Neg', [floats(1.5, -0)]],
  ['of integers', 'i64[2] 1 2', 13, 'Abs', [ints(1, -2)]],
  ['of floats', 'f32[2] 1 -2', 13, 'Floor', [floats(1.5, -1.5)]],
  ['of floats', 'f32[2] 2 -1', 13, 'Ceil', [floats(1.5, -1.5)]],
  ['of floats', 'f32[3] 3 1.4142135381698608 NaN', 13, 'Sqrt', [floats(9, 2, -1)]],
  ['of integers', 'i64[2] 1 2', 13, 'Min', [ints(1, 9), ints(7, 2), ints(8, 8)]],
  ['of floats', 'f32[2] 7 NaN', 13, 'Max', [floats(1, NaN), floats(7, 2)]],
  ['of one', 'i64[1] 1', 13, 'Max', [ints(1)]],
  ['of floats', 'f32[2] 6 8', 13, 'Sum', [floats(1, 2), floats(2, 3), floats(3)]],
  ['of floats', 'f32[3] 0 0.5 1', 13, 'Clip', [floats(-1, 0.5, 2), shaped([], floats(0)), shaped([], floats(1))]],
  ['of floats', 'f32[4] 0 1 2 0', 13, 'Pad', [floats(1, 2), ints(1, 1)]],

  ['of integers', 'i64[3] 2 5 8', 11, 'Range', [int(2), int(9), int(3)]],
  ['of integers downward', 'i64[2] 5 3', 11, 'Range', [int(5), int(1), int(-2)]],
  ['of none', 'i64[0] ', 11, 'Range', [int(5), int(1), int(1)]],
  ['of floats', 'f32[3] 0 0.5 1', 11, 'Range', [0, 1.25, 0.5].map((x) => shaped([], floats(x)))],

  ['to a shape', 'i64[2,2] 1 1 2 2', 13, 'Expand', [shaped([2, 1], ints(1, 2)), ints(2, 2)]],
  ['to a shape of ones', 'i64[2] 1 2', 13, 'Expand', [ints(1, 2), ints(1)]],
  ['twice', 'i64[2,6] 1 2 3 1 2 3 4 5 6 4 5 6', 13, 'Tile', [grid, ints(1, 2)]],
  ['never', 'i64[0] ', 13, 'Tile', [ints(1, 2), ints(0)]],

  ['of integers', 'i1[3] 0 1 0', 13, 'Equal', [ints(1, 2, 3), ints(3, 2, 1)]],
  ['of floats', 'i1[2] 1 0', 13, 'Equal', [floats(0, NaN), floats(-0, NaN)]],
  ['of truth values', 'i1[2] 1 0', 13, 'Equal', [bools(0, 1), bools(0, 0)]],
  ['of integers', 'i1[3] 0 0 1', 13, 'Greater', [ints(1, 2, 3), int(2)]],
  ['of integers', 'i1[3] 0 1 1', 13, 'GreaterOrEqual', [ints(1, 2, 3), int(2)]],
  ['of integers', 'i1[3] 1 0 0', 13, 'Less', [ints(1, 2, 3), int(2)]],
  ['of integers', 'i1[3] 1 1 0', 13, 'LessOrEqual', [ints(1, 2, 3), int(2)]],
  ['of truth values', 'i1[2] 0 1', 13, 'Not', [bools(1, 0)]],
  ['of truth values', 'i1[4] 0 0 0 1', 13, 'And', [bools(0, 0, 1, 1), bools(0, 1, 0, 1)]],
  ['of truth values', 'i1[4] 0 1 1 1', 13, 'Or', [bools(0, 0, 1, 1), bools(0, 1, 0, 1)]],
  ['of integers', 'i64[3] 1 8 3', 13, 'Where', [bools(1, 0, 1), ints(1, 2, 3), int(8)]],
  ['of floats', 'f32[2,2] 1 9 1 9', 13, 'Where', [bools(1, 0), shaped([2, 1], floats(1, 1)), floats(9, 9)]],

  ['of all', 'i64[1,1] 21', 13, 'ReduceSum', [grid]],
  ['over axes as an attribute', 'i64[2] 6 15', 11, 'ReduceSum', [grid], { axes: [1], keepdims: 0 }],
  ['over axes as an operand', 'i64[1,3] 5 7 9', 13, 'ReduceSum', [grid, ints(0)]],
  ['over no axes', 'i64[2,3] 1 2 3 4 5 6', 13, 'ReduceSum', [grid], { noop_with_empty_axes: 1 }],
  ['of nothing', 'i64[] 0', 13, 'ReduceSum', [ints()], { keepdims: 0 }],
  ['of all', 'i64[] 720', 13, 'ReduceProd', [grid], { keepdims: 0 }],
  ['of floats', 'f32[1] 6', 18, 'ReduceProd', [floats(1.5, 4), ints(0)]],
  ['over an axis from the end', 'i64[2,1] 3 6', 13, 'ReduceMax', [grid], { axes: [-1] }],
  ['of floats', 'f32[] -2', 18, 'ReduceMin', [floats(1, -2)], { keepdims: 0 }],

  ['indices', 'i64[2,3] 0 0 1 0 2 1', 13, 'NonZero', [shaped([2, 3], ints(1, 0, 1, 0, 1, 0))]],
  ['into parts alike', 'i64[2] 1 2, i64[2] 3 4', 13, 'Split', [ints(1, 2, 3, 4)], {}, 2],
  ['into parts of given sizes', 'i64[1] 1, i64[3] 2 3 4', 13, 'Split', [ints(1, 2, 3, 4), ints(1, 3)], {}, 2],
  ['into parts of sizes as an attribute', 'i64[1] 1, i64[3] 2 3 4', 11, 'Split', [ints(1, 2, 3, 4)], { split: [1, 3] }, 2],
  ['into columns', 'i64[2,2] 1 2 4 5, i64[2,1] 3 6', 18, 'Split', [grid], { axis: 1, num_outputs: 2 }, 2],

  ['a tensor', 'i64[2] 1 2', 13, 'Constant', [], { value: { tensor: ints(1, 2) } }],
  ['a float', 'f32[] 0.5', 13, 'Constant', [], { value_float: { float: 0.5 } }],
  ['floats', 'f32[2] 0.5 1', 13, 'Constant', [], { value_floats: { floats: [0.5, 1] } }],
  ['an integer', 'i64[] 3', 13, 'Constant', [], { value_int: 3 }],
  ['integers', 'i64[2] 3 4', 13, 'Constant', [], { value_ints: [3, 4] }],
];

describe('values', () => {
  test.each(CASES.map(([name, values, ...model]) => ({ name: `${model[1]}: ${name}`, values, model })))('$name', ({ values, model }) => {
    expect(valuesOf(single(...model))).toBe(values);
  });

  test('of every operator that is evaluated', () => {
    expect([...new Set(CASES.map(([, , , operator]) => operator))].sort()).toEqual(EVALUATED_OPERATORS);
  });
});

const errorOf = (...args: Parameters<typeof single>): string => diagnosticOf(() => importSpec(single(...args)));

describe('errors', () => {
  test.each<[string, ...Parameters<typeof single>]>([
    ['invalid onnx/bad-node: n: index 3 is none of the 3 of dimension 0', 13, 'Gather', [ints(5, 6, 7), int(3)]],
    ['invalid onnx/bad-node: n: index -4 is none of the 3 of dimension 0', 13, 'Gather', [ints(5, 6, 7), int(-4)]],
    ['invalid onnx/bad-node: n: axes [1] are not distinct ones of 1 dimensions', 13, 'Gather', [ints(5), int(0)], { axis: 1 }],
    ['invalid onnx/bad-node: n: the indices must be integers, not f32', 13, 'Gather', [ints(5), floats(0)]],
    ['invalid onnx/bad-node: n: operand 1 is missing', 13, 'Gather', [ints(5)]],
    ['invalid onnx/bad-node: n: division by zero', 13, 'Div', [ints(1), ints(0)]],
    ['invalid onnx/bad-node: n: division by zero', 13, 'Mod', [ints(1), ints(0)]],
    ['invalid onnx/bad-node: n: shapes [2] and [3] do not broadcast', 13, 'Add', [ints(1, 2), ints(1, 2, 3)]],
    ['invalid onnx/bad-node: n: operands must have one element type, not i64 and f32', 13, 'Add', [ints(1), floats(1)]],
    ['unsupported onnx/unsupported-type: n: Floor of i64 is not supported', 13, 'Floor', [ints(1)]],
    ['unsupported onnx/unsupported-type: n: Not of i64 is not supported', 13, 'Not', [ints(1)]],
    [
      'unsupported onnx/unsupported-type: n: Equal of f16 is not supported',
      13,
      'Equal',
      [
        { dims: [1], data: Uint16Array.of(1) },
        { dims: [1], data: Uint16Array.of(1) },
      ],
    ],
    ['invalid onnx/bad-node: n: Concat has no axis', 13, 'Concat', [ints(1)]],
    ['invalid onnx/bad-node: n: f32[1] and f32[] do not join along 0', 13, 'Concat', [floats(1), shaped([], floats(1))], { axis: 0 }],
    ['invalid onnx/bad-node: n: starts, ends, axes and steps differ in length', 13, 'Slice', [ints(1), ints(0), ints(0, 1)]],
    ['invalid onnx/bad-node: n: a step is 0', 13, 'Slice', [ints(1), ints(0), ints(1), ints(0), ints(0)]],
    ['invalid onnx/bad-node: n: Slice has no ends', 9, 'Slice', [ints(1)], { starts: [0] }],
    ['invalid onnx/bad-node: n: the starts must be a list of integers', 13, 'Slice', [ints(1), floats(0), ints(1)]],
    ['invalid onnx/bad-node: n: Cast has no to', 13, 'Cast', [ints(1)]],
    ['invalid onnx/bad-node: n: NaN does not fit i64', 13, 'Cast', [floats(NaN)], { to: 7 }],
    ['invalid onnx/bad-node: n: 3000000000 does not fit i32', 13, 'Cast', [floats(3e9)], { to: 6 }],
    ['unsupported onnx/unsupported-type: n: element type double is not supported', 13, 'Cast', [ints(1)], { to: 11 }],
    ['unsupported onnx/unsupported-type: n: Cast of i4 is not supported', 21, 'Cast', [ints(1)], { to: 22 }],
    [
      'unsupported onnx/unsupported-attribute: n: Cast to f8e4m3 with saturate=0 is not supported',
      19,
      'Cast',
      [floats(1)],
      { to: 17, saturate: 0 },
    ],
    ['unsupported onnx/unsupported-type: n: QuantizeLinear of i64 is not supported', 13, 'QuantizeLinear', [ints(1), number(1)]],
    ['invalid onnx/bad-node: n: the zero point must be u8, not i8', 13, 'DequantizeLinear', [unsigned(1), number(1), bytes(1)]],
    ['invalid onnx/bad-node: n: 2 scales do not fit dimension 1 of [2]', 13, 'DequantizeLinear', [unsigned(1, 2), floats(1, 2)]],
    [
      'unsupported onnx/unsupported-attribute: n: DequantizeLinear with a scale for each block is not supported',
      21,
      'DequantizeLinear',
      [unsigned(1, 2), floats(1, 2)],
      { axis: 0, block_size: 1 },
    ],
    ['invalid onnx/bad-node: n: the step is 0', 13, 'Range', [int(0), int(1), int(0)]],
    ['invalid onnx/bad-node: n: there are no steps of 0 from 0 to 1', 13, 'Range', [0, 1, 0].map((x) => shaped([], floats(x)))],
    ['invalid onnx/bad-node: n: start, limit and step must be single numbers of one type', 13, 'Range', [int(0), ints(1, 2), int(1)]],
    ['invalid onnx/bad-node: n: -1 is no dimension', 13, 'Expand', [int(1), ints(-1)]],
    ['invalid onnx/bad-node: n: repeats [2,2] are not one for each of 1 dimensions', 13, 'Tile', [ints(1), ints(2, 2)]],
    ['invalid onnx/bad-node: n: the condition must be of truth values, not i64', 13, 'Where', [ints(1), ints(1), ints(1)]],
    ['invalid onnx/bad-node: n: ReduceMax of no elements', 13, 'ReduceMax', [ints()]],
    ['invalid onnx/bad-node: n: axes [0,-1] are not distinct ones of 1 dimensions', 13, 'ReduceSum', [ints(1), ints(0, -1)]],
    ['invalid onnx/bad-node: n: a dimension of 3 is not split into 2 parts of [1,1]', 13, 'Split', [ints(1, 2, 3), ints(1, 1)], {}, 2],
    ['unsupported onnx/unsupported-attribute: n: Gather with foo is not supported', 13, 'Gather', [ints(5), int(0)], { foo: 1 }],
    ['invalid onnx/bad-node: n: Shape has 2 operands, at most 1 are expected', 13, 'Shape', ['x', ints(1)]],
    ["unsupported onnx/unsupported-output: n: only the first output of Shape is supported, but 'y1' is used", 13, 'Shape', ['x'], {}, 2],
  ])('%s', (message, ...model) => {
    expect(errorOf(...model)).toBe(message);
  });
});

describe('files that ask for too much', () => {
  const large =
    "unsupported onnx/too-large: n: computing the model's constants takes more than the memory budget of 512 MiB (raise it with --memory-budget or PLUMBLINE_MEMORY_BUDGET, such as --memory-budget 2GiB)";
  test.each<[string, ...Parameters<typeof single>]>([
    [large, 13, 'Expand', [int(1), ints(2 ** 14, 2 ** 14)]],
    [large, 13, 'Tile', [ints(1), ints(2 ** 28)]],
    [large, 13, 'Range', [int(0), int(2 ** 28), int(1)]],
    [large, 13, 'Pad', [floats(1), ints(2 ** 29, 0)]],
    ['invalid onnx/bad-node: n: 9007199254740992 is no dimension', 13, 'Range', [int(0), int(2 ** 53), int(1)]],
    ['invalid onnx/bad-node: n: [8388608,8388608] is larger than the address space', 13, 'Expand', [int(1), ints(2 ** 23, 2 ** 23)]],
    [
      'invalid onnx/bad-node: n: a tensor has at most 16 dimensions, not 20',
      13,
      'Expand',
      [int(1), ints(...new Array<number>(20).fill(1))],
    ],
    [
      'invalid onnx/bad-node: n: a tensor has at most 16 dimensions, not 20',
      13,
      'Unsqueeze',
      [int(1), ints(...Array.from({ length: 20 }, (_, i) => i))],
    ],
  ])('%s', (message, ...model) => {
    expect(errorOf(...model)).toBe(message);
  });

  test('in many nodes', () => {
    const nodes = [
      node('ConstantOfShape', 's', 'y', {}, 'c'),
      ...Array.from({ length: 100 }, (_, i) => node('ReduceMax', 'y', `m${i}`, {}, `m${i}`)),
    ];
    const initializers = [{ ...ints(2 ** 24), name: 's' }];
    expect(diagnosticOf(() => importSpec({ nodes, outputs: [{ name: 'y' }], initializers }))).toBe(large.replace('n:', 'm2:'));
  });

  test('a long chain', () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => node('Add', `v${i} one`, `v${i + 1}`));
    const initializers = ['v0', 'one'].map((name) => ({ ...int(1), name }));
    const value = importSpec({ nodes, outputs: [{ name: 'v20000', untyped: true }], initializers }).node('v20000');
    expect(value.kind === 'constant' && value.value.data[0]).toBe(20_001n);
  });
});

describe('around a network', () => {
  const model = (nodes: ModelSpec['nodes'], rest: Partial<ModelSpec> = {}): ModelSpec => ({
    nodes,
    inputs: [{ name: 'x', shape: ['batch', 3, 4, 4] }],
    outputs: [{ name: 'y' }],
    initializers: [
      { ...int(0), name: 'zero' },
      { ...ints(0), name: 'first' },
      { ...ints(-1), name: 'rest' },
    ],
    ...rest,
  });

  const VIEW = [
    node('Shape', 'x', 'shape'),
    node('Gather', 'shape zero', 'batch', { axis: 0 }),
    node('Unsqueeze', 'batch first', 'rows'),
    node('Concat', 'rows rest', 'wanted', { axis: 0 }),
    node('Reshape', 'x wanted', 'y'),
  ];

  test('x.view(x.size(0), -1)', () => {
    expect(importedText(model(VIEW))).toBe('%y: f32[1,48] = reshape(%x) {shape=[1,48]}\noutput "y" = %y');
    expect(importedText(model(VIEW), { dims: { batch: 8 } })).toBe('%y: f32[8,48] = reshape(%x) {shape=[8,48]}\noutput "y" = %y');
    expect(importSpec(model(VIEW)).nodes.map(({ name }) => name)).toEqual(['x', 'y']);
  });

  test('bounds, pads and axes that are computed', () => {
    const nodes = [
      node('Cast', 'zero', 'low', { to: 1 }),
      node('Clip', 'x low', 'c'),
      node('ConstantOfShape', 'four', 'pads'),
      node('Concat', 'pads pads', 'all', { axis: 0 }),
      node('Pad', 'c all', 'p'),
      node('Add', 'rest rest', 'minus', {}),
      node('Concat', 'rest minus', 'axes', { axis: 0 }),
      node('ReduceMean', 'p axes', 'y', { keepdims: 0 }),
    ];
    const four = { ...ints(4), name: 'four' };
    const spec = model(nodes, { opset: 18 });
    const zeros = node('ConstantOfShape', 'four', 'pads', { value: { tensor: ints(0) } });
    const text = importedText({ ...spec, nodes: nodes.with(2, zeros), initializers: [...(spec.initializers ?? []), four] });
    expect(text.split('\n').map((line) => / = (\S+)\(/.exec(line)?.[1])).toEqual(['clip', 'pad', 'average-pool', 'reshape', undefined]);
  });

  test('a weight on its way to its layer', () => {
    const nodes = [
      node('Cast', 'half', 'full', { to: 1 }),
      node('Transpose', 'full', 'turned'),
      node('Slice', 'turned first two', 'cut'),
      node('Gemm', 'x cut', 'y'),
    ];
    const initializers = [
      { name: 'half', dims: [2, 3], data: Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600) },
      { ...ints(0), name: 'first' },
      { ...ints(2), name: 'two' },
    ];
    const graph = importSpec({ nodes, inputs: [{ name: 'x', shape: [1, 2] }], outputs: [{ name: 'y' }], initializers });
    const weights = graph.node('cut');
    expect(weights.kind === 'constant' && [...weights.value.data]).toEqual([1, 4, 2, 5]);
    expect(graph.ops).toHaveLength(1);
  });

  test('a cast that changes nothing', () => {
    expect(importedText(model([node('Cast', 'x', 'y', { to: 1 })]))).toBe('%y: f32[1,3,4,4] = identity(%x)\noutput "y" = %y');
    expect(diagnosticOf(() => importSpec(model([node('Cast', 'x', 'y', { to: 7 })])))).toBe(
      'unsupported onnx/unsupported-type: Cast_0: Cast of f32 to i64 is not supported on values that are not known at compile time',
    );
  });

  test('operators on activations are refused all at once', () => {
    const nodes = [...VIEW.slice(0, 3), node('Gather', 'x zero', 'a'), node('Slice', 'a first rest', 'b'), node('Foo', 'b', 'y')];
    expect(diagnosticOf(() => importSpec(model(nodes)))).toBe(
      'unsupported onnx/unsupported-op: operators are not supported: Foo ×1; ' +
        'operators are only supported on values that are known at compile time: Gather ×1, Slice ×1',
    );
  });
});
