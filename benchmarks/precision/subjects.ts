/** What `bench:precision` measures: the networks of the zoo, and models from outside on real data, part of which calibrates and the rest tests. */
import { join } from 'node:path';
import process from 'node:process';
import { loadDataset } from '../../compiler/cli/data.ts';
import type { ModelSource } from '../../compiler/cli/model.ts';
import { findModel } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { checkedIndex, chosenSamples, firstSamples } from '../../runtime/data/dataset.ts';
import type { Dataset } from '../../runtime/data/dataset.ts';
import { FLOAT_NETWORKS, outsideModel } from '../report.ts';

export interface Subject {
  readonly source: ModelSource;
  readonly test: Dataset;
  readonly calibration: Dataset;
}

interface Outside {
  readonly data: string;
  readonly preprocess: string;
  /** One sample of so many calibrates, the others test. */
  readonly calibrates: number;
}

/** Files under `PLUMBLINE_REAL_DATA`. */
const OUTSIDE: Readonly<Record<string, Outside>> = {
  'mobilenet-v2-1.0-224': { data: 'imagenet-224', preprocess: 'mobilenet-224,class-offset=1', calibrates: 10 },
  'mobilenet-v1-0.25-128': { data: 'imagenet-224', preprocess: 'mobilenet-128,class-offset=1', calibrates: 10 },
  'mlperf-tiny-resnet8-cifar10': { data: 'cifar10-jpeg.bin', preprocess: 'scale=1', calibrates: 10 },
};

/** Names of what can be measured here. */
export function subjectNames(): readonly string[] {
  return [...FLOAT_NETWORKS, ...Object.keys(OUTSIDE).filter((name) => outsideModel(name) !== undefined)];
}

/** `limit` test samples at most. */
export async function subjectOf(name: string, limit: number): Promise<Subject> {
  const outside = OUTSIDE[name];
  if (!outside)
    return {
      source: findModel(name),
      test: firstSamples(await zooDataset('fashion-mnist'), limit),
      calibration: await zooDataset('fashion-mnist', 'calibration'),
    };
  const all = inFileOrder(await loadDataset(join(process.env.PLUMBLINE_REAL_DATA ?? '', outside.data), outside.preprocess));
  const calibrates = (index: number): boolean => index % outside.calibrates === 0;
  return {
    source: findModel(outsideModel(name) ?? name),
    test: firstSamples(
      chosen(all, (index) => !calibrates(index)),
      limit,
    ),
    calibration: chosen(all, calibrates),
  };
}

/** A data set in the order of its files, which nothing but those decides. */
export function inFileOrder(dataset: Dataset): Dataset {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const places = Array.from({ length: dataset.samples }, (_, index) => ({ index, place: dataset.place(index) }));
  const order = places.sort((a, b) => compare(a.place, b.place)).map(({ index }) => index);
  return chosenSamples(dataset, dataset.samples, (index) => order[index] ?? index);
}

function chosen(dataset: Dataset, belongs: (index: number) => boolean): Dataset {
  const indices = Array.from({ length: dataset.samples }, (_, index) => index).filter(belongs);
  return chosenSamples(dataset, indices.length, (index) => indices[checkedIndex(index, indices.length)] ?? index);
}
