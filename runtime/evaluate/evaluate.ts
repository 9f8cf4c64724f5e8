/** The main job: a program executed on labelled data, and what its accuracy, speed and energy are. */
import type { Port, Program } from '../../isa/program.ts';
import { portElementCount } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { CompilePhase } from '../../compiler/lower/phases.ts';
import type { EngineName } from '../engine/engine.ts';
import { createMachine, DEFAULT_ENGINE } from '../engine/engine.ts';
import { shareProgram } from '../engine/shared-program.ts';
import type { PortData } from '../machine/host.ts';
import type { Machine } from '../machine/machine.ts';
import type { TimingReport } from '../machine/timing-report.ts';
import type { Dataset } from '../data/dataset.ts';
import type { HeldClasses } from '../data/sample-order.ts';
import { heldClasses } from '../data/sample-order.ts';
import { transposeHint } from '../data/orders.ts';
import { DataError } from '../data/errors.ts';
import type { Preprocess } from '../data/preprocess.ts';
import { DataHash } from './data-hash.ts';
import type { ExecutorTask, Threads } from './executor.ts';
import { executeHere, runBatches } from './executor.ts';
import type { Proportion } from './metrics.ts';
import { Accuracy } from './metrics.ts';
import type { HostProfile } from './host-profile.ts';
import { HostProfiler } from './host-profile.ts';
import type { Phases, PhaseTime } from './phase-times.ts';
import { UNMEASURED } from './phase-times.ts';
import type { SizeFigures, TimingFigures } from './throughput.ts';
import { executeAll, readInto } from './stream.ts';
import { joulesPerSample, runObserved, sizeFigures, timeAddresses, timingFigures } from './throughput.ts';

export const EVAL_SCHEMA = 'plumbline.eval/1';

/** The result of an evaluation. Equal inputs give equal results, `host` excepted. */
export interface Evaluation {
  readonly schema: typeof EVAL_SCHEMA;
  readonly model: string;
  readonly target: string;
  /** The pipeline, presets expanded. */
  readonly passes: string;
  readonly dataset: string;
  readonly samples: number;
  /** Classes that the samples hold, that all the data hold, and that the model tells apart. */
  readonly classes: HeldClasses & { readonly ofModel: number };
  readonly data: DataIdentity;
  readonly metrics: { readonly top1: Proportion; readonly top5: Proportion };
  readonly timing: TimingFigures;
  readonly energy: { readonly joulesPerSample: number };
  readonly size: SizeFigures;
  /** Wall time on the computer that evaluated. */
  readonly host: {
    readonly compileSeconds: number;
    readonly samplesPerSecond: number;
    /** Where it went, if that was asked for. */
    readonly profile?: HostProfile;
  };
}

/** What tells that two results are of the same data. */
export interface DataIdentity {
  /** SHA-256, in hexadecimal, of the preprocessing, and of each sample's stored bytes and class. */
  readonly sha256: string;
  /** Null where samples are taken as they are stored. */
  readonly preprocess: Preprocess | null;
}

/** What is known of a program besides its instructions. */
export interface EvaluationSubject {
  readonly model: string;
  readonly passes: string;
  /** Multiply-accumulates of one run, that is of a whole batch. */
  readonly macs: number;
  readonly programBytes: number;
  readonly compileSeconds: number;
  /** What they went to, for the profile. */
  readonly compilePhases?: readonly PhaseTime<CompilePhase>[];
}

export interface EvaluateOptions {
  /** A clock in seconds. */
  readonly now: () => number;
  /** What executes the program; it changes the speed only. */
  readonly engine?: EngineName;
  /** What executes the batches; this thread unless given, or where it is profiled. */
  readonly threads?: Threads;
  /** Measures where the time of this computer goes; it changes the speed only. */
  readonly profile?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  /** Receives the scores of every sample, in order. */
  readonly onScores?: (sample: number, scores: PortData) => void;
  /** Stops at once what threads do, and what this thread does between batches. */
  readonly signal?: AbortSignal;
}

/** How often the event loop gets its turn, which is when an abort can arrive. */
const YIELD_SECONDS = 0.1;

/**
 * Runs every sample through the program: reset, write input, run, read output. While batches run the next are read; results are taken in the order of
 * the samples, whoever executed them. The program is timed once, on its first batch where its addresses alone do not tell. It needs one input whose
 * samples have the data's shape, and its first output holds the scores. Throws a `DataError` where program and data do not fit, a `Trap` where the
 * program goes wrong, the signal's reason when aborted.
 */
export async function evaluateProgram(
  program: Program,
  target: Target,
  dataset: Dataset,
  subject: EvaluationSubject,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const { now, onProgress, signal, threads, engine = DEFAULT_ENGINE } = options;
  const ports = portsFor(program, dataset);
  const { batch } = ports;
  const batches = Math.ceil(dataset.samples / batch);
  const profiler = options.profile === true ? new HostProfiler(program, now) : undefined;
  const phases = profiler?.phases ?? UNMEASURED;
  const wanted = threads && !profiler ? Math.min(threads.count, batches) : 1;
  const shared = wanted > 1 ? shareProgram(program, target, 1 + wanted) : undefined;
  const machine = createMachine(engine, program, target, profiler && { times: profiler.times }, shared && { shared, index: 0 });
  const task: ExecutorTask = {
    engine,
    program,
    target,
    ports: { input: ports.input.name, output: ports.output.name },
    batchElements: batch * ports.elements,
    batches,
  };
  const accuracy = new Accuracy();
  const identity = new DataHash(dataset.preprocess);
  const start = now();
  let yielded = start;
  let report: TimingReport | undefined;
  const executor = threads && shared && shared.machines > 1 ? threads.start(task, shared) : executeHere(machine, task, profiler && phases);
  const again = (room: Float32Array, batches: number): PortData => runBatches(machine, task, room, batches);
  let seconds: number;
  try {
    for await (const { first, stored, scores } of executeAll(dataset, executor, { batch, again, signal, phases })) {
      phases.time('identify', () => stored.forEach((bytes, i) => identity.add(bytes, dataset.label(first + i))));
      phases.time('score', () => score(scores, first, stored.length, ports, dataset, accuracy, options));
      onProgress?.(first + stored.length, dataset.samples);
      // Not before threads have something to do.
      report ??= phases.time('model', () => timeAddresses(machine)) ?? (await timeFirstBatch(machine, task, dataset, batch, phases));
      if (now() - yielded < YIELD_SECONDS) continue;
      await phases.wait('yield', new Promise((resolve) => setTimeout(resolve, 0)));
      yielded = now();
    }
    seconds = now() - start;
  } finally {
    await executor.close();
  }
  signal?.throwIfAborted();
  if (report === undefined) throw new RangeError(`${dataset.name} has no samples`);
  return {
    schema: EVAL_SCHEMA,
    model: subject.model,
    target: target.name,
    passes: subject.passes,
    dataset: dataset.name,
    samples: dataset.samples,
    classes: { ...heldClasses(dataset), ofModel: ports.classes },
    data: { sha256: identity.digest(), preprocess: dataset.preprocess ?? null },
    metrics: { top1: accuracy.top1, top5: accuracy.top5 },
    timing: timingFigures(report, target, batch, subject.macs / batch),
    energy: { joulesPerSample: joulesPerSample(report, target, batch) },
    size: sizeFigures(program, subject.programBytes),
    host: {
      compileSeconds: subject.compileSeconds,
      samplesPerSecond: seconds > 0 ? dataset.samples / seconds : 0,
      ...(profiler && { profile: profiler.report(machine, engine, dataset.samples, seconds, subject.compilePhases) }),
    },
  };
}

async function timeFirstBatch(
  machine: Machine,
  task: ExecutorTask,
  dataset: Dataset,
  batch: number,
  phases: Phases<string>,
): Promise<TimingReport> {
  const inputs = new Float32Array(task.batchElements);
  await phases.wait('read', readInto(inputs, dataset, 0, Math.min(batch, dataset.samples), batch));
  return phases.time('model', () => {
    machine.reset();
    machine.writeInput(task.ports.input, inputs);
    return runObserved(machine);
  });
}

interface EvaluationPorts {
  readonly input: Port;
  readonly output: Port;
  readonly batch: number;
  /** Elements of one sample of the input and of the output. */
  readonly elements: number;
  readonly classes: number;
}

function portsFor(program: Program, dataset: Dataset): EvaluationPorts {
  const refuse = (message: string, hint?: string): never => {
    throw new DataError('data/mismatch', dataset.name, message, hint);
  };
  const [input, ...moreInputs] = program.inputs;
  const [output] = program.outputs;
  if (!input || moreInputs.length > 0)
    return refuse(`the model has ${program.inputs.length} inputs; only models with one can be evaluated`);
  if (!output) return refuse('the model has no output');
  if (input.element !== 'f32') return refuse(`the data is f32, input '${input.name}' is ${input.element}`);
  const elements = dataset.shape.reduce((product, dimension) => product * dimension, 1);
  const batch = portElementCount(input) / elements;
  if (!fits(input.shape, dataset.shape, batch))
    throw new DataError(
      'data/mismatch',
      dataset.place(0),
      `gives samples of ${dataset.shape.join('x')}, and input '${input.name}' takes ${input.shape.join('x')}`,
      dataset.preprocess
        ? 'channels, resize, crop and layout of the preprocessing change the shape'
        : transposeHint('samples', [dataset.samples, ...dataset.shape], [dataset.samples, ...input.shape.slice(1)]),
    );
  const classes = portElementCount(output) / batch;
  if (!Number.isInteger(classes) || classes < 1)
    return refuse(`output '${output.name}' of ${output.shape.join('x')} holds no scores for a batch of ${batch}`);
  for (let i = 0; i < dataset.samples; i++) {
    const label = dataset.label(i);
    if (label < 0 || label >= classes)
      throw new DataError(
        'data/mismatch',
        dataset.place(i),
        `is of class ${label}, and the model tells ${classes} classes apart, from 0`,
        dataset.preprocess && 'class-offset of the preprocessing shifts classes',
      );
  }
  return { input, output, batch, elements, classes };
}

/** Whether samples of a shape fill an input, in batches: flat, or with the same dimensions, those of size 1 aside. */
export function fits(input: readonly number[], sample: readonly number[], batch: number): boolean {
  if (!Number.isInteger(batch) || batch < 1 || (batch > 1 && input[0] !== batch)) return false;
  const own = (batch > 1 ? input.slice(1) : input).filter((dimension) => dimension > 1);
  const wanted = sample.filter((dimension) => dimension > 1);
  return own.length <= 1 || (own.length === wanted.length && own.every((dimension, axis) => dimension === wanted[axis]));
}

function score(
  scores: PortData,
  first: number,
  count: number,
  { classes }: EvaluationPorts,
  dataset: Dataset,
  accuracy: Accuracy,
  { onScores }: EvaluateOptions,
): void {
  for (let i = 0; i < count; i++) {
    const own = scores.subarray(i * classes, (i + 1) * classes);
    accuracy.add(own, dataset.label(first + i));
    onScores?.(first + i, own);
  }
}
