import fc from 'fast-check';
import { describe, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { checkGraph } from '../../compiler/ir/verify.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { expectAgreement } from '../support/agreement.ts';
import type { ConvCase } from '../support/layers.ts';
import { arbitraryConv, values, withSmallScratchpads } from '../support/layers.ts';
import type { Precision } from '../support/precisions.ts';
import { PRECISIONS } from '../support/precisions.ts';
import { loadTarget } from '../support/targets.ts';
import { runs } from '../support/effort.ts';

const cambricon = loadTarget('cambricon');
const small = withSmallScratchpads(cambricon);

function run(graph: Graph, tight: boolean): void {
  const target = tight ? small : cambricon;
  const inputs = new Map(graph.inputs.map(({ name, type }) => [name, values(type.shape, 9)]));
  expectAgreement(checkGraph(graph), lower(graph, target), target, inputs);
}

function graphOf(shape: readonly number[], build: (builder: GraphBuilder, x: string) => string): Graph {
  const builder = new GraphBuilder('layer');
  builder.output('y', build(builder, builder.input('x', tensorType('f32', shape))));
  return builder.build('legal');
}

const imagesOf = ({ batch, height, width, channels }: ConvCase): readonly number[] => [batch, height, width, channels];

function convGraph(c: ConvCase, precision: Precision, toFloat: boolean): Graph {
  const { groups = 1, strides, pads, dilations } = c;
  return graphOf(imagesOf(c), (builder, x) => {
    const w = precision.weights(builder, values([...c.kernel, c.channels / groups, c.outputs], 1));
    const b = c.bias ? [precision.bias(builder, values([c.outputs], 2), w)] : [];
    const activation = toFloat ? 'none' : c.activation;
    const attributes = { strides, pads, dilations, groups, activation, activation_min: -1, activation_max: 6, layout: 'nhwc' };
    const result = toFloat ? 'f32' : precision.result;
    const y = builder.op('conv', [precision.input(builder, x), w, ...b], { ...attributes, result });
    return toFloat ? y : precision.output(builder, y);
  });
}

describe.each(PRECISIONS)('lowering in $name: evaluator, tiled interpreter and machine agree bit for bit', (precision) => {
  it('on convolutions, in groups or not', () => {
    const grouped = fc.tuple(arbitraryConv, fc.constantFrom(1, 1, 2, 3), fc.integer({ min: 1, max: 3 }));
    fc.assert(
      fc.property(grouped, fc.boolean(), fc.boolean(), ([c, groups, outputs], toFloat, tight) => {
        const sizes = groups === 1 ? {} : { groups, channels: groups * c.channels, outputs: groups * outputs };
        run(convGraph({ ...c, ...sizes }, precision, toFloat), tight);
      }),
      { numRuns: runs(40) },
    );
  });

  it('on depthwise convolutions', () => {
    fc.assert(
      fc.property(arbitraryConv, fc.integer({ min: 2, max: 40 }), fc.boolean(), (c, channels, tight) => {
        run(convGraph({ ...c, groups: channels, channels, outputs: channels }, precision, false), tight);
      }),
      { numRuns: runs(40) },
    );
  });

  it('on products, whose tiles of K continue their accumulators', () => {
    const sizes = fc.record({ m: fc.constantFrom(1, 3, 17), k: fc.constantFrom(1, 40, 700), n: fc.constantFrom(1, 10, 70) });
    fc.assert(
      fc.property(sizes, fc.boolean(), fc.boolean(), fc.boolean(), ({ m, k, n }, bias, toFloat, tight) => {
        const graph = graphOf([m, k], (builder, x) => {
          const w = precision.weights(builder, values([k, n], 3));
          const b = bias ? [precision.bias(builder, values([n], 4), w)] : [];
          const result = toFloat ? 'f32' : precision.result;
          const activation = toFloat ? 'none' : 'relu';
          const y = builder.op('gemm', [precision.input(builder, x), w, ...b], { result, activation });
          return toFloat ? y : precision.output(builder, y);
        });
        run(graph, tight);
      }),
      { numRuns: runs(30) },
    );
  });

  it('on pooling and padding', () => {
    fc.assert(
      fc.property(arbitraryConv, fc.constantFrom('max-pool', 'average-pool', 'pad'), fc.boolean(), (c, op, tight) => {
        const { kernel, strides } = c;
        const dilations = [1, 1];
        const pads = c.pads.map((extent, i) => Math.min(extent, (kernel[i % 2] ?? 1) - 1));
        const window = { kernel, strides, dilations, layout: 'nhwc' };
        const graph = graphOf(imagesOf(c), (builder, x) => {
          const operand = precision.input(builder, x);
          const images = builder.op('pad', [operand], { pads: [0, ...pads.slice(0, 2), 0, 0, ...pads.slice(2), 0], value: -1.5 });
          const narrowMean = precision.result === precision.operand ? {} : { result: precision.result };
          const y =
            op === 'pad'
              ? images
              : op === 'max-pool'
                ? builder.op('max-pool', [operand], { ...window, pads })
                : builder.op('average-pool', [operand], { ...window, pads, count_include_pad: true, ...narrowMean });
          return precision.output(builder, y);
        });
        run(graph, tight);
      }),
      { numRuns: runs(40) },
    );
  });

  it('on sums, activations, concatenations and conversions inside', () => {
    fc.assert(
      fc.property(fc.constantFrom('none', 'relu', 'clip'), fc.integer({ min: 1, max: 20 }), fc.boolean(), (activation, channels, tight) => {
        const graph = graphOf([2, 3, 3, channels], (builder, x) => {
          const a = precision.input(builder, x);
          // Two uses of the input, so that the machine converts it.
          const b = precision.input(builder, builder.op('relu', [x]), precision.other);
          const sums = precision.operand === precision.other ? {} : { result: precision.result };
          const sum = builder.op('add', [a, b], { activation, activation_min: -2, activation_max: 3, ...sums });
          const clamped = builder.op('clip', [builder.op('relu', [sum])], { min: 0.5, max: 2 });
          const joined = builder.op('concat', [sum, clamped, sum], { axis: 3 });
          const back = precision.output(builder, joined);
          return builder.op('sigmoid', [back]);
        });
        run(graph, tight);
      }),
      { numRuns: runs(30) },
    );
  });
});
