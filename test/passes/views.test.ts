/** Transposes around reshapes: where dimensions are only split or only merged, one transpose is left, and all bits are kept. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import { dataBytes } from '../../compiler/ir/tensor.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { runPipeline } from '../../passes/manager.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { randomInputs } from '../support/arbitraries.ts';

/** A number of dimensions in another order. */
const order = (rank: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(
    Array.from({ length: rank }, (_, i) => i),
    { minLength: rank },
  );

/** A shape in groups of dimensions, of sizes from 1 on. */
const groups = fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
const cases = groups.chain((parts) => {
  const [split, merged] = [parts.flat(), parts.map((part) => elementCount(part))];
  return fc
    .boolean()
    .map((splits) => (splits ? { from: merged, to: split } : { from: split, to: merged }))
    .chain((shapes) => fc.record({ shapes: fc.constant(shapes), first: order(shapes.from.length), second: order(shapes.to.length) }));
});

it('keeps every bit, and one transpose at most', () => {
  fc.assert(
    fc.property(cases, ({ shapes: { from, to }, first, second }) => {
      const builder = new GraphBuilder('g');
      const shape = from.map((_, i) => from[first.indexOf(i)] ?? 1);
      const a = builder.op('relu', [builder.input('x', tensorType('f32', shape))]);
      const upper = builder.op('transpose', [a], { perm: first });
      const view = builder.op('reshape', [upper], { shape: to });
      builder.output('y', builder.op('relu', [builder.op('transpose', [view], { perm: second })]));
      const graph = builder.build();
      const simplified = runPipeline(graph, parsePipeline('simplify')).graph;
      const inputs = randomInputs(graph, 1);
      const [before, after] = [graph, simplified].map((each) => evaluateGraph(each, inputs).get(each.outputs[0]?.value ?? ''));
      expect(after?.type).toEqual(before?.type);
      expect(after && Buffer.from(dataBytes(after)).equals(Buffer.from(before ? dataBytes(before) : []))).toBe(true);
      expect(simplified.ops.filter(({ op }) => op === 'transpose').length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});
