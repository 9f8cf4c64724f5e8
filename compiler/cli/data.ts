/** Data sets as users name them: a folder of IDX files, a prefix of their names, or the file of images. */
import { basename, dirname, join } from 'node:path';
import type { Dataset } from '../../runtime/evaluate/dataset.ts';
import { DataError } from '../../runtime/evaluate/errors.ts';
import { findIdxPair, imageDataset, imagesPrefix } from '../../runtime/evaluate/dataset.ts';
import { kindOf, listDirectory, readFile } from '../../runtime/platform/node.ts';

/** Pixels are 8-bit and scaled to 0 … 1. */
const DIVIDE = 255;

/** The labelled images at a path: `DIR`, `DIR/t10k` or `DIR/t10k-images-idx3-ubyte.gz`. */
export function loadDataset(path: string): Dataset {
  const isFolder = kindOf(path) === 'directory';
  const folder = isFolder ? path : dirname(path);
  const prefix = isFolder ? undefined : (imagesPrefix(basename(path)) ?? basename(path).replace(/[-._]$/, ''));
  const names = kindOf(folder) === 'directory' ? listDirectory(folder) : [];
  if (!isFolder && !names.some((name) => name.startsWith(basename(path))))
    throw new DataError('data/missing', path, 'no such file or folder', 'give a folder of IDX files, or the prefix of their names');
  const pair = findIdxPair(names, folder, prefix);
  const file = (name: string) => ({ place: join(folder, name), bytes: readFile(join(folder, name)) });
  const name = [basename(folder), pair.prefix].filter((part) => part !== '' && part !== '.').join('/');
  return imageDataset({ name, images: file(pair.images), labels: file(pair.labels), divide: DIVIDE });
}
