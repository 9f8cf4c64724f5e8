import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { encodeProgram } from '../../isa/codec.ts';
import { formOf } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import type { Memory } from '../../runtime/machine/memory.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { arbitraryInstruction } from '../support/instructions.ts';
import { programOf } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';

/** Random programs tried; more with PLUMBLINE_FUZZ_RUNS. */
const RUNS = Number(process.env['PLUMBLINE_FUZZ_RUNS'] ?? 4000);

const cambricon = loadTarget('cambricon');
/** Small scratchpads, so that random ranges are often inside, at the edge, or overlapping. */
const TARGET = { ...cambricon, memory: { ...cambricon.memory, vectorBytes: 1024, matrixBytes: 2048 } };
const DRAM = { constants: new Uint8Array(64), segmentBytes: 256 };

const small = fc.nat({ max: 12 });
const stride = fc.integer({ min: -12, max: 12 }).map((x) => 4 * x);
const address = fc.nat({ max: 240 }).map((x) => 4 * x);
const list = (element: fc.Arbitrary<number>, length: number) =>
  fc.array(fc.oneof({ weight: 15, arbitrary: element }, { weight: 1, arbitrary: fc.integer() }), { minLength: length, maxLength: length });
/** Sixteen sizes, sixteen strides, thirty-two addresses; one in sixteen is anything. */
const registerFile = fc.tuple(list(small, 16), list(stride, 16), list(address, 32)).map((parts) => parts.flat());

/** The same instruction with registers that suit the roles of its fields, and a small immediate. */
function tame(one: AnyInstruction, immediate: number): AnyInstruction {
  const fields = { ...one.fields };
  for (const [name, field] of Object.entries(formOf(one.mnemonic, one.form).fields)) {
    const value = fields[name] ?? 0;
    if (field.kind === 'immediate') fields[name] = immediate;
    // Fields that do not apply are 0 and stay so.
    if (field.kind !== 'register' || value === 0) continue;
    if (field.role === 'size' || field.role === 'count') fields[name] = value % 16;
    else if (field.role === 'stride') fields[name] = 16 + (value % 16);
    else if (field.role === 'address') fields[name] = 32 + (value % 28);
    else if (field.role === 'result') fields[name] = 60 + (value % 4);
  }
  return { ...one, fields };
}

const instruction = fc
  .tuple(arbitraryInstruction(), fc.nat({ max: 9 }), fc.integer({ min: -4, max: 16 }))
  .map(([drawn, wild, immediate]) => (wild === 0 ? drawn : tame(drawn, 4 * immediate)));

interface Snapshot {
  readonly bytes: Uint8Array;
  /** Registers, PC, random state and initialised ranges. */
  readonly rest: string;
}

function snapshot({ memory, registers, pc, state }: Machine): Snapshot {
  const { dram, vector, matrix } = memory.initialised;
  return { bytes: memory.bytes.slice(), rest: JSON.stringify([[...registers], pc, state.random, [...dram], [...vector], [...matrix]]) };
}

function startsOf({ start, rows, strideBytes, planes, planeStrideBytes }: ResolvedAccess): number[] {
  return Array.from({ length: planes }, (_, p) =>
    Array.from({ length: rows }, (_, r) => start + p * planeStrideBytes + r * strideBytes),
  ).flat();
}

/** The bytes before with those of the written ranges taken from after: what memory may look like. */
function merged(before: Uint8Array, { bytes, layout }: Memory, accesses: readonly ResolvedAccess[]): Uint8Array {
  const result = before.slice();
  for (const access of accesses) {
    if (access.mode === 'read') continue;
    for (const start of startsOf(access)) {
      const from = layout.base[access.space] + start;
      result.set(bytes.subarray(from, from + access.rowBytes), from);
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
      expect(Buffer.compare(before.bytes, machine.memory.bytes)).toBe(0);
      return executed;
    }
    expect(Buffer.compare(merged(before.bytes, machine.memory, seen ?? []), machine.memory.bytes)).toBe(0);
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
      fc.property(
        fc.array(instruction, { minLength: 1, maxLength: 12 }),
        registerFile,
        fc.boolean(),
        (instructions, registers, everything) => {
          const length = instructions.length;
          const legal = instructions.map((one, i) => branchInside(one, i, length));
          const machine = new Machine({ ...programOf('', DRAM), code: encodeProgram(legal) }, TARGET);
          machine.registers.set(registers);
          for (const space of ['dram', 'vector', 'matrix'] as const)
            machine.memory.initialised[space].add(0, everything ? machine.memory.layout.size[space] : 512);
          executed += contain(machine);
          traps += Number(machine.pc < length);
        },
      ),
      { numRuns: RUNS },
    );
    // The programs are no good if they all stop at once, or never.
    expect(executed).toBeGreaterThan(RUNS / 2);
    expect(traps).toBeGreaterThan(RUNS / 10);
  });
});

/** Immediate branches must stay inside, or the program is refused. */
function branchInside(one: AnyInstruction, index: number, length: number): AnyInstruction {
  if (one.form !== 'immediate' || (one.mnemonic !== 'JUMP' && one.mnemonic !== 'CB')) return one;
  const target = (((one.fields['target'] ?? 0) % (length + 1)) + length + 1) % (length + 1);
  return { ...one, fields: { ...one.fields, target: target - index } };
}
