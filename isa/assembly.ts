/**
 * Assembler and disassembler. `assemble(disassemble(code)).code` equals `code` for any words at all, and disassembling that again
 * gives the same text.
 *
 * A line holds labels (`L0:`), then an instruction or `.word high, low`, then a comment from `;` or `//` on.
 */
import type { IllegalInstruction } from './codec.ts';
import { decodeProgram, encode, EncodeError, isIllegal } from './codec.ts';
import { branchOffset, zeroFields } from './instruction.ts';
import { MAX_INSTRUCTIONS } from './program.ts';
import type { LabelOffset, Token } from './syntax.ts';
import { parseInstruction, parseInteger, printInstruction, SyntaxProblem } from './syntax.ts';
import type { AnyInstruction } from './table.ts';
import { extensionsOf } from './table.ts';
import type { Target } from './target.ts';
import { hasExtension } from './target.ts';

export { printInstruction } from './syntax.ts';

const MAX_LINE_LENGTH = 4096;
const MAX_TEXT_LENGTH = 2 ** 26;
const MAX_PROBLEMS = 20;

export interface AssemblyProblem {
  /** Counts from 1, as does `column`. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly hint?: string;
}

/** Everything that is wrong with a source text, the first twenty problems at most. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';
  readonly code = 'isa/assembly';
  readonly file: string | undefined;
  readonly problems: readonly AssemblyProblem[];

  constructor(problems: readonly AssemblyProblem[], file?: string) {
    super(problems.map((problem) => printProblem(problem, file)).join('\n'));
    this.file = file;
    this.problems = problems;
  }
}

function printProblem({ line, column, message, hint }: AssemblyProblem, file: string | undefined): string {
  return `${file === undefined ? 'line ' : `${file}:`}${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}

export interface AssembleOptions {
  /** Name of the source in messages. */
  readonly file?: string;
  /** Refuses instructions whose extensions this target lacks. */
  readonly target?: Target;
}

export interface Assembled {
  readonly instructions: readonly (AnyInstruction | IllegalInstruction)[];
  /** Two words an instruction, high first. */
  readonly code: Uint32Array;
  /** Index of the instruction that a label stands before; the length of the program for a label at its end. */
  readonly labels: ReadonlyMap<string, number>;
  /** Source line of each instruction, from 1. */
  readonly lines: readonly number[];
}

interface Statement {
  readonly line: number;
  readonly head: Token;
  readonly operands: readonly Token[];
}

const LABEL_DEFINITION = /^\s*([a-z_]\w*)\s*:/i;
const HEAD = /^\s*([^\s,]+)/;

/** Statements and labels of a source text, and what is wrong with them. */
class Source {
  readonly statements: Statement[] = [];
  readonly labels = new Map<string, { readonly index: number; readonly line: number }>();
  readonly problems: AssemblyProblem[] = [];

  constructor(text: string) {
    if (text.length > MAX_TEXT_LENGTH) {
      this.report(1, new SyntaxProblem(1, `the source is longer than ${MAX_TEXT_LENGTH} characters`));
      return;
    }
    let line = 1;
    for (let start = 0; start <= text.length && !this.full; line++) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      this.attempt(line, () => this.readLine(line, text.slice(start, end)));
      start = end + 1;
    }
  }

  get full(): boolean {
    return this.problems.length >= MAX_PROBLEMS;
  }

  report(line: number, { column, message, hint }: SyntaxProblem): void {
    if (!this.full) this.problems.push({ line, column, message, ...(hint !== undefined && { hint }) });
  }

  /** Runs `work`, noting the problem that it throws. */
  attempt(line: number, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      this.report(line, error);
    }
  }

  private readLine(line: number, text: string): void {
    if (text.length > MAX_LINE_LENGTH) throw new SyntaxProblem(1, `the line is longer than ${MAX_LINE_LENGTH} characters`);
    const comment = text.search(/;|\/\//);
    const code = comment < 0 ? text : text.slice(0, comment);
    let position = 0;
    for (let match = LABEL_DEFINITION.exec(code); match !== null; match = LABEL_DEFINITION.exec(code.slice(position))) {
      this.define(line, match[1] ?? '', position + 1);
      position += match[0].length;
    }
    const head = HEAD.exec(code.slice(position));
    if (head === null) {
      if (code.slice(position).trim() !== '') throw new SyntaxProblem(position + 1, 'an instruction or a label is expected');
      return;
    }
    if (this.statements.length >= MAX_INSTRUCTIONS) throw new SyntaxProblem(1, `there are more than ${MAX_INSTRUCTIONS} instructions`);
    const end = position + head[0].length;
    const name = head[1] ?? '';
    this.statements.push({ line, head: { text: name, column: end - name.length + 1 }, operands: splitOperands(code, end) });
  }

  private define(line: number, label: string, column: number): void {
    const earlier = this.labels.get(label);
    if (earlier !== undefined) throw new SyntaxProblem(column, `label '${label}' is already defined on line ${earlier.line}`);
    this.labels.set(label, { index: this.statements.length, line });
  }
}

function splitOperands(code: string, start: number): Token[] {
  if (code.slice(start).trim() === '') return [];
  let column = start + 1;
  return code
    .slice(start)
    .split(',')
    .map((piece) => {
      const token = { text: piece.trim(), column: column + piece.length - piece.trimStart().length };
      column += piece.length + 1;
      return token;
    });
}

function parseWord({ head, operands }: Statement): [hi: number, lo: number] {
  const [hi, lo] = operands.map(({ text, column }) => {
    const value = parseInteger(text);
    if (value === undefined || value < 0 || value >= 2 ** 32) throw new SyntaxProblem(column, `'${text}' is no unsigned 32-bit number`);
    return value;
  });
  if (hi === undefined || lo === undefined || operands.length !== 2)
    throw new SyntaxProblem(head.column, '.word takes the high and the low 32 bits', '.word 0x00000000, 0x00000000');
  return [hi, lo];
}

function checkTarget(instruction: AnyInstruction, head: Token, target: Target): void {
  const missing = extensionsOf(instruction).find((extension) => !hasExtension(target, extension));
  if (missing !== undefined)
    throw new SyntaxProblem(head.column, `${head.text} needs the extension ${missing}, which target '${target.name}' lacks`);
}

/** The word of a statement, and the instruction that it decodes to. */
function translate(statement: Statement, labelOffset: LabelOffset, target: Target | undefined): [hi: number, lo: number] {
  const { head, operands } = statement;
  if (head.text.toLowerCase() === '.word') return parseWord(statement);
  const parsed = parseInstruction(head, operands, labelOffset);
  const instruction = { ...parsed, fields: { ...zeroFields(parsed.mnemonic), ...parsed.fields } };
  if (target !== undefined) checkTarget(instruction, head, target);
  try {
    return encode(instruction);
  } catch (error) {
    throw error instanceof EncodeError ? new SyntaxProblem(head.column, error.message) : error;
  }
}

/** Assembles a source text. Throws an `AssemblyError` with all that is wrong, up to twenty problems. */
export function assemble(text: string, options: AssembleOptions = {}): Assembled {
  const source = new Source(text);
  const code = new Uint32Array(2 * source.statements.length);
  for (const [i, statement] of source.statements.entries()) {
    if (source.full) break;
    const labelOffset: LabelOffset = (label) => {
      const definition = source.labels.get(label);
      return definition === undefined ? undefined : definition.index - i;
    };
    source.attempt(statement.line, () => code.set(translate(statement, labelOffset, options.target), 2 * i));
  }
  if (source.problems.length > 0) {
    const inOrder = [...source.problems].sort((a, b) => a.line - b.line || a.column - b.column);
    throw new AssemblyError(inOrder, options.file);
  }
  const labels = new Map([...source.labels].map(([label, { index }]) => [label, index]));
  return { instructions: decodeProgram(code), code, labels, lines: source.statements.map(({ line }) => line) };
}

export interface DisassembleOptions {
  /** Name branch targets inside the program `L0`, `L1`, … in order of address. Default true. */
  readonly labels?: boolean;
  /** Write the index of each instruction in a comment. Default false. */
  readonly addresses?: boolean;
  /** Text of a comment for an instruction, such as the layer that it serves. */
  readonly annotate?: (index: number) => string | undefined;
}

const INDENT = '    ';
/** Characters in front of a comment. */
export const COMMENT_COLUMN = 56;
const MAX_ANNOTATION_LENGTH = 256;

function labelTargets(instructions: readonly (AnyInstruction | IllegalInstruction)[]): ReadonlyMap<number, string> {
  const targets = new Set<number>();
  for (const [i, instruction] of instructions.entries()) {
    const offset = isIllegal(instruction) ? undefined : branchOffset(instruction);
    if (offset !== undefined && i + offset >= 0 && i + offset <= instructions.length) targets.add(i + offset);
  }
  return new Map([...targets].sort((a, b) => a - b).map((target, n) => [target, `L${n}`]));
}

const word = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`;

/** One line of text, however hostile the annotation. */
const oneLine = (text: string): string => text.slice(0, MAX_ANNOTATION_LENGTH).replace(/[\p{Cc}\u2028\u2029]/gu, ' ');

/** The text of a program. Words that are no instruction are written as `.word`, with the reason in a comment. */
export function disassemble(code: Uint32Array, options: DisassembleOptions = {}): string {
  if (code.length % 2 !== 0) throw new RangeError('code has an odd number of words');
  const instructions = decodeProgram(code);
  const labels = options.labels === false ? new Map<number, string>() : labelTargets(instructions);
  const lines: string[] = [];
  for (const [i, instruction] of instructions.entries()) {
    const label = labels.get(i);
    if (label !== undefined) lines.push(`${label}:`);
    const text = isIllegal(instruction)
      ? `.word ${word(code[2 * i] ?? 0)}, ${word(code[2 * i + 1] ?? 0)}`
      : printInstruction(instruction, (offset) => labels.get(i + offset));
    const comments = [
      options.addresses === true ? String(i) : undefined,
      isIllegal(instruction) ? instruction.reason : undefined,
      options.annotate?.(i),
    ];
    lines.push(withComment(`${INDENT}${text}`, comments));
  }
  const end = labels.get(instructions.length);
  if (end !== undefined) lines.push(`${end}:`);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function withComment(line: string, comments: readonly (string | undefined)[]): string {
  const comment = comments
    .filter((text) => text !== undefined)
    .map(oneLine)
    .join('  ');
  return comment === '' ? line : `${line.padEnd(COMMENT_COLUMN)} ; ${comment}`.trimEnd();
}
