/** The machine's memory: one linear buffer that holds the DRAM image, the vector scratchpad and the matrix scratchpad, in this order. */
import type { Space } from '../../isa/fields.ts';
import type { Program, Segment } from '../../isa/program.ts';
import { dramEnd } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { MachineError } from './error.ts';
import { Intervals } from './intervals.ts';

/** Largest DRAM image unless the caller allows more, in bytes. */
export const DEFAULT_DRAM_LIMIT_BYTES = 2 ** 30;

/** A WebAssembly memory ends here, and so do the offsets that engines may use. */
const ADDRESSABLE_BYTES = 2 ** 32;

const ALIGNMENT = 64;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Where each space lies in the buffer, in bytes. */
export interface MemoryLayout {
  readonly base: Readonly<Record<Space, number>>;
  readonly size: Readonly<Record<Space, number>>;
  readonly totalBytes: number;
}

/** The layout for a program; the DRAM image is as large as its memory map says. Throws a MachineError beyond the limits. */
export function memoryLayout(program: Program, target: Target, dramLimitBytes: number = DEFAULT_DRAM_LIMIT_BYTES): MemoryLayout {
  const dram = dramEnd(program.memory);
  const { vectorBytes: vector, matrixBytes: matrix, dramBytes } = target.memory;
  if (dram > dramBytes)
    throw new MachineError('memory-limit', `the program needs ${dram} bytes of DRAM and the target '${target.name}' has ${dramBytes}`);
  if (dram > dramLimitBytes)
    throw new MachineError('memory-limit', `the program needs ${dram} bytes of DRAM and the limit is ${dramLimitBytes}`);
  const base = { dram: 0, vector: align(dram), matrix: align(dram) + align(vector) };
  const totalBytes = base.matrix + align(matrix);
  if (totalBytes > ADDRESSABLE_BYTES)
    throw new MachineError(
      'memory-limit',
      `DRAM and scratchpads take ${totalBytes} bytes, more than the ${ADDRESSABLE_BYTES} of one memory`,
    );
  return { base, size: { dram, vector, matrix }, totalBytes };
}

export class Memory {
  readonly layout: MemoryLayout;
  /** The whole buffer under each element type; the index of an address is its byte offset in the buffer divided by the element's size. */
  readonly bytes: Uint8Array;
  readonly halves: Int16Array;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  /** Bytes of each space that something has been stored to since the reset. */
  readonly initialised: Readonly<Record<Space, Intervals>> = { dram: new Intervals(), vector: new Intervals(), matrix: new Intervals() };
  /** The part of DRAM that the program must not write. */
  readonly constants: Segment;

  /** `buffer`, if given, must hold `layout.totalBytes` bytes from `byteOffset` on and may be shared or a WebAssembly memory's. */
  constructor(layout: MemoryLayout, constants: Segment, buffer: ArrayBufferLike = allocate(layout.totalBytes), byteOffset = 0) {
    if (buffer.byteLength < byteOffset + layout.totalBytes)
      throw new RangeError(`a buffer of ${buffer.byteLength} bytes is less than the ${byteOffset + layout.totalBytes} needed`);
    this.layout = layout;
    this.constants = constants;
    this.bytes = new Uint8Array(buffer, byteOffset, layout.totalBytes);
    this.halves = new Int16Array(buffer, byteOffset, layout.totalBytes / 2);
    this.words = new Int32Array(buffer, byteOffset, layout.totalBytes / 4);
    this.floats = new Float32Array(buffer, byteOffset, layout.totalBytes / 4);
  }

  /** Fills the constants segment; once, because nothing can change it afterwards. */
  loadConstants(constants: Uint8Array): void {
    this.bytes.set(constants, this.constants.start);
    this.forget();
  }

  /** Makes everything but the constants uninitialised. */
  forget(): void {
    const { dram, vector, matrix } = this.initialised;
    for (const space of [dram, vector, matrix]) space.clear();
    dram.add(this.constants.start, this.constants.start + this.constants.bytes);
  }
}

function allocate(bytes: number): ArrayBuffer {
  try {
    return new ArrayBuffer(bytes);
  } catch {
    throw new MachineError('memory-limit', `the host cannot provide the ${bytes} bytes that the program needs`);
  }
}
