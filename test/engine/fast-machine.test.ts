import { describe, expect, it } from 'vitest';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import { formsOf, makeInstruction } from '../../isa/instruction.ts';
import type { Program } from '../../isa/program.ts';
import { INSTRUCTIONS, MNEMONICS, recordOf } from '../../isa/table.ts';
import { SOURCES_SHA256 } from '../../runtime/engine/binary.ts';
import * as layout from '../../runtime/engine/layout.ts';
import * as opcodes from '../../runtime/engine/opcodes.ts';
import * as types from '../../runtime/engine/types.ts';
import { opcodeByte } from '../../runtime/engine/records.ts';
import { MachineError } from '../../runtime/machine/error.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { sourcesHash } from '../../tools/build-engine.ts';
import { CountingMachine, expectSameState } from '../support/engines.ts';
import { poke, programOf } from '../support/machine.ts';
import { smallProgram } from '../support/programs.ts';
import { loadTarget } from '../support/targets.ts';

const TARGET = loadTarget('cambricon');
const X = Float32Array.of(1, 2, 3, 4);
const Y = Float32Array.of(2, 4, 3, 5);

function fast(program: Program): CountingMachine {
  return new CountingMachine(program, TARGET);
}

/** A machine with the small program and its input. */
function loaded(): CountingMachine {
  const machine = fast(smallProgram());
  machine.writeInput('x', X);
  return machine;
}

function trapOf(work: () => unknown): Trap {
  try {
    work();
  } catch (error) {
    if (error instanceof Trap) return error;
    throw error;
  }
  throw new Error('nothing trapped');
}

describe('the binary', () => {
  it('is made of the present sources (if not: npm run build)', () => {
    expect(SOURCES_SHA256).toBe(sourcesHash());
  });

  it('knows the opcodes of the table', () => {
    expect(Object.fromEntries(MNEMONICS.map((mnemonic) => [mnemonic, INSTRUCTIONS[mnemonic].opcode]))).toMatchObject({ ...opcodes });
  });

  it('knows the element types of the table', () => {
    const codes = Object.entries(ELEMENT_CODES).map(([name, { code }]) => [name.toUpperCase(), code] as const);
    expect(Object.fromEntries(codes)).toMatchObject({ ...types });
  });

  it('has room for all operands of every instruction', () => {
    for (const mnemonic of MNEMONICS) {
      expect(recordOf(mnemonic).accesses.length).toBeLessThanOrEqual(layout.MAX_ACCESSES);
      for (const form of formsOf(mnemonic)) {
        const fields = recordOf(mnemonic).forms[form]?.assembly ?? [];
        expect(fields.length).toBeLessThanOrEqual(layout.MAX_REGISTERS);
        const instruction = makeInstruction(mnemonic, Object.fromEntries(fields.map((name) => [name, 0])), form);
        expect(opcodeByte(instruction)).not.toBe(layout.LEAVE);
      }
    }
  });
});

describe('a run', () => {
  it('enters once, and again after a reset', () => {
    const machine = loaded();
    expect(machine.run()).toEqual({ instructions: 9, ended: true });
    expect(machine.readOutput('y')).toEqual(Y);
    expect(machine.entries).toBe(1);
    expect(machine.run()).toEqual({ instructions: 9, ended: true });
    machine.reset();
    expect([machine.pc, machine.executed, ...machine.registers]).toEqual([0, 0, ...new Array<number>(64).fill(0)]);
    expect(() => machine.readOutput('y')).toThrow('has not been written');
    expect(trapOf(() => machine.run())).toMatchObject({ code: 'uninitialised', pc: 4 });
    machine.reset();
    machine.writeInput('x', X);
    machine.run();
    expect(machine.readOutput('y')).toEqual(Y);
  });

  it('stops at a break, by index or by name, and goes on behind it', () => {
    const machine = loaded();
    expect(machine.run({ breakAt: 5 })).toEqual({ instructions: 5, ended: false });
    expect([machine.pc, machine.entries]).toEqual([5, 1]);
    expect(machine.run({ breakAt: 5 })).toEqual({ instructions: 5, ended: false });
    expect(machine.step()).toBe(true);
    expect(machine.run({ breakAt: 1000 })).toEqual({ instructions: 9, ended: true });
    expect(machine.readOutput('y')).toEqual(Y);
    machine.reset();
    machine.writeInput('x', X);
    expect(machine.run({ breakAt: 'y' })).toEqual({ instructions: 5, ended: false });
    expect(machine.run()).toEqual({ instructions: 9, ended: true });
    expect(machine.readOutput('y')).toEqual(Y);
  });

  it('keeps to its budget, which counts from the reset', () => {
    const machine = fast(programOf('L0: JUMP #L0'));
    expect(trapOf(() => machine.run())).toMatchObject({ code: 'budget', pc: 0 });
    expect(machine.executed).toBe(1000);
    expect(() => machine.run({ maxInstructions: 2_000_000 })).toThrow('2000000 instructions have been executed');
    expect(machine.executed).toBe(2_000_000);
    const ending = loaded();
    expect(() => ending.run({ maxInstructions: 8 })).toThrow('8 instructions');
    expect(ending.pc).toBe(8);
    expect(ending.run({ maxInstructions: Infinity })).toEqual({ instructions: 9, ended: true });
  });

  it('leaves the state before a trapping instruction, so that it can be repaired and go on', () => {
    const machine = fast(
      programOf(`
        SMOVE $1, #7
        SDIV $1, $1, $2`),
    );
    expect(trapOf(() => machine.run())).toMatchObject({ code: 'divide-by-zero', pc: 1 });
    expect([machine.pc, machine.executed, machine.registers[1]]).toEqual([1, 1, 7]);
    machine.registers[2] = 2;
    machine.run();
    expect(machine.registers[1]).toBe(3);
  });

  it('draws the same random numbers as the plain engine, from any seed', () => {
    const program = programOf(`
      SMOVE $2, #10
      RV.f32 $1, $2
      RV $2, $2`);
    for (const seed of [undefined, 7]) {
      const machines = [fast(program), new Machine(program, TARGET)] as const;
      for (const machine of machines) {
        machine.reset(seed);
        machine.run();
      }
      expectSameState(...machines);
    }
  });

  it('goes on where the initialised bytes are in more pieces than it has room for', () => {
    // A word in every eight bytes of the vector scratchpad, then the first two pieces joined.
    const program = programOf(
      `
        SMOVE $2, #1
        SMOVE $3, #1500
      L0: VFILL.f32 $1, $2, #0x3f800000
        SADD $1, $1, #8
        SADD $3, $3, #-1
        CB #L0, $3
        SMOVE $1, #4
        VFILL.f32 $1, $2, #0x40000000
        SMOVE $4, #3
        VAS.f32 $0, $4, $0, #0x3f800000`,
      { maxInstructions: 10_000 },
    );
    const [plain, other] = [new Machine(program, TARGET), fast(program)];
    for (const machine of [plain, other]) expect(machine.run().ended).toBe(true);
    expect(other.memory.initialised.vector.size).toBe(1499);
    expectSameState(other, plain);
  });

  it('shows every instruction to observers, with the same result', () => {
    const machine = loaded();
    const seen: number[] = [];
    machine.run({ observers: [{ step: ({ pc }) => void seen.push(pc) }] });
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(machine.readOutput('y')).toEqual(Y);
  });

  it('touches nothing where there is nothing to do, wherever addresses point', () => {
    const program = programOf(`
      SMOVE $1, #-66369
      VFILL.f32 $1, $2, #0
      VLOAD $1, $2, $1, #1`);
    const observer = { step: () => undefined };
    for (const observers of [[], [observer]]) expect(fast(program).run({ observers }).ended).toBe(true);
  });

  it('leaves narrow types to the plain engine where widened operands have no room', () => {
    const program = programOf(`
      SMOVE $1, #3
      VMM.i8 $0, $1, $0, $2, $1`);
    const vast = { ...TARGET, memory: { ...TARGET.memory, matrixBytes: 2 ** 30 } };
    for (const [target, entries] of [
      [TARGET, 1],
      [vast, 2],
    ] as const) {
      const machine = new CountingMachine(program, target);
      poke(machine, 'matrix', 0, Uint8Array.of(1, -2, 3, 4, 5, 6, -7, 8, 9));
      poke(machine, 'vector', 64, Uint8Array.of(1, 10, 100));
      for (const space of ['vector', 'matrix'] as const) machine.memory.initialised[space].add(0, 128);
      machine.registers[2] = 64;
      machine.run();
      expect([...new Int32Array(Uint8Array.from(machine.dump('vector', 0, 12)).buffer)]).toEqual([-659, 848, 963]);
      expect(machine.entries).toBe(entries);
    }
  });

  it('refuses what the plain engine refuses', () => {
    expect(() => fast(smallProgram({ code: new Uint32Array(2) }))).toThrow(MachineError);
    expect(() => new CountingMachine(smallProgram(), TARGET, { dramLimitBytes: 64 })).toThrow('the limit is 64');
    const huge = { ...TARGET, memory: { ...TARGET.memory, matrixBytes: 2 ** 32 - 2 ** 17 } };
    expect(() => new CountingMachine(smallProgram(), huge)).toThrow('of one memory that the program needs');
  });
});
