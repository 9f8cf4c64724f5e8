import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expr } from '../../compiler/lower/expr.ts';
import {
  add,
  evaluateExpr,
  expr,
  highOf,
  max,
  min,
  parity,
  positive,
  printExpr,
  rangeOf,
  scale,
  simplifyExpr,
  substitute,
  subtract,
  variable,
} from '../../compiler/lower/expr.ts';

const RANGES = new Map([
  ['i', { low: 0, high: 6 }],
  ['j', { low: 1, high: 4 }],
]);

const arbitraryExpr: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4 },
    fc.integer({ min: -40, max: 40 }).map(expr),
    fc.constantFrom('i', 'j').map(variable),
    fc.tuple(tie('expr'), tie('expr')).map(([a, b]) => add(a, b)),
    fc.tuple(tie('expr'), tie('expr')).map(([a, b]) => min(a, b)),
    fc.tuple(tie('expr'), tie('expr')).map(([a, b]) => max(a, b)),
    fc.tuple(tie('expr'), fc.integer({ min: -4, max: 4 })).map(([a, factor]) => scale(a, factor)),
    tie('expr').map((a) => parity(max(0, a))),
    tie('expr').map(positive),
  ),
})).expr;

const environments = [...Array(7).keys()].flatMap((i) =>
  [1, 2, 3, 4].map(
    (j) =>
      new Map([
        ['i', i],
        ['j', j],
      ]),
  ),
);

describe('index expressions', () => {
  it('keep their value when simplified', () => {
    fc.assert(
      fc.property(arbitraryExpr, (e) => {
        const simple = simplifyExpr(e, RANGES);
        for (const environment of environments) expect(evaluateExpr(simple, environment)).toBe(evaluateExpr(e, environment));
      }),
    );
  });

  it('lie in their ranges, and highOf is no looser', () => {
    fc.assert(
      fc.property(arbitraryExpr, (e) => {
        const values = environments.map((environment) => evaluateExpr(e, environment));
        const { low, high } = rangeOf(e, RANGES);
        expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
        expect(Math.max(...values)).toBeLessThanOrEqual(highOf(e, RANGES));
        expect(highOf(e, RANGES)).toBeLessThanOrEqual(high);
      }),
    );
  });

  it('substitute like evaluation', () => {
    fc.assert(
      fc.property(arbitraryExpr, fc.integer({ min: 0, max: 6 }), (e, i) => {
        const replaced = substitute(e, 'i', i);
        for (const j of [1, 2, 3, 4])
          expect(evaluateExpr(replaced, new Map([['j', j]]))).toBe(
            evaluateExpr(
              e,
              new Map([
                ['i', i],
                ['j', j],
              ]),
            ),
          );
      }),
    );
  });

  it('are canonical: sums in any order print alike', () => {
    const [i, j] = [variable('i'), variable('j')];
    expect(printExpr(add(scale(j, 3), i, 4, scale(i, 2)))).toBe('3*%i + 3*%j + 4');
    expect(printExpr(subtract(i, add(i, j)))).toBe('-%j');
    expect(printExpr(min(add(i, 2), add(i, 5)))).toBe('%i + 2');
    expect(printExpr(parity(add(scale(i, 2), j, 3)))).toBe('-parity(%j) + 1');
  });

  it('turn extrema at 0 and 1 into signs', () => {
    const i = variable('i');
    const ranges = new Map([['i', { low: 0, high: 7 }]]);
    expect(printExpr(simplifyExpr(max(0, subtract(1, i)), ranges))).toBe('positive(-%i + 1)');
    expect(printExpr(simplifyExpr(min(i, 1), ranges))).toBe('positive(%i)');
    expect(printExpr(simplifyExpr(positive(add(i, 1)), ranges))).toBe('1');
  });

  it('know the range of a variable from its sign', () => {
    const i = variable('i');
    const last = positive(subtract(7, i));
    expect(highOf(add(scale(i, 10), scale(last, 5)), new Map([['i', { low: 0, high: 7 }]]))).toBe(70);
  });

  it('drop an extremum whose operands are related', () => {
    const i = variable('i');
    expect(printExpr(simplifyExpr(max(i, min(add(i, 3), 9)), new Map([['i', { low: 0, high: 7 }]])))).toBe('min(%i + 3, 9)');
  });
});
