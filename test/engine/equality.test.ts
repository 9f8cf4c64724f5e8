/** The fast engine against the plain one on random programs: all state, after every few instructions. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SPACES } from '../../isa/fields.ts';
import { FastMachine } from '../../runtime/engine/fast-machine.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import type { Observer } from '../../runtime/machine/observer.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { floatBits } from '../../runtime/numerics/float.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import { expectSameState } from '../support/engines.ts';
import { fillSpaces } from '../support/machine.ts';
import type { RandomProgram, Small } from '../support/random-program.ts';
import { randomProgram, smallTarget } from '../support/random-program.ts';
import { runs } from '../support/effort.ts';

/** Random programs tried. */
const RUNS = runs(600);
const BUDGET = 40;

/** Large enough for blocks of rows and outputs with something left over. */
const SMALL: Small = { vectorBytes: 8192, matrixBytes: 32_768, segmentBytes: 4096, elements: 40 };
const TINY: Small = { vectorBytes: 1024, matrixBytes: 2048, segmentBytes: 256, elements: 12 };

/** What elements are made of: zeros, infinities, NaN with payloads, denormals, ones, extremes of both types. */
const SPECIAL = Uint32Array.of(
  0,
  0x80000000,
  0x7f800000,
  0xff800000,
  0x7fc00000,
  0xffc12345,
  0x7f812345,
  1,
  0x80000001,
  0x007fffff,
  0x00800000,
  0x7f7fffff,
  0x3f800000,
  0xbf800000,
  0x80008000,
  0x7fff7fff,
);

/** Random bits, moderate numbers or specials in every word. */
function fillMemory(machine: Machine, seed: number): void {
  let state = seed;
  fillSpaces(machine, () => {
    state = xorshift32(state);
    const kind = state >>> 28;
    if (kind < 2) return SPECIAL[(state >>> 8) % SPECIAL.length] as number;
    return kind < 5 ? state << 4 : floatBits(((state & 0xffff) - 0x8000) / 4096);
  });
}

function start(machine: Machine, { registers }: RandomProgram, seed: number, everything: boolean): Machine {
  fillMemory(machine, seed);
  machine.registers.set(registers);
  for (const space of SPACES) {
    const size = machine.memory.layout.size[space];
    machine.memory.initialised[space].add(0, everything ? size : size / 2);
  }
  return machine;
}

/** How a run ends: a trap with its whole message, or the result. */
function outcome(machine: Machine, maxInstructions: number, observers: readonly Observer[] = []): unknown {
  try {
    return machine.run({ maxInstructions, observers });
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    return error.message;
  }
}

interface Manner {
  readonly seed: number;
  /** Of 16-bit elements. */
  readonly fractionBits: number;
  /** Whether all memory is initialised, or the lower half. */
  readonly everything: boolean;
  /** Instructions that run at a time. */
  readonly chunk: number;
  /** Whether someone watches the fast engine. */
  readonly observed: boolean;
}

/** Runs both machines some instructions at a time and compares them each time. Gives the number of instructions. */
function compare(small: Small, one: RandomProgram, { seed, fractionBits, everything, chunk, observed }: Manner): number {
  const target = { ...smallTarget(small), fractionBits };
  const plain = start(new Machine(one.program, target, { seed }), one, seed, everything);
  const fast = start(new FastMachine(one.program, target, { seed }), one, seed, everything);
  for (let limit = chunk; ; limit += chunk) {
    const expected = outcome(plain, Math.min(limit, BUDGET));
    expect(outcome(fast, Math.min(limit, BUDGET), observed ? [{ step: () => undefined }] : [])).toEqual(expected);
    expectSameState(fast, plain);
    expect(fast.executed).toBe(plain.executed);
    if (limit >= BUDGET || plain.executed < limit) return plain.executed;
  }
}

describe('the fast engine', () => {
  it.each([
    ['small', SMALL],
    ['tiny', TINY],
  ])('leaves the same state as the plain one in random programs on a %s machine', (_, small) => {
    let executed = 0;
    fc.assert(
      fc.property(
        randomProgram(small),
        fc.record({
          seed: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
          fractionBits: fc.nat({ max: 15 }),
          everything: fc.constantFrom(true, true, true, false),
          chunk: fc.constantFrom(1, 3, BUDGET),
          observed: fc.constantFrom(false, false, false, true),
        }),
        (one, manner) => void (executed += compare(small, one, manner)),
      ),
      { numRuns: RUNS },
    );
    expect(executed).toBeGreaterThan(RUNS);
  });
});
