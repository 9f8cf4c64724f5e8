/** Tensor by tensor: the four errors, what is aligned with what, the verdicts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import type { PassInvocation, Sample } from '../../passes/pass.ts';
import { invoke, pass } from '../../passes/pass.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { CompareOptions, TensorComparison, TensorDiff } from '../../runtime/diff/tensors.ts';
import { compareTraces } from '../../runtime/diff/tensors.ts';
import { sourceNumbers, storedTensor } from '../../runtime/diff/trace.ts';
import { graphsWithInputs } from '../support/arbitraries.ts';
import { graphOf, traceOf } from '../support/traces.ts';
import { randomTensor } from '../support/random-tensor.ts';

const f32 = (...data: number[]): Tensor => tensor(tensorType('f32', [data.length]), Float32Array.from(data));

/** Changes the constants of some names, under a meaning of its own. */
function planted(meaning: 'exact' | 'lossy', name: string, change: (x: number, i: number) => number): PassInvocation {
  const replaced = (graph: Graph): Graph =>
    graph.with({
      nodes: graph.nodes.map((node) => {
        if (node.kind !== 'constant' || node.name !== name) return node;
        return { ...node, value: { type: node.type, data: floats(node.value).map(change) } };
      }),
    });
  return invoke(pass({ name: 'planted', doc: 'A fault.', meaning, requires: [], establishes: [], params: {}, run: replaced }));
}

const compare = (
  graph: Graph,
  before: string,
  after: string | readonly PassInvocation[],
  samples: readonly Sample[],
  options?: CompareOptions,
) => {
  const passes = typeof after === 'string' ? parsePipeline(after) : after;
  return compareTraces(traceOf(graph, parsePipeline(before), samples), traceOf(graph, passes, samples), options);
};

const named = ({ tensors }: TensorComparison, name: string): TensorDiff => {
  const found = tensors.find(({ value }) => value === name);
  if (!found) throw new Error(`%${name} is not compared`);
  return found;
};

describe('the four errors', () => {
  // y = 2·(x + 1), z = y + 10; the program adds 1.5 and 9 instead.
  const graph = graphOf(`
  %x: f32[2] = input
  %one: f32[2] = constant [1, 1]
  %two: f32[2] = constant [2, 2]
  %ten: f32[2] = constant [10, 10]
  %a: f32[2] = add(%x, %one) from ["A"]
  %y: f32[2] = mul(%a, %two) from ["Y"]
  %z: f32[2] = add(%y, %ten) from ["Z"]
  output "z" = %z`);
  const faults = [planted('lossy', 'one', () => 1.5), planted('lossy', 'ten', () => 9)];
  const samples = [new Map([['x', f32(1, 2)]])];

  it('are told apart', async () => {
    const found = await compare(graph, 'O0', faults, samples, { without: true });
    const errors = ({ cumulative, local, inherited }: TensorDiff): number[] =>
      [cumulative, local, inherited].map(({ meanError }) => meanError);
    // [as the program ran, this op alone, through its operands]
    expect(errors(named(found, 'a'))).toEqual([0.5, 0.5, 0]);
    expect(errors(named(found, 'y'))).toEqual([1, 0, 1]);
    expect(errors(named(found, 'z'))).toEqual([0, -1, 1]);
  });

  it('reach the outputs', async () => {
    const found = await compare(graph, 'O0', faults, samples, { without: true });
    // z is 14 and 16. With the fault of a alone both are 1 too great, with that of z alone 1 too small; together they cancel.
    const one = 10 * Math.log10((14 ** 2 + 16 ** 2) / 2);
    expect(named(found, 'a').effectDecibels).toBeCloseTo(one, 9);
    expect(named(found, 'y').effectDecibels).toBe(Infinity);
    expect(named(found, 'z').effectDecibels).toBeCloseTo(one, 9);
    expect(found.outputDecibels).toBe(Infinity);
    expect(named(found, 'a').withoutDecibels).toBeCloseTo(one, 9);
    expect(named(found, 'y').withoutDecibels).toBe(Infinity);
    expect(named(found, 'z').withoutDecibels).toBeCloseTo(one, 9);
  });

  it('can be of one value', async () => {
    expect((await compare(graph, 'O0', faults, samples, { only: 'y' })).tensors.map(({ value }) => value)).toEqual(['y']);
  });

  it('are of the same inputs, or of nothing', async () => {
    const [a, b] = [samples, [new Map([['x', f32(1, 3)]])]].map((given) => traceOf(graph, [], given));
    if (a && b) await expect(compareTraces(a, b)).rejects.toThrow('input %x did not hold the same numbers');
  });

  it('stop where they are told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(compare(graph, 'O0', faults, samples, { signal })).rejects.toThrow('enough');
  });
});

describe('verdicts', () => {
  const network = (): Graph =>
    graphOf(`
  %x: f32[1,16] = input
  %w1: f32[16,1] = constant [${Array.from({ length: 16 }, (_, i) => (((i * 37) % 29) - 14) / 17).join(', ')}]
  %w2: f32[1,16] = constant [${Array.from({ length: 16 }, (_, i) => (((i * 23) % 31) - 15) / 17).join(', ')}]
  %w3: f32[16,1] = constant [${Array.from({ length: 16 }, (_, i) => (((i * 11) % 13) - 6) / 7).join(', ')}]
  %a: f32[1,1] = gemm(%x, %w1) from ["A"]
  %b: f32[1,16] = gemm(%a, %w2) from ["B"]
  %r: f32[1,16] = relu(%b) from ["R"]
  %c: f32[1,1] = gemm(%r, %w3) from ["C"]
  output "c" = %c`);
  const samples = Array.from({ length: 32 }, (_, i) => new Map([['x', randomTensor(tensorType('f32', [1, 16]), i + 1, 'ordinary')]]));

  it('are ok where nothing changed', async () => {
    const found = await compare(network(), 'O0', 'O0', samples);
    expect(found.tensors.map(({ verdict, cumulative }) => [verdict, cumulative.sqnrDecibels])).toEqual(
      found.tensors.map(() => ['ok', Infinity]),
    );
    expect(found.contract).toEqual({ meaning: 'exact' });
  });

  it('expect the loss of fixed point', async () => {
    const found = await compare(network(), 'legalize-layout', 'legalize-layout,to-fixed-point{fraction=10}', samples);
    expect(found.tensors.map(({ value, verdict }) => [value, verdict])).toEqual([
      ['x/fixed', 'expected loss'],
      ['a', 'expected loss'],
      ['b', 'expected loss'],
      ['r', 'ok'],
      ['c', 'expected loss'],
    ]);
    for (const { excessDecibels, verdict } of found.tensors) if (verdict !== 'ok') expect(Math.abs(excessDecibels)).toBeLessThan(4);
    expect(found.inside).toEqual([{ side: 'program', value: 'c/float', op: 'dequantize', inside: 'c' }]);
  });

  it('suspect a fault that rounding does not explain, and name it first', async () => {
    const passes = [planted('lossy', 'w2', (x) => x * 1.05), ...parsePipeline('legalize-layout,to-fixed-point{fraction=10}')];
    const found = await compare(network(), 'legalize-layout', passes, samples);
    const worst = [...found.tensors].sort((a, b) => a.effectDecibels - b.effectDecibels)[0];
    expect(worst).toMatchObject({ value: 'b', verdict: 'suspicious' });
    expect(worst?.reason).toMatch(/dB above what rounding explains/);
    expect(found.tensors.filter(({ verdict }) => verdict === 'suspicious')).toHaveLength(1);
  });

  it('expect the loss of an f32 result of integers, which has no steps to be counted in', async () => {
    const program = graphOf(`
  %x: f32[1,2] = input
  %x/i8: i8<0.0625>[1,2] = quantize(%x) {to=i8<0.0625>}
  %w: i8<0.03125>[2,2] = constant [32, 17, -9, 5]
  %b: i32[2] = constant [512, -512]
  %y: f32[1,2] = gemm(%x/i8, %w, %b) {result=f32} from ["Y"]
  output "y" = %y`);
    const reference = graphOf(`
  %x: f32[1,2] = input
  %w: f32[2,2] = constant [1, 0.54, -0.27, 0.16]
  %b: f32[2] = constant [1, -1]
  %y: f32[1,2] = gemm(%x, %w, %b) from ["Y"]
  output "y" = %y`);
    const inputs = Array.from({ length: 64 }, (_, i) => new Map([['x', randomTensor(tensorType('f32', [1, 2]), i, 'ordinary')]]));
    const found = await compareTraces(traceOf(reference, [], inputs), traceOf(program, [], inputs), { contract: { meaning: 'lossy' } });
    expect(named(found, 'y').verdict).toBe('expected loss');
    expect(Math.abs(named(found, 'y').excessDecibels)).toBeLessThan(4);
    expect(named(found, 'y').cumulative).not.toHaveProperty('rmseSteps');
    expect(named(found, 'x/i8').cumulative.rmseSteps).toBeCloseTo(0.289, 1);
  });

  it('suspect what does not fit its type', async () => {
    const wide = samples.map(
      (sample) => new Map([['x', { ...(sample.get('x') as Tensor), data: floats(sample.get('x') as Tensor).map((x) => x * 100) }]]),
    );
    const found = await compare(network(), 'legalize-layout', 'legalize-layout,to-fixed-point{fraction=10}', wide);
    const input = named(found, 'x/fixed');
    expect(input.verdict).toBe('suspicious');
    expect(input.local.saturated).toBeGreaterThan(0.1);
    expect(input.reason).toContain('clamped to the range of its type');
  });

  it('call a broken promise broken, whatever it does to the outputs', async () => {
    const fault = (change: (x: number) => number) => compare(network(), 'O0', [planted('exact', 'w2', change)], samples);
    const found = await fault((x) => x + 2 ** -20);
    expect(found.tensors.filter(({ verdict }) => verdict !== 'ok').map(({ value }) => value)).toEqual(['b']);
    expect(named(found, 'b')).toMatchObject({ verdict: 'broken' });
    expect(named(found, 'b').reason).toContain('promise every bit');
  });

  it('call NaN and infinity broken where they appear, and not downstream', async () => {
    const found = await compare(network(), 'O0', [planted('lossy', 'w2', (x, i) => (i === 3 ? NaN : x))], samples);
    expect(found.tensors.map(({ value, verdict }) => [value, verdict])).toEqual([
      ['a', 'ok'],
      ['b', 'broken'],
      ['r', 'ok'],
      ['c', 'ok'],
    ]);
    expect(named(found, 'b').reason).toBe('32 of 512 elements became NaN or infinite');
    expect(named(found, 'b')).toMatchObject({ effectDecibels: -Infinity, excessDecibels: Infinity });
  });
});

describe('alignment', () => {
  const convolution = graphOf(`
  %x: f32[1,2,3,3] = input
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %scale: f32[2] = constant [1, 2]
  %bias: f32[2] = constant [0.5, 1]
  %mean: f32[2] = constant [0, 1]
  %var: f32[2] = constant [1, 2]
  %c: f32[1,2,3,3] = conv(%x, %w) from ["Conv"]
  %n: f32[1,2,3,3] = batch-norm(%c, %scale, %bias, %mean, %var) from ["Norm"]
  %r: f32[1,2,3,3] = relu(%n) from ["Relu"]
  %p: f32[1,2,1,1] = average-pool(%r) {kernel=[3,3]} from ["Pool"]
  output "p" = %p`);
  const samples = [1, 2].map((seed) => new Map([['x', randomTensor(tensorType('f32', [1, 2, 3, 3]), seed, 'ordinary')]]));

  it('undoes layouts, and says where fused values are', async () => {
    const found = await compare(convolution, 'legalize-layout', 'O1,legalize-layout', samples);
    expect(found.tensors.map(({ value, verdict }) => [value, verdict])).toEqual([
      ['r', 'ok'],
      ['p', 'ok'],
    ]);
    expect(named(found, 'r').cumulative.sqnrDecibels).toBeGreaterThan(120);
    const inside = found.inside.filter(({ side }) => side === 'reference').map((each) => [each.value, each.inside]);
    expect(inside).toContainEqual(['c', 'r']);
    expect(inside).toContainEqual(['n', 'r']);
  });

  it('compares a graph of images channels last with the imported one', async () => {
    const found = await compare(convolution, 'O0', 'legalize-layout', samples);
    expect(found.tensors.map(({ cumulative }) => cumulative.sqnrDecibels > 120)).not.toContain(false);
    expect(named(found, 'c')).toMatchObject({ type: 'f32[1,3,3,2]', cumulative: { sqnrDecibels: Infinity } });
  });

  it('tells depthwise convolutions from others', async () => {
    const graph = graphOf(`
  %x: f32[1,2,3,3] = input
  %d: f32[2,1,1,1] = constant [1, 2]
  %w: f32[2,2,1,1] = constant [1, 2, 3, 4]
  %m: f32[4,1,1,1] = constant [1, 2, 3, 4]
  %a: f32[1,2,3,3] = conv(%x, %d) {groups=2} from ["A"]
  %b: f32[1,2,3,3] = conv(%a, %w) from ["B"]
  %c: f32[1,4,3,3] = conv(%b, %m) {groups=2} from ["C"]
  output "c" = %c`);
    const kinds = async (passes: string): Promise<string[]> => (await compare(graph, 'O0', passes, samples)).tensors.map(({ op }) => op);
    expect(await kinds('O0')).toEqual(['depthwise-conv', 'conv', 'conv']);
    expect(await kinds('legalize-layout')).toEqual(expect.arrayContaining(['depthwise-conv', 'conv', 'conv']));
  });

  it('compares what the program knows without computing it', async () => {
    const known = graphOf(`
  %x: f32[2] = input
  %a: f32[2] = constant [1, 2]
  %b: f32[2] = add(%a, %a) from ["B"]
  %y: f32[2] = add(%x, %b) from ["Y"]
  output "y" = %y`);
    const found = await compare(known, 'O0', 'fold-constants', [new Map([['x', f32(1, 2)]])]);
    expect(named(found, 'b')).toMatchObject({ op: 'constant', verdict: 'ok', local: { sqnrDecibels: Infinity } });
  });

  it('clamps integers to bounds that they hold', async () => {
    const clamped = graphOf(`
  %x: i8<0.5,3>[2] = input
  %q: i8<0.015625,-128>[2] = requantize(%x) {to=i8<0.015625,-128>} from ["Q"]
  %y: i8<0.015625,-128>[2] = clip(%q) {min=-2, max=-2.25} from ["Y"]
  output "y" = %y`);
    const x = { type: tensorType('i8<0.5,3>', [2]), data: Int8Array.of(31, 3) };
    const found = await compare(clamped, 'O0', 'O0', [new Map([['x', x]])]);
    expect(named(found, 'y')).toMatchObject({ verdict: 'ok', local: { sqnrDecibels: Infinity } });
  });

  it('finds nothing between a random graph of any types and itself', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(graphsWithInputs(), async ({ graph, inputs }) => {
        for (const contract of [{ meaning: 'exact' }, { meaning: 'lossy' }] as const) {
          const { tensors, inside } = await compare(graph, 'O0', 'O0', [inputs], { contract });
          for (const { verdict, local, inherited, cumulative, effectDecibels } of tensors)
            expect([verdict, local.sqnrDecibels, inherited.sqnrDecibels, cumulative.sqnrDecibels, effectDecibels]).toEqual([
              'ok',
              Infinity,
              Infinity,
              Infinity,
              Infinity,
            ]);
          expect(inside).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('finds no broken promise of O1 on random graphs', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(graphsWithInputs({ elements: ['f32'] }), async ({ graph, inputs }) => {
        const optimized = await compare(graph, 'O0', 'O1', [inputs]);
        expect(optimized.tensors.filter(({ verdict }) => verdict !== 'ok').map(({ value, reason }) => [value, reason])).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('orders of storage', () => {
  it('are undone exactly', () => {
    const values = Float64Array.from({ length: 24 }, (_, i) => i);
    const layout = [
      { view: [1, 2, 3, 4], permutation: [0, 2, 3, 1] },
      { view: [4, 6], permutation: [1, 0] },
    ];
    const stored = storedTensor(values, tensorType('f32', [24]), layout);
    expect(Array.from(stored.data as Float32Array)).not.toEqual(Array.from(values));
    expect(sourceNumbers(stored, layout)).toEqual(values);
    expect(Array.from(storedTensor(values, tensorType('f32', [1, 3, 4, 2]), layout.slice(0, 1)).data as Float32Array).slice(0, 4)).toEqual([
      0, 12, 1, 13,
    ]);
  });
});
