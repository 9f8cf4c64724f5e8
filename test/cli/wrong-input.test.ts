/** What a new user does wrong, and what the program says to it: one line, a documented exit code, nothing half-written. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpy } from '../../runtime/data/npy.ts';
import { plumbline, ROOT, succeed, temporaryFolder } from '../support/cli.ts';
import { expectGolden } from '../support/golden.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';

const unsupported = modelBytes({
  inputs: [{ name: 'x', shape: ['batch', 4] }],
  nodes: [node('Erf', 'x', 'y'), node('Softplus', 'y', 'z'), node('Softplus', 'z', 'out')],
  outputs: [{ name: 'out' }],
});

const folder = temporaryFolder({
  'bad.onnx': 'garbage',
  'empty.onnx': '',
  'unsupported.onnx': unsupported,
  'bad.pir': 'graph @g stage(imported) {\n  %x: f32[2] = input\n  %y: f32[3] = relu(%z)\n}\n',
  'good.pir': 'graph @g stage(imported) {\n  %x: f32[2] = input\n  %y: f32[2] = relu(%x)\n  output "y" = %y\n}\n',
  'bad.casm': 'SMOVE $1, #2\nVAV $1, $2, $3\n',
  'bad.json': '{"name": "mine"}',
  'labels.csv': 'file,label\n',
  'wrong-type.npy': encodeNpy({ type: 'i4', shape: [1, 1, 28, 28], data: new Int32Array(784) }),
  'wrong-shape.npy': encodeNpy({ type: 'f4', shape: [28, 27], data: new Float32Array(756) }),
  'bad.npy': 'not an array',
  'good.npy': encodeNpy({ type: 'f4', shape: [1, 1, 28, 28], data: new Float32Array(784) }),
  't10k-images-idx3-ubyte': Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 9, 0, 0, 0, 28),
  't10k-labels-idx1-ubyte': Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7),
});

beforeAll(async () => {
  mkdirSync(join(folder.path, 'folder'));
  await succeed(['compile', 'lenet-300-100', '-o', 'good.cam'], { cwd: folder.path });
});
afterAll(() => folder.remove());

/** A command line a line; words are separated by single spaces. */
const COMMANDS: Readonly<Record<string, string>> = {
  'the command line': `
    evl lenet-5
    eval
    eval lenet-5 extra
    eval lenet-5 --pases O1
    eval lenet-5 --limit 0
    eval lenet-5 --limit many
    eval lenet-5 --batch -1
    compile lenet-5 --emit tile
    zoo --jsn`,
  models: `
    eval lenet5
    eval nofile.onnx
    eval bad.onnx
    eval empty.onnx
    eval ./folder
    compile unsupported.onnx -o x.cam
    compile bad.pir -o x.cam
    compile lenet-5 --dim bach=3 --emit graph
    compile lenet-5 --shape image=1x1x28 --emit graph
    compile lenet-5 --shape img=1x1x28x28 --emit graph
    compile lenet-5 --shape image=1x0x28x28 --emit graph`,
  'targets and passes': `
    eval lenet-5 --target cambricom
    eval lenet-5 --target bad.json
    eval lenet-5 --target cambricon-base --limit 1
    eval lenet-300-100 --target cambricon-base --passes f16 --limit 1
    opt lenet-5 -p O1,legalize-layout,quantize{weights=row}
    opt lenet-5 -p quantize{percentile=12}
    opt lenet-5 -p O1,quantize
    eval lenet-5 --passes fold-constant
    opt lenet-5 -p O1{limit=3}
    opt lenet-5 -p fold-constants{limt=3}
    opt lenet-5 -p fold-constants{limit=x}
    opt lenet-5 -p O1,,
    opt lenet-5 -p O1 --print-after fuse
    passes fold
    targets foo
    ops convv
    isa VMMM`,
  checks: `
    bisect lenet-5
    bisect lenet-5 --check contract --check-command true
    bisect lenet-5 --check top1>>1
    bisect lenet-5 --check top2>1
    bisect lenet-5 --check sqnr>base
    bisect lenet-5 --check contract --over everything
    bisect lenet-5 --check contract --over channels
    bisect lenet-5 --check contract -p O0
    bisect lenet-5 --check-command {grap}
    bisect ./good.pir --check top1>0
    reduce lenet-5 --check contract
    opt lenet-5 --check top1>0`,
  data: `
    eval nofile.onnx --data folder
    eval lenet-5 --data /nonexistent
    eval lenet-5 --data folder
    eval lenet-5 --data .
    eval lenet-5 --data labels.csv`,
  programs: `
    compile lenet-5
    compile lenet-5 -o /nonexistent/x.cam
    compile lenet-5 -o folder
    run nofile.cam
    run bad.onnx
    disasm bad.onnx
    asm bad.casm -o x.cam
    asm nofile.casm -o x.cam
    run good.cam
    run good.cam --input image=nofile.npy
    run good.cam --input image=bad.npy
    run good.cam --input image=wrong-type.npy
    run good.cam --input image=wrong-shape.npy
    run good.cam --input imag=good.npy
    run good.cam --input image=good.npy --output logit=y.npy
    run good.cam --input image=good.npy --output logits=/nonexistent/y.npy
    run good.cam --input image=good.npy --stop-at fc9
    run good.cam --input image=good.npy --dump vektor:0:64
    run good.cam --input image=good.npy --max-instructions 10`,
};

async function answer(command: string): Promise<string> {
  const { code, stdout, stderr } = await plumbline(command.split(' '), { cwd: folder.path });
  expect(stdout, command).toBe('');
  expect(stderr.trimEnd().split('\n'), command).toHaveLength(1);
  expect(stderr, command).toMatch(/^plumbline: error: /);
  expect([1, 2, 3], command).toContain(code);
  const text = stderr.trimEnd().replaceAll(folder.path, '<folder>').replaceAll(ROOT, '<package>/');
  return `$ plumbline ${command}\n${text}\n[${code}]\n`;
}

describe('wrong input', () => {
  it.each(Object.entries(COMMANDS))('to %s gets one line and an exit code', async (topic, commands) => {
    const answers: string[] = [];
    for (const command of commands.trim().split(/\n\s*/)) answers.push(await answer(command));
    expectGolden(`test/golden/cli/wrong-${topic.replaceAll(' ', '-')}.txt`, answers.join('\n'));
  });

  it('leaves nothing half-written behind', () => {
    const left = readdirSync(folder.path).filter((name) => name.includes('.tmp') || name === 'x.cam' || name === 'y.npy');
    expect(left).toEqual([]);
  });

  it('keeps what stood where output was to be written', async () => {
    const before = readFileSync(join(folder.path, 'good.cam'));
    const { code } = await plumbline(['compile', 'unsupported.onnx', '-o', 'good.cam'], { cwd: folder.path });
    expect(code).toBe(3);
    expect(readFileSync(join(folder.path, 'good.cam')).equals(before)).toBe(true);
  });

  it('to damaged programs: refused, whatever byte changed', async () => {
    const bytes = readFileSync(join(folder.path, 'good.cam'));
    for (const at of [0, 5, 40, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(join(folder.path, 'damaged.cam'), damaged);
      const { code, stderr } = await plumbline(['run', 'damaged.cam', '--input', 'image=good.npy'], { cwd: folder.path });
      expect(code, stderr).toBe(2);
      expect(stderr).toMatch(/^plumbline: error: damaged\.cam: .+\n$/);
    }
  });
});
