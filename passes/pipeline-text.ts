/**
 * Pipelines as text: `fold-constants,quantize{bits=8 granularity=channel}`, parser and printer side by side.
 *
 *     pipeline  = [ step { "," step } ]
 *     step      = preset | pass [ "{" { name "=" value } "}" ]
 *     value     = bare | JSON string
 */
import { closest, distance } from 'fastest-levenshtein';
import { fail } from '../compiler/ir/diagnostic.ts';
import type { ParameterSpec, ParameterValue, Pass, PassInvocation } from './pass.ts';
import { describeValues, invoke } from './pass.ts';
import type { Preset } from './registry.ts';
import { PASSES, PRESETS } from './registry.ts';

/** What names in a pipeline mean. */
export interface Vocabulary {
  readonly passes: Readonly<Record<string, Pass>>;
  readonly presets: Readonly<Record<string, Preset>>;
}

/** Longest text that is read, in characters; the longest preset has a few hundred. */
const LONGEST_TEXT = 2 ** 14;

const STANDARD: Vocabulary = { passes: PASSES, presets: PRESETS };

/** The steps of a pipeline, presets expanded and defaults filled in. Throws a usage diagnostic that names the column. */
export function parsePipeline(text: string, vocabulary: Vocabulary = STANDARD): PassInvocation[] {
  if (text.length > LONGEST_TEXT)
    fail('usage', 'pipeline/too-long', `a text of ${text.length} characters is longer than ${LONGEST_TEXT}`, { place: ['pipeline'] });
  const scanner = new Scanner(text);
  const steps: PassInvocation[] = [];
  if (scanner.atEnd()) return steps;
  do {
    const column = scanner.column();
    const name = scanner.name('a pass');
    const preset = own(vocabulary.presets, name);
    if (preset) {
      if (scanner.take('{')) fail('usage', 'pipeline/bad-value', `the preset ${name} takes no parameters`, { place: at(column) });
      // A preset may name others, but not itself.
      const presets = Object.fromEntries(Object.entries(vocabulary.presets).filter(([other]) => other !== name));
      steps.push(...parsePipeline(preset.pipeline, { ...vocabulary, presets }));
      continue;
    }
    const pass = own(vocabulary.passes, name);
    if (!pass)
      return unknown(
        'pipeline/unknown-pass',
        `pass ${name}`,
        name,
        [...Object.keys(vocabulary.passes), ...Object.keys(vocabulary.presets)],
        column,
      );
    steps.push(invoke(pass, scanner.take('{') ? parameters(scanner, pass) : {}));
  } while (scanner.take(','));
  if (!scanner.atEnd()) scanner.expected('"," or the end');
  return steps;
}

/** The canonical text of a pipeline: `parsePipeline(printPipeline(p))` gives p. Parameters at their defaults are left out. */
export function printPipeline(steps: readonly PassInvocation[]): string {
  return steps.map(printStep).join(',');
}

export function printStep({ pass, params }: PassInvocation): string {
  const given = Object.entries(pass.params).flatMap(([name, spec]) => {
    const value = params[name] ?? spec.default;
    return value === spec.default ? [] : [`${name}=${printValue(value)}`];
  });
  return given.length ? `${pass.name}{${given.join(' ')}}` : pass.name;
}

const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;
const BARE = /^[^\s,={}"]+$/;

function printValue(value: ParameterValue): string {
  return typeof value === 'string' && !BARE.test(value) ? JSON.stringify(value) : String(value);
}

function parameters(scanner: Scanner, pass: Pass): Record<string, ParameterValue> {
  const values: Record<string, ParameterValue> = {};
  while (!scanner.take('}')) {
    const column = scanner.column();
    const name = scanner.name('a parameter or "}"');
    const spec = own(pass.params, name);
    if (!spec) return unknown('pipeline/unknown-parameter', `parameter ${name} of ${pass.name}`, name, Object.keys(pass.params), column);
    if (Object.hasOwn(values, name))
      fail('usage', 'pipeline/syntax', `parameter ${name} of ${pass.name} is given twice`, { place: at(column) });
    if (!scanner.take('=')) scanner.expected(`"=" after ${name}`);
    const valueColumn = scanner.column();
    values[name] = parameterValue(spec, scanner.value(), `parameter ${name} of ${pass.name}`, valueColumn);
  }
  return values;
}

function parameterValue(spec: ParameterSpec, text: string, what: string, column: number): ParameterValue {
  const refuse = (wanted: string): never =>
    fail('usage', 'pipeline/bad-value', `${what} must be ${wanted}, not ${text}`, { place: at(column) });
  switch (spec.kind) {
    case 'int':
    case 'float': {
      const { minimum = -Infinity, maximum = Infinity } = spec;
      const value = Number(text) + 0;
      const wellFormed = NUMBER.test(text) && (spec.kind === 'int' ? Number.isSafeInteger(value) : Number.isFinite(value));
      if (wellFormed && value >= minimum && value <= maximum) return value;
      return refuse(describeValues(spec));
    }
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : refuse(describeValues(spec));
    case 'enum':
      return spec.values.includes(text) ? text : unknown('pipeline/bad-value', `value ${text} for ${what}`, text, spec.values, column);
    case 'string':
      return text;
  }
}

function unknown(code: string, what: string, word: string, candidates: readonly string[], column: number): never {
  const nearest = candidates.length ? closest(word, [...candidates]) : undefined;
  const near = nearest !== undefined && distance(word, nearest) <= Math.max(2, Math.floor(word.length / 3));
  const hint = near ? `did you mean ${nearest}?` : candidates.length ? `known: ${candidates.join(', ')}` : undefined;
  return fail('usage', code, `unknown ${what}`, { place: at(column), ...(hint !== undefined && { hint }) });
}

function at(column: number): readonly string[] {
  return ['pipeline', `column ${column}`];
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A cursor over the text; every reading method skips the white space before what it reads. */
class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Column, from 1, of what comes next. */
  column(): number {
    this.#skip(/\s*/y);
    return this.#position + 1;
  }

  atEnd(): boolean {
    return this.column() > this.#text.length;
  }

  take(character: string): boolean {
    if (!this.#text.startsWith(character, this.column() - 1)) return false;
    this.#position += character.length;
    return true;
  }

  name(what: string): string {
    this.column();
    return this.#skip(/[A-Za-z0-9_-]+/y) ?? this.expected(what);
  }

  value(): string {
    const column = this.column();
    const bare = this.#skip(/[^\s,={}"]+/y);
    if (bare !== undefined) return bare;
    const quoted = this.#skip(/"(?:[^"\\]|\\.)*"/y) ?? this.expected('a value');
    try {
      return JSON.parse(quoted) as string;
    } catch {
      return fail('usage', 'pipeline/syntax', `${quoted} is not a valid JSON string`, { place: at(column) });
    }
  }

  expected(what: string): never {
    const column = this.column();
    const found = this.#text[column - 1];
    return fail('usage', 'pipeline/syntax', `expected ${what}, found ${found === undefined ? 'the end' : JSON.stringify(found)}`, {
      place: at(column),
    });
  }

  #skip(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    this.#position += found?.length ?? 0;
    return found;
  }
}
