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
 * Elements are `fx16`, `f32` or `word`. Numbers must be exact; `0x…` are raw bits, and f32 knows `inf`, `-inf` and `nan`, the canonical one.
 * Comments start with `//`.
 */
import { floatBits } from '../../runtime/numerics/float.ts';
import type { Space } from '../../isa/fields.ts';

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
const LIST = /^(fx16|f32|word) \[(.*)\]$/;
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
  const [, type = '', list = ''] = match;
  const values = list.split(', ');
  const bytes = new Uint8Array(values.length * (type === 'fx16' ? 2 : 4));
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) {
    if (type === 'fx16') view.setUint16(2 * i, fixedBits(value, fraction), true);
    else view.setUint32(4 * i, type === 'f32' ? singleBits(value) : number(value), true);
  }
  return bytes;
}

function fixedBits(text: string, fraction: number): number {
  if (/^0x[0-9a-f]{4}$/.test(text)) return Number(text);
  const raw = Number(text) * 2 ** fraction;
  if (!Number.isInteger(raw) || raw < -32768 || raw > 32767) throw new Error(`'${text}' is not exact in fx16.${fraction}`);
  return raw;
}

function singleBits(text: string): number {
  if (/^0x[0-9a-f]{8}$/.test(text)) return Number(text);
  const named: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };
  const value = named[text] ?? Number(text);
  if (text in named || Object.is(Math.fround(value), value)) return floatBits(value);
  throw new Error(`'${text}' is not exact in f32`);
}
