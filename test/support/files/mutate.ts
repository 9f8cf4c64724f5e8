/** Damage to files: what comes through a bad copy, a text editor, or from somebody who means harm. All choices follow from a seed. */
import { xorshift32 } from '../../../runtime/numerics/random.ts';

/** Draws numbers from a seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds are to have nothing in common; 0 is no state.
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
    for (let i = 0; i < 4; i++) this.below(2);
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    this.#state = xorshift32(this.#state);
    return Math.floor((this.#state / 2 ** 32) * count);
  }

  chance(one: number): boolean {
    return this.below(one) === 0;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }
}

/** Numbers at which formats and arithmetic have their edges. */
const NUMBERS = [
  0,
  1,
  2,
  3,
  7,
  8,
  16,
  63,
  64,
  100,
  127,
  128,
  255,
  256,
  1000,
  4095,
  32767,
  32768,
  65535,
  65536,
  100_000,
  1_000_000,
  16_777_216,
  99_999_999,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 40,
  2 ** 53,
  -1,
  -2,
  -128,
  -(2 ** 31),
  -(2 ** 40),
];

/** Numbers as texts that parsers may stumble over. */
const NUMERALS = [...NUMBERS.map(String), '1e30', '1e-30', '-0', 'nan', 'inf', '0x7f', '1.5', '00', '9'.repeat(40), '1e999', '+1', '1_0'];

/** Pieces of text that mean something somewhere. */
const WORDS = [
  '',
  ' ',
  '\n',
  '\t',
  '\0',
  '\u001b[31m',
  '\u202e',
  '\ufeff',
  '"',
  "'",
  '\\',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  ',',
  ':',
  '=',
  '%',
  '@',
  '#',
  '//',
  '..',
  '/',
  '-',
  '_',
  '$1',
  '__proto__',
  'constructor',
  'null',
  'true',
  'a'.repeat(300),
  '('.repeat(500),
  '../../etc/passwd',
  '/dev/zero',
  '-o "written.txt"',
  '--check-command "touch PWNED"',
  '--dump-dir dumped',
  '--reproducer r.pir',
  'f32',
  'i8<0.5,3>',
  'fx16.8',
  'f16',
  'dense#',
  'input',
  'constant',
];

/** Bytes with some damage, one to six changes. */
export function damageBytes(bytes: Uint8Array, dice: Dice): Uint8Array {
  let damaged: Uint8Array = bytes.slice();
  for (let changes = dice.chance(4) ? 2 + dice.below(5) : 1; changes > 0; changes--) damaged = damageOnce(damaged, dice);
  return damaged;
}

function damageOnce(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.below(Math.max(1, bytes.length));
  const count = 1 + dice.below(Math.min(64, Math.max(1, bytes.length - at)));
  switch (dice.below(9)) {
    case 0:
      return changed(bytes, at, [(bytes[at] ?? 0) ^ (1 << dice.below(8))]);
    case 1:
      return changed(bytes, at, [dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)])]);
    case 2:
      return bytes.slice(0, at);
    case 3:
      return spliced(bytes, at, count, new Uint8Array(0));
    case 4:
      return spliced(bytes, dice.below(bytes.length + 1), 0, bytes.slice(at, at + count));
    case 5:
      return changed(bytes, at, littleEndian(dice.pick(NUMBERS), dice.pick([2, 4, 8])));
    case 6:
      return changed(bytes, at, littleEndian(dice.pick(NUMBERS), dice.pick([2, 4, 8])).reverse());
    case 7:
      return spliced(bytes, at, 1, Uint8Array.from(varint(dice.pick(NUMBERS))));
    default:
      return changed(
        bytes,
        at,
        Array.from({ length: count }, () => dice.below(256)),
      );
  }
}

function changed(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  const result = bytes.slice();
  result.set(values.slice(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
  return result;
}

function spliced(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(bytes.length, at + removed));
  const result = new Uint8Array(Math.min(at, bytes.length) + inserted.length + rest.length);
  result.set(bytes.subarray(0, at));
  result.set(inserted, Math.min(at, bytes.length));
  result.set(rest, result.length - rest.length);
  return result;
}

function littleEndian(value: number, bytes: number): number[] {
  const bits = BigInt.asUintN(64, BigInt(value));
  return Array.from({ length: bytes }, (_, i) => Number((bits >> BigInt(8 * i)) & 255n));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    if (rest <= 127n) return bytes;
  }
}

/** Text with some damage: numbers replaced, words and lines dropped, doubled, exchanged or put in, or its bytes damaged. */
export function damageText(text: string, dice: Dice): string {
  let damaged = text;
  for (let changes = dice.chance(4) ? 2 + dice.below(4) : 1; changes > 0; changes--) damaged = damageTextOnce(damaged, dice);
  return damaged;
}

function damageTextOnce(text: string, dice: Dice): string {
  switch (dice.below(8)) {
    case 0:
    case 1:
    case 2:
      return replaced(text, /-?\d+(\.\d+)?/g, dice, () => dice.pick(NUMERALS));
    case 3:
      return replaced(text, /[A-Za-z_]+/g, dice, () => dice.pick([...WORDS, ...(text.match(/[A-Za-z_%@"]+/g)?.slice(0, 50) ?? [])]));
    case 4: {
      const at = dice.below(text.length + 1);
      return text.slice(0, at) + dice.pick(WORDS) + text.slice(at);
    }
    case 5: {
      const lines = text.split('\n');
      const at = dice.below(lines.length);
      const line = lines[at] ?? '';
      const times = dice.pick([0, 0, 2, 2, 50]);
      lines.splice(at, 1, ...new Array<string>(times).fill(line));
      return lines.join('\n');
    }
    case 6: {
      const lines = text.split('\n');
      const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
      [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
      return lines.join('\n');
    }
    default:
      return new TextDecoder().decode(damageOnce(new TextEncoder().encode(text), dice));
  }
}

function replaced(text: string, pattern: RegExp, dice: Dice, by: () => string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text + by();
  const match = dice.pick(found);
  return text.slice(0, match.index) + by() + text.slice(match.index + match[0].length);
}

/** A structure of objects and lists with one or two of its numbers and strings replaced; it stays a structure of the same form. */
export function damageValues<T>(value: T, dice: Dice): T {
  const count = leaves(value);
  let at = dice.below(count);
  const other = dice.chance(3) ? dice.below(count) : -1;
  let index = 0;
  const walk = (each: unknown): unknown => {
    if (typeof each === 'number' || typeof each === 'string') {
      const chosen = index === at || index === other;
      index += 1;
      if (!chosen) return each;
      at = -1;
      return typeof each === 'number' ? dice.pick(NUMBERS) : dice.chance(2) ? dice.pick(WORDS) : each + dice.pick(['x', '_', ' ']);
    }
    if (Array.isArray(each)) return each.map(walk);
    if (ArrayBuffer.isView(each) || each === null || typeof each !== 'object') return each;
    return Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(value) as T;
}

function leaves(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'string') return 1;
  if (ArrayBuffer.isView(value) || value === null || typeof value !== 'object') return 0;
  return Object.values(value).reduce((sum: number, each) => sum + leaves(each), 0);
}
