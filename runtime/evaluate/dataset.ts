/** Labelled data sets, from bytes. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { DataError } from './errors.ts';
import type { IdxArray } from './idx.ts';
import { parseIdx } from './idx.ts';

/** Samples of one shape, each with a class. */
export interface Dataset {
  readonly name: string;
  readonly samples: number;
  /** Shape of one sample, `[28, 28]`; elements are row-major. */
  readonly shape: readonly number[];
  /** The preprocessed elements of a sample, in a fresh array. */
  read(index: number): Float32Array;
  /** The class of a sample, from 0. */
  label(index: number): number;
  /** SHA-256, in hexadecimal, of samples, labels and preprocessing. */
  readonly hash: string;
}

/** The bytes of a file and its name in messages. */
export interface NamedBytes {
  readonly place: string;
  readonly bytes: Uint8Array;
}

export interface ImageDatasetOptions {
  readonly name: string;
  /** IDX file of unsigned bytes, the first dimension counts the samples. */
  readonly images: NamedBytes;
  /** IDX file of unsigned bytes with one dimension. */
  readonly labels: NamedBytes;
  /** An element is its byte divided by this, rounded to f32. */
  readonly divide: number;
}

/** A data set of images and labels in IDX files. Throws a `DataError` that names the file at fault. */
export function imageDataset({ name, images, labels, divide }: ImageDatasetOptions): Dataset {
  const pixels = parseIdx(images.bytes, images.place);
  const classes = parseIdx(labels.bytes, labels.place);
  const [samples = 0, ...shape] = pixels.dims;
  if (shape.length === 0) throw new DataError('data/format', images.place, 'has one dimension: these are labels, not images');
  if (classes.dims.length !== 1)
    throw new DataError('data/format', labels.place, `has ${classes.dims.length} dimensions: these are no labels`);
  if (samples === 0) throw new DataError('data/format', images.place, 'holds no images');
  if (classes.data.length !== samples)
    throw new DataError('data/mismatch', labels.place, `holds ${classes.data.length} labels for the ${samples} images of ${images.place}`);
  const elements = pixels.data.length / samples;
  const values = Float32Array.from({ length: 256 }, (_, byte) => byte / divide);
  const checked = (index: number): number => {
    if (!Number.isInteger(index) || index < 0 || index >= samples) throw new RangeError(`there is no sample ${index} among ${samples}`);
    return index;
  };
  return {
    name,
    samples,
    shape,
    read(index) {
      const start = checked(index) * elements;
      return Float32Array.from(pixels.data.subarray(start, start + elements), (byte) => values[byte] as number);
    },
    label: (index) => classes.data[checked(index)] as number,
    get hash() {
      return hashOf(pixels, classes, divide);
    },
  };
}

function hashOf(pixels: IdxArray, classes: IdxArray, divide: number): string {
  const head = JSON.stringify({ dims: pixels.dims, divide });
  const hash = sha256.create().update(new TextEncoder().encode(head)).update(pixels.data).update(classes.data);
  return bytesToHex(hash.digest());
}

/** The first samples of a data set, all of them if it has no more. */
export function firstSamples(dataset: Dataset, limit: number): Dataset {
  return {
    name: dataset.name,
    samples: Math.min(limit, dataset.samples),
    shape: dataset.shape,
    read: (index) => dataset.read(index),
    label: (index) => dataset.label(index),
    get hash() {
      return dataset.hash;
    },
  };
}

/** Names of two files that belong together, and what they have in common. */
export interface IdxPair {
  readonly prefix: string;
  readonly images: string;
  readonly labels: string;
}

const IMAGES = /^(.*?)[-._]?images[-._]idx\d/;
const LABELS = /^(.*?)[-._]?labels[-._]idx1/;

/** What stands before `images-idx3` in a file name; undefined when that is no name of an image file. */
export function imagesPrefix(name: string): string | undefined {
  return IMAGES.exec(name)?.[1];
}

/**
 * Chooses the image and label files, `PREFIX-images-idx3-ubyte` and `PREFIX-labels-idx1-ubyte` with or without `.gz`, among the names in a
 * folder. Without a prefix the only pair is taken, or the test set where there are several. Throws a `DataError` that says what is missing.
 */
export function findIdxPair(names: readonly string[], folder: string, prefix?: string): IdxPair {
  const images = firstByPrefix(names, IMAGES);
  if (images.size === 0)
    throw new DataError('data/missing', folder, 'holds no image file', 'an IDX file such as t10k-images-idx3-ubyte.gz is expected');
  const chosen = prefix ?? choosePrefix([...images.keys()], folder);
  const image = images.get(chosen);
  const known = [...images.keys()].join(', ');
  if (image === undefined) throw new DataError('data/missing', folder, `holds no images with the prefix '${chosen}'`, `there are ${known}`);
  const label = firstByPrefix(names, LABELS).get(chosen);
  if (label === undefined)
    throw new DataError(
      'data/missing',
      folder,
      `holds no labels for ${image}`,
      `a file such as ${image.replace(/images([-._])idx\d/, 'labels$1idx1')} is expected`,
    );
  return { prefix: chosen, images: image, labels: label };
}

function firstByPrefix(names: readonly string[], pattern: RegExp): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of [...names].sort()) {
    const prefix = pattern.exec(name)?.[1];
    if (prefix !== undefined && !found.has(prefix)) found.set(prefix, name);
  }
  return found;
}

function choosePrefix(prefixes: readonly string[], folder: string): string {
  const [only, ...others] = prefixes;
  if (only !== undefined && others.length === 0) return only;
  const [test, ...moreTests] = prefixes.filter((prefix) => /t10k|test/.test(prefix));
  if (test !== undefined && moreTests.length === 0) return test;
  const hint = `name one: ${folder}/${only ?? ''}`;
  throw new DataError('data/ambiguous', folder, `holds several data sets: ${prefixes.join(', ')}`, hint);
}
