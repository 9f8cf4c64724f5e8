/**
 * What must hold of a compiled model, as text: `top1 >= base - 0.5pt and cycles < base * 0.8`, parser and printer side by side.
 *
 *     check      = clause { "and" clause }
 *     clause     = "contract" | metric comparison bound
 *     comparison = ">=" | "<=" | ">" | "<" | "=="
 *     bound      = amount | "base" [ ( "+" | "-" ) amount | "*" number ]
 *     amount     = number [ "pt" | "%" | "dB" ]
 *
 * `base` is the same metric of the float model without passes. After it, `%` is relative to it; `pt` are percentage points. Alone, `99%` is a share of samples.
 * Shares have a unit, because 1 may be meant as one percent or as all.
 */
import { closest } from 'fastest-levenshtein';
import { fail } from '../../compiler/ir/diagnostic.ts';

interface MetricRecord {
  readonly doc: string;
  /** share: from 0 to 1, so that it may be given in percent */
  readonly kind: 'share' | 'number' | 'decibels';
  /** What it is computed from: outputs and classes, outputs, or the compiled program. */
  readonly from: 'labels' | 'outputs' | 'program';
  /** Set where it compares with the float model already, so that `base` means nothing. */
  readonly comparing?: boolean;
}

export const METRICS = {
  top1: { doc: 'share of samples whose class ranks first', kind: 'share', from: 'labels' },
  top5: { doc: 'share of samples whose class is among the first five', kind: 'share', from: 'labels' },
  agreement: { doc: 'share of samples for which the float model predicts the same class', kind: 'share', from: 'outputs', comparing: true },
  flips: { doc: 'samples for which the float model predicts another class', kind: 'number', from: 'outputs', comparing: true },
  sqnr: { doc: 'signal to noise of the outputs, the float model being the signal', kind: 'decibels', from: 'outputs', comparing: true },
  maxerror: { doc: 'greatest difference of an output from the float model', kind: 'number', from: 'outputs', comparing: true },
  cycles: { doc: 'cycles of one run', kind: 'number', from: 'program' },
  instructions: { doc: 'instructions in the program', kind: 'number', from: 'program' },
  bytes: { doc: 'bytes that one run reads from DRAM and writes to it', kind: 'number', from: 'program' },
  joules: { doc: 'energy of one run', kind: 'number', from: 'program' },
} as const satisfies Readonly<Record<string, MetricRecord>>;

export type Metric = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as readonly Metric[];

export function metricRecord(metric: Metric): MetricRecord {
  return METRICS[metric];
}

const COMPARISONS = {
  '>=': (a: number, b: number) => a >= b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '<': (a: number, b: number) => a < b,
  '==': (a: number, b: number) => a === b,
} as const;
export type Comparison = keyof typeof COMPARISONS;

export interface Amount {
  readonly value: number;
  readonly unit: '' | 'pt' | '%' | 'dB';
}

export type Bound = { readonly kind: 'amount'; readonly amount: Amount } | { readonly kind: 'base'; readonly change?: Change };
type Change = { readonly operator: '+' | '-'; readonly amount: Amount } | { readonly operator: '*'; readonly factor: number };

export type Clause =
  | { readonly kind: 'contract' }
  | { readonly kind: 'metric'; readonly metric: Metric; readonly comparison: Comparison; readonly bound: Bound };

/** The clauses, all of which must hold. */
export type Expression = readonly Clause[];

/** The number that a bound stands for; `base` is the metric's value for the float model. */
export function boundValue(bound: Bound, base: number): number {
  if (bound.kind === 'amount') return absolute(bound.amount);
  const { change } = bound;
  if (!change) return base;
  if (change.operator === '*') return base * change.factor;
  const { value, unit } = change.amount;
  const step = unit === '%' ? (Math.abs(base) * value) / 100 : absolute(change.amount);
  return change.operator === '+' ? base + step : base - step;
}

function absolute({ value, unit }: Amount): number {
  return unit === '%' || unit === 'pt' ? value / 100 : value;
}

export function holds(comparison: Comparison, value: number, bound: number): boolean {
  return COMPARISONS[comparison](value, bound);
}

export function printExpression(expression: Expression): string {
  return expression.map(printClause).join(' and ');
}

export function printClause(clause: Clause): string {
  return clause.kind === 'contract' ? 'contract' : `${clause.metric} ${clause.comparison} ${printBound(clause.bound)}`;
}

function printBound(bound: Bound): string {
  if (bound.kind === 'amount') return printAmount(bound.amount);
  const { change } = bound;
  if (!change) return 'base';
  return `base ${change.operator} ${change.operator === '*' ? change.factor : printAmount(change.amount)}`;
}

function printAmount({ value, unit }: Amount): string {
  return `${value}${unit}`;
}

/** Throws a usage diagnostic that names the column. */
export function parseExpression(text: string): Expression {
  const scanner = new Scanner(text);
  const clauses = [scanner.clause()];
  while (scanner.takeWord('and')) clauses.push(scanner.clause());
  scanner.end();
  return clauses;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\d.])/y;

class Scanner {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  clause(): Clause {
    const column = this.#column();
    const word = this.#match(/[A-Za-z_][A-Za-z0-9_]*/y) ?? this.#expected('a metric or contract');
    if (word === 'contract') return { kind: 'contract' };
    const metric = METRIC_NAMES.find((name) => name === word) ?? unknownMetric(word, column);
    const comparison = this.#comparison();
    return { kind: 'metric', metric, comparison, bound: this.#bound(metric) };
  }

  takeWord(word: string): boolean {
    return this.#match(new RegExp(`${word}(?![A-Za-z0-9_])`, 'y')) !== undefined;
  }

  end(): void {
    if (this.#column() <= this.#text.length) this.#expected('"and" or the end');
  }

  #comparison(): Comparison {
    const text = this.#match(/>=|<=|==|>|</y);
    return Object.keys(COMPARISONS).find((each): each is Comparison => each === text) ?? this.#expected('a comparison: >=, <=, >, < or ==');
  }

  #bound(metric: Metric): Bound {
    const column = this.#column();
    if (!this.takeWord('base')) return { kind: 'amount', amount: this.#amount(metric, false) };
    if (metricRecord(metric).comparing)
      fail('usage', 'check/no-base', `${metric} compares with the float model already and has no base`, {
        place: at(column),
        hint: 'compare it with a number',
      });
    const operator = this.#match(/[-+*]/y);
    if (operator === '*') return { kind: 'base', change: { operator, factor: this.#number() } };
    if (operator === '+' || operator === '-') return { kind: 'base', change: { operator, amount: this.#amount(metric, true) } };
    return { kind: 'base' };
  }

  #amount(metric: Metric, ofBase: boolean): Amount {
    const value = this.#number();
    const column = this.#column();
    const unit = UNITS.find((each) => each === this.#peek(/pt|%|dB/y)) ?? '';
    this.#position += unit.length;
    const { kind } = metricRecord(metric);
    if (kind === 'share' && unit === '' && value !== 0)
      fail('usage', 'check/unit', `${value} of ${metric} has no unit`, { place: at(column), hint: unitHint(value, ofBase) });
    const allowed = unit === '' || (unit === '%' && ofBase) || (unit === 'dB' ? kind === 'decibels' : kind === 'share');
    if (!allowed)
      fail('usage', 'check/unit', `${unit} is no unit of ${metric}`, {
        place: at(column),
        ...(unit === '%' && { hint: `write base - 5% or base * 0.95 for a part of what the float model has` }),
      });
    return { value, unit };
  }

  #number(): number {
    const text = this.#match(NUMBER) ?? this.#expected('a number');
    const value = Number(text) + 0;
    return Number.isFinite(value) ? value : this.#expected('a number that is not so large');
  }

  /** Column, from 1, of what comes next. */
  #column(): number {
    while (/\s/.test(this.#text[this.#position] ?? '')) this.#position++;
    return this.#position + 1;
  }

  #peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#column() - 1;
    return pattern.exec(this.#text)?.[0];
  }

  #match(pattern: RegExp): string | undefined {
    const found = this.#peek(pattern);
    this.#position += found?.length ?? 0;
    return found;
  }

  #expected(what: string): never {
    const column = this.#column();
    const [found] = /\S+/y.exec(this.#text.slice(column - 1)) ?? [];
    return fail('usage', 'check/syntax', `expected ${what}, found ${found === undefined ? 'the end' : JSON.stringify(found)}`, {
      place: at(column),
      hint: 'such as "top1 >= base - 0.5pt"',
    });
  }
}

/** What a bare number may mean: points below the float model, or a share, of which people write the hundredth as often as the percent. */
function unitHint(value: number, ofBase: boolean): string {
  const size = Math.abs(value);
  const hundredfold = Number((100 * size).toPrecision(12));
  if (ofBase) return size < 1 ? `write ${hundredfold}pt or ${size}pt, percentage points` : `write ${size}pt, percentage points`;
  return size <= 1 ? `write ${hundredfold}% or ${size}%` : `write ${size}%`;
}

const UNITS = ['pt', '%', 'dB'] as const;

function unknownMetric(word: string, column: number): never {
  const nearest = closest(word, [...METRIC_NAMES, 'contract']);
  return fail('usage', 'check/unknown-metric', `unknown metric ${word}`, {
    place: at(column),
    hint: `did you mean ${nearest}? known: ${[...METRIC_NAMES, 'contract'].join(', ')}`,
  });
}

function at(column: number): readonly string[] {
  return ['check', `column ${column}`];
}
