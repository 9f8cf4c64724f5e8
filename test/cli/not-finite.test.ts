/** Numbers that are none: `run` says where they are. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { encodeNpy } from '../../runtime/data/npy.ts';
import { plumbline, succeed, temporaryFolder } from '../support/cli.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';

const model = modelBytes({ nodes: [node('Add', 'x x', 'y')], inputs: [{ name: 'x', shape: [4] }], outputs: [{ name: 'y' }] });
const folder = temporaryFolder({ 'model.onnx': model });
afterAll(() => folder.remove());
const inFolder = { cwd: folder.path };

it('in the arrays of a run are reported, in text and in JSON', async () => {
  await succeed(['compile', 'model.onnx', '-o', 'model.cam'], inFolder);
  const write = (name: string, ...data: number[]): void =>
    writeFileSync(join(folder.path, name), encodeNpy({ type: 'f4', shape: [4], data: Float32Array.from(data) }));
  write('x.npy', 1, NaN, 3e38, -Infinity);
  const { code, stdout, stderr } = await plumbline(['run', 'model.cam', '-i', 'x.npy'], inFolder);
  expect(code).toBe(0);
  expect(stderr).toContain("input 'x' holds 1 NaN and 1 infinite of 4 elements");
  expect(stdout).toContain('y holds 1 NaN and 2 infinite of 4 elements');
  const json = await succeed(['run', 'model.cam', '-i', 'x.npy', '--json'], inFolder);
  expect(JSON.parse(json)).toMatchObject({ outputs: [{ name: 'y', notFinite: { nan: 1, infinite: 2 } }] });
  write('fine.npy', 1, 2, 3, 4);
  const fine = await plumbline(['run', 'model.cam', '-i', 'fine.npy'], inFolder);
  expect([fine.stderr, fine.stdout.includes('holds')]).toEqual(['', false]);
});
