import { describe, expect, test } from 'vitest';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { bisectGate } from '../../passes/instruments/bisect.ts';
import { dumping, printing } from '../../passes/instruments/printing.ts';
import type { Reproducer } from '../../passes/instruments/reproducer.ts';
import { crashReproducer, parseRunLine, parseSamples, printReproducer } from '../../passes/instruments/reproducer.ts';
import { renderStatistics } from '../../passes/instruments/statistics.ts';
import { renderTiming, timing } from '../../passes/instruments/timing.ts';
import { verifying } from '../../passes/instruments/verifying.ts';
import type { PassObserver } from '../../passes/manager.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { Pass } from '../../passes/pass.ts';
import { invoke, pass } from '../../passes/pass.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { PASSES } from '../../passes/registry.ts';
import { rewrite, rule } from '../../passes/rewrite.ts';

const graph = (body: string): Graph => parseGraph(`graph @test stage(imported) {${body}}`, { file: 'test' });

const CHAIN = graph(`
  %x: f32[2] = input
  %a: f32[2] = relu(%x) from ["a"]
  %b: f32[2] = relu(%a) from ["b"]
  %c: f32[2] = identity(%b) from ["c"]
  %d: f32[2] = clip(%c) {min=-1, max=1} from ["d"]
  output "y" = %d`);

const BASE = { doc: 'A pass of the tests.', meaning: 'exact', requires: [], establishes: [], params: {} } as const;

function diagnosticsOf(run: () => unknown): DiagnosticError['diagnostics'] {
  try {
    run();
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics;
    throw error;
  }
  return [];
}

describe('the manager', () => {
  test('gives the last graph and what each step did', () => {
    const { graph: result, steps } = runPipeline(CHAIN, parsePipeline('fold-constants,simplify'));
    expect(result.ops.map(({ name }) => name)).toEqual(['d']);
    expect(steps.map(({ step, changed }) => [step.pass.name, changed])).toEqual([
      ['fold-constants', false],
      ['simplify', true],
    ]);
    expect(renderStatistics(steps)).toBe('2  simplify: merge-clamps\n1  simplify: remove-identity');
  });

  test('an empty pipeline gives the very same graph', () => {
    expect(runPipeline(CHAIN, parsePipeline('O0')).graph).toBe(CHAIN);
  });

  test('observers nest: before in order, after in reverse', () => {
    const calls: string[] = [];
    const observer = (name: string): PassObserver => ({
      beforePipeline: () => calls.push(`${name} begins`),
      beforePass: ({ index }) => calls.push(`${name} before ${index}`),
      afterPass: ({ index }) => calls.push(`${name} after ${index}`),
      afterPipeline: () => calls.push(`${name} ends`),
    });
    runPipeline(CHAIN, parsePipeline('simplify'), { observers: [observer('outer'), observer('inner')] });
    expect(calls).toEqual([
      'outer begins',
      'inner begins',
      'outer before 0',
      'inner before 0',
      'inner after 0',
      'outer after 0',
      'inner ends',
      'outer ends',
    ]);
  });

  test('what passes warn of is in the record', () => {
    const wide = graph('%x: f32[1] = input %c: f32[1] = constant [100] %y: f32[1] = add(%x, %c) output "y" = %y');
    const { steps } = runPipeline(wide, parsePipeline('to-fixed-point{fraction=12}'));
    expect(steps[0]?.warnings).toEqual(['1 of 1 elements of %c are outside of the range of fx16.12 and saturate']);
  });

  test('how values are stored after the pipeline', () => {
    const pool = graph('%x: f32[1,2,3,4] = input %y: f32[1,2,3,4] = max-pool(%x) {kernel=[1,1]} output "y" = %y');
    const { rearranged } = runPipeline(pool, parsePipeline('legalize-layout'));
    expect([...rearranged]).toEqual([['y', [{ view: [1, 2, 3, 4], permutation: [0, 2, 3, 1] }]]]);
  });

  test('a pass that requires what the graph is not does not run', () => {
    const [diagnostic] = diagnosticsOf(() => runPipeline(CHAIN, parsePipeline('to-fixed-point,simplify,to-fixed-point{fraction=3}')));
    expect(diagnostic).toMatchObject({ kind: 'invalid', code: 'pass/requires', place: ['step 3', 'to-fixed-point{fraction=3}'] });
  });

  test('a pass that does not establish what it says is at fault, unless it was held back', () => {
    const idle = pass({ ...BASE, name: 'idle', establishes: ['legal'], run: (g, _params, context) => (context.allow('nothing'), g) });
    expect(diagnosticsOf(() => runPipeline(CHAIN, [invoke(idle)]))[0]).toMatchObject({ kind: 'violated', code: 'pass/establishes' });
    expect(runPipeline(CHAIN, [invoke(idle)], { bisect: bisectGate(0, () => undefined) }).graph).toBe(CHAIN);
  });
});

describe('printing and dumping', () => {
  const printed = (options: Omit<Parameters<typeof printing>[0], 'write'>): string[] => {
    const lines: string[] = [];
    runPipeline(CHAIN, parsePipeline('fold-constants,simplify'), {
      observers: [printing({ ...options, write: (text) => lines.push(text) })],
    });
    return lines.map((text) => text.split('\n')[0] ?? '');
  };

  test('before, after, all and changed', () => {
    expect(printed({ before: 'all' })).toEqual(['// before step 1: fold-constants', '// before step 2: simplify']);
    expect(printed({ after: ['simplify'] })).toEqual(['// after step 2: simplify']);
    expect(printed({ changed: true })).toEqual(['// unchanged by step 1: fold-constants', '// after step 2: simplify']);
    expect(printed({ before: ['simplify'], changed: true, after: 'all' })).toEqual([
      '// after step 1: fold-constants',
      '// before step 2: simplify',
      '// after step 2: simplify',
    ]);
  });

  test('what is printed parses', () => {
    let text = '';
    runPipeline(CHAIN, parsePipeline('simplify'), { observers: [printing({ after: 'all', write: (each) => (text = each) })] });
    expect(parseGraph(text, { file: 'printed' }).ops).toHaveLength(1);
  });

  test('a file for each step', () => {
    const files: [string, number][] = [];
    runPipeline(CHAIN, parsePipeline('fold-constants,simplify'), { observers: [dumping((file, g) => files.push([file, g.ops.length]))] });
    expect(files).toEqual([
      ['00-input.pir', 4],
      ['01-fold-constants.pir', 4],
      ['02-simplify.pir', 1],
    ]);
  });
});

test('timing takes its clock from outside', () => {
  let now = 0;
  const clock = timing(() => (now += 10));
  runPipeline(CHAIN, parsePipeline('fold-constants,simplify'), { observers: [clock] });
  expect(clock.times).toEqual([
    { step: 'fold-constants', milliseconds: 10 },
    { step: 'simplify', milliseconds: 10 },
  ]);
  expect(renderTiming(clock.times)).toBe(
    '     10.00 ms  50.0%  fold-constants\n     10.00 ms  50.0%  simplify\n     20.00 ms 100.0%  total',
  );
});

describe('verification', () => {
  const broken = (change: (g: Graph) => Graph): Pass => pass({ ...BASE, name: 'broken', run: change });

  test('an invalid graph names the pass', () => {
    const dangling = broken((g) => g.with({ nodes: g.nodes.slice(1) }));
    const [diagnostic] = diagnosticsOf(() => runPipeline(CHAIN, [invoke(dangling)], { observers: [verifying()] }));
    expect(diagnostic).toMatchObject({ kind: 'violated', code: 'ir/undefined', place: ['step 1', 'broken', '%a'] });
  });

  test('so does another signature', () => {
    const renamed = broken((g) => g.with({ outputs: [{ name: 'z', value: 'd' }] }));
    const [diagnostic] = diagnosticsOf(() => runPipeline(CHAIN, [invoke(renamed)], { observers: [verifying()] }));
    expect(diagnostic).toMatchObject({ kind: 'violated', code: 'pass/signature' });
  });
});

describe('the bisection limit', () => {
  const run = (limit: number, pipeline = 'simplify'): { lines: string[]; ops: string[] } => {
    const lines: string[] = [];
    const { graph: result } = runPipeline(CHAIN, parsePipeline(pipeline), {
      bisect: bisectGate(limit, (line) => lines.push(line)),
      observers: [verifying()],
    });
    return { lines, ops: result.ops.map(({ name }) => name) };
  };

  test('numbers every transformation', () => {
    expect(run(Infinity)).toEqual({
      lines: [
        'BISECT: running (1) simplify: merge-clamps on %b',
        'BISECT: running (2) simplify: remove-identity on %c',
        'BISECT: running (3) simplify: merge-clamps on %d',
      ],
      ops: ['d'],
    });
  });

  test('holds back the ones after the limit', () => {
    const { lines, ops } = run(1);
    expect(ops).toEqual(['a', 'c', 'd']);
    expect(lines.slice(0, 2)).toEqual([
      'BISECT: running (1) simplify: merge-clamps on %b',
      'BISECT: NOT running (2) simplify: remove-identity on %c',
    ]);
    expect(run(0).ops).toEqual(['a', 'b', 'c', 'd']);
  });

  test('counts on from pass to pass, and never holds back what lowering needs', () => {
    expect(run(2, 'simplify,eliminate-dead,legalize-layout').lines.filter((line) => line.includes('legalize'))).toEqual([]);
    expect(run(0, 'simplify,legalize-layout').ops).not.toContain('c');
    expect(run(0, 'to-fixed-point').lines).toEqual(['BISECT: NOT running (1) to-fixed-point: convert-graph']);
  });
});

describe('crash reproducers', () => {
  const failing = pass({
    ...BASE,
    name: 'failing',
    params: { after: { kind: 'int', default: 0, doc: 'transformations to make first' } },
    run(g, { after }, context) {
      for (let i = 0; i < after; i++) if (!context.allow('step')) return g;
      throw new Error('boom\nin two lines');
    },
  });
  const vocabulary = { passes: { ...PASSES, failing }, presets: {} };

  test('hold the graph before the pass and the command that fails again', () => {
    const written: Reproducer[] = [];
    const bisect = bisectGate(5, () => undefined);
    const observers = [crashReproducer({ options: ['--verify-each'], bisect, write: (reproducer) => written.push(reproducer) })];
    expect(() => runPipeline(CHAIN, parsePipeline('simplify,failing{after=1}', vocabulary), { bisect, observers })).toThrow('boom');
    const [{ text, constants } = { text: '', constants: new Map<string, Uint8Array>() }] = written;
    expect(text.split('\n').slice(0, 5)).toEqual([
      '// RUN: opt -p "failing{after=1}" --verify-each --bisect-limit 2',
      '// PIPELINE: simplify,failing{after=1}',
      '// FAILED: step 2, failing{after=1}',
      '// ERROR: boom',
      '// in two lines',
    ]);
    const again = parseGraph(text, { file: 'reproducer', constants });
    expect(again.ops.map(({ name }) => name)).toEqual(['d']);
    const { pipeline, options } = parseRunLine(text, 'reproducer', vocabulary);
    expect(options).toEqual(['--verify-each', '--bisect-limit', '2']);
    expect(() => runPipeline(again, pipeline, { bisect: bisectGate(2, () => undefined) })).toThrow('boom');
  });

  test('are written when a check after the pass fails, too', () => {
    const written: string[] = [];
    const harmful = pass({ ...BASE, name: 'harmful', run: (g) => g.with({ outputs: [] }) });
    expect(() =>
      runPipeline(CHAIN, [invoke(harmful)], { observers: [crashReproducer({ write: ({ text }) => written.push(text) }), verifying()] }),
    ).toThrow(DiagnosticError);
    expect(written).toHaveLength(1);
    expect(written[0]).toContain('// RUN: opt -p "harmful"\n');
    expect(written[0]).toContain(printGraph(CHAIN).text);
  });

  test('hold samples and options with blanks', () => {
    const inputs = new Map([['x', { type: tensorType('f32', [2]), data: Float32Array.of(0.1, -0) }]]);
    const options = ['--check', 'sqnr > 40dB', '--target', 'mine.json'];
    const { text } = printReproducer({
      graph: CHAIN,
      pipeline: parsePipeline('simplify'),
      options,
      notes: ['a'],
      samples: [{ inputs, label: 7 }],
    });
    expect(text.split('\n').slice(0, 4)).toEqual([
      '// RUN: opt -p "simplify" --check "sqnr > 40dB" --target mine.json',
      '// a',
      '// SAMPLE 1: %x = [0.1, -0]',
      '// CLASS 1: 7',
    ]);
    expect(parseRunLine(text, 'file').options).toEqual(options);
    expect(parseSamples(text, CHAIN, 'file')).toEqual([{ inputs, label: 7 }]);
    expect(parseSamples(printGraph(CHAIN).text, CHAIN, 'file')).toEqual([]);
  });

  test.each([
    ['SAMPLE 1: %x = 1, 2', 'file:1: values have the form %name = [1, 2]'],
    ['SAMPLE 1: %y = [1, 2]', 'file:1: the graph has no input %y'],
    ['SAMPLE 1: %x = [1]', 'file:1: input %x has 2 elements, not 1'],
    ['SAMPLE 1: %x = [1, two]', 'file:1: element 1 of %x: two is no number'],
    ['CLASS 1: seven', 'file:1: seven is no class'],
    ['CLASS 1: 7', 'file: sample 1 has no values for input %x'],
  ])('refuse the samples // %s', (line, message) => {
    expect(() => parseSamples(`// ${line}\n`, CHAIN, 'file')).toThrow(message);
  });

  test('a file without a command is refused', () => {
    for (const text of ['graph', '// RUN: opt -p nothing', '// RUN: opt -p "\\x"'])
      expect(diagnosticsOf(() => parseRunLine(text, 'file'))[0]).toMatchObject({ kind: 'invalid' });
  });
});

describe('the rewrite driver', () => {
  test('a rule that never ends is named', () => {
    const swap = rule('swap-forever', {
      doc: 'add(a, b) → add(b, a)',
      ops: ['add'],
      apply: (node, rewriter) => rewriter.make('add', node.inputs.toReversed()),
    });
    const endless = pass({ ...BASE, name: 'endless', run: (g, _params, context) => rewrite(g, [swap], context) });
    const sum = graph('%x: f32[1] = input %y: f32[1] = add(%x, %x) output "y" = %y');
    expect(diagnosticsOf(() => runPipeline(sum, [invoke(endless)]))[0]).toMatchObject({
      code: 'rewrite/loop',
      message: 'rewriting does not end: the rule swap-forever still applied after 256 rewrites',
      place: ['%y'],
    });
  });

  test('new nodes are named after the value that they help to replace, and never like another one', () => {
    const split = rule('split', {
      doc: 'clip(x) → relu(relu(x))',
      ops: ['clip'],
      apply(node, rewriter) {
        const [x = ''] = node.inputs;
        expect(rewriter.users(x).map(({ name }) => name)).toEqual(['y']);
        expect(rewriter.isOnlyUser(x, node)).toBe(true);
        return rewriter.make('relu', [rewriter.make('relu', [x], {}, { suffix: 'inner' })]);
      },
    });
    const splitting = pass({ ...BASE, name: 'splitting', run: (g, _params, context) => rewrite(g, [split], context) });
    const input = graph('%y/inner: f32[1] = input %y: f32[1] = clip(%y/inner) {min=0} from ["clip"] output "y" = %y');
    expect(runPipeline(input, [invoke(splitting)]).graph.ops.map(({ name, inputs, origin }) => ({ name, inputs, origin }))).toEqual([
      { name: 'y/inner.1', inputs: ['y/inner'], origin: ['clip'] },
      { name: 'y', inputs: ['y/inner.1'], origin: ['clip'] },
    ]);
  });
});
