/** Data sets as users name them: a folder, a file, or what the names of IDX files begin with. */
import { basename, dirname, join } from 'node:path';
import type { NamedArray } from '../../runtime/data/arrays.ts';
import { arrayDataset, arrayImages, chooseArrays, holdsPixels, LABEL_NAMES, parseNpz, SAMPLE_NAMES } from '../../runtime/data/arrays.ts';
import { cifarImages } from '../../runtime/data/cifar.ts';
import type { Dataset, ImageSource } from '../../runtime/data/dataset.ts';
import { firstSamples, imageDataset } from '../../runtime/data/dataset.ts';
import { DataError } from '../../runtime/data/errors.ts';
import type { LabelledFile } from '../../runtime/data/folder.ts';
import { checkLabelled, classFolders, fileImages, isImageName, parseLabels } from '../../runtime/data/folder.ts';
import { findIdxPair, idxImages, imagesPrefix } from '../../runtime/data/idx-images.ts';
import type { NamedBytes } from '../../runtime/data/image.ts';
import { inTurns } from '../../runtime/data/sample-order.ts';
import { parseNpy } from '../../runtime/data/npy.ts';
import { DEFAULT_PREPROCESS, parsePreprocess } from '../../runtime/data/preprocess.ts';
import { imageLibrary } from '../../runtime/platform/images.ts';
import { kindOf, listDirectory, readFile } from '../../runtime/platform/node.ts';
import { fail } from '../ir/diagnostic.ts';
import type { ModelSource } from './model.ts';
import type { DataFlags } from './options.ts';
import { DATA_FORMS } from './options.ts';
import { zooDataset } from './zoo.ts';

/** The data that a model is evaluated on: what is given, or what its network in the zoo brings. */
export async function datasetOf(
  { name, zoo }: ModelSource,
  { data, preprocess, calibration, limit = Infinity }: DataFlags & { readonly calibration?: string },
): Promise<Dataset> {
  if (data !== undefined) return firstSamples(await loadDataset(data, preprocess), limit);
  if (preprocess !== undefined && calibration === undefined)
    return fail('usage', 'cli/no-data', '--preprocess needs --data: the data of the zoo are preprocessed as its networks need');
  if (zoo) return firstSamples(await zooDataset(zoo.dataset), limit);
  return fail('usage', 'cli/no-data', `${name} is not of the zoo and brings no data`, { hint: `give ${DATA_FORMS} with --data` });
}

/** The labelled data at a path, preprocessed as a text says, in turns of the classes. */
export async function loadDataset(path: string, preprocess?: string): Promise<Dataset> {
  const how = preprocess === undefined ? DEFAULT_PREPROCESS : parsePreprocess(preprocess, '--preprocess');
  const data = open(path);
  if (!('shape' in data)) return inTurns(await imageDataset(data, how, imageLibrary));
  if (preprocess !== undefined)
    throw new DataError(
      'data/mismatch',
      data.place(0),
      'is float32, which is taken as it is',
      'leave out --preprocess, or store bytes (uint8)',
    );
  return inTurns(data);
}

const named = (folder: string, name: string): NamedBytes => ({ place: join(folder, name), bytes: readFile(join(folder, name)) });

/** Images, or numbers that are taken as they are. */
function open(path: string): ImageSource | Dataset {
  const kind = kindOf(path);
  if (kind === 'directory') return openFolder(path);
  const [folder, name] = [dirname(path), basename(path)];
  if (kind === 'file' && name.endsWith('.npz')) return fromArrays(name, parseNpz(named(folder, name)), path);
  if (kind === 'file' && name.endsWith('.csv')) return fromTable(folder, listDirectory(folder), name);
  if (kind === 'file' && name.endsWith('.bin')) return cifarImages(name, [named(folder, name)]);
  if (kind === 'file' && name.endsWith('.npy'))
    throw new DataError(
      'data/format',
      path,
      'holds samples without labels',
      `give a folder with ${SAMPLE_NAMES[0]}.npy and ${LABEL_NAMES[0]}.npy, or an .npz`,
    );
  const names = kindOf(folder) === 'directory' ? listDirectory(folder) : [];
  if (!names.some((each) => each.startsWith(name)))
    throw new DataError('data/missing', path, 'no such file or folder', `give ${DATA_FORMS}`);
  return fromIdx(folder, names, imagesPrefix(name) ?? name.replace(/[-._]$/, ''));
}

function openFolder(folder: string): ImageSource | Dataset {
  const names = listDirectory(folder);
  if (names.includes('labels.csv')) return fromTable(folder, names, 'labels.csv');
  if (names.some((name) => imagesPrefix(name) !== undefined)) return fromIdx(folder, names);
  const batches = names.filter((name) => /^(test|data)_batch.*\.bin$|^test\.bin$/.test(name));
  const tests = batches.filter((name) => name.startsWith('test'));
  if (batches.length > 0)
    return cifarImages(
      basename(folder),
      (tests.length > 0 ? tests : batches).map((name) => named(folder, name)),
    );
  const arrays = names.filter((name) => name.endsWith('.npy'));
  if (arrays.length > 0) {
    const parsed = arrays.map(
      (name) =>
        [name.slice(0, -4), { place: join(folder, name), array: parseNpy(readFile(join(folder, name)), join(folder, name)) }] as const,
    );
    return fromArrays(basename(folder), new Map(parsed), folder);
  }
  const folders = names.filter((name) => kindOf(join(folder, name)) === 'directory');
  const files = classFolders(folders, (name) => listDirectory(join(folder, name)));
  if (files.length > 0) return fromFiles(folder, files);
  if (names.some(isImageName))
    throw new DataError(
      'data/missing',
      folder,
      'holds images and no labels.csv',
      "write one with the head 'file,class' and a line for each image",
    );
  throw new DataError('data/missing', folder, 'holds no labelled data', `give ${DATA_FORMS}`);
}

function fromIdx(folder: string, names: readonly string[], prefix?: string): ImageSource {
  const pair = findIdxPair(names, folder, prefix);
  const name = [basename(folder), pair.prefix].filter((part) => part !== '' && part !== '.').join('/');
  return idxImages({ name, images: named(folder, pair.images), labels: named(folder, pair.labels) });
}

function fromTable(folder: string, names: readonly string[], file: string): ImageSource {
  const table = named(folder, file);
  const files = parseLabels(table);
  checkLabelled(files, names.filter(isImageName), folder, table.place);
  const absent = files.find(({ file }) => kindOf(join(folder, file)) !== 'file');
  if (absent) throw new DataError('data/missing', join(folder, absent.file), `is listed in ${table.place}, and there is no such file`);
  return fromFiles(folder, files);
}

function fromFiles(folder: string, files: readonly LabelledFile[]): ImageSource {
  return fileImages(
    basename(folder),
    files,
    (file) => named(folder, file),
    (file) => join(folder, file),
    imageLibrary,
  );
}

function fromArrays(name: string, arrays: ReadonlyMap<string, NamedArray>, place: string): ImageSource | Dataset {
  const { samples, labels } = chooseArrays(arrays, place);
  return holdsPixels(samples) ? arrayImages(name, samples, labels) : arrayDataset(name, samples, labels);
}
