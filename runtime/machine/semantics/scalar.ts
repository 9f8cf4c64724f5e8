/** Scalar and control instructions. Registers hold 32-bit two's complement; the register file wraps what is stored to it. */
import { expFixed } from '../../numerics/fixed.ts';
import type { ExecuteScalar, ScalarState } from './types.ts';
import { lowElement, scalarOperand } from './types.ts';

type Binary = 'SADD' | 'SSUB' | 'SMUL' | 'SDIV' | 'SGT' | 'SE' | 'SAND';

/** Results are taken modulo 2^32. */
function binary(operation: (a: number, b: number) => number): ExecuteScalar<Binary> {
  return (state, { form, fields }) => {
    const { registers } = state;
    registers[fields.result] = operation(registers[fields.a] as number, scalarOperand(state, form, fields.b));
  };
}

/** Whether the branch at the present state is taken. */
export function branchTaken(state: ScalarState, condition: number): boolean {
  return (state.registers[condition] as number) > 0;
}

const jump: ExecuteScalar<'JUMP'> = (state, { form, fields }) => {
  state.next = state.pc + scalarOperand(state, form, fields.target);
};

const conditionalBranch: ExecuteScalar<'CB'> = (state, { form, fields }) => {
  if (branchTaken(state, fields.condition)) state.next = state.pc + scalarOperand(state, form, fields.target);
};

const exponential: ExecuteScalar<'SEXP'> = (state, { fields }) => {
  state.registers[fields.result] = expFixed(lowElement(state.registers[fields.a] as number), state.fraction);
};

const not: ExecuteScalar<'SNOT'> = (state, { fields }) => {
  state.registers[fields.result] = state.registers[fields.a] === 0 ? 1 : 0;
};

export const SCALAR = {
  JUMP: jump,
  CB: conditionalBranch,
  SADD: binary((a, b) => a + b),
  SSUB: binary((a, b) => a - b),
  SMUL: binary((a, b) => Math.imul(a, b)),
  SDIV: binary((a, b) => Math.trunc(a / b)),
  SEXP: exponential,
  SGT: binary((a, b) => (a > b ? 1 : 0)),
  SE: binary((a, b) => (a === b ? 1 : 0)),
  SAND: binary((a, b) => (a !== 0 && b !== 0 ? 1 : 0)),
  SNOT: not,
} as const;
