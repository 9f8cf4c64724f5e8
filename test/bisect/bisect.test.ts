/** A wrong pass among right ones, and one wrong transformation among right ones, are found in no more evaluations than promised. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { graphSamples } from '../../compiler/cli/samples.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { PipelineOptions } from '../../passes/manager.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import type { Bisection, Dimension } from '../../runtime/bisect/bisect.ts';
import { bisect } from '../../runtime/bisect/bisect.ts';
import { Checker } from '../../runtime/bisect/check.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { measuredCalibration, readCalibrationData } from '../../runtime/evaluate/calibration.ts';
import { parseExpression } from '../../runtime/bisect/expression.ts';
import { loadTarget } from '../support/targets.ts';
import { pipelineWith, twoWrong, weightsOf } from './planted.ts';
import { effort } from '../support/effort.ts';

const load = (model: string): Graph => loadGraph(findModel(model));

async function search(
  model: string,
  check: string,
  steps: readonly PassInvocation[],
  over: Dimension,
  samples = 2,
  pipeline: PipelineOptions = {},
): Promise<Bisection> {
  const source = findModel(model);
  const graph = loadGraph(source);
  const inputs = await graphSamples(graph, source, samples);
  const checker = new Checker(
    { kind: 'expression', expression: parseExpression(check) },
    {
      base: graph,
      samples: inputs.map((each, i) => ({ inputs: each, place: `sample ${i}` })),
      target: loadTarget('cambricon'),
      values: 'program',
      pipeline,
    },
  );
  return bisect({ model, graph, steps, checker }, over);
}

/** The graph that step `place` of a pipeline finds. */
const graphBefore = (model: string, steps: readonly PassInvocation[], place: number): Graph =>
  runPipeline(load(model), steps.slice(0, place)).graph;

describe.each(effort(['mobilenet'], ['mobilenet', 'resnet']))('a wrong transformation in %s', (model) => {
  it.each([
    ['contract', 0, 0],
    ['contract', 4, 9],
    ['agreement >= 90% and sqnr > 40dB', 0, 3],
    ['agreement >= 90% and sqnr > 40dB', 5, 1],
    ['agreement >= 90% and sqnr > 40dB', 9, 13],
  ])('breaks %s and is found at step %i, transformation %i', async (check, place, at) => {
    const steps = pipelineWith(load(model), place, at);
    const weights = weightsOf(graphBefore(model, steps, place));
    const found = await search(model, check, steps, 'ops', 1);
    expect(found).toMatchObject({
      outcome: 'found',
      pass: { step: place + 1 },
      ops: { of: weights.length, alone: true, culprits: [{ number: at + 1, unit: 'copy-weights', value: weights[at]?.root }] },
    });
    expect(found.ops?.culprits[0]?.origin).not.toEqual([]);
    expect(found.trials.length).toBeLessThanOrEqual(Math.log2(steps.length) + Math.log2(weights.length) + 4);
  });
});

describe('a bisection', () => {
  it('says that nothing is wrong after one evaluation', async () => {
    const found = await search('lenet-5', 'contract and sqnr > 80dB', pipelineWith(load('lenet-5'), 3, undefined), 'passes');
    expect(found).toMatchObject({ outcome: 'nothing-wrong', trials: [{ verdict: 'good' }] });
  });

  it('says that the check does not even hold without passes', async () => {
    const found = await search('lenet-5', 'instructions < 10', pipelineWith(load('lenet-5'), 3, undefined), 'ops');
    expect(found.outcome).toBe('without-passes');
    expect(found.trials.at(-1)).toMatchObject({ what: 'no pass', verdict: 'bad' });
  });

  it('compares costs with those of the float model', async () => {
    const { findings } = (
      await search(
        'lenet-5',
        'cycles <= base and instructions <= base and bytes <= base and joules <= base',
        pipelineWith(load('lenet-5'), 3, undefined),
        'passes',
      )
    ).trials[0] ?? { findings: [] };
    expect(findings.map(({ value = NaN, base = NaN }) => value > 0 && value <= base)).toEqual([true, true, true, true]);
  });

  it('finds the transformations that break the check only together', async () => {
    const steps = pipelineWith(load('lenet-5'), 2, 0);
    const both: PassInvocation[] = steps.map((step) => (step.pass.name === 'planted' ? { ...step, pass: twoWrong } : step));
    const found = await search('lenet-5', 'contract', both, 'ops');
    expect(found.ops).toMatchObject({ alone: false, culprits: [{ number: 1 }, { number: 3 }] });
  });

  it('names the channel that is wrong', async () => {
    const found = await search('resnet', 'sqnr > 60dB', pipelineWith(load('resnet'), 4, 6, 11), 'channels', 1);
    const [op] = found.ops?.culprits ?? [];
    expect(found.channels).toMatchObject({ alone: true, culprits: [{ value: op?.value, channel: 11 }] });
    const tests = Math.log2(found.channels?.of ?? 0);
    expect(found.trials.filter(({ what }) => what.includes('channel')).length).toBeLessThanOrEqual(tests + 3);
  });

  it('of passes with statistics measures them once, whatever it is over', async () => {
    const data = await readCalibrationData(await zooDataset('fashion-mnist', 'calibration'), 10);
    const steps = parsePipeline('O1,legalize-layout,quantize{weights=tensor ranges=minmax},eliminate-dead,eliminate-common');
    let runs = 0;
    const progress = { update: () => (runs += 1), clear: () => undefined };
    const calibration = measuredCalibration(data, { target: loadTarget('cambricon'), progress });
    const found = await search('mobilenet', 'sqnr >= 30', steps, 'ops', 8, { calibration });
    expect(found).toMatchObject({
      outcome: 'found',
      pass: { step: 9 },
      ops: { of: 16, alone: true, culprits: [{ unit: 'convert', op: 'conv' }] },
    });
    expect(runs).toBe(20);
  });

  it('names the samples that show the failure', async () => {
    const found = await search('lenet-5', 'agreement == 100%', pipelineWith(load('lenet-5'), 0, 3, 5), 'samples', 40);
    expect(found.failing).toHaveLength(1);
    const [sample] = found.failing ?? [];
    expect(sample?.place).toBe(`sample ${sample?.index}`);
    expect(sample?.predicted).not.toBe(sample?.basePredicted);
  });

  it.each([
    ['channels', 'contract'],
    ['channels', 'cycles < base'],
    ['samples', 'cycles < base'],
  ] as const)('over %s refuses %s', async (over, check) => {
    await expect(search('lenet-5', check, pipelineWith(load('lenet-5'), 3, 0), over)).rejects.toThrow(/needs a check of outputs/);
  });

  it('refuses an empty pipeline, and a check of classes without classes', async () => {
    await expect(search('lenet-5', 'contract', [], 'passes')).rejects.toThrow(/no pass to blame/);
    await expect(search('lenet-5', 'top1 > 50%', pipelineWith(load('lenet-5'), 1, 1), 'passes')).rejects.toThrow(/needs labelled samples/);
  });
});
