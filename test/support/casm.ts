/**
 * Case files of instructions: assembly whose `;` lines are directives. A file holds cases, one after the other:
 *
 *     ; case: adds and saturates
 *     ; target: cambricon, cambricon-base     (cambricon alone, unless given; the case is run on each)
 *     ; registers: $1 = 0x100, $2 = 4         (the others are 0)
 *     ; constants: f32 [1, 2]                 (the read-only 64 bytes at DRAM address 0; the rest of them is zero)
 *     ; init: vector 0x40 fx16 [1, -0.5]      (initialised bytes; all others are uninitialised)
 *     ; seed: 7
 *     VAV $1, $2, $3, $4
 *     ; expect: vector 0x100 fx16 [2, -1]     (bytes that are written; every other byte of memory must be as before)
 *     ; expect: $5 = 0x10                     (registers that change; every other one must be as before)
 *     ; expect: next = 3                      (where it ends, if not at the end of the program)
 *     ; expect: executed = 7                  (number of executed instructions)
 *     ; trap: misaligned at 3                 (the code of the trap and the index of the instruction)
 *     ; budget: 100
 *     ; refused: xf32                         (a machine refuses the program, with these words)
 *
 * Elements are of the types of the instruction table; `word` is another name of `i32`. Numbers must be exact; `0x…` are raw bits, all digits of
 * them, and floats know `inf`, `-inf` and `nan`, the canonical one.
 * Comments start with `//`.
 */
import { floatBits } from '../../runtime/numerics/float.ts';
import type { NarrowName } from '../../runtime/numerics/narrow.ts';
import { fromNarrow, isNarrow, toNarrow } from '../../runtime/numerics/narrow.ts';
import type { ElementCode, Space } from '../../isa/fields.ts';
import { ELEMENT_CODES, ELEMENT_NAMES } from '../../isa/fields.ts';

export interface Cells {
  readonly space: Space;
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface Case {
  readonly name: string;
  readonly line: number;
  readonly targets: readonly string[];
  readonly registers: ReadonlyMap<number, number>;
  readonly constants: Uint8Array | undefined;
  readonly init: readonly Cells[];
  readonly seed: number | undefined;
  readonly source: string;
  readonly expectedCells: readonly Cells[];
  readonly expectedRegisters: ReadonlyMap<number, number>;
  readonly next: number | undefined;
  readonly executed: number | undefined;
  readonly trap: { readonly code: string; readonly pc: number } | undefined;
  readonly budget: number | undefined;
  readonly refused: string | undefined;
}

const CELLS = /^(dram|vector|matrix) (0x[0-9a-f]+) (.*)$/;
const LIST = new RegExp(`^(${ELEMENT_NAMES.join('|')}|word) \\[(.*)\\]$`);
const REGISTER = /^\$(\d+) = (-?(?:0x[0-9a-f]+|\d+))$/;
const NUMBER = /^-?(?:0x[0-9a-f]+|\d+)$/;

class CaseBuilder {
  targets: readonly string[] = ['cambricon'];
  registers = new Map<number, number>();
  constants: Uint8Array | undefined;
  readonly init: Cells[] = [];
  seed: number | undefined;
  readonly lines: string[] = [];
  readonly expectedCells: Cells[] = [];
  readonly expectedRegisters = new Map<number, number>();
  next: number | undefined;
  executed: number | undefined;
  trap: { readonly code: string; readonly pc: number } | undefined;
  budget: number | undefined;
  refused: string | undefined;
  readonly name: string;
  readonly line: number;
  readonly fraction: number;

  constructor(name: string, line: number, fraction: number) {
    this.name = name;
    this.line = line;
    this.fraction = fraction;
  }

  get source(): string {
    return this.lines.join('\n');
  }

  directive(key: string, value: string): void {
    if (key === 'target') this.targets = value.split(', ');
    else if (key === 'registers') for (const part of value.split(', ')) this.registers.set(...register(part));
    else if (key === 'constants') this.constants = elements(value, this.fraction);
    else if (key === 'init') this.init.push(cells(value, this.fraction));
    else if (key === 'seed') this.seed = number(value);
    else if (key === 'budget') this.budget = number(value);
    else if (key === 'refused') this.refused = value;
    else if (key === 'trap') this.trap = trap(value);
    else if (key === 'expect') this.expect(value);
    else throw new Error(`there is no directive '${key}'`);
  }

  private expect(value: string): void {
    if (value.startsWith('$')) this.expectedRegisters.set(...register(value));
    else if (value.startsWith('next = ')) this.next = number(value.slice(7));
    else if (value.startsWith('executed = ')) this.executed = number(value.slice(11));
    else this.expectedCells.push(cells(value, this.fraction));
  }
}

/** The cases of a file. `fraction` is the number of fraction bits of fx16. Throws an Error with the line. */
export function parseCases(text: string, fraction: number): Case[] {
  const cases: CaseBuilder[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    try {
      const directive = /^; ([a-z]+): (.+)$/.exec(line);
      const last = cases.at(-1);
      if (directive?.[1] === 'case') cases.push(new CaseBuilder(directive[2] ?? '', i + 1, fraction));
      else if (directive !== null && last !== undefined) last.directive(directive[1] ?? '', directive[2] ?? '');
      else if (line.startsWith(';')) throw new Error(`'${line}' is no directive of a case`);
      else if (last !== undefined) last.lines.push(line);
      else if (line !== '' && !line.startsWith('//')) throw new Error('code before the first case');
    } catch (error) {
      throw new Error(`line ${i + 1}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return cases;
}

function number(text: string): number {
  if (!NUMBER.test(text)) throw new Error(`'${text}' is no number`);
  return text.startsWith('-') ? -Number(text.slice(1)) : Number(text);
}

function register(text: string): [number, number] {
  const match = REGISTER.exec(text);
  if (match === null || Number(match[1]) > 63) throw new Error(`'${text}' is no register with its value`);
  return [Number(match[1]), number(match[2] ?? '') | 0];
}

function trap(text: string): { code: string; pc: number } {
  const match = /^([a-z-]+) at (\d+)$/.exec(text);
  if (match === null) throw new Error(`'${text}' is no trap`);
  return { code: match[1] ?? '', pc: Number(match[2]) };
}

function cells(text: string, fraction: number): Cells {
  const match = CELLS.exec(text);
  if (match === null) throw new Error(`'${text}' is no memory range`);
  return { space: match[1] as Space, address: number(match[2] ?? ''), bytes: elements(match[3] ?? '', fraction) };
}

function elements(text: string, fraction: number): Uint8Array {
  const match = LIST.exec(text);
  if (match === null) throw new Error(`'${text}' is no list of elements`);
  const [, name = '', list = ''] = match;
  const type = name === 'word' ? 'i32' : (name as ElementCode);
  const size = ELEMENT_CODES[type].bytes;
  const values = list.split(', ');
  const bytes = new Uint8Array(values.length * size);
  for (const [i, value] of values.entries()) {
    let bits = elementBits(type, value, fraction);
    for (let b = 0; b < size; b++, bits >>= 8n) bytes[i * size + b] = Number(bits & 0xffn);
  }
  return bytes;
}

/** The bits of an element, of which the low ones count. */
function elementBits(type: ElementCode, text: string, fraction: number): bigint {
  const digits = 2 * ELEMENT_CODES[type].bytes;
  if (text.startsWith('0x')) {
    if (text.length - 2 !== digits && type !== 'i32') throw new Error(`'${text}' has not the ${digits} digits of ${type}`);
    return BigInt(text);
  }
  if (type === 'fx16') return integerBits(String(Number(text) * 2 ** fraction), 16, `'${text}' is not exact in fx16.${fraction}`);
  if (type === 'f32' || isNarrow(type)) return BigInt(floatingBits(type, text));
  return integerBits(text, 4 * digits, `'${text}' is no number of ${type}`);
}

function integerBits(text: string, bits: number, message: string): bigint {
  if (!/^-?\d+$/.test(text) || BigInt.asIntN(bits, BigInt(text)) !== BigInt(text)) throw new Error(message);
  return BigInt(text);
}

const NAMED: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };

function floatingBits(type: 'f32' | NarrowName, text: string): number {
  const value = NAMED[text] ?? Number(text);
  const bits = type === 'f32' ? floatBits(value) : toNarrow(type, Math.fround(value));
  const back = type === 'f32' ? Math.fround(value) : fromNarrow(type, bits);
  if (Object.is(back, value)) return bits;
  throw new Error(`'${text}' is not exact in ${type}`);
}
