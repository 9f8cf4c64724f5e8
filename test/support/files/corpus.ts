/** Sound files of every format that the command line reads, small ones, with the commands that read them, and how each is damaged. */
import { gzipSync, zipSync } from 'fflate';
import { sha256 } from '@noble/hashes/sha2.js';
import sharp from 'sharp';
import { importOnnx } from '../../../compiler/frontend/import.ts';
import { encodeConstants } from '../../../compiler/ir/constants-file.ts';
import { contentHash } from '../../../compiler/ir/content-hash.ts';
import { printGraph } from '../../../compiler/ir/text.ts';
import { encodeNpy } from '../../../runtime/data/npy.ts';
import { PRESETS } from '../../../passes/registry.ts';
import { assetPath, listDirectory, readFile, readTextFile } from '../../../runtime/platform/node.ts';
import { idx } from '../idx.ts';
import type { ModelSpec } from '../onnx-builder.ts';
import { modelBytes, node } from '../onnx-builder.ts';
import type { Dice } from './mutate.ts';
import { damageBytes, damageText, damageValues } from './mutate.ts';

export type Files = Readonly<Record<string, Uint8Array | string>>;

/** What is tried once: files, and the command line that reads them. */
export interface FileCase {
  readonly files: Files;
  readonly words: readonly string[];
}

/** A kind of file. */
export interface FileKind {
  readonly name: string;
  /** A case with damage to that file, or with none. */
  make(dice: Dice, damaged: boolean): FileCase;
}

const fill = (length: number, step = 0.37): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(1 + i * step));
const ints = (...values: number[]): BigInt64Array => BigInt64Array.from(values, BigInt);

const MODELS: Readonly<Record<string, ModelSpec>> = {
  cnn: {
    nodes: [
      node('Conv', 'x w b', 'c', { pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1], group: 1 }),
      node('BatchNormalization', 'c s s s v', 'n', { epsilon: { float: 0.001 } }),
      node('Relu', 'n', 'r'),
      node('MaxPool', 'r', 'p', { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
      node('AveragePool', 'p', 'q', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 0 }),
      node('Flatten', 'q', 'f', { axis: 1 }),
      node('Gemm', 'f g', 'y', { transB: 1, alpha: { float: 0.5 } }),
    ],
    inputs: [{ name: 'x', shape: [1, 1, 6, 6] }],
    outputs: [{ name: 'y', shape: [1, 3] }],
    initializers: [
      { name: 'w', dims: [2, 1, 3, 3], data: fill(18) },
      { name: 'b', dims: [2], data: fill(2), storage: 'typed' },
      { name: 's', dims: [2], data: Float32Array.of(1, 2) },
      { name: 'v', dims: [2], data: Float32Array.of(1, 1.5) },
      { name: 'g', dims: [3, 18], data: fill(54) },
    ],
  },
  shapes: {
    nodes: [
      node('Shape', 'x', 'shape'),
      node('Slice', 'shape zero one', 'batch'),
      node('Concat', 'batch rest', 'wanted', { axis: 0 }),
      node('ConstantOfShape', 'wide', 'filled', { value: { tensor: { dims: [1], data: Float32Array.of(2) } } }),
      node('Range', 'from to by', 'range'),
      node('Expand', 'filled tiles', 'expanded'),
      node('Tile', 'row repeats', 'tiled'),
      node('ReduceSum', 'expanded', 'sum', { keepdims: 0 }),
      node('Reshape', 'x wanted', 'flat'),
      node('Mul', 'flat sum', 'scaled'),
      node('Add', 'scaled tiled', 'y'),
    ],
    inputs: [{ name: 'x', shape: [1, 1, 6, 6] }],
    outputs: [{ name: 'y', shape: [1, 36] }],
    initializers: [
      { name: 'zero', dims: [1], data: ints(0) },
      { name: 'one', dims: [1], data: ints(1) },
      { name: 'rest', dims: [1], data: ints(-1), storage: 'typed' },
      { name: 'wide', dims: [2], data: ints(4, 1) },
      { name: 'tiles', dims: [2], data: ints(4, 3) },
      { name: 'from', dims: [], data: ints(0) },
      { name: 'to', dims: [], data: ints(5) },
      { name: 'by', dims: [], data: ints(1) },
      { name: 'row', dims: [1, 6], data: fill(6) },
      { name: 'repeats', dims: [2], data: ints(1, 6), storage: 'typed' },
    ],
  },
  quantized: {
    opset: 13,
    nodes: [
      node('QuantizeLinear', 'x scale zero', 'q'),
      node('DequantizeLinear', 'q scale zero', 'd'),
      node('DequantizeLinear', 'wq scale zero', 'w'),
      node('Conv', 'd w', 'c', { auto_pad: 'SAME_UPPER', kernel_shape: [3, 3] }),
      node('Transpose', 'c', 't', { perm: [0, 1, 3, 2] }),
      node('Softmax', 't', 'm', { axis: -1 }),
      node('ReduceMean', 'm', 'y', { axes: [2, 3], keepdims: 0 }),
    ],
    inputs: [{ name: 'x', shape: [1, 1, 6, 6] }],
    outputs: [{ name: 'y', shape: [1, 3] }],
    initializers: [
      { name: 'scale', dims: [], data: Float32Array.of(0.05) },
      { name: 'zero', dims: [], data: Int8Array.of(3) },
      { name: 'wq', dims: [3, 1, 3, 3], data: Int8Array.from({ length: 27 }, (_, i) => i * 7 - 90) },
    ],
  },
  joined: {
    opset: 15,
    nodes: [
      node('Pad', 'x pads', 'p', { mode: 'constant' }),
      node('Sigmoid', 'p', 'a'),
      node('Tanh', 'p', 'b'),
      node('Concat', 'a b', 'j', { axis: 1 }),
      node('LRN', 'j', 'l', { size: 3 }),
      node('Clip', 'l lo hi', 'k'),
      node('Cast', 'k', 'h', { to: 10 }),
      node('Cast', 'h', 'i', { to: 1 }),
      node('GlobalMaxPool', 'i', 'g'),
      node('Squeeze', 'g axes', 'y'),
    ],
    inputs: [{ name: 'x', shape: ['batch', 1, 6, 6] }],
    outputs: [{ name: 'y', shape: ['batch', 2] }],
    initializers: [
      { name: 'pads', dims: [8], data: ints(0, 0, 1, 2, 0, 0, 1, 0) },
      { name: 'lo', dims: [], data: Float32Array.of(-1) },
      { name: 'hi', dims: [], data: Float32Array.of(1) },
      { name: 'axes', dims: [2], data: ints(2, 3) },
    ],
  },
};

const EXTERNAL: ModelSpec = {
  nodes: [node('Flatten', 'x', 'f'), node('MatMul', 'f w', 'y')],
  inputs: [{ name: 'x', shape: [1, 1, 6, 6] }],
  outputs: [{ name: 'y', shape: [1, 3] }],
  initializers: [{ name: 'w', dims: [36, 3], data: new Float32Array(108), storage: { location: 'w.bin', offset: 16, length: 432 } }],
};

const bytesOf = (data: Float32Array): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
const CNN = modelBytes(MODELS.cnn ?? EXTERNAL);
/** What every target can compile. */
const MLP = modelBytes({
  nodes: [node('Flatten', 'x', 'f'), node('Gemm', 'f w', 'g'), node('Relu', 'g', 'y')],
  inputs: [{ name: 'x', shape: [1, 1, 6, 6] }],
  outputs: [{ name: 'y', shape: [1, 3] }],
  initializers: [{ name: 'w', dims: [36, 3], data: fill(108) }],
});
const PASSES = ['O1', 'O0', 'O1', 'f16', 'bf16', 'f8e4m3', 'fixed16', 'int8', 'O1,legalize-layout'].map((name) =>
  name === 'O0' ? '' : name,
);
const ARRAYS = {
  x: encodeNpy({ type: 'f4', shape: [4, 1, 6, 6], data: fill(144) }),
  pixels: encodeNpy({ type: 'u1', shape: [4, 6, 6], data: Uint8Array.from({ length: 144 }, (_, i) => i) }),
  y: encodeNpy({ type: 'i8', shape: [4], data: ints(0, 1, 2, 1) }),
};
const NPZ = zipSync({ 'x.npy': ARRAYS.x, 'y.npy': ARRAYS.y });
const EVALUATE = ['--limit', '2', '--workers', '1'];

/** Commands that read a model, the cheapest most often. */
function modelWords(file: string, dice: Dice): readonly string[] {
  const passes = ['-p', dice.pick(PASSES)];
  const calibration = ['--calibration', 'd.npz'];
  switch (dice.below(6)) {
    case 0:
    case 1:
      return ['check', file, ...passes, ...calibration];
    case 2:
    case 3:
      return ['compile', file, '-o', 'x.cam', ...passes, ...calibration];
    case 4:
      return ['opt', file, '-o', 'out.pir', ...passes, ...calibration];
    default:
      return ['eval', file, '--data', 'd.npz', ...passes, ...calibration, ...EVALUATE];
  }
}

/** A kind with one file that is damaged as bytes. */
function binaryKind(
  name: string,
  files: Files,
  file: string,
  words: (dice: Dice) => readonly string[],
  mend?: (bytes: Uint8Array) => Uint8Array,
): FileKind {
  const whole = files[file] ?? '';
  const bytes = typeof whole === 'string' ? new TextEncoder().encode(whole) : whole;
  return {
    name,
    make(dice, damaged) {
      if (!damaged) return { files, words: words(dice) };
      const hurt = damageBytes(bytes, dice);
      return { files: { ...files, [file]: mend && !dice.chance(8) ? mend(hurt) : hurt }, words: words(dice) };
    },
  };
}

function textKind(name: string, files: Files, file: string, words: (dice: Dice) => readonly string[]): FileKind {
  const text = String(files[file]);
  return {
    name,
    make: (dice, damaged) => ({ files: damaged ? { ...files, [file]: damageText(text, dice) } : files, words: words(dice) }),
  };
}

/** Hashes of a `.cam` file made right again, so that what they protect is looked at. */
function mendContainer(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 180) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(12, bytes.length, true);
  for (const entry of [16, 60, 104]) {
    const [offset, size] = [view.getUint32(entry + 4, true), view.getUint32(entry + 8, true)];
    if (offset + size <= bytes.length) bytes.set(sha256(bytes.subarray(offset, offset + size)), entry + 12);
  }
  bytes.set(sha256(bytes.subarray(0, 148)), 148);
  return bytes;
}

/** A program with damage to its metadata as JSON, which stays JSON; the sections behind are moved as their places say. */
function damageMetadata(cam: Uint8Array, dice: Dice): Uint8Array {
  const view = new DataView(cam.buffer, cam.byteOffset, cam.byteLength);
  const section = (i: number): Uint8Array => {
    const entry = 16 + 44 * i;
    return cam.subarray(view.getUint32(entry + 4, true), view.getUint32(entry + 4, true) + view.getUint32(entry + 8, true));
  };
  const metadata: unknown = damageValues(JSON.parse(new TextDecoder().decode(section(0))) as unknown, dice);
  const sections = [new TextEncoder().encode(JSON.stringify(metadata)), section(1), section(2)];
  let end = 180;
  const offsets = sections.map(({ length }) => {
    const offset = Math.ceil(end / 64) * 64;
    end = offset + length;
    return offset;
  });
  const result = new Uint8Array(end);
  result.set(cam.subarray(0, 180));
  const target = new DataView(result.buffer);
  for (const [i, bytes] of sections.entries()) {
    target.setUint32(16 + 44 * i + 4, offsets[i] ?? 0, true);
    target.setUint32(16 + 44 * i + 8, bytes.length, true);
    result.set(bytes, offsets[i] ?? 0);
  }
  return mendContainer(result);
}

/** What the command line makes of sound files, in a folder: a program, a saved run, statistics of calibration. */
export interface MadeFiles {
  readonly program: Uint8Array;
  readonly run: ReadonlyMap<string, Uint8Array>;
  readonly calibration: string;
}

/** The files of `FileKind`s that the command line itself writes, and the commands that write them. */
export const MAKING: { readonly files: Files; readonly commands: readonly (readonly string[])[] } = {
  files: { 'm.onnx': CNN, 'd.npz': NPZ },
  commands: [
    ['compile', 'm.onnx', '-o', 'p.cam'],
    ['eval', 'm.onnx', '--data', 'd.npz', '--save', 'run', ...EVALUATE],
    ['calibrate', 'm.onnx', '--data', 'd.npz', '-o', 'c.json'],
  ],
};

/** All kinds. `made` is what the commands of `MAKING` have written. */
export async function fileKinds({ program, run, calibration }: MadeFiles): Promise<readonly FileKind[]> {
  const data = { 'd.npz': NPZ };
  const model = { 'm.onnx': CNN };
  const evaluate =
    (...words: readonly string[]) =>
    (): readonly string[] => ['eval', 'm.onnx', ...words, ...EVALUATE];
  const casm = 'start: SMOVE $1, #64\n  SMOVE $2, #0x10\nloop:\n  SADD $1, $1, #-1\n  CB #loop, $1\n  VAV $4, $2, $5, $6\n';
  const graph = printGraph(importOnnx(CNN), 20);
  const pir = `// RUN: opt -p "O1,legalize-layout" --check "sqnr > 40dB" --verify-each\n// SAMPLE 1: %x = [${fill(36).join(', ')}]\n${graph.text}`;
  const pirFiles = { ...data, 'g.pir': pir, 'g.pir.data': encodeConstants(graph.constants) };
  const targets = listDirectory(assetPath('isa', 'targets')).map((name) => readTextFile(assetPath('isa', 'targets', name)));
  const image = sharp(Buffer.from(Uint8Array.from({ length: 108 }, (_, i) => i * 2)), { raw: { width: 6, height: 6, channels: 3 } });
  const images = await Promise.all(
    (['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const).map(
      async (format) => [format, new Uint8Array(await image.clone().toFormat(format).toBuffer())] as const,
    ),
  );
  const pictures = [6, 6, 6, 6].flatMap((_, i) => Array.from({ length: 36 }, (__, j) => (i * 36 + j) % 256));
  const idxFiles = { ...model, 't10k-images-idx3-ubyte': idx([4, 6, 6], pictures), 't10k-labels-idx1-ubyte': idx([4], [0, 1, 2, 1]) };
  const record = Uint8Array.from({ length: 3073 }, (_, i) => i % 251);
  const runFiles = Object.fromEntries([...run].map(([name, bytes]) => [`run/${name}`, bytes]));
  const lastPass = [...run.keys()].filter((name) => name.endsWith('.pir')).at(-1) ?? '';
  const compare = (): readonly string[] => ['diff', 'run', 'run'];

  return [
    ...Object.entries(MODELS).flatMap(([name, spec]): FileKind[] => [
      binaryKind(`onnx bytes: ${name}`, { ...data, 'm.onnx': modelBytes(spec) }, 'm.onnx', (dice) => modelWords('m.onnx', dice)),
      {
        name: `onnx values: ${name}`,
        make(dice, damaged) {
          const files = { ...data, 'm.onnx': damaged ? encodable(spec, dice) : modelBytes(spec) };
          return { files, words: modelWords('m.onnx', dice) };
        },
      },
    ]),
    binaryKind('onnx external', { 'm.onnx': modelBytes(EXTERNAL), 'w.bin': bytesOf(fill(112)), ...data }, 'm.onnx', (dice) =>
      modelWords('m.onnx', dice),
    ),
    binaryKind('onnx external data', { 'm.onnx': modelBytes(EXTERNAL), 'w.bin': bytesOf(fill(112)), ...data }, 'w.bin', (dice) =>
      modelWords('m.onnx', dice),
    ),
    textKind('pir', pirFiles, 'g.pir', (dice) => (dice.chance(3) ? ['opt', 'g.pir'] : modelWords('g.pir', dice))),
    binaryKind('pir constants', pirFiles, 'g.pir.data', (dice) => modelWords('g.pir', dice)),
    binaryKind(
      'program',
      { 'p.cam': program, 'x.npy': encodeNpy({ type: 'f4', shape: [1, 1, 6, 6], data: fill(36) }) },
      'p.cam',
      programWords,
      mendContainer,
    ),
    {
      name: 'program metadata',
      make: (dice, damaged) => ({
        files: {
          'p.cam': damaged ? damageMetadata(program, dice) : program,
          'x.npy': encodeNpy({ type: 'f4', shape: [1, 1, 6, 6], data: fill(36) }),
        },
        words: programWords(dice),
      }),
    },
    textKind('assembly', { 'a.casm': casm }, 'a.casm', () => ['asm', 'a.casm', '-o', 'x.cam']),
    ...targets.map((text, i) =>
      textKind(`target ${i}`, { 'm.onnx': MLP, 't.json': text }, 't.json', () => ['compile', 'm.onnx', '-t', 't.json', '-o', 'x.cam']),
    ),
    textKind('calibration', { ...model, ...data, 'c.json': calibration }, 'c.json', () => [
      'compile',
      'm.onnx',
      '-p',
      'int8',
      '--calibration',
      'c.json',
      '-o',
      'x.cam',
    ]),
    ...[...run.keys()]
      .filter((name) => !name.startsWith('ir/') && name !== 'statistics.json')
      .map((name) => binaryKind(`run ${name}`, runFiles, `run/${name}`, compare, undefined))
      .map((kind) => mendingRun(kind, run)),
    binaryKind('run passes', runFiles, `run/${lastPass}`, () => ['check', `run/${lastPass}`]),
    binaryKind('npy input', { 'p.cam': program, 'x.npy': encodeNpy({ type: 'f4', shape: [1, 1, 6, 6], data: fill(36) }) }, 'x.npy', () => [
      'run',
      'p.cam',
      '-i',
      'x.npy',
      '-o',
      'y.npy',
    ]),
    binaryKind('npy samples', { ...model, 'data/x.npy': ARRAYS.x, 'data/y.npy': ARRAYS.y }, 'data/x.npy', evaluate('--data', 'data')),
    binaryKind('npy labels', { ...model, 'data/x.npy': ARRAYS.pixels, 'data/y.npy': ARRAYS.y }, 'data/y.npy', evaluate('--data', 'data')),
    binaryKind('npz', { ...model, 'd.npz': NPZ }, 'd.npz', evaluate('--data', 'd.npz')),
    binaryKind('idx images', idxFiles, 't10k-images-idx3-ubyte', evaluate('--data', 't10k')),
    binaryKind('idx labels', idxFiles, 't10k-labels-idx1-ubyte', evaluate('--data', 't10k')),
    binaryKind(
      'idx, gzipped',
      { ...model, 't10k-images-idx3-ubyte.gz': gzipSync(idx([4, 6, 6], pictures)), 't10k-labels-idx1-ubyte': idx([4], [0, 1, 2, 1]) },
      't10k-images-idx3-ubyte.gz',
      evaluate('--data', 't10k'),
    ),
    binaryKind(
      'cifar',
      { ...model, 'test_batch.bin': record },
      'test_batch.bin',
      evaluate('--data', 'test_batch.bin', '--preprocess', 'channels=grey,crop=6'),
    ),
    ...images.map(([format, bytes]) =>
      binaryKind(
        `image ${format}`,
        { ...model, [`i/a.${format}`]: bytes, 'i/labels.csv': `file,class\na.${format},1\n` },
        `i/a.${format}`,
        evaluate('--data', 'i', '--preprocess', 'channels=grey'),
      ),
    ),
    textKind(
      'labels',
      { ...model, 'i/a.png': images[0]?.[1] ?? '', 'i/labels.csv': 'file,class\na.png,1\n' },
      'i/labels.csv',
      evaluate('--data', 'i', '--preprocess', 'channels=grey'),
    ),
    {
      name: 'preprocess',
      make(dice, damaged) {
        const text = 'channels=grey,resize=6x6,filter=bicubic,crop=6,scale=1/255,mean=0.5,std=0.25,layout=nchw,class-offset=0';
        return { files: idxFiles, words: evaluate('--data', 't10k', '--preprocess', plain(damaged ? damageText(text, dice) : text))() };
      },
    },
    {
      name: 'pipeline',
      make(dice, damaged) {
        const { pipeline } = dice.pick(Object.values(PRESETS));
        const text = dice.chance(3)
          ? pipeline
          : 'simplify,legalize-layout,quantize{activations=symmetric weights=tensor ranges=minmax bias-correction=false}';
        const words = ['opt', 'm.onnx', '-o', 'out.pir', '--calibration', 'd.npz', '-p', plain(damaged ? damageText(text, dice) : text)];
        return { files: { ...model, ...data }, words };
      },
    },
    {
      name: 'check expression',
      make: (dice, damaged) => ({
        files: model,
        words: [
          'opt',
          'm.onnx',
          '-o',
          'out.pir',
          '-p',
          'O1',
          '--check',
          plain(damaged ? damageText('sqnr > 40dB and maxerror <= base + 0.5 and instructions < 2e9', dice) : 'sqnr > 40dB'),
        ],
      }),
    },
  ];
}

/** No system passes an argument with a NUL on. */
const plain = (text: string): string => text.replaceAll('\0', '');

function programWords(dice: Dice): readonly string[] {
  return dice.chance(3)
    ? ['disasm', 'p.cam']
    : ['run', 'p.cam', '-i', 'x.npy', '-o', 'y.npy', ...(dice.chance(4) ? ['--engine', 'reference'] : [])];
}

/** A model with other numbers and names; some cannot be written as a message at all, and the sound one stands for them. */
function encodable(spec: ModelSpec, dice: Dice): Uint8Array {
  for (let tries = 0; tries < 4; tries++) {
    try {
      return modelBytes(damageValues(spec, dice));
    } catch {
      continue;
    }
  }
  return modelBytes(spec);
}

/** Mostly with the hash of the damaged file put right in the manifest. */
function mendingRun(kind: FileKind, run: ReadonlyMap<string, Uint8Array>): FileKind {
  const name = kind.name.slice('run '.length);
  if (name === 'manifest.json') return kind;
  return {
    name: kind.name,
    make(dice, damaged) {
      const made = kind.make(dice, damaged);
      const bytes = made.files[`run/${name}`];
      if (!(bytes instanceof Uint8Array) || dice.chance(8)) return made;
      const text = new TextDecoder().decode(run.get('manifest.json'));
      const manifest = JSON.parse(text) as { files: Record<string, unknown> };
      manifest.files[name] = { bytes: bytes.length, sha256: contentHash(bytes) };
      return { ...made, files: { ...made.files, 'run/manifest.json': `${JSON.stringify(manifest, undefined, 2)}\n` } };
    },
  };
}

/** What `MAKING` wrote in a folder. */
export function readMade(folder: string, filesBelow: (path: string) => readonly string[]): MadeFiles {
  const names = filesBelow(`${folder}/run`);
  return {
    program: readFile(`${folder}/p.cam`),
    run: new Map(names.map((name) => [name, readFile(`${folder}/run/${name}`)])),
    calibration: readTextFile(`${folder}/c.json`),
  };
}
