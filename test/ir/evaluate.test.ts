/** What ops compute: hand-computed cases of every op, and laws over random graphs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Attributes } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { allocate, floats, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { graphsWithInputs } from '../support/arbitraries.ts';
import { COMPUTED } from '../support/random-graph.ts';
import { randomTensor } from '../support/random-tensor.ts';

const f32 = (shape: readonly number[], values: readonly number[]): Tensor => tensor(tensorType('f32', shape), Float32Array.from(values));
const fx8 = (shape: readonly number[], values: readonly number[]): Tensor => tensor(tensorType('fx16.8', shape), Int16Array.from(values));

/** One op on operands that are graph inputs; undefined for an absent one. */
function compute(op: OpName, operands: readonly (Tensor | undefined)[], attributes: Attributes = {}): Tensor {
  const builder = new GraphBuilder('one');
  const names = operands.map((operand, i) => (operand ? builder.input(`x${i}`, operand.type) : ''));
  const result = builder.op(op, names, attributes);
  builder.output('y', result);
  const inputs = new Map(operands.flatMap((operand, i) => (operand ? [[names[i] ?? '', operand]] : [])));
  return evaluateGraph(builder.build(), inputs).get(result) as Tensor;
}

const values = (result: Tensor): number[] => Array.from(result.data, Number);
const bitsOf = (result: Tensor): number[] =>
  Array.from(new Uint32Array(floats(result).buffer, floats(result).byteOffset, result.data.length));

describe('elementwise ops', () => {
  test('operands broadcast as in numpy', () => {
    const sum = compute('add', [f32([2, 1], [1, 2]), f32([3], [10, 20, 30])]);
    expect(sum.type.shape).toEqual([2, 3]);
    expect(values(sum)).toEqual([11, 21, 31, 12, 22, 32]);
    expect(values(compute('sub', [f32([], [1]), f32([2, 2], [1, 2, 3, 4])]))).toEqual([0, -1, -2, -3]);
    expect(compute('mul', [f32([0, 2], []), f32([1], [3])]).type.shape).toEqual([0, 2]);
  });

  test('each result is rounded to f32 once', () => {
    expect(values(compute('add', [f32([1], [1]), f32([1], [2 ** -25])]))).toEqual([1]);
    expect(values(compute('div', [f32([1], [1]), f32([1], [3])]))).toEqual([Math.fround(1 / 3)]);
    expect(values(compute('mul', [f32([1], [2 ** -149]), f32([1], [0.5])]))).toEqual([0]);
  });

  test('zeros keep their sign and every NaN is the canonical one', () => {
    expect(values(compute('add', [f32([2], [-0, -0]), f32([2], [-0, 0])]))).toEqual([-0, 0]);
    expect(bitsOf(compute('sub', [f32([1], [Infinity]), f32([1], [Infinity])]))).toEqual([0x7fc00000]);
    const payload = tensor(tensorType('f32', [1]), new Float32Array(Uint32Array.of(0xff812345).buffer));
    for (const op of ['add', 'mul', 'div', 'sub'] as const) expect(bitsOf(compute(op, [payload, payload]))).toEqual([0x7fc00000]);
    expect(bitsOf(compute('relu', [payload]))).toEqual([0x7fc00000]);
    expect(bitsOf(compute('clip', [payload], { min: 0, max: 1 }))).toEqual([0x7fc00000]);
    expect(bitsOf(compute('max-pool', [{ ...payload, type: tensorType('f32', [1, 1, 1, 1]) }], { kernel: [1, 1] }))).toEqual([0x7fc00000]);
    for (const [op, attributes] of [
      ['identity', {}],
      ['reshape', { shape: [1, 1] }],
      ['transpose', { perm: [0] }],
      ['flatten', {}],
    ] as const)
      expect(bitsOf(compute(op, [payload], attributes))).toEqual([0xff812345]);
  });

  test('relu and clip choose as written', () => {
    expect(values(compute('relu', [f32([5], [-1, -0, 0, 2, NaN])]))).toEqual([0, -0, 0, 2, NaN]);
    expect(values(compute('clip', [f32([5], [-1, -0, 0.5, 9, NaN])], { min: 0, max: 1 }))).toEqual([0, -0, 0.5, 1, NaN]);
    expect(values(compute('clip', [f32([2], [-3, 3])], { min: 2, max: 1 }))).toEqual([1, 1]);
    expect(values(compute('clip', [f32([2], [-Infinity, Infinity])]))).toEqual([-Infinity, Infinity]);
  });

  test('fixed point saturates and rounds ties to even', () => {
    expect(values(compute('add', [fx8([2], [32767, -32768]), fx8([2], [1, -1])]))).toEqual([32767, -32768]);
    expect(values(compute('sub', [fx8([1], [-32768]), fx8([], [1])]))).toEqual([-32768]);
    expect(values(compute('mul', [fx8([3], [128, 384, -128]), fx8([], [1])]))).toEqual([0, 2, 0]);
    expect(values(compute('div', [fx8([3], [1, 0, -5]), fx8([3], [512, 0, 0])]))).toEqual([0, 0, -32768]);
    expect(values(compute('relu', [fx8([2], [-5, 5])]))).toEqual([0, 5]);
    expect(values(compute('clip', [fx8([3], [-5, 100, 400])], { min: 0, max: 1 }))).toEqual([0, 100, 256]);
    expect(values(compute('clip', [fx8([2], [-32768, 32767])]))).toEqual([-32768, 32767]);
  });

  test('quantize rounds as the host does, dequantize is exact', () => {
    const fixed = compute('quantize', [f32([6], [0.5 / 256, 1.5 / 256, -1, 1000, NaN, -Infinity])], { to: 'fx16.8' });
    expect(fixed.type.element).toBe('fx16.8');
    expect(values(fixed)).toEqual([0, 2, -256, 32767, 0, -32768]);
    expect(values(compute('dequantize', [fixed]))).toEqual([0, 2 / 256, -1, 32767 / 256, 0, -128]);
  });
});

describe('products', () => {
  test('gemm applies alpha, beta, transposes and activation', () => {
    const a = f32([2, 3], [1, 2, 3, 4, 5, 6]);
    const b = f32([3, 2], [1, 0, 0, 1, 1, 1]);
    expect(values(compute('gemm', [a, b]))).toEqual([4, 5, 10, 11]);
    expect(values(compute('gemm', [a, b, f32([2], [10, 20])], { alpha: 2, beta: 0.5 }))).toEqual([13, 20, 25, 32]);
    expect(values(compute('gemm', [a, f32([2, 3], [1, 0, 1, 0, 1, 1])], { trans_b: true }))).toEqual([4, 5, 10, 11]);
    expect(values(compute('gemm', [f32([3, 2], [1, 4, 2, 5, 3, 6]), b], { trans_a: true }))).toEqual([4, 5, 10, 11]);
    expect(values(compute('gemm', [a, b, f32([2, 1], [-5, -5])], { activation: 'clip', activation_min: 0, activation_max: 5.5 }))).toEqual([
      0, 0, 5, 5.5,
    ]);
  });

  test('sums start at +0, go through k in ascending order and are rounded at each step', () => {
    const big = 2 ** 24;
    expect(values(compute('gemm', [f32([1, 3], [big, 1, -big]), f32([3, 1], [1, 1, 1])]))).toEqual([0]);
    expect(values(compute('gemm', [f32([1, 3], [big, -big, 1]), f32([3, 1], [1, 1, 1])]))).toEqual([1]);
    expect(values(compute('gemm', [f32([1, 1], [-1]), f32([1, 1], [0])]))).toEqual([0]);
    expect(values(compute('gemm', [f32([1, 0], []), f32([0, 2], [])]))).toEqual([0, 0]);
    const product = Math.fround(1.1) * Math.fround(1.3);
    expect(values(compute('gemm', [f32([1, 1], [1.1]), f32([1, 1], [1.3])], { alpha: 3 }))).toEqual([
      Math.fround(3 * Math.fround(product)),
    ]);
  });

  test('an alpha or beta of 1 performs no multiplication, 0 performs one', () => {
    const [a, b] = [f32([1, 1], [1]), f32([1, 1], [2])];
    expect(values(compute('gemm', [a, b, f32([1], [NaN])], { beta: 0 }))).toEqual([NaN]);
    expect(values(compute('gemm', [a, f32([1, 1], [Infinity])], { alpha: 0 }))).toEqual([NaN]);
  });

  test('both orders of b give the same bits', () => {
    fc.assert(
      fc.property(
        fc.nat(2 ** 20),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (seed, m, k, n) => {
          const a = randomTensor(tensorType('f32', [m, k]), seed, 'special');
          const b = randomTensor(tensorType('f32', [k, n]), seed + 1, 'special');
          const [direct, transposed] = [
            compute('gemm', [a, b]),
            compute('gemm', [a, compute('transpose', [b], { perm: [1, 0] })], { trans_b: true }),
          ];
          expect(bitsOf(transposed)).toEqual(bitsOf(direct));
          expect(bitsOf(compute('matmul', [a, b]))).toEqual(bitsOf(direct));
        },
      ),
    );
  });

  test('fixed point sums exactly and rounds once, ties to even', () => {
    const rows = fx8([1, 2], [1, 127]);
    expect(values(compute('gemm', [rows, fx8([2, 1], [1, 1])]))).toEqual([0]); // 128/256: a tie
    expect(values(compute('gemm', [rows, fx8([2, 1], [2, 1])]))).toEqual([1]);
    expect(values(compute('gemm', [fx8([1, 3], [32767, 32767, -32767]), fx8([3, 1], [32767, 32767, 32767])]))).toEqual([32767]);
    expect(values(compute('gemm', [fx8([1, 2], [256, 512]), fx8([2, 1], [256, -256])], { activation: 'relu' }))).toEqual([0]);
  });

  test('matmul broadcasts leading dimensions and takes vectors', () => {
    const batches = compute('matmul', [f32([2, 1, 1, 2], [1, 2, 3, 4]), f32([3, 2, 1], [1, 0, 0, 1, 1, 1])]);
    expect(batches.type.shape).toEqual([2, 3, 1, 1]);
    expect(values(batches)).toEqual([1, 2, 3, 3, 4, 7]);
    expect(compute('matmul', [f32([2], [1, 2]), f32([2], [3, 4])])).toEqual(f32([], [11]));
    expect(compute('matmul', [f32([2], [1, 2]), f32([2, 2], [1, 2, 3, 4])])).toEqual(f32([2], [7, 10]));
  });
});

describe('convolution', () => {
  const image = f32([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  test('strides, padding, dilation and bias', () => {
    const ones = f32([1, 1, 2, 2], [1, 1, 1, 1]);
    expect(values(compute('conv', [image, ones]))).toEqual([12, 16, 24, 28]);
    expect(values(compute('conv', [image, ones, f32([1], [0.5])], { pads: [1, 1, 0, 0], strides: [2, 2] }))).toEqual([
      1.5, 5.5, 11.5, 28.5,
    ]);
    expect(values(compute('conv', [image, ones], { dilations: [2, 2] }))).toEqual([1 + 3 + 7 + 9]);
    expect(compute('conv', [image, ones], { pads: [0, 3, 0, 0] }).type.shape).toEqual([1, 1, 2, 5]);
    expect(values(compute('conv', [image, ones], { pads: [0, 3, 0, 0] }))).toEqual([0, 0, 5, 12, 16, 0, 0, 11, 24, 28]);
  });

  test('a kernel is not flipped, and its taps are added in order ky, kx, ic', () => {
    expect(values(compute('conv', [image, f32([1, 1, 1, 2], [1, 0])]))).toEqual([1, 2, 4, 5, 7, 8]);
    const big = 2 ** 24;
    const pixels = f32([1, 2, 1, 2], [big, -big, 1, 0]); // channel 0: big, -big; channel 1: 1, 0
    // ic innermost: ((big + 1) - big) + 0 loses the 1, because big + 1 rounds to big
    expect(values(compute('conv', [pixels, f32([1, 2, 1, 2], [1, 1, 1, 1])]))).toEqual([0]);
  });

  test('padded taps are skipped, not multiplied by zero', () => {
    const padded = compute('conv', [image, f32([1, 1, 1, 2], [Infinity, 1])], { pads: [0, 1, 0, 0] });
    expect(values(padded)).toEqual([1, Infinity, Infinity, 4, Infinity, Infinity, 7, Infinity, Infinity]);
  });

  test('groups', () => {
    const x = f32([1, 4, 1, 1], [1, 2, 3, 4]);
    expect(values(compute('conv', [x, f32([2, 2, 1, 1], [1, 10, 1, 10])], { groups: 2 }))).toEqual([21, 43]);
    expect(values(compute('conv', [x, f32([8, 1, 1, 1], [1, 2, 1, 2, 1, 2, 1, 2])], { groups: 4 }))).toEqual([1, 2, 2, 4, 3, 6, 4, 8]);
    expect(values(compute('conv', [x, f32([4, 1, 1, 1], [5, 6, 7, 8])], { groups: 4 }))).toEqual([5, 12, 21, 32]);
  });

  test('equals the plain definition, bit for bit, in either layout', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 20), convolutions, (seed, { x, w, ...attributes }) => {
        const [image, weights] = [
          randomTensor(tensorType('f32', x), seed, 'special'),
          randomTensor(tensorType('f32', w), seed + 1, 'special'),
        ];
        const expected = plainConvolution(image, weights, attributes);
        expect(bitsOf(compute('conv', [image, weights], attributes))).toEqual(bitsOf(expected));
        const [imageNhwc, weightsHwio] = [
          compute('transpose', [image], { perm: [0, 2, 3, 1] }),
          compute('transpose', [weights], { perm: [2, 3, 1, 0] }),
        ];
        const nhwc = compute('conv', [imageNhwc, weightsHwio], { ...attributes, layout: 'nhwc' });
        expect(bitsOf(compute('transpose', [nhwc], { perm: [0, 3, 1, 2] }))).toEqual(bitsOf(expected));
      }),
    );
  });
});

const small = (low: number, high: number): fc.Arbitrary<number> => fc.integer({ min: low, max: high });
const convolutions = fc
  .record({
    extents: fc.tuple(small(1, 2), small(3, 6), small(3, 6)),
    groups: small(1, 3),
    channels: small(1, 3),
    kernel: fc.tuple(small(1, 3), small(1, 3)),
    outputs: small(1, 3),
    strides: fc.tuple(small(1, 2), small(1, 3)),
    pads: fc.tuple(small(1, 3), small(1, 3), small(1, 3), small(1, 3)),
    dilations: fc.tuple(small(1, 2), small(1, 2)),
  })
  .map(({ extents: [n, h, width], groups, channels, kernel, outputs, ...attributes }) => ({
    x: [n, groups * channels, h, width],
    w: [groups * outputs, channels, ...kernel],
    groups,
    ...attributes,
  }));

interface PlainAttributes {
  readonly groups: number;
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
}

/** The contract's definition, one element at a time; images NCHW, weights OIHW. */
function plainConvolution(x: Tensor, w: Tensor, { groups, strides, pads, dilations }: PlainAttributes): Tensor {
  const [batch = 0, channels = 0, height = 0, width = 0] = x.type.shape;
  const [outputs = 0, depth = 0, kh = 0, kw = 0] = w.type.shape;
  const rows = Math.floor((height + pads[0] + pads[2] - dilations[0] * (kh - 1) - 1) / strides[0]) + 1;
  const columns = Math.floor((width + pads[1] + pads[3] - dilations[1] * (kw - 1) - 1) / strides[1]) + 1;
  const result: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outputs; o++)
      for (let oy = 0; oy < rows; oy++)
        for (let ox = 0; ox < columns; ox++) {
          let sum = 0;
          for (let ky = 0; ky < kh; ky++)
            for (let kx = 0; kx < kw; kx++)
              for (let i = 0; i < depth; i++) {
                const [y, at] = [oy * strides[0] - pads[0] + ky * dilations[0], ox * strides[1] - pads[1] + kx * dilations[1]];
                if (y < 0 || y >= height || at < 0 || at >= width) continue;
                const c = Math.floor(o / (outputs / groups)) * depth + i;
                const pixel = floats(x)[((n * channels + c) * height + y) * width + at] ?? NaN;
                const weight = floats(w)[((o * depth + i) * kh + ky) * kw + kx] ?? NaN;
                sum = Math.fround(sum + Math.fround(pixel * weight));
              }
          result.push(sum === sum ? sum : NaN);
        }
  return f32([batch, outputs, rows, columns], result);
}

describe('max-pool', () => {
  const image = f32([1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);

  test('strides, padding, dilation and layouts', () => {
    expect(values(compute('max-pool', [image], { kernel: [2, 2] }))).toEqual([5, 6, 8, 9]);
    expect(values(compute('max-pool', [image], { kernel: [2, 2], strides: [2, 2], pads: [1, 1, 0, 0] }))).toEqual([1, 3, 7, 9]);
    expect(values(compute('max-pool', [image], { kernel: [2, 2], dilations: [2, 2] }))).toEqual([9]);
    const channels = f32([1, 1, 2, 2], [1, -1, 2, -2]);
    expect(values(compute('max-pool', [channels], { kernel: [1, 2], layout: 'nhwc' }))).toEqual([2, -1]);
    expect(values(compute('max-pool', [fx8([1, 1, 1, 2], [-7, -9])], { kernel: [1, 2] }))).toEqual([-7]);
  });

  test('negative maxima in the padding, signed zeros and NaN', () => {
    expect(values(compute('max-pool', [f32([1, 1, 1, 1], [-5])], { kernel: [2, 2], pads: [1, 1, 1, 1] }))).toEqual([-5, -5, -5, -5]);
    expect(values(compute('max-pool', [f32([1, 1, 1, 2], [-0, 0])], { kernel: [1, 2] }))).toEqual([-0]);
    expect(values(compute('max-pool', [f32([1, 1, 1, 2], [NaN, 1])], { kernel: [1, 2] }))).toEqual([NaN]);
    expect(values(compute('max-pool', [f32([1, 1, 1, 2], [1, NaN])], { kernel: [1, 2] }))).toEqual([1]);
    // Padding counts as -∞, so a NaN behind it is passed over as well.
    expect(values(compute('max-pool', [f32([1, 1, 1, 2], [NaN, 1])], { kernel: [1, 2], pads: [0, 1, 0, 0] }))).toEqual([-Infinity, NaN]);
    expect(values(compute('max-pool', [f32([1, 1, 1, 1], [NaN])], { kernel: [2, 1], pads: [1, 0, 0, 0] }))).toEqual([-Infinity]);
    expect(values(compute('max-pool', [fx8([1, 1, 1, 1], [-32768])], { kernel: [2, 1], pads: [1, 0, 1, 0] }))).toEqual([-32768, -32768]);
  });

  test('ceil_mode adds a window, but none that starts behind the input', () => {
    const row = (width: number): Tensor =>
      f32(
        [1, 1, 1, width],
        Array.from({ length: width }, (_, i) => i),
      );
    expect(values(compute('max-pool', [row(4)], { kernel: [1, 3], strides: [1, 2], ceil_mode: true }))).toEqual([2, 3]);
    expect(values(compute('max-pool', [row(4)], { kernel: [1, 3], strides: [1, 2] }))).toEqual([2]);
    expect(values(compute('max-pool', [row(2)], { kernel: [1, 1], strides: [1, 2], ceil_mode: true }))).toEqual([0]);
    expect(values(compute('max-pool', [row(3)], { kernel: [1, 2], strides: [1, 3], pads: [0, 1, 0, 1], ceil_mode: true }))).toEqual([0, 2]);
  });
});

describe('batch-norm and shapes', () => {
  test('batch-norm rounds every operation', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 20), fc.constantFrom(1e-5, 0.1), (seed, epsilon) => {
        const operands = [0, 1, 2, 3, 4].map((i) =>
          randomTensor(tensorType('f32', i === 0 ? [1, 1] : [1]), seed + i, i === 4 ? 'positive' : 'ordinary'),
        );
        const [x = 0, scale = 0, bias = 0, mean = 0, variance = 0] = operands.map((value) => floats(value)[0] ?? NaN);
        const s = Math.fround(scale / Math.fround(Math.sqrt(Math.fround(variance + Math.fround(epsilon)))));
        const t = Math.fround(bias - Math.fround(mean * s));
        expect(values(compute('batch-norm', operands, { epsilon }))).toEqual([Math.fround(Math.fround(x * s) + t)]);
      }),
    );
    const one = f32([1], [1]);
    expect(bitsOf(compute('batch-norm', [f32([1, 1], [-NaN]), one, one, one, one]))).toEqual([0x7fc00000]);
  });

  test('batch-norm goes by dimension 1', () => {
    const statistics = [f32([2], [1, 2]), f32([2], [0, 100]), f32([2], [0, 0]), f32([2], [1, 1])];
    expect(values(compute('batch-norm', [f32([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), ...statistics], { epsilon: 0 }))).toEqual([
      1, 2, 106, 108, 5, 6, 114, 116,
    ]);
    expect(values(compute('batch-norm', [f32([1, 2], [1, 1]), ...statistics], { epsilon: 0 }))).toEqual([1, 102]);
  });

  test('transpose, reshape and flatten on any element type', () => {
    const big = tensor(tensorType('i64', [2, 2]), BigInt64Array.of(1n, -(2n ** 62n), 3n, 2n ** 63n - 1n));
    const turned = compute('transpose', [big], { perm: [1, 0] });
    expect([...(turned.data as BigInt64Array)]).toEqual([1n, 3n, -(2n ** 62n), 2n ** 63n - 1n]);
    expect(compute('reshape', [big], { shape: [1, 4, 1] }).data).toEqual(big.data);
    const x = f32([2, 1, 3], [1, 2, 3, 4, 5, 6]);
    const result = compute('transpose', [x], { perm: [2, 1, 0] });
    expect(result).toEqual(f32([3, 1, 2], [1, 4, 2, 5, 3, 6]));
    expect(compute('flatten', [x]).type.shape).toEqual([2, 3]);
    expect(compute('flatten', [x], { axis: 0 }).type.shape).toEqual([1, 6]);
    expect(compute('flatten', [x], { axis: -1 }).type.shape).toEqual([2, 3]);
    expect(compute('flatten', [x], { axis: 3 }).type.shape).toEqual([6, 1]);
  });
});

describe('graphs', () => {
  test('every value has the type that inference gave it', () => {
    fc.assert(
      fc.property(graphsWithInputs({ contents: 'special', elements: [...COMPUTED, 'i64', 'i4'] }), ({ graph, inputs }) => {
        const kept = evaluateGraph(graph, inputs, { keep: 'all' });
        for (const { name, type } of graph.nodes) {
          const value = kept.get(name) as Tensor;
          expect(value.type).toEqual(type);
          expect(value.data).toHaveLength(elementCount(type.shape));
          expect(value.data.constructor).toBe(allocate(type.element, 0).constructor);
        }
      }),
    );
  });

  test('keeps the outputs only, unless told otherwise, and observes every node in order', () => {
    fc.assert(
      fc.property(graphsWithInputs(), ({ graph, inputs }) => {
        const seen: string[] = [];
        const kept = evaluateGraph(graph, inputs, { observe: (node) => seen.push(node.name) });
        expect(seen).toEqual(graph.nodes.map((node) => node.name));
        expect([...kept.keys()].sort()).toEqual([...new Set(graph.outputs.map((output) => output.value))].sort());
        const all = evaluateGraph(graph, inputs, { keep: 'all' });
        for (const [name, value] of kept) expect(all.get(name)).toEqual(value);
      }),
    );
  });

  test('goes on with a value that is put in the place of another', () => {
    const builder = new GraphBuilder('g');
    const x = builder.input('x', tensorType('f32', [2]));
    const a = builder.op('relu', [x], {}, { name: 'a' });
    builder.output('y', builder.op('add', [a, x], {}, { name: 'y' }));
    const inputs = new Map([['x', f32([2], [1, -1])]]);
    const override = ({ name }: { readonly name: string }, value: Tensor): Tensor => (name === 'a' ? f32([2], [10, 20]) : value);
    const seen: [string, number[]][] = [];
    const kept = evaluateGraph(builder.build(), inputs, { override, observe: ({ name }, value) => seen.push([name, [...floats(value)]]) });
    expect([...floats(kept.get('y') as Tensor)]).toEqual([11, 19]);
    expect(seen[1]).toEqual(['a', [10, 20]]);
  });

  test('does not change its inputs and constants', () => {
    fc.assert(
      fc.property(graphsWithInputs({ contents: 'special' }), ({ graph, inputs }) => {
        const before = structuredClone([
          ...inputs.values(),
          ...graph.nodes.flatMap((node) => (node.kind === 'constant' ? [node.value] : [])),
        ]);
        evaluateGraph(graph, inputs);
        expect([...inputs.values(), ...graph.nodes.flatMap((node) => (node.kind === 'constant' ? [node.value] : []))]).toEqual(before);
      }),
    );
  });

  test('refuses missing inputs and inputs of another type', () => {
    const builder = new GraphBuilder('g');
    builder.output('y', builder.op('relu', [builder.input('x', tensorType('f32', [2]))]));
    const graph = builder.build();
    const codeOf = (inputs: Map<string, Tensor>): string | undefined => {
      try {
        evaluateGraph(graph, inputs);
        return undefined;
      } catch (error) {
        return error instanceof DiagnosticError ? error.diagnostics[0]?.code : String(error);
      }
    };
    expect(codeOf(new Map())).toBe('evaluate/missing-input');
    expect(codeOf(new Map([['x', f32([3], [1, 2, 3])]]))).toBe('evaluate/input-type');
    expect(codeOf(new Map([['x', fx8([2], [1, 2])]]))).toBe('evaluate/input-type');
    expect(codeOf(new Map([['x', f32([2], [1, 2])]]))).toBeUndefined();
  });
});
