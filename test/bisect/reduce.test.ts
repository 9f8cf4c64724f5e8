/** Wrong compiles of whole networks are reduced to a few ops that fail again when they are run from their text. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { graphSamples } from '../../compiler/cli/samples.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph, Node } from '../../compiler/ir/graph.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { numbers } from '../../passes/contract/compare.ts';
import { argmax } from '../../runtime/evaluate/metrics.ts';
import { parseGraph } from '../../compiler/ir/text.ts';
import { parseRunLine, parseSamples, printReproducer } from '../../passes/instruments/reproducer.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import { invoke, pass } from '../../passes/pass.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { CheckContext, Evaluated } from '../../runtime/bisect/check.ts';
import { Checker, sameFailure } from '../../runtime/bisect/check.ts';
import { parseExpression } from '../../runtime/bisect/expression.ts';
import type { Reduction } from '../../runtime/bisect/reduce.ts';
import { reduce } from '../../runtime/bisect/reduce.ts';
import { leafElements } from '../../runtime/bisect/shrink.ts';
import { calibrationOnSamples } from '../../runtime/evaluate/calibration.ts';
import { loadTarget } from '../support/targets.ts';
import { pipelineWith, VOCABULARY } from './planted.ts';
import { effort } from '../support/effort.ts';

/** On samples whose class is what the float model predicts. */
async function reduced(
  model: string,
  check: string,
  stepsOf: (graph: Graph) => readonly PassInvocation[],
  context: Partial<CheckContext> = {},
): Promise<Reduction | undefined> {
  const source = findModel(model);
  const graph = loadGraph(source);
  const scores = graph.outputs[0]?.value ?? '';
  const samples = (await graphSamples(graph, source, 3)).map((inputs, i) => {
    const label = argmax(numbers(evaluateGraph(graph, inputs).get(scores) ?? { type: tensorType('f32', [0]), data: new Float32Array() }));
    return { inputs, label, place: `sample ${i}` };
  });
  const checker = new Checker(
    { kind: 'expression', expression: parseExpression(check) },
    { base: graph, samples, target: loadTarget('cambricon'), values: 'program', ...context },
  );
  return reduce({ graph, steps: stepsOf(graph), checker });
}

/** Prints a reproducer, and runs what its text says. */
async function rerun({ graph, steps, samples }: Reduction, check: string, context: Partial<CheckContext> = {}): Promise<Evaluated> {
  const inlineElements = 2 ** 16;
  const { text, constants } = printReproducer({ graph, pipeline: steps, options: ['--check', check], notes: [], samples, inlineElements });
  expect([...constants], 'one file').toEqual([]);
  const again = parseGraph(text, { file: 'repro.pir' });
  const { pipeline, options } = parseRunLine(text, 'repro.pir', VOCABULARY);
  expect(options).toEqual(['--check', check]);
  const checker = new Checker(
    { kind: 'expression', expression: parseExpression(options[1] ?? '') },
    {
      base: again,
      samples: parseSamples(text, again, 'repro.pir').map((sample) => ({ ...sample, place: 'repro.pir' })),
      target: loadTarget('cambricon'),
      values: 'graph',
      ...context,
    },
  );
  return checker.test({ graph: again, steps: pipeline });
}

describe.each(effort(['mobilenet'], ['mobilenet', 'resnet']))('%s, wrong at one place', (model) => {
  it.each([
    ['contract', 4, 9],
    ['maxerror < 0.01', 0, 5],
  ])('is reduced to at most five ops that break %s when they are run again', async (check, place, at) => {
    const result = await reduced(model, check, (graph) => pipelineWith(graph, place, at));
    expect(result?.graph.ops.length).toBeLessThanOrEqual(5);
    expect(result?.steps.map(({ pass }) => pass.name)).toEqual(['planted']);
    expect(result?.samples).toHaveLength(1);
    if (!result) return;
    expect(leafElements(result)).toBeLessThan(100);
    const again = await rerun(result, check);
    expect(again.verdict).toBe('bad');
    expect(sameFailure(again, result.evaluated)).toBe(true);
  });
});

describe('a reduction', () => {
  it('keeps the scores where the check is of classes', async () => {
    const result = await reduced('lenet-5', 'top1 >= base', (graph) => pipelineWith(graph, 0, 3, 5));
    expect(result?.graph.outputs).toEqual([{ name: 'logits', value: 'logits' }]);
    if (result) expect((await rerun(result, 'top1 >= base')).verdict).toBe('bad');
  });

  it.each([
    ['mobilenet', 'sqnr >= 30', 'int8-naive', 'quantize'],
    ['lenet-300-100', 'sqnr >= 90', 'fixed16', 'to-dynamic-fixed'],
  ])('of %s calibrates passes on the samples that are left', async (model, check, preset, pass) => {
    const context: Partial<CheckContext> = { calibrate: (samples) => calibrationOnSamples(samples, { target: loadTarget('cambricon') }) };
    const result = await reduced(model, check, () => parsePipeline(preset), context);
    expect(result?.steps.map((step) => step.pass.name)).toEqual([pass]);
    expect(result?.graph.ops).toHaveLength(1);
    if (!result) return;
    const again = await rerun(result, check, context);
    expect(again.verdict).toBe('bad');
    expect(again).toEqual(result.evaluated);
  });

  it('keeps the passes that fail only together', async () => {
    const bump = pass({
      name: 'bump',
      doc: 'Adds 3 to the scores.',
      meaning: 'lossy',
      requires: [],
      establishes: [],
      params: {},
      run(graph) {
        const scores = graph.find('logits');
        const bias = scores?.kind === 'op' ? scores.inputs[2] : undefined;
        const nodes = graph.nodes.map((node): Node => {
          if (node.kind !== 'constant' || node.name !== bias) return node;
          return { ...node, value: { type: node.type, data: floats(node.value).map((x) => x + 3) } };
        });
        return graph.with({ nodes });
      },
    });
    const steps = [...parsePipeline('simplify'), invoke(bump), ...parsePipeline('eliminate-dead'), invoke(bump)];
    const result = await reduced('lenet-5', 'maxerror < 5', () => steps);
    expect(result?.steps.map((step) => step.pass.name)).toEqual(['bump', 'bump']);
    expect(result?.graph.ops.map(({ name }) => name)).toEqual(['logits']);
  });

  it('also reduces what makes a pass break down', async () => {
    const brittle = pass({
      name: 'brittle',
      doc: 'Does not know pooling.',
      meaning: 'exact',
      requires: [],
      establishes: [],
      params: {},
      run(graph) {
        if (graph.ops.some(({ op }) => op === 'max-pool')) throw new TypeError('cannot read max-pool');
        return graph;
      },
    });
    const result = await reduced('lenet-5', 'contract', () => [...parsePipeline('O1'), invoke(brittle)]);
    expect(result?.graph.ops.map(({ op }) => op)).toEqual(['max-pool']);
    expect(result?.evaluated.findings[0]?.detail).toBe('the compiler broke down: TypeError: cannot read max-pool');
  });

  it('has nothing to do where the check holds', async () => {
    expect(await reduced('lenet-5', 'contract', (graph) => pipelineWith(graph, 2, undefined))).toBeUndefined();
  });
});
