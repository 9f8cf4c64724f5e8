import { describe, expect, test } from 'vitest';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { equalGraphs } from '../../compiler/ir/equal.ts';
import { parseGraph } from '../../compiler/ir/text.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import type { CalibrationProvider, CalibrationStatistics } from '../../passes/calibration.ts';
import { calibrateAhead, runPipeline } from '../../passes/manager.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { Dataset } from '../../runtime/data/dataset.ts';
import { calibrationOnSamples, measuredCalibration, readCalibrationData } from '../../runtime/evaluate/calibration.ts';
import { parseCalibration, writeCalibration } from '../../runtime/evaluate/calibration-file.ts';
import { evaluatedCalibration } from '../support/calibration.ts';
import { randomInputs } from '../support/arbitraries.ts';
import { randomTensor } from '../support/random-tensor.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');
const SHAPE = [2, 4, 4] as const;

function network(batch: number, last = 'relu'): Graph {
  const weights = Array.from({ length: 54 }, (_, i) => ((i * 7) % 11) / 8 - 0.5);
  const matrix = Array.from({ length: 36 }, (_, i) => ((i * 5) % 13) / 16 - 0.25);
  return parseGraph(
    `graph @test stage(legal) {
  %x: f32[${batch},2,4,4] = input
  %x/nhwc: f32[${batch},4,4,2] = transpose(%x) {perm=[0,2,3,1]}
  %w: f32[3,3,2,3] = constant [${weights.join(', ')}]
  %c: f32[${batch},4,4,3] = conv(%x/nhwc, %w) {pads=[1,1,1,1], layout=nhwc, activation=relu} from ["c"]
  %p: f32[${batch},2,2,3] = max-pool(%c) {kernel=[2,2], strides=[2,2], layout=nhwc} from ["p"]
  %f: f32[${batch},12] = reshape(%p) {shape=[${batch},12]} from ["f"]
  %v: f32[12,3] = constant [${matrix.join(', ')}]
  %g: f32[${batch},3] = gemm(%f, %v) from ["g"]
  %y: f32[${batch},3] = ${last}(%g) from ["y"]
  output "y" = %y
}`,
    { file: 'test' },
  );
}

function dataset(samples: number, change: (elements: Float32Array, sample: number) => void = () => undefined): Dataset {
  return {
    name: 'data',
    samples,
    classes: 1,
    shape: SHAPE,
    preprocess: undefined,
    read: (i) => {
      const elements = randomTensor(tensorType('f32', SHAPE), i + 1, 'ordinary').data as Float32Array;
      change(elements, i);
      return Promise.resolve({ elements, stored: new Uint8Array(elements.buffer) });
    },
    label: (i) => i,
    place: (i) => `sample ${i}`,
  };
}

describe('measured statistics', () => {
  test.each([1, 2, 4])('are those of the evaluator, whatever the batch: %i', async (batch) => {
    const data = await readCalibrationData(dataset(5), 100);
    const samples = data.samples.map((elements) => new Map([['x', tensor(tensorType('f32', [1, ...SHAPE]), elements)]]));
    const expected = evaluatedCalibration(samples)(network(1));
    const found = measuredCalibration(data, { target })(network(batch));
    expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, statistics] of expected) {
      const { means, ...rest } = found.get(name) ?? { means: [] };
      expect({ name, ...rest }).toEqual({
        name,
        count: statistics.count,
        min: statistics.min,
        max: statistics.max,
        histogram: statistics.histogram,
      });
      means.forEach((mean, c) => expect(mean).toBeCloseTo(statistics.means[c] ?? NaN, 10));
    }
  });

  test('of a graph that does not compile are the evaluator’s, with progress', async () => {
    const data = await readCalibrationData(dataset(3), 2);
    const samples = data.samples.map((elements) => new Map([['x', tensor(tensorType('f32', [1, ...SHAPE]), elements)]]));
    const softmaxOfRows = parseGraph(
      `graph @test stage(legal) { %x: f32[1,2,4,4] = input %y: f32[1,2,4,4] = softmax(%x) {axis=1} output "y" = %y }`,
      { file: 'test' },
    );
    const seen: string[] = [];
    const progress = { update: (done: number, total: number) => void seen.push(`${done}/${total}`), clear: () => void seen.push('clear') };
    const provider = measuredCalibration(data, { target, progress });
    expect(provider(softmaxOfRows).get('y')?.max).toBe(evaluatedCalibration(samples)(softmaxOfRows).get('y')?.max);
    expect(provider(softmaxOfRows)).toBe(provider(softmaxOfRows));
    expect(seen).toEqual(['1/4', '2/4', '3/4', '4/4', 'clear']);
  });
});

describe('statistics on samples', () => {
  const samplesOf = (graph: Graph) => [1, 2, 3].map((seed) => ({ inputs: randomInputs(graph, seed), place: `sample ${seed}` }));

  test.each([
    ['of several inputs', '%a: f32[1,4] = input %b: f32[1,4] = input %y: f32[1,4] = add(%a, %b)'],
    ['of a graph that computes nothing', '%a: f32[2,2] = input %y: f32[4] = reshape(%a) {shape=[4]}'],
    ['of a graph with integers', '%i: i32[4] = input %a: f32[4] = input %r: i32[2,2] = reshape(%i) {shape=[2,2]} %y: f32[4] = relu(%a)'],
  ])('%s are those of the evaluator', (_name, nodes) => {
    const graph = parseGraph(`graph @test stage(legal) { ${nodes} output "y" = %y }`, { file: 'test' });
    const samples = samplesOf(graph);
    const expected = evaluatedCalibration(samples.map(({ inputs }) => inputs))(graph);
    const found = calibrationOnSamples(samples, { target })(graph);
    const figures = (all: CalibrationStatistics) => new Map([...all].map(([name, statistics]) => [name, { ...statistics, means: [] }]));
    expect(figures(found)).toEqual(figures(expected));
    for (const [name, { means }] of expected) means.forEach((mean, c) => expect(found.get(name)?.means[c]).toBeCloseTo(mean, 10));
  });

  test('are taken once of equal graphs, and ahead of a pass that will ask', async () => {
    const graph = network(1);
    let runs = 0;
    const progress = { update: () => (runs += 1), clear: () => undefined };
    const calibration = calibrationOnSamples(samplesOf(graph), { target, progress });
    await calibrateAhead(graph, parsePipeline('eliminate-dead,quantize,eliminate-dead'), { calibration });
    expect(runs).toBe(6);
    const quantized = runPipeline(graph, parsePipeline('eliminate-dead,quantize'), { calibration }).graph;
    expect(equalGraphs(quantized, runPipeline(network(1), parsePipeline('quantize'), { calibration }).graph)).toBe(true);
    expect(runs).toBe(6);
    calibration(network(1, 'identity'));
    expect(runs).toBe(12);
  });

  test('are not taken ahead where no pass will ask; graphs that have none are left to the pipeline, data that do not fit are not', async () => {
    const ahead = (passes: string, graph: Graph, why: Error, signal?: AbortSignal): Promise<void> => {
      const rejecting = { ahead: () => Promise.reject(why) };
      const calibration: CalibrationProvider = Object.assign(() => new Map<string, never>(), rejecting);
      return calibrateAhead(graph, parsePipeline(passes), { calibration }, signal);
    };
    const data = new Error('the data do not fit');
    const diagnostic = new DiagnosticError([{ kind: 'invalid', code: 'calibration/not-finite', message: 'is not finite' }]);
    await ahead('eliminate-dead', network(1), data);
    await ahead('quantize', network(1).with({ stage: 'imported' }), data);
    await ahead('quantize', network(1), diagnostic);
    await expect(ahead('quantize', network(1), data)).rejects.toThrow('the data do not fit');
    await expect(ahead('quantize', network(1), diagnostic, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });

  test('stop where they are told to while they are taken', async () => {
    const graph = network(1);
    const controller = new AbortController();
    const samples = Array.from({ length: 100 }, () => samplesOf(graph)).flat();
    let runs = 0;
    let cleared = false;
    const progress = { update: () => (runs += 1), clear: () => void (cleared = true) };
    const calibration = calibrationOnSamples(samples, { target, progress });
    setTimeout(() => controller.abort(new Error('enough')), 0);
    await expect(calibrateAhead(graph, parsePipeline('quantize'), { calibration }, controller.signal)).rejects.toThrow('enough');
    expect(runs).toBeLessThan(samples.length);
    expect(cleared).toBe(true);
  });
});

describe('data', () => {
  test('that are none, or no numbers, are refused', async () => {
    await expect(readCalibrationData(dataset(0), 5)).rejects.toThrow('holds no samples to calibrate on');
    const bad = dataset(3, (elements, sample) => {
      if (sample === 1) elements[7] = NaN;
    });
    await expect(readCalibrationData(bad, 5)).rejects.toMatchObject({
      place: 'sample 1',
      message: 'holds NaN at element 7; calibration needs finite numbers',
    });
    expect((await readCalibrationData(bad, 1)).samples).toHaveLength(1);
  });

  test('that do not fit the input are refused, and values without a range', async () => {
    const data = await readCalibrationData(dataset(1), 1);
    const other = parseGraph('graph @test stage(legal) { %x: f32[1,3] = input %y: f32[1,3] = relu(%x) output "y" = %y }', { file: 'test' });
    expect(() => measuredCalibration(data, { target })(other)).toThrow("gives samples of 2x4x4, and input 'x' takes 1x3");
    const endless = parseGraph(
      'graph @test stage(legal) { %x: f32[1,2,4,4] = input %n: f32[] = constant [0] %y: f32[1,2,4,4] = div(%x, %n) output "y" = %y }',
      { file: 'test' },
    );
    expect(() => measuredCalibration(data, { target })(endless)).toThrow('%y is not finite on all samples');
  });
});

describe('files', () => {
  const identity = { model: { name: 'm', sha256: 'a'.repeat(64) }, passes: 'O1' };

  test('read back what was written', async () => {
    const data = await readCalibrationData(dataset(3), 3);
    const statistics = measuredCalibration(data, { target })(network(1));
    const text = writeCalibration(identity, data, statistics);
    expect(writeCalibration(identity, data, measuredCalibration(data, { target })(network(2)))).toBe(text);
    expect(parseCalibration(text, 'file')).toEqual({ ...identity, statistics });
    const spoilt = (change: (file: { values: Record<string, { histogram: number[]; min: number }> }) => void): string => {
      const file = JSON.parse(text) as Parameters<typeof change>[0];
      change(file);
      return JSON.stringify(file);
    };
    expect(() => parseCalibration('{', 'file')).toThrow('is no JSON');
    expect(() => parseCalibration('{}', 'file')).toThrow('schema: ');
    expect(() =>
      parseCalibration(
        spoilt(({ values: { c } }) => void c?.histogram.push(1)),
        'file',
      ),
    ).toThrow('values.c: the histogram has not 2048 bins');
    expect(() =>
      parseCalibration(
        spoilt(({ values: { c } }) => {
          if (c) c.min = 1e9;
        }),
        'file',
      ),
    ).toThrow('values.c: min is above max');
  });
});
