/** The code that lowering makes: how much of it there is, where things stand, and its tiled text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { FEWEST_REGISTERS } from '../../compiler/lower/registers.ts';
import { parseTiled } from '../../compiler/lower/tiled-parse.ts';
import { printTiled } from '../../compiler/lower/tiled-text.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { disassemble } from '../../isa/assembly.ts';
import { instructionCount } from '../../isa/program.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { expectAgreement } from '../support/agreement.ts';
import { arbitraryConv, convGraph, gemmGraph, poolGraph, values, withSmallScratchpads } from '../support/layers.ts';
import { loadTarget } from '../support/targets.ts';

const cambricon = loadTarget('cambricon');
const small = withSmallScratchpads(cambricon);

describe('code', () => {
  const sized = (size: number, batch: number): Graph =>
    convGraph({
      batch,
      height: size,
      width: size,
      channels: 3,
      outputs: 8,
      kernel: [3, 3],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
      bias: true,
      activation: 'relu',
    });

  it('does not grow with image size or batch', () => {
    const count = (graph: Graph): number => instructionCount(lower(graph, cambricon).program);
    const tiled = count(sized(56, 1));
    expect(count(sized(448, 1))).toBeLessThanOrEqual(tiled + 4);
    expect(count(sized(56, 16))).toBeLessThanOrEqual(tiled + 10);
    // A whole image that fits in one tile needs no loop over tiles.
    expect(count(sized(12, 1))).toBeLessThan(tiled);
  });

  it('is the same bytes every time', () => {
    const [a, b] = [lower(sized(28, 2), cambricon).program, lower(sized(28, 2), cambricon).program];
    expect(a).toEqual(b);
  });

  it('puts what streams together into banks apart, in both slots, where there is room', () => {
    const c = { batch: 1, height: 56, width: 56, channels: 32, outputs: 32, kernel: [3, 3], strides: [2, 2], dilations: [1, 1] } as const;
    const { memory } = lower(poolGraph({ ...c, pads: [0, 0, 1, 1], bias: false, activation: 'none' }), cambricon);
    const locals = memory.uses.find(({ space }) => space === 'vector')?.buffers ?? [];
    const banks = locals.map(({ buffer, slot, address }) => `${buffer.name}[${slot}] ${(address / cambricon.memory.bankBytes) % 2}`);
    expect(banks.sort()).toEqual(['.out[0] 1', '.out[1] 1', '.x[0] 0', '.x[1] 0']);
  });

  it('needs fewer registers than there are, and works with far fewer', () => {
    const graph = convGraph({
      batch: 2,
      height: 10,
      width: 9,
      channels: 3,
      outputs: 8,
      kernel: [3, 2],
      strides: [2, 1],
      dilations: [1, 2],
      pads: [1, 0, 2, 1],
      bias: true,
      activation: 'relu',
    });
    const inputs = new Map([['x', values([2, 10, 9, 3], 9)]]);
    const roomy = lower(graph, small);
    expectAgreement(graph, roomy, small, inputs);
    for (const registers of [FEWEST_REGISTERS, 16, 24]) {
      const tight = lower(graph, small, { registers });
      expectAgreement(graph, tight, small, inputs);
      const highest = Math.max(...used(tight.program.code));
      expect(highest).toBeLessThan(registers);
    }
    expect(lower(graph, small, { registers: FEWEST_REGISTERS }).program.memory.spill.bytes).toBeGreaterThan(0);
    expect(roomy.program.memory.spill.bytes).toBe(0);
  });

  it('stays in the bound on executed instructions that it states', () => {
    fc.assert(
      fc.property(arbitraryConv, (c) => {
        const graph = convGraph(c);
        const { program } = lower(graph, small);
        const machine = new Machine(program, small);
        machine.writeInput('x', values(graph.inputs[0]?.type.shape ?? [], 9).data as Float32Array);
        expect(machine.run().instructions).toBeLessThanOrEqual(program.maxInstructions);
      }),
      { numRuns: 40 },
    );
  });
});

/** Registers that the words of a program name in published positions, whatever they are for: an upper bound on those allocated. */
function used(code: Uint32Array): readonly number[] {
  const numbers: number[] = [];
  for (let i = 0; i < code.length; i += 2) numbers.push(((code[i] ?? 0) >>> 18) & 63);
  return numbers.filter((number) => number !== 63);
}

describe('tiled text', () => {
  it('parses to what was printed', () => {
    fc.assert(
      fc.property(arbitraryConv, (c) => {
        const { tiled } = lower(convGraph(c), small);
        const { text, constants } = printTiled(tiled);
        const parsed = parseTiled(text, { file: 'test', constants });
        expect(parsed).toEqual(tiled);
        expect(printTiled(parsed).text).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it('names line and column of what is wrong', () => {
    const { text, constants } = printTiled(lower(gemmGraph(1, 4, 4, false), cambricon).tiled);
    const parse = (changed: string) => () => parseTiled(changed, { file: 'x.tiled', constants });
    expect(parse(text.replace('VMM.f32', 'VXX.f32'))).toThrow(/x\.tiled: \d+:\d+: unknown instruction VXX/);
    expect(parse(text.replace('in_size=4', 'in_size=four'))).toThrow(/expected \(/);
    expect(parse(text.replace('in_size=4', 'inn_size=4'))).toThrow(/VMM needs in_size/);
    expect(parse(text.slice(0, -4))).toThrow(/ends too early|expected/);
    expect(parse('('.repeat(1e5))).toThrow(/expected tiled/);
    expect(parse(`tiled @a target(b) { section @s from [] { ${'for %i in 0 .. 1 { '.repeat(200)}`)).toThrow(/nested deeper/);
  });
});

describe('legalization', () => {
  it('leaves alone what is in the target’s own fixed point already', () => {
    const target = loadTarget('cambricon-base');
    const program = (passes: string): string =>
      disassemble(
        compileModel(loadGraph(findModel('lenet-300-100'), { batch: 1 }), { target, passes: parsePipeline(passes) }).program.code,
      );
    expect(program('O1,to-fixed-point')).toBe(program('O1'));
    expect(() => program('O1,to-fixed-point{fraction=8}')).toThrow(
      'has the element type fx16.8, and cambricon-base computes in fx16.10 only',
    );
  });
});
