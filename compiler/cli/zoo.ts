/** The networks and data that ship with the package. */
import { posix } from 'node:path';
import type { Dataset } from '../../runtime/data/dataset.ts';
import { imageDataset } from '../../runtime/data/dataset.ts';
import { idxImages } from '../../runtime/data/idx-images.ts';
import { inTurns } from '../../runtime/data/sample-order.ts';
import { parsePreprocess } from '../../runtime/data/preprocess.ts';
import type { Zoo } from '../../runtime/evaluate/zoo.ts';
import { parseZoo } from '../../runtime/evaluate/zoo.ts';
import { imageLibrary } from '../../runtime/platform/images.ts';
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

/** A data set that ships, in turns of the classes: its test samples, or those that parameters may be chosen on. */
export async function zooDataset(name: string, part: 'test' | 'calibration' = 'test'): Promise<Dataset> {
  const known = Object.hasOwn(zoo().datasets, name) ? zoo().datasets[name] : undefined;
  if (!known) throw new Error(`the zoo has no data set ${name}`);
  const { images, labels } = part === 'test' ? known : known.calibration;
  const file = (path: string) => ({ place: path, bytes: readFile(zooPath(path)) });
  const source = idxImages({ name: part === 'test' ? name : `${name} (${part})`, images: file(images), labels: file(labels) });
  return inTurns(await imageDataset(source, parsePreprocess(known.preprocess, 'zoo.json'), imageLibrary));
}
