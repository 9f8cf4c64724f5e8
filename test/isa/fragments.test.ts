/** The three code fragments of the Cambricon paper, run on `cambricon-base` and compared with references written here from scratch. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble, disassemble } from '../../isa/assembly.ts';
import { decodeProgram, encodeProgram, isIllegal } from '../../isa/codec.ts';
import type { Port, Program, Segment } from '../../isa/program.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { verifyProgram } from '../../isa/verify.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon-base');
const ONE = 1024;

/** The fragments as the paper prints them. */
const PAPER = {
  mlp: [
    'VLOAD $3, $0, #100',
    'MLOAD $4, $2, #300',
    'MMV $7, $1, $4, $3, $0',
    'VAV $8, $1, $7, $5',
    'VEXP $9, $1, $8',
    'VAS $10, $1, $9, #1',
    'VDV $6, $1, $9, $10',
    'VSTORE $6, $1, #200',
  ],
  pooling: [
    'VLOAD $6, $1, #100',
    'SMOVE $5, $3',
    'SMOVE $4, $3',
    'VGTM $7, $0, $6, $7',
    'SADD $6, $6, $0',
    'SADD $4, $4, #-1',
    'CB #L1, $4',
    'SADD $6, $6, $8',
    'SADD $5, $5, #-1',
    'CB #L0, $5',
    'VSTORE $7, $2, #200',
  ],
  boltzmann: [
    'VLOAD $4, $0, #100',
    'VLOAD $9, $1, #200',
    'MLOAD $5, $2, #300',
    'MLOAD $6, $3, #400',
    'MMV $10, $1, $5, $4, $0',
    'MMV $11, $1, $6, $9, $1',
    'VAV $12, $1, $10, $11',
    'VAV $13, $1, $12, $7',
    'VEXP $14, $1, $13',
    'VAS $15, $1, $14, #1',
    'VDV $16, $1, $14, $15',
    'RV $17, $1',
    'VGT $8, $1, $17, $16',
    'VSTORE $8, $1, #500',
  ],
} as const;

const FRAGMENTS = ['mlp', 'pooling', 'boltzmann'] as const;

function source(name: (typeof FRAGMENTS)[number]): string {
  return readFileSync(new URL(`fragments/${name}.casm`, import.meta.url), 'utf8');
}

/** Raw fixed-point numbers in [-limit, limit], from a multiplicative generator of its own. */
function numbers(count: number, limit: number, seed: number): Int16Array {
  let state = seed;
  return Int16Array.from({ length: count }, () => {
    state = (state * 48271) % 0x7fffffff;
    return (state % (2 * limit + 1)) - limit;
  });
}

const saturate = (x: number): number => Math.min(32767, Math.max(-32768, x));

/** To nearest, ties to even. */
function nearest(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Row-major rows × columns matrix times vector: exact sums, rounded once. */
function matrixTimesVector(matrix: Int16Array, vector: Int16Array): number[] {
  return Array.from({ length: matrix.length / vector.length }, (_, row) => {
    const sum = vector.reduce((total, x, column) => total + x * (matrix[row * vector.length + column] ?? 0), 0);
    return saturate(nearest(sum / ONE));
  });
}

/** e^a / (1 + e^a) with every step in 16 bits. */
function sigmoid(a: number): number {
  const exponential = saturate(nearest(Math.exp(a / ONE) * ONE));
  return nearest((exponential * ONE) / saturate(exponential + ONE));
}

const port = (name: string, address: number, count: number): Port => ({
  name,
  shape: [count],
  element: 'fx16.10',
  address,
  bytes: 2 * count,
  layout: [0],
  stored: 'fx16.10',
  via: [],
});

/** The bytes of a segment with arrays at absolute addresses. */
function image({ start, bytes }: Segment, contents: readonly (readonly [address: number, data: Int16Array])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  for (const [address, data] of contents) data.forEach((x, i) => view.setInt16(address - start + 2 * i, x, true));
  return new Uint8Array(view.buffer);
}

type Layout = Pick<Program, 'inputs' | 'outputs'> & {
  readonly segments: Partial<Program['memory']>;
  readonly constants?: readonly (readonly [address: number, data: Int16Array])[];
};

function program(name: (typeof FRAGMENTS)[number], { inputs, outputs, segments, constants = [] }: Layout): Program {
  const none = { start: 0, bytes: 0 };
  const memory = { constants: none, inputs: none, outputs: none, activations: none, spill: none, ...segments };
  const { code } = assemble(source(name), { file: `${name}.casm`, target });
  return {
    target: target.name,
    code,
    constants: image(memory.constants, constants),
    memory,
    inputs,
    outputs,
    debug: [],
    maxInstructions: 1000,
  };
}

function run(compiled: Program, inputs: Readonly<Record<string, Int16Array>>, output: string): number[] {
  expect(verifyProgram(compiled, target)).toEqual([]);
  const machine = new Machine(compiled, target);
  for (const [name, data] of Object.entries(inputs)) machine.writeInput(name, data);
  expect(machine.run().ended).toBe(true);
  return [...machine.readOutput(output)];
}

describe.each(FRAGMENTS)('%s.casm', (name) => {
  it('goes through bytes and through text unchanged', () => {
    const { code, instructions } = assemble(source(name), { target });
    expect(decodeProgram(code)).toEqual(instructions);
    expect(encodeProgram(instructions.filter((instruction): instruction is AnyInstruction => !isIllegal(instruction)))).toEqual(code);
    expect(assemble(disassemble(code)).code).toEqual(code);
  });

  it('says of every changed line what the paper prints', () => {
    const [fragment = ''] = source(name).split('\n\n').slice(-1);
    const printed = fragment.split('\n').flatMap((line) => {
      const [code = '', comment = ''] = line.split(';');
      if (code.trim() === '' || comment.includes('[added]')) return [];
      return [(/paper: (.*?)(, which .*)?$/.exec(comment)?.[1] ?? code.replace(/^\w+:/, '')).trim()];
    });
    expect(printed).toEqual(PAPER[name]);
  });
});

describe('the perceptron', () => {
  const segments = { inputs: { start: 192, bytes: 136 }, outputs: { start: 384, bytes: 44 }, constants: { start: 576, bytes: 1852 } };

  it.each([1, 2, 3])('computes a layer of 64 inputs and 14 outputs, data %i', (seed) => {
    const [x, weights, bias] = [numbers(64, 2048, seed), numbers(14 * 64, 400, seed + 10), numbers(14, 3000, seed + 20)];
    const compiled = program('mlp', {
      inputs: [port('x', 200, 64)],
      outputs: [port('y', 400, 14)],
      segments,
      constants: [
        [600, weights],
        [2400, bias],
      ],
    });
    const expected = matrixTimesVector(weights, x).map((product, n) => sigmoid(saturate(product + (bias[n] ?? 0))));
    expect(run(compiled, { x }, 'y')).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(8);
  });

  it('saturates where the exponential does', () => {
    const compiled = program('mlp', {
      inputs: [port('x', 200, 64)],
      outputs: [port('y', 400, 14)],
      segments,
      constants: [
        [600, new Int16Array(14 * 64)],
        [2400, Int16Array.from({ length: 14 }, (_, i) => (i - 7) * 4000)],
      ],
    });
    const y = run(compiled, { x: new Int16Array(64) }, 'y');
    // 32 - 2^-10 over the same, for 1 + e^a saturates as well.
    expect(y.at(-1)).toBe(ONE);
    expect(y[7]).toBe(ONE / 2);
    expect(y[0]).toBe(0);
  });
});

describe('the pooling layer', () => {
  const segments = { inputs: { start: 192, bytes: 648 }, outputs: { start: 960, bytes: 72 } };

  it.each([1, 2, 3])('takes the greatest of a 3 × 3 window for each of 16 maps, data %i', (seed) => {
    const x = numbers(4 * 5 * 16, 32767, seed);
    const compiled = program('pooling', { inputs: [port('x', 200, 320)], outputs: [port('y', 1000, 16)], segments });
    const expected = Array.from({ length: 16 }, (_, map) => {
      const window = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => x[(row * 5 + column) * 16 + map] ?? 0));
      return Math.max(...window);
    });
    expect(run(compiled, { x }, 'y')).toEqual(expected);
  });

  it('runs each loop as often as the window is wide', () => {
    const compiled = program('pooling', { inputs: [port('x', 200, 320)], outputs: [port('y', 1000, 16)], segments });
    const machine = new Machine(compiled, target);
    machine.writeInput('x', new Int16Array(320));
    const executed: Record<string, number> = {};
    machine.run({ observers: [{ step: ({ instruction: { mnemonic } }) => (executed[mnemonic] = (executed[mnemonic] ?? 0) + 1) }] });
    expect(executed).toEqual({ SMOVE: 11, SMUL: 1, VLOAD: 1, VMOVE: 1, VGTM: 9, SADD: 24, CB: 12, VSTORE: 1 });
  });
});

describe('the Boltzmann machine', () => {
  const segments = { inputs: { start: 192, bytes: 224 }, outputs: { start: 960, bytes: 56 }, constants: { start: 576, bytes: 370 } };

  it.each([1, 2, 3])('samples 8 hidden units, data %i', (seed) => {
    const [v, h] = [numbers(10, 1024, seed), numbers(8, 1024, seed + 1)];
    const [w, l, bias] = [numbers(80, 1500, seed + 2), numbers(64, 1500, seed + 3), numbers(8, 1500, seed + 4)];
    const compiled = program('boltzmann', {
      inputs: [port('v', 200, 10), port('h', 400, 8)],
      outputs: [port('sample', 1000, 8)],
      segments,
      constants: [
        [600, w],
        [800, l],
        [930, bias],
      ],
    });
    const [visible, hidden] = [matrixTimesVector(w, v), matrixTimesVector(l, h)];
    let state = 0x9e3779b9;
    const expected = visible.map((product, n) => {
      const a = saturate(saturate(product + (hidden[n] ?? 0)) + (bias[n] ?? 0));
      state = (state ^ (state << 13)) >>> 0;
      state = (state ^ (state >>> 17)) >>> 0;
      state = (state ^ (state << 5)) >>> 0;
      return Math.floor((state / 2 ** 32) * ONE) > sigmoid(a) ? ONE : 0;
    });
    expect(run(compiled, { v, h }, 'sample')).toEqual(expected);
    expect(new Set(expected)).toEqual(new Set([0, ONE]));
  });
});
