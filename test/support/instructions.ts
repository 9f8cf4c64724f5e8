/** Random legal instructions, derived from the instruction table. */
import fc from 'fast-check';
import type { Field, Form } from '../../isa/fields.ts';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import { applies, formOf, formsOf, illegality, zeroFields } from '../../isa/instruction.ts';
import type { AnyInstruction, FormName, Mnemonic } from '../../isa/table.ts';
import { MNEMONICS } from '../../isa/table.ts';

const codes = Object.values(ELEMENT_CODES).map(({ code }) => code);

function arbitraryValue(field: Field): fc.Arbitrary<number> {
  switch (field.kind) {
    case 'register':
      return fc.integer({ min: 0, max: 63 });
    case 'immediate':
      return fc.oneof(fc.integer(), fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)));
    case 'type':
      return fc.constantFrom(...codes);
    case 'flag':
      return fc.integer({ min: 0, max: 1 });
    case 'enum':
      return fc.nat({ max: field.values.length - 1 });
  }
}

function inNormalForm(mnemonic: Mnemonic, form: Form, drawn: Readonly<Record<string, number>>): Record<string, number> {
  const fields = zeroFields(mnemonic);
  for (const [name, field] of Object.entries(form.fields)) fields[name] = applies(field, form, drawn) ? (drawn[name] ?? 0) : 0;
  // Conversions between unequal types are reserved.
  if (fields['type_out'] !== undefined) fields['type_out'] = fields['type'] ?? 0;
  return fields;
}

function arbitraryOf(mnemonic: Mnemonic, formName: FormName): fc.Arbitrary<AnyInstruction> {
  const form = formOf(mnemonic, formName);
  const values = Object.fromEntries(Object.entries(form.fields).map(([name, field]) => [name, arbitraryValue(field)]));
  return fc
    .record(values)
    .map((drawn): AnyInstruction => ({ mnemonic, form: formName, fields: inNormalForm(mnemonic, form, drawn) }))
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
