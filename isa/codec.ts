/**
 * Instructions to words and back. A word is two u32: `hi` holds bits 63 to 32, `lo` bits 31 to 0; fields may straddle them.
 * `decode(...encode(i))` is `i` in normal form, and `encode(decode(hi, lo))` is `[hi, lo]` for every word that is legal.
 */
import type { Field, Form } from './fields.ts';
import { applies, formOf, formsOf, illegality, isOperand, zeroFields } from './instruction.ts';
import { checkTable } from './laws.ts';
import type { AnyInstruction, FormName, Mnemonic } from './table.ts';
import { MNEMONICS, recordOf } from './table.ts';

const broken = checkTable();
if (broken.length > 0) throw new Error(`the instruction table is unsound:\n${broken.join('\n')}`);

/** Set in the opcode byte of immediate forms. */
const IMMEDIATE_BIT = 0x80;

/** An instruction that cannot be encoded: a field is missing, unknown or out of range, or the combination is illegal. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
  readonly code = 'isa/encode';
}

/** A word that is no instruction. */
export interface IllegalInstruction {
  readonly reason: string;
}

export function isIllegal(decoded: AnyInstruction | IllegalInstruction): decoded is IllegalInstruction {
  return 'reason' in decoded;
}

/** Where a field lies, `width` bits from bit `lsb`, and the values that it takes. */
interface Slot {
  readonly name: string;
  readonly field: Field;
  readonly lsb: number;
  readonly width: number;
  readonly low: number;
  readonly high: number;
}

interface Layout {
  readonly mnemonic: Mnemonic;
  readonly formName: FormName;
  readonly form: Form;
  readonly slots: readonly Slot[];
  readonly names: ReadonlySet<string>;
  /** Ones where neither opcode nor field lies. */
  readonly reserved: readonly [hi: number, lo: number];
  readonly opcodeByte: number;
}

const ones = (width: number): number => (width === 32 ? 0xffffffff : (1 << width) - 1);

function extract(hi: number, lo: number, { lsb, width }: Slot): number {
  if (lsb >= 32) return ((hi >>> (lsb - 32)) & ones(width)) >>> 0;
  const low = lo >>> lsb;
  // The shift count is 1 to 31 here: a field that reaches into the high word starts above bit 0 of the low one.
  const bits = lsb + width > 32 ? (hi << (32 - lsb)) | low : low;
  return (bits & ones(width)) >>> 0;
}

function deposit(words: [hi: number, lo: number], { lsb, width }: Slot, value: number): void {
  const bits = (value & ones(width)) >>> 0;
  if (lsb >= 32) words[0] = (words[0] | (bits << (lsb - 32))) >>> 0;
  else {
    words[1] = (words[1] | (bits << lsb)) >>> 0;
    if (lsb + width > 32) words[0] = (words[0] | (bits >>> (32 - lsb))) >>> 0;
  }
}

function slotOf(name: string, field: Field): Slot {
  const [msb, lsb] = field.bits;
  const width = msb - lsb + 1;
  // An immediate may be given signed or unsigned.
  const low = field.kind === 'immediate' ? -(2 ** 31) : 0;
  const high = field.kind === 'enum' ? field.values.length - 1 : 2 ** width - 1;
  return { name, field, lsb, width, low, high };
}

function layoutOf(mnemonic: Mnemonic, formName: FormName): Layout {
  const form = formOf(mnemonic, formName);
  const slots = Object.entries(form.fields).map(([name, field]) => slotOf(name, field));
  const used: [number, number] = [0xff000000, 0];
  for (const slot of slots) deposit(used, slot, 0xffffffff);
  return {
    mnemonic,
    formName,
    form,
    slots,
    names: new Set(slots.map(({ name }) => name)),
    reserved: [~used[0] >>> 0, ~used[1] >>> 0],
    opcodeByte: recordOf(mnemonic).opcode | (formName === 'immediate' ? IMMEDIATE_BIT : 0),
  };
}

const LAYOUTS = MNEMONICS.flatMap((mnemonic) => formsOf(mnemonic).map((formName) => layoutOf(mnemonic, formName)));

/** Indexed by the opcode byte. */
const BY_OPCODE: readonly (Layout | undefined)[] = LAYOUTS.reduce<(Layout | undefined)[]>((table, layout) => {
  table[layout.opcodeByte] = layout;
  return table;
}, new Array<Layout | undefined>(256).fill(undefined));

const layoutFor = (mnemonic: Mnemonic, form: FormName): Layout | undefined =>
  BY_OPCODE[recordOf(mnemonic).opcode | (form === 'immediate' ? IMMEDIATE_BIT : 0)];

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** The instruction that a word stands for, in normal form, or why there is none. Never throws; `hi` and `lo` are taken modulo 2^32. */
export function decode(hi: number, lo: number): AnyInstruction | IllegalInstruction {
  const opcodeByte = hi >>> 24;
  const layout = BY_OPCODE[opcodeByte];
  if (layout === undefined) return { reason: noSuchOpcode(opcodeByte) };
  const reservedHi = (hi & layout.reserved[0]) >>> 0;
  const reservedLo = (lo & layout.reserved[1]) >>> 0;
  if (reservedHi !== 0 || reservedLo !== 0)
    return { reason: `${layout.mnemonic} has reserved bits set: ${hex(reservedHi, 8)} ${hex(reservedLo, 8)}` };
  const fields = zeroFields(layout.mnemonic);
  for (const slot of layout.slots) {
    const bits = extract(hi, lo, slot);
    fields[slot.name] = slot.field.kind === 'immediate' ? bits | 0 : bits;
  }
  const instruction = { mnemonic: layout.mnemonic, form: layout.formName, fields };
  const reason = illegality(instruction);
  return reason === undefined ? instruction : { reason: `${layout.mnemonic}: ${reason}` };
}

function noSuchOpcode(opcodeByte: number): string {
  const other = BY_OPCODE[opcodeByte ^ IMMEDIATE_BIT];
  if (other === undefined) return `unknown opcode ${hex(opcodeByte & ~IMMEDIATE_BIT, 2)}`;
  return `${other.mnemonic} has no ${other.formName === 'register' ? 'immediate' : 'register'} form`;
}

function checkValue({ mnemonic, form }: Layout, { name, field, low, high }: Slot, fields: AnyInstruction['fields']): number {
  const value = fields[name];
  if (value === undefined && isOperand(field) && applies(field, form, fields))
    throw new EncodeError(`${mnemonic}: field '${name}' is missing`);
  const given = value ?? 0;
  if (Number.isInteger(given) && given >= low && given <= high) return given;
  throw new EncodeError(`${mnemonic}: field '${name}' is ${given}, not an integer from ${low} to ${high}`);
}

/** The word of an instruction. Throws `EncodeError` for anything that `decode` would not give back. */
export function encode(instruction: AnyInstruction): [hi: number, lo: number] {
  const { mnemonic, form, fields } = instruction;
  const layout = layoutFor(mnemonic, form);
  if (layout === undefined) throw new EncodeError(`${mnemonic} has no ${form} form`);
  for (const name in fields) {
    if (fields[name] !== 0 && !layout.names.has(name))
      throw new EncodeError(`${mnemonic}: there is no field '${name}' in the ${form} form`);
  }
  const words: [number, number] = [(layout.opcodeByte << 24) >>> 0, 0];
  for (const slot of layout.slots) deposit(words, slot, checkValue(layout, slot, fields));
  const reason = illegality(instruction);
  if (reason !== undefined) throw new EncodeError(`${mnemonic}: ${reason}`);
  return words;
}

/** The code of a program: two words an instruction, high first. An `EncodeError` names the index of the instruction. */
export function encodeProgram(instructions: readonly AnyInstruction[]): Uint32Array {
  const code = new Uint32Array(2 * instructions.length);
  for (const [i, instruction] of instructions.entries()) {
    try {
      code.set(encode(instruction), 2 * i);
    } catch (error) {
      throw error instanceof EncodeError ? new EncodeError(`instruction ${i}: ${error.message}`) : error;
    }
  }
  return code;
}

/** Every instruction of a program; illegal words are kept as such. */
export function decodeProgram(code: Uint32Array): (AnyInstruction | IllegalInstruction)[] {
  return Array.from({ length: Math.floor(code.length / 2) }, (_, i) => decode(code[2 * i] ?? 0, code[2 * i + 1] ?? 0));
}
