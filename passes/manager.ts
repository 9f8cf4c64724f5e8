/** Runs a pipeline. Everything beside running the passes (printing, timing, checking) is an observer. */
import { DiagnosticError, fail } from '../compiler/ir/diagnostic.ts';
import type { Graph } from '../compiler/ir/graph.ts';
import type { CalibrationProvider } from './calibration.ts';
import { NO_CALIBRATION } from './calibration.ts';
import type { Gate } from './instruments/bisect.ts';
import type { Pass, PassContext, PassInvocation, Rearrangement } from './pass.ts';
import { printStep } from './pipeline-text.ts';
import type { Property } from './properties.ts';
import { PROPERTIES } from './properties.ts';

/** One step of a running pipeline. */
export interface PassEvent {
  /** Position in the pipeline, from 0. */
  readonly index: number;
  readonly step: PassInvocation;
  readonly before: Graph;
}

/** What a pass did. */
export interface PassOutcome {
  /** The same object as the event's `before` when the pass changed nothing. */
  readonly after: Graph;
  /** What the pass counted, rule applications included, in order of first mention. */
  readonly statistics: ReadonlyMap<string, number>;
  /** For each value that a granted transformation rewrote, the unit (the rule, where there is one) that did it last. */
  readonly rewritten: ReadonlyMap<string, string>;
  readonly rearranged: ReadonlyMap<string, Rearrangement>;
  readonly warnings: readonly string[];
  /** Transformations that the bisection limit held back. */
  readonly refused: number;
}

/**
 * Hooks around passes. `before…` hooks run in the order of the observers and `after…` hooks in reverse, so that observers nest.
 * What a hook throws stops the pipeline as if the pass had thrown it.
 */
export interface PassObserver {
  beforePipeline?(graph: Graph, pipeline: readonly PassInvocation[]): void;
  beforePass?(event: PassEvent): void;
  afterPass?(event: PassEvent, outcome: PassOutcome): void;
  /** A pass, or a hook after it, threw. */
  afterFailure?(event: PassEvent, error: unknown): void;
  afterPipeline?(graph: Graph): void;
}

export interface PipelineOptions {
  readonly observers?: readonly PassObserver[];
  /** Decides which transformations may run; all may when absent. */
  readonly bisect?: Gate;
  /** Where passes get calibration statistics from. */
  readonly calibration?: CalibrationProvider;
}

/** The record of one step. */
export interface StepRecord {
  readonly step: PassInvocation;
  readonly changed: boolean;
  readonly statistics: ReadonlyMap<string, number>;
  readonly warnings: readonly string[];
}

export interface PipelineResult {
  readonly graph: Graph;
  readonly steps: readonly StepRecord[];
  /** How the values that are stored in another order now got there, first rearrangement first. */
  readonly rearranged: ReadonlyMap<string, readonly Rearrangement[]>;
}

export function runPipeline(graph: Graph, pipeline: readonly PassInvocation[], options: PipelineOptions = {}): PipelineResult {
  const observers = options.observers ?? [];
  const innermostFirst = observers.toReversed();
  const steps: StepRecord[] = [];
  const rearranged = new Map<string, Rearrangement[]>();
  for (const observer of observers) observer.beforePipeline?.(graph, pipeline);
  let current = graph;
  for (const [index, step] of pipeline.entries()) {
    const event: PassEvent = { index, step, before: current };
    for (const observer of observers) observer.beforePass?.(event);
    try {
      const outcome = runPass(event, options);
      for (const observer of innermostFirst) observer.afterPass?.(event, outcome);
      for (const [name, how] of outcome.rearranged) rearranged.set(name, [...(rearranged.get(name) ?? []), how]);
      steps.push({ step, changed: outcome.after !== current, statistics: outcome.statistics, warnings: outcome.warnings });
      current = outcome.after;
    } catch (error) {
      for (const observer of innermostFirst) observer.afterFailure?.(event, error);
      throw error;
    }
  }
  for (const observer of innermostFirst) observer.afterPipeline?.(current);
  return { graph: current, steps, rearranged };
}

/**
 * Has the statistics ready that a pipeline is going to ask for, so that an abort can arrive while they are taken. The passes in front run for that. A pass
 * that goes wrong here, and a graph that has no statistics, goes wrong again in the pipeline, which tells it; data that do not fit are refused here.
 */
export async function calibrateAhead(
  graph: Graph,
  pipeline: readonly PassInvocation[],
  { calibration }: PipelineOptions = {},
  signal?: AbortSignal,
): Promise<void> {
  const index = pipeline.findIndex(({ pass }) => pass.calibrated);
  const asking = pipeline[index]?.pass;
  if (!asking || !calibration?.ahead) return;
  const before = graphBefore(graph, pipeline.slice(0, index), asking);
  if (!before) return;
  try {
    await calibration.ahead(before, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof DiagnosticError)) throw error;
  }
}

/** What a pass finds; undefined where it would not run. */
function graphBefore(graph: Graph, inFront: readonly PassInvocation[], asking: Pass): Graph | undefined {
  try {
    const before = runPipeline(graph, inFront).graph;
    return asking.requires.every((property) => PROPERTIES[property].violation(before) === undefined) ? before : undefined;
  } catch {
    return undefined;
  }
}

function runPass(event: PassEvent, options: PipelineOptions): PassOutcome {
  const { step, before } = event;
  const { pass } = step;
  const place = [`step ${event.index + 1}`, printStep(step)];
  requireProperties(before, pass.requires, (property, why) =>
    fail('invalid', 'pass/requires', `needs a graph ${PROPERTIES[property].doc}: ${why}`, { place, hint: PROPERTIES[property].hint }),
  );

  const statistics = new Map<string, number>();
  const rewritten = new Map<string, string>();
  const rearranged = new Map<string, Rearrangement>();
  const warnings: string[] = [];
  let refused = 0;
  const context: PassContext = {
    count: (statistic, n = 1) => void statistics.set(statistic, (statistics.get(statistic) ?? 0) + n),
    allow(unit, value) {
      const transformation = { pass: pass.name, unit, ...(value !== undefined && { value }) };
      const granted = pass.mandatory === true || (options.bisect?.allow(transformation) ?? true);
      if (!granted) refused++;
      else if (value !== undefined) rewritten.set(value, unit);
      return granted;
    },
    warn: (message) => void warnings.push(message),
    rearranged: (name, how) => void rearranged.set(name, how),
    calibration: options.calibration ?? NO_CALIBRATION,
  };
  const after = pass.run(before, step.params, context);

  // A pass that was held back in part cannot be held to its result.
  if (refused === 0)
    requireProperties(after, pass.establishes, (property, why) =>
      fail('violated', 'pass/establishes', `was to leave a graph ${PROPERTIES[property].doc}: ${why}`, { place }),
    );
  return { after, statistics, rewritten, rearranged, warnings, refused };
}

function requireProperties(graph: Graph, properties: readonly Property[], refuse: (property: Property, why: string) => never): void {
  for (const property of properties) {
    const why = PROPERTIES[property].violation(graph);
    if (why !== undefined) refuse(property, why);
  }
}
