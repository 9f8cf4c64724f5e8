/**
 * Laws of the instruction table, checked when the codec is loaded: what the types cannot say. A table that breaks one is a bug of
 * whoever edits it, so the codec throws.
 */
import type { Access, Field, Form, InstructionRecord } from './fields.ts';
import { ELEMENT_CODES, RESERVED_ELEMENT_CODES } from './fields.ts';
import { INSTRUCTIONS } from './table.ts';

/** Bits 63 to 56: the opcode byte. */
const OPCODE_LSB = 56;
const WORD_BITS = 64;

/** Widths that a field kind must have; the others are as wide as they like. */
const WIDTHS = { register: 6, immediate: 32, type: 4, flag: 1 } as const;

export type InstructionTable = Readonly<Record<string, InstructionRecord>>;

function emptyWord(): (string | undefined)[] {
  return Array.from({ length: WORD_BITS }, (_, bit) => (bit >= OPCODE_LSB ? 'opcode' : undefined));
}

/** For each of the 64 bits, index = bit number, the name of what occupies it: a field, `opcode`, or undefined for reserved. */
export function bitMap(form: Form): readonly (string | undefined)[] {
  const bits = emptyWord();
  for (const [name, field] of Object.entries(form.fields)) bits.fill(name, field.bits[1], field.bits[0] + 1);
  return bits;
}

function checkField(name: string, field: Field, form: Form): string[] {
  const problems: string[] = [];
  const [msb, lsb] = field.bits;
  const width = msb - lsb + 1;
  if (!(lsb >= 0 && msb >= lsb && msb < WORD_BITS)) problems.push(`field '${name}' has no valid bit range`);
  if (field.kind !== 'enum' && width !== WIDTHS[field.kind])
    problems.push(`field '${name}' is ${width} bits wide, not ${WIDTHS[field.kind]}`);
  if (field.kind === 'enum' && (field.values.length < 2 || field.values.length > 2 ** width))
    problems.push(`field '${name}' has ${field.values.length} values in ${width} bits`);
  const operand = field.kind === 'register' || field.kind === 'immediate';
  const mentions = form.assembly.filter((operandName) => operandName === name).length;
  if (mentions !== (operand ? 1 : 0)) problems.push(`field '${name}' stands ${mentions} times among the operands`);
  if (field.kind === 'register' && field.when !== undefined) {
    const [conditionName = '', value] = field.when.split('=');
    const condition = form.fields[conditionName];
    const exists = value === undefined ? condition?.kind === 'flag' : condition?.kind === 'enum' && condition.values.includes(value);
    if (!exists) problems.push(`field '${name}' depends on '${field.when}', which does not exist`);
  }
  return problems;
}

function checkBits(form: Form): string[] {
  const owner = emptyWord();
  const problems: string[] = [];
  for (const [name, { bits }] of Object.entries(form.fields)) {
    for (let bit = bits[1]; bit <= bits[0]; bit++) {
      const other = owner[bit];
      if (other !== undefined) problems.push(`bit ${bit} is used by '${other}' and '${name}'`);
      owner[bit] = name;
    }
  }
  return problems;
}

function checkForm(form: Form): string[] {
  const unknown = form.assembly.filter((name) => !Object.hasOwn(form.fields, name)).map((name) => `operand '${name}' is no field`);
  return [...unknown, ...Object.entries(form.fields).flatMap(([name, field]) => checkField(name, field, form)), ...checkBits(form)];
}

function checkAccess(access: Access, forms: readonly Form[]): string[] {
  const problems: string[] = [];
  const need = (name: string | undefined, kind: Field['kind'], everywhere: boolean): void => {
    if (name === undefined) return;
    const found = forms.filter((form) => form.fields[name]?.kind === kind).length;
    if (found < (everywhere ? forms.length : 1))
      problems.push(`access field '${name}' is no ${kind} field of ${everywhere ? 'each' : 'any'} form`);
  };
  need(access.base, 'register', true);
  need(access.offset, 'immediate', true);
  for (const name of access.width) need(name, 'register', true);
  if (access.width.length > 2) problems.push('a row is the product of two registers at most');
  if (access.element === 'type' || access.element === 'type_out') need(access.element, 'type', true);
  for (const name of [access.rows, access.stride, access.planes, access.planeStride]) need(name, 'register', false);
  if (access.stride !== undefined && access.rows === undefined) problems.push('a stride needs rows');
  if (access.planes !== undefined && access.rows === undefined) problems.push('planes are made of rows');
  if ((access.planes === undefined) !== (access.planeStride === undefined)) problems.push('planes and plane stride belong together');
  need(access.readWhen, 'flag', true);
  if (access.mode !== 'update' && access.readWhen !== undefined) problems.push('only an update has a flag');
  return problems;
}

function checkRecord(record: InstructionRecord): string[] {
  const { register, immediate } = record.forms;
  const forms = [register, immediate].filter((form) => form !== undefined);
  const problems = forms.flatMap(checkForm);
  if (forms.length === 0) problems.push('it has no form');
  if (!Number.isInteger(record.opcode) || record.opcode <= 0 || record.opcode > 127)
    problems.push(`opcode ${record.opcode} is not 1 to 127`);
  if (immediate !== undefined && !Object.values(immediate.fields).some(({ kind }) => kind === 'immediate'))
    problems.push('its immediate form has no immediate');
  // The assembler tells the forms apart by the presence of an immediate operand.
  if (register !== undefined && immediate !== undefined && Object.values(register.fields).some(({ kind }) => kind === 'immediate'))
    problems.push('both of its forms have an immediate');
  if (record.accesses.filter(({ mode }) => mode !== 'read').length > 1) problems.push('it has more than one output in memory');
  return [...problems, ...record.accesses.flatMap((access) => checkAccess(access, forms))];
}

function checkElementCodes(): string[] {
  const codes = [...Object.values(ELEMENT_CODES).map(({ code }) => code), ...Object.values(RESERVED_ELEMENT_CODES)];
  const problems = codes.filter((code) => code < 0 || code > 15).map((code) => `element type code ${code} does not fit 4 bits`);
  if (new Set<number>(codes).size !== codes.length) problems.push('two element types share a code');
  return problems;
}

/** Every broken law of the table, as a sentence; none for a sound table. */
export function checkTable(table: InstructionTable = INSTRUCTIONS): string[] {
  const problems = checkElementCodes();
  const opcodes = new Map<number, string>();
  for (const [mnemonic, record] of Object.entries(table)) {
    const other = opcodes.get(record.opcode);
    if (other !== undefined) problems.push(`${mnemonic}: opcode ${record.opcode} is that of ${other}`);
    opcodes.set(record.opcode, mnemonic);
    if (!/^[A-Z][A-Z0-9]*$/.test(mnemonic)) problems.push(`${mnemonic}: mnemonics are upper-case letters and digits`);
    problems.push(...checkRecord(record).map((problem) => `${mnemonic}: ${problem}`));
  }
  return problems;
}
