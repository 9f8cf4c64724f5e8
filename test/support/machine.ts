/** Machines for short programs in assembly. */
import { assemble } from '../../isa/assembly.ts';
import type { Space } from '../../isa/fields.ts';
import { SPACES } from '../../isa/fields.ts';
import type { DebugEntry, Port, Program } from '../../isa/program.ts';
import type { MachineOptions } from '../../runtime/machine/machine.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { loadTarget } from './targets.ts';
import type { TARGET_NAMES } from './targets.ts';

export interface ProgramOptions {
  readonly target?: (typeof TARGET_NAMES)[number];
  /** Bytes of the constants segment, which starts at 0; its size is rounded up to 64. */
  readonly constants?: Uint8Array;
  /** Bytes of each of the segments inputs, outputs and activations, which follow the constants in this order; a multiple of 64. */
  readonly segmentBytes?: number;
  readonly inputs?: readonly Port[];
  readonly outputs?: readonly Port[];
  readonly debug?: readonly DebugEntry[];
  readonly maxInstructions?: number;
}

/** A program of assembled code. */
export function programOf(source: string, options: ProgramOptions = {}): Program {
  const { target = 'cambricon', segmentBytes = 4096, inputs = [], outputs = [], debug = [], maxInstructions = 1000 } = options;
  const bytes = Math.ceil((options.constants?.length ?? 0) / 64) * 64;
  const constants = new Uint8Array(bytes);
  constants.set(options.constants ?? []);
  const after = (count: number) => ({ start: bytes + count * segmentBytes, bytes: segmentBytes });
  return {
    target,
    code: assemble(source).code,
    constants,
    memory: {
      constants: { start: 0, bytes },
      inputs: after(0),
      outputs: after(1),
      activations: after(2),
      spill: { start: bytes + 3 * segmentBytes, bytes: 0 },
    },
    inputs,
    outputs,
    debug,
    maxInstructions,
  };
}

export function machineOf(source: string, options: ProgramOptions = {}, machineOptions: MachineOptions = {}): Machine {
  return new Machine(programOf(source, options), loadTarget(options.target ?? 'cambricon'), machineOptions);
}

/** The bytes of a space with those of other spaces in front, as they stand in `contents`. */
export function positionIn({ memory }: Machine, space: Space, address: number): number {
  const before = SPACES.slice(0, SPACES.indexOf(space));
  return before.reduce((sum, each) => sum + memory.layout.size[each], address);
}

/** All bytes of all spaces, one space after the other. */
export function contents(machine: Machine): Uint8Array {
  return Buffer.concat(SPACES.map((space) => machine.dump(space, 0, machine.memory.layout.size[space])));
}

/** Puts bytes into a space, within the constants or elsewhere. */
export function poke({ memory }: Machine, space: Space, address: number, bytes: Uint8Array): void {
  memory.bytes.set(bytes, memory.offset(space, address));
}

/** Fills all spaces but the constants, which begin DRAM, word by word. */
export function fillSpaces(machine: Machine, word: () => number): void {
  const { constants, layout } = machine.memory;
  for (const space of SPACES) {
    const start = space === 'dram' ? constants.bytes : 0;
    const words = new Int32Array((layout.size[space] - start) / 4);
    for (let i = 0; i < words.length; i++) words[i] = word();
    poke(machine, space, start, new Uint8Array(words.buffer));
  }
}

/** All state of a machine. */
export interface Snapshot {
  readonly bytes: Uint8Array;
  /** Registers, PC, random state and initialised ranges. */
  readonly rest: string;
}

export function snapshot(machine: Machine): Snapshot {
  const { memory, registers, pc, state } = machine;
  const { dram, vector, matrix } = memory.initialised;
  return { bytes: contents(machine), rest: JSON.stringify([[...registers], pc, state.random, [...dram], [...vector], [...matrix]]) };
}
