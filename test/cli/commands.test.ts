/** Every command as a user types it, on the networks that ship. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { encodeNpy, parseNpy } from '../../runtime/data/npy.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { plumbline, ROOT, succeed, temporaryFolder } from '../support/cli.ts';
import { expectGolden } from '../support/golden.ts';
import { effort } from '../support/effort.ts';

const COMMANDS = [
  'eval',
  'ladder',
  'profile',
  'diff',
  'explain',
  'compile',
  'run',
  'check',
  'conformance',
  'opt',
  'bisect',
  'reduce',
  'asm',
  'disasm',
  'zoo',
  'targets',
  'passes',
  'ops',
  'isa',
] as const;

const DATA = join(ROOT, 'benchmarks/zoo/image/fashion-mnist/t10k');

const folder = temporaryFolder();
const inFolder = { cwd: folder.path };
beforeAll(async () => {
  await succeed(['compile', 'lenet-5', '-o', 'l.cam'], inFolder);
  const { elements } = await (await zooDataset('fashion-mnist')).read(3);
  writeFileSync(join(folder.path, 'x.npy'), encodeNpy({ type: 'f4', shape: [1, 1, 28, 28], data: elements }));
});
afterAll(() => folder.remove());

const proportion = z.strictObject({ value: z.number(), low: z.number(), high: z.number() });
const traffic = z.record(z.string(), z.strictObject({ read: z.number(), write: z.number() }));

/** `plumbline.eval/1`: later versions of the program add keys and rename none. */
const evaluation = z.object({
  schema: z.literal('plumbline.eval/1'),
  model: z.string(),
  target: z.string(),
  passes: z.string(),
  dataset: z.string(),
  samples: z.number(),
  data: z.object({ sha256: z.string(), preprocess: z.record(z.string(), z.unknown()).nullable() }),
  metrics: z.object({ top1: proportion, top5: proportion }),
  timing: z.object({
    cycles: z.number(),
    clockHertz: z.number(),
    samplesPerSecond: z.number(),
    latencySeconds: z.number(),
    macs: z.number(),
    operationsPerSecond: z.number(),
    peakOperationsPerSecond: z.number(),
    utilization: z.number(),
    stalls: z.record(z.string(), z.number()),
    bytes: traffic,
  }),
  energy: z.object({ joulesPerSample: z.number() }),
  size: z.object({ instructions: z.number(), codeBytes: z.number(), weightBytes: z.number(), programBytes: z.number() }),
  host: z.object({ compileSeconds: z.number(), samplesPerSecond: z.number() }),
});

describe('help', () => {
  it('of the program and of every command', async () => {
    const texts = [await succeed(['--help'])];
    for (const command of COMMANDS) texts.push(await succeed([command, '--help']));
    expectGolden('test/golden/cli/help.txt', texts.join(`\n${'-'.repeat(80)}\n`));
  });
});

describe('eval', () => {
  it('prints one table', async () => {
    const text = await succeed(['eval', 'lenet-300-100', '--limit', '100']);
    expectGolden('test/golden/cli/eval.txt', text.replace(/^host .*$/m, 'host …'));
  });

  it('prints one JSON object, the same in every run but for the host', async () => {
    const runs = await Promise.all([1, 2].map(() => succeed(['eval', 'lenet-300-100', '--limit', '64', '--batch', '16', '--json'])));
    const [first, second] = runs.map((text) => evaluation.parse(JSON.parse(text)));
    expect({ ...second, host: undefined }).toEqual({ ...first, host: undefined });
    expect(runs[0]?.replace(/"host":[^}]*\}/s, '')).toBe(runs[1]?.replace(/"host":[^}]*\}/s, ''));
    expect(first?.samples).toBe(64);
  });

  it('predicts the same whatever the batch, also one that does not divide the samples', async () => {
    const of = async (...flags: string[]) =>
      evaluation.parse(JSON.parse(await succeed(['eval', 'lenet-5', '--limit', '50', '--json', ...flags]))).metrics;
    expect(await of('--batch', '16')).toEqual(await of());
  });

  it('gives the same bytes on any number of threads', async () => {
    const of = async (workers: string) =>
      (await succeed(['eval', 'lenet-5', '--limit', '150', '--batch', '3', '--json', '--workers', workers])).replace(/"host":[^}]*\}/s, '');
    const [one, two, five] = await Promise.all(['1', '2', '5'].map(of));
    expect([two, five]).toEqual([one, one]);
  });

  it('attributes every cycle', async () => {
    const { timing } = evaluation.parse(JSON.parse(await succeed(['eval', 'lenet-5', '--limit', '5', '--json'])));
    expect(Object.values(timing.stalls).reduce((sum, cycles) => sum + cycles, 0)).toBe(timing.cycles);
  });

  it('takes other data than what ships', async () => {
    const prefix = 'benchmarks/zoo/image/fashion-mnist/calibration';
    const text = await succeed(['eval', 'lenet-300-100', '--limit', '20', '--data', prefix]);
    expect(text).toContain('lenet-300-100 on cambricon: 20 samples of fashion-mnist/calibration');
  });

  it('stops cleanly on Ctrl-C', async () => {
    const { code, stdout, stderr } = await plumbline(['eval', 'vgg', '--workers', '1'], { interruptAfter: 2500 });
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: '' });
  });

  it.each(effort([0, 20, 160], [0, 5, 10, 20, 40, 80, 160, 320, 640]))(
    'stops cleanly on Ctrl-C %i ms after threads begin to start',
    async (interruptAfterThread) => {
      const { code, stdout, stderr } = await plumbline(['eval', 'alexnet', '--workers', '2'], { interruptAfterThread });
      expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: '' });
    },
  );

  it('tells where the time of this computer went, in rows that add up, with --profile', async () => {
    const args = ['eval', 'lenet-5', '--limit', '50', '--profile'];
    const [text, json, plain] = await Promise.all(
      [args, [...args, '--json'], [...args.slice(0, -1), '--json']].map((each) => succeed(each)),
    );
    const tables =
      /^phase .*?(?=\n\n).*/ms
        .exec(text ?? '')?.[0]
        .split('\n\n')
        .slice(0, -1) ?? [];
    expect(tables.map((table) => table.split(/ {2,}/)[0])).toEqual(['phase', 'layer of the program', 'instruction', 'compiling']);
    for (const table of tables) {
      const milliseconds = table
        .split('\n')
        .slice(1)
        .map((line) => Number(/ {2,}(-?[\d.]+) /.exec(line)?.[1]));
      const [total = NaN, ...rows] = milliseconds.reverse();
      expect(total).toBeGreaterThan(0);
      // Printed figures are rounded.
      expect(Math.abs(rows.reduce((sum, each) => sum + each, 0) - total)).toBeLessThan(table.startsWith('compiling') ? 1 : 0.01);
    }
    const [profiled, unprofiled] = [json, plain].map((each) => evaluation.parse(JSON.parse(each ?? '')));
    expect({ ...profiled, host: undefined }).toEqual({ ...unprofiled, host: undefined });
    const time = z.object({ seconds: z.number() });
    const row = time.extend({ executions: z.number(), macs: z.number().nullable() });
    const instruction = row.extend({ instruction: z.string(), by: z.enum(['kernel', 'plain', 'host']) });
    const { host } = z
      .object({
        host: z.object({
          profile: z.strictObject({
            engine: z.literal('fast'),
            samples: z.literal(50),
            seconds: z.number(),
            clock: z.strictObject({ readings: z.number(), seconds: z.number() }),
            phases: z.array(time.extend({ phase: z.string(), calls: z.number() })),
            layers: z.array(row.extend({ layer: z.string(), origin: z.array(z.string()), instructions: z.array(instruction) })),
            instructions: z.array(instruction),
            compile: z.array(time.extend({ phase: z.string(), calls: z.number() })),
          }),
        }),
      })
      .parse(JSON.parse(json ?? ''));
    const { phases, instructions, clock, seconds } = host.profile;
    expect(phases.reduce((sum, each) => sum + each.seconds, 0)).toBeCloseTo(seconds - clock.seconds, 9);
    expect(instructions.filter(({ by }) => by === 'plain')).toEqual([]);
  });

  it('is quiet in a pipe, and without colour', async () => {
    const { stdout, stderr } = await plumbline(['eval', 'lenet-300-100', '--limit', '20']);
    expect(stderr).toBe('');
    expect(stdout).not.toContain('\u001b');
  });
});

describe('ladder', () => {
  const row = evaluation.pick({ metrics: true, timing: true, energy: true, size: true }).extend({
    pass: z.string(),
    contract: z
      .strictObject({
        meaning: z.enum(['exact', 'reassociates', 'lossy']),
        bound: z.number().nullable(),
        check: z.looseObject({ meaning: z.string() }).nullable(),
        executed: z.enum(['bit-equal', 'legalization differs']).nullable(),
      })
      .nullable(),
    opsChanged: z.number(),
    flips: z.strictObject({ better: z.number(), worse: z.number(), pValue: z.number() }),
    outputSqnrDecibels: z.number().nullable(),
    notFinite: z.number(),
    bitEqual: z.strictObject({ first: z.boolean(), previous: z.boolean() }),
    conversions: z.strictObject({ inside: z.number(), atPorts: z.number() }),
    program: z.string(),
  });
  /** `plumbline.ladder/1`: later versions of the program add keys and rename none. */
  const ladder = evaluation.pick({ model: true, target: true, passes: true, dataset: true, samples: true, data: true }).extend({
    schema: z.literal('plumbline.ladder/1'),
    contractSamples: z.number(),
    rows: z.array(row),
    gains: z.array(
      z.object({
        row: z.number(),
        pass: z.string(),
        idealRatio: z.number().nullable(),
        ratio: z.number(),
        cycles: z.object({ before: z.record(z.string(), z.number()), after: z.record(z.string(), z.number()) }),
      }),
    ),
    budget: z.strictObject({ points: z.number(), exceededBy: z.string().nullable() }).nullable(),
    violation: z.looseObject({ message: z.string() }).nullable(),
    orders: z
      .array(
        z.object({
          change: z.enum(['swap', 'omit']),
          steps: z.array(z.number()),
          passes: z.string(),
          refused: z.string().nullable(),
          result: row
            .omit({ pass: true, contract: true, opsChanged: true, bitEqual: true })
            .extend({ sameProgram: z.boolean() })
            .nullable(),
        }),
      )
      .nullable(),
    host: z.strictObject({ seconds: z.number() }),
  });
  const args = ['ladder', 'lenet-300-100', '--limit', '50', '--passes', 'O1,to-fixed-point'];

  it('prints tables for a terminal of 120 columns', async () => {
    const text = await succeed([...args, '--orders', '--budget', '0.5pt']);
    expectGolden('test/golden/cli/ladder.txt', text);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('prints one JSON object, whose last row is what eval says', async () => {
    const { rows, orders } = ladder.parse(JSON.parse(await succeed([...args, '--json', '--orders', '--batch', '8'])));
    expect(rows.map(({ pass }) => pass).slice(0, 2)).toEqual(['import', 'eliminate-dead']);
    expect(orders).toHaveLength(15);
    const whole = evaluation.parse(JSON.parse(await succeed(['eval', ...args.slice(1), '--json', '--batch', '8'])));
    const { metrics, timing, energy, size } = whole;
    expect(rows.at(-1)).toMatchObject({ metrics, timing, energy, size });
  });

  it('ends with exit code 1 behind the table where the budget is exceeded', async () => {
    const target = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(ROOT, 'isa/targets/cambricon.json'), 'utf8')));
    writeFileSync(join(folder.path, 'coarse.json'), JSON.stringify({ ...target, name: 'coarse', fractionBits: 2 }));
    const coarse = ['ladder', 'lenet-300-100', '--limit', '200', '--passes', 'O1,to-fixed-point{fraction=2}', '--target', 'coarse.json'];
    const { code, stdout, stderr } = await plumbline([...coarse, '--budget', '0.5pt'], inFolder);
    expect(code).toBe(1);
    expect(stdout).toContain('Budget of 0.5 points of top-1: exceeded, first by to-fixed-point{fraction=2};');
    expect(stderr).toBe('plumbline: error: row 8: to-fixed-point{fraction=2}: loses more than the budget of 0.5 points of top-1\n');
    expect((await plumbline([...args, '--budget', '0.5'])).code).toBe(2);
  });

  it('takes other data than what ships, and its samples for the contracts', async () => {
    const prefix = 'benchmarks/zoo/image/fashion-mnist/calibration';
    const text = await succeed(['ladder', 'lenet-5', '--limit', '20', '--data', prefix, '--contracts', '1']);
    expect(text).toContain('Contracts: 7 passes held on 1 sample, graph against graph.');
  });

  it('prints the same with any number of workers', async () => {
    const outputs = ['1', '2'].map(async (workers) => succeed([...args, '--orders', '--workers', workers, '--json']));
    const [one, two] = (await Promise.all(outputs)).map((text) => ({ ...ladder.parse(JSON.parse(text)), host: undefined }));
    expect(two).toEqual(one);
  });

  it.each([0, 200])('stops cleanly on Ctrl-C %i ms after threads begin to start', async (interruptAfterThread) => {
    const { code, stdout, stderr } = await plumbline(['ladder', 'alexnet', '--workers', '2'], { interruptAfterThread });
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: '' });
  });

  it('stops cleanly on Ctrl-C', async () => {
    const { code, stdout, stderr } = await plumbline(['ladder', 'vgg'], { interruptAfter: 2500 });
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

describe('profile', () => {
  it('tells layer by layer what eval sums up', async () => {
    expectGolden('test/golden/cli/profile.txt', await succeed(['profile', 'lenet-5']));
    const layer = z.object({ cycles: z.number(), joules: z.number(), bytes: traffic });
    const profile = z
      .object({ schema: z.literal('plumbline.profile/1'), cycles: z.number(), joules: z.number(), layers: z.array(layer) })
      .parse(JSON.parse(await succeed(['profile', 'lenet-5', '--json'])));
    const whole = evaluation.parse(JSON.parse(await succeed(['eval', 'lenet-5', '--limit', '1', '--json'])));
    const sum = (each: (one: z.infer<typeof layer>) => number): number => profile.layers.reduce((total, one) => total + each(one), 0);
    expect(sum(({ cycles }) => cycles)).toBe(whole.timing.cycles);
    expect(sum(({ bytes }) => bytes.dram?.read ?? 0)).toBe(whole.timing.bytes.dram?.read);
    expect(sum(({ joules }) => joules)).toBeCloseTo(whole.energy.joulesPerSample, 12);
  });
});

describe('compile and run', () => {
  it('executes a program on arrays, with the result that the data set was evaluated with', async () => {
    const text = await succeed(['run', 'l.cam', '--input', 'image=x.npy', '--output', 'y.npy'], inFolder);
    expectGolden('test/golden/cli/run.txt', text);
    const { shape, data } = parseNpy(readFileSync(join(folder.path, 'y.npy')), 'y.npy');
    expect(shape).toEqual([1, 10]);
    const printed = z
      .object({ outputs: z.array(z.object({ values: z.array(z.number()) })) })
      .parse(JSON.parse(await succeed(['run', 'l.cam', '--input', 'x.npy', '--json'], inFolder)));
    expect(printed.outputs[0]?.values).toEqual(Array.from(data, Number));
  });

  it('traces, stops at a layer and dumps memory at an instruction', async () => {
    const args = ['run', 'l.cam', '--input', 'x.npy', '--trace', '--stop-at', '/1/MaxPool', '--dump', 'vector:0xb400:32@23'];
    const text = await succeed(args, inFolder);
    expectGolden('test/golden/cli/run-trace.txt', [...text.split('\n').slice(0, 24), '…', ...text.split('\n').slice(-8)].join('\n'));
  });

  it('writes the same bytes every time', async () => {
    await succeed(['compile', 'lenet-5', '-o', 'again.cam'], inFolder);
    expect(readFileSync(join(folder.path, 'again.cam')).equals(readFileSync(join(folder.path, 'l.cam')))).toBe(true);
  });

  it.each(['imported', 'graph', 'legal', 'tiled', 'memory', 'asm'])('shows the stage %s', async (stage) => {
    const lines = (await succeed(['compile', 'lenet-300-100', '--emit', stage])).split('\n');
    expectGolden(
      `test/golden/cli/emit-${stage}.txt`,
      lines.map((line) => (line.length > 200 ? `${line.slice(0, 200)}…` : line)).join('\n'),
    );
  });

  it('takes a graph as text, with its constants beside it', async () => {
    await succeed(['compile', 'lenet-300-100', '--emit', 'graph', '-o', 'g.pir'], inFolder);
    expect(readdirSync(folder.path)).toContain('g.pir.data');
    await succeed(['compile', 'g.pir', '-o', 'g.cam'], inFolder);
    await succeed(['compile', 'lenet-300-100', '-o', 'n.cam'], inFolder);
    const [fromText, fromModel] = await Promise.all(['g.cam', 'n.cam'].map((file) => succeed(['disasm', file], inFolder)));
    expect(fromText).toBe(fromModel);
  });

  it('binds dimensions and shapes', async () => {
    const types = async (...flags: string[]) => {
      const text = await succeed(['compile', join(ROOT, 'benchmarks/zoo/image/lenet-300-100.onnx'), '--emit', 'imported', ...flags]);
      return /%image: (\S+) =/.exec(text)?.[1];
    };
    expect(await types('--dim', 'batch=3')).toBe('f32[3,1,28,28]');
    expect(await types('--shape', 'image=2x1x28x28')).toBe('f32[2,1,28,28]');
  });
});

describe('asm and disasm', () => {
  it('go both ways', async () => {
    const text = await succeed(['disasm', 'l.cam'], inFolder);
    writeFileSync(join(folder.path, 'l.casm'), text);
    await succeed(['asm', 'l.casm', '-o', 'l2.cam'], inFolder);
    const code = (source: string): string => source.replaceAll(/ *;.*$/gm, '').trim();
    expect(code(await succeed(['disasm', 'l2.cam'], inFolder))).toBe(code(text));
  });
});

describe('opt', () => {
  it('shows what each pass did', async () => {
    const { code, stdout, stderr } = await plumbline(['opt', 'lenet-300-100', '--print-changed', '--stats', '--verify-each']);
    expect(code).toBe(0);
    expectGolden('test/golden/cli/opt.txt', `${stdout}\n--- standard error ---\n${stderr}`);
  });

  it('dumps the graph after every pass', async () => {
    await succeed(['opt', 'lenet-300-100', '--dump-dir', 'dump', '-o', 'o.pir'], inFolder);
    const files = readdirSync(join(folder.path, 'dump')).filter((name) => name.endsWith('.pir'));
    expect(files.length).toBeGreaterThanOrEqual(7);
  });

  it('holds passes to their contracts', async () => {
    const { code, stderr } = await plumbline(['opt', 'lenet-5', '--check-contracts', '2', '-o', 'c.pir'], inFolder);
    expect(code).toBe(0);
    expect(stderr).toContain('fuse-activation');
  });

  it('writes ONNX that comes back as the same network', async () => {
    await succeed(['opt', 'lenet-300-100', '-p', 'O1', '--emit', 'onnx', '-o', 'o.onnx'], inFolder);
    const of = async (model: string) =>
      evaluation.parse(JSON.parse(await succeed(['eval', model, '--limit', '50', '--json', '--data', DATA], inFolder))).metrics;
    expect(await of('./o.onnx')).toEqual(await of('lenet-300-100'));
    const { code, stderr } = await plumbline(['opt', 'lenet-300-100', '--emit', 'onnx']);
    expect([code, stderr]).toEqual([2, 'plumbline: error: an ONNX model needs a file to be written to (give one with -o FILE.onnx)\n']);
  });

  it('tells time on request', async () => {
    const { stderr } = await plumbline(['opt', 'lenet-300-100', '--time', '-o', 't.pir'], inFolder);
    expect(stderr).toMatch(/ms/);
  });
});

describe('lists', () => {
  it.each([
    ['check', 'lenet-5'],
    ['check', 'lenet-300-100', '--target', 'cambricon-base'],
    ['zoo'],
    ['targets'],
    ['targets', 'cambricon-base'],
    ['passes'],
    ['passes', 'fold-constants'],
    ['ops'],
    ['ops', 'conv'],
    ['isa', 'VMM'],
  ])('plumbline %s %s %s %s', async (...args) => {
    const words = args.filter((word) => typeof word === 'string');
    const { stdout } = await plumbline(words);
    expectGolden(`test/golden/cli/${words.join('-').replaceAll('--', '')}.txt`, stdout);
  });

  it.each([['check', 'lenet-5'], ['zoo'], ['targets'], ['targets', 'cambricon'], ['passes'], ['ops']])(
    'in JSON: %s %s',
    async (...args) => {
      const { stdout } = await plumbline([...args.filter((word) => typeof word === 'string'), '--json']);
      const parsed: unknown = JSON.parse(stdout);
      expect(parsed).toBeTypeOf('object');
    },
  );

  it('of what a model needs and the target lacks, with exit code 3', async () => {
    const { code, stdout } = await plumbline(['check', 'qnn']);
    expect(code).toBe(3);
    expect(stdout).not.toBe('');
  });
});
