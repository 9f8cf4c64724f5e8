/** Making and reading instructions as values: normal form, applicable fields, legality. Codec and assembler share it. */
import type { Field, Form, RegisterField, RegisterRole } from './fields.ts';
import { ELEMENT_CODES } from './fields.ts';
import type { AnyInstruction, FieldName, FormName, Instruction, Mnemonic } from './table.ts';
import { MNEMONICS, recordOf } from './table.ts';

/** The form of an instruction. Throws a RangeError where the mnemonic has no such form. */
export function formOf(mnemonic: Mnemonic, form: FormName): Form {
  const found = recordOf(mnemonic).forms[form];
  if (found === undefined) throw new RangeError(`${mnemonic} has no ${form} form`);
  return found;
}

const FORM_NAMES = ['register', 'immediate'] as const satisfies readonly FormName[];

/** The forms that a mnemonic has, register form first. */
export function formsOf(mnemonic: Mnemonic): readonly FormName[] {
  return FORM_NAMES.filter((name) => recordOf(mnemonic).forms[name] !== undefined);
}

/** For each mnemonic, all its fields at zero: those of both forms, so that every instruction of a mnemonic has one shape. */
const ZEROS = new Map(
  MNEMONICS.map((mnemonic) => {
    const names = formsOf(mnemonic).flatMap((name) => Object.keys(formOf(mnemonic, name).fields));
    return [mnemonic, Object.fromEntries(names.map((name) => [name, 0]))] as const;
  }),
);

/** A fresh record of all fields of a mnemonic, in either form, at zero. */
export function zeroFields(mnemonic: Mnemonic): Record<string, number> {
  return { ...ZEROS.get(mnemonic) };
}

/** Whether a field is written among the operands in assembly; the others are modifiers, whose absence means 0. */
export function isOperand(field: Field): boolean {
  return field.kind === 'register' || field.kind === 'immediate';
}

/** Whether a field applies: its `when` condition, if it has one, holds. */
export function applies(field: Field, form: Form, fields: Readonly<Record<string, number>>): boolean {
  if (field.kind !== 'register' || field.when === undefined) return true;
  const equals = field.when.indexOf('=');
  if (equals < 0) return fields[field.when] === 1;
  const name = field.when.slice(0, equals);
  const condition = form.fields[name];
  return condition?.kind === 'enum' && condition.values[fields[name] ?? 0] === field.when.slice(equals + 1);
}

/** A register that an instruction names, and what it holds. */
export interface RegisterUse {
  readonly register: number;
  readonly role: RegisterRole;
}

/** The fields of a form that name registers, looked up once: engines ask for those of every instruction. */
const registerFields = new Map<Form, readonly (readonly [name: string, field: RegisterField])[]>();

function registerFieldsOf(form: Form): readonly (readonly [name: string, field: RegisterField])[] {
  let fields = registerFields.get(form);
  if (fields === undefined) {
    fields = Object.entries(form.fields).flatMap(([name, field]) => (field.kind === 'register' ? [[name, field] as const] : []));
    registerFields.set(form, fields);
  }
  return fields;
}

/** The registers that an instruction names, in the order of its fields; those of fields that do not apply are left out. */
export function registersOf({ mnemonic, form: formName, fields }: AnyInstruction): RegisterUse[] {
  const form = formOf(mnemonic, formName);
  const uses: RegisterUse[] = [];
  for (const [name, field] of registerFieldsOf(form))
    if (applies(field, form, fields)) uses.push({ register: fields[name] ?? 0, role: field.role });
  return uses;
}

/**
 * An instruction in normal form: every field of the mnemonic is present, modifiers that are not given are 0 (type fx16, no flag).
 * The form is the only one of the mnemonic, else `register` unless told. Throws a RangeError where an operand that applies is
 * not given; values are checked by `encode`.
 */
export function makeInstruction<K extends Mnemonic>(
  mnemonic: K,
  given: Readonly<Partial<Record<FieldName<K>, number>>>,
  formName: FormName = formsOf(mnemonic)[0] ?? 'register',
): Instruction<K> {
  const form = formOf(mnemonic, formName);
  const fields = { ...zeroFields(mnemonic), ...given };
  for (const name of form.assembly) {
    const field = form.fields[name];
    if (field !== undefined && !Object.hasOwn(given, name) && applies(field, form, fields))
      throw new RangeError(`${mnemonic} needs '${name}'`);
  }
  return { mnemonic, form: formName, fields };
}

const CODES: ReadonlySet<number> = new Set(Object.values(ELEMENT_CODES).map(({ code }) => code));

/**
 * Why an instruction whose fields are within their bits is illegal all the same, or undefined: a reserved type code or enum value,
 * a field that does not apply and is not zero, a combination that is set aside.
 */
export function illegality({ mnemonic, form: formName, fields }: AnyInstruction): string | undefined {
  const form = formOf(mnemonic, formName);
  for (const name in form.fields) {
    const field = form.fields[name];
    const value = fields[name] ?? 0;
    if (field === undefined) continue;
    if (field.kind === 'type' && !CODES.has(value)) return `reserved element type code ${value} in field '${name}'`;
    if (field.kind === 'enum' && field.values[value] === undefined) return `reserved value ${value} of field '${name}'`;
    if (value !== 0 && !applies(field, form, fields)) return `field '${name}' is not zero although it does not apply`;
  }
  if (fields['acc'] === 1 && fields['type'] === ELEMENT_CODES.fx16.code)
    return "'acc' with fx16 elements: the 16-bit datapath rounds at write-back";
  if (fields['type_out'] !== undefined && fields['type_out'] !== fields['type']) return 'conversion between unequal types is reserved';
  return undefined;
}

/** Offset of a branch with an immediate target, or undefined. */
export function branchOffset(instruction: AnyInstruction): number | undefined {
  if (recordOf(instruction.mnemonic).class !== 'control' || instruction.form !== 'immediate') return undefined;
  return instruction.fields['target'];
}
