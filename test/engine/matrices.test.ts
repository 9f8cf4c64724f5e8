/** Matrices that stand widened in the fast engine: they are those of the matrix scratchpad, whoever has written there since. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../isa/target.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import type { Observer } from '../../runtime/machine/observer.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import { CountingMachine, expectSameState } from '../support/engines.ts';
import { fillSpaces, poke, programOf } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';

const cambricon = loadTarget('cambricon');
const TARGET: Target = { ...cambricon, memory: { ...cambricon.memory, vectorBytes: 4096, matrixBytes: 1024 } };

/** Registers: $1 inputs, $2 outputs, $3 the matrix, $4 a second place of the matrix scratchpad, $5 the accumulators, $0 = 0. */
function product(type: string, mnemonic: string): string {
  return `${mnemonic}.${type}.acc $5, $2, $3, $0, $1\n SADD $5, $5, #256`;
}

const place = fc.integer({ min: 0, max: 20 }).map((x) => 8 * x);
const setting = fc
  .tuple(fc.constantFrom(1, 2, 3, 8), fc.constantFrom(4, 8, 11), fc.constantFrom(0, 0, 64, 88, 128))
  .map(([inputs, outputs, matrix]) => `SMOVE $1, #${inputs}\n SMOVE $2, #${outputs}\n SMOVE $3, #${matrix}`);
const use = fc
  .tuple(fc.constantFrom('f16', 'f16', 'bf16', 'f8e4m3', 'i8', 'i8', 'q16', 'q16', 'f32'), fc.constantFrom('VMM', 'VMM', 'VMM', 'MMV'))
  .map(([type, mnemonic]) => product(type, mnemonic));
const write = fc
  .tuple(
    place,
    fc.constantFrom(
      'MLOAD.i8 $4, $2, $0, #8',
      'MLOAD.f32 $4, $2, $0, #64',
      'MMOVE $4, $2, $6',
      'MMS $4, $2, $6, #3',
      'MAM $4, $1, $6, $6',
      'OP $4, $0, $2, $0, $1',
    ),
  )
  .map(([at, line]) => `SMOVE $4, #${at}\n ${line}`);
const steps = fc.array(fc.oneof({ weight: 1, arbitrary: setting }, { weight: 3, arbitrary: use }, { weight: 1, arbitrary: write }), {
  minLength: 4,
  maxLength: 14,
});

function fill(machine: Machine, seed: number): void {
  const { memory, registers } = machine;
  let state = seed;
  fillSpaces(machine, () => {
    state = xorshift32(state);
    return state & 0xbfffbfff;
  });
  for (const space of ['dram', 'vector', 'matrix'] as const) memory.initialised[space].add(0, memory.layout.size[space]);
  registers.set([0, 4, 8, 0, 0, 512, 512]);
}

describe('widened matrices', () => {
  it('follow every write to the matrix scratchpad', () => {
    let entries = 0;
    fc.assert(
      fc.property(
        steps,
        fc.record({
          seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
          stop: fc.nat({ max: 20 }),
          observed: fc.constantFrom(false, false, true),
        }),
        (lines, { seed, stop, observed }) => {
          const program = programOf(lines.join('\n'));
          const observers: Observer[] = observed ? [{ step: () => undefined }] : [];
          const [plain, fast] = [new Machine(program, TARGET), new CountingMachine(program, TARGET)];
          for (const machine of [plain, fast]) {
            fill(machine, seed);
            machine.run({ breakAt: stop, ...(machine === fast && { observers }) });
            // The host may write there too.
            poke(machine, 'matrix', seed % 64, new Uint8Array(100 - (seed % 64)).fill(0x11));
            machine.run(machine === fast ? { observers } : {});
          }
          expectSameState(fast, plain);
          if (!observed) entries = Math.max(entries, fast.entries);
        },
      ),
      { numRuns: 400 },
    );
    // One for the break, and nothing is left to the plain engine.
    expect(entries).toBe(2);
  });
});
