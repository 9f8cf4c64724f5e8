/** Runs as commands make, save and read them. */
import { decodeContainer, encodeContainer } from '../../isa/container.ts';
import type { Target } from '../../isa/target.ts';
import { hasExtension } from '../../isa/target.ts';
import { dumping } from '../../passes/instruments/printing.ts';
import type { PassObserver, PipelineOptions } from '../../passes/manager.ts';
import { calibrateAhead } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import { printPipeline } from '../../passes/pipeline-text.ts';
import type { Dataset } from '../../runtime/data/dataset.ts';
import type { Recorded } from '../../runtime/diff/record.ts';
import { batchOf, bytesOfRun, recordRun } from '../../runtime/diff/record.ts';
import { MANIFEST, RUN_ENTRIES, decodeRun, encodeRun } from '../../runtime/diff/run-files.ts';
import type { Run } from '../../runtime/diff/run.ts';
import { evaluateScores } from '../../runtime/evaluate/scores.ts';
import { graphMacs } from '../../runtime/evaluate/work.ts';
import {
  kindOf,
  monotonicSeconds,
  packageVersion,
  readFromDirectory,
  requireReplaceable,
  writeDirectory,
} from '../../runtime/platform/node.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import { compileModel } from '../pipeline.ts';
import { DEFAULT_TARGET } from './options.ts';
import { containerInfo } from './producer.ts';
import { progress } from './progress.ts';
import { loadTarget } from './target.ts';

export const DEFAULT_SAVED_SAMPLES = 4;
/** What the values of a run may take unless their number is asked for. */
const DEFAULT_VALUE_BYTES = 2 ** 26;
const MAX_VALUE_BYTES = 2 ** 31;

type Subject = Omit<Recorded, 'toolchain' | 'programHash' | 'runs'>;

/** Collects a run while `eval` works, and writes it. */
export interface RunSaver {
  /** Keep the graph after each pass. */
  readonly observers: readonly PassObserver[];
  save(subject: Subject, container: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** For `--save`; undefined without it. Refuses a folder that is no run before any work is done. */
export function runSaver({ save, saveSamples }: { readonly save?: string; readonly saveSamples?: number }): RunSaver | undefined {
  if (save === undefined) {
    if (saveSamples !== undefined) return fail('usage', 'cli/no-save', '--save-samples needs --save');
    return undefined;
  }
  requireReplaceable(save, RUN_ENTRIES);
  const graphs = new Map<string, Graph>();
  return {
    observers: [dumping((file, graph) => void graphs.set(file, graph))],
    async save(subject, container, signal) {
      const run = await recorded(subject, container, runsFor(subject, saveSamples), signal);
      writeDirectory(save, encodeRun(run, container, graphs), RUN_ENTRIES);
    },
  };
}

function recorded(subject: Subject, container: Uint8Array, runs: number, signal: AbortSignal): Promise<Run> {
  const toolchain = `plumbline ${packageVersion()}`;
  return recordRun({ ...subject, toolchain, programHash: decodeContainer(container).hash, runs }, signal);
}

/** How many runs of the graph are saved for a number of samples. */
function runsFor({ compilation: { legal }, dataset }: Subject, samples: number | undefined): number {
  const bytes = bytesOfRun(legal);
  const runs = Math.ceil(Math.min(samples ?? DEFAULT_SAVED_SAMPLES, dataset.samples) / batchOf(legal, dataset));
  if (samples === undefined) return Math.max(1, Math.min(runs, Math.floor(DEFAULT_VALUE_BYTES / bytes)));
  if (runs * bytes > MAX_VALUE_BYTES)
    return fail('usage', 'cli/too-many-samples', `the values of ${samples} samples take ${runs * bytes} bytes`, {
      hint: `${Math.floor(MAX_VALUE_BYTES / bytes)} runs fit into a file`,
    });
  return runs;
}

/** A target whose programs compute in f32 as the imported model does: the given one, or the default where it has no f32. Values are the same on all of them. */
export function floatTargetFor(target: Target): Target {
  return hasExtension(target, 'xf32') ? target : loadTarget(DEFAULT_TARGET);
}

/** What a model is run on to be compared. */
export interface ModelRunOptions {
  readonly name: string;
  readonly graph: Graph;
  readonly passes: readonly PassInvocation[];
  readonly target: Target;
  readonly dataset: Dataset;
  /** Samples whose values are kept. */
  readonly samples: number;
  /** What progress is shown as. */
  readonly label: string;
  /** What passes get from outside. */
  readonly pipeline?: PipelineOptions;
}

/** Compiles a model, executes it and keeps the run in memory. */
export async function runModel(
  { name, graph, passes, target, dataset, samples, label, pipeline = {} }: ModelRunOptions,
  signal: AbortSignal,
): Promise<Run> {
  await calibrateAhead(graph, passes, pipeline, signal);
  const compilation = compileModel(graph, { target, passes, pipeline });
  const { program } = compilation;
  const container = encodeContainer(program, containerInfo(target));
  const shown = progress(label);
  const about = { model: name, passes: printPipeline(passes), macs: graphMacs(graph), programBytes: container.length, compileSeconds: 0 };
  const scored = await evaluateScores(program, target, dataset, about, {
    now: monotonicSeconds,
    onProgress: (done, total) => shown.update(done, total),
    signal,
  }).finally(() => shown.clear());
  const subject = { model: name, compilation, passes, target, dataset, ...scored };
  return recorded(subject, container, runsFor(subject, samples), signal);
}

/** Whether an argument is the directory of a run. */
export function isRunDirectory(path: string): boolean {
  return kindOf(path) === 'directory' && kindOf(`${path}/${MANIFEST}`) === 'file';
}

/** Reads a run. Throws a diagnostic or a `FileError` that names the file that is wrong. */
export function readRun(path: string): Run {
  return decodeRun((name, limit) => readFromDirectory(path, name, limit), path);
}
