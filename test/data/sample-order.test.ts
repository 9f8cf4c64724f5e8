import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { transposeHint } from '../../runtime/data/orders.ts';
import { turnsOfClasses } from '../../runtime/data/sample-order.ts';

const RUNS = 200;

describe('the order of samples', () => {
  it('holds all classes equally often within one, wherever it is cut, as long as they have samples', () => {
    let several = 0;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 6 }), { maxLength: 80 }), (labels) => {
        const order = turnsOfClasses(labels);
        expect([...order].sort((a, b) => a - b)).toEqual([...labels.keys()]);
        const left = new Map<number, number>();
        for (const label of labels) left.set(label, (left.get(label) ?? 0) + 1);
        if (left.size > 1) several++;
        const taken = new Map([...left.keys()].map((label) => [label, 0]));
        for (const place of order) {
          const label = labels[place] ?? -1;
          taken.set(label, (taken.get(label) ?? 0) + 1);
          left.set(label, (left.get(label) ?? 0) - 1);
          const most = Math.max(...taken.values());
          // Who is behind has no samples left.
          for (const [each, count] of taken) if (count < most - 1) expect(left.get(each)).toBe(0);
        }
      }),
      { numRuns: RUNS, seed: 20_190_212 },
    );
    expect(several / RUNS).toBeGreaterThan(0.7);
  });

  it('of ten classes of a hundred, one class after the other, has every class in every beginning of ten', () => {
    const labels = Array.from({ length: 1000 }, (_, i) => Math.floor(i / 100));
    const order = turnsOfClasses(labels);
    for (const limit of [10, 11, 25, 100, 537, 1000]) {
      const counts = new Array<number>(10).fill(0);
      for (const place of order.subarray(0, limit)) {
        const label = labels[place] ?? 0;
        counts[label] = (counts[label] ?? 0) + 1;
      }
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
    // Within a class it is no order of the file either.
    const first = [...order].filter((place) => labels[place] === 0).slice(0, 5);
    expect(first).not.toEqual([...first].sort((a, b) => a - b));
    expect(turnsOfClasses(labels)).toEqual(order);
  });
});

describe('an array in another order of its dimensions', () => {
  it.each<[readonly number[], readonly number[], string | undefined]>([
    [[1, 224, 224, 3], [1, 3, 224, 224], 'its dimensions are in another order: array.transpose(0, 3, 1, 2)'],
    [[8, 3, 32, 32], [8, 32, 32, 3], 'its dimensions are in another order: array.transpose(0, 2, 3, 1)'],
    [[224, 224, 3], [1, 3, 224, 224], 'its dimensions are in another order: array.transpose(2, 0, 1)[None]'],
    [[512, 10], [10, 512], 'its dimensions are in another order: array.transpose(1, 0)'],
    [[1, 3, 224, 224], [1, 3, 224, 224], undefined],
    [[1, 16, 8], [1, 8, 16], 'its dimensions are in another order: array.transpose(0, 2, 1)'],
    [[1, 32, 48, 3], [1, 3, 48, 32], 'its dimensions are in another order: array.transpose(0, 3, 2, 1)'],
    [[1, 784], [1, 1, 28, 28], undefined],
    [[1, 224, 224, 4], [1, 3, 224, 224], undefined],
  ])('%j for %j', (from, to, hint) => {
    expect(transposeHint('array', from, to)).toBe(hint);
  });
});
