/** The parser of the tiled IR's text; `tiled-text.ts` is the printer and says what the text looks like. */
import { SPACES } from '../../isa/fields.ts';
import type { PortElement, StoredElement } from '../../isa/program.ts';
import { isStoredElement } from '../../isa/program.ts';
import { formOf, formsOf } from '../../isa/instruction.ts';
import { parseSuffixes } from '../../isa/syntax.ts';
import type { Mnemonic } from '../../isa/table.ts';
import { INSTRUCTIONS } from '../../isa/table.ts';
import { isFixed, parseElementType } from '../../runtime/numerics/element.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Expr } from './expr.ts';
import { add, expr, max, min, parity, positive, scale, variable, ZERO } from './expr.ts';
import type { Buffer, BufferRole, Operand, Place, Section, Statement, TiledPort, TiledProgram, TileOp } from './tiled.ts';
import { operandNames } from './tiled.ts';

export interface ParseTiledOptions {
  /** For messages. */
  readonly file: string;
  /** Contents of constant buffers by hash. */
  readonly constants: ReadonlyMap<string, Uint8Array>;
}

const LONGEST_TEXT = 1 << 26;
const DEEPEST_NESTING = 64;
const ROLES: readonly BufferRole[] = ['constant', 'input', 'output', 'activation', 'local'];

/** Reads a tiled program; what it says is for the verifier to judge. Throws a diagnostic with file, line and column. */
export function parseTiled(text: string, options: ParseTiledOptions): TiledProgram {
  if (text.length > LONGEST_TEXT)
    fail('invalid', 'tiled/too-long', `the text has more than ${LONGEST_TEXT} characters`, { place: [options.file] });
  return new Parser(text, options).program();
}

/** A string, @name, %name, content hash, integer, word or punctuation, after white space and comments. */
const TOKEN =
  /\s*(?:\/\/[^\n]*(?:\n|$)\s*)*("(?:[^"\\\n]|\\.)*"|@[\w.\-/]+|@"(?:[^"\\\n]|\\.)*"|%\w+|dense#[0-9a-f]{64}|\d+|i8<[^>\n]*>|[A-Za-z_][\w.]*|\.\.|[{}()[\]=,;*+\-#])/y;
const NOTHING = /\s*(?:\/\/[^\n]*(?:\n|$)\s*)*$/y;

class Parser {
  readonly #text: string;
  readonly #options: ParseTiledOptions;
  #position = 0;
  #depth = 0;

  constructor(text: string, options: ParseTiledOptions) {
    this.#text = text;
    this.#options = options;
  }

  program(): TiledProgram {
    this.#take('tiled');
    const name = this.#name('@');
    this.#take('target');
    this.#take('(');
    // A target's name may have hyphens, which are tokens of their own.
    const target = this.#until(')');
    this.#take('{');
    const buffers: Buffer[] = [];
    const constants = new Map<string, Uint8Array>();
    const inputs: TiledPort[] = [];
    const outputs: TiledPort[] = [];
    const sections: Section[] = [];
    while (!this.#accept('}')) {
      const word = this.#word();
      if (word === 'buffer') {
        const buffer = this.#buffer();
        buffers.push(buffer);
        if (this.#peek().startsWith('dense#')) constants.set(buffer.name, this.#contents());
      } else if (word === 'input') inputs.push(this.#port());
      else if (word === 'output') outputs.push(this.#port());
      else if (word === 'section') sections.push(this.#section());
      else this.#refuse(`expected buffer, input, output, section or }, not ${word}`);
    }
    if (this.#peek() !== '') this.#refuse('expected the end of the text');
    return { name, target, buffers, constants, inputs, outputs, sections };
  }

  #buffer(): Buffer {
    const name = this.#name('@');
    const space = this.#oneOf(SPACES);
    const role = this.#oneOf(ROLES);
    const bytes = this.#integer();
    const isRing = this.#accept('x');
    if (isRing) this.#take('2');
    const banks = this.#accept('even') ? 'even' : this.#accept('odd') ? 'odd' : 'any';
    return { name, space, role, bytes, slots: isRing ? 2 : 1, banks };
  }

  #contents(): Uint8Array {
    const hash = this.#next().slice('dense#'.length);
    return this.#options.constants.get(hash) ?? this.#refuse(`the contents ${hash.slice(0, 12)}… are not in the side file`);
  }

  #port(): TiledPort {
    const name = this.#string();
    const element = this.#element();
    const shape = this.#integers();
    this.#take('at');
    const buffer = this.#name('@');
    this.#take('stored');
    const stored = this.#stored();
    this.#take('layout');
    const layout = this.#integers();
    const via = this.#accept('via') ? this.#list('[', ']', () => this.#stored()) : [];
    return { name, shape, element, layout, stored, via, buffer };
  }

  #element(): PortElement {
    const word = this.#word();
    const element = parseElementType(word);
    return element !== undefined && (element === 'f32' || isFixed(element))
      ? element
      : this.#refuse(`${word} is no element type of a port`);
  }

  #stored(): StoredElement {
    const word = this.#word();
    const element = parseElementType(word);
    return element !== undefined && isStoredElement(element) ? element : this.#refuse(`${word} is no element type that is stored`);
  }

  #section(): Section {
    const node = this.#name('@');
    this.#take('from');
    const origin = this.#list('[', ']', () => this.#string());
    this.#take('{');
    const locals: Buffer[] = [];
    while (this.#accept('buffer')) locals.push(this.#buffer());
    return { node, origin, locals, body: this.#statements() };
  }

  /** Statements up to and with the closing brace. */
  #statements(): readonly Statement[] {
    const statements: Statement[] = [];
    while (!this.#accept('}')) statements.push(this.#statement());
    return statements;
  }

  #statement(): Statement {
    return this.#accept('for') ? this.#nested(() => this.#loop()) : this.#op();
  }

  #loop(): Statement {
    const name = this.#name('%');
    this.#take('in');
    this.#take('0');
    this.#take('..');
    const extent = this.#expr();
    this.#take('{');
    const prefetch = this.#accept('prefetch') ? this.#ops() : [];
    const body: Statement[] = [];
    while (!['drain', '}'].includes(this.#peek())) body.push(this.#statement());
    const drain = this.#accept('drain') ? this.#ops() : [];
    this.#take('}');
    return { kind: 'for', variable: name, extent, prefetch, body, drain };
  }

  /** Tile ops between braces. */
  #ops(): readonly TileOp[] {
    this.#take('{');
    const ops: TileOp[] = [];
    while (!this.#accept('}')) ops.push(this.#op());
    return ops;
  }

  #op(): TileOp {
    const [mnemonic = '', ...suffixes] = this.#word().split('.');
    if (!Object.hasOwn(INSTRUCTIONS, mnemonic)) return this.#refuse(`unknown instruction ${mnemonic}`);
    const known = mnemonic as Mnemonic;
    const given = new Map<string, Operand>();
    let immediate = false;
    do {
      const name = this.#word();
      this.#take('=');
      const isImmediate = this.#accept('#');
      immediate ||= isImmediate;
      given.set(name, this.#peek().startsWith('@') ? this.#place() : { kind: 'value', value: this.#expr() });
    } while (this.#accept(','));
    const form = immediate ? 'immediate' : 'register';
    if (!formsOf(known).includes(form)) return this.#refuse(`${mnemonic} has no ${form} form`);
    const modifiers = this.#modifiers(known, form, suffixes);
    const op = { kind: 'op', mnemonic: known, form, modifiers } as const;
    const names = operandNames(op);
    const operands: Record<string, Operand> = {};
    for (const name of names) operands[name] = given.get(name) ?? this.#refuse(`${mnemonic} needs ${name}`);
    const extra = [...given.keys()].find((name) => !names.includes(name));
    if (extra !== undefined) this.#refuse(`${mnemonic} has no ${extra} here`);
    return { ...op, operands };
  }

  #modifiers(mnemonic: Mnemonic, form: TileOp['form'], suffixes: readonly string[]): Record<string, number> {
    try {
      return parseSuffixes(
        mnemonic,
        formOf(mnemonic, form),
        suffixes.map((text) => ({ text, column: 1 })),
      );
    } catch (error) {
      return this.#refuse(error instanceof Error ? error.message : String(error));
    }
  }

  #place(): Place {
    const buffer = this.#name('@');
    this.#take('[');
    const first = this.#expr();
    const second = this.#accept(';') ? this.#expr() : undefined;
    this.#take(']');
    return { kind: 'place', buffer, slot: second ? first : ZERO, offset: second ?? first };
  }

  /** Terms with signs between them. */
  #expr(): Expr {
    return this.#nested(() => {
      let sum = this.#accept('-') ? scale(this.#term(), -1) : this.#term();
      for (;;) {
        if (this.#accept('+')) sum = add(sum, this.#term());
        else if (this.#accept('-')) sum = add(sum, scale(this.#term(), -1));
        else return sum;
      }
    });
  }

  #term(): Expr {
    if (!/^\d/.test(this.#peek())) return this.#atom();
    const factor = this.#integer();
    return this.#accept('*') ? scale(this.#atom(), factor) : expr(factor);
  }

  #atom(): Expr {
    if (this.#peek().startsWith('%')) return variable(this.#name('%'));
    const word = this.#word();
    this.#take('(');
    const a = this.#expr();
    if (word === 'parity' || word === 'positive') {
      this.#take(')');
      return word === 'parity' ? parity(a) : positive(a);
    }
    if (word !== 'min' && word !== 'max') return this.#refuse(`expected min, max, parity or positive, not ${word}`);
    this.#take(',');
    const b = this.#expr();
    this.#take(')');
    return word === 'min' ? min(a, b) : max(a, b);
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > DEEPEST_NESTING) this.#refuse(`nested deeper than ${DEEPEST_NESTING}`);
    const result = parse();
    this.#depth--;
    return result;
  }

  #integers(): readonly number[] {
    return this.#list('[', ']', () => this.#integer());
  }

  #list<T>(open: string, close: string, item: () => T): readonly T[] {
    this.#take(open);
    if (this.#accept(close)) return [];
    const items = [item()];
    while (this.#accept(',')) items.push(item());
    this.#take(close);
    return items;
  }

  #integer(): number {
    const token = this.#next();
    const value = Number(token);
    return /^\d+$/.test(token) && Number.isSafeInteger(value) ? value : this.#refuse(`expected an integer, not ${token}`);
  }

  #string(): string {
    const token = this.#next();
    return token.startsWith('"') ? this.#decode(token) : this.#refuse(`expected a string, not ${token}`);
  }

  #decode(token: string): string {
    try {
      return JSON.parse(token) as string;
    } catch {
      return this.#refuse(`${token} is not a string`);
    }
  }

  #name(sigil: '@' | '%'): string {
    const token = this.#next();
    if (!token.startsWith(sigil)) return this.#refuse(`expected a name with ${sigil}, not ${token}`);
    return token.startsWith('"', 1) ? this.#decode(token.slice(1)) : token.slice(1);
  }

  #word(): string {
    const token = this.#next();
    return /^[A-Za-z_]/.test(token) ? token : this.#refuse(`expected a word, not ${token}`);
  }

  #oneOf<T extends string>(words: readonly T[]): T {
    const word = this.#word();
    return words.find((candidate) => candidate === word) ?? this.#refuse(`expected ${words.join(' or ')}, not ${word}`);
  }

  #until(end: string): string {
    let text = '';
    while (this.#peek() !== end && this.#peek() !== '') text += this.#next();
    this.#take(end);
    return text;
  }

  #accept(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#next();
    return true;
  }

  #take(token: string): void {
    const found = this.#peek();
    if (found !== token) this.#refuse(`expected ${token}, not ${found === '' ? 'the end' : found}`);
    this.#next();
  }

  /** The token after the position, or '' at the end. */
  #peek(): string {
    TOKEN.lastIndex = this.#position;
    const token = TOKEN.exec(this.#text)?.[1];
    if (token !== undefined) return token;
    NOTHING.lastIndex = this.#position;
    return NOTHING.test(this.#text) ? '' : this.#refuse('a character that starts nothing');
  }

  #next(): string {
    const token = this.#peek();
    if (token === '') return this.#refuse('the text ends too early');
    this.#position = TOKEN.lastIndex;
    return token;
  }

  #refuse(message: string): never {
    const before = this.#text.slice(0, this.#position).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    return fail('invalid', 'tiled/syntax', message, { place: [this.#options.file, `${before.length}:${column}`] });
  }
}
