/** Parser of the graph's text form, whose grammar stands in `text.ts`. Every error says where and, where it can, what to do. */
import { closest } from 'fastest-levenshtein';
import { parseElementType } from '../../runtime/numerics/element.ts';
import { completeAttributes, describeKind } from './attributes.ts';
import { storeElement } from './constant-text.ts';
import type { Diagnostic } from './diagnostic.ts';
import { DiagnosticError, fail } from './diagnostic.ts';
import { parseFloat32 } from './float-text.ts';
import type { AttributeValue, Attributes, GraphOutput, Node, Stage } from './graph.ts';
import { Graph, STAGES } from './graph.ts';
import type { Token, TokenKind } from './lexer.ts';
import { Lexer } from './lexer.ts';
import type { AttributeSpec } from './op.ts';
import { OpError } from './op.ts';
import type { OpName } from './ops.ts';
import { OP_NAMES, isOpName, opRecord } from './ops.ts';
import type { Tensor } from './tensor.ts';
import { allocate, dataBytes } from './tensor.ts';
import type { TensorType } from './types.ts';
import { elementCount, printType } from './types.ts';
import { MAX_OPS, noElementType, typeProblem, verifyGraph } from './verify.ts';

export interface ParseOptions {
  /** Name of the text in messages. */
  readonly file: string;
  /** Bytes of the constants that the text names by hash, as `decodeConstants` gives them. */
  readonly constants?: ReadonlyMap<string, Uint8Array>;
}

/** Longest text that is read, in characters. */
const MAX_TEXT = 2 ** 26;
/** Inputs, constants and ops; an op of ONNX has up to four constants. */
const MAX_DEFINITIONS = 4 * MAX_OPS;
/** Findings of the verifier that are reported; more would hide the first ones. */
const MAX_PROBLEMS = 20;
/** Elements that a constant may have when they stand in the text. */
const MAX_LISTED_ELEMENTS = 2 ** 20;

/** The graph that a text spells, verified at its stage. Throws diagnostics placed at `file:line:column`. */
export function parseGraph(text: string, { file, constants = new Map() }: ParseOptions): Graph {
  if (text.length > MAX_TEXT)
    fail('invalid', 'ir/too-large', `a graph of ${text.length} characters is longer than ${MAX_TEXT}`, { place: [file] });
  return new Parser(new Lexer(text, file), constants).graph();
}

class Parser {
  readonly #lexer: Lexer;
  readonly #constants: ReadonlyMap<string, Uint8Array>;
  /** Where each value is defined. */
  readonly #offsets = new Map<string, number>();

  constructor(lexer: Lexer, constants: ReadonlyMap<string, Uint8Array>) {
    this.#lexer = lexer;
    this.#constants = constants;
  }

  graph(): Graph {
    this.#word('graph');
    const name = this.#take('symbol', 'the name of the graph, as in @lenet').text;
    this.#word('stage');
    this.#mark('(');
    const stage = this.#stage();
    this.#mark(')');
    this.#mark('{');
    const nodes: Node[] = [];
    const outputs: GraphOutput[] = [];
    while (this.#lexer.next.kind === 'value') {
      if (nodes.length >= MAX_DEFINITIONS)
        this.#fail(this.#lexer.next, `a graph has at most ${MAX_DEFINITIONS} definitions, of which ${MAX_OPS} may be ops`);
      nodes.push(this.#definition());
    }
    if (nodes.filter(({ kind }) => kind === 'op').length > MAX_OPS) this.#fail(this.#lexer.next, `a graph has at most ${MAX_OPS} ops`);
    while (!this.#accept('}')) outputs.push(this.#output());
    this.#take('end', 'the end of the text after the graph');
    const graph = new Graph({ name, stage, nodes, outputs });
    const problems = verifyGraph(graph);
    if (problems.length > 0) throw new DiagnosticError(problems.slice(0, MAX_PROBLEMS).map((problem) => this.#placed(problem)));
    return graph;
  }

  #stage(): Stage {
    const token = this.#take('word', 'a stage');
    return (
      STAGES.find((stage) => stage === token.text) ?? this.#fail(token, `${token.text} is no stage`, `the stages are ${STAGES.join(', ')}`)
    );
  }

  #output(): GraphOutput {
    if (this.#lexer.next.kind === 'value') this.#fail(this.#lexer.next, 'a definition stands behind an output', 'outputs come last');
    this.#word('output');
    const name = this.#take('string', 'the name of the output, a string').text;
    this.#mark('=');
    return { name, value: this.#take('value', 'the value that is output').text };
  }

  #definition(): Node {
    const { text: name, offset } = this.#take('value', 'a definition');
    if (this.#offsets.has(name)) this.#fail({ offset }, `%${name} is defined twice`);
    this.#offsets.set(name, offset);
    this.#mark(':');
    const type = this.#type();
    this.#mark('=');
    const token = this.#take('word', 'input, constant or an op');
    if (token.text === 'input') return { kind: 'input', name, type };
    if (token.text === 'constant') return { kind: 'constant', name, type, value: this.#constant(type) };
    const op = this.#op(token);
    const inputs = this.#list('(', ')', () => this.#operand());
    const attributes = this.#attributes(op, token);
    const origin = this.#acceptWord('from') ? this.#list('[', ']', () => this.#take('string', "a source node's name, a string").text) : [];
    return { kind: 'op', name, type, op, inputs, attributes, origin };
  }

  #op(token: Token): OpName {
    if (isOpName(token.text)) return token.text;
    return this.#fail(token, `there is no op ${token.text}`, `did you mean ${closest(token.text, [...OP_NAMES])}?`);
  }

  #operand(): string {
    if (this.#acceptWord('_')) return '';
    return this.#take('value', 'an operand, a value or _').text;
  }

  #type(): TensorType {
    const token = this.#take('word', 'a type, as in f32[1,28,28]');
    const element = parseElementType(token.text) ?? this.#fail(token, noElementType(token.text));
    const shape = this.#list('[', ']', () => this.#integer());
    const type = { element, shape };
    const wrong = typeProblem(type);
    return wrong === undefined ? type : this.#fail(token, wrong);
  }

  #constant(type: TensorType): Tensor {
    const { kind, text: hash } = this.#lexer.next;
    return kind === 'hash' ? this.#denseConstant(type, hash) : this.#listedConstant(type);
  }

  #denseConstant(type: TensorType, hash: string): Tensor {
    const token = this.#lexer.take();
    const bytes =
      this.#constants.get(hash) ??
      this.#fail(token, `the constant dense#${hash} is missing`, 'pass the side file of constants that belongs to the text');
    const expected = elementCount(type.shape) * allocate(type.element, 0).BYTES_PER_ELEMENT;
    if (bytes.length !== expected) this.#fail(token, `a constant of type ${printType(type)} has ${expected} bytes, not ${bytes.length}`);
    const value = { type, data: allocate(type.element, elementCount(type.shape)) };
    dataBytes(value).set(bytes);
    return value;
  }

  #listedConstant(type: TensorType): Tensor {
    const count = elementCount(type.shape);
    if (count > MAX_LISTED_ELEMENTS) this.#fail(this.#lexer.next, `a constant with ${count} elements must be in the side file`);
    const data = allocate(type.element, count);
    let index = 0;
    const { offset } = this.#lexer.next;
    this.#list('[', ']', () => {
      const token = this.#lexer.next.kind === 'word' ? this.#take('word', 'a number') : this.#take('number', 'a number');
      const wrong =
        index < count
          ? storeElement(type.element, data, index, token.text)
          : `a constant of type ${printType(type)} has ${count} elements, not more`;
      if (wrong !== undefined) this.#fail(token, wrong);
      index += 1;
    });
    if (index !== count) this.#fail({ offset }, `a constant of type ${printType(type)} has ${count} elements, not ${index}`);
    return { type, data };
  }

  #attributes(op: OpName, at: Token): Attributes {
    const specs = opRecord(op).attributes;
    const given: Record<string, AttributeValue> = {};
    if (this.#lexer.next.text === '{' && this.#lexer.next.kind === 'mark')
      this.#list('{', '}', () => {
        const token = this.#take('word', 'the name of an attribute');
        const spec = Object.hasOwn(specs, token.text) ? specs[token.text] : undefined;
        if (!spec) return this.#fail(token, `${op} has no attribute ${token.text}`, this.#attributesOf(op));
        if (Object.hasOwn(given, token.text)) return this.#fail(token, `attribute ${token.text} is given twice`);
        this.#mark('=');
        given[token.text] = this.#attribute(token.text, spec);
      });
    try {
      return completeAttributes(op, given);
    } catch (error) {
      if (error instanceof OpError) return this.#fail(at, error.message);
      throw error;
    }
  }

  #attributesOf(op: OpName): string {
    const names = Object.keys(opRecord(op).attributes);
    return names.length > 0 ? `its attributes are ${names.join(', ')}` : 'it has no attributes';
  }

  #attribute(name: string, spec: AttributeSpec): AttributeValue {
    if (spec.kind === 'ints') return this.#list('[', ']', () => this.#integer());
    const token = this.#lexer.take();
    const plain = token.kind === 'word' || token.kind === 'number';
    const value = plain ? readAttribute(spec, token.text) : undefined;
    return value ?? this.#fail(token, `attribute ${name} must be ${describeKind(spec)}`);
  }

  #integer(): number {
    const token = this.#take('number', 'an integer');
    const value = readInteger(token.text);
    return value ?? this.#fail(token, `${token.text} is no integer, or too large a one`);
  }

  /** Items between brackets, separated by commas. */
  #list<T>(open: string, close: string, item: () => T): T[] {
    this.#mark(open);
    const items: T[] = [];
    if (this.#accept(close)) return items;
    do items.push(item());
    while (this.#accept(','));
    this.#mark(close);
    return items;
  }

  #accept(mark: string): boolean {
    const { kind, text } = this.#lexer.next;
    if (kind !== 'mark' || text !== mark) return false;
    this.#lexer.take();
    return true;
  }

  #acceptWord(word: string): boolean {
    const { kind, text } = this.#lexer.next;
    if (kind !== 'word' || text !== word) return false;
    this.#lexer.take();
    return true;
  }

  #mark(mark: string): void {
    if (!this.#accept(mark)) this.#expected(`'${mark}'`);
  }

  #word(word: string): void {
    if (!this.#acceptWord(word)) this.#expected(word);
  }

  #take(kind: TokenKind, what: string): Token {
    return this.#lexer.next.kind === kind ? this.#lexer.take() : this.#expected(what);
  }

  #expected(what: string): never {
    const { next } = this.#lexer;
    return this.#fail(
      next,
      `expected ${what}, found ${next.kind === 'end' ? 'the end of the text' : JSON.stringify(next.text.slice(0, 40))}`,
    );
  }

  #fail({ offset }: Pick<Token, 'offset'>, message: string, hint?: string): never {
    return fail('invalid', 'ir/syntax', message, { place: [this.#lexer.place(offset)], ...(hint !== undefined && { hint }) });
  }

  /** A finding of the verifier, placed where the value that it is about is defined. */
  #placed(problem: Diagnostic): Diagnostic {
    const offset = this.#offsets.get(problem.place?.[0]?.slice(1) ?? '') ?? 0;
    return { ...problem, place: [this.#lexer.place(offset), ...(problem.place ?? [])] };
  }
}

function readInteger(text: string): number | undefined {
  const value = /^-?\d+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}

function readAttribute(spec: Exclude<AttributeSpec, { kind: 'ints' }>, text: string): AttributeValue | undefined {
  switch (spec.kind) {
    case 'int':
      return readInteger(text);
    case 'float':
      return parseFloat32(text);
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'enum':
    case 'element':
      return text;
  }
}
