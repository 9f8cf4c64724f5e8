/**
 * One WebAssembly memory for all machines of a program: its constants and records stand there once, and each machine has a region. The memory is
 * shared, so that machines may be in threads. Browsers make such memories on any page; only to post one to a thread takes cross-origin isolation.
 */
import { memoryBudget } from '../budget.ts';
import { decodeProgram, isIllegal } from '../../isa/codec.ts';
import { instructionCount } from '../../isa/program.ts';
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { MachineError } from '../machine/error.ts';
import type { MachineOptions, Storage } from '../machine/machine.ts';
import { requireValid } from '../machine/machine.ts';
import type { MemoryLayout } from '../machine/memory.ts';
import { memoryLayout } from '../machine/memory.ts';
import { REGISTER_COUNT } from '../machine/state.ts';
import * as layout from './layout.ts';
import { recordsBytes, writeRecord } from './records.ts';
import { scratchBytes } from './scratch.ts';

const PAGE_BYTES = 65536;
const MOST_BYTES = 65536 * PAGE_BYTES;

/** What machines of one program have in common. It can be posted to threads. */
export interface SharedProgram {
  readonly memory: WebAssembly.Memory;
  /** Machines that have a region. */
  readonly machines: number;
}

/** A place for a machine, which no other may have. */
export interface Home {
  readonly shared: SharedProgram;
  /** Which region, from 0. */
  readonly index: number;
}

const alignTo = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

/** Places in the memory, in bytes; constants stand at 0. */
interface Places {
  readonly records: number;
  readonly regions: number;
  readonly regionBytes: number;
  /** In a region the first byte of the scratch; 0 where there is no room for it. */
  readonly scratch: number;
}

function placesOf(program: Program, memory: MemoryLayout): Places {
  const records = alignTo(program.memory.constants.bytes, 64);
  const regions = alignTo(records + recordsBytes(instructionCount(program)), layout.REGION_ALIGNMENT);
  const scratch = alignTo(layout.MACHINE + memory.ownBytes, 64);
  const regionBytes = alignTo(scratch + scratchBytes(memory), layout.REGION_ALIGNMENT);
  if (regions + regionBytes <= MOST_BYTES) return { records, regions, regionBytes, scratch };
  return { records, regions, regionBytes: alignTo(scratch, layout.REGION_ALIGNMENT), scratch: 0 };
}

/** Where a machine's state stands. */
export interface MachinePlaces {
  readonly storage: Storage;
  /** First byte of the region, and of the records. */
  readonly region: number;
  readonly records: number;
  /** First byte of the scratch; 0 where there is none. */
  readonly scratch: number;
  /** Behind the region. */
  readonly end: number;
}

/** The places of the machine that lives in a home. */
export function machinePlaces({ shared, index }: Home, program: Program, memory: MemoryLayout): MachinePlaces {
  if (index >= shared.machines) throw new RangeError(`there are ${shared.machines} machines, and no machine ${index}`);
  const { records, regions, regionBytes, scratch } = placesOf(program, memory);
  const { buffer } = shared.memory;
  const region = regions + index * regionBytes;
  return {
    region,
    records,
    scratch: scratch === 0 ? 0 : region + scratch,
    end: region + regionBytes,
    storage: {
      buffer,
      constants: 0,
      own: region + layout.MACHINE,
      registers: new Int32Array(buffer, region + layout.REGISTERS, REGISTER_COUNT),
    },
  };
}

/**
 * Makes a memory for some machines of a program, fewer where they do not fit, or would take more than the memory budget together. Throws a MachineError where the program does not verify for the target or
 * needs too much memory.
 */
export function shareProgram(program: Program, target: Target, machines: number, { dramLimitBytes }: MachineOptions = {}): SharedProgram {
  requireValid(program, target);
  const memory = memoryLayout(program, target, dramLimitBytes);
  const affordable = Math.floor(memoryBudget() / placesOf(program, memory).regionBytes);
  return shareVerified(program, memory, Math.min(machines, Math.max(1, affordable)));
}

/** `shareProgram` of a program that has been verified, with more bytes behind the last region. */
export function shareVerified(program: Program, memoryLayout: MemoryLayout, wanted: number, moreBytes = 0): SharedProgram {
  const { records, regions, regionBytes } = placesOf(program, memoryLayout);
  const machines = Math.max(1, Math.min(wanted, Math.floor((MOST_BYTES - regions) / regionBytes)));
  const memory = allocate(regions + machines * regionBytes + moreBytes);
  new Uint8Array(memory.buffer).set(program.constants);
  const view = new DataView(memory.buffer);
  decodeProgram(program.code).forEach((instruction, i) => {
    if (!isIllegal(instruction)) writeRecord(view, records + i * layout.RECORD_BYTES, instruction);
  });
  return { memory, machines };
}

function allocate(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  try {
    if (bytes <= MOST_BYTES) return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new MachineError('memory-limit', `the host cannot provide the ${bytes} bytes of one memory that the program needs`);
}

/** A program for threads, whose constants are those of the shared memory. Without its debug map: traps are told where that is. */
export function programForThreads(program: Program, { memory }: SharedProgram): Program {
  return { ...program, constants: new Uint8Array(memory.buffer, 0, program.constants.length), debug: [] };
}
