/** A user's own network and own images, as README says: a small CNN, a folder of PNG files, labels.csv, and what may be wrong with them. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uniformF32, xorshift32 } from '../../runtime/numerics/random.ts';
import { plumbline, succeed, temporaryFolder } from '../support/cli.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';
import { createOracle } from '../support/ort.ts';

const [SIDE, CLASSES, IMAGES] = [12, 3, 6];

let state = 77;
const random = (count: number): Float32Array =>
  Float32Array.from({ length: count }, () => {
    state = xorshift32(state);
    return uniformF32(state) - 0.5;
  });

const model = modelBytes({
  nodes: [
    node('Conv', 'x w b', 'c', { pads: [1, 1, 1, 1] }),
    node('Relu', 'c', 'r'),
    node('GlobalAveragePool', 'r', 'p'),
    node('Flatten', 'p', 'f'),
    node('Gemm', 'f v', 'y', { transB: 1 }),
  ],
  inputs: [{ name: 'x', shape: ['batch', 3, SIDE, SIDE] }],
  outputs: [{ name: 'y', shape: ['batch', CLASSES] }],
  initializers: [
    { name: 'w', dims: [8, 3, 3, 3], data: random(216) },
    { name: 'b', dims: [8], data: random(8) },
    { name: 'v', dims: [CLASSES, 8], data: random(8 * CLASSES) },
  ],
});

const pixels = Array.from({ length: IMAGES }, () => Buffer.from(random(3 * SIDE * SIDE).map((x) => (x + 0.5) * 256)));
const png = (data: Buffer, width = SIDE, height = SIDE, channels: 1 | 3 | 4 = 3): Promise<Buffer> =>
  (channels === 1
    ? sharp(data, { raw: { width, height, channels } }).toColourspace('b-w')
    : sharp(data, { raw: { width, height, channels } })
  )
    .png()
    .toBuffer();

const folder = temporaryFolder({ 'model.onnx': model });
const inFolder = { cwd: folder.path };
const photos = join(folder.path, 'photos');
const names = pixels.map((_, i) => `photo ${i}.png`);

/** Classes that onnxruntime gives to the images. */
async function predictions(): Promise<readonly number[]> {
  const oracle = await createOracle(model);
  const classes: number[] = [];
  for (const data of pixels) {
    const planes = Float32Array.from({ length: data.length }, (_, i) => {
      const [channel, pixel] = [Math.trunc(i / SIDE ** 2), i % SIDE ** 2];
      return (data[3 * pixel + channel] ?? 0) / 255;
    });
    const { y } = await oracle.run({ x: { type: 'float32', dims: [1, 3, SIDE, SIDE], data: planes } });
    const scores = [...(y?.data as Float32Array)];
    classes.push(scores.indexOf(Math.max(...scores)));
  }
  await oracle.release();
  return classes;
}

let labels: readonly number[] = [];

const table = (lines: readonly string[]): string => ['file,class', ...lines, ''].join('\n');
const right = (): string => table(names.map((name, i) => `${name},${labels[i] ?? 0}`));

beforeAll(async () => {
  labels = await predictions();
  mkdirSync(photos);
  for (const [i, data] of pixels.entries()) writeFileSync(join(photos, names[i] ?? ''), await png(data));
  writeFileSync(join(photos, 'labels.csv'), right());
});
afterAll(() => folder.remove());

const top1 = async (args: readonly string[]): Promise<number> => {
  const json = JSON.parse(await succeed(['eval', 'model.onnx', '--json', ...args], inFolder)) as { metrics: { top1: { value: number } } };
  return json.metrics.top1.value;
};

describe('a folder of images with labels.csv', () => {
  it('is evaluated as onnxruntime would', async () => {
    expect(await top1(['--data', 'photos'])).toBe(1);
    expect(await top1(['--data', 'photos', '--batch', '4'])).toBe(1);
  });

  it('says in its result what was done with which data', async () => {
    const run = async (preprocess: string) =>
      (
        JSON.parse(await succeed(['eval', 'model.onnx', '--data', 'photos', '--preprocess', preprocess, '--json'], inFolder)) as {
          data: { sha256: string };
        }
      ).data;
    const [unit, other] = [await run('unit'), await run('scale=1/255,mean=0.5')];
    expect(unit).toMatchObject({ preprocess: { scale: 1 / 255, channels: 'stored', mean: [0], resize: null, classOffset: 0 } });
    expect(unit.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(other.sha256).not.toBe(unit.sha256);
  });

  it('works like a folder for each class, and an array', async () => {
    const classes = join(folder.path, 'classes');
    for (let c = 0; c < CLASSES; c++) mkdirSync(join(classes, String(c)), { recursive: true });
    for (const [i, data] of pixels.entries()) writeFileSync(join(classes, String(labels[i]), `${i}.png`), await png(data));
    expect(await top1(['--data', 'classes'])).toBe(1);
  });
});

describe('what is wrong', () => {
  /** The one line on standard error of an evaluation on a folder in which `change` was made. */
  async function complaint(change: () => Promise<void> | void, args: readonly string[] = []): Promise<string> {
    await change();
    const { code, stdout, stderr } = await plumbline(['eval', 'model.onnx', '--data', 'photos', ...args], inFolder);
    writeFileSync(join(photos, 'labels.csv'), right());
    writeFileSync(join(photos, names[2] ?? ''), await png(pixels[2] ?? Buffer.alloc(0)));
    expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1]);
    return stderr;
  }
  const third = (content: Buffer | string) => () => writeFileSync(join(photos, 'photo 2.png'), content);
  const labelled = (content: string) => () => writeFileSync(join(photos, 'labels.csv'), content);
  const grey = () => png(Buffer.alloc(SIDE * SIDE, 9), SIDE, SIDE, 1);

  it('is an image with other channels', async () => {
    expect(await complaint(async () => third(await grey())())).toMatch(
      /photos\/photo 2\.png: gives samples of 1x12x12, and photos\/photo 0\.png gives 3x12x12 .*channels/,
    );
  });

  it('is a model that takes other channels', async () => {
    expect(await complaint(() => undefined, ['--preprocess', 'channels=grey'])).toMatch(
      /photos\/photo 0\.png: gives samples of 1x12x12, and input 'x' takes 1x3x12x12 .*channels/,
    );
    expect(await complaint(() => undefined, ['--preprocess', 'layout=nhwc'])).toMatch(
      /gives samples of 12x12x3, and input 'x' takes 1x3x12x12/,
    );
  });

  it('is an image of another size', async () => {
    expect(await complaint(async () => third(await png(Buffer.alloc(3 * 64), 8, 8))())).toMatch(
      /photo 2\.png: gives samples of 3x8x8, and .*resize/,
    );
  });

  it('is a file that is no image', async () => {
    expect(await complaint(third('not an image'))).toMatch(/photos\/photo 2\.png: is no image that can be read: /);
    expect(await complaint(third((await png(pixels[2] ?? Buffer.alloc(0))).subarray(0, 200)))).toMatch(
      /photo 2\.png: is no image that can be read: /,
    );
    expect(await complaint(third(''))).toMatch(/photo 2\.png: is no image that can be read: /);
  });

  it('is a label that is missing, or none of the model', async () => {
    expect(await complaint(labelled(table(names.slice(1).map((name) => `${name},0`))))).toMatch(
      /photos\/photo 0\.png: has no label in photos\/labels\.csv/,
    );
    expect(await complaint(labelled(table(names.map((name, i) => `${name},${i === 3 ? '' : 0}`))))).toMatch(
      /photos\/labels\.csv: line 5 has no class for photo 3\.png/,
    );
    expect(await complaint(labelled(table([...names, 'photo 9.png'].map((name) => `${name},0`))))).toMatch(
      /photos\/photo 9\.png: is listed in photos\/labels\.csv, and there is no such file/,
    );
    expect(await complaint(labelled(table(names.map((name) => `${name},7`))))).toMatch(
      /photos\/photo 0\.png: is of class 7, and the model tells 3 classes apart/,
    );
    expect(await complaint(() => rmSync(join(photos, 'labels.csv')))).toMatch(/photos: holds images and no labels\.csv/);
  });

  it('is a preprocessing with a typo', async () => {
    expect(await complaint(() => undefined, ['--preprocess', 'resise=32'])).toMatch(/--preprocess: has no 'resise'/);
    expect(await complaint(() => undefined, ['--preprocess', 'mean=1:2'])).toMatch(
      /photo 0\.png: has 3 channels, and the preprocessing a mean for 2/,
    );
  });
});
