/**
 * Assembly syntax of one instruction, printer and parser side by side.
 *
 *     MNEMONIC.suffix.suffix operand, operand, …
 *
 * Suffixes are the modifiers in field order: element types, flags, an enum value that is not the first. A single type suffix is
 * left out for fx16; two are always written. Operands are registers `$0` to `$63` and immediates `#-1`, `#0x40`, `#label`.
 */
import { closest, distance } from 'fastest-levenshtein';
import type { Field, Form } from './fields.ts';
import { ELEMENT_CODES, elementOfCode, RESERVED_ELEMENT_CODES } from './fields.ts';
import { applies, formOf, formsOf, isOperand } from './instruction.ts';
import type { AnyInstruction, FormName, Mnemonic } from './table.ts';
import { MNEMONICS } from './table.ts';

/** What is wrong at a place of a line; `column` counts from 1. */
export class SyntaxProblem extends Error {
  readonly column: number;
  readonly hint: string | undefined;

  constructor(column: number, message: string, hint?: string) {
    super(message);
    this.column = column;
    this.hint = hint;
  }
}

/** A piece of a line. `column` counts from 1. */
export interface Token {
  readonly text: string;
  readonly column: number;
}

/** Gives the branch offset that a label stands for, or undefined when there is no such label. */
export type LabelOffset = (label: string) => number | undefined;

const modifiersOf = (form: Form): [string, Field][] => Object.entries(form.fields).filter(([, field]) => !isOperand(field));
const typeCount = (form: Form): number => Object.values(form.fields).filter(({ kind }) => kind === 'type').length;

/** Operands of an instruction in the order of assembly: those whose conditions hold. */
export function operandsOf(form: Form, fields: Readonly<Record<string, number>>): [name: string, field: Field][] {
  return form.assembly.flatMap((name) => {
    const field = form.fields[name];
    return field !== undefined && applies(field, form, fields) ? [[name, field] satisfies [string, Field]] : [];
  });
}

export function printSuffixes(form: Form, fields: Readonly<Record<string, number>>): string {
  const suffixes = modifiersOf(form).map(([name, field]) => {
    const value = fields[name] ?? 0;
    if (field.kind === 'flag') return value === 1 ? name : '';
    if (field.kind === 'enum') return value === 0 ? '' : (field.values[value] ?? '');
    return value === ELEMENT_CODES.fx16.code && typeCount(form) === 1 ? '' : (elementOfCode(value) ?? '');
  });
  return suffixes.map((suffix) => (suffix === '' ? '' : `.${suffix}`)).join('');
}

function typeCode(suffix: string | undefined): number | undefined {
  return suffix !== undefined && Object.hasOwn(ELEMENT_CODES, suffix)
    ? ELEMENT_CODES[suffix as keyof typeof ELEMENT_CODES].code
    : undefined;
}

/** Values of the modifiers, from the suffixes as written, in any case. */
export function parseSuffixes(mnemonic: Mnemonic, form: Form, written: readonly Token[]): Record<string, number> {
  const suffixes = written.map(({ text }) => text.toLowerCase());
  const fields: Record<string, number> = {};
  const optionalType = typeCount(form) === 1;
  let next = 0;
  for (const [name, field] of modifiersOf(form)) {
    const value = modifierValue(name, field, suffixes[next]);
    fields[name] = value ?? 0;
    if (value !== undefined) next++;
    else if (field.kind === 'type' && !optionalType) throw unexpectedSuffix(mnemonic, form, written[next]);
  }
  if (next < written.length) throw unexpectedSuffix(mnemonic, form, written[next]);
  return fields;
}

function modifierValue(name: string, field: Field, suffix: string | undefined): number | undefined {
  if (field.kind === 'type') return typeCode(suffix);
  if (field.kind === 'flag') return suffix === name ? 1 : undefined;
  const index = field.kind === 'enum' && suffix !== undefined ? field.values.indexOf(suffix) : -1;
  return index < 0 ? undefined : index;
}

function unexpectedSuffix(mnemonic: Mnemonic, form: Form, token: Token | undefined): SyntaxProblem {
  const possible = modifiersOf(form).map(([name, field]) =>
    field.kind === 'type' ? 'an element type' : field.kind === 'enum' ? field.values.join(' or ') : name,
  );
  const hint =
    possible.length === 0 ? `${mnemonic} takes no suffix in this form` : `suffixes of ${mnemonic}, in this order: ${possible.join(', ')}`;
  if (token === undefined) return new SyntaxProblem(1, `${mnemonic} needs both of its element types, as in ${mnemonic}.f32.f32`, hint);
  const reserved = Object.hasOwn(RESERVED_ELEMENT_CODES, token.text.toLowerCase());
  return new SyntaxProblem(
    token.column,
    reserved ? `element type '${token.text}' is reserved` : `unexpected suffix '.${token.text}'`,
    hint,
  );
}

/** The immediate, in hexadecimal where it holds the bits of a float. */
function printImmediate(value: number, field: Field, fields: Readonly<Record<string, number>>): string {
  const rawFloat = field.kind === 'immediate' && field.role === 'scalar' && fields['type'] === ELEMENT_CODES.f32.code;
  return rawFloat ? `#0x${(value >>> 0).toString(16).padStart(8, '0')}` : `#${value}`;
}

const REGISTER = /^\$(\d{1,4})$/;
const NUMBER = /^(-?)(0x[0-9a-f]+|\d+)$/i;
const LABEL = /^[a-z_]\w*$/i;

/** The integer that `text` spells, decimal or hexadecimal, or undefined. */
export function parseInteger(text: string): number | undefined {
  const match = NUMBER.exec(text);
  return match === null ? undefined : match[1] === '-' ? -Number(match[2]) : Number(match[2]);
}

function parseRegister(name: string, token: Token): number {
  const index = Number(REGISTER.exec(token.text)?.[1]);
  if (Number.isNaN(index))
    throw new SyntaxProblem(token.column, `operand '${name}' is a register, not '${token.text}'`, 'registers are $0 to $63');
  if (index > 63) throw new SyntaxProblem(token.column, `there is no register ${token.text}`, 'registers are $0 to $63');
  return index;
}

function parseImmediate(name: string, field: Field, token: Token, labelOffset: LabelOffset): number {
  if (!token.text.startsWith('#'))
    throw new SyntaxProblem(
      token.column,
      `operand '${name}' is an immediate, not '${token.text}'`,
      'immediates are written #12, #-1 or #0x40',
    );
  const text = token.text.slice(1);
  if (LABEL.test(text)) return parseLabel(field, token, text, labelOffset);
  const value = parseInteger(text);
  if (value === undefined)
    throw new SyntaxProblem(token.column, `'${token.text}' is no immediate`, 'immediates are written #12, #-1 or #0x40');
  if (value < -(2 ** 31) || value >= 2 ** 32) throw new SyntaxProblem(token.column, `immediate ${token.text} does not fit 32 bits`);
  return value | 0;
}

function parseLabel(field: Field, token: Token, label: string, labelOffset: LabelOffset): number {
  if (field.kind === 'immediate' && field.role !== 'offset')
    throw new SyntaxProblem(token.column, `label '${label}' where no branch offset is meant`);
  const offset = labelOffset(label);
  if (offset === undefined) throw new SyntaxProblem(token.column, `there is no label '${label}'`);
  return offset;
}

function parseMnemonic(token: Token): Mnemonic {
  const text = token.text.toUpperCase();
  const found = MNEMONICS.find((mnemonic) => mnemonic === text);
  if (found !== undefined) return found;
  const nearest = closest(text, MNEMONICS);
  const near = distance(text, nearest) <= Math.max(2, text.length / 2);
  throw new SyntaxProblem(token.column, `unknown mnemonic '${token.text}'`, near ? `did you mean ${nearest}?` : undefined);
}

/** The form that the operands ask for: only an immediate form takes an immediate where there are two forms. */
function chooseForm(mnemonic: Mnemonic, operands: readonly Token[]): FormName {
  const forms = formsOf(mnemonic);
  const [only = 'register'] = forms;
  if (forms.length === 1) return only;
  return operands.some(({ text }) => text.startsWith('#')) ? 'immediate' : 'register';
}

/** `VAV.f32.rep`: the mnemonic with its modifiers. */
export function printMnemonic({ mnemonic, form, fields }: AnyInstruction): string {
  return `${mnemonic}${printSuffixes(formOf(mnemonic, form), fields)}`;
}

/** `VAV.f32.rep $1, $2, …`. `labelOf` names the label of a branch offset where there is one. */
export function printInstruction(instruction: AnyInstruction, labelOf?: (offset: number) => string | undefined): string {
  const { mnemonic, fields } = instruction;
  const form = formOf(mnemonic, instruction.form);
  const operands = operandsOf(form, fields).map(([name, field]) => {
    const value = fields[name] ?? 0;
    if (field.kind === 'register') return `$${value}`;
    const label = field.kind === 'immediate' && field.role === 'offset' ? labelOf?.(value) : undefined;
    return label === undefined ? printImmediate(value, field, fields) : `#${label}`;
  });
  return `${printMnemonic(instruction)} ${operands.join(', ')}`;
}

/** The fields of an instruction as written; the operands are split at commas already. Throws `SyntaxProblem`. */
export function parseInstruction(
  head: Token,
  operands: readonly Token[],
  labelOffset: LabelOffset,
): Pick<AnyInstruction, 'mnemonic' | 'form' | 'fields'> {
  const [name, ...suffixes] = splitHead(head);
  const mnemonic = parseMnemonic(name);
  const formName = chooseForm(mnemonic, operands);
  const form = formOf(mnemonic, formName);
  const fields = parseSuffixes(mnemonic, form, suffixes);
  const expected = operandsOf(form, fields);
  if (operands.length !== expected.length)
    throw new SyntaxProblem(
      head.column,
      `${head.text} takes ${expected.length} operands, not ${operands.length}`,
      `${head.text} ${expected.map(([operand]) => operand).join(', ')}`,
    );
  for (const [i, [operand, field]] of expected.entries()) {
    const token = operands[i];
    if (token === undefined) continue;
    fields[operand] = field.kind === 'register' ? parseRegister(operand, token) : parseImmediate(operand, field, token, labelOffset);
  }
  return { mnemonic, form: formName, fields };
}

function splitHead(head: Token): [Token, ...Token[]] {
  let column = head.column;
  const [first = head, ...rest] = head.text.split('.').map((text): Token => {
    const token = { text, column };
    column += text.length + 1;
    return token;
  });
  return [first, ...rest];
}
