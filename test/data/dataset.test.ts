/** Labelled data in the forms that people have it in, and what is said of data that cannot be used. */
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { arrayDataset, arrayImages, chooseArrays, holdsPixels, parseNpz } from '../../runtime/data/arrays.ts';
import { cifarImages } from '../../runtime/data/cifar.ts';
import type { Dataset, ImageSource } from '../../runtime/data/dataset.ts';
import { firstSamples, imageDataset } from '../../runtime/data/dataset.ts';
import { DataError } from '../../runtime/data/errors.ts';
import { checkLabelled, classFolders, fileImages, parseLabels } from '../../runtime/data/folder.ts';
import { findIdxPair, idxImages } from '../../runtime/data/idx-images.ts';
import type { NpyArray } from '../../runtime/data/npy.ts';
import { encodeNpy } from '../../runtime/data/npy.ts';
import { DEFAULT_PREPROCESS, parsePreprocess } from '../../runtime/data/preprocess.ts';
import { imageLibrary } from '../../runtime/platform/images.ts';
import { idx } from '../support/idx.ts';

/** `code: place message` of what is thrown. */
async function complaint(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return `${error.code}: ${error.place} ${error.message}`;
  }
  return 'no error';
}

const named = (bytes: Uint8Array, place: string) => ({ bytes, place });
const text = (content: string) => named(new TextEncoder().encode(content), 'labels.csv');
const dataset = (source: ImageSource): Promise<Dataset> => imageDataset(source, DEFAULT_PREPROCESS, imageLibrary);
const elements = async (data: Dataset, index: number): Promise<number[]> => [...(await data.read(index)).elements];

describe('IDX files', () => {
  const labels = named(idx([2], [3, 1]), 'labels');
  const make = (images: Uint8Array, its = labels) => idxImages({ name: 'd', images: named(images, 'images'), labels: its });

  it('scale pixels and keep samples apart', async () => {
    const data = await dataset(make(idx([2, 1, 2], [0, 255, 51, 102])));
    expect(data.shape).toEqual([1, 1, 2]);
    expect(await elements(data, 0)).toEqual([0, 1]);
    expect(await elements(data, 1)).toEqual([Math.fround(0.2), Math.fround(0.4)]);
    expect([data.label(0), data.label(1)]).toEqual([3, 1]);
    await expect(data.read(2)).rejects.toThrow(RangeError);
    expect(firstSamples(data, 1).samples).toBe(1);
    expect(firstSamples(data, 9).samples).toBe(2);
  });

  it.each([
    ['labels for images', idx([2], [1, 2]), labels, 'data/format: images has one dimension: these are labels, not images'],
    ['images for labels', idx([2, 1, 1], [1, 2]), named(idx([2, 1], [1, 2]), 'l'), 'data/format: l has 2 dimensions: these are no labels'],
    ['no images', idx([0, 1, 1], []), named(idx([0], []), 'l'), 'data/format: images holds no images'],
    ['other counts', idx([3, 1, 1], [1, 2, 3]), labels, 'data/mismatch: labels holds 2 labels for the 3 images of images'],
  ])('of %s are refused', async (_, images, its, message) => {
    expect(await complaint(() => make(images, its))).toBe(message);
  });

  it('are found in a folder by their names', async () => {
    const names = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'];
    expect(findIdxPair(names, 'd')).toMatchObject({ prefix: 't10k', images: names[2], labels: names[3] });
    expect(findIdxPair(names, 'd', 'train')).toMatchObject({ images: names[0], labels: names[1] });
    expect(await complaint(() => findIdxPair(names, 'd', 'valid'))).toMatch(/^data\/missing: d holds no images with the prefix 'valid'/);
    expect(await complaint(() => findIdxPair(names.slice(0, 1), 'd'))).toMatch(/^data\/missing/);
    const two = ['a-images-idx3-ubyte', 'a-labels-idx1-ubyte', 'b-images-idx3-ubyte', 'b-labels-idx1-ubyte'];
    expect(await complaint(() => findIdxPair(two, 'd'))).toMatch(/^data\/ambiguous/);
  });
});

describe('CIFAR files', () => {
  const record = (labels: readonly number[], seed: number): number[] => [
    ...labels,
    ...Array.from({ length: 3072 }, (_, i) => (i * seed) & 255),
  ];

  it.each([
    ['10', Uint8Array.from([...record([7], 1), ...record([9], 3)])],
    ['100', Uint8Array.from([...record([1, 7], 1), ...record([2, 9], 3)])],
  ])('CIFAR-%s: planes become pixels, and the last label counts', async (_, bytes) => {
    const data = await imageDataset(cifarImages('c', [named(bytes, 'c.bin')]), parsePreprocess('scale=1', 'p'), imageLibrary);
    expect([data.samples, data.shape, data.label(0), data.label(1)]).toEqual([2, [3, 32, 32], 7, 9]);
    // The planes of the file are those of the input.
    expect(await elements(data, 1)).toEqual(record([], 3));
    expect(data.place(1)).toBe('c.bin: image 1');
  });

  it('of another size are refused', async () => {
    expect(await complaint(() => cifarImages('c', [named(new Uint8Array(3000), 'c.bin')]))).toBe(
      'data/format: c.bin has 3000 bytes, which are no records of CIFAR-10 (3073 bytes) or CIFAR-100 (3074 bytes)',
    );
    expect(await complaint(() => cifarImages('c', [named(new Uint8Array(0), 'c.bin')]))).toMatch(/^data\/format/);
  });
});

describe('a table of labels', () => {
  it('lists files and classes, quoted or not, under a head in any order', () => {
    expect(parseLabels(text('\uFEFFname,Class,file\r\n"a, b",3,"x, y.png"\r\n\r\nc,0,z.png\r\n'))).toEqual([
      { file: 'x, y.png', label: 3 },
      { file: 'z.png', label: 0 },
    ]);
  });

  it.each([
    ['a.png,1\nb.png,2', "has no column of files in its head 'a.png,1'"],
    ['file,wnid\na.png,1', "has no column of classes in its head 'file,wnid'"],
    ['file,class\n', 'lists no files'],
    ['file,class\na.png,', 'line 2 has no class for a.png'],
    ['file,class\na.png,cat', "line 2 gives a.png the class 'cat', which is no whole number"],
    ['file,class\na.png,-1', 'which is no whole number'],
    ['file,class\n../a.png,1', "line 2 names no file in its folder: '../a.png'"],
    ['file,class\n/a.png,1', 'names no file in its folder'],
    ['file,class\na.png,1\na.png,2', 'line 3 lists a.png a second time'],
    ['file,class\n"a.png,1', 'is no table of comma-separated values'],
    ['file,class\na.png', 'is no table of comma-separated values'],
  ])('%j is refused', async (content, message) => {
    expect(await complaint(() => parseLabels(text(content)))).toContain(`labels.csv ${message}`.slice(0, 11));
    expect(await complaint(() => parseLabels(text(content)))).toContain(message);
  });

  it('must list every image', async () => {
    const listed = parseLabels(text('file,class\na.png,1'));
    expect(await complaint(() => checkLabelled(listed, ['a.png'], 'd', 'd/labels.csv'))).toBe('no error');
    expect(await complaint(() => checkLabelled(listed, ['a.png', 'b.png'], 'd', 'd/labels.csv'))).toBe(
      'data/missing: d/b.png has no label in d/labels.csv',
    );
  });
});

describe('folders of classes', () => {
  const children = (folder: string) => [`${folder}-1.png`, 'notes.txt'];

  it('are numbered by their names, or in alphabetical order', () => {
    expect(classFolders(['dog', 'cat'], children)).toEqual([
      { file: 'cat/cat-1.png', label: 0 },
      { file: 'dog/dog-1.png', label: 1 },
    ]);
    expect(classFolders(['10', '2'], children).map(({ file, label }) => `${file} ${label}`)).toEqual(['10/10-1.png 10', '2/2-1.png 2']);
  });
});

describe('image files', () => {
  const files = ['a.png', 'b.png'].map((file, label) => ({ file, label }));
  const read = (content: Readonly<Record<string, Uint8Array>>) => (file: string) => named(content[file] ?? new Uint8Array(), `d/${file}`);
  const source = (content: Readonly<Record<string, Uint8Array>>) =>
    fileImages('d', files, read(content), (file) => `d/${file}`, imageLibrary);
  const png = (height: number, width: number, channels: 1 | 3) => pngOf(height, width, channels);

  it('are decoded with the channels that they have', async () => {
    const data = await dataset(source({ 'a.png': await png(2, 3, 3), 'b.png': await png(2, 3, 3) }));
    expect(data.shape).toEqual([3, 2, 3]);
    expect((await dataset(source({ 'a.png': await png(2, 3, 1), 'b.png': await png(2, 3, 1) }))).shape).toEqual([1, 2, 3]);
  });

  it('that cannot be read, or differ, are named', async () => {
    expect(await complaint(() => dataset(source({ 'a.png': new Uint8Array([1, 2, 3]) })))).toMatch(
      /^data\/format: d\/a.png is no image that can be read: /,
    );
    const data = await dataset(source({ 'a.png': await png(2, 3, 3), 'b.png': await png(3, 2, 3) }));
    expect(await complaint(() => data.read(1))).toBe('data/mismatch: d/b.png gives samples of 3x3x2, and d/a.png gives 3x2x3');
    const half = (await png(40, 40, 3)).slice(0, 60);
    expect(await complaint(() => dataset(source({ 'a.png': half })))).toMatch(/^data\/format: d\/a.png is no image/);
  });
});

async function pngOf(height: number, width: number, channels: 1 | 3): Promise<Uint8Array> {
  const { default: sharp } = await import('sharp');
  const raw = sharp(Buffer.alloc(height * width * channels, 128), { raw: { height, width, channels } });
  return (channels === 1 ? raw.toColourspace('b-w') : raw).png().toBuffer();
}

describe('arrays', () => {
  const array = (type: NpyArray['type'], shape: readonly number[], data: NpyArray['data'], place: string = type) => ({
    place,
    array: { type, shape, data },
  });
  const labels = array('i8', [2], BigInt64Array.of(4n, 5n));

  it('of bytes are images, channels last, first or none', async () => {
    const bytes = Uint8Array.from({ length: 2 * 5 * 5 * 3 }, (_, i) => i);
    const [last, first] = [
      await dataset(arrayImages('a', array('u1', [2, 5, 5, 3], bytes), labels)),
      await dataset(arrayImages('a', array('u1', [2, 3, 5, 5], bytes), labels)),
    ];
    expect([last.shape, first.shape]).toEqual([
      [3, 5, 5],
      [3, 5, 5],
    ]);
    expect((await elements(first, 1))[0]).toBe(Math.fround(75 / 255));
    expect((await elements(first, 0)).slice(0, 2)).toEqual([0, Math.fround(1 / 255)]);
    expect((await elements(last, 0)).slice(0, 2)).toEqual([0, Math.fround(3 / 255)]);
    expect((await dataset(arrayImages('a', array('u1', [2, 3, 25], bytes), labels))).shape).toEqual([1, 3, 25]);
    expect([last.label(0), last.label(1)]).toEqual([4, 5]);
  });

  it('of floats are taken as they are', async () => {
    const data = arrayDataset('a', array('f4', [2, 1, 2], Float32Array.of(1, -2, 0.5, 3)), labels);
    expect(data.shape).toEqual([1, 2]);
    expect(data.preprocess).toBeUndefined();
    expect(await elements(data, 1)).toEqual([0.5, 3]);
  });

  it('come from .npz files', async () => {
    const npz = (entries: Readonly<Record<string, NpyArray>>): Uint8Array =>
      zipSync(Object.fromEntries(Object.entries(entries).map(([name, value]) => [`${name}.npy`, encodeNpy(value)])));
    const images: NpyArray = { type: 'u1', shape: [2, 2, 2], data: new Uint8Array(8) };
    const its: NpyArray = { type: 'u1', shape: [2], data: Uint8Array.of(0, 1) };
    const chosen = chooseArrays(parseNpz(named(npz({ x: images, y: its }), 'd.npz')), 'd.npz');
    expect([chosen.samples.place, chosen.labels.place, holdsPixels(chosen.samples)]).toEqual(['d.npz: x', 'd.npz: y', true]);
    expect(await complaint(() => chooseArrays(parseNpz(named(npz({ x: images, z: its }), 'd.npz')), 'd.npz'))).toBe(
      'data/missing: d.npz has no array of labels among x, z',
    );
    expect(await complaint(() => parseNpz(named(Uint8Array.of(1, 2, 3), 'd.npz')))).toMatch(/^data\/format: d.npz is no .npz file: /);
    const damaged = npz({ x: images }).map((byte, i) => (i === 40 ? byte ^ 255 : byte));
    expect(await complaint(() => parseNpz(named(damaged, 'd.npz')))).toMatch(/^data\//);
  });

  it.each([
    [
      'labels of floats',
      [2, 2, 2],
      array('f4', [2], new Float32Array(2), 'y'),
      'data/format: y holds float32, and classes are whole numbers',
    ],
    ['too few labels', [2, 2, 2], array('u1', [1], new Uint8Array(1), 'y'), 'data/mismatch: y holds 1 labels for 2 samples'],
    [
      'labels of two dimensions',
      [2, 2, 2],
      array('u1', [2, 1], new Uint8Array(2), 'y'),
      'data/format: y has 2 dimensions: these are no labels',
    ],
    [
      'negative labels',
      [2, 2, 2],
      array('i1', [2], Int8Array.of(0, -1), 'y'),
      'data/format: y has the class -1 at 1; classes count from 0',
    ],
    ['one dimension', [8], labels, 'data/format: x of shape 8 holds no samples'],
    [
      'no channels',
      [1, 2, 1, 5],
      array('u1', [1], new Uint8Array(1), 'y'),
      'data/format: x of shape 1x2x1x5 has no channels, first or last',
    ],
  ])('with %s are refused', async (_, shape, its, message) => {
    expect(await complaint(() => arrayImages('a', array('u1', shape, new Uint8Array(shape.reduce((a, b) => a * b)), 'x'), its))).toBe(
      message,
    );
  });

  it('of other types are refused', async () => {
    const ints = array('i4', [2, 1], new Int32Array(2), 'x');
    expect(await complaint(() => arrayDataset('a', ints, labels))).toBe('data/format: x holds int32; samples are bytes (uint8) or float32');
  });
});
