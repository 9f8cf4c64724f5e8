import { describe, expect, it } from 'vitest';
import type { Port } from '../../isa/program.ts';
import { MachineError } from '../../runtime/machine/error.ts';
import type { Observer } from '../../runtime/machine/observer.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { Memory, memoryLayout } from '../../runtime/machine/memory.ts';
import { Trace } from '../../runtime/machine/trace.ts';
import { contents, machineOf, programOf } from '../support/machine.ts';
import { smallProgram } from '../support/programs.ts';
import { loadTarget } from '../support/targets.ts';

const TARGET = loadTarget('cambricon');

function small(): Machine {
  return new Machine(smallProgram(), TARGET);
}

/** The error that `work` throws. */
function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const X = Float32Array.of(1, 2, 3, 4);
const port = (changes: Partial<Port>): Port => ({
  name: 'x',
  shape: [2, 3],
  element: 'f32',
  address: 0,
  bytes: 24,
  layout: [0, 1],
  stored: 'f32',
  via: [],
  ...changes,
});

/** Copies elements of 16 bits from address 0 to 4096, inputs to outputs. */
const copy = (count: number): string => `
  SMOVE $2, #${count}
  VLOAD $1, $2, $1, #0
  VSTORE $1, $2, $1, #4096`;

describe('a run', () => {
  it('takes inputs and gives outputs in the layout of the user', () => {
    const machine = small();
    machine.writeInput('x', X);
    // The input is stored with its last dimensions swapped; the output is as stored.
    expect(machine.run()).toEqual({ instructions: 9, ended: true });
    expect(machine.readOutput('y')).toEqual(Float32Array.of(2, 4, 3, 5));
    expect(machine.pc).toBe(9);
  });

  it('is repeated by a reset, which forgets everything but the constants', () => {
    const machine = small();
    machine.writeInput('x', X);
    machine.run();
    machine.reset();
    expect(machine.pc).toBe(0);
    expect(machine.executed).toBe(0);
    expect([...machine.registers]).toEqual(new Array(64).fill(0));
    expect(thrown(() => machine.readOutput('y'))).toMatchObject({ code: 'unwritten-output' });
    expect(thrown(() => machine.run())).toMatchObject({ code: 'uninitialised', pc: 4 });
    machine.reset();
    machine.writeInput('x', X);
    machine.run();
    expect(machine.readOutput('y')).toEqual(Float32Array.of(2, 4, 3, 5));
  });

  it('draws the same random numbers after each reset, and others from another seed', () => {
    const source = `
      SMOVE $2, #8
      RV.f32 $1, $2
      VSTORE.f32 $1, $2, $1, #4096`;
    const machine = machineOf(source, { outputs: [port({ name: 'y', shape: [8], layout: [0], address: 4096, bytes: 32 })] });
    const draw = (seed?: number) => {
      machine.reset(seed);
      machine.run();
      return [...machine.readOutput('y')];
    };
    const first = draw();
    expect(draw()).toEqual(first);
    const other = draw(7);
    expect(other).not.toEqual(first);
    expect(draw()).toEqual(first);
    const seeded = new Machine(machine.program, TARGET, { seed: 7 });
    seeded.run();
    expect([...seeded.readOutput('y')]).toEqual(other);
    for (const seed of [0, -1, 1.5, 2 ** 32]) expect(thrown(() => machine.reset(seed))).toMatchObject({ code: 'wrong-data' });
  });

  it('gives the same bits whether it is run or stepped', () => {
    const run = small();
    const stepped = small();
    for (const machine of [run, stepped]) machine.writeInput('x', X);
    run.run();
    while (stepped.step());
    expect(stepped.executed).toBe(9);
    expect(Buffer.compare(contents(stepped), contents(run))).toBe(0);
    expect(stepped.registers).toEqual(run.registers);
    expect(stepped.step()).toBe(false);
  });
});

describe('ports', () => {
  const values = Float32Array.of(0.5, -1.25, 2 ** -11, 3 * 2 ** -11, 100, -100);

  it('convert f32 to fixed point and back', () => {
    const fixed = { shape: [6], layout: [0], bytes: 12, stored: 'fx16.10' as const };
    const machine = machineOf(copy(6), { inputs: [port(fixed)], outputs: [port({ ...fixed, name: 'y', address: 4096 })] });
    machine.writeInput('x', values);
    expect([...new Int16Array(machine.dump('dram', 0, 12).buffer)]).toEqual([512, -1280, 0, 2, 32767, -32768]);
    machine.run();
    expect([...machine.readOutput('y')]).toEqual([0.5, -1.25, 0, 2 ** -9, 32767 / 1024, -32]);
  });

  it('take raw integers where the user has fixed point', () => {
    const fixed = { layout: [1, 0], bytes: 12, element: 'fx16.10', stored: 'fx16.10' } as const;
    const machine = machineOf(copy(6), { inputs: [port(fixed)], outputs: [port({ ...fixed, name: 'y', address: 4096 })] });
    machine.writeInput('x', Int16Array.of(1, 2, 3, 4, 5, 6));
    expect([...new Int16Array(machine.dump('dram', 0, 12).buffer)]).toEqual([1, 4, 2, 5, 3, 6]);
    machine.run();
    expect(machine.readOutput('y')).toEqual(Int16Array.of(1, 2, 3, 4, 5, 6));
    expect(thrown(() => machine.writeInput('x', Float32Array.of(1, 2, 3, 4, 5, 6)))).toMatchObject({ code: 'wrong-data' });
  });

  it('permute any number of dimensions', () => {
    const nchw = { shape: [1, 2, 2, 3], layout: [0, 2, 3, 1], bytes: 24, element: 'fx16.10', stored: 'fx16.10' } as const;
    const machine = machineOf(copy(12), { inputs: [port(nchw)], outputs: [port({ ...nchw, name: 'y', address: 4096 })] });
    const data = Int16Array.from({ length: 12 }, (_, i) => i);
    machine.writeInput('x', data);
    expect([...new Int16Array(machine.dump('dram', 0, 24).buffer)]).toEqual([0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
    machine.run();
    expect(machine.readOutput('y')).toEqual(data);
  });

  it('keep the bits of NaN', () => {
    const machine = machineOf(copy(12), {
      inputs: [port({ layout: [1, 0] })],
      outputs: [port({ name: 'y', address: 4096, layout: [1, 0] })],
    });
    const bits = Int32Array.of(0x7f800001, -1, 0x7fc12345, 0, 1, 2);
    machine.writeInput('x', new Float32Array(bits.buffer));
    machine.run();
    expect(new Int32Array(machine.readOutput('y').buffer)).toEqual(bits);
  });

  it('refuse other names, types and lengths', () => {
    const machine = small();
    expect(thrown(() => machine.writeInput('z', X))).toMatchObject({
      code: 'unknown-name',
      message: "the program has no input 'z'; it has 'x'",
    });
    expect(thrown(() => machine.readOutput('x'))).toMatchObject({ code: 'unknown-name' });
    expect(thrown(() => machine.writeInput('x', X.subarray(1)))).toMatchObject({ code: 'wrong-data' });
    expect(thrown(() => machine.writeInput('x', Int16Array.of(1, 2, 3, 4)))).toMatchObject({ code: 'wrong-data' });
  });
});

describe('breaks', () => {
  it('stop before an instruction, and the run goes on from there', () => {
    const machine = small();
    machine.writeInput('x', X);
    expect(machine.run({ breakAt: 5 })).toEqual({ instructions: 5, ended: false });
    expect(machine.pc).toBe(5);
    expect(new Float32Array(machine.dump('vector', 0, 16).buffer)).toEqual(Float32Array.of(1, 3, 2, 4));
    expect(machine.run()).toEqual({ instructions: 9, ended: true });
    expect(machine.readOutput('y')).toEqual(Float32Array.of(2, 4, 3, 5));
  });

  it('stop before the first instruction of an operation', () => {
    const machine = small();
    machine.writeInput('x', X);
    expect(machine.run({ breakAt: 'y' })).toEqual({ instructions: 5, ended: false });
    expect(machine.run({ breakAt: 'y' })).toEqual({ instructions: 5, ended: false });
    expect(thrown(() => machine.run({ breakAt: 'conv7' }))).toMatchObject({ code: 'unknown-name' });
  });

  it('that are never reached let the program end', () => {
    const machine = small();
    machine.writeInput('x', X);
    expect(machine.run({ breakAt: 77 })).toEqual({ instructions: 9, ended: true });
  });
});

describe('dumps', () => {
  it('are copies within a space', () => {
    const machine = small();
    const constant = machine.dump('dram', 0, 4);
    expect([...constant]).toEqual([0, 0, 0x80, 0x3f]);
    constant[0] = 1;
    expect(machine.dump('dram', 0, 1)[0]).toBe(0);
    expect(machine.dump('matrix', 786432, 0).length).toBe(0);
    for (const [start, bytes] of [
      [-4, 4],
      [786430, 4],
      [0.5, 1],
      [0, -1],
    ] as const)
      expect(thrown(() => machine.dump('matrix', start, bytes))).toMatchObject({ code: 'out-of-range' });
  });
});

describe('observers', () => {
  it('see each executed instruction once, with the registers before it, and no trapping one', () => {
    const seen: [pc: number, counter: number, taken: boolean][] = [];
    const observer: Observer = { step: ({ pc, registers, taken }) => void seen.push([pc, registers[1] ?? 0, taken]) };
    const machine = machineOf(`
        SMOVE $1, #2
    L0: SADD $1, $1, #-1
        CB #L0, $1
        SDIV $2, $1, $1`);
    expect(thrown(() => machine.run({ observers: [observer] }))).toMatchObject({ code: 'divide-by-zero' });
    expect(seen).toEqual([
      [0, 0, false],
      [1, 2, false],
      [2, 1, true],
      [1, 1, false],
      [2, 0, false],
    ]);
  });

  it('see resolved accesses', () => {
    const machine = small();
    machine.writeInput('x', X);
    const ranges: string[] = [];
    machine.run({
      observers: [
        {
          step: ({ accesses }) =>
            void ranges.push(accesses.map(({ space, mode, low, end }) => `${mode} ${space} ${low} ${end}`).join(', ')),
        },
      ],
    });
    expect(ranges.filter((line) => line !== '')).toEqual([
      'read dram 0 4',
      'write vector 0 16, read dram 64 80',
      'write vector 0 16, read vector 0 16',
      'read vector 0 16, write dram 128 144',
    ]);
  });

  it('change nothing', () => {
    const watched = small();
    const alone = small();
    for (const machine of [watched, alone]) machine.writeInput('x', X);
    watched.run({ observers: [{ step: () => undefined }] });
    alone.run();
    expect(Buffer.compare(contents(watched), contents(alone))).toBe(0);
  });
});

describe('a trace', () => {
  it('has a line for each instruction, up to the limit', () => {
    const lines: string[] = [];
    const machine = small();
    machine.writeInput('x', X);
    const trace = new Trace(machine.program, (line) => lines.push(line), { limit: 6 });
    machine.run({ observers: [trace] });
    expect(lines).toEqual([
      '0  SMOVE $1, #0',
      '1  SMOVE $2, #4',
      '2  SMOVE $3, #64',
      '3  SLOAD $5, $1, #0  <- dram[0x0,0x4)  ; x',
      '4  VLOAD.f32 $1, $2, $3, #0  vector[0x0,0x10) <- dram[0x40,0x50)  ; x',
      '5  VAS.f32 $1, $2, $1, $5  vector[0x0,0x10) <- vector[0x0,0x10)  ; y',
    ]);
    expect(trace.steps).toBe(9);
  });

  it('shows rows, planes and taken branches', () => {
    const lines: string[] = [];
    const machine = machineOf(`
        SMOVE $2, #2
        SMOVE $3, #16
        VLOAD3 $0, $2, $0, $2, $3, $2, $3, $3
        VFILL $0, $2, #0
        JUMP #1`);
    machine.memory.initialised.dram.add(0, 4096);
    machine.run({ observers: [new Trace(machine.program, (line) => lines.push(line))] });
    expect(lines.slice(2)).toEqual([
      '2  VLOAD3 $0, $2, $0, $2, $3, $2, $3, $3  vector[0x0,0x18) (2 rows by 4, 2 planes by 16) <- dram[0x0,0x24) (2 rows by 16, 2 planes by 16)',
      '3  VFILL $0, $2, #0  vector[0x0,0x4)',
      '4  JUMP #1  taken',
    ]);
  });
});

describe('a machine', () => {
  it('refuses a program that does not verify', () => {
    const refuse = (changes: Parameters<typeof smallProgram>[0]) => thrown(() => new Machine(smallProgram(changes), TARGET));
    expect(refuse({ target: 'tpu-v9' })).toMatchObject({ code: 'invalid-program' });
    expect(refuse({ code: Uint32Array.of(0xff000000, 0) })).toBeInstanceOf(MachineError);
    expect(refuse({ maxInstructions: 0 })).toMatchObject({ code: 'invalid-program' });
    const program = programOf('VAV.f32 $1, $2, $3, $4', { target: 'cambricon-base' });
    expect(thrown(() => new Machine(program, loadTarget('cambricon-base')))).toMatchObject({
      message: "instruction 0: VAV needs the extension xf32, which target 'cambricon-base' lacks",
    });
  });

  it('refuses more DRAM than it may have', () => {
    const program = programOf('SMOVE $1, #0', { segmentBytes: 2 ** 29 });
    expect(thrown(() => new Machine(program, TARGET))).toMatchObject({
      code: 'memory-limit',
      message: expect.stringMatching(
        /^the DRAM of the program, beside its constants, takes .* more than the memory budget of 512 MiB$/,
      ) as string,
    });
    expect(thrown(() => machineOf('SMOVE $1, #0', {}, { dramLimitBytes: 12287 }))).toMatchObject({ code: 'memory-limit' });
    expect(machineOf('SMOVE $1, #0', {}, { dramLimitBytes: 12288 }).run().ended).toBe(true);
  });

  it('runs the empty program', () => {
    expect(machineOf('').run()).toEqual({ instructions: 0, ended: true });
  });

  it('keeps constants apart from the rest, which has no room for those that begin DRAM', () => {
    const { memory: map } = programOf('', { constants: new Uint8Array(128) });
    const layout = memoryLayout({ ...smallProgram(), memory: { ...map, constants: { start: 0, bytes: 100 } } }, TARGET);
    const dramBytes = 128 + 3 * 4096;
    expect(layout).toEqual({
      base: { dram: -64, vector: dramBytes - 64, matrix: dramBytes - 64 + 65536 },
      size: { dram: dramBytes, vector: 65536, matrix: 786432 },
      ownBytes: dramBytes - 64 + 65536 + 786432,
    });
    const memory = new Memory(layout, { start: 0, bytes: 100 }, { buffer: new SharedArrayBuffer(2 ** 20), constants: 4096, own: 8192 });
    expect(
      ['dram', 'dram', 'dram', 'vector'].map((space, i) => memory.offset(space as 'dram' | 'vector', [0, 99, 100, 4][i] ?? 0)),
    ).toEqual([4096, 4096 + 99, 8192 + 36, 8192 + layout.base.vector + 4]);
    memory.bytes[4096 + 99] = 1;
    memory.bytes[8192 + 36] = 2;
    expect([...memory.copyOf('dram', 98, 102)]).toEqual([0, 1, 2, 0]);
  });

  it('leaves a gap where constants stand amid DRAM', () => {
    const program = programOf('', { segmentBytes: 64 });
    const constants = { start: 64, bytes: 64 };
    const map = { ...program.memory, constants, outputs: { start: 192, bytes: 64 } };
    const machine = new Machine({ ...program, constants: Uint8Array.from({ length: 64 }, (_, i) => i), memory: map }, TARGET);
    expect([...machine.dump('dram', 62, 4)]).toEqual([0, 0, 0, 1]);
    machine.memory.bytes[machine.memory.offset('dram', 63)] = 7;
    machine.memory.bytes[machine.memory.offset('dram', 128)] = 9;
    expect([...machine.dump('dram', 62, 68)]).toEqual([0, 7, ...Array.from({ length: 64 }, (_, i) => i), 9, 0]);
  });
});
