/** Checks as text: read, printed, and refused with the column. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Bound, Clause, Metric } from '../../runtime/bisect/expression.ts';
import { boundValue, holds, METRIC_NAMES, metricRecord, parseExpression, printExpression } from '../../runtime/bisect/expression.ts';
import { measure, outcomeOf } from '../../runtime/bisect/outcomes.ts';

/** Whether a check of one metric holds for a value and the float model's. */
function judge(text: string, value: number, base = NaN): boolean {
  const [clause] = parseExpression(text);
  if (clause?.kind !== 'metric') throw new Error('no metric');
  return holds(clause.comparison, value, boundValue(clause.bound, base));
}

const number = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.double({ noNaN: true, noDefaultInfinity: true, min: 1e-9, max: 1e9 }));
const bounds = (metric: Metric): fc.Arbitrary<Bound> => {
  const { kind, comparing = false } = metricRecord(metric);
  const unit =
    kind === 'share'
      ? fc.constantFrom('pt' as const, '%' as const)
      : fc.constantFrom('' as const, ...(kind === 'decibels' ? ['dB' as const] : []));
  const amount = fc.record({ value: number, unit });
  const alone: fc.Arbitrary<Bound> = amount.map((each) => ({ kind: 'amount', amount: each }));
  if (comparing) return alone;
  return fc.oneof(
    alone,
    fc.constant<Bound>({ kind: 'base' }),
    amount.map((each): Bound => ({ kind: 'base', change: { operator: '-', amount: { ...each, unit: '%' } } })),
    number.map((factor): Bound => ({ kind: 'base', change: { operator: '*', factor } })),
  );
};
const clause: fc.Arbitrary<Clause> = fc.oneof(
  fc.constant<Clause>({ kind: 'contract' }),
  fc
    .tuple(fc.constantFrom(...METRIC_NAMES), fc.constantFrom('>=' as const, '<=' as const, '>' as const, '<' as const, '==' as const))
    .chain(([metric, comparison]) => bounds(metric).map((bound): Clause => ({ kind: 'metric', metric, comparison, bound }))),
);

describe('a check', () => {
  it('reads as it prints', () => {
    fc.assert(
      fc.property(fc.array(clause, { minLength: 1, maxLength: 3 }), (expression) => {
        expect(parseExpression(printExpression(expression))).toEqual(expression);
      }),
    );
  });

  it('has one printed form', () => {
    expect(printExpression(parseExpression('  top1>=base-0.50pt   and cycles<base*.8'.replace('.8', '0.8')))).toBe(
      'top1 >= base - 0.5pt and cycles < base * 0.8',
    );
  });

  it('knows percentage points from percent of the float model', () => {
    expect([judge('top1 >= base - 0.5pt', 0.895, 0.9), judge('top1 >= base - 0.5pt', 0.894, 0.9)]).toEqual([true, false]);
    expect([judge('top1 >= base - 10%', 0.81, 0.9), judge('top1 >= base - 10%', 0.8, 0.9)]).toEqual([true, false]);
    expect([judge('agreement >= 99%', 0.99), judge('agreement >= 99%', 0.98)]).toEqual([true, false]);
    expect([judge('cycles <= base + 10%', 110, 100), judge('cycles <= base * 0.9', 91, 100)]).toEqual([true, false]);
    expect([judge('sqnr > 40dB', 40.1), judge('flips == 0', 1), judge('joules < 1e-6', 2e-6)]).toEqual([true, false, false]);
  });

  it.each([
    ['', 'check: column 1: expected a metric or contract, found the end (such as "top1 >= base - 0.5pt")'],
    [
      'top2 > 1',
      'check: column 1: unknown metric top2 (did you mean top1? known: top1, top5, agreement, flips, sqnr, maxerror, cycles, instructions, bytes, joules, contract)',
    ],
    ['top1 => 1', 'check: column 6: expected a comparison: >=, <=, >, < or ==, found "=>" (such as "top1 >= base - 0.5pt")'],
    ['top1 >= high', 'check: column 9: expected a number, found "high" (such as "top1 >= base - 0.5pt")'],
    ['contract and cycles < base - 3pt', 'check: column 31: pt is no unit of cycles'],
    ['cycles < 90%', 'check: column 12: % is no unit of cycles (write base - 5% or base * 0.95 for a part of what the float model has)'],
    ['sqnr >= base', 'check: column 9: sqnr compares with the float model already and has no base (compare it with a number)'],
    ['top1 >= 0.5% top5 > 1', 'check: column 14: expected "and" or the end, found "top5" (such as "top1 >= base - 0.5pt")'],
    ['top1 >= 90', 'check: column 11: 90 of top1 has no unit (write 90%)'],
    ['top1 >= 0.9', 'check: column 12: 0.9 of top1 has no unit (write 90% or 0.9%)'],
    ['top1 >= base - 1', 'check: column 17: 1 of top1 has no unit (write 1pt, percentage points)'],
    ['top5 >= base - 0.005', 'check: column 21: 0.005 of top5 has no unit (write 0.5pt or 0.005pt, percentage points)'],
    ['agreement == 1', 'check: column 15: 1 of agreement has no unit (write 100% or 1%)'],
    ['top1 >= 1e999', 'check: column 14: expected a number that is not so large, found the end (such as "top1 >= base - 0.5pt")'],
  ])('refuses %j', (text, message) => {
    expect(() => parseExpression(text)).toThrow(new DiagnosticError([{ kind: 'usage', code: '', message }]).message);
  });
});

describe('metrics', () => {
  const outputs = (...scores: number[]) => new Map([['y', Float64Array.from(scores)]]);
  const outcomes = [
    outcomeOf(outputs(0, 2, 1), outputs(0, 2, 1), 1),
    outcomeOf(outputs(3, 0, 0), outputs(0, 4, 0), 0),
    outcomeOf(outputs(0, 0, 3), outputs(3, 0, 0), 0),
    outcomeOf(outputs(1, 0, 0), outputs(1, 0, 0), 2),
  ];

  it('are reckoned from outcomes', () => {
    const of = (metric: Metric) => measure(metric, { outcomes });
    expect(of('top1')).toMatchObject({ value: 0.5, base: 0.5, loss: { value: 0 } });
    expect(of('top5')).toMatchObject({ value: 1, base: 1, loss: { value: 0 } });
    // One sample better and one worse of four: hardly anything is ruled out.
    expect(of('top1').loss?.high).toBeGreaterThan(0.4);
    expect(of('agreement').value).toBe(0.5);
    expect(of('flips').value).toBe(2);
    expect(of('maxerror').value).toBe(4);
    // Signal 5 + 9 + 9 + 1, noise 0 + 25 + 18 + 0.
    expect(of('sqnr').value).toBeCloseTo(10 * Math.log10(24 / 43), 12);
    expect(measure('sqnr', { outcomes: outcomes.slice(0, 1) }).value).toBe(Infinity);
  });

  it('call an output that is missing infinitely wrong', () => {
    expect(outcomeOf(outputs(1, 2), new Map()).maximumError).toBe(Infinity);
  });
});
