/** The error that rounding explains, against the error that rounding makes: layers of random numbers in every precision. */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Attributes, Graph } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { NoiseModel } from '../../runtime/diff/noise.ts';
import type { TensorDiff } from '../../runtime/diff/tensors.ts';
import { compareTraces } from '../../runtime/diff/tensors.ts';
import type { Precision } from '../support/precisions.ts';
import { PRECISIONS } from '../support/precisions.ts';
import { randomTensor } from '../support/random-tensor.ts';
import { graphOf, traceOf } from '../support/traces.ts';

interface Layer {
  readonly op: OpName;
  readonly x: readonly number[];
  /** Weights and bias of a product; the shape of a second operand of a sum. */
  readonly w?: readonly number[];
  readonly other?: readonly number[];
  readonly attributes?: Attributes;
  /** In another precision than f32: whether the result is f32 at once. */
  readonly toFloat?: boolean;
}

const images = { layout: 'nhwc' } as const;
const LAYERS: Readonly<Record<string, Layer>> = {
  gemm: { op: 'gemm', x: [32, 48], w: [48, 64] },
  'gemm with an activation': {
    op: 'gemm',
    x: [32, 48],
    w: [48, 64],
    attributes: { activation: 'clip', activation_min: -3, activation_max: 6 },
  },
  'gemm to f32': { op: 'gemm', x: [32, 48], w: [48, 64], toFloat: true },
  conv: { op: 'conv', x: [2, 12, 12, 8], w: [3, 3, 8, 16], attributes: { ...images, pads: [1, 1, 1, 1], activation: 'relu' } },
  'conv to f32': { op: 'conv', x: [2, 12, 12, 8], w: [3, 3, 8, 16], attributes: images, toFloat: true },
  'depthwise conv': { op: 'conv', x: [2, 12, 12, 64], w: [3, 3, 1, 64], attributes: { ...images, groups: 64, strides: [2, 2] } },
  add: { op: 'add', x: [64, 64], other: [64, 64], attributes: { activation: 'relu' } },
  'average-pool': { op: 'average-pool', x: [2, 12, 12, 16], attributes: { ...images, kernel: [3, 3] } },
};

/** A layer of f32, or in a precision, on inputs of f32. */
function layerGraph({ op, x, w, other, attributes = {}, toFloat = false }: Layer, precision?: Precision): Graph {
  const builder = new GraphBuilder('layer');
  const input = (name: string, shape: readonly number[], element?: Precision['operand']): string => {
    const value = builder.input(name, tensorType('f32', shape));
    return precision ? precision.input(builder, value, element) : value;
  };
  const operands = [input('x', x, precision?.operand), ...(other ? [input('other', other, precision?.other)] : [])];
  if (w) {
    const [weights, bias] = [randomTensor(tensorType('f32', w), 1), scaled(randomTensor(tensorType('f32', [w.at(-1) ?? 1]), 2), 4)];
    const constant = precision ? precision.weights(builder, weights) : builder.constant('w', weights);
    operands.push(constant, precision ? precision.bias(builder, bias, constant) : builder.constant('b', bias));
  }
  const isRescaling = w !== undefined || precision?.operand.startsWith('i8');
  const result = precision && isRescaling ? { result: toFloat ? 'f32' : precision.result } : {};
  builder.output('y', builder.op(op, operands, { ...attributes, ...result }, { name: 'y', origin: ['Y'] }));
  return builder.build('imported');
}

const scaled = (value: Tensor, factor: number): Tensor => ({ ...value, data: floats(value).map((x) => factor * x) });

async function compared(reference: Graph, program: Graph): Promise<TensorDiff> {
  const samples = [1, 2].map((seed) => new Map(reference.inputs.map(({ name, type }, i) => [name, randomTensor(type, 9 * seed + i)])));
  const { tensors } = await compareTraces(traceOf(reference, [], samples), traceOf(program, [], samples), {
    contract: { meaning: 'lossy' },
  });
  const found = tensors.find(({ value }) => value === 'y');
  if (!found) throw new Error('%y is not compared');
  return found;
}

/** Another precision, for both sides of a comparison. */
function otherThan({ operand }: Precision): Precision {
  const found = PRECISIONS.find((other) => other.operand.slice(0, 2) !== operand.slice(0, 2));
  if (!found) throw new Error('there is one precision only');
  return found;
}

function expectExplained({ verdict, excessDecibels }: TensorDiff): void {
  expect(verdict).toBe('expected loss');
  expect(Math.abs(excessDecibels)).toBeLessThan(1.5);
}

describe.each(PRECISIONS)('rounding explains the error, neither more nor less, in $name', (precision) => {
  it.each(Object.entries(LAYERS))('of %s', async (_name, layer) => {
    expectExplained(await compared(layerGraph(layer), layerGraph(layer, precision)));
  });

  it.each(['gemm', 'conv', 'add'] as const)('of %s, on whichever side it is', async (name) => {
    const layer = LAYERS[name] as Layer;
    expectExplained(await compared(layerGraph(layer, precision), layerGraph(layer)));
    expectExplained(await compared(layerGraph(layer, precision), layerGraph(layer, otherThan(precision))));
  });

  it('but not of a bias in wrong units', async () => {
    const layer = LAYERS['gemm to f32'] as Layer;
    const wrong: Precision = { ...precision, bias: (builder, value, weights) => precision.bias(builder, scaled(value, 8), weights) };
    expect(await compared(layerGraph(layer), layerGraph(layer, wrong))).toMatchObject({ verdict: 'suspicious' });
  });
});

describe('errors of rounding', () => {
  it('are predicted exactly where no constant was rounded', async () => {
    const sums = LAYERS.add as Layer;
    for (const precision of PRECISIONS) {
      const { predictedRmse, local } = await compared(layerGraph(sums), layerGraph(sums, precision));
      expect(predictedRmse / local.rmse).toBeCloseTo(1, 2);
    }
  });

  it('are none of numbers that the type holds', () => {
    const model = new NoiseModel(graphOf('  %x: f32[4] = input\n  %y: i8<0.25>[4] = quantize(%x) {to=i8<0.25>}\n  output "y" = %y'));
    const x: Tensor = { type: tensorType('f32', [4]), data: Float32Array.of(-32, -0.25, 0, 31.75) };
    expect(model.roundings('y', new Map([['x', x]]))).toBe(0);
  });

  it('are those of the steps, wherever the type ends', () => {
    const model = new NoiseModel(graphOf('  %x: f32[2] = input\n  %y: i8<0.5>[2] = quantize(%x) {to=i8<0.5>}\n  output "y" = %y'));
    const x: Tensor = { type: tensorType('f32', [2]), data: Float32Array.of(1000.25, 1000.125) };
    expect(model.roundings('y', new Map([['x', x]]))).toBeCloseTo((0.25 ** 2 + 0.125 ** 2) / 2, 12);
  });

  it('of weights with a scale for each channel are those of their own', () => {
    const graph = graphOf(`
  %x: i8<1>[1,1] = input
  %w: i8<axis=1:0.015625 4>[1,2] = constant [100, 100]
  %y: f32[1,2] = gemm(%x, %w) {result=f32}
  output "y" = %y`);
    const x: Tensor = { type: tensorType('f32', [1, 1]), data: Float32Array.of(3) };
    const model = new NoiseModel(graph);
    const draws = Array.from({ length: 200 }, () => model.roundings('y', new Map([['x', x]])));
    // 3 · step of noise in the channels, of variance step² / 12.
    const expected = (9 * (0.015625 ** 2 + 4 ** 2)) / 12 / 2;
    const mean = draws.reduce((sum, each) => sum + each, 0) / draws.length;
    expect(mean / expected).toBeGreaterThan(0.9);
    expect(mean / expected).toBeLessThan(1.1);
  });
});
