/** Two classifiers' scores on the same samples: what changed of the task. */
import type { Proportion } from '../evaluate/metrics.ts';
import { argmax, wilson } from '../evaluate/metrics.ts';
import { mcnemar } from '../evaluate/paired.ts';
import { decibels } from './metrics.ts';

/** Scores of every sample, row-major, and their classes. */
export interface Scores {
  readonly classes: number;
  readonly scores: Float32Array;
  readonly labels: Int32Array;
}

/** A sample whose predicted class changed. */
export interface Flip {
  readonly sample: number;
  readonly label: number;
  readonly reference: number;
  readonly program: number;
  /** Reference's greatest score less its second: how sure it was. */
  readonly margin: number;
}

export interface OutputComparison {
  readonly samples: number;
  readonly referenceTop1: Proportion;
  readonly programTop1: Proportion;
  /** Share of samples with the same predicted class. */
  readonly agreement: Proportion;
  /** Samples that only the program gets right, that only the reference gets right, and that both get wrong in different ways. */
  readonly better: number;
  readonly worse: number;
  readonly other: number;
  /** McNemar's exact test of `better` against `worse`. */
  readonly pValue: number;
  readonly sqnrDecibels: number;
  /** Mean Kullback-Leibler divergence of the program's class probabilities from the reference's, in nats. */
  readonly klDivergence: number;
  /** Median of the reference's margins, and the greatest among the samples that flipped. */
  readonly medianMargin: number;
  readonly widestFlippedMargin: number;
  /** In order of the samples. */
  readonly flips: readonly Flip[];
}

/** Compares scores of the same samples; both have the same classes and labels. */
export function compareScores(reference: Scores, program: Scores): OutputComparison {
  const { classes, labels } = reference;
  const samples = labels.length;
  const counts = { reference: 0, program: 0, better: 0, worse: 0, other: 0 };
  const flips: Flip[] = [];
  const margins: number[] = [];
  let [signal, noise, divergence] = [0, 0, 0];
  for (let sample = 0; sample < samples; sample++) {
    const x = reference.scores.subarray(sample * classes, (sample + 1) * classes);
    const y = program.scores.subarray(sample * classes, (sample + 1) * classes);
    const label = labels[sample] as number;
    const [before, after] = [argmax(x), argmax(y)];
    const margin = marginOf(x);
    margins.push(margin);
    if (before === label) counts.reference++;
    if (after === label) counts.program++;
    if (before !== after) {
      flips.push({ sample, label, reference: before, program: after, margin });
      counts[after === label ? 'better' : before === label ? 'worse' : 'other']++;
    }
    for (let i = 0; i < classes; i++) {
      const [p, q] = [x[i] as number, y[i] as number];
      signal += p * p;
      if (!Object.is(p, q)) noise += Number.isFinite(q - p) ? (q - p) ** 2 : Infinity;
    }
    divergence += klDivergence(x, y);
  }
  return {
    samples,
    referenceTop1: wilson(counts.reference, samples),
    programTop1: wilson(counts.program, samples),
    agreement: wilson(samples - flips.length, samples),
    better: counts.better,
    worse: counts.worse,
    other: counts.other,
    pValue: mcnemar(counts),
    sqnrDecibels: decibels(signal, noise),
    klDivergence: divergence / samples,
    medianMargin: median(margins),
    widestFlippedMargin: Math.max(0, ...flips.map(({ margin }) => margin)),
    flips,
  };
}

/** Greatest score less the second; 0 with fewer than two numbers. */
function marginOf(scores: Float32Array): number {
  const [first, second] = Array.from(scores).sort((a, b) => b - a);
  return first === undefined || second === undefined || Number.isNaN(first - second) ? 0 : first - second;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Σ p·log(p/q) of the class probabilities of two rows of scores; 0 where the rows are equal, Infinity where only one of them holds NaN. */
export function klDivergence(reference: Float32Array, program: Float32Array): number {
  if (reference.every((x, i) => Object.is(x, program[i]))) return 0;
  const p = logProbabilities(reference);
  const q = logProbabilities(program);
  const divergence = p.reduce((sum, each, i) => (each === -Infinity ? sum : sum + Math.exp(each) * (each - (q[i] ?? NaN))), 0);
  // Rounding makes the sum of nearly equal terms negative at times.
  return Number.isNaN(divergence) ? Infinity : Math.max(0, divergence);
}

/** How far from one a sum of probabilities may be by the rounding of f32. */
const PROBABILITY_TOLERANCE = 1e-3;

/** Logarithms of class probabilities: of the scores themselves where they are probabilities, else of their softmax. */
function logProbabilities(scores: Float32Array): readonly number[] {
  const values = Array.from(scores);
  const sum = values.reduce((total, value) => total + value, 0);
  if (values.every((value) => value >= 0) && Math.abs(sum - 1) < PROBABILITY_TOLERANCE) return values.map((value) => Math.log(value / sum));
  const greatest = Math.max(...values);
  const total = Math.log(values.reduce((each, value) => each + Math.exp(value - greatest), 0));
  return values.map((value) => value - greatest - total);
}
