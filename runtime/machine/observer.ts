/** What the machine tells those who watch it. Observers see every executed instruction and never change a value. */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { AnyInstruction } from '../../isa/table.ts';

/** Which instruction executes, and what it touches: all that timing looks at. */
export interface AddressStep {
  /** Index of the instruction in the program. */
  readonly pc: number;
  readonly instruction: AnyInstruction;
  /** The bytes it reads and writes, in the order of its record's accesses. */
  readonly accesses: readonly ResolvedAccess[];
}

/** One executed instruction. The objects are the machine's own: copy what must outlive the call. */
export interface Step extends AddressStep {
  /** The 64 general-purpose registers before execution. */
  readonly registers: Int32Array;
  /** Whether a branch is taken; false for everything else. */
  readonly taken: boolean;
}

export interface Observer {
  /** Called in program order for each instruction, after its checks have passed and before it executes. */
  step(step: Step): void;
}
