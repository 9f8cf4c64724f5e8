/** A sample stands for its data: what a user sees of it, on data that hold one class after the other. */
import { join } from 'node:path';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { encodeNpy } from '../../runtime/data/npy.ts';
import { plumbline, succeed, temporaryFolder } from '../support/cli.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';

const [CLASSES, EACH] = [10, 100];
const SAMPLES = CLASSES * EACH;
/** Of the last class, whose numbers 8 bits cannot tell from zero. */
const FAINT = 0.001;

/** Its scores are its inputs. */
const model = modelBytes({
  nodes: [node('Gemm', 'x w', 'y')],
  inputs: [{ name: 'x', shape: [1, CLASSES] }],
  outputs: [{ name: 'y' }],
  initializers: [
    {
      name: 'w',
      dims: [CLASSES, CLASSES],
      data: Float32Array.from({ length: CLASSES ** 2 }, (_, i) => (i % (CLASSES + 1) === 0 ? 1 : 0)),
    },
  ],
});
const labels = Uint8Array.from({ length: SAMPLES }, (_, i) => Math.floor(i / EACH));
const elements = Float32Array.from({ length: SAMPLES * CLASSES }, (_, i) => {
  const label = labels[Math.floor(i / CLASSES)] ?? 0;
  return i % CLASSES === label ? (label === CLASSES - 1 ? FAINT : 1) : 0;
});

const folder = temporaryFolder({ 'model.onnx': model });
afterAll(() => folder.remove());
const inFolder = { cwd: folder.path };
mkdirSync(join(folder.path, 'data'));
writeFileSync(join(folder.path, 'data', 'images.npy'), encodeNpy({ type: 'f4', shape: [SAMPLES, CLASSES], data: elements }));
writeFileSync(join(folder.path, 'data', 'labels.npy'), encodeNpy({ type: 'u1', shape: [SAMPLES], data: labels }));
const DATA = ['--data', 'data'];

const evaluation = z.object({
  samples: z.number(),
  classes: z.object({ held: z.number(), inData: z.number(), ofModel: z.number() }),
  data: z.object({ sha256: z.string() }),
  metrics: z.object({ top1: z.object({ value: z.number() }) }),
});
const evaluated = async (...args: string[]) =>
  evaluation.parse(JSON.parse(await succeed(['eval', 'model.onnx', ...DATA, '--json', ...args], inFolder)));

describe('data that hold one class after the other', () => {
  it('are sampled from all classes, alike for any number of threads', async () => {
    for (const limit of ['10', '37']) {
      const [one, two] = [await evaluated('--limit', limit, '--workers', '1'), await evaluated('--limit', limit, '--workers', '2')];
      expect(one).toMatchObject({ samples: Number(limit), classes: { held: CLASSES, inData: CLASSES, ofModel: CLASSES } });
      expect(two).toEqual(one);
    }
    expect((await evaluated()).metrics.top1.value).toBe(1);
  });

  it('show a loss of one class on a hundred samples, which the first hundred of the files do not', async () => {
    const calibrated = ['--passes', 'int8-naive', '--calibration', 'data'];
    expect((await evaluated(...calibrated)).metrics.top1.value).toBe(0.9);
    const check = ['--check', 'top1 >= base - 1pt', '--limit', '100', '--over', 'passes'];
    const text = await succeed(['bisect', 'model.onnx', ...DATA, ...calibrated, ...check], inFolder);
    expect(text).toContain('breaks it: quantize');
    expect(text).not.toContain('Nothing is wrong');
  });

  it('are said to lack classes where a sample is too small, and a verdict says what may go unseen', async () => {
    const text = await succeed(['eval', 'model.onnx', ...DATA, '--limit', '4'], inFolder);
    expect(text).toContain('4 samples of data, 4 of 10 classes');
    expect(text).toContain('6 of the 10 classes in the data are missing from the samples: take more with --limit.');
    const bisected = await succeed(
      ['bisect', 'model.onnx', ...DATA, '-p', 'O1', '--check', 'top1 >= base - 1pt', '--limit', '50'],
      inFolder,
    );
    expect(bisected).toContain('On 50 samples a loss of top1 of up to 5.82 points may go unseen (95 %)');
  });
});

describe('accuracy no better than chance', () => {
  it('is called so, with what it may come from', async () => {
    const turned = Uint8Array.from(labels, (label) => (label + 1) % CLASSES);
    mkdirSync(join(folder.path, 'turned'));
    writeFileSync(join(folder.path, 'turned', 'images.npy'), encodeNpy({ type: 'f4', shape: [SAMPLES, CLASSES], data: elements }));
    writeFileSync(join(folder.path, 'turned', 'labels.npy'), encodeNpy({ type: 'u1', shape: [SAMPLES], data: turned }));
    const text = await succeed(['eval', 'model.onnx', '--data', 'turned'], inFolder);
    expect(text).toContain('Top-1 is no better than naming the most frequent class always, 10.00 %');
    expect(await succeed(['eval', 'model.onnx', ...DATA], inFolder)).not.toContain('no better than');
  });
});

describe('--workers', () => {
  it('is capped at the processors of this computer, with a note', async () => {
    const { code, stderr } = await plumbline(['eval', 'model.onnx', ...DATA, '--limit', '20', '--workers', '99999'], inFolder);
    expect(code).toBe(0);
    expect(stderr).toContain(`--workers 99999 is more than the ${availableParallelism()} processors`);
  });
});
