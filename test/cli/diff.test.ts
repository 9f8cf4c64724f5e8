/** Saving, comparing and explaining as a user does. */
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { plumbline, ROOT, succeed, temporaryFolder } from '../support/cli.ts';
import { expectGolden } from '../support/golden.ts';

const folder = temporaryFolder();
const inFolder = { cwd: folder.path };
const path = (...names: string[]): string => join(folder.path, ...names);
const save = (run: string, ...flags: string[]) => succeed(['eval', 'lenet-300-100', '--limit', '50', '--save', run, ...flags], inFolder);

beforeAll(async () => {
  await save('float');
  await save('fixed', '--target', 'cambricon-base');
}, 120_000);
afterAll(() => folder.remove());

const figure = z.union([z.number(), z.enum(['Infinity', '-Infinity', 'NaN'])]);
const errors = z.looseObject({
  sqnrDecibels: figure,
  maximumSteps: figure.optional(),
  rmseSteps: figure.optional(),
  meanError: figure,
  saturated: z.number(),
  zeroed: z.number(),
});
/** `plumbline.diff/1`: later versions of the program add keys and rename none. */
const report = z.looseObject({
  schema: z.literal('plumbline.diff/1'),
  samples: z.number(),
  verdicts: z.strictObject({ ok: z.number(), 'expected loss': z.number(), suspicious: z.number(), broken: z.number() }),
  outputs: z.looseObject({
    agreement: z.looseObject({ value: z.number() }),
    better: z.number(),
    worse: z.number(),
    pValue: z.number(),
    flips: z.array(z.unknown()),
  }),
  outputDecibels: figure,
  tensors: z.array(
    z.looseObject({
      value: z.string(),
      verdict: z.string(),
      cumulative: errors,
      local: errors,
      inherited: errors,
      effectDecibels: figure,
      excessDecibels: figure,
    }),
  ),
  inside: z.array(z.looseObject({ side: z.string(), value: z.string(), inside: z.string().optional() })),
});

describe('diff', () => {
  it('tells a model in fixed point from its float original', async () => {
    expectGolden('test/golden/cli/diff.txt', await succeed(['diff', 'lenet-300-100', '--target', 'cambricon-base', '--limit', '50']));
  });

  it('compares saved runs as it compares models, and runs nothing', async () => {
    const flags = ['--sort', 'graph', '--wide', '--without', '--top', '3'];
    const saved = await succeed(['diff', 'float', 'fixed', ...flags], inFolder);
    const fresh = await succeed(['diff', 'lenet-300-100', '--target', 'cambricon-base', '--limit', '50', ...flags]);
    const tables = (text: string): string[] => text.split('\n').filter((line) => /dB|expected loss|^tensor|^inside|more, see/.test(line));
    // The saved reference has passes behind it, which fused what the imported model has apart.
    const rows = (text: string): string[] => tables(text).filter((line) => !line.startsWith('inside'));
    expect(rows(saved)).toEqual(rows(fresh));
    expect(saved).toContain('2 more, see --top');
    expect(saved).toMatch(/^inside logits: /m);
  });

  it('prints JSON in which every figure is one', async () => {
    const found = report.parse(JSON.parse(await succeed(['diff', 'float', 'fixed', '--json'], inFolder)));
    expect(found.verdicts).toEqual({ ok: 1, 'expected loss': 4, suspicious: 0, broken: 0 });
    expect(found.tensors.map(({ value }) => value)).toContain('logits');
    expect(found.samples).toBe(4);
  });

  it('finds nothing between a run and itself', async () => {
    const { tensors, outputs } = report.parse(JSON.parse(await succeed(['diff', 'fixed', 'fixed', '--json'], inFolder)));
    expect(new Set(tensors.map(({ cumulative }) => cumulative.sqnrDecibels))).toEqual(new Set(['Infinity']));
    expect(outputs).toMatchObject({ agreement: { value: 1 }, flips: [], pValue: 1 });
  });

  it('puts cycles and bytes beside the error of an optimization', async () => {
    const text = await succeed(['diff', 'mobilenet', '--against', 'O0', '--limit', '8', '--samples', '1', '--top', '3']);
    expect(text).toMatch(/^cost +cycles +[\d,]+ +was [\d,]+, -\d+\.\d %$/m);
    expect(text).toMatch(/^tensors +compared +\d+ +\d+ ok, 0 expected loss, 0 suspicious, 0 broken$/m);
  }, 60_000);

  it('names the depthwise layers that one scale for all weights costs most, and holds 8-bit integers to what rounding explains', async () => {
    const diff = async (passes: string) => {
      const flags = ['--limit', '20', '--samples', '2', '--json'];
      return report.parse(JSON.parse(await succeed(['diff', 'mobilenet', '--passes', passes, ...flags])));
    };
    const [naive, good] = [await diff('int8-naive'), await diff('int8')];
    const worst = naive.tensors.toSorted((a, b) => Number(a.effectDecibels) - Number(b.effectDecibels));
    expect(worst[0]).toMatchObject({ value: '_1/1.0/1.0.2/Clip_output_0', op: 'depthwise-conv' });
    expect([naive.verdicts.suspicious, good.verdicts.suspicious]).toEqual([0, 0]);
    const logits = good.tensors.find(({ value }) => value === 'logits');
    expect(logits).toMatchObject({ op: 'gemm', verdict: 'expected loss' });
    expect(logits?.cumulative).not.toHaveProperty('rmseSteps');
  }, 60_000);

  it('ends with 1 where something is broken, and names it', async () => {
    await succeed(['opt', 'lenet-300-100', '-p', 'O0', '-o', 'm.pir'], inFolder);
    writeFileSync(path('nan.pir'), readFileSync(path('m.pir'), 'utf8').replace(/(%_5\.bias.* = constant \[)[^,]*/, '$1nan'));
    cpSync(path('m.pir.data'), path('nan.pir.data'));
    const data = ['--data', join(ROOT, 'benchmarks/zoo/image/fashion-mnist/calibration'), '--limit', '10'];
    await succeed(['eval', 'm.pir', ...data, '--save', 'good'], inFolder);
    await succeed(['eval', 'nan.pir', ...data, '--save', 'nan'], inFolder);
    const { code, stdout } = await plumbline(['diff', 'good', 'nan'], inFolder);
    expect(code).toBe(1);
    expect(stdout).toContain('broken: %logits (/5/Gemm): 4 of 40 elements became NaN or infinite');
  }, 60_000);

  it('stops cleanly on Ctrl-C', async () => {
    expect(await plumbline(['diff', 'vgg', '--limit', '10000'], { interruptAfter: 2500 })).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

describe('eval --save', () => {
  it('writes a folder that is described, and nothing else', () => {
    expect(readdirSync(path('fixed')).sort()).toEqual([
      'ir',
      'labels.npy',
      'legal.pir',
      'legal.pir.data',
      'manifest.json',
      'program.cam',
      'result.json',
      'scores.npy',
      'statistics.json',
      'values.bin',
      'values.json',
    ]);
    expect(readdirSync(folder.path).filter((name) => name.includes('.tmp'))).toEqual([]);
    const described = readFileSync(join(ROOT, 'docs/runs.md'), 'utf8');
    for (const name of readdirSync(path('fixed'))) expect(described).toContain(`\`${name}`);
  });

  it('replaces a run by the same bytes', async () => {
    const before = readFileSync(path('fixed', 'manifest.json'), 'utf8');
    await save('fixed', '--target', 'cambricon-base', '--batch', '1');
    expect(readFileSync(path('fixed', 'manifest.json'), 'utf8')).toBe(before);
    expect(readdirSync(folder.path).filter((name) => name.includes('.tmp'))).toEqual([]);
  }, 60_000);

  it('writes graphs that opt takes', async () => {
    expect(await succeed(['opt', 'fixed/ir/07-fuse-activation.pir', '-p', 'O0'], inFolder)).toContain('activation=relu');
    expect(await succeed(['opt', 'fixed/legal.pir', '-p', 'O0'], inFolder)).toContain('stage(legal)');
  });

  it('writes over nothing else, before it works', async () => {
    mkdirSync(path('mine'));
    writeFileSync(path('mine', 'notes.txt'), 'mine');
    const { code, stderr } = await plumbline(['eval', 'lenet-300-100', '--save', 'mine'], inFolder);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'plumbline: error: mine: holds other files, and nothing is written over them (give a new or empty folder)\n',
    });
    cpSync(path('fixed'), path('annotated'), { recursive: true });
    writeFileSync(path('annotated', 'notes.txt'), 'mine');
    expect((await plumbline(['eval', 'lenet-300-100', '--save', 'annotated'], inFolder)).code).toBe(2);
    expect(existsSync(path('annotated', 'notes.txt'))).toBe(true);
  });
});

describe('what goes wrong', () => {
  const failure = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await plumbline(args, inFolder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr;
  };

  it('is told in a line', async () => {
    expect(await failure('diff', 'float')).toBe(
      'plumbline: error: float: one run cannot be compared with itself (give the folder of a second run)\n',
    );
    expect(await failure('diff', 'float', 'nothing')).toBe('plumbline: error: nothing/manifest.json: no such file or folder\n');
    expect(await failure('diff', 'float', 'fixed', '--passes', 'O1')).toContain('saved runs are compared as they are');
    expect(await failure('eval', 'lenet-5', '--save-samples', '3')).toContain('--save-samples needs --save');
    expect(await failure('explain', 'lenet-5', '/0/Con')).toBe("plumbline: error: unknown node '/0/Con' (did you mean /0/Conv?)\n");
    await succeed(['eval', 'lenet-300-100', '--limit', '20', '--save', 'short'], inFolder);
    expect(await failure('diff', 'short', 'fixed')).toContain('the runs are of different data: 20 samples of fashion-mnist, and 50');
  });

  it('names the file that is damaged', async () => {
    for (const name of ['manifest.json', 'values.bin', 'scores.npy', 'legal.pir', 'program.cam']) {
      cpSync(path('fixed'), path('damaged'), { recursive: true, force: true });
      const bytes = readFileSync(path('damaged', name));
      writeFileSync(path('damaged', name), bytes.subarray(0, bytes.length - 7));
      expect(await failure('diff', 'float', 'damaged')).toMatch(new RegExp(`^plumbline: error: damaged/${name}: .*\\n$`));
    }
  });
});

describe('explain', () => {
  it('tells all of a value', async () => {
    const golden = await succeed(['explain', 'lenet-300-100', '/2/Relu', '--target', 'cambricon-base']);
    expectGolden('test/golden/cli/explain.txt', golden);
    // A value that a pass did away with is the one that computes its node now.
    expect(await succeed(['explain', 'lenet-300-100', '_1/Gemm_output_0', '--target', 'cambricon-base'])).toBe(golden);
  });

  it('knows inputs', async () => {
    const input = z.looseObject({
      schema: z.literal('plumbline.explain/1'),
      instructions: z.array(z.unknown()),
      statistics: z.looseObject({ maximum: z.number() }),
    });
    const { instructions, statistics } = input.parse(JSON.parse(await succeed(['explain', 'lenet-5', 'image', '--json'])));
    expect([instructions, statistics.maximum]).toEqual([[], 1]);
  });
});

describe('disasm --cost', () => {
  const columns = (text: string): string[][] =>
    text
      .split('\n')
      .filter((line) => line.startsWith('    '))
      .map((line) => (line.split(' ; ')[1] ?? '').trim().split(/ +/));

  it('charges every cycle of the program to an instruction', async () => {
    const { timing } = z
      .object({ timing: z.object({ cycles: z.number() }) })
      .parse(JSON.parse(await succeed(['eval', 'lenet-300-100', '--limit', '1', '--json'])));
    const rows = columns(await succeed(['disasm', 'float', '--cost'], inFolder));
    const total = rows.reduce((sum, [, cycles = '']) => sum + Number(cycles.replaceAll(',', '')), 0);
    expect(total).toBe(timing.cycles);
  });

  it('tells the error of the layer, and still assembles', async () => {
    const text = await succeed(['disasm', 'fixed', '--cost', '--error', 'float', '--addresses'], inFolder);
    expectGolden('test/golden/cli/disasm-cost.txt', text);
    writeFileSync(path('cost.casm'), text);
    await succeed(['asm', 'cost.casm', '--target', 'cambricon-base', '-o', 'cost.cam'], inFolder);
    expect((await succeed(['disasm', 'cost.cam'], inFolder)).split('\n').filter((line) => /VMM|MLOAD/.test(line))).toHaveLength(6);
  });
});
