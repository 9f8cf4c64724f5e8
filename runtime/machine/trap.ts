/** Traps: a program that went wrong at run time. The machine is left as it was before the trapping instruction. */
import { printInstruction } from '../../isa/assembly.ts';
import { operandsOf } from '../../isa/syntax.ts';
import { formOf } from '../../isa/instruction.ts';
import type { DebugEntry } from '../../isa/program.ts';
import type { AnyInstruction } from '../../isa/table.ts';

export type TrapCode =
  /** An address outside of its space, more rows than the vector scratchpad has elements, or a read that is partly of constants. */
  | 'out-of-range'
  /** An address or a stride that is no multiple of the element's size. */
  | 'misaligned'
  /** A read of bytes that nothing has been stored to. */
  | 'uninitialised'
  /** A store into the constants. */
  | 'read-only'
  /** An output that partly overlaps an input or itself. */
  | 'overlap'
  | 'divide-by-zero'
  /** The greatest or least element of no elements. */
  | 'empty-reduction'
  /** A shift of integer sums that is not among those defined. */
  | 'bad-shift'
  /** A branch to an instruction outside of the program. */
  | 'bad-branch'
  /** More instructions than the run may execute. */
  | 'budget';

/** Why an instruction cannot execute. */
export interface TrapReason {
  readonly code: TrapCode;
  /** A clause, such as "bytes 0x40 to 0x80 of 'out' are outside of the vector scratchpad". */
  readonly detail: string;
}

/** A register operand of the trapping instruction. */
export interface TrapOperand {
  readonly name: string;
  readonly register: number;
  /** Signed. */
  readonly value: number;
}

export type TrapSource = Pick<DebugEntry, 'tile' | 'node' | 'origin'>;

export class Trap extends Error {
  override readonly name = 'Trap';
  readonly code: TrapCode;
  /** Index of the instruction. */
  readonly pc: number;
  /** The instruction in assembly. */
  readonly instruction: string;
  readonly operands: readonly TrapOperand[];
  /** What the instruction was compiled from, where the debug map says. */
  readonly source: TrapSource | undefined;

  constructor(
    { code, detail }: TrapReason,
    pc: number,
    instruction: AnyInstruction,
    registers: Int32Array,
    source: DebugEntry | undefined,
  ) {
    const text = printInstruction(instruction);
    const operands = registerOperands(instruction, registers);
    super(trapMessage(code, detail, pc, text, operands, source));
    this.code = code;
    this.pc = pc;
    this.instruction = text;
    this.operands = operands;
    this.source = source && { tile: source.tile, node: source.node, origin: source.origin };
  }
}

function registerOperands({ mnemonic, form: formName, fields }: AnyInstruction, registers: Int32Array): TrapOperand[] {
  return operandsOf(formOf(mnemonic, formName), fields).flatMap(([name, field]) => {
    const register = fields[name] ?? 0;
    return field.kind === 'register' ? [{ name, register, value: registers[register] ?? 0 }] : [];
  });
}

function trapMessage(
  code: TrapCode,
  detail: string,
  pc: number,
  text: string,
  operands: readonly TrapOperand[],
  source: DebugEntry | undefined,
): string {
  const values = [...new Map(operands.map(({ register, value }) => [`$${register}`, value]))].map(([name, value]) => `${name}=${value}`);
  const where = source === undefined ? '' : `, of '${source.node}'`;
  return `${code} trap at instruction ${pc}${where}: ${detail}; ${text}${values.length === 0 ? '' : ` with ${values.join(' ')}`}`;
}
