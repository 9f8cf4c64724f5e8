/** Files that people are sent: nothing in them runs a command, writes a file, or leads out of their folder; and names that no file can have. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeNpy } from '../../runtime/data/npy.ts';
import { plumbline, ROOT, temporaryFolder } from '../support/cli.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';

const GRAPH = 'graph @g stage(imported) {\n  %x: f32[2] = input\n  %y: f32[2] = relu(%x)\n  output "y" = %y\n}\n';
const runLine = (options: string): string => `// RUN: opt -p "simplify" ${options}\n${GRAPH}`;

const external = modelBytes({
  nodes: [node('Add', 'x w', 'y')],
  inputs: [{ name: 'x', shape: [2] }],
  outputs: [{ name: 'y', shape: [2] }],
  initializers: [{ name: 'w', dims: [2], data: new Float32Array(2), storage: { location: 'w.bin', length: 8 } }],
});

const folder = temporaryFolder({
  'secret.bin': new Uint8Array(8),
  'bad\u202ename.onnx': 'x',
  'image.npy': encodeNpy({ type: 'f4', shape: [2], data: new Float32Array(2) }),
});
afterAll(() => folder.remove());
const at = (name: string): string => join(folder.path, name);
const names = (): string => readdirSync(folder.path, { recursive: true, encoding: 'utf8' }).sort().join(' ');

/** Runs in the folder, where nothing may change; one line on standard error. */
async function harmless(
  words: readonly string[],
): Promise<{ readonly code: number | null; readonly stderr: string; readonly stdout: string }> {
  const before = names();
  const { code, stdout, stderr } = await plumbline(words, { cwd: folder.path });
  expect(names(), words.join(' ')).toBe(before);
  return { code, stdout, stderr };
}

describe('a RUN line', () => {
  it('shows a command that checks, and does not run it', async () => {
    writeFileSync(at('command.pir'), runLine('--check-command "touch PWNED"'));
    const { code, stdout, stderr } = await harmless(['opt', 'command.pir']);
    expect(code).toBe(0);
    expect(stdout).toContain('relu');
    expect(stderr).toContain("is checked by a command, which is not run; pass it yourself to run it: --check-command 'touch PWNED'");
  });

  it('does not hide what would be run behind marks of direction or line ends', async () => {
    writeFileSync(at('command.pir'), runLine('--check-command "echo \\u202e\\u001b[2K\\n\'; touch PWNED"'));
    const { code, stderr } = await harmless(['opt', 'command.pir']);
    expect(code).toBe(0);
    for (const hidden of ['\u202e', '\u001b']) expect(stderr).not.toContain(hidden);
    expect(stderr).toContain(String.raw`'echo \u202e\u001b[2K '\''; touch PWNED'`);
  });

  it.each([
    '-o written.txt',
    '--output written.txt',
    '--output=written.txt',
    '-owritten.txt',
    '--dump-dir dumped',
    '--reproducer r.pir',
    '--emit onnx',
    '--calibration /dev/zero',
    '--print-after all',
    '--memory-budget 64GiB',
    '--json',
    '--help',
    'other.pir',
    '-- -o written.txt',
  ])('with %s is refused', async (options) => {
    writeFileSync(at('run.pir'), runLine(options));
    const { code, stdout, stderr } = await harmless(['opt', 'run.pir']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^plumbline: error: run\.pir: its RUN line is not accepted: .*\n$/);
  });

  it('may ask for a check, a target and limits', async () => {
    writeFileSync(at('run.pir'), runLine('--check "maxerror < 1" --target cambricon --verify-each --bisect-limit 3 --check-contracts 1'));
    expect((await harmless(['opt', 'run.pir'])).code).toBe(0);
    writeFileSync(at('run.pir'), runLine('--check "instructions < 1"'));
    expect((await harmless(['opt', 'run.pir'])).code).toBe(1);
  });
});

describe('external data', () => {
  it('is read through links that stay in the folder, and through none that leave it', async () => {
    mkdirSync(at('m'));
    writeFileSync(at('m/model.onnx'), external);
    writeFileSync(at('m/real.bin'), new Uint8Array(8));
    symlinkSync('real.bin', at('m/w.bin'));
    expect((await harmless(['check', 'm/model.onnx'])).code).toBe(0);
    mkdirSync(at('n'));
    writeFileSync(at('n/model.onnx'), external);
    symlinkSync('../secret.bin', at('n/w.bin'));
    const { code, stderr } = await harmless(['check', 'n/model.onnx']);
    expect(code).toBe(2);
    expect(stderr).toContain('n/w.bin: is a link to a place outside of the folder');
    mkdirSync(at('o'));
    writeFileSync(at('o/model.onnx'), external);
    symlinkSync('w.bin', at('o/w.bin'));
    expect((await harmless(['check', 'o/model.onnx'])).stderr).toContain('is a link that leads to itself');
  });
});

describe('an image', () => {
  it.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="1"><rect width="2" height="1"/></svg>'],
    ['SVG behind XML', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="2" height="1"/>'],
    ['PDF', '%PDF-1.4\n'],
    ['PPM', 'P6 2 1 255 abcdef'],
    ['Radiance', '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\nabcdefgh'],
  ])('of another format than the documented ones, %s, is not given to the library', async (_, text) => {
    mkdirSync(at('images'), { recursive: true });
    writeFileSync(at('images/a.png'), text);
    writeFileSync(at('images/labels.csv'), 'file,class\na.png,0\n');
    const { code, stderr } = await harmless(['eval', 'lenet-5', '--data', 'images']);
    expect(code).toBe(2);
    expect(stderr).toContain(
      'a.png: is no image that can be read: its format is another one (JPEG, PNG, WebP, GIF, TIFF and AVIF are read)',
    );
  });
});

describe('names and places', () => {
  const long = `${'n'.repeat(300)}.onnx`;

  it('that no file can have get one line and exit code 2', async () => {
    symlinkSync('loop.onnx', at('loop.onnx'));
    execFileSync('mkfifo', [at('fifo.onnx'), at('fifo.npy')]);
    for (const words of [
      ['check', long],
      ['check', `./${long}`],
      ['check', './loop.onnx'],
      ['check', './fifo.onnx'],
      ['run', 'fifo.npy'],
      ['eval', 'lenet-5', '--data', long],
      ['eval', 'lenet-5', '--data', './loop.onnx'],
      ['eval', 'lenet-5', '--data', './fifo.npy'],
      ['eval', 'lenet-5', '--save', long, '--limit', '1'],
      ['eval', 'lenet-5', '--save', 'loop.onnx', '--limit', '1'],
      ['compile', 'lenet-300-100', '-o', long],
      ['compile', 'lenet-300-100', '-o', 'loop.onnx'],
      ['compile', 'lenet-300-100', '-o', 'fifo.onnx'],
      ['compile', 'lenet-300-100', '-o', '/dev/full'],
      ['check', '/dev/zero'],
      ['check', './bad\u202ename.onnx'],
    ]) {
      const { code, stderr } = await harmless(words);
      expect(stderr.trimEnd().split('\n'), words.join(' ')).toHaveLength(1);
      expect(stderr, words.join(' ')).toMatch(/^plumbline: error: /);
      expect(stderr, words.join(' ')).not.toMatch(/\u202e|n{201}/);
      expect(code, words.join(' ')).toBe(2);
    }
  });

  it('a NUL in a name that a file gives', async () => {
    mkdirSync(at('nul'));
    writeFileSync(at('nul/labels.csv'), 'file,class\na\0.png,0\n');
    const { code, stderr } = await harmless(['eval', 'lenet-5', '--data', 'nul']);
    expect(code).toBe(2);
    expect(stderr).toContain(String.raw`a\u0000.png: is no name that a file can have`);
  });

  it('a full standard output is told', () => {
    const command = `"${process.execPath}" "${join(ROOT, 'dist/compiler/cli/main.js')}" isa > /dev/full`;
    let told = '';
    try {
      execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      const { status, stderr } = error as { status: number; stderr: string };
      told = `${status} ${stderr}`;
    }
    expect(told).toBe('2 plumbline: error: standard output: cannot be written: ENOSPC\n');
  });

  it('texts of a file in a message are cut and spelled', async () => {
    const name = `a\u202e${'b '.repeat(5000)}`;
    const hostile = modelBytes({
      nodes: [{ op: `Unknown${'z'.repeat(5000)}`, inputs: ['x'], outputs: [name], name }],
      inputs: [{ name: 'x', shape: [2] }],
      outputs: [{ name, shape: [2] }],
    });
    writeFileSync(at('hostile.onnx'), hostile);
    const { stderr } = await harmless(['compile', 'hostile.onnx', '-o', 'x.cam']);
    expect(stderr.length).toBeLessThan(1000);
    expect(stderr).not.toMatch(/\u202e|z{200}/);
  });
});
