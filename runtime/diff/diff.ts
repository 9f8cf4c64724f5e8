/** Two runs compared: tensor by tensor, at the outputs, and in cost. Nothing is run again: ops are evaluated anew on stored values only. */
import { fail } from '../../compiler/ir/diagnostic.ts';
import type { OutputComparison } from './outputs.ts';
import { compareScores } from './outputs.ts';
import type { Run } from './run.ts';
import type { CompareOptions, TensorComparison } from './tensors.ts';
import { compareTraces } from './tensors.ts';
import { VERDICTS } from './verdict.ts';
import type { Verdict } from './verdict.ts';

export const DIFF_SCHEMA = 'plumbline.diff/1';

export interface DiffSide {
  readonly model: string;
  readonly target: string;
  readonly passes: string;
  /** Hash of the program. */
  readonly program: string;
}

/** What one run of each program costs, for programs of one target. */
export interface CostComparison {
  readonly cycles: Change;
  readonly joulesPerSample: Change;
  readonly dramBytes: Change;
  readonly programBytes: Change;
}

export interface Change {
  readonly reference: number;
  readonly program: number;
}

export interface DiffReport extends TensorComparison {
  readonly schema: typeof DIFF_SCHEMA;
  readonly reference: DiffSide;
  readonly program: DiffSide;
  readonly dataset: string;
  /** Samples whose values were compared tensor by tensor. */
  readonly samples: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
  readonly outputs: OutputComparison;
  readonly cost?: CostComparison;
}

/** Compares `program` with `reference`. Throws a diagnostic where they are not of the same data. */
export async function diffRuns(reference: Run, program: Run, options: CompareOptions = {}): Promise<DiffReport> {
  requireComparable(reference, program);
  const sameModel = reference.manifest.model.sha256 === program.manifest.model.sha256;
  const compared = await compareTraces(reference.trace, program.trace, {
    // Two models promise nothing of each other.
    ...(!sameModel && { contract: { meaning: 'lossy' } }),
    ...options,
  });
  const count = (verdict: Verdict): number => compared.tensors.filter((tensor) => tensor.verdict === verdict).length;
  const runs = Math.min(reference.trace.values.length, program.trace.values.length);
  const cost = costOf(reference, program);
  return {
    schema: DIFF_SCHEMA,
    reference: sideOf(reference),
    program: sideOf(program),
    dataset: program.manifest.data.name,
    samples: Math.min(runs * program.manifest.batch, program.manifest.samples),
    verdicts: Object.fromEntries((Object.keys(VERDICTS) as Verdict[]).map((verdict) => [verdict, count(verdict)])) as Record<
      Verdict,
      number
    >,
    outputs: compareScores(reference.scores, program.scores),
    ...(cost && { cost }),
    ...compared,
  };
}

function requireComparable({ manifest: a, scores }: Run, { manifest: b, scores: others }: Run): void {
  const refuse = (message: string, hint: string): never => fail('usage', 'diff/incomparable', message, { hint });
  if (a.data.sha256 !== b.data.sha256)
    refuse(
      `the runs are of different data: ${a.samples} samples of ${a.data.name}, and ${b.samples} of ${b.data.name}`,
      'save both with the same --data, --preprocess and --limit',
    );
  if (a.batch !== b.batch) refuse(`the runs take batches of ${a.batch} and of ${b.batch} samples`, 'save both with the same --batch');
  if (scores.classes !== others.classes || scores.labels.length !== others.labels.length)
    refuse(`the outputs do not match: ${scores.classes} and ${others.classes} classes`, 'compare runs of one model');
}

function sideOf({ manifest }: Run): DiffSide {
  return { model: manifest.model.name, target: manifest.target.name, passes: manifest.passes, program: manifest.program };
}

function costOf({ manifest, result }: Run, other: Run): CostComparison | undefined {
  if (manifest.target.sha256 !== other.manifest.target.sha256) return undefined;
  const change = (figure: (each: Run['result']) => number): Change => ({ reference: figure(result), program: figure(other.result) });
  return {
    cycles: change(({ timing }) => timing.cycles),
    joulesPerSample: change(({ energy }) => energy.joulesPerSample),
    dramBytes: change(({ timing }) => timing.bytes.dram.read + timing.bytes.dram.write),
    programBytes: change(({ size }) => size.programBytes),
  };
}

/** The order of a table. */
export const SORTINGS = {
  effect: 'by effect at the output, worst first',
  graph: 'in the order of the graph',
  local: 'by local error, worst first',
  excess: 'by excess over the predicted noise, worst first',
} as const;
export type Sorting = keyof typeof SORTINGS;

/** Tensors in an order; equals stay in that of the graph. */
export function sorted(tensors: DiffReport['tensors'], sorting: Sorting): DiffReport['tensors'] {
  const keys = {
    effect: (tensor: DiffReport['tensors'][number]) => tensor.effectDecibels,
    graph: () => 0,
    local: (tensor: DiffReport['tensors'][number]) => tensor.local.sqnrDecibels,
    excess: (tensor: DiffReport['tensors'][number]) => -tensor.excessDecibels,
  } as const satisfies Record<Sorting, (tensor: DiffReport['tensors'][number]) => number>;
  const key = keys[sorting];
  return [...tensors].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)));
}
