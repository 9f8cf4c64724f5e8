/**
 * What small files can demand: files under 10 MB, made so as to take as much memory and time as their formats allow, and each command that reads them in a
 * process of its own. `npm run bench:hostile`; files from outside are those in the folder that `PLUMBLINE_HOSTILE_FILES` names.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { gzipSync, zipSync } from 'fflate';
import sharp from 'sharp';
import { encodeNpy } from '../runtime/data/npy.ts';
import { assetPath } from '../runtime/platform/node.ts';
import { idx } from '../test/support/idx.ts';
import type { ModelSpec, NodeSpec } from '../test/support/onnx-builder.ts';
import { modelBytes, node } from '../test/support/onnx-builder.ts';
import { markdownTable, publish } from './report.ts';

const MOST_SECONDS = 20;
const MOST_BYTES = 2 ** 30;
const MAIN = assetPath('dist', 'compiler', 'cli', 'main.js');

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  readonly commands: readonly (readonly string[])[];
}

const model = (spec: Partial<ModelSpec>): Uint8Array =>
  modelBytes({ inputs: [{ name: 'x', shape: [1, 2] }], outputs: [{ name: 'y' }], nodes: [], ...spec });
const ints = (...values: number[]): BigInt64Array => BigInt64Array.from(values, BigInt);
const readsModel = (...passes: readonly string[]): readonly (readonly string[])[] => [
  ['check', 'm.onnx', ...passes],
  ['compile', 'm.onnx', '-o', 'x.cam', ...passes],
];
const evaluates = (path: string, ...more: readonly string[]): readonly (readonly string[])[] => [
  ['eval', 'm.onnx', '--data', path, '--limit', '2', ...more],
];

/** Add of an input with a constant that is a column: repeated it has side² elements. */
const column = (side: number): Uint8Array =>
  model({
    nodes: [node('Add', 'x c', 'y')],
    inputs: [{ name: 'x', shape: [side, side] }],
    initializers: [{ name: 'c', dims: [side, 1], data: new Float32Array(side).fill(1) }],
  });

/** A constant of so many elements that a few bytes describe, of which a part is added to the input. */
const known = (elements: number, ...nodes: readonly NodeSpec[]): Uint8Array =>
  model({
    nodes: [node('ConstantOfShape', 'shape', 'k', { value: { tensor: { dims: [1], data: Float32Array.of(2) } } }), ...nodes],
    initializers: [
      { name: 'shape', dims: [2], data: ints(elements / 2, 2) },
      { name: 'one', dims: [1], data: ints(1) },
      { name: 'zero', dims: [1], data: ints(0) },
      { name: 'i', dims: [1], data: ints(0) },
    ],
  });

const chain = (op: string, count: number): Uint8Array =>
  model({
    nodes: Array.from({ length: count }, (_, i) => ({
      op,
      inputs: [i === 0 ? 'x' : `${i}`],
      outputs: [i === count - 1 ? 'y' : `${i + 1}`],
    })),
  });

const relu = (shape: readonly number[]): Uint8Array => model({ nodes: [node('Relu', 'x', 'y')], inputs: [{ name: 'x', shape }] });
const classifier = (shape: readonly number[]): Uint8Array =>
  model({
    nodes: [node('MaxPool', 'x', 'p', { kernel_shape: [32, 32], strides: [32, 32] }), node('Flatten', 'p', 'y')],
    inputs: [{ name: 'x', shape }],
  });

async function cases(): Promise<readonly Case[]> {
  const side = 4096;
  const picture = await sharp({ create: { width: side, height: side, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
  const larger = await sharp({ create: { width: 3 * side, height: 3 * side, channels: 3, background: '#123456' }, limitInputPixels: false })
    .png()
    .toBuffer();
  const images = (bytes: Buffer): Case['files'] => ({ 'i/a.png': bytes, 'i/labels.csv': 'file,class\na.png,0\n' });
  const zeros = (bytes: number): Uint8Array =>
    gzipSync(
      idx([bytes / 2 ** 20, 1024, 1024], []).slice(0, 16).length === 16
        ? withZeros(idx([bytes / 2 ** 20, 1024, 1024], []), bytes)
        : new Uint8Array(0),
    );
  const text = (lines: number, line: (i: number) => string): string => Array.from({ length: lines }, (_, i) => line(i)).join('');
  const pir = (body: string): string => `graph @g stage(imported) {\n  %v0: f32[2] = input\n${body}  output "y" = %v0\n}\n`;
  const npz = (count: number, height: number): Uint8Array =>
    zipSync({
      'x.npy': encodeNpy({ type: 'f4', shape: [count, 1, height, height], data: new Float32Array(count * height * height) }),
      'y.npy': encodeNpy({ type: 'i4', shape: [count], data: new Int32Array(count) }),
    });
  const pirCommands: Case['commands'] = [
    ['check', 'g.pir'],
    ['compile', 'g.pir', '-o', 'x.cam'],
  ];
  return [
    { name: 'a broadcast constant within the budget', files: { 'm.onnx': column(6500) }, commands: readsModel() },
    { name: 'a broadcast constant beyond it', files: { 'm.onnx': column(17000) }, commands: readsModel() },
    { name: 'a known constant within the budget', files: { 'm.onnx': known(4.4e7, node('Add', 'x k', 'y')) }, commands: readsModel() },
    {
      name: 'known constants added',
      files: { 'm.onnx': known(1.6e7, node('Add', 'k k', 'l'), node('Mul', 'l x', 'y')) },
      commands: readsModel(),
    },
    {
      name: 'a known constant, quantized',
      files: { 'm.onnx': known(3e7, node('Transpose', 'k', 't'), node('MatMul', 'x t', 'y')) },
      commands: readsModel('-p', 'f16'),
    },
    { name: 'a known constant beyond the budget', files: { 'm.onnx': known(2e8, node('Add', 'x k', 'y')) }, commands: readsModel() },
    { name: 'activations within the budget', files: { 'm.onnx': relu([8000, 8000]) }, commands: readsModel() },
    { name: 'activations beyond it', files: { 'm.onnx': relu([16000, 16000]) }, commands: readsModel() },
    { name: '10,000 nodes', files: { 'm.onnx': chain('Sigmoid', 10_000) }, commands: readsModel() },
    { name: '400,000 nodes', files: { 'm.onnx': chain('Relu', 400_000) }, commands: readsModel() },
    { name: 'ten million bytes of empty nodes', files: { 'm.onnx': emptyNodes(9_999_000) }, commands: readsModel() },
    { name: 'one million bytes of empty nodes', files: { 'm.onnx': emptyNodes(1_000_000) }, commands: readsModel() },
    {
      name: 'a text of 200,000 ops',
      files: { 'g.pir': pir(text(200_000, (i) => `  %v${i + 1}: f32[2] = relu(%v${i})\n`)) },
      commands: pirCommands,
    },
    {
      name: 'a text of 100,000 constants',
      files: { 'g.pir': pir(text(100_000, (i) => `  %v${i + 1}: f32[8] = constant [1, 2, 3, 4, 5, 6, 7, 8]\n`)) },
      commands: pirCommands,
    },
    { name: 'a text that doubles a constant 20 times', files: { 'g.pir': doubling(20) }, commands: pirCommands },
    { name: 'blanks and brackets', files: { 'g.pir': `${' '.repeat(4_000_000)}${'('.repeat(4_000_000)}` }, commands: pirCommands },
    {
      name: 'assembly of 600,000 lines',
      files: { 'a.casm': 'SMOVE $1, #1\n'.repeat(600_000) },
      commands: [['asm', 'a.casm', '-o', 'x.cam']],
    },
    {
      name: 'an image within the budget',
      files: { 'm.onnx': classifier([1, 3, side, side]), ...images(picture) },
      commands: evaluates('i'),
    },
    { name: 'an image beyond it', files: { 'm.onnx': classifier([1, 3, side, side]), ...images(larger) }, commands: evaluates('i') },
    {
      name: 'compressed images within the budget',
      files: {
        'm.onnx': classifier([1, 1, 1024, 1024]),
        't10k-images-idx3-ubyte.gz': zeros(510 * 2 ** 20),
        't10k-labels-idx1-ubyte': idx([510], new Array<number>(510).fill(0)),
      },
      commands: evaluates('t10k'),
    },
    {
      name: 'compressed images beyond it',
      files: {
        'm.onnx': classifier([1, 1, 1024, 1024]),
        't10k-images-idx3-ubyte.gz': zeros(600 * 2 ** 20),
        't10k-labels-idx1-ubyte': idx([1], [0]),
      },
      commands: evaluates('t10k'),
    },
    {
      name: 'an archive within the budget',
      files: { 'm.onnx': classifier([1, 1, 4600, 4600]), 'd.npz': npz(2, 4600) },
      commands: evaluates('d.npz'),
    },
    {
      name: 'an archive beyond it',
      files: { 'm.onnx': classifier([1, 1, 4600, 4600]), 'd.npz': npz(3, 4600) },
      commands: evaluates('d.npz'),
    },
    {
      name: 'preprocessing of ten million characters',
      files: { 'm.onnx': classifier([1, 3, 8, 8]), ...images(picture) },
      commands: evaluates('i', '--preprocess', ','.repeat(100_000)),
    },
  ];
}

function withZeros(header: Uint8Array, bytes: number): Uint8Array {
  const file = new Uint8Array(header.length + bytes);
  file.set(header);
  return file;
}

function emptyNodes(bytes: number): Uint8Array {
  const body = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 2) body[i] = 0x0a;
  const head = [0x42, 2, 0x10, 13, 0x3a];
  for (let rest = bytes; ; rest = Math.floor(rest / 128)) {
    head.push(rest < 128 ? rest : (rest % 128) | 128);
    if (rest < 128) break;
  }
  const file = new Uint8Array(head.length + bytes);
  file.set(head);
  file.set(body, head.length);
  return file;
}

function doubling(times: number): string {
  const lines = [
    'graph @g stage(imported) {',
    '  %x: f32[1,1] = input',
    `  %c0: f32[1,16] = constant [${new Array<number>(16).fill(1).join(', ')}]`,
  ];
  for (let i = 0; i < times; i++) lines.push(`  %c${i + 1}: f32[1,${2 ** (i + 5)}] = concat(%c${i}, %c${i}) {axis=1}`);
  lines.push(`  %y: f32[1,${2 ** (times + 4)}] = add(%x, %c${times})`, '  output "y" = %y', '}', '');
  return lines.join('\n');
}

interface Measured {
  readonly code: number | null;
  readonly seconds: number;
  readonly bytes: number;
  readonly said: string;
}

/** Runs the command line in a process of its own, which says at its end how much memory it took. */
function measure(words: readonly string[], folder: string): Promise<Measured> {
  const report = join(folder, '.peak');
  const hook = `import{readFileSync as r,writeFileSync as w}from'node:fs';import{isMainThread as m}from'node:worker_threads';if(m)process.on('exit',()=>w(${JSON.stringify(report)},r('/proc/self/status')))`;
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, MAIN, ...words], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (said += more));
  child.stdout.setEncoding('utf8').on('data', (more: string) => (said ||= more.split('\n').find((line) => line.includes('no ')) ?? ''));
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000 * MOST_SECONDS);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(timer);
      const seconds = (performance.now() - start) / 1000;
      resolve({
        code,
        seconds,
        bytes: code === null ? NaN : 1024 * Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(report, 'utf8'))?.[1]),
        said,
      });
    });
  });
}

function outside(): readonly Case[] {
  const folder = process.env.PLUMBLINE_HOSTILE_FILES;
  if (folder === undefined) return [];
  return readdirSync(folder)
    .sort()
    .map((name): Case => {
      const file = name.endsWith('.pir') ? 'g.pir' : 'm.onnx';
      const commands =
        file === 'g.pir'
          ? [
              ['opt', 'g.pir'],
              ['check', 'g.pir'],
            ]
          : readsModel();
      return { name: `from outside: ${basename(name)}`, files: { [file]: new Uint8Array(readFileSync(join(folder, name))) }, commands };
    });
}

const rows: string[][] = [];
let beyond = 0;
const only = process.argv[2];
for (const { name, files, commands } of [...(await cases()), ...outside()]) {
  if (only !== undefined && !name.includes(only)) continue;
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-hostile-'));
  let largest = 0;
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
    largest = Math.max(largest, statSync(join(folder, file)).size);
  }
  if (largest > 10_000_000) throw new Error(`'${name}' is made of ${largest} bytes`);
  for (const words of commands) {
    const { code, seconds, bytes, said } = await measure(words, folder);
    const within = code !== null && code !== 70 && seconds <= MOST_SECONDS && bytes <= MOST_BYTES;
    if (!within) beyond += 1;
    rows.push([
      name,
      words[0] ?? '',
      String(largest),
      String(code),
      seconds.toFixed(1),
      String(Math.round(bytes / 2 ** 20)),
      within ? '' : 'beyond',
    ]);
    process.stderr.write(`${(rows.at(-1) ?? []).join(' | ')} ${said.slice(0, 160).split('\n')[0] ?? ''}\n`);
  }
  rmSync(folder, { recursive: true });
}
const table = markdownTable(['file', 'command', 'bytes', 'exit code', 's', 'MiB', ''], rows);
const result = `# What small files can demand

\`npm run bench:hostile\`, each command in a process of its own; the bounds are ${MOST_SECONDS} s and 1 GiB. ${beyond} of ${rows.length} were beyond them or ended with 70. \`eval\` is with \`--limit 2\`.

${table}
`;
if (only === undefined) publish('hostile.md', result);
