/** Labelled data sets: from images, or arrays of numbers, to the elements of a model's input. */
import { DataError } from './errors.ts';
import type { ImageLibrary, PixelImage } from './image.ts';
import type { Preprocess } from './preprocess.ts';
import { preprocess } from './preprocess.ts';

export interface Sample {
  readonly elements: Float32Array;
  /** What is stored of it, before any preprocessing. */
  readonly stored: Uint8Array;
}

/** Samples of one shape, each with a class. */
export interface Dataset {
  readonly name: string;
  readonly samples: number;
  /** Different classes that all the data hold, chosen samples or not. */
  readonly classes: number;
  /** Shape of one sample, `[3, 32, 32]`; elements are row-major. */
  readonly shape: readonly number[];
  /** How elements come from pixels; undefined where numbers are taken as they are stored. */
  readonly preprocess: Preprocess | undefined;
  /** Rejects with a `DataError` that names the file where a sample cannot be read or has another shape than the first. */
  read(index: number): Promise<Sample>;
  /** The class of a sample. */
  label(index: number): number;
  /** The file of a sample, and which of its samples that is, for messages. */
  place(index: number): string;
}

/** Labelled images as they are stored. */
export interface ImageSource {
  readonly name: string;
  readonly samples: number;
  /** The image, and the bytes that are stored of it. */
  read(index: number): Promise<{ readonly image: PixelImage; readonly stored: Uint8Array }>;
  label(index: number): number;
  place(index: number): string;
}

/** A data set of images. The first is read to learn the shape. */
export async function imageDataset(source: ImageSource, how: Preprocess, library: ImageLibrary): Promise<Dataset> {
  const { name, samples } = source;
  const place = (index: number): string => source.place(index);
  const element = async (index: number) => {
    const { image, stored } = await source.read(index);
    return { stored, image, ...(await preprocess(image, how, library, place(index))) };
  };
  const { shape } = await element(0);
  return {
    name,
    samples,
    classes: countClasses(samples, (index) => source.label(index)),
    shape,
    preprocess: how,
    place,
    label: (index) => source.label(index) + how.classOffset,
    async read(index) {
      const sample = await element(checkedIndex(index, samples));
      if (sample.shape.some((dimension, axis) => dimension !== shape[axis]))
        throw new DataError(
          'data/mismatch',
          place(index),
          `gives samples of ${sample.shape.join('x')}, and ${place(0)} gives ${shape.join('x')}`,
          'resize, crop and channels of the preprocessing make them alike',
        );
      return sample;
    },
  };
}

/** How many different labels there are. */
export function countClasses(samples: number, label: (index: number) => number): number {
  return new Set(Int32Array.from({ length: samples }, (_, i) => label(i))).size;
}

/** The index where there is such a sample; else a `RangeError`. */
export function checkedIndex(index: number, samples: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= samples) throw new RangeError(`there is no sample ${index} among ${samples}`);
  return index;
}

/** The first samples of a data set, all of them if it has no more. */
export function firstSamples(dataset: Dataset, limit: number): Dataset {
  return chosenSamples(dataset, Math.min(limit, dataset.samples), (index) => index);
}

/** So many samples of a data set; `placeOf` tells where each stands in it. */
export function chosenSamples(dataset: Dataset, samples: number, placeOf: (index: number) => number): Dataset {
  return {
    ...dataset,
    samples,
    read: (index) => dataset.read(placeOf(index)),
    label: (index) => dataset.label(placeOf(index)),
    place: (index) => dataset.place(placeOf(index)),
  };
}
