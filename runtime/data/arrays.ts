/** Samples and labels in NumPy's arrays: two `.npy` files, or one `.npz`. */
import { unzipSync } from 'fflate';
import { beyondBudget, budgetHint } from '../budget.ts';
import type { Dataset, ImageSource } from './dataset.ts';
import { checkedIndex, countClasses } from './dataset.ts';
import { DataError } from './errors.ts';
import type { NamedBytes } from './image.ts';
import type { NpyArray } from './npy.ts';
import { npyTypeName, parseNpy } from './npy.ts';

/** An array and its name in messages. */
export interface NamedArray {
  readonly place: string;
  readonly array: NpyArray;
}

/** Names of the array of samples, and of that of labels, the first that there is. */
export const SAMPLE_NAMES = ['images', 'x', 'x_test', 'data', 'arr_0'];
export const LABEL_NAMES = ['labels', 'y', 'y_test', 'arr_1'];

/** An array stands in what was decompressed, aligned in a copy of it, and sample by sample in what executes. */
const COPIES = 3;

/** The arrays in an `.npz` file, by name. Throws a `DataError`. */
export function parseNpz({ place, bytes }: NamedBytes): ReadonlyMap<string, NamedArray> {
  let total = 0;
  const arrays = new Map<string, NamedArray>();
  for (const [file, content] of Object.entries(unzip())) {
    const name = file.replace(/\.npy$/, '');
    arrays.set(name, { place: `${place}: ${name}`, array: parseNpy(content, `${place}: ${name}`) });
  }
  return arrays;

  function unzip(): Readonly<Record<string, Uint8Array>> {
    try {
      return unzipSync(bytes, {
        filter: ({ name, originalSize }) => {
          total += originalSize;
          const beyond = beyondBudget(COPIES * total);
          if (beyond !== undefined) throw new DataError('data/too-large', place, `decompressed ${beyond}`, budgetHint());
          return name.endsWith('.npy');
        },
      });
    } catch (error) {
      if (error instanceof DataError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataError('data/format', place, `is no .npz file: ${reason}`, 'write it with numpy.savez');
    }
  }
}

/** The samples and labels among the arrays of a file. Throws a `DataError` where one is missing. */
export function chooseArrays(arrays: ReadonlyMap<string, NamedArray>, place: string): { samples: NamedArray; labels: NamedArray } {
  const find = (what: string, names: readonly string[]): NamedArray => {
    const found = names.map((name) => arrays.get(name)).find((array) => array !== undefined);
    if (found) return found;
    const known = [...arrays.keys()].join(', ');
    throw new DataError(
      'data/missing',
      place,
      `has no array of ${what} among ${known === '' ? 'none' : known}`,
      `name it ${names.join(' or ')}`,
    );
  };
  return { samples: find('samples', SAMPLE_NAMES), labels: find('labels', LABEL_NAMES) };
}

/** The class of a sample, from an array of whole numbers with one dimension. */
function classesOf({ place, array }: NamedArray, samples: number): (index: number) => number {
  if (array.type === 'f4')
    throw new DataError('data/format', place, 'holds float32, and classes are whole numbers', "convert it: array.astype('int64')");
  if (array.shape.length !== 1) throw new DataError('data/format', place, `has ${array.shape.length} dimensions: these are no labels`);
  if (array.data.length !== samples)
    throw new DataError('data/mismatch', place, `holds ${array.data.length} labels for ${samples} samples`);
  // Not a list of numbers, which would take eight times the bytes of an array of bytes.
  const classOf = (index: number): number => Number(array.data[index] ?? 0);
  for (let i = 0; i < samples; i++) {
    const each = classOf(i);
    if (!Number.isSafeInteger(each) || each < 0)
      throw new DataError('data/format', place, `has the class ${each} at ${i}; classes count from 0`);
  }
  return (index) => classOf(checkedIndex(index, samples));
}

/** Whether an array holds pixels, which are preprocessed, and not numbers, which are taken as they are. */
export function holdsPixels({ array }: NamedArray): boolean {
  return array.type === 'u1';
}

function samplesOf({ place, array }: NamedArray): { count: number; elements: number } {
  const [count = 0] = array.shape;
  if (array.shape.length < 2 || array.data.length === 0)
    throw new DataError('data/format', place, `of shape ${array.shape.join('x')} holds no samples`);
  return { count, elements: array.data.length / count };
}

/** Images in an array of bytes: N×H×W, N×H×W×C, or N×C×H×W with 1 or 3 channels. Throws a `DataError`. */
export function arrayImages(name: string, samples: NamedArray, labels: NamedArray): ImageSource {
  const { place, array } = samples;
  const { count, elements } = samplesOf(samples);
  const classes = classesOf(labels, count);
  const [, a = 1, b = 1, c = 1] = array.shape;
  if (array.shape.length > 4) throw new DataError('data/format', place, `has ${array.shape.length} dimensions; images have 3 or 4`);
  const isPlanar = array.shape.length === 4 && c > 4 && (a === 1 || a === 3);
  const [channels, height, width] = isPlanar ? [a, b, c] : [c, a, b];
  if (channels > 4) throw new DataError('data/format', place, `of shape ${array.shape.join('x')} has no channels, first or last`);
  const pixels = height * width;
  return {
    name,
    samples: count,
    read(index) {
      const start = checkedIndex(index, count) * elements;
      const stored = Uint8Array.from({ length: elements }, (_, i) => Number(array.data[start + i]));
      const data = isPlanar
        ? Uint8Array.from({ length: elements }, (_, i) => stored[(i % channels) * pixels + Math.trunc(i / channels)] as number)
        : stored;
      return Promise.resolve({ stored, image: { height, width, channels, data } });
    },
    label: classes,
    place: (index) => `${place}: image ${index}`,
  };
}

/** Samples in an array of float32, N×…, as a model takes them. `classOffset` is added to each class. Throws a `DataError`. */
export function arrayDataset(name: string, samples: NamedArray, labels: NamedArray): Dataset {
  const { place, array } = samples;
  const { data } = array;
  if (!(data instanceof Float32Array))
    throw new DataError('data/format', place, `holds ${npyTypeName(array.type)}; samples are bytes (uint8) or float32`);
  const { count, elements } = samplesOf(samples);
  const classes = classesOf(labels, count);
  return {
    name,
    samples: count,
    classes: countClasses(count, classes),
    shape: array.shape.slice(1),
    preprocess: undefined,
    read(index) {
      const start = checkedIndex(index, count) * elements;
      const own = data.slice(start, start + elements);
      return Promise.resolve({ elements: own, stored: new Uint8Array(own.buffer) });
    },
    label: classes,
    place: (index) => `${place}: sample ${index}`,
  };
}
