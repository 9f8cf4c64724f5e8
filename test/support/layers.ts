/** Layers for tests of lowering: convolutions of all shapes, and numbers to fill them with. */
import fc from 'fast-check';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { checkGraph } from '../../compiler/ir/verify.ts';
import type { Target } from '../../isa/target.ts';

/** A target with scratchpads so small that even small layers are cut in many tiles. */
export function withSmallScratchpads(target: Target): Target {
  return { ...target, memory: { ...target.memory, vectorBytes: 4096, matrixBytes: 8192 } };
}

/** Deterministic values with both signs, some zeros and some of very different size. */
export function values(shape: readonly number[], seed: number): Tensor {
  let state = seed * 2654435761 + 1;
  const data = Float32Array.from({ length: elementCount(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state % 11 === 0 ? 0 : (state / 2 ** 31) * (state % 7 === 0 ? 1e3 : 1);
  });
  return { type: tensorType('f32', shape), data };
}

export interface ConvCase {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
  readonly bias: boolean;
  readonly activation: string;
  readonly groups?: number;
}

const pair = (high: number) => fc.tuple(fc.integer({ min: 1, max: high }), fc.integer({ min: 1, max: high }));
export const arbitraryConv: fc.Arbitrary<ConvCase> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 11 }),
    width: fc.integer({ min: 1, max: 11 }),
    channels: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 40 }),
    kernel: pair(4),
    strides: pair(3),
    dilations: pair(2),
    pads: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.nat(3)),
    bias: fc.boolean(),
    activation: fc.constantFrom('none', 'relu', 'clip'),
  })
  .filter(
    ({ height, width, kernel, dilations, pads }) =>
      height + pads[0] + pads[2] >= (kernel[0] - 1) * dilations[0] + 1 && width + pads[1] + pads[3] >= (kernel[1] - 1) * dilations[1] + 1,
  );

/** A legal graph of one convolution, checked. */
export function convGraph(c: ConvCase): Graph {
  const builder = new GraphBuilder('conv');
  const x = builder.input('x', tensorType('f32', [c.batch, c.height, c.width, c.channels]));
  const { groups = 1 } = c;
  const w = builder.constant('w', values([...c.kernel, c.channels / groups, c.outputs], 1));
  const b = c.bias ? [builder.constant('b', values([c.outputs], 2))] : [];
  const { strides, pads, dilations, activation } = c;
  builder.output(
    'y',
    builder.op(
      'conv',
      [x, w, ...b],
      { strides, pads, dilations, groups, activation, activation_min: -1, activation_max: 6, layout: 'nhwc' },
      { name: 'y', origin: ['Conv_0'] },
    ),
  );
  const graph = builder.build('legal');
  checkGraph(graph);
  return graph;
}

/** A legal graph of the pooling that has the window of a convolution. */
export function poolGraph({ batch, height, width, channels, kernel, strides, pads, dilations }: ConvCase): Graph {
  const builder = new GraphBuilder('pool');
  const x = builder.input('x', tensorType('f32', [batch, height, width, channels]));
  builder.output('y', builder.op('max-pool', [x], { kernel, strides, pads, dilations, layout: 'nhwc' }, { name: 'y' }));
  return builder.build('legal');
}

/** A legal graph of one product of M × K and K × N, rectified. */
export function gemmGraph(M: number, K: number, N: number, bias: boolean): Graph {
  const builder = new GraphBuilder('gemm');
  const x = builder.input('x', tensorType('f32', [M, K]));
  const w = builder.constant('w', values([K, N], 3));
  const b = bias ? [builder.constant('b', values([N], 4))] : [];
  builder.output('y', builder.op('gemm', [x, w, ...b], { activation: 'relu' }, { name: 'y' }));
  return builder.build('legal');
}
