/** Random legal instructions, derived from the instruction table. */
import fc from 'fast-check';
import type { Field } from '../../isa/fields.ts';
import { ELEMENT_CODES, TYPES } from '../../isa/fields.ts';
import { applies, formOf, formsOf, illegality, zeroFields } from '../../isa/instruction.ts';
import type { AnyInstruction, FormName, Mnemonic } from '../../isa/table.ts';
import { MNEMONICS, recordOf } from '../../isa/table.ts';

function arbitraryValue(mnemonic: Mnemonic, field: Field): fc.Arbitrary<number> {
  switch (field.kind) {
    case 'register':
      return fc.integer({ min: 0, max: 63 });
    case 'immediate':
      return fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
    case 'type':
      return fc.constantFrom(...typeCodes(mnemonic));
    case 'flag':
      return fc.integer({ min: 0, max: 1 });
    case 'enum':
      return fc.nat({ max: field.values.length - 1 });
  }
}

/** Codes of the element types that a mnemonic takes. */
export function typeCodes(mnemonic: Mnemonic): readonly number[] {
  return (recordOf(mnemonic).types ?? TYPES.any).map((name) => ELEMENT_CODES[name].code);
}

function inNormalForm(mnemonic: Mnemonic, formName: FormName, drawn: Readonly<Record<string, number>>): Record<string, number> {
  const form = formOf(mnemonic, formName);
  const fields = zeroFields(mnemonic);
  for (const [name, field] of Object.entries(form.fields)) fields[name] = applies(field, form, drawn) ? (drawn[name] ?? 0) : 0;
  // Most conversions between unequal types are reserved.
  if (fields['type_out'] !== undefined && illegality({ mnemonic, form: formName, fields }) !== undefined)
    fields['type_out'] = fields['type'] ?? 0;
  return fields;
}

function arbitraryOf(mnemonic: Mnemonic, formName: FormName): fc.Arbitrary<AnyInstruction> {
  const form = formOf(mnemonic, formName);
  const values = Object.fromEntries(Object.entries(form.fields).map(([name, field]) => [name, arbitraryValue(mnemonic, field)]));
  return fc
    .record(values)
    .map((drawn): AnyInstruction => ({ mnemonic, form: formName, fields: inNormalForm(mnemonic, formName, drawn) }))
    .filter((instruction) => illegality(instruction) === undefined);
}

/** Every pair of a mnemonic and one of its forms. */
export const ALL_FORMS: readonly (readonly [Mnemonic, FormName])[] = MNEMONICS.flatMap((mnemonic) =>
  formsOf(mnemonic).map((formName) => [mnemonic, formName] as const),
);

/** A legal instruction in normal form; of the given mnemonics, or of any. */
export function arbitraryInstruction(mnemonics: readonly Mnemonic[] = MNEMONICS): fc.Arbitrary<AnyInstruction> {
  return fc.oneof(
    ...ALL_FORMS.filter(([mnemonic]) => mnemonics.includes(mnemonic)).map(([mnemonic, formName]) => arbitraryOf(mnemonic, formName)),
  );
}
