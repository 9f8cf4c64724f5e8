/** Repeated products and operations in every shape of blocks: what is left over of rows, outputs and elements, and rows that are one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPACES } from '../../isa/fields.ts';
import { FastMachine } from '../../runtime/engine/fast-machine.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import { fillSpaces, programOf, snapshot } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';

const TARGET = loadTarget('cambricon');
const OUT = 0x4000;
const A = 0x8000;
const B = 0xc000;

/** Runs one instruction on both engines with numbers in all scratchpads. */
function expectSame(instruction: string, registers: Readonly<Record<number, number>>, seed: number): void {
  const [plain, fast] = [new Machine(programOf(instruction), TARGET), new FastMachine(programOf(instruction), TARGET)].map((machine) => {
    const { memory } = machine;
    let state = seed;
    fillSpaces(machine, () => {
      state = xorshift32(state);
      return state & 0x3ff ? 0x3f000000 + (state & 0x80ffffff) : 0x7fa00000;
    });
    for (const space of SPACES) memory.initialised[space].add(0, memory.layout.size[space]);
    for (const [register, value] of Object.entries(registers)) machine.registers[Number(register)] = value;
    let end: unknown;
    try {
      end = machine.run();
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      end = error.message;
    }
    return { end, ...snapshot(machine) };
  });
  expect(fast?.end).toEqual(plain?.end);
  expect(fast?.rest).toBe(plain?.rest);
  expect(Buffer.compare(fast?.bytes ?? Buffer.of(), plain?.bytes ?? Buffer.of())).toBe(0);
}

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const type = fc.constantFrom('', '.f32');

describe('rows', () => {
  it('of products are the same, whatever their shape', () => {
    fc.assert(
      fc.property(
        fc.record({
          mnemonic: fc.constantFrom('VMM', 'VMM', 'MMV'),
          type,
          acc: fc.boolean(),
          outputs: fc.integer({ min: 1, max: 60 }),
          inputs: fc.nat({ max: 12 }),
          rows: fc.nat({ max: 9 }),
          outStride: fc.constantFrom(0, 0, 240, 256, -240),
          inStride: fc.constantFrom(0, 4, 48, -48),
          seed,
        }),
        ({ mnemonic, type, acc, outputs, inputs, rows, outStride, inStride, seed }) =>
          expectSame(
            `${mnemonic}${type}${acc && type !== '' ? '.acc' : ''}.rep $1, $2, $3, $4, $5, $6, $7, $8`,
            { 1: OUT, 2: outputs, 3: 64, 4: A, 5: inputs, 6: rows, 7: outStride, 8: inStride },
            seed,
          ),
      ),
      { numRuns: 150 },
    );
  });

  it('of operations are the same, apart, one, or in place', () => {
    fc.assert(
      fc.property(
        fc.record({
          mnemonic: fc.constantFrom('VMAC', 'VAV', 'VSV', 'VMV', 'VDV', 'VGTM', 'VGT'),
          type,
          size: fc.integer({ min: 1, max: 40 }),
          rows: fc.nat({ max: 6 }),
          stride: fc.constantFrom(0, 160, 176, -160),
          inPlace: fc.boolean(),
          aStride: fc.constantFrom(0, 160, 2 * 160),
          bStride: fc.constantFrom(0, 0, 160, -4),
          seed,
        }),
        ({ mnemonic, type, size, rows, stride, inPlace, aStride, bStride, seed }) =>
          expectSame(
            `${mnemonic}${type}.rep $1, $2, $3, $4, $5, $6, $7, $8`,
            { 1: OUT, 2: size, 3: inPlace ? OUT : A, 4: B, 5: rows, 6: stride, 7: inPlace ? stride : aStride, 8: bStride },
            seed,
          ),
      ),
      { numRuns: 150 },
    );
  });

  it('of transfers are the same, and where they overlap or are misaligned', () => {
    fc.assert(
      fc.property(
        fc.record({
          mnemonic: fc.constantFrom('VLOAD3', 'VSTORE3'),
          type,
          size: fc.integer({ min: 1, max: 70 }),
          rows: fc.nat({ max: 4 }),
          dramStride: fc.constantFrom(0, 280, 300, -280, 140, 100),
          planes: fc.nat({ max: 4 }),
          localPlaneStride: fc.constantFrom(0, 1120, 1200, -1120, 560, 562, 300),
          dramPlaneStride: fc.constantFrom(0, 1120, 1200, 280, 140, 70, 71),
          seed,
        }),
        ({ mnemonic, type, size, rows, dramStride, planes, localPlaneStride, dramPlaneStride, seed }) =>
          expectSame(
            `${mnemonic}${type} $1, $2, $3, $4, $5, $6, $7, $8`,
            { 1: OUT, 2: size, 3: 0x1000, 4: rows, 5: dramStride, 6: planes, 7: localPlaneStride, 8: dramPlaneStride },
            seed,
          ),
      ),
      { numRuns: 200 },
    );
  });
});
