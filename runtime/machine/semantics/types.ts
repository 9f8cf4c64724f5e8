/** What the semantics of an instruction are made of. */
import { ELEMENT_CODES } from '../../../isa/fields.ts';
import type { Instruction, Mnemonic } from '../../../isa/table.ts';
import type { MachineState } from '../state.ts';

/** What scalar and control instructions look at and change. */
export type ScalarState = Pick<MachineState, 'registers' | 'pc' | 'next' | 'fraction'>;

/** Executes an instruction of registers alone. */
export type ExecuteScalar<K extends Mnemonic> = (state: ScalarState, instruction: Instruction<K>) => void;

/** Executes an instruction whose checks have passed: every access is in range, aligned and initialised, and nothing traps any more. */
export type Execute<K extends Mnemonic> = (state: MachineState, instruction: Instruction<K>) => void;

export const F32 = ELEMENT_CODES.f32.code;

/** Binary logarithm of the bytes of an element. */
export const elementShift = (type: number): number => (type === F32 ? 2 : 1);

/** The scalar operand named by a register or given as an immediate, as a signed 32-bit number. */
export function scalarOperand(state: ScalarState, form: 'register' | 'immediate', field: number): number {
  return form === 'immediate' ? field : (state.registers[field] as number);
}

/** The low 16 bits of a scalar as a signed fixed-point element. */
export const lowElement = (scalar: number): number => (scalar << 16) >> 16;
