/** Machines for short programs in assembly. */
import { assemble } from '../../isa/assembly.ts';
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

/** All state of a machine. */
export interface Snapshot {
  readonly bytes: Uint8Array;
  /** Registers, PC, random state and initialised ranges. */
  readonly rest: string;
}

export function snapshot({ memory, registers, pc, state }: Machine): Snapshot {
  const { dram, vector, matrix } = memory.initialised;
  return { bytes: memory.bytes.slice(), rest: JSON.stringify([[...registers], pc, state.random, [...dram], [...vector], [...matrix]]) };
}
