/** Numbers at the corners, in every precision, against onnxruntime: ranges without zero, equal numbers, zeros, infinities, dimensions of 1. */
import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { expectAgreement } from '../support/agreement.ts';
import { evaluatedCalibration } from '../support/calibration.ts';
import type { ModelSpec, TensorSpec } from '../support/onnx-builder.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';
import { runOrt } from '../support/ort.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');
/** Decibels of signal over noise that a precision keeps on numbers of one magnitude; f32 sums in another order. */
const LEAST_DECIBELS = { O0: 120, O1: 120, f16: 60, bf16: 40, fixed16: 60, int8: 35, 'int8-naive': 35 } as const;
type Preset = keyof typeof LEAST_DECIBELS;
const PRESETS = Object.keys(LEAST_DECIBELS) as readonly Preset[];
/** Integers have no infinities. */
const FLOATS: readonly Preset[] = ['O0', 'O1', 'f16', 'bf16'];

const ramp = (count: number, amplitude = 1, offset = 0): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => offset + amplitude * Math.sin(1 + 1.7 * i));
const of = (name: string, dims: readonly number[], data: Float32Array): TensorSpec => ({ name, dims, data });

/** One or two nodes from the input x, f32[2,4] unless a shape is given, to y, and a constant c beside it. */
function model(nodes: ModelSpec['nodes'], initializers: readonly TensorSpec[], shape: readonly number[] = [2, 4]): Uint8Array {
  return modelBytes({ nodes, inputs: [{ name: 'x', shape }], outputs: [{ name: 'y' }], initializers });
}

const sum = (c: Float32Array): Uint8Array => model([node('Add', 'x c', 'y')], [of('c', [2, 4], c)]);

/** Normalisation of three channels, the variance of the second of which is 0, without epsilon; behind a convolution where one is given. */
function normalised(convolution: boolean): Uint8Array {
  const nodes = convolution ? [node('Conv', 'x w', 'in')] : [];
  nodes.push(node('BatchNormalization', `${convolution ? 'in' : 'x'} s b m v`, 'y', { epsilon: { float: 0 } }));
  const constants = [
    of('w', [3, 2, 1, 1], ramp(6)),
    of('s', [3], Float32Array.of(1, 2, 3)),
    of('b', [3], Float32Array.of(0, 1, 2)),
    of('m', [3], Float32Array.of(0.1, 0, 0.3)),
    of('v', [3], Float32Array.of(1, 0, 2)),
  ];
  return model(nodes, constants, convolution ? [1, 2, 4, 4] : [1, 3, 2, 2]);
}

const CASES: Readonly<Record<string, readonly [model: Uint8Array, presets?: readonly Preset[]]>> = {
  'a constant operand of positive numbers': [sum(ramp(8, 0.1, 5))],
  'a constant operand of negative numbers': [sum(ramp(8, 0.1, -0.5))],
  'a constant operand of equal numbers': [sum(new Float32Array(8).fill(3))],
  'a constant operand of zeros': [sum(new Float32Array(8))],
  'a constant operand of numbers near nothing': [sum(ramp(8, 1e-30))],
  'a constant operand far from the other': [sum(ramp(8, 0.1, 1000))],
  'a value that is always zero': [
    model([node('Mul', 'x c', 'a'), node('Add', 'a d', 'y')], [of('c', [2, 4], new Float32Array(8)), of('d', [2, 4], ramp(8))]),
  ],
  'a value that is always the same number': [
    model(
      [node('Mul', 'x c', 'a'), node('Add', 'a d', 'b'), node('Relu', 'b', 'y')],
      [of('c', [2, 4], new Float32Array(8)), of('d', [2, 4], new Float32Array(8).fill(-2.5))],
    ),
  ],
  'channels whose weights are zeros': [
    model(
      [node('Conv', 'x w b', 'c'), node('Relu', 'c', 'y')],
      [of('w', [3, 2, 1, 1], Float32Array.of(0, 0, 1, 2, 0, 0)), of('b', [3], Float32Array.of(0, 1, -5))],
      [1, 2, 4, 4],
    ),
  ],
  'weights that are all zeros': [model([node('Gemm', 'x w', 'y')], [of('w', [4, 3], new Float32Array(12))])],
  'a bias that is much larger than the weights': [
    model([node('Gemm', 'x w b', 'y')], [of('w', [4, 3], ramp(12, 1e-3)), of('b', [3], Float32Array.of(100, -30, 0))]),
  ],
  'a variance of 0 without epsilon': [normalised(false), FLOATS],
  'a variance of 0 without epsilon, behind a convolution': [normalised(true), FLOATS],
  'an operand of five dimensions that is broadcast': [
    model([node('Add', 'x c', 'y')], [of('c', [1, 2, 1, 1, 1], Float32Array.of(1, 2))], [1, 2, 3, 2, 2]),
  ],
  'a constant with more dimensions than what it is added to': [
    model([node('Add', 'x c', 'a'), node('Mul', 'a d', 'y')], [of('c', [1, 1, 3, 1, 1], ramp(3)), of('d', [1], ramp(1))], [1, 3, 6, 6]),
  ],
  'a result that has more dimensions than any operand with all its elements': [
    model([node('Mul', 'x c', 'y')], [of('c', [1, 1, 1, 1], ramp(1))], [2, 3]),
  ],
};

describe('numbers at the corners', () => {
  const cases = Object.entries(CASES).flatMap(([name, [bytes, presets = PRESETS]]) =>
    presets.map((preset): [string, Preset, Uint8Array] => [name, preset, bytes]),
  );
  it.each(cases)('%s, %s', async (_, preset, bytes) => {
    const graph = importOnnx(bytes);
    const inputs = new Map(graph.inputs.map(({ name, type }) => [name, tensor(type, ramp(elementCount(type.shape)))]));
    const calibration = evaluatedCalibration([inputs]);
    const compiled = compileModel(graph, { target, passes: parsePipeline(preset), pipeline: { calibration } });
    expectAgreement(compiled.legal, compiled, target, inputs);
    const values = evaluateGraph(compiled.legal, inputs);
    const wanted = floats((await runOrt(bytes, inputs)).get('y') ?? tensor({ element: 'f32', shape: [0] }, new Float32Array()));
    const actual = floats(values.get(compiled.legal.outputs[0]?.value ?? '') ?? tensor({ element: 'f32', shape: [0] }, new Float32Array()));
    expect(actual.length).toBe(wanted.length);
    let [signal, noise] = [0, 0];
    for (const [i, x] of wanted.entries()) {
      const y = actual[i] as number;
      // NaN and infinities have no noise: they are the same or not.
      if (!Number.isFinite(x) || !Number.isFinite(y)) expect(y).toBe(x);
      else {
        signal += x * x;
        noise += (x - y) ** 2;
      }
    }
    expect(noise === 0 ? Infinity : 10 * Math.log10(signal / noise)).toBeGreaterThan(LEAST_DECIBELS[preset]);
  });
});
