/** One word for each tensor, and why. */
import type { Contract } from '../../passes/pass.ts';
import type { ErrorMetrics } from './metrics.ts';

/** From best to worst, with what each means. */
export const VERDICTS = {
  ok: 'no local error, or one within what its passes promise, or of roundings in f32 alone',
  'expected loss': 'its local error is what the rounding of its types explains',
  suspicious: 'its local error is more than 6 dB above what rounding explains',
  broken: 'a contract is violated, or NaN or infinity appeared',
} as const;
export type Verdict = keyof typeof VERDICTS;

/** Decibels above the predicted noise from which a loss is no longer expected: four times its power. */
export const SUSPICIOUS_DECIBELS = 6;

export interface Judgement {
  readonly verdict: Verdict;
  /** Why, where it is not ok. */
  readonly reason?: string;
}

/** An element that passes what the passes promise. */
export interface Violation {
  readonly element: number;
  readonly difference: number;
  readonly allowed: number;
}

export interface Evidence {
  readonly cumulative: ErrorMetrics;
  readonly local: ErrorMetrics;
  readonly inherited: ErrorMetrics;
  readonly excessDecibels: number;
  readonly violation: Violation | undefined;
  readonly contract: Contract;
  /** Whether types coarser than f32 explain some of the error. */
  readonly rounded: boolean;
}

export function judge({ cumulative, local, inherited, excessDecibels, violation, contract, rounded }: Evidence): Judgement {
  // What is not finite already when it arrives is the fault of another.
  const appeared = Math.max(local.nonFinite, cumulative.nonFinite - inherited.nonFinite);
  if (appeared > 0) return { verdict: 'broken', reason: `${appeared} of ${local.elements} elements became NaN or infinite` };
  if (violation) {
    const { element: at, difference, allowed } = violation;
    const promise = contract.meaning === 'exact' ? 'every bit' : `an error of at most ${allowed.toExponential(2)}`;
    return { verdict: 'broken', reason: `its passes promise ${promise}, and element ${at} is off by ${difference.toExponential(2)}` };
  }
  if (local.sqnrDecibels === Infinity || contract.meaning !== 'lossy') return { verdict: 'ok' };
  if (excessDecibels > SUSPICIOUS_DECIBELS)
    return { verdict: 'suspicious', reason: `its local error is ${above(excessDecibels)} what rounding explains${clamped(local)}` };
  return { verdict: rounded ? 'expected loss' : 'ok' };
}

function above(decibels: number): string {
  return decibels === Infinity ? 'not' : `${decibels.toFixed(1)} dB above`;
}

function clamped({ saturated }: ErrorMetrics): string {
  return saturated > 0 ? `; ${(100 * saturated).toFixed(2)} % of it is clamped to the range of its type` : '';
}
