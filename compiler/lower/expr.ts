/**
 * Index expressions of the tiled IR: integer sums of loop variables, minima, maxima, parities and signs, kept in one canonical form so
 * that equal expressions are equal texts. Values are addresses in bytes, sizes in elements or loop extents; all stay safe integers.
 */

export type Atom =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'min' | 'max'; readonly a: Expr; readonly b: Expr }
  /** The lowest bit: which of two slots an iteration uses. */
  | { readonly kind: 'parity'; readonly of: Expr }
  /** 1 where `of` is above 0, else 0. */
  | { readonly kind: 'positive'; readonly of: Expr };

export interface Term {
  readonly factor: number;
  readonly atom: Atom;
}

/** constant + Σ factor · atom; terms sorted by their text, factors not zero. */
export interface Expr {
  readonly constant: number;
  readonly terms: readonly Term[];
}

/** An integer literal stands for the constant expression wherever an expression is taken. */
export type ExprLike = Expr | number;

export const ZERO: Expr = { constant: 0, terms: [] };

export function expr(value: ExprLike): Expr {
  return typeof value === 'number' ? { constant: value, terms: [] } : value;
}

export function variable(name: string): Expr {
  return { constant: 0, terms: [{ factor: 1, atom: { kind: 'variable', name } }] };
}

export function add(...operands: readonly ExprLike[]): Expr {
  let constant = 0;
  const terms = new Map<string, Term>();
  for (const operand of operands.map(expr)) {
    constant += operand.constant;
    for (const { factor, atom } of operand.terms) {
      const key = printAtom(atom);
      terms.set(key, { factor: factor + (terms.get(key)?.factor ?? 0), atom });
    }
  }
  const sorted = [...terms].filter(([, term]) => term.factor !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return { constant, terms: sorted.map(([, term]) => term) };
}

export function scale(operand: ExprLike, factor: number): Expr {
  const { constant, terms } = expr(operand);
  if (factor === 0) return ZERO;
  return { constant: constant * factor + 0, terms: terms.map((term) => ({ factor: term.factor * factor, atom: term.atom })) };
}

export function subtract(a: ExprLike, b: ExprLike): Expr {
  return add(a, scale(b, -1));
}

export function min(a: ExprLike, b: ExprLike): Expr {
  return extremum('min', expr(a), expr(b));
}

export function max(a: ExprLike, b: ExprLike): Expr {
  return extremum('max', expr(a), expr(b));
}

function extremum(kind: 'min' | 'max', a: Expr, b: Expr): Expr {
  const difference = subtract(a, b);
  if (difference.terms.length === 0) return difference.constant < 0 === (kind === 'min') ? a : b;
  const [first, second] = printExpr(a) < printExpr(b) ? [a, b] : [b, a];
  return { constant: 0, terms: [{ factor: 1, atom: { kind, a: first, b: second } }] };
}

/** Of terms without a constant, because parity(x + 1) is 1 − parity(x): so the two slots of a ring share a register. */
export function parity(of: ExprLike): Expr {
  const { constant, terms } = expr(of);
  const odd = terms.filter((term) => term.factor % 2 !== 0).map((term) => ({ factor: 1, atom: term.atom }));
  const isOdd = constant % 2 !== 0;
  if (odd.length === 0) return expr(isOdd ? 1 : 0);
  const bit: Expr = { constant: 0, terms: [{ factor: 1, atom: { kind: 'parity', of: { constant: 0, terms: odd } } }] };
  return isOdd ? subtract(1, bit) : bit;
}

/** 1 where an expression is above 0, else 0. */
export function positive(of: ExprLike): Expr {
  const e = expr(of);
  if (isConstant(e)) return expr(e.constant > 0 ? 1 : 0);
  return { constant: 0, terms: [{ factor: 1, atom: { kind: 'positive', of: e } }] };
}

export function isConstant(e: Expr): boolean {
  return e.terms.length === 0;
}

/** The expression with every atom rebuilt from its mapped parts; `leaf` says what a variable becomes. */
function rebuild(e: Expr, leaf: (name: string) => Expr): Expr {
  return add(
    e.constant,
    ...e.terms.map(({ factor, atom }) => {
      switch (atom.kind) {
        case 'variable':
          return scale(leaf(atom.name), factor);
        case 'min':
        case 'max':
          return scale(extremum(atom.kind, rebuild(atom.a, leaf), rebuild(atom.b, leaf)), factor);
        case 'parity':
          return scale(parity(rebuild(atom.of, leaf)), factor);
        case 'positive':
          return scale(positive(rebuild(atom.of, leaf)), factor);
      }
    }),
  );
}

/** Every occurrence of a variable replaced by an expression. */
export function substitute(e: Expr, name: string, replacement: ExprLike): Expr {
  return rebuild(e, (other) => (other === name ? expr(replacement) : variable(other)));
}

export type Environment = ReadonlyMap<string, number>;

export function evaluateExpr(e: Expr, environment: Environment): number {
  let value = e.constant;
  for (const { factor, atom } of e.terms) value += factor * evaluateAtom(atom, environment);
  return value + 0; // an integer has no negative zero
}

function evaluateAtom(atom: Atom, environment: Environment): number {
  switch (atom.kind) {
    case 'variable': {
      const value = environment.get(atom.name);
      if (value === undefined) throw new Error(`loop variable %${atom.name} is not bound here`);
      return value;
    }
    case 'min':
      return Math.min(evaluateExpr(atom.a, environment), evaluateExpr(atom.b, environment));
    case 'max':
      return Math.max(evaluateExpr(atom.a, environment), evaluateExpr(atom.b, environment));
    case 'parity':
      return evaluateExpr(atom.of, environment) & 1;
    case 'positive':
      return evaluateExpr(atom.of, environment) > 0 ? 1 : 0;
  }
}

/** Inclusive bounds. */
export interface Range {
  readonly low: number;
  readonly high: number;
}
export type Ranges = ReadonlyMap<string, Range>;

/** Bounds of an expression from those of its variables, by interval arithmetic: never too narrow. */
export function rangeOf(e: Expr, ranges: Ranges): Range {
  let low = e.constant;
  let high = e.constant;
  for (const { factor, atom } of e.terms) {
    const range = atomRange(atom, ranges);
    low += factor * (factor > 0 ? range.low : range.high);
    high += factor * (factor > 0 ? range.high : range.low);
  }
  return { low, high };
}

function atomRange(atom: Atom, ranges: Ranges): Range {
  switch (atom.kind) {
    case 'variable': {
      const range = ranges.get(atom.name);
      if (!range) throw new Error(`loop variable %${atom.name} is not bound here`);
      return range;
    }
    case 'min':
    case 'max': {
      const a = rangeOf(atom.a, ranges);
      const b = rangeOf(atom.b, ranges);
      const pick = atom.kind === 'min' ? Math.min : Math.max;
      return { low: pick(a.low, b.low), high: pick(a.high, b.high) };
    }
    case 'parity':
    case 'positive':
      return { low: 0, high: 1 };
  }
}

/** Atoms that `highOf` tries one by one; each doubles the work. */
const LARGEST_SPLIT = 5;

/**
 * An upper bound that is as tight as the intervals or better, from a case for each value that an atom can have: an extremum equals one of its
 * operands, so related terms cancel in each case; where the sign of a loop variable is known, so is a part of its range.
 */
export function highOf(e: Expr, ranges: Ranges, splits = LARGEST_SPLIT): number {
  const { high } = rangeOf(e, ranges);
  const index = e.terms.findIndex(({ atom }) => atom.kind !== 'variable' && atom.kind !== 'parity');
  const term = e.terms[index];
  if (!term || splits === 0) return high;
  const { factor, atom } = term;
  const rest: Expr = { constant: e.constant, terms: e.terms.filter((_, i) => i !== index) };
  const highWith = (value: ExprLike, narrowed: Ranges = ranges): number => highOf(add(rest, scale(value, factor)), narrowed, splits - 1);
  switch (atom.kind) {
    case 'min':
    case 'max': {
      const [a, b] = [highWith(atom.a), highWith(atom.b)];
      return Math.min(high, (atom.kind === 'min') === factor > 0 ? Math.min(a, b) : Math.max(a, b));
    }
    case 'positive': {
      const [zero, one] = [withSign(atom.of, false, ranges), withSign(atom.of, true, ranges)];
      return Math.min(high, Math.max(zero ? highWith(0, zero) : -Infinity, one ? highWith(1, one) : -Infinity));
    }
    default:
      return high;
  }
}

/** The ranges where an expression is above 0, or is not; undefined where that is nowhere. Only a single variable is narrowed. */
function withSign(of: Expr, above: boolean, ranges: Ranges): Ranges | undefined {
  const { low, high } = rangeOf(of, ranges);
  if (above ? high <= 0 : low > 0) return undefined;
  const [term, ...others] = of.terms;
  if (!term || others.length > 0 || term.atom.kind !== 'variable' || Math.abs(term.factor) !== 1) return ranges;
  const { name } = term.atom;
  const known = ranges.get(name) ?? { low: -Infinity, high: Infinity };
  // v + c > 0 is v ≥ 1 − c; −v + c > 0 is v ≤ c − 1.
  const narrowed =
    term.factor > 0
      ? above
        ? { low: Math.max(known.low, 1 - of.constant), high: known.high }
        : { low: known.low, high: Math.min(known.high, -of.constant) }
      : above
        ? { low: known.low, high: Math.min(known.high, of.constant - 1) }
        : { low: Math.max(known.low, of.constant), high: known.high };
  return new Map(ranges).set(name, narrowed);
}

/** Whether a ≤ b wherever the ranges hold, as far as `highOf` can tell. */
export function provablyAtMost(a: Expr, b: Expr, ranges: Ranges): boolean {
  return highOf(subtract(a, b), ranges) <= 0;
}

/** Drops minima, maxima and signs that the ranges of the variables decide, and variables that have one value. */
export function simplifyExpr(e: Expr, ranges: Ranges): Expr {
  return add(
    e.constant,
    ...e.terms.map(({ factor, atom }): Expr => {
      switch (atom.kind) {
        case 'variable': {
          const range = ranges.get(atom.name);
          return range && range.low === range.high ? expr(factor * range.low) : scale(variable(atom.name), factor);
        }
        case 'parity':
          return scale(parity(simplifyExpr(atom.of, ranges)), factor);
        case 'positive': {
          const of = simplifyExpr(atom.of, ranges);
          if (provablyAtMost(of, ZERO, ranges)) return ZERO;
          return provablyAtMost(expr(1), of, ranges) ? expr(factor) : scale(positive(of), factor);
        }
        case 'min':
        case 'max': {
          const a = simplifyExpr(atom.a, ranges);
          const b = simplifyExpr(atom.b, ranges);
          const sign = signOf(atom.kind, a, b, ranges) ?? signOf(atom.kind, b, a, ranges);
          if (sign) return scale(sign, factor);
          const [small, large] = provablyAtMost(a, b, ranges) ? [a, b] : provablyAtMost(b, a, ranges) ? [b, a] : [undefined, undefined];
          return scale((atom.kind === 'min' ? small : large) ?? extremum(atom.kind, a, b), factor);
        }
      }
    }),
  );
}

/** max(0, e) for e ≤ 1 and min(1, e) for e ≥ 0 are signs, which are one instruction. */
function signOf(kind: 'min' | 'max', a: Expr, e: Expr, ranges: Ranges): Expr | undefined {
  const [limit, bounded] = kind === 'max' ? [0, provablyAtMost(e, expr(1), ranges)] : [1, provablyAtMost(ZERO, e, ranges)];
  return isConstant(a) && a.constant === limit && !isConstant(e) && bounded ? simplifyExpr(positive(e), ranges) : undefined;
}

/** Names of the variables an expression depends on. */
export function variablesOf(e: Expr): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (inner: Expr): void => {
    for (const { atom } of inner.terms) {
      if (atom.kind === 'variable') names.add(atom.name);
      else if (atom.kind === 'parity' || atom.kind === 'positive') visit(atom.of);
      else {
        visit(atom.a);
        visit(atom.b);
      }
    }
  };
  visit(e);
  return names;
}

/** The canonical text, `112*%t + min(4, 28 - 4*%t) + 8`. */
export function printExpr(e: Expr): string {
  const parts = e.terms.map(({ factor, atom }) => ({
    sign: factor < 0 ? '-' : '+',
    text: `${Math.abs(factor) === 1 ? '' : `${Math.abs(factor)}*`}${printAtom(atom)}`,
  }));
  if (e.constant !== 0 || parts.length === 0) parts.push({ sign: e.constant < 0 ? '-' : '+', text: String(Math.abs(e.constant)) });
  return parts.map(({ sign, text }, i) => (i === 0 ? (sign === '-' ? `-${text}` : text) : ` ${sign} ${text}`)).join('');
}

export function printAtom(atom: Atom): string {
  switch (atom.kind) {
    case 'variable':
      return `%${atom.name}`;
    case 'parity':
    case 'positive':
      return `${atom.kind}(${printExpr(atom.of)})`;
    case 'min':
    case 'max':
      return `${atom.kind}(${printExpr(atom.a)}, ${printExpr(atom.b)})`;
  }
}
