/**
 * The order in which the samples of a data set are taken. Files often hold one class after the other, so that their first samples are no sample of the
 * whole. Here the classes take turns, each in an order of its own, both drawn from a seed: the beginning of it, however long, holds all classes equally
 * often within one, as long as they have samples; a smaller sample is the beginning of a larger one; and nothing but the labels decides it.
 */
import { DEFAULT_SEED, xorshift32 } from '../numerics/random.ts';
import type { Dataset } from './dataset.ts';
import { chosenSamples } from './dataset.ts';

/** The places of samples in turns of their classes; `labels` has the class of each. */
export function turnsOfClasses(labels: ArrayLike<number>): Uint32Array {
  let state = DEFAULT_SEED;
  const below = (count: number): number => {
    state = xorshift32(state);
    return (state >>> 0) % count;
  };
  const shuffled = <T>(list: T[]): T[] => {
    for (let i = list.length - 1; i > 0; i--) {
      const j = below(i + 1);
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
    return list;
  };
  const byClass = new Map<number, number[]>();
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    const places = byClass.get(label);
    if (places) places.push(i);
    else byClass.set(label, [i]);
  }
  // In order of the classes, so that the order of the file does not matter for which class comes first.
  let open = [...byClass].sort(([a], [b]) => a - b).map(([, places]) => shuffled(places));
  const order = new Uint32Array(labels.length);
  let taken = 0;
  for (let turn = 0; open.length > 0; turn++) {
    const left = open.filter((places) => places.length > turn);
    for (const places of shuffled([...left])) order[taken++] = places[turn] as number;
    open = left;
  }
  return order;
}

/** All samples of a data set in turns of their classes. */
export function inTurns(dataset: Dataset): Dataset {
  const order = turnsOfClasses(Int32Array.from({ length: dataset.samples }, (_, i) => dataset.label(i)));
  return chosenSamples(dataset, dataset.samples, (index) => order[index] ?? index);
}

/** Classes that some samples hold, of those that all the data hold. */
export interface HeldClasses {
  readonly held: number;
  readonly inData: number;
  /** Share of the samples that are of the most frequent class: what always naming it would get right. */
  readonly mostFrequent: number;
}

export function heldClasses(dataset: Dataset): HeldClasses {
  const counts = new Map<number, number>();
  for (let i = 0; i < dataset.samples; i++) counts.set(dataset.label(i), (counts.get(dataset.label(i)) ?? 0) + 1);
  const most = [...counts.values()].reduce((a, b) => Math.max(a, b), 0);
  return { held: counts.size, inData: dataset.classes, mostFrequent: dataset.samples === 0 ? 0 : most / dataset.samples };
}
