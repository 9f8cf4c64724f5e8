/** The networks and data that ship with the package. */
import { posix } from 'node:path';
import { imageDataset } from '../../runtime/evaluate/dataset.ts';
import type { Dataset } from '../../runtime/evaluate/dataset.ts';
import type { Zoo } from '../../runtime/evaluate/zoo.ts';
import { parseZoo } from '../../runtime/evaluate/zoo.ts';
import { assetPath, readFile, readTextFile } from '../../runtime/platform/node.ts';

let manifest: Zoo | undefined;

export function zoo(): Zoo {
  manifest ??= parseZoo(JSON.parse(readTextFile(assetPath('benchmarks', 'zoo', 'zoo.json'))), 'zoo.json');
  return manifest;
}

/** Path of a file that the manifest names. */
export function zooPath(file: string): string {
  return assetPath('benchmarks', 'zoo', ...file.split(posix.sep));
}

/** A data set that ships: its test samples, or those that parameters may be chosen on. */
export function zooDataset(name: string, part: 'test' | 'calibration' = 'test'): Dataset {
  const known = Object.hasOwn(zoo().datasets, name) ? zoo().datasets[name] : undefined;
  if (!known) throw new Error(`the zoo has no data set ${name}`);
  const { images, labels } = part === 'test' ? known : known.calibration;
  const file = (path: string) => ({ place: path, bytes: readFile(zooPath(path)) });
  return imageDataset({
    name: part === 'test' ? name : `${name} (${part})`,
    images: file(images),
    labels: file(labels),
    divide: known.divide,
  });
}
