import { describe, expect, it } from 'vitest';
import { SPACES } from '../../isa/fields.ts';
import type { Machine } from '../../runtime/machine/machine.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import type { ProgramOptions } from '../support/machine.ts';
import { machineOf } from '../support/machine.ts';

function trapOf(machine: Machine): Trap {
  try {
    machine.run();
  } catch (error) {
    if (error instanceof Trap) return error;
    throw error;
  }
  throw new Error('the program did not trap');
}

const trap = (source: string, options: ProgramOptions = {}): Trap => trapOf(machineOf(source, options));

describe('a trap', () => {
  it('tells the instruction, its operands and where it comes from', () => {
    const debug = [{ first: 1, count: 2, tile: 'add a, b', node: 'sum', origin: ['Add_3', 'Relu_4'] }];
    const found = trap(
      `SMOVE $2, #4
       SMOVE $3, #0xfffe
       VAV $1, $2, $3, $3`,
      { debug },
    );
    expect(found).toMatchObject({
      name: 'Trap',
      code: 'out-of-range',
      pc: 2,
      instruction: 'VAV $1, $2, $3, $3',
      operands: [
        { name: 'out', register: 1, value: 0 },
        { name: 'size', register: 2, value: 4 },
        { name: 'a', register: 3, value: 65534 },
        { name: 'b', register: 3, value: 65534 },
      ],
      source: { tile: 'add a, b', node: 'sum', origin: ['Add_3', 'Relu_4'] },
      message:
        "out-of-range trap at instruction 2, of 'sum': 'a' at [0xfffe, 0x10006) is outside of the vector scratchpad of 65536 bytes; VAV $1, $2, $3, $3 with $1=0 $2=4 $3=65534",
    });
    expect(found.message).not.toContain('\n');
    expect(trap('SDIV $1, $2, #0')).toMatchObject({ source: undefined, operands: [{ name: 'result' }, { name: 'a' }] });
  });

  it('leaves the state before the instruction, so that it can be repaired and go on', () => {
    const machine = machineOf(`
        SMOVE $1, #7
        SDIV $1, $1, $2`);
    expect(trapOf(machine).pc).toBe(1);
    expect([machine.pc, machine.executed, machine.registers[1]]).toEqual([1, 1, 7]);
    machine.registers[2] = 2;
    machine.run();
    expect(machine.registers[1]).toBe(3);
  });

  it('happens before the first row is written when a later one is wrong', () => {
    const machine = machineOf(`
        SMOVE $2, #4
        SMOVE $5, #3
        SMOVE $6, #32766
        VFILL $0, $2, #1
        VAV.rep $0, $2, $0, $0, $5, $6, $6, $6`);
    expect(trapOf(machine).code).toBe('out-of-range');
    expect([...new Int16Array(machine.dump('vector', 0, 8).buffer)]).toEqual([1, 1, 1, 1]);
  });
});

describe('the budget', () => {
  const FOREVER = 'L0: JUMP #L0';

  it('stops a program that does not end', () => {
    const machine = machineOf(FOREVER, { maxInstructions: 1000 });
    expect(trapOf(machine)).toMatchObject({ code: 'budget', pc: 0 });
    expect(machine.executed).toBe(1000);
  });

  it('is the program’s unless another is given, and counts from the reset', () => {
    const machine = machineOf(FOREVER);
    expect(() => machine.run({ maxInstructions: 5 })).toThrow('5 instructions have been executed');
    expect(machine.executed).toBe(5);
    expect(() => machine.run({ maxInstructions: 8 })).toThrow('8 instructions');
    expect(machine.executed).toBe(8);
  });

  it('is just enough for as many instructions', () => {
    expect(machineOf('SMOVE $1, #0\nSMOVE $2, #0', { maxInstructions: 2 }).run()).toEqual({ instructions: 2, ended: true });
    expect(trap('SMOVE $1, #0\nSMOVE $2, #0', { maxInstructions: 1 }).pc).toBe(1);
  });
});

describe('instructions that repeat', () => {
  /** Registers 5 and 6 hold the greatest count and 1. */
  const HUGE = 'SMOVE $5, #-1\nSMOVE $6, #1\n';

  it('do nothing, at once, where there is nothing to do', () => {
    const nothing = [
      'VAV.rep $0, $0, $0, $0, $5, $0, $0, $0',
      'VEXP.f32.rep $0, $0, $0, $5, $0, $0',
      'VMM.rep $0, $0, $0, $0, $5, $5, $0, $0',
      'VMM.rep $0, $6, $0, $0, $0, $0, $0, $0',
      'VLOAD2 $0, $0, $0, $5, $0, $0',
      'VSTORE3 $0, $0, $0, $5, $0, $0, $5, $0',
      'VSTORE3 $0, $6, $0, $0, $0, $0, $5, $0',
      'OP $0, $0, $5, $0, $0',
      'OP $0, $0, $0, $0, $5',
    ];
    for (const text of nothing) {
      const machine = machineOf(HUGE + text);
      expect(machine.run().ended).toBe(true);
      for (const space of SPACES) expect(machine.memory.initialised[space].size).toBe(0);
    }
  });

  it('have no more rows than the scratchpad has elements, because such rows are no longer bounded by memory', () => {
    const start = 'SMOVE $6, #1\nSMOVE $5, #32768\nVFILL $0, $6, #1\n';
    expect(machineOf(`${start}VMOVE.rep $0, $6, $0, $5, $0, $0`).run().ended).toBe(true);
    expect(trap(`${start}SADD $5, $5, #1\nVMOVE.rep $0, $6, $0, $5, $0, $0`)).toMatchObject({ code: 'out-of-range', pc: 4 });
    expect(trap(`${start}VSTORE3 $0, $6, $0, $5, $0, $5, $0, $0`)).toMatchObject({ code: 'out-of-range', pc: 3 });
  });
});
