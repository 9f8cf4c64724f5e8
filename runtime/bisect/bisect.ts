/** Finds what broke a check: the pass, the transformation, the channels of its value, or the samples that show it. */
import type { Target } from '../../isa/target.ts';
import { fail } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Transformation } from '../../passes/instruments/bisect.ts';
import { bisectGate, recordingGate, selectionGate } from '../../passes/instruments/bisect.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import { printPipeline, printStep } from '../../passes/pipeline-text.ts';
import type { ChannelBlame } from './channels.ts';
import { blameChannels } from './channels.ts';
import type { Candidate, Checker, Evaluated } from './check.ts';
import { needsOutputs, printCheck, usesSamples } from './check.ts';
import type { Verdict } from './ddmin.ts';
import { firstBad, isolate } from './ddmin.ts';
import { failingSamples } from './samples.ts';

export const BISECT_SCHEMA = 'plumbline.bisect/1';

/** What the search is over; each later one of the first three begins with those before it. */
export const DIMENSIONS = ['passes', 'ops', 'channels', 'samples'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** One evaluation of the check, in order. */
export interface Trial extends Evaluated {
  /** What was compiled: `passes 1 to 3`. */
  readonly what: string;
}

/** A transformation that is to blame. */
export interface OpBlame {
  /** Its place, from 1, among the transformations of the pass. */
  readonly number: number;
  readonly unit: string;
  /** The value that it rewrites; undefined for a transformation of the whole graph. */
  readonly value?: string;
  /** The op that computes the value before the pass, and the nodes of the model that it stands for. */
  readonly op?: string;
  readonly origin: readonly string[];
}

export interface PassBlame {
  /** Its place in the pipeline, from 1, and the length of the pipeline. */
  readonly step: number;
  readonly of: number;
  readonly pass: string;
  /** Where evaluations could not tell: the first step that may be to blame instead. */
  readonly earliest?: number;
}

export interface OpsBlame {
  /** Transformations that the pass makes. */
  readonly of: number;
  readonly culprits: readonly OpBlame[];
  /** Whether one transformation breaks the check by itself; else it takes all of `culprits`. */
  readonly alone: boolean;
}

export interface SampleBlame {
  readonly index: number;
  readonly place: string;
  readonly label?: number;
  readonly predicted?: number;
  readonly basePredicted?: number;
}

/** Equal inputs give equal results. */
export interface Bisection {
  readonly schema: typeof BISECT_SCHEMA;
  readonly model: string;
  readonly target: string;
  /** The pipeline, presets expanded. */
  readonly passes: string;
  readonly check: string;
  readonly over: Dimension;
  /** Samples of the check; 0 for one of costs or by a command. */
  readonly samples: number;
  /** Classes that the samples hold, where they have labels, and that all the data hold, where that is known. */
  readonly classes?: { readonly held: number; readonly inData?: number };
  /** found · nothing-wrong: the check holds · without-passes: it does not even hold without any pass */
  readonly outcome: 'found' | 'nothing-wrong' | 'without-passes';
  /** Every evaluation of the check. The float model, with which metrics compare, is evaluated once besides. */
  readonly trials: readonly Trial[];
  readonly pass?: PassBlame;
  readonly ops?: OpsBlame;
  readonly channels?: ChannelBlame;
  /** The least set of samples that shows the failure, and how many there are. */
  readonly failing?: readonly SampleBlame[];
}

export interface BisectSubject {
  readonly model: string;
  readonly graph: Graph;
  readonly steps: readonly PassInvocation[];
  readonly checker: Checker;
}

export interface BisectOptions {
  /** Called before each evaluation of the check, with how many there were and what is tried. */
  readonly onTrial?: (done: number, what: string) => void;
}

function classesOf({ spec, context: { samples, classes } }: Checker): Pick<Bisection, 'classes'> {
  const labels = new Set(samples.flatMap(({ label }) => label ?? []));
  if (labels.size === 0 || !usesSamples(spec)) return {};
  return { classes: { held: labels.size, ...(classes !== undefined && { inData: classes }) } };
}

/** A check under which evaluations are counted and kept. */
export class Trials {
  readonly all: Trial[] = [];
  readonly #onTrial: BisectOptions['onTrial'];

  constructor({ onTrial }: BisectOptions) {
    this.#onTrial = onTrial;
  }

  async test(what: string, evaluate: () => Promise<Evaluated>): Promise<Verdict> {
    this.#onTrial?.(this.all.length, what);
    const { verdict, findings } = await evaluate();
    this.all.push({ what, verdict, findings });
    return verdict;
  }
}

/**
 * The least part of a compile that breaks a check. Where one transformation is to blame this takes at most
 * log2(passes) + log2(transformations of the pass) + 4 evaluations.
 *
 * Throws a usage diagnostic where the search makes no sense, and the reason where the whole pipeline cannot be judged.
 */
export async function bisect(subject: BisectSubject, over: Dimension, options: BisectOptions = {}): Promise<Bisection> {
  const { model, graph, steps, checker } = subject;
  if (steps.length === 0) fail('usage', 'bisect/no-passes', 'there is no pass to blame', { hint: 'name passes with --passes' });
  requireDimension(checker, over);
  const trials = new Trials(options);
  const summary = (outcome: Bisection['outcome'], found: Partial<Bisection> = {}): Bisection => ({
    schema: BISECT_SCHEMA,
    model,
    target: targetName(checker.context.target),
    passes: printPipeline(steps),
    check: printCheck(checker.spec),
    over,
    samples: usesSamples(checker.spec) ? checker.context.samples.length : 0,
    ...classesOf(checker),
    outcome,
    trials: trials.all,
    ...found,
  });

  const whole = await trials.test(`all ${countOf(steps.length, 'pass', 'passes')}`, () => checker.test({ graph, steps }));
  if (whole === 'skip') refuse(trials);
  if (whole === 'good') return summary('nothing-wrong');
  if (over === 'samples') return summary('found', { failing: await blameSamples(subject, trials) });

  const pass = await blamePass(subject, trials);
  if (pass === undefined) return summary('without-passes');
  if (over === 'passes') return summary('found', { pass });
  const stage = stageOf(subject, pass);
  const ops = await blameOps(subject, stage, trials);
  if (over === 'ops') return summary('found', { pass, ops });
  return summary('found', { pass, ops, channels: await blameChannels(checker, { ...stage, values: valuesOf(ops) }, trials) });
}

const targetName = ({ name }: Target): string => name;

function requireDimension({ spec }: Checker, over: Dimension): void {
  if (over !== 'channels' && over !== 'samples') return;
  const wrong =
    spec.kind === 'command' ||
    !spec.expression.every((clause) => needsOutputs(clause) || (over === 'samples' && clause.kind === 'contract'));
  if (wrong)
    fail('usage', 'bisect/check', `a bisection over ${over} needs a check of outputs, which ${printCheck(spec)} is not`, {
      hint: 'check top1, top5, agreement, flips, sqnr or maxerror',
    });
}

/** The whole pipeline could not be judged: its own diagnostic says why. */
function refuse({ all }: Trials): never {
  const [finding] = all.at(-1)?.findings ?? [];
  return fail('unsupported', 'bisect/skipped', `all passes together cannot be judged: ${finding?.detail ?? 'unknown'}`);
}

const countOf = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;

/** `passes 1 to 3`, or `pass 1`. */
function firstOf(n: number, one: string, more = `${one}s`): string {
  return n === 1 ? `${one} 1` : `${more} 1 to ${n}`;
}

/** The pass with which the check begins to fail; undefined where it fails without any. */
async function blamePass({ graph, steps, checker }: BisectSubject, trials: Trials): Promise<PassBlame | undefined> {
  const upTo = (n: number): Promise<Verdict> =>
    trials.test(n === 0 ? 'no pass' : firstOf(n, 'pass', 'passes'), () => checker.test({ graph, steps: steps.slice(0, n) }));
  const { good, bad } = await firstBad(steps.length, upTo);
  if (good === 0 && (await upTo(0)) === 'bad') return undefined;
  const step = steps[bad - 1];
  if (!step) throw new Error(`the pipeline has no step ${bad}`);
  return { step: bad, of: steps.length, pass: printStep(step), ...(bad - good > 1 && { earliest: good + 1 }) };
}

/** The pass to blame and the graph that it finds. */
export interface BlamedStage {
  readonly before: Graph;
  readonly step: PassInvocation;
  /** What it transforms, in order. Empty for a pass that cannot be held back. */
  readonly transformations: readonly Transformation[];
}

function stageOf({ graph, steps, checker }: BisectSubject, pass: PassBlame): BlamedStage {
  const { pipeline } = checker;
  const before = runPipeline(graph, steps.slice(0, pass.step - 1), pipeline).graph;
  const step = steps[pass.step - 1];
  if (!step) throw new Error(`the pipeline has no step ${pass.step}`);
  const gate = recordingGate();
  try {
    runPipeline(before, [step], { ...pipeline, bisect: gate });
  } catch {
    // A pass that breaks down has asked for what it did before.
  }
  return { before, step, transformations: gate.asked };
}

async function blameOps({ checker }: BisectSubject, stage: BlamedStage, trials: Trials): Promise<OpsBlame> {
  const { before, step, transformations } = stage;
  const { name } = step.pass;
  if (transformations.length === 0) return { of: 0, culprits: [], alone: false };
  const tried = (what: string, gate: Candidate['gate']): Promise<Verdict> =>
    trials.test(what, () => checker.test({ graph: before, steps: [step], ...(gate && { gate }) }));
  const { culprits, alone } = await isolate({
    count: transformations.length,
    testFirst: (n) =>
      tried(
        `${firstOf(n, 'transformation')} of ${name}`,
        bisectGate(n, () => undefined),
      ),
    testSet: (places) => tried(nameSet(places, name), selectionGate(places.flatMap((i) => transformations.slice(i, i + 1)))),
  });
  return { of: transformations.length, culprits: culprits.flatMap((i) => opBlame(stage, i)), alone };
}

function nameSet(places: readonly number[], pass: string): string {
  const [first = 0] = places;
  return places.length === 1 ? `only transformation ${first + 1} of ${pass}` : `${places.length} transformations of ${pass}`;
}

function opBlame({ before, transformations }: BlamedStage, place: number): readonly OpBlame[] {
  const transformation = transformations[place];
  if (!transformation) return [];
  const { unit, value } = transformation;
  const node = value === undefined ? undefined : before.find(value);
  return [
    {
      number: place + 1,
      unit,
      ...(value !== undefined && { value }),
      ...(node?.kind === 'op' && { op: node.op }),
      origin: node?.kind === 'op' ? node.origin : [],
    },
  ];
}

function valuesOf({ culprits }: OpsBlame): readonly string[] {
  return [...new Set(culprits.flatMap(({ value }) => (value === undefined ? [] : [value])))];
}

async function blameSamples({ graph, steps, checker }: BisectSubject, trials: Trials): Promise<readonly SampleBlame[]> {
  const { indices, outcomes } = await failingSamples(checker, { graph, steps }, (subset, judge) =>
    trials.test(subset.length === 1 ? `sample ${subset[0] ?? 0} alone` : `${subset.length} samples`, judge),
  );
  return indices.map((index) => {
    const { place = '', label } = checker.context.samples[index] ?? {};
    const outcome = outcomes?.[index];
    return {
      index,
      place,
      ...(label !== undefined && { label }),
      ...(outcome && { predicted: outcome.predicted, basePredicted: outcome.basePredicted }),
    };
  });
}
