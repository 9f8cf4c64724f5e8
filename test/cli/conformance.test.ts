/** `plumbline conformance` on folders that are written here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { plumbline, succeed, temporaryFolder } from '../support/cli.ts';
import type { ModelSpec, TensorSpec } from '../support/onnx-builder.ts';
import { node } from '../support/onnx-builder.ts';
import type { CaseSpec } from '../support/test-cases.ts';
import { writeCase } from '../support/test-cases.ts';

const f32 = (...data: readonly number[]): TensorSpec => ({ dims: [1, 3], data: Float32Array.from(data) });
const unary = (op: string): ModelSpec => ({
  nodes: [node(op, 'x', 'y')],
  inputs: [{ name: 'x', shape: [1, 3] }],
  outputs: [{ name: 'y', shape: [1, 3] }],
});
const relu: CaseSpec = { model: unary('Relu'), sets: [{ inputs: [f32(-1, 2, 3)], outputs: [f32(0, 2, 3)] }] };
const wrong: CaseSpec = { model: unary('Relu'), sets: [{ inputs: [f32(-1, 2, 3)], outputs: [f32(0, 2, 4)] }] };
const identity: CaseSpec = { model: unary('Identity'), sets: [{ inputs: [f32(-1, 2, 3)], outputs: [f32(-1, 2, 3)] }] };
const tan: CaseSpec = { model: unary('Tan'), sets: [{ inputs: [f32(0, 0, 0)], outputs: [f32(0, 0, 0)] }] };

const folder = temporaryFolder();
const inFolder = { cwd: folder.path };

beforeAll(() => {
  for (const [suite, cases] of Object.entries({ good: { relu, identity }, new: { relu, tan }, bad: { relu, wrong, tan } }))
    for (const [name, spec] of Object.entries(cases)) writeCase(join(folder.path, suite, name), spec);
  mkdirSync(join(folder.path, 'good', 'notes'));
  writeFileSync(join(folder.path, 'good', 'README.md'), 'no case');
  mkdirSync(join(folder.path, 'bad', 'torn'));
  writeFileSync(join(folder.path, 'bad', 'torn', 'model.onnx'), 'no model');
  mkdirSync(join(folder.path, 'none', 'deeper'), { recursive: true });
});
afterAll(() => folder.remove());

const report = z.strictObject({
  schema: z.literal('plumbline.conformance/1'),
  target: z.string().nullable(),
  passes: z.string(),
  judge: z.record(z.string(), z.unknown()),
  totals: z.strictObject({ passed: z.number(), failed: z.number(), unsupported: z.number(), crashed: z.number() }),
  passedOver: z.number(),
  cases: z.array(
    z.strictObject({
      name: z.string(),
      status: z.enum(['passed', 'failed', 'unsupported', 'crashed']),
      form: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

describe('plumbline conformance', () => {
  it('prints totals, what is wrong, and reasons by operator', async () => {
    const { code, stdout } = await plumbline(['conformance', 'bad', '--target', 'cambricon'], inFolder);
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('4 cases: 1 passed (1 compiled), 2 failed, 1 unsupported, 0 crashed');
    expect(lines).toContain('wrong  failed  compiled  test_data_set_0: output y: element 2 is 3 instead of 4');
    expect(lines).toContain('unsupported  Tan           1  not supported yet');
  });

  it('ends with 0 where all passed, with 3 where something is not supported', async () => {
    expect((await succeed(['conformance', 'good'], inFolder)).split('\n').slice(0, 2)).toEqual([
      '2 cases: 2 passed (2 evaluated), 0 failed, 0 unsupported, 0 crashed',
      '1 folder without a model.onnx passed over',
    ]);
    expect((await plumbline(['conformance', 'new'], inFolder)).code).toBe(3);
  });

  it('prints one JSON object, the same in every run', async () => {
    const run = async () => (await plumbline(['conformance', 'good', '-t', 'cambricon', '--sqnr', '40', '--json'], inFolder)).stdout;
    const text = await run();
    expect(await run()).toBe(text);
    expect(report.parse(JSON.parse(text))).toMatchObject({
      target: 'cambricon',
      judge: { kind: 'sqnr', decibels: 40 },
      totals: { passed: 2, failed: 0 },
      passedOver: 1,
      cases: [
        { name: 'identity', status: 'passed', form: 'folded', reason: null },
        { name: 'relu', status: 'passed', form: 'compiled' },
      ],
    });
  });

  it('takes a case alone, and a tolerance', async () => {
    expect(await succeed(['conformance', 'bad/relu'], inFolder)).toContain('1 case: 1 passed');
    expect((await plumbline(['conformance', 'bad/wrong'], inFolder)).code).toBe(1);
    expect(await succeed(['conformance', 'bad/wrong', '--rtol', '0.25'], inFolder)).toContain('1 passed');
    expect(await succeed(['conformance', 'bad/wrong', '--rtol', '0', '--atol', '1'], inFolder)).toContain('1 passed');
  });

  it.each([
    [['conformance'], "missing required argument 'folder'"],
    [['conformance', 'nowhere'], 'nowhere: no such file or folder'],
    [['conformance', 'good/README.md'], 'good/README.md: part of the path is a file, not a folder'],
    [['conformance', 'none'], 'none: holds no folder with a model.onnx (give the folder that holds the cases, perhaps deeper in it)'],
    [['conformance', 'good', '--sqnr', '30', '--rtol', '0.1'], "option '--sqnr <decibels>' cannot be used with option '--rtol <number>'"],
    [['conformance', 'good', '--rtol', '-1'], 'A number that is not negative is expected.'],
    [['conformance', 'good', '--target', 'cambrican'], "unknown target 'cambrican' (did you mean cambricon?)"],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await plumbline(args, inFolder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});
