/** `bisect` and `reduce` as a user types them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { plumbline, succeed, temporaryFolder } from '../support/cli.ts';
import { expectGolden } from '../support/golden.ts';

const folder = temporaryFolder();
const inFolder = { cwd: folder.path };
afterAll(() => folder.remove());

const IMAGES = join(process.cwd(), 'benchmarks/zoo/image/fashion-mnist/calibration');
const LOSSY = 'O1,legalize-layout,to-fixed-point{fraction=4}';

const finding = z.object({
  clause: z.string(),
  holds: z.boolean(),
  metric: z.string().optional(),
  value: z.number().nullable().optional(),
});
const bisection = z.object({
  schema: z.literal('plumbline.bisect/1'),
  model: z.string(),
  target: z.string(),
  passes: z.string(),
  check: z.string(),
  over: z.string(),
  samples: z.number(),
  outcome: z.enum(['found', 'nothing-wrong', 'without-passes']),
  trials: z.array(z.object({ what: z.string(), verdict: z.enum(['good', 'bad', 'skip']), findings: z.array(finding) })),
  pass: z.object({ step: z.number(), of: z.number(), pass: z.string(), earliest: z.number().optional() }).optional(),
  ops: z.object({ of: z.number(), alone: z.boolean(), culprits: z.array(z.object({ number: z.number(), unit: z.string() })) }).optional(),
});

describe('bisect', () => {
  it.each([
    ['passes', ['lenet-300-100', '-p', LOSSY, '--check', 'agreement >= 99%', '--over', 'passes']],
    ['ops', ['lenet-5', '-p', 'O1', '--check', 'cycles == base and instructions == base']],
    ['channels', ['mobilenet', '-p', 'O1', '--check', 'sqnr > 200dB', '--over', 'channels', '--limit', '1']],
    ['contract', ['lenet-5', '-p', 'O1', '--check', 'contract']],
    ['samples', ['lenet-300-100', '-p', LOSSY, '--check', 'agreement == 100%', '--over', 'samples']],
    ['calibrated', ['mobilenet', '-p', 'int8-naive', '--check', 'sqnr >= 25', '--over', 'channels', '--limit', '5']],
    ['nothing-wrong', ['lenet-300-100', '--check', 'top1 >= base - 0.5pt', '--limit', '50']],
  ])('tells what it found: %s', async (name, args) => {
    expectGolden(`test/golden/cli/bisect-${name}.txt`, await succeed(['bisect', ...args]));
  });

  it('prints JSON, the same in every run', async () => {
    const args = ['bisect', 'lenet-5', '-p', 'O1', '--check', 'cycles >= base', '--json'];
    const [first, second] = await Promise.all([succeed(args), succeed(args)]);
    expect(second).toBe(first);
    const { outcome, pass, ops } = bisection.parse(JSON.parse(first));
    expect(outcome).toBe('found');
    expect(pass?.pass).toBe('fuse-activation');
    expect(ops?.culprits).toHaveLength(1);
  });

  it('says with exit code 1 that no pass is to blame', async () => {
    const { code, stdout } = await plumbline(['bisect', 'lenet-5', '--check', 'instructions < 10']);
    expect(code).toBe(1);
    expect(stdout).toContain('The check does not even hold without passes: no pass is to blame.');
  });

  it('shows the graph, the model or the program to a command', async () => {
    const found = async (command: string) =>
      bisection.parse(JSON.parse(await succeed(['bisect', 'lenet-5', '-p', 'O1', '--check-command', command, '--json'])));
    const fused = await found('! grep -q activation= {graph}');
    expect(fused).toMatchObject({ outcome: 'found', samples: 0, pass: { pass: 'fuse-activation' } });
    expect(await found('test -s {onnx} && test -s {program}')).toMatchObject({ outcome: 'nothing-wrong' });
    const skipping = await found('grep -q activation= {graph} && exit 1; exit 125');
    expect(skipping.pass).toMatchObject({ step: 7, earliest: 1 });
    const { code, stderr } = await plumbline(['bisect', 'lenet-5', '--check-command', 'exit 130']);
    expect([code, stderr]).toEqual([2, 'plumbline: error: exit 130: the check command ended with exit status 130\n']);
  });

  it('takes statistics from a file, and says where none can come from', async () => {
    await succeed(['calibrate', 'lenet-5', '-n', '20', '-o', 'lenet-5.json'], inFolder);
    const args = ['bisect', 'lenet-5', '-p', 'int8', '--check', 'sqnr > 60', '--over', 'passes', '--limit', '10'];
    expect(await succeed([...args, '--calibration', 'lenet-5.json'], inFolder)).toContain('Pass 9 of 9 breaks it: quantize');
    await succeed(['opt', 'lenet-5', '-o', 'lenet-5.pir'], inFolder);
    const { code, stderr } = await plumbline(['bisect', 'lenet-5.pir', ...args.slice(2)], inFolder);
    expect(code).toBe(2);
    expect(stderr).toContain('lenet-5.pir is not of the zoo, and the passes need calibration data');
  });

  it.each(['bisect', 'reduce'])('%s does not take data that do not fit for a mistake of the compiler', async (command) => {
    const labels = ['--data', IMAGES, '--preprocess', 'resize=14x14', '--limit', '4'];
    const args = ['lenet-5', '-p', 'int8', '--check', 'sqnr > 60', ...(command === 'reduce' ? [...labels, '-o', 'wrong.pir'] : [])];
    const statistics = ['--calibration', IMAGES, '--preprocess', 'resize=14x14'];
    const { code, stdout, stderr } = await plumbline([command, ...args, ...(command === 'bisect' ? statistics : [])], inFolder);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^plumbline: error: .*gives samples of 1x14x14, and .* 1x1x28x28.*\n$/);
  });

  it('stops cleanly on Ctrl-C', async () => {
    const { code, stdout, stderr } = await plumbline(['bisect', 'resnet', '--check', 'top1 > 100%', '-n', '2000'], {
      interruptAfter: 6000,
    });
    expect({ code, stdout, stderr }).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

describe('reduce', () => {
  it('writes a file that fails again when it is run', async () => {
    const check = 'maxerror < 0.5';
    const text = await succeed(['reduce', 'lenet-300-100', '-p', LOSSY, '--check', check, '-o', 'repro.pir'], inFolder);
    expectGolden('test/golden/cli/reduce.txt', text);
    expect(existsSync(join(folder.path, 'repro.pir.data'))).toBe(false);
    const lines = readFileSync(join(folder.path, 'repro.pir'), 'utf8').split('\n');
    expectGolden('test/golden/cli/reduce.pir', lines.map((line) => (line.length > 200 ? `${line.slice(0, 200)}…` : line)).join('\n'));
    const { code, stdout, stderr } = await plumbline(['opt', 'repro.pir'], inFolder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^plumbline: error: repro.pir: maxerror < 0.5 does not hold: maxerror 0\.\d+\n$/);
    expect((await plumbline(['opt', 'repro.pir', '--check', 'maxerror < 5', '-o', 'fine.pir'], inFolder)).code).toBe(0);
  });

  it('of a quantized network writes the samples that calibrate it again', async () => {
    const args = ['reduce', 'mobilenet', '-p', 'int8-naive', '--check', 'sqnr >= 30', '--limit', '20', '-o', 'int8.pir'];
    expect(await succeed(args, inFolder)).toContain('int8.pir: 1 op of 42 of mobilenet, 1 pass of 9,');
    const { code, stdout, stderr } = await plumbline(['opt', 'int8.pir'], inFolder);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^plumbline: error: int8.pir: sqnr >= 30 does not hold: sqnr \d+\.\d+ dB\n$/);
    expect(await succeed(['opt', 'int8.pir', '--check', 'sqnr >= 5'], inFolder)).toContain(': i8<');
    expect(await succeed(['bisect', 'int8.pir', '-p', 'quantize', '--check', 'sqnr >= 30'], inFolder)).toContain('convert on %');
  });

  it('keeps the samples of a command that is shown a quantized network', async () => {
    const command = '! grep -q " = conv(.*i8<" {graph} && grep -q i8 {graph} && exit 1; exit 0';
    await succeed(['reduce', 'lenet-300-100', '-p', 'int8', '--check-command', command, '--limit', '4', '-o', 'shown.pir'], inFolder);
    expect(readFileSync(join(folder.path, 'shown.pir'), 'utf8')).toContain('// SAMPLE 1: ');
    // Opened by somebody else, the command is shown; who trusts it passes it.
    const shown = await plumbline(['opt', 'shown.pir'], inFolder);
    expect(shown.code).toBe(0);
    expect(shown.stderr).toContain('--check-command');
    expect((await plumbline(['opt', 'shown.pir', '--check-command', command], inFolder)).code).toBe(1);
  });

  it('writes nothing where nothing is wrong', async () => {
    const text = await succeed(['reduce', 'lenet-300-100', '--check', 'contract', '-o', 'none.pir'], inFolder);
    expect(text).toBe('contract holds: there is nothing to reduce\n');
    expect(existsSync(join(folder.path, 'none.pir'))).toBe(false);
  });

  it('reduces what a command calls bad, and runs it again by the command', async () => {
    const command = '! grep -q activation=relu {graph}';
    const json = z
      .object({ schema: z.literal('plumbline.reduce/1'), outcome: z.literal('reduced'), ops: z.number() })
      .parse(JSON.parse(await succeed(['reduce', 'lenet-5', '--check-command', command, '-o', 'command.pir', '--json'], inFolder)));
    expect(json.ops).toBe(2);
    const { code, stderr } = await plumbline(['opt', 'command.pir', '--check-command', command], inFolder);
    expect([code, stderr]).toEqual([1, `plumbline: error: command.pir: ${command} does not hold: exit status 1\n`]);
  });
});
