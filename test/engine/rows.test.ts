/** Repeated products and operations in every shape of blocks: what is left over of rows, outputs and elements, and rows that are one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPACES, TYPES } from '../../isa/fields.ts';
import type { Mnemonic } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import { CountingMachine, expectSameState } from '../support/engines.ts';
import { fillSpaces, programOf } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';
import { runs } from '../support/effort.ts';

const cambricon = loadTarget('cambricon');
const TARGET = { ...cambricon, memory: { ...cambricon.memory, matrixBytes: 2 ** 16 } };
const OUT = 0x4000;
const A = 0x8000;
const B = 0xc000;

/** Moderate numbers, other bits, and NaN; those of half the seeds are finite in every type. */
function numbers(seed: number): () => number {
  const mask = seed % 2 === 0 ? 0xbfbfbfbf : -1;
  let state = seed;
  return () => {
    state = xorshift32(state);
    return (state & 0x3ff ? 0x3f000000 + (state & 0x80ffffff) : 0x7fa00000) & mask;
  };
}

/** Runs one instruction on both engines with some words in all scratchpads. Gives how often the fast one was entered. */
function expectSame(instruction: string, registers: Readonly<Record<number, number>>, words: () => () => number): number {
  const [plain, fast] = [new Machine(programOf(instruction), TARGET), new CountingMachine(programOf(instruction), TARGET)] as const;
  const [expected, actual] = [plain, fast].map((machine) => {
    const { memory } = machine;
    fillSpaces(machine, words());
    for (const space of SPACES) memory.initialised[space].add(0, memory.layout.size[space]);
    for (const [register, value] of Object.entries(registers)) machine.registers[Number(register)] = value;
    try {
      return machine.run();
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      return error.message;
    }
  });
  expect(actual).toEqual(expected);
  expectSameState(fast, plain);
  return fast.entries;
}

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });

/** The instructions in each of their types, the type as a suffix. */
function inTypes(...mnemonics: readonly Mnemonic[]): (readonly [mnemonic: Mnemonic, type: string])[] {
  return mnemonics.flatMap((mnemonic) =>
    (recordOf(mnemonic).types ?? TYPES.any).map((type) => [mnemonic, type === 'fx16' ? '' : `.${type}`] as const),
  );
}
const PRODUCTS = inTypes('VMM', 'MMV', 'VCMM');

describe('rows', () => {
  it.each(PRODUCTS)('of %s%s are summed by the fast engine itself', (mnemonic, type) => {
    const registers = { 1: OUT, 2: 45, 3: 64, 4: A, 5: 37, 6: 5, 7: 512, 8: 48 };
    for (const acc of type === '' ? [''] : ['', '.acc'])
      for (const words of [() => numbers(1), () => numbers(2), () => () => 0x80008000])
        expect(expectSame(`${mnemonic}${type}${acc}.rep $1, $2, $3, $4, $5, $6, $7, $8`, registers, words)).toBe(1);
  });

  it('of products are the same, whatever their shape', () => {
    fc.assert(
      fc.property(
        fc.record({
          product: fc.constantFrom(...PRODUCTS, ...inTypes('VMM')),
          acc: fc.boolean(),
          outputs: fc.integer({ min: 1, max: 60 }),
          inputs: fc.nat({ max: 12 }),
          rows: fc.nat({ max: 9 }),
          outStride: fc.constantFrom(0, 0, 240, 256, -240, 480, 512, -480),
          inStride: fc.constantFrom(0, 2, 4, 7, 48, -48, 800),
          seed,
        }),
        ({ product: [mnemonic, type], acc, outputs, inputs, rows, outStride, inStride, seed }) =>
          void expectSame(
            `${mnemonic}${type}${acc && type !== '' ? '.acc' : ''}.rep $1, $2, $3, $4, $5, $6, $7, $8`,
            { 1: OUT, 2: outputs, 3: 64, 4: A, 5: inputs, 6: rows, 7: outStride, 8: inStride },
            () => numbers(seed),
          ),
      ),
      { numRuns: runs(300) },
    );
  });

  it('of operations are the same, apart, one, or in place', () => {
    fc.assert(
      fc.property(
        fc.record({
          operation: fc.constantFrom(...inTypes('VMAC', 'VAV', 'VSV', 'VMV', 'VDV', 'VGTM', 'VGT')),
          size: fc.integer({ min: 1, max: 40 }),
          rows: fc.nat({ max: 6 }),
          stride: fc.constantFrom(0, 40, 80, 160, 176, -160),
          inPlace: fc.boolean(),
          aStride: fc.constantFrom(0, 40, 80, 160, 2 * 160),
          bStride: fc.constantFrom(0, 0, 40, 80, 160, -4),
          seed,
        }),
        ({ operation: [mnemonic, type], size, rows, stride, inPlace, aStride, bStride, seed }) =>
          void expectSame(
            `${mnemonic}${type}.rep $1, $2, $3, $4, $5, $6, $7, $8`,
            { 1: OUT, 2: size, 3: inPlace ? OUT : A, 4: B, 5: rows, 6: stride, 7: inPlace ? stride : aStride, 8: bStride },
            () => numbers(seed),
          ),
      ),
      { numRuns: runs(300) },
    );
  });

  it('of transfers are the same, and where they overlap or are misaligned', () => {
    fc.assert(
      fc.property(
        fc.record({
          transfer: fc.constantFrom(...inTypes('VLOAD3', 'VSTORE3')),
          size: fc.integer({ min: 1, max: 70 }),
          rows: fc.nat({ max: 4 }),
          dramStride: fc.constantFrom(0, 280, 300, -280, 140, 100),
          planes: fc.nat({ max: 4 }),
          localPlaneStride: fc.constantFrom(0, 1120, 1200, -1120, 560, 562, 300),
          dramPlaneStride: fc.constantFrom(0, 1120, 1200, 280, 140, 70, 71),
          seed,
        }),
        ({ transfer: [mnemonic, type], size, rows, dramStride, planes, localPlaneStride, dramPlaneStride, seed }) =>
          void expectSame(
            `${mnemonic}${type} $1, $2, $3, $4, $5, $6, $7, $8`,
            { 1: OUT, 2: size, 3: 0x1000, 4: rows, 5: dramStride, 6: planes, 7: localPlaneStride, 8: dramPlaneStride },
            () => numbers(seed),
          ),
      ),
      { numRuns: runs(200) },
    );
  });
});
