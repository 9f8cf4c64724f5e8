/** What the semantics of an instruction are made of. */
import { ELEMENT_CODES, ELEMENT_NAMES } from '../../../isa/fields.ts';
import type { Instruction, Mnemonic } from '../../../isa/table.ts';
import type { MachineState } from '../state.ts';

/** What scalar and control instructions look at and change. */
export type ScalarState = Pick<MachineState, 'registers' | 'pc' | 'next' | 'fraction'>;

/** Executes an instruction of registers alone. */
export type ExecuteScalar<K extends Mnemonic> = (state: ScalarState, instruction: Instruction<K>) => void;

/** Executes an instruction whose checks have passed: every access is in range, aligned and initialised, and nothing traps any more. */
export type Execute<K extends Mnemonic> = (state: MachineState, instruction: Instruction<K>) => void;

export const F32 = ELEMENT_CODES.f32.code;

const SHIFTS = ELEMENT_NAMES.reduce<number[]>((shifts, name) => {
  shifts[ELEMENT_CODES[name].code] = Math.log2(ELEMENT_CODES[name].bytes);
  return shifts;
}, []);

/** Binary logarithm of the bytes of an element. */
export const elementShift = (type: number): number => SHIFTS[type] as number;

/** The scalar operand named by a register or given as an immediate, as a signed 32-bit number. */
export function scalarOperand(state: ScalarState, form: 'register' | 'immediate', field: number): number {
  return form === 'immediate' ? field : (state.registers[field] as number);
}

/** The low 16 bits of a scalar as a signed fixed-point element. */
export const lowElement = (scalar: number): number => (scalar << 16) >> 16;

/** The high 16 bits of a scalar, signed. */
export const highElement = (scalar: number): number => scalar >> 16;

/** A register as an unsigned number: a size, a count, an address. */
export const unsignedRegister = (state: ScalarState, register: number): number => (state.registers[register] as number) >>> 0;
