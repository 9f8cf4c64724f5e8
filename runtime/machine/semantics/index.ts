/** What each instruction does, by mnemonic: the plain engine's meaning of the instruction table. */
import type { AnyInstruction, Mnemonic } from '../../../isa/table.ts';
import type { MachineState } from '../state.ts';
import { FINISH } from './finish.ts';
import { MATRIX } from './matrix.ts';
import { QUANTIZED } from './quantized.ts';
import { SCALAR } from './scalar.ts';
import { TRANSFER } from './transfer.ts';
import type { Execute, ScalarState } from './types.ts';
import { VECTOR } from './vector.ts';

export const SEMANTICS: { readonly [K in Mnemonic]: Execute<K> } = {
  ...SCALAR,
  ...TRANSFER,
  ...MATRIX,
  ...VECTOR,
  ...FINISH,
  ...QUANTIZED,
};

/** The function that executes instructions of this mnemonic. */
export function semanticsOf(mnemonic: Mnemonic): (state: MachineState, instruction: AnyInstruction) => void {
  return SEMANTICS[mnemonic] as (state: MachineState, instruction: AnyInstruction) => void;
}

const OF_REGISTERS: { readonly [K in Mnemonic]?: unknown } = { ...SCALAR, SMOVE: TRANSFER.SMOVE };

/** The function that executes instructions of this mnemonic if they look at registers alone and change nothing else. */
export function scalarSemanticsOf(mnemonic: Mnemonic): ((state: ScalarState, instruction: AnyInstruction) => void) | undefined {
  return OF_REGISTERS[mnemonic] as ReturnType<typeof scalarSemanticsOf>;
}
