import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { SPACES } from '../../isa/fields.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { contents, positionIn, snapshot } from '../support/machine.ts';
import { randomProgram, smallTarget } from '../support/random-program.ts';
import { runs } from '../support/effort.ts';

/** Random programs tried. */
const RUNS = runs(4000);

const SMALL = { vectorBytes: 1024, matrixBytes: 2048, segmentBytes: 256, elements: 12 };
const TARGET = smallTarget(SMALL);

function startsOf({ start, rows, strideBytes, planes, planeStrideBytes }: ResolvedAccess): number[] {
  return Array.from({ length: planes }, (_, p) =>
    Array.from({ length: rows }, (_, r) => start + p * planeStrideBytes + r * strideBytes),
  ).flat();
}

/** The bytes before with those of the written ranges taken from after: what memory may look like. */
function merged(before: Uint8Array, machine: Machine, accesses: readonly ResolvedAccess[]): Uint8Array {
  const result = before.slice();
  for (const access of accesses) {
    if (access.mode === 'read') continue;
    for (const start of startsOf(access)) {
      result.set(machine.dump(access.space, start, access.rowBytes), positionIn(machine, access.space, start));
    }
  }
  return result;
}

/** Single-steps to the end, a trap or 40 instructions; returns how many executed. */
function contain(machine: Machine): number {
  for (let executed = 0; executed < 40; executed++) {
    const before = snapshot(machine);
    let seen: readonly ResolvedAccess[] | undefined;
    try {
      if (!machine.step([{ step: ({ accesses }) => void (seen = accesses) }])) return executed;
    } catch (error) {
      expect(error).toBeInstanceOf(Trap);
      expect(seen).toBeUndefined();
      expect(snapshot(machine).rest).toBe(before.rest);
      expect(Buffer.compare(before.bytes, contents(machine))).toBe(0);
      return executed;
    }
    expect(Buffer.compare(merged(before.bytes, machine, seen ?? []), contents(machine))).toBe(0);
    expect(machine.pc).toBeGreaterThanOrEqual(0);
    expect(machine.pc).toBeLessThanOrEqual(machine.program.code.length / 2);
  }
  return 40;
}

describe('random programs', () => {
  it('run, or trap without a trace; they never reach beyond their accesses', () => {
    let executed = 0;
    let traps = 0;
    fc.assert(
      fc.property(randomProgram(SMALL), fc.boolean(), ({ program, registers }, everything) => {
        const machine = new Machine(program, TARGET);
        machine.registers.set(registers);
        for (const space of SPACES) machine.memory.initialised[space].add(0, everything ? machine.memory.layout.size[space] : 512);
        executed += contain(machine);
        traps += Number(machine.pc < program.code.length / 2);
      }),
      { numRuns: RUNS },
    );
    // The programs are no good if they all stop at once, or never.
    expect(executed).toBeGreaterThan(RUNS / 2);
    expect(traps).toBeGreaterThan(RUNS / 10);
  });
});
