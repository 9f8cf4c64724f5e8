/** Ops on narrow floats, on fixed point with a binary point for each value, and on quantized integers: by hand, and against plain arithmetic. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Attributes } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { widen } from '../../compiler/ir/ops/narrow.ts';
import { parseGraph } from '../../compiler/ir/parse.ts';
import type { Tensor, TensorData } from '../../compiler/ir/tensor.ts';
import { allocate, tensor } from '../../compiler/ir/tensor.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { parseElementType, quantizationOf, quantized } from '../../runtime/numerics/element.ts';
import { toNarrow } from '../../runtime/numerics/narrow.ts';

function compute(op: OpName, operands: readonly Tensor[], attributes: Attributes = {}): Tensor {
  const builder = new GraphBuilder('g');
  const inputs = operands.map(({ type }, i) => builder.input(`x${i}`, type));
  const value = builder.op(op, inputs, attributes);
  builder.output('y', value);
  const result = evaluateGraph(builder.build(), new Map(operands.map((operand, i) => [`x${i}`, operand]))).get(value);
  if (!result) throw new Error('no result');
  return result;
}

/** A tensor of raw elements. */
function raw(element: ElementType, shape: readonly number[], elements: readonly number[]): Tensor {
  const data = allocate(element, elementCount(shape));
  elements.forEach((each, i) => (data[i] = data instanceof BigInt64Array ? BigInt(each) : each));
  return tensor(tensorType(element, shape), data);
}

const numbersOf = ({ data }: { readonly data: TensorData }): number[] => Array.from<number | bigint, number>(data, Number);
const halves = (shape: readonly number[], reals: readonly number[]): Tensor =>
  raw(
    'f16',
    shape,
    reals.map((x) => toNarrow('f16', x)),
  );

describe('narrow floats', () => {
  test('a sum is rounded once, to nearest, ties to even', () => {
    // 2048 + 1 lies between 2048 and 2050, and 2050 + 1 between 2050 and 2052.
    const sums = widen(compute('add', [halves([3], [2048, 2050, -2048]), halves([3], [1, 1, -1])]));
    expect(numbersOf(sums)).toEqual([2048, 2052, -2048]);
  });

  test('a product is summed in f32, with its bias, and rounded after the activation', () => {
    const [x, w] = [halves([1, 3], [2048, 1, 1]), halves([3, 1], [1, 1, 1])];
    expect(numbersOf(widen(compute('gemm', [x, w])))).toEqual([2050]);
    expect(numbersOf(compute('gemm', [x, w], { result: 'f32' }))).toEqual([2050]);
    const bias = raw('f32', [1], [0.25]);
    expect(numbersOf(compute('gemm', [x, w, bias], { result: 'f32' }))).toEqual([2050.25]);
    expect(numbersOf(widen(compute('gemm', [x, w, bias], { activation: 'clip', activation_min: 0, activation_max: 2049 })))).toEqual([
      2048,
    ]);
  });

  test('overflow gives infinity in binary16 and the greatest number in 8 bits', () => {
    const large = raw('f32', [3], [1e6, -1e6, NaN]);
    expect(numbersOf(widen(compute('cast', [large], { to: 'f16' })))).toEqual([Infinity, -Infinity, NaN]);
    expect(numbersOf(widen(compute('cast', [large], { to: 'f8e4m3' })))).toEqual([448, -448, NaN]);
    expect(numbersOf(widen(compute('cast', [large], { to: 'f8e5m2' })))).toEqual([57344, -57344, NaN]);
  });

  test('views keep the bits of every NaN', () => {
    const payload = raw('f16', [2], [0x7e01, 0xfc01]);
    expect(numbersOf(compute('reshape', [payload], { shape: [1, 2] }))).toEqual([0x7e01, 0xfc01]);
    expect(numbersOf(compute('concat', [payload, payload], { axis: 0 }))).toEqual([0x7e01, 0xfc01, 0x7e01, 0xfc01]);
  });
});

describe('fixed point with a binary point for each value', () => {
  test('a product keeps all fraction bits until its one rounding', () => {
    // 1.5 · 0.25 + 0.5 · 0.5 = 0.625, and a bias of 2^-12.
    const x = raw('fx16.8', [1, 2], [384, 128]);
    const w = raw('fx16.4', [2, 1], [4, 8]);
    expect(numbersOf(compute('gemm', [x, w], { result: 'fx16.3' }))).toEqual([5]);
    expect(numbersOf(compute('gemm', [x, w], { result: 'fx16.2' }))).toEqual([2]); // 2.5: a tie
    expect(numbersOf(compute('gemm', [x, w, raw('i64', [1], [1])], { result: 'fx16.2' }))).toEqual([3]);
    expect(numbersOf(compute('gemm', [x, w, raw('i64', [1], [1])], { result: 'f32' }))).toEqual([0.625 + 2 ** -12]);
  });

  test('a mean takes a factor of 15 bits', () => {
    const x = raw('fx16.4', [1, 1, 3, 1], [16, 32, 49]);
    // Σ 97 / 3 = 32.33
    expect(numbersOf(compute('average-pool', [x], { kernel: [1, 3], layout: 'nhwc' }))).toEqual([32]);
  });
});

const A = quantized({ scales: [0.5], zeroPoint: -3 });
const B = quantized({ scales: [0.25], zeroPoint: 10 });

describe('quantized integers', () => {
  test('quantize and dequantize', () => {
    const reals = raw('f32', [6], [0, 0.25, 0.75, -100, 100, NaN]);
    const q = compute('quantize', [reals], { to: A });
    expect(numbersOf(q)).toEqual([-3, -3, -1, -128, 127, -3]);
    expect(numbersOf(compute('dequantize', [q]))).toEqual([0, 0, 1, -62.5, 65, 0]);
  });

  test('a convolution pads with zero, and has a scale for each channel of its weights', () => {
    const x = raw(A, [1, 1, 2, 1], [1, 5]); // 2 and 4
    const weights = raw(quantized({ scales: [1, 0.5], zeroPoint: 0, axis: 3 }), [1, 3, 1, 2], [1, 2, 2, 4, 3, 6]); // 1 2 3 and 1 2 3
    const attributes = { pads: [0, 1, 0, 1], layout: 'nhwc' };
    // 2·2 + 3·4 = 16 and 1·2 + 2·4 = 10
    expect(numbersOf(compute('conv', [x, weights], { ...attributes, result: 'f32' }))).toEqual([16, 16, 10, 10]);
    expect(numbersOf(compute('conv', [x, weights], { ...attributes, result: B }))).toEqual([74, 74, 50, 50]);
    const bias = raw('i32', [2], [2, 4]); // 1 and 1
    expect(numbersOf(compute('conv', [x, weights, bias], { ...attributes, result: B }))).toEqual([78, 78, 54, 54]);
    const clipped = { activation: 'clip', activation_min: 0, activation_max: 12 };
    expect(numbersOf(compute('conv', [x, weights, bias], { ...attributes, ...clipped, result: B }))).toEqual([58, 58, 54, 54]);
  });

  test('sums, means, maxima, activations and joints', () => {
    const [a, b] = [raw(A, [2], [1, -128]), raw(B, [2], [12, -128])]; // 2, -62.5 and 0.5, -34.5
    expect(numbersOf(compute('add', [a, b], { result: B }))).toEqual([20, -128]);
    expect(numbersOf(compute('add', [a, b], { result: B, activation: 'relu' }))).toEqual([20, 10]);
    expect(numbersOf(compute('relu', [a]))).toEqual([1, -3]);
    expect(numbersOf(compute('clip', [a], { min: -1, max: 1 }))).toEqual([-1, -5]);
    expect(numbersOf(compute('requantize', [a], { to: B }))).toEqual([18, -128]);
    const image = raw(A, [1, 1, 4, 1], [-3, -1, 1, 4]); // 0 1 2 3.5
    expect(numbersOf(compute('average-pool', [image], { kernel: [1, 4], layout: 'nhwc', result: B }))).toEqual([17]); // 1.625 / 0.25 + 10 = 16.5
    expect(numbersOf(compute('max-pool', [image], { kernel: [1, 2], strides: [1, 2], layout: 'nhwc' }))).toEqual([-1, 4]);
    expect(numbersOf(compute('pad', [a], { pads: [1, 1], value: 0 }))).toEqual([-3, 1, -128, -3]);
    expect(numbersOf(compute('concat', [a, a], { axis: 0 }))).toEqual([1, -128, 1, -128]);
  });

  test('a product is what integers of any size say', () => {
    const sizes = fc.record({ k: fc.integer({ min: 1, max: 40 }), n: fc.integer({ min: 1, max: 5 }) });
    const scale = fc.double({ min: 2 ** -12, max: 8, noNaN: true }).map(Math.fround);
    fc.assert(
      fc.property(
        sizes,
        fc.infiniteStream(fc.integer({ min: -128, max: 127 })),
        fc.array(scale, { minLength: 7, maxLength: 7 }),
        fc.tuple(fc.integer({ min: -128, max: 127 }), fc.integer({ min: -128, max: 127 })),
        ({ k, n }, integers, [sx = 1, so = 1, ...sw], [zx, zo]) => {
          const take = (count: number): number[] => Array.from({ length: count }, () => integers.next().value as number);
          const [x, w, bias] = [take(k), take(k * n), take(n).map((each) => each * 1000)];
          const scales = sw.slice(0, n);
          const attributes = { result: quantized({ scales: [so], zeroPoint: zo }) };
          const operands = [
            raw(quantized({ scales: [sx], zeroPoint: zx }), [1, k], x),
            raw(quantized({ scales, zeroPoint: 0, axis: 1 }), [k, n], w),
            raw('i32', [n], bias),
          ];
          const exact = scales.map((s, c) => {
            const sum = x.reduce((total, q, i) => total + (q - zx) * (w[i * n + c] ?? 0), bias[c] ?? 0);
            return Math.min(127, Math.max(-128, (sum * sx * s) / so + zo));
          });
          const result = numbersOf(compute('gemm', operands, attributes));
          // The multipliers have 31 bits or, for channels of small scales, fewer: a sum of 2^24 moves by less than the last digit given here.
          result.forEach((q, c) => expect(Math.abs(q - (exact[c] ?? NaN))).toBeLessThanOrEqual(0.502));
        },
      ),
    );
  });

  test.each<[OpName, readonly Tensor[], Attributes, RegExp]>([
    ['add', [raw(A, [2], [0, 0]), raw(B, [1], [0])], { result: B }, /have one shape/],
    ['add', [raw(A, [1], [0]), raw('f32', [1], [0])], {}, /do not add/],
    ['concat', [raw(A, [1], [0]), raw(B, [1], [0])], { axis: 0 }, /do not join/],
    ['gemm', [raw(A, [1, 1], [0]), raw(A, [1, 1], [0])], { result: B }, /zero point 0/],
    ['gemm', [raw(A, [1, 1], [0]), raw('i8<0.5>', [1, 1], [0])], { result: 'fx16.3' }, /quantized result or f32/],
    ['gemm', [raw(A, [1, 1], [0]), raw('i8<axis=0:0.5>', [1, 1], [0])], { result: B }, /along dimension 1/],
    ['gemm', [raw(A, [1, 1], [0]), raw('i8<0.5>', [1, 1], [0]), raw('f32', [1], [0])], { result: B }, /bias must be i32/],
    ['conv', [raw(A, [1, 1, 1, 1], [0]), raw('i8<0.5>', [1, 1, 1, 1], [0])], { result: B }, /layout nhwc/],
    ['average-pool', [raw(A, [1, 2, 2, 1], [0, 0, 0, 0])], { kernel: [2, 2], pads: [1, 1, 0, 0], layout: 'nhwc' }, /one number of taps/],
    ['softmax', [raw(A, [1], [0])], {}, /must be f32/],
    ['cast', [raw(A, [1], [0])], { to: 'f32' }, /from float to float/],
    ['quantize', [raw('f32', [1], [0])], { to: 'i8<axis=0:0.5>' }, /one scale/],
  ])('%s refuses what has no meaning', (op, operands, attributes, message) => {
    expect(() => compute(op, operands, attributes)).toThrow(message);
  });
});

describe('quantized types', () => {
  test('have one text', () => {
    expect(quantized({ scales: [Math.fround(0.1)], zeroPoint: -3 })).toBe('i8<0.1,-3>');
    expect(quantized({ scales: [Math.fround(0.1), 2], zeroPoint: 0, axis: 3 })).toBe('i8<axis=3:0.1 2>');
    expect(quantizationOf('i8<axis=3:0.1 2>')).toEqual({ scales: [Math.fround(0.1), 2], zeroPoint: 0, axis: 3 });
    for (const text of ['i8<0.10>', 'i8<0.1,0>', 'i8<0>', 'i8<-1>', 'i8<1e999>', 'i8<nan>', 'i8<0.1,128>', 'i8<axis=3:>', 'i8<>', 'i8<0.1'])
      expect(parseElementType(text), text).toBeUndefined();
  });

  test('are read as they were printed', () => {
    const builder = new GraphBuilder('g');
    const x = builder.op('quantize', [builder.input('x', tensorType('f32', [1, 1, 2, 1]))], { to: A });
    const w = builder.constant('w', raw('i8<axis=3:0.1 1e-7>', [1, 1, 1, 2], [1, -127]));
    const bias = builder.constant('b', raw('i32', [2], [5, -70000]));
    builder.output('y', builder.op('conv', [x, w, bias], { layout: 'nhwc', result: B, activation: 'relu' }));
    const graph = builder.build();
    const { text } = printGraph(graph);
    expect(printGraph(parseGraph(text, { file: 'g.pir' })).text).toBe(text);
    expect(text).toContain('result=i8<0.25,10>');
  });
});
