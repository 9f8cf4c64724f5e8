/** One network in every precision on the same test samples, in a process of its own, so that two are measured at once. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadGraph } from '../../compiler/cli/model.ts';
import { containerInfo } from '../../compiler/cli/producer.ts';
import { loadTarget } from '../../compiler/cli/target.ts';
import { runPipeline } from '../../passes/manager.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { measuredCalibration, readCalibrationData } from '../../runtime/evaluate/calibration.ts';
import type { Comparison, Executed, MeasuredFigures } from '../../runtime/evaluate/executions.ts';
import { compareExecuted, Executions, figuresOf } from '../../runtime/evaluate/executions.ts';
import { argmax } from '../../runtime/evaluate/metrics.ts';
import { graphMacs, meanRate } from '../../runtime/evaluate/work.ts';
import { monotonicSeconds } from '../../runtime/platform/node.ts';
import { REDUCED_PRESETS } from '../report.ts';
import { subjectOf } from './subjects.ts';

export const TARGET = 'cambricon';
/** All are compared with the first. */
export const PRECISION_NAMES = ['f32', ...REDUCED_PRESETS] as const;
export type Precision = (typeof PRECISION_NAMES)[number];

export function presetOf(precision: Precision): string {
  return precision === 'f32' ? 'O1' : precision;
}

/** Of these samples calibration takes the first ones, as commands do unless told. */
const CALIBRATION_SAMPLES = 500;
const MOST_OUTPUT_BYTES = 2 ** 26;

export interface PrecisionRow extends MeasuredFigures, Comparison {
  readonly precision: Precision;
  /** Share of samples that f32 predicts alike. */
  readonly agreement: number;
  /** Cycles of the 16-bit datapath that a multiply-accumulate takes, by the rates of the element types. */
  readonly rate: number | null;
}

export interface Measurement {
  readonly model: string;
  readonly dataset: string;
  readonly samples: number;
  readonly calibrationSamples: number;
  readonly rows: readonly PrecisionRow[];
}

async function measure(name: string, limit: number): Promise<Measurement> {
  const target = loadTarget(TARGET);
  const { source, test, calibration } = await subjectOf(name, limit);
  const graph = loadGraph(source, { batch: 1 });
  const data = await readCalibrationData(calibration, CALIBRATION_SAMPLES);
  const provider = measuredCalibration(data, { target });
  const executions = new Executions({
    target,
    dataset: test,
    model: name,
    container: containerInfo(target),
    macs: graphMacs(graph),
    now: monotonicSeconds,
  });
  const rows: PrecisionRow[] = [];
  let reference: Executed | undefined;
  for (const precision of PRECISION_NAMES) {
    const optimized = runPipeline(graph, parsePipeline(presetOf(precision)), { calibration: provider }).graph;
    const executed = await executions.run(optimized, presetOf(precision), () => undefined);
    reference ??= executed;
    rows.push({
      precision,
      ...figuresOf(executed),
      ...compareExecuted(reference, executed),
      agreement: agreement(reference, executed),
      rate: meanRate(executed.legal, target) ?? null,
    });
    process.stderr.write(`${name} ${precision} done\n`);
  }
  return { model: name, dataset: test.name, samples: test.samples, calibrationSamples: data.samples.length, rows };
}

function agreement({ scores: a }: Executed, { scores: b }: Executed): number {
  const samples = a.values.length / a.classes;
  const predicted = ({ values, classes }: Executed['scores'], i: number): number => argmax(values.subarray(i * classes, (i + 1) * classes));
  const alike = Array.from({ length: samples }, (_, i) => predicted(a, i) === predicted(b, i)).filter(Boolean).length;
  return alike / samples;
}

/** Measures in a new process. */
export async function measureApart(name: string, limit: number): Promise<Measurement> {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), name, String(limit)];
  const child = promisify(execFile)(process.execPath, args, { encoding: 'utf8', maxBuffer: MOST_OUTPUT_BYTES });
  child.child.stderr?.pipe(process.stderr);
  return JSON.parse((await child).stdout) as Measurement;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name = '', limit = ''] = process.argv.slice(2);
  process.stdout.write(JSON.stringify(await measure(name, Number(limit))));
}
