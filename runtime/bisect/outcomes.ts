/** What a model gives for samples beside what the float model gives, and the metrics of it. Any subset of samples has metrics without another run. */
import { difference } from '../../passes/contract/compare.ts';
import type { Proportion } from '../evaluate/metrics.ts';
import { argmax, rankOf, wilson } from '../evaluate/metrics.ts';
import { pairedLoss } from '../evaluate/paired.ts';
import type { Metric } from './expression.ts';

/** The numbers of each output, by its name. */
export type Outputs = ReadonlyMap<string, Float64Array>;

/** One sample: predictions are those of the first output. */
export interface Outcome {
  readonly predicted: number;
  readonly basePredicted: number;
  /** How many classes rank before the sample's own; undefined where it has none. */
  readonly rank?: number;
  readonly baseRank?: number;
  /** Σ base² and Σ (own - base)², over all outputs. */
  readonly signal: number;
  readonly noise: number;
  /** Greatest |own - base|; Infinity where an output is missing or has another size. */
  readonly maximumError: number;
}

/** `base` is what the float model gives. */
export function outcomeOf(base: Outputs, own: Outputs, label?: number): Outcome {
  let [signal, noise, maximumError] = [0, 0, 0];
  for (const [name, x] of base) {
    const y = own.get(name);
    if (y?.length !== x.length) maximumError = Infinity;
    for (const [i, expected] of x.entries()) {
      const error = difference(expected, y?.[i] ?? NaN);
      signal += expected * expected;
      noise += error * error;
      maximumError = Math.max(maximumError, error);
    }
  }
  const [scoresName = '', baseScores = []] = [...base][0] ?? [];
  const scores = own.get(scoresName) ?? [];
  return {
    predicted: argmax(scores),
    basePredicted: argmax(baseScores),
    ...(label !== undefined && { rank: rankOf(scores, label), baseRank: rankOf(baseScores, label) }),
    signal,
    noise,
    maximumError,
  };
}

/** What a compiled program costs. */
export interface Costs {
  readonly cycles: number;
  readonly instructions: number;
  /** Read from DRAM and written to it. */
  readonly bytes: number;
  readonly joules: number;
}

/** A metric's value, and the float model's. */
export interface Measured {
  readonly value: number;
  readonly base: number;
  /** Of shares of samples: the loss against the float model, and its 95 % interval, as proportions. */
  readonly loss?: Proportion;
}

export interface Measurements {
  readonly outcomes: readonly Outcome[];
  readonly costs?: { readonly own: Costs; readonly base: Costs };
}

/** Throws where what the metric needs was not measured, which is a mistake of the caller. */
export function measure(metric: Metric, { outcomes, costs }: Measurements): Measured {
  const flips = outcomes.filter(({ predicted, basePredicted }) => predicted !== basePredicted).length;
  switch (metric) {
    case 'top1':
      return ranked(outcomes, 1);
    case 'top5':
      return ranked(outcomes, 5);
    case 'agreement':
      return { value: 1 - flips / outcomes.length, base: 1, loss: wilson(flips, outcomes.length) };
    case 'flips':
      return { value: flips, base: 0 };
    case 'sqnr':
      return { value: sqnr(outcomes), base: Infinity };
    case 'maxerror':
      return { value: Math.max(...outcomes.map(({ maximumError }) => maximumError)), base: 0 };
    case 'cycles':
    case 'instructions':
    case 'bytes':
    case 'joules':
      if (!costs) throw new Error(`${metric} was not measured`);
      return { value: costs.own[metric], base: costs.base[metric] };
  }
}

/** The share of samples whose class is among the first so many. */
function ranked(outcomes: readonly Outcome[], among: number): Measured {
  const samples = outcomes.length;
  const [right, baseRight] = [
    outcomes.map(({ rank = Infinity }) => rank < among),
    outcomes.map(({ baseRank = Infinity }) => baseRank < among),
  ];
  const count = (list: readonly boolean[]): number => list.filter(Boolean).length;
  const better = count(right.map((each, i) => each && baseRight[i] === false));
  const worse = count(baseRight.map((each, i) => each && right[i] === false));
  return { value: count(right) / samples, base: count(baseRight) / samples, loss: pairedLoss({ better, worse }, samples) };
}

/** 10·log10(Σ signal / Σ noise) in decibels; Infinity where nothing differs. */
function sqnr(outcomes: readonly Outcome[]): number {
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, each) => total + of(each), 0);
  const noise = sum((each) => each.noise);
  return noise === 0 ? Infinity : 10 * Math.log10(sum((each) => each.signal) / noise);
}
