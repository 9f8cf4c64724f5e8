/** Making and reading instructions as values: normal form, applicable fields, legality. Codec and assembler share it. */
import type { ElementCode, Field, Form, RegisterField, RegisterRole } from './fields.ts';
import { ELEMENT_CODES, elementOfCode, isNarrowFloat, TYPES } from './fields.ts';
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

/** The element type that an instruction computes with: that of its type field, or of the published datapath where it has none. */
export function elementOf({ fields }: Pick<AnyInstruction, 'fields'>): ElementCode {
  const element = elementOfCode(fields['type'] ?? ELEMENT_CODES.fx16.code);
  if (element === undefined) throw new RangeError(`element type code ${fields['type'] ?? 0} is reserved`);
  return element;
}

/** Whether VCVT converts elements of one type to another. */
function isConversion(from: ElementCode, to: ElementCode): boolean {
  if (from === to) return (TYPES.sums as readonly ElementCode[]).includes(from);
  return (from === 'f32' && isNarrowFloat(to)) || (isNarrowFloat(from) && to === 'f32');
}

/**
 * Why an instruction whose fields are within their bits is illegal all the same, or undefined: a reserved type code or enum value,
 * a field that does not apply and is not zero, a combination that is set aside.
 */
export function illegality({ mnemonic, form: formName, fields }: AnyInstruction): string | undefined {
  const form = formOf(mnemonic, formName);
  const { types = TYPES.any } = recordOf(mnemonic);
  for (const name in form.fields) {
    const field = form.fields[name];
    const value = fields[name] ?? 0;
    if (field === undefined) continue;
    if (field.kind === 'type') {
      const element = elementOfCode(value);
      if (element === undefined) return `reserved element type code ${value} in field '${name}'`;
      if (!types.includes(element)) return `${mnemonic} does not take elements of type ${element}`;
    }
    if (field.kind === 'enum' && field.values[value] === undefined) return `reserved value ${value} of field '${name}'`;
    if (value !== 0 && !applies(field, form, fields)) return `field '${name}' is not zero although it does not apply`;
  }
  if (fields['acc'] === 1 && fields['type'] === ELEMENT_CODES.fx16.code)
    return "'acc' with fx16 elements: the 16-bit datapath rounds at write-back";
  const [from, to] = [fields['type'], fields['type_out']].map((code) => (code === undefined ? undefined : elementOfCode(code)));
  if (from !== undefined && to !== undefined && !isConversion(from, to)) return `conversion of ${from} to ${to} is reserved`;
  return undefined;
}

/** Offset of a branch with an immediate target, or undefined. */
export function branchOffset(instruction: AnyInstruction): number | undefined {
  if (recordOf(instruction.mnemonic).class !== 'control' || instruction.form !== 'immediate') return undefined;
  return instruction.fields['target'];
}
