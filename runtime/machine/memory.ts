/**
 * The machine's memory in one linear buffer: the constants, which machines of one program may share, and what is the machine's own: the
 * rest of the DRAM image, the vector scratchpad and the matrix scratchpad, in this order.
 */
import type { Space } from '../../isa/fields.ts';
import type { Program, Segment } from '../../isa/program.ts';
import { dramEnd, dramProblem } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { MachineError } from './error.ts';
import { Intervals } from './intervals.ts';

const ALIGNMENT = 64;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Sizes of the spaces, and where they lie, in bytes. */
export interface MemoryLayout {
  readonly size: Readonly<Record<Space, number>>;
  /** From the first byte of what is the machine's own to address 0 of each space: negative for DRAM that begins with constants. */
  readonly base: Readonly<Record<Space, number>>;
  readonly ownBytes: number;
}

/** The layout for a program; the DRAM image is as large as its memory map says. Throws a MachineError beyond the limits. */
export function memoryLayout(program: Program, target: Target, dramLimitBytes?: number): MemoryLayout {
  const problem = dramProblem(program.memory, target, dramLimitBytes);
  if (problem) throw new MachineError('memory-limit', problem.message, problem.hint);
  const dram = dramEnd(program.memory);
  const { vectorBytes: vector, matrixBytes: matrix } = target.memory;
  const { start, bytes } = program.memory.constants;
  const elsewhere = start === 0 ? Math.floor(bytes / ALIGNMENT) * ALIGNMENT : 0;
  const dramBytesHere = align(dram - elsewhere);
  const base = { dram: -elsewhere, vector: dramBytesHere, matrix: dramBytesHere + align(vector) };
  return { size: { dram, vector, matrix }, base, ownBytes: base.matrix + align(matrix) };
}

/** Where a machine's memory stands. Both places are multiples of 64. */
export interface MemoryPlace {
  readonly buffer: ArrayBufferLike;
  /** First byte of the constants. */
  readonly constants: number;
  /** First byte of what is the machine's own. */
  readonly own: number;
}

/** Room for one machine. */
function ownPlace({ ownBytes }: MemoryLayout, constants: Segment): MemoryPlace {
  const own = align(constants.bytes);
  try {
    return { buffer: new ArrayBuffer(own + ownBytes), constants: 0, own };
  } catch {
    throw new MachineError('memory-limit', `the host cannot provide the ${own + ownBytes} bytes that the program needs`);
  }
}

export class Memory {
  readonly layout: MemoryLayout;
  /** The whole buffer under each element type; the index of an address is its `offset` divided by the element's size. */
  readonly bytes: Uint8Array;
  readonly signedBytes: Int8Array;
  readonly halves: Int16Array;
  readonly words: Int32Array;
  readonly longs: BigInt64Array;
  readonly floats: Float32Array;
  /** Bytes of each space that something has been stored to since the reset. */
  readonly initialised: Readonly<Record<Space, Intervals>> = { dram: new Intervals(), vector: new Intervals(), matrix: new Intervals() };
  /** The part of DRAM that the program must not write. */
  readonly constants: Segment;
  /** Byte offset of address 0 of each space, and of DRAM for addresses of constants. */
  readonly #bases: Readonly<Record<Space, number>>;
  readonly #constantsBase: number;

  constructor(layout: MemoryLayout, constants: Segment, place: MemoryPlace = ownPlace(layout, constants)) {
    const { buffer, own } = place;
    this.layout = layout;
    this.constants = constants;
    this.bytes = new Uint8Array(buffer);
    this.signedBytes = new Int8Array(buffer);
    this.halves = new Int16Array(buffer);
    this.words = new Int32Array(buffer);
    this.longs = new BigInt64Array(buffer);
    this.floats = new Float32Array(buffer);
    const { dram, vector, matrix } = layout.base;
    this.#bases = { dram: own + dram, vector: own + vector, matrix: own + matrix };
    this.#constantsBase = place.constants - constants.start;
  }

  /** Byte offset in the buffer of an address, from which on an access that has passed its checks lies at the same distances as in its space. */
  offset(space: Space, address: number): number {
    const { start, bytes } = this.constants;
    const isConstant = space === 'dram' && address >= start && address < start + bytes;
    return address + (isConstant ? this.#constantsBase : this.#bases[space]);
  }

  /** A copy of bytes of a space. */
  copyOf(space: Space, start: number, end: number): Uint8Array {
    const copy = new Uint8Array(end - start);
    const borders = [this.constants.start, this.constants.start + this.constants.bytes].filter((at) => start < at && at < end);
    let from = start;
    for (const to of space === 'dram' ? [...borders, end] : [end]) {
      const first = this.offset(space, from);
      copy.set(this.bytes.subarray(first, first + to - from), from - start);
      from = to;
    }
    return copy;
  }

  /** Fills the constants segment; once, because nothing can change it afterwards. */
  loadConstants(constants: Uint8Array): void {
    this.bytes.set(constants, this.#constantsBase + this.constants.start);
  }

  /** Makes everything but the constants uninitialised. */
  forget(): void {
    const { dram, vector, matrix } = this.initialised;
    for (const space of [dram, vector, matrix]) space.clear();
    dram.add(this.constants.start, this.constants.start + this.constants.bytes);
  }
}
