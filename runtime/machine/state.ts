/** The architectural state that instructions read and write. */
import { DEFAULT_SEED } from '../numerics/random.ts';
import type { Memory } from './memory.ts';

export const REGISTER_COUNT = 64;

export class MachineState {
  readonly registers: Int32Array;
  /** Index of the instruction that executes. */
  pc = 0;
  /** Index of the instruction after it; branches set it. */
  next = 0;
  /** Instructions executed since the reset. */
  executed = 0;
  /** State of the generator of random vectors, unsigned and nonzero. */
  random = DEFAULT_SEED;
  readonly memory: Memory;
  /** Fraction bits of 16-bit elements, the same for the whole machine. */
  readonly fraction: number;
  /** Exact sums of an integer product before they are stored: one for each 16-bit element of the vector scratchpad. */
  readonly sums: Float64Array;
  #widened = new Float32Array(0);

  constructor(memory: Memory, fraction: number, registers: Int32Array = new Int32Array(REGISTER_COUNT)) {
    this.registers = registers;
    this.memory = memory;
    this.fraction = fraction;
    this.sums = new Float64Array(memory.layout.size.vector / 2);
  }

  /** Room for at least so many binary32 numbers, for operands of narrower types; the same each time, whatever it holds. */
  widened(count: number): Float32Array {
    if (this.#widened.length < count) this.#widened = new Float32Array(count);
    return this.#widened;
  }
}
