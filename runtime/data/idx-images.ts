/** Images and labels in two IDX files, as MNIST and its relatives come. */
import type { ImageSource } from './dataset.ts';
import { checkedIndex } from './dataset.ts';
import { DataError } from './errors.ts';
import { parseIdx } from './idx.ts';
import type { NamedBytes } from './image.ts';

export interface IdxFiles {
  readonly name: string;
  /** IDX file of unsigned bytes: N×H×W, or N×H×W×C. */
  readonly images: NamedBytes;
  /** IDX file of unsigned bytes with one dimension. */
  readonly labels: NamedBytes;
}

/** Throws a `DataError` that names the file at fault. */
export function idxImages({ name, images, labels }: IdxFiles): ImageSource {
  const pixels = parseIdx(images.bytes, images.place);
  const classes = parseIdx(labels.bytes, labels.place);
  const [samples = 0, height = 1, width = 1, channels = 1] = pixels.dims;
  if (pixels.dims.length === 1) throw new DataError('data/format', images.place, 'has one dimension: these are labels, not images');
  if (classes.dims.length !== 1)
    throw new DataError('data/format', labels.place, `has ${classes.dims.length} dimensions: these are no labels`);
  if (pixels.data.length === 0) throw new DataError('data/format', images.place, 'holds no images');
  if (classes.data.length !== samples)
    throw new DataError('data/mismatch', labels.place, `holds ${classes.data.length} labels for the ${samples} images of ${images.place}`);
  const bytes = height * width * channels;
  return {
    name,
    samples,
    read(index) {
      const start = checkedIndex(index, samples) * bytes;
      const stored = pixels.data.subarray(start, start + bytes);
      return Promise.resolve({ stored, image: { height, width, channels, data: stored } });
    },
    label: (index) => classes.data[checkedIndex(index, samples)] ?? 0,
    place: (index) => `${images.place}: image ${index}`,
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
