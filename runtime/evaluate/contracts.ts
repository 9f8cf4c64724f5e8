/** A pipeline pass by pass: what each left, whether it kept its contract, and who is at fault where an exact pass changed executed outputs. */
import type { Diagnostic } from '../../compiler/ir/diagnostic.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { equalTensors } from '../../compiler/ir/equal.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { ContractReport, Evaluator } from '../../passes/contract/check.ts';
import { checkContract } from '../../passes/contract/check.ts';
import { rememberingEvaluator } from '../../passes/instruments/contracts.ts';
import { verifying } from '../../passes/instruments/verifying.ts';
import type { PassEvent, PassOutcome, PipelineOptions } from '../../passes/manager.ts';
import { calibrateAhead, runPipeline } from '../../passes/manager.ts';
import type { PassInvocation, Sample } from '../../passes/pass.ts';

/** A pass that has run: its place in the pipeline, the graph that it found and what it did. */
export interface PassRun extends PassEvent {
  readonly outcome: PassOutcome;
}

export interface CheckedPass extends PassRun {
  /** What the check found; null where the pass left the graph as it was, so that there is nothing to check. */
  readonly report: ContractReport | null;
}

export interface CheckedPasses {
  /** Those in front of the violation, all where there is none. */
  readonly passes: readonly CheckedPass[];
  readonly violation?: Diagnostic;
}

export interface ContractOptions {
  readonly samples: readonly Sample[];
  readonly pipeline?: PipelineOptions;
  /** Told between passes, which is when an abort is seen as well. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs a pipeline, verifies the graph after each pass and holds each pass to its contract. Stops at the first pass that breaks it. Throws what else goes
 * wrong, as a pass that requires what the graph has not.
 */
export async function checkPasses(graph: Graph, pipeline: readonly PassInvocation[], options: ContractOptions): Promise<CheckedPasses> {
  const { samples, onProgress, signal } = options;
  await calibrateAhead(graph, pipeline, options.pipeline, signal);
  const { runs, failure } = record(graph, pipeline, options.pipeline);
  const evaluate = rememberingEvaluator();
  const passes: CheckedPass[] = [];
  for (const run of runs) {
    onProgress?.(passes.length, pipeline.length);
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    const found = checkPass(run, samples, evaluate);
    if (found && 'violation' in found) return { passes, violation: found.violation };
    passes.push({ ...run, report: found });
  }
  if (failure === undefined) return { passes };
  // What a pass spoils may come out in a later one; that its contract is broken was seen first, then.
  const violation = violationOf(failure);
  if (violation) return { passes, violation };
  throw failure;
}

/** The passes that ran to their end, and what stopped the pipeline. */
function record(graph: Graph, pipeline: readonly PassInvocation[], options: PipelineOptions = {}): { runs: PassRun[]; failure?: Error } {
  const runs: PassRun[] = [];
  const recorder = { afterPass: (event: PassEvent, outcome: PassOutcome) => void runs.push({ ...event, outcome }) };
  try {
    runPipeline(graph, pipeline, { ...options, observers: [recorder, verifying(), ...(options.observers ?? [])] });
    return { runs };
  } catch (error) {
    return { runs, failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

function checkPass(
  run: PassRun,
  samples: readonly Sample[],
  evaluate: Evaluator,
): ContractReport | { readonly violation: Diagnostic } | null {
  const { index, step, before, outcome } = run;
  if (outcome.after === before) return null;
  try {
    return checkContract({ pass: step.pass, before, ...outcome, samples }, evaluate);
  } catch (error) {
    const violation = error instanceof DiagnosticError ? violationOf(error.within(`step ${index + 1}`)) : undefined;
    if (!violation) throw error;
    return { violation };
  }
}

function violationOf(error: unknown): Diagnostic | undefined {
  return error instanceof DiagnosticError ? error.diagnostics.find(({ kind }) => kind === 'violated') : undefined;
}

/** Legal graphs in front of and behind a pass. */
export interface LegalPair {
  readonly before: Graph;
  readonly after: Graph;
}

/**
 * Why executed outputs differ behind an exact pass, seen on a sample on which they do: because the pass broke its contract or a program computes
 * something else than its legal graph, which are violations; or, undefined, because what the target needs behind the passes (`legalization`), which
 * need not be exact, rounds otherwise.
 */
export function explainDifference(run: PassRun, legal: LegalPair, sample: Sample): Diagnostic | undefined {
  const found = checkPass(run, [sample], rememberingEvaluator());
  if (found && 'violation' in found) return found.violation;
  const [before, after] = [outputsOf(legal.before, sample), outputsOf(legal.after, sample)];
  if (before.some((value, i) => !after[i] || !equalTensors(value, after[i]))) return undefined;
  return {
    kind: 'violated',
    code: 'contract/program',
    message:
      'the pass is exact and the graphs before and after it agree, but their programs give other outputs: a program does not compute its graph',
    place: [`step ${run.index + 1}`, run.step.pass.name],
    hint: 'this is a bug; please report it with the command',
  };
}

function outputsOf(graph: Graph, sample: Sample) {
  const values = evaluateGraph(graph, sample);
  return graph.outputs.flatMap(({ value }) => values.get(value) ?? []);
}
