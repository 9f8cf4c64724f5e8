/** Random small models of every supported operator, computed by our evaluator and by a compiled program, against onnxruntime. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { expectAgreement } from '../support/agreement.ts';
import type { ModelSpec, NodeSpec, TensorSpec } from '../support/onnx-builder.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';
import { runOrt } from '../support/ort.ts';
import { loadTarget } from '../support/targets.ts';

/** More runs find more: PLUMBLINE_FUZZ_RUNS=2000 npx vitest run test/differential. */
const RUNS = Number(process.env.PLUMBLINE_FUZZ_RUNS ?? 25);
/** Of the range of an output: both sides round every term, in different orders. */
const TOLERANCE = 1e-5;

type Shape = readonly number[];

/** A model of one operator behind an input `x`. */
interface Sketch {
  readonly x: Shape;
  readonly nodes: readonly NodeSpec[];
  readonly constants: readonly TensorSpec[];
  readonly opset: number;
}

function numbers(count: number, seed: number): Float32Array {
  let state = seed || 1;
  return Float32Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return ((state >>> 8) / 2 ** 24) * 2 - 1;
  });
}

const constant = (name: string, dims: Shape, seed: number): TensorSpec => ({ name, dims, data: numbers(elementCount(dims), seed) });
const opset = fc.integer({ min: 7, max: 21 });
const seed = fc.integer({ min: 1, max: 2 ** 30 });
const int = (min: number, max: number) => fc.integer({ min, max });

const image = fc.record({ n: int(1, 2), c: int(1, 6), h: int(1, 9), w: int(1, 9) });
const windows = fc.record({
  kernel: fc.tuple(int(1, 4), int(1, 4)),
  strides: fc.tuple(int(1, 3), int(1, 3)),
  pads: fc.tuple(int(0, 2), int(0, 2), int(0, 2), int(0, 2)),
});
const padding = fc.constantFrom('explicit', 'SAME_UPPER', 'SAME_LOWER', 'VALID');

const conv = fc
  .record({ image, windows, padding, opset, seed, outputs: int(1, 5), bias: fc.boolean() })
  .map(({ image: { n, c, h, w }, windows: { kernel, strides, pads }, padding: mode, opset: version, seed: s, outputs, bias }): Sketch => ({
    x: [n, c, h, w],
    opset: version,
    nodes: [
      node('Conv', bias ? 'x w b' : 'x w', 'y', {
        kernel_shape: kernel,
        strides,
        ...(mode === 'explicit' ? { pads } : { auto_pad: mode }),
      }),
    ],
    constants: [constant('w', [outputs, c, ...kernel], s), ...(bias ? [constant('b', [outputs], s + 1)] : [])],
  }));

const maxPool = fc.record({ image, windows, padding, opset, ceil: fc.boolean() }).map(
  ({
    image: { n, c, h, w },
    windows: {
      kernel: [height, width],
      strides,
      pads,
    },
    padding: mode,
    opset: version,
    ceil,
  }): Sketch => {
    // Of a window that does not fit, onnxruntime takes the part that does, or nothing, as its division rounds; we refuse it.
    const kernel = [Math.min(height, h), Math.min(width, w)];
    const attributes = {
      kernel_shape: kernel,
      // onnxruntime refuses automatic padding that would have to be negative; the specification takes 0 instead.
      strides: mode === 'explicit' ? strides : strides.map((stride, i) => Math.min(stride, kernel[i] ?? 1)),
      ...(mode === 'explicit' ? { pads } : { auto_pad: mode }),
      ...(version >= 10 && mode === 'explicit' && ceil && { ceil_mode: 1 }),
    };
    return { x: [n, c, h, w], opset: version, nodes: [node('MaxPool', 'x', 'y', attributes)], constants: [] };
  },
);

const gemm = fc
  .record({
    m: int(1, 5),
    k: int(1, 40),
    n: int(1, 40),
    opset,
    seed,
    transB: fc.boolean(),
    bias: fc.constantFrom('row', 'one', 'none'),
    alpha: fc.constantFrom(1, 0.5),
    beta: fc.constantFrom(1, -2),
  })
  .map(({ m, k, n, opset: version, seed: s, transB, bias, alpha, beta }): Sketch => ({
    x: [m, k],
    opset: version,
    // The third operand may be left out from version 11 on.
    nodes: [
      node('Gemm', bias === 'none' && version >= 11 ? 'x w' : 'x w b', 'y', {
        transB: Number(transB),
        alpha: { float: alpha },
        beta: { float: beta },
      }),
    ],
    constants: [constant('w', transB ? [n, k] : [k, n], s), constant('b', bias === 'one' ? [1] : [n], s + 1)],
  }));

const matMul = fc
  .record({ m: int(1, 5), k: int(1, 40), n: int(1, 40), opset, seed })
  .map(({ m, k, n, opset: version, seed: s }): Sketch => ({
    x: [m, k],
    opset: version,
    nodes: [node('MatMul', 'x w', 'y')],
    constants: [constant('w', [k, n], s)],
  }));

const batchNorm = fc.record({ image, opset, seed }).map(({ image: { n, c, h, w }, opset: version, seed: s }): Sketch => ({
  x: [n, c, h, w],
  opset: version,
  nodes: [node('BatchNormalization', 'x s b m v', 'y')],
  constants: [
    constant('s', [c], s),
    constant('b', [c], s + 1),
    constant('m', [c], s + 2),
    { name: 'v', dims: [c], data: numbers(c, s + 3).map((value) => value * value + 0.1) },
  ],
}));

const arithmetic = fc
  .record({ image, opset, seed, op: fc.constantFrom('Add', 'Sub', 'Mul'), per: fc.constantFrom('channel', 'one', 'all') })
  .map(({ image: { n, c, h, w }, opset: version, seed: s, op, per }): Sketch => ({
    x: [n, c, h, w],
    opset: version,
    nodes: [node(op, 'x k', 'y')],
    constants: [constant('k', per === 'channel' ? [c, 1, 1] : per === 'one' ? [1] : [n, c, h, w], s)],
  }));

const chain = fc
  .record({ image, opset, seed, outputs: int(1, 5) })
  .map(({ image: { n, c, h, w }, opset: version, seed: s, outputs }): Sketch => ({
    x: [n, c, h, w],
    opset: version,
    nodes: [
      node('Conv', 'x w', 'a', { kernel_shape: [1, 1] }),
      node('Relu', 'a', 'b'),
      node('MaxPool', 'b', 'c', { kernel_shape: [Math.min(2, h), Math.min(2, w)] }),
      node('Flatten', 'c', 'd', { axis: 1 }),
      node('Gemm', 'd g h', 'y'),
    ],
    constants: [
      constant('w', [outputs, c, 1, 1], s),
      constant('g', [outputs * (h - Math.min(2, h) + 1) * (w - Math.min(2, w) + 1), 3], s + 1),
      constant('h', [3], s + 2),
    ],
  }));

const SKETCHES = { Conv: conv, MaxPool: maxPool, Gemm: gemm, MatMul: matMul, BatchNormalization: batchNorm, arithmetic, chain };

function expectNear(actual: ArrayLike<number>, wanted: Float32Array, what: string): void {
  expect(actual.length, what).toBe(wanted.length);
  const range = Math.max(1e-3, ...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries()) {
    const error = Math.abs((actual[i] ?? NaN) - value);
    if (!(error <= TOLERANCE * range)) expect.fail(`${what}: element ${i} is ${String(actual[i])} instead of ${value}`);
  }
}

async function check({ x, nodes, constants, opset: version }: Sketch): Promise<void> {
  const spec: ModelSpec = {
    opset: version,
    inputs: [{ name: 'x', shape: x }],
    nodes,
    initializers: constants.filter(({ name }) => nodes.some(({ inputs }) => inputs.includes(name ?? ''))),
    outputs: [{ name: 'y' }],
  };
  const bytes = modelBytes(spec);
  const feeds = new Map<string, Tensor>([['x', tensor(tensorType('f32', x), numbers(elementCount(x), 77))]]);
  const wanted = await runOrt(bytes, feeds).then(
    (outputs) => outputs.get('y'),
    () => undefined,
  );
  // A window that does not fit, or one in the padding alone: both must refuse it.
  if (!wanted) {
    expect(() => importOnnx(bytes)).toThrow(DiagnosticError);
    return;
  }
  const graph = importOnnx(bytes);
  const evaluated = evaluateGraph(graph, feeds).get('y');
  if (!evaluated) throw new Error('the evaluator gave no y');
  expect(evaluated.type.shape).toEqual(wanted.type.shape);
  expectNear(floats(evaluated), floats(wanted), 'evaluator');
  const target = loadTarget('cambricon');
  const { legal, ...lowered } = compileModel(graph, { target, passes: parsePipeline('O1') });
  const outputs = expectAgreement(legal, lowered, target, feeds);
  expectNear(outputs.get('y') ?? [], floats(wanted), 'program');
}

describe('against onnxruntime', () => {
  it.each(Object.entries(SKETCHES))('%s', async (_, sketch) => {
    await fc.assert(fc.asyncProperty(sketch, check), { numRuns: RUNS, seed: 20_160_618 });
  });
});
