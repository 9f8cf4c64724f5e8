/**
 * THE instruction table. Encoder, decoder, assembler, disassembler, verifier, scoreboard, cost, manual and random programs derive
 * from it. The key is the mnemonic. The records stand in `instructions/`, by class.
 *
 * The paper (Liu et al., ISCA 2016) attests most mnemonics and the layouts marked `published`; opcode numbers, the exact set of
 * 43 and the layouts marked `ours` are choices of this project, because the paper prints none.
 */
import type { Extension, InstructionRecord } from './fields.ts';
import { ELEMENT_CODES, elementOfCode } from './fields.ts';
import { MATRIX } from './instructions/matrix.ts';
import { SCALAR } from './instructions/scalar.ts';
import { TRANSFERS } from './instructions/transfer.ts';
import { VECTOR } from './instructions/vector.ts';

export const INSTRUCTIONS = { ...TRANSFERS, ...MATRIX, ...VECTOR, ...SCALAR } as const satisfies Readonly<
  Record<string, InstructionRecord>
>;

export type Mnemonic = keyof typeof INSTRUCTIONS;
export const MNEMONICS = Object.keys(INSTRUCTIONS) as readonly Mnemonic[];

type FieldsOf<F> = F extends { fields: infer X } ? keyof X : never;
type Forms<K extends Mnemonic> = (typeof INSTRUCTIONS)[K]['forms'];

/** Names of the fields that an instruction has in any of its forms. */
export type FieldName<K extends Mnemonic> = Extract<{ [F in keyof Forms<K>]: FieldsOf<Forms<K>[F]> }[keyof Forms<K>], string>;

export type FormName = 'register' | 'immediate';

/** A decoded instruction: every field as a number (register index, immediate, type code, flag 0 or 1, index of an enum). */
export interface Instruction<K extends Mnemonic = Mnemonic> {
  readonly mnemonic: K;
  readonly form: FormName;
  readonly fields: Readonly<Record<FieldName<K>, number>>;
}

/** An instruction of any mnemonic, its fields by name. */
export interface AnyInstruction {
  readonly mnemonic: Mnemonic;
  readonly form: FormName;
  readonly fields: Readonly<Record<string, number>>;
}

/** The record under its general type, for code that treats all instructions alike. */
export function recordOf(mnemonic: Mnemonic): InstructionRecord {
  return INSTRUCTIONS[mnemonic];
}

/** Extensions that the use of this instruction needs: its own, and those of the modifiers that are set. */
export function extensionsOf(instruction: AnyInstruction): readonly Extension[] {
  const record = recordOf(instruction.mnemonic);
  const needed = new Set<Extension>(record.extension === 'base' ? [] : [record.extension]);
  for (const [name, field] of Object.entries(record.forms[instruction.form]?.fields ?? {})) {
    if (field.kind === 'flag' && instruction.fields[name] === 1) needed.add(field.extension);
    const element = field.kind === 'type' ? elementOfCode(instruction.fields[name] ?? 0) : undefined;
    const extension = element && ELEMENT_CODES[element].extension;
    if (extension !== undefined) needed.add(extension);
  }
  return [...needed];
}
