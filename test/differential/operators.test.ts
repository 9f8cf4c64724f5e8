/**
 * Small models of every supported operator, random ones and one in every version of ONNX: our evaluator, and the compiled program where there
 * is one, against onnxruntime.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { OP_NAMES, opRecord } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import type { Compilation } from '../../compiler/pipeline.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { evaluateCone } from '../../passes/contract/cone.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { expectAgreement } from '../support/agreement.ts';
import { decisions } from '../support/arbitraries.ts';
import { Choices } from '../support/choices.ts';
import type { ModelSpec } from '../support/onnx-builder.ts';
import { modelBytes } from '../support/onnx-builder.ts';
import { runOrt } from '../support/ort.ts';
import { loadTarget } from '../support/targets.ts';
import type { Draw } from './sketch.ts';
import { Sketch, randomFloats } from './sketch.ts';
import { chains } from './chains.ts';
import { SKETCHES } from './sketches.ts';
import { runs } from '../support/effort.ts';

/** More runs find more: PLUMBLINE_FUZZ_RUNS=2000 npx vitest run test/differential. */
const RUNS = runs(30, 600);
const SEED = 20_160_618;
const VERSIONS = Array.from({ length: 15 }, (_, i) => 7 + i);
/** First versions of operators that are not in all of these. */
const SINCE: Readonly<Record<string, number>> = { ConstantOfShape: 9 };

/** Both sides round, each within k · 2⁻²⁴ · Σ|terms| of the exact result. */
const SIDES = 2;
/** Optimization rounds folded weights once more. */
const PASSES = 2;

const DRAWS: Readonly<Record<string, Draw>> = { ...SKETCHES, chains };

/** What no program is expected of in all forms: two computed operands that broadcast, axes other than the last, padded channels. */
const PARTLY_COMPILED = ['Add', 'Sub', 'Mul', 'Sum', 'MatMul', 'Softmax', 'Pad'];

const target = loadTarget('cambricon');
const O1 = parsePipeline('O1');

function draw(operator: string, opset: number, numbers: readonly number[]): ModelSpec {
  const sketch = new Sketch(new Choices(numbers), opset);
  DRAWS[operator]?.(sketch);
  return sketch.model();
}

function feeds({ inputs }: Graph): Map<string, Tensor> {
  return new Map(
    inputs.map(({ name, type: { shape } }, i) => [name, tensor(tensorType('f32', shape), randomFloats(elementCount(shape), 77 + i))]),
  );
}

/** Fails where a result is further from onnxruntime's than what its element adds up allows. */
function expectNear(actual: ArrayLike<number>, wanted: Float32Array, bounds: Float64Array, what: string): void {
  expect(actual.length, what).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) {
    const error = Math.abs((actual[i] ?? NaN) - value);
    const bound = bounds[i] ?? 0;
    if (!(error <= bound))
      expect.fail(`${what}: element ${i} is ${String(actual[i])} instead of ${value}, which is more than ${bound} apart`);
  }
}

/** The program, or undefined where `partly` allows that there is none. */
function compile(graph: Graph, partly: boolean): Compilation | undefined {
  try {
    return compileModel(graph, { target, passes: O1 });
  } catch (error) {
    if (partly && error instanceof DiagnosticError) return undefined;
    throw error;
  }
}

async function check(operator: string, opset: number, numbers: readonly number[]): Promise<void> {
  const bytes = modelBytes(draw(operator, opset, numbers));
  const graph = importOnnx(bytes);
  const inputs = feeds(graph);
  const wanted = (await runOrt(bytes, inputs)).get('y');
  if (!wanted) throw new Error('onnxruntime gave no y');
  const { tensor: evaluated, magnitude } = evaluateCone(graph, graph.outputs[0]?.value ?? '', inputs);
  expect(evaluated.type).toEqual(wanted.type);
  const bounds = magnitude.terms.map((terms) => SIDES * magnitude.count * 2 ** -24 * terms);
  expectNear(floats(evaluated), floats(wanted), bounds, 'evaluator');
  const compiled = compile(graph, PARTLY_COMPILED.includes(operator));
  if (!compiled) return;
  const outputs = expectAgreement(compiled.legal, compiled, target, inputs);
  const passed = bounds.map((bound) => PASSES * bound);
  expectNear(outputs.get('y') ?? [], floats(wanted), passed, 'program');
}

describe.each(Object.keys(DRAWS))('%s', (operator) => {
  const versions = VERSIONS.filter((version) => version >= (SINCE[operator] ?? 0));

  it('in random forms', async () => {
    const models = fc.record({ opset: fc.constantFrom(...versions), numbers: decisions });
    await fc.assert(
      fc.asyncProperty(models, ({ opset, numbers }) => check(operator, opset, numbers)),
      { numRuns: RUNS, seed: SEED },
    );
  });

  it.each(versions)('in opset %i', async (opset) => {
    for (const step of [0, 7, 11, 13]) {
      const numbers = Array.from({ length: 40 }, (_, i) => step * (i + 1));
      await check(operator, opset, numbers);
    }
  });
});

it('every operator of the op table is drawn', () => {
  const named = OP_NAMES.flatMap((name) => opRecord(name).onnx?.op ?? []);
  expect(named.filter((operator) => !Object.hasOwn(SKETCHES, operator))).toEqual([]);
});
