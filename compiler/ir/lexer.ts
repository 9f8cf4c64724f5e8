/** Tokens of the graph's text form. */
import { fail } from './diagnostic.ts';

/**
 * value: `%name` or `%"name"` · symbol: `@name` · word: a bare name or keyword · number: decimal, `-inf` or hexadecimal bits · hash: `dense#` and 64 digits ·
 * string: JSON · mark: punctuation · end: the end of the text
 */
export type TokenKind = 'value' | 'symbol' | 'word' | 'number' | 'hash' | 'string' | 'mark' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Without the sigil of values and symbols and without `dense#`; strings decoded. */
  readonly text: string;
  readonly offset: number;
}

const NAME = '[A-Za-z_][A-Za-z0-9_.\\-/]*';
const STRING = '"[^"\\\\\\n]*(?:\\\\.[^"\\\\\\n]*)*"';

/** The kinds of tokens in the order they are tried, each a pattern whose group is the token's text. */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['hash', /dense#([0-9a-f]{64})(?![0-9a-f])/y],
  ['value', new RegExp(`%(${NAME})`, 'y')],
  ['value', new RegExp(`%(${STRING})`, 'y')],
  ['symbol', new RegExp(`@(${NAME})`, 'y')],
  ['number', /(0x[0-9a-f]+|-inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![A-Za-z0-9_.])/y],
  // A quantized type, whose parameters are part of its name.
  ['word', /(i8<[0-9a-z+\-.,:= ]+>)/y],
  ['word', new RegExp(`(${NAME})`, 'y')],
  ['string', new RegExp(`(${STRING})`, 'y')],
  ['mark', /([{}()[\],:=])/y],
];

const BLANK = /\s*/y;

/** Reads tokens one at a time, so that a text is refused at its first error without having been read to its end. */
export class Lexer {
  readonly #text: string;
  readonly #file: string;
  #offset = 0;
  #next: Token;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    this.#next = this.#read();
  }

  /** The token that `take` will give. */
  get next(): Token {
    return this.#next;
  }

  take(): Token {
    const token = this.#next;
    if (token.kind !== 'end') this.#next = this.#read();
    return token;
  }

  /** `file:line:column` of an offset, both counted from 1. */
  place(offset: number): string {
    const before = this.#text.slice(0, offset);
    const line = before.split('\n').length;
    return `${this.#file}:${line}:${offset - before.lastIndexOf('\n')}`;
  }

  #read(): Token {
    this.#skipBlanks();
    const offset = this.#offset;
    if (offset >= this.#text.length) return { kind: 'end', text: '', offset };
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = offset;
      const match = pattern.exec(this.#text);
      if (!match) continue;
      this.#offset += match[0].length;
      const [, text = ''] = match;
      return { kind, text: text.startsWith('"') ? this.#decode(text, offset) : text, offset };
    }
    return fail('invalid', 'ir/syntax', `unexpected ${JSON.stringify(this.#text.slice(offset, offset + 12))}`, {
      place: [this.place(offset)],
    });
  }

  #skipBlanks(): void {
    for (;;) {
      BLANK.lastIndex = this.#offset;
      this.#offset += BLANK.exec(this.#text)?.[0].length ?? 0;
      if (!this.#text.startsWith('//', this.#offset)) return;
      const end = this.#text.indexOf('\n', this.#offset);
      this.#offset = end < 0 ? this.#text.length : end;
    }
  }

  #decode(literal: string, offset: number): string {
    try {
      return String(JSON.parse(literal));
    } catch {
      return fail('invalid', 'ir/syntax', `${literal.slice(0, 40)} is no string`, {
        place: [this.place(offset)],
        hint: 'strings are written as in JSON',
      });
    }
  }
}
