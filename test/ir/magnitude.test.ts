/** Magnitudes: rounding errors of products and sums stay within count · 2⁻²⁴ · Σ|terms|. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completeAttributes } from '../../compiler/ir/attributes.ts';
import type { Attributes } from '../../compiler/ir/graph.ts';
import { inferType } from '../../compiler/ir/infer.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { opRecord } from '../../compiler/ir/ops.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Magnitude } from '../../compiler/ir/op.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { graphsWithInputs } from '../support/arbitraries.ts';

const f32 = (...shape: number[]): TensorType => tensorType('f32', shape);

/** Magnitude of one op on leaves with these absolute values. */
function magnitude(op: OpName, operands: readonly (readonly [TensorType, readonly number[]])[], given: Attributes = {}): Magnitude {
  const attributes = completeAttributes(op, given);
  const types = operands.map(([type]) => type);
  const terms = operands.map(([, values]) => ({ terms: Float64Array.from(values), count: 0 }));
  return opRecord(op).magnitude(terms, types, attributes, inferType(op, types, attributes));
}

describe('magnitude', () => {
  test('sums and products of absolute values', () => {
    expect(
      magnitude('sub', [
        [f32(2, 1), [1, 2]],
        [f32(2), [3, 4]],
      ]),
    ).toEqual({ terms: Float64Array.of(4, 5, 5, 6), count: 1 });
    expect(
      magnitude('mul', [
        [f32(1), [3]],
        [f32(1), [4]],
      ]),
    ).toEqual({ terms: Float64Array.of(12), count: 1 });
    const attributes = { alpha: -2, beta: -3, trans_b: true };
    expect(
      magnitude(
        'gemm',
        [
          [f32(1, 2), [1, 2]],
          [f32(1, 2), [3, 4]],
          [f32(), [5]],
        ],
        attributes,
      ).terms,
    ).toEqual(Float64Array.of(2 * 11 + 3 * 5));
    const conv = magnitude(
      'conv',
      [
        [f32(1, 2, 1, 2), [1, 2, 3, 4]],
        [f32(1, 2, 1, 2), [1, 10, 100, 1000]],
        [f32(1), [0.5]],
      ],
      { pads: [0, 0, 0, 1] },
    );
    expect(conv).toEqual({ terms: Float64Array.of(1 + 20 + 300 + 4000 + 0.5, 2 + 400 + 0.5), count: 5 });
    expect(magnitude('max-pool', [[f32(1, 1, 1, 3), [3, 1, 2]]], { kernel: [1, 2] }).terms).toEqual(Float64Array.of(3, 2));
    expect(magnitude('transpose', [[f32(2, 2), [1, 2, 3, 4]]], { perm: [1, 0] }).terms).toEqual(Float64Array.of(1, 3, 2, 4));
    const statistics = [2, 3, 5, 4].map((value) => [f32(1), [value]] as const);
    expect(magnitude('batch-norm', [[f32(1, 1), [7]], ...statistics], { epsilon: 0 }).terms).toEqual(Float64Array.of(7 + 5 + 3));
  });

  test('a bias of integers counts as the real numbers that it stands for', () => {
    const [x, w] = [tensorType('i8<0.5,3>', [1, 1]), tensorType('i8<axis=1:0.25 2>', [1, 2])];
    const quantized = magnitude(
      'gemm',
      [
        [x, [3]],
        [w, [1, 2]],
        [tensorType('i32', [2]), [16, 16]],
      ],
      { result: 'f32' },
    );
    expect(quantized.terms).toEqual(Float64Array.of(3 + 16 * 0.125, 6 + 16));
    const [image, kernel] = [tensorType('fx16.3', [1, 1, 1, 1]), tensorType('fx16.2', [1, 1, 1, 1])];
    const fixed = magnitude(
      'conv',
      [
        [image, [3]],
        [kernel, [2]],
        [tensorType('i64', [1]), [64]],
      ],
      { layout: 'nhwc', result: 'f32' },
    );
    expect(fixed.terms).toEqual(Float64Array.of(6 + 2));
  });

  test('a value is never larger than its magnitude', () => {
    const ops = ['add', 'sub', 'mul', 'conv', 'gemm', 'matmul', 'relu', 'max-pool', 'transpose', 'reshape', 'batch-norm'] as const;
    fc.assert(
      fc.property(graphsWithInputs({ ops, elements: ['f32'] }), ({ graph, inputs }) => {
        const magnitudes = new Map<string, Magnitude>();
        evaluateGraph(graph, inputs, {
          observe(node, value) {
            const own = Float64Array.from(floats(value), Math.abs);
            const found =
              node.kind === 'op'
                ? opRecord(node.op).magnitude(
                    node.inputs.map((input) => magnitudes.get(input)),
                    node.inputs.map((input) => graph.find(input)?.type),
                    node.attributes,
                    node.type,
                  )
                : { terms: own, count: 0 };
            magnitudes.set(node.name, found);
            // An activation's bound may lift a value above what its terms can reach.
            if (node.kind === 'op' && node.attributes.activation === 'clip')
              magnitudes.set(node.name, { ...found, terms: found.terms.map((term, i) => Math.max(term, own[i] ?? 0)) });
            else
              own.forEach((size, i) =>
                expect(size).toBeLessThanOrEqual((found.terms[i] ?? NaN) * (1 + 2 ** -24) ** found.count + 2 ** -140),
              );
          },
        });
      }),
    );
  });
});
