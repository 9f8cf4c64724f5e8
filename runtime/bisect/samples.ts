/** Which samples show a failure. */
import type { Candidate, Checker, Evaluated } from './check.ts';
import { needsOutputs } from './check.ts';
import type { Verdict } from './ddmin.ts';
import { ddmin } from './ddmin.ts';
import type { Outcome } from './outcomes.ts';

export interface FailingSamples {
  /** Places of the least set of samples that fails the check. */
  readonly indices: readonly number[];
  /** The outcome of every sample; undefined where the candidate did not run on all together. */
  readonly outcomes: readonly Outcome[] | undefined;
}

/**
 * The least set of samples on which a candidate fails a check; on all together it is known to. Metrics of a subset follow from the outcomes of its
 * samples, so that the candidate runs once. Contracts, and what is calibrated on the samples, are checked anew for each subset.
 */
export async function failingSamples(
  checker: Checker,
  candidate: Candidate,
  test: (subset: readonly number[], judge: () => Promise<Evaluated>) => Promise<Verdict>,
): Promise<FailingSamples> {
  const { spec, context } = checker;
  const ofOutputs = spec.kind === 'expression' && spec.expression.every(needsOutputs) && !checker.isCalibratedOnSamples(candidate.steps);
  const outcomes = ofOutputs ? await checker.outcomesOf(candidate) : undefined;
  const judge = async (subset: readonly number[]): Promise<Evaluated> =>
    outcomes
      ? checker.judge({ outcomes: chosen(outcomes, subset) })
      : checker.with({ samples: chosen(context.samples, subset) }).test(candidate);
  const indices = await ddmin(
    context.samples.map((_, i) => i),
    (subset) => test(subset, () => judge(subset)),
  );
  return { indices, outcomes };
}

/** The elements of a list at some places. */
function chosen<T>(list: readonly T[], places: readonly number[]): readonly T[] {
  return places.flatMap((i) => list.slice(i, i + 1));
}
