/** Delta debugging and binary search on failures that are made up. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../runtime/bisect/ddmin.ts';
import { ddmin, firstBad, isolate } from '../../runtime/bisect/ddmin.ts';

const verdict = (bad: boolean): Promise<Verdict> => Promise.resolve(bad ? 'bad' : 'good');
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A failure of any shape, also one that comes and goes as items are dropped: bad if a hash of the subset says so. */
function whimsical(seed: number, all: number): (subset: readonly number[]) => boolean {
  return (subset) => {
    if (subset.length === 0) return false;
    if (subset.length === all) return true;
    const hash = subset.reduce((sum, item) => Math.imul(sum ^ (item + 1), 0x01000193), seed);
    return (hash >>> 7) % 3 === 0;
  };
}

describe('ddmin', () => {
  it('gives a bad subset that is good without any one of its items, whatever the failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 24 }), fc.integer(), async (count, seed) => {
        const bad = whimsical(seed, count);
        const asked = new Set<string>();
        const result = await ddmin(range(count), (subset) => {
          expect(asked.has(subset.join()), 'asked twice').toBe(false);
          asked.add(subset.join());
          return verdict(bad(subset));
        });
        expect(bad(result)).toBe(true);
        expect(result).toEqual(result.toSorted((a, b) => a - b));
        if (result.length > 1) for (const item of result) expect(bad(result.filter((each) => each !== item))).toBe(false);
      }),
    );
  });

  it('finds exactly the items that fail together, whatever else is skipped', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: 39 }), { minLength: 1, maxLength: 5 }), async (culprits) => {
        const result = await ddmin(range(40), (subset) => {
          const present = culprits.filter((each) => subset.includes(each)).length;
          return Promise.resolve(present === culprits.length ? 'bad' : present === 0 ? 'good' : 'skip');
        });
        expect(result).toEqual(culprits.toSorted((a, b) => a - b));
      }),
    );
  });

  it('finds one of 1,024 in 20 tests at most', async () => {
    for (const culprit of [0, 1, 511, 512, 700, 1023]) {
      let tests = 0;
      const result = await ddmin(range(1024), (subset) => (tests++, verdict(subset.includes(culprit))));
      expect(result).toEqual([culprit]);
      expect(tests).toBeLessThanOrEqual(20);
    }
  });
});

describe('the binary search', () => {
  it('finds the first bad one in no more tests than it says', async () => {
    for (let count = 1; count <= 70; count++)
      for (let first = 1; first <= count; first++) {
        let tests = 0;
        const border = await firstBad(count, (n) => (tests++, verdict(n >= first)));
        expect(border).toEqual({ good: first - 1, bad: first });
        expect(tests).toBeLessThanOrEqual(first === 1 ? Math.floor(Math.log2(count)) : Math.ceil(Math.log2(count)));
      }
  });

  it('goes around what is skipped, and says what is left between', async () => {
    const skipping = (skipped: readonly number[]) => firstBad(10, (n) => (skipped.includes(n) ? Promise.resolve('skip') : verdict(n >= 7)));
    expect(await skipping([5, 4])).toEqual({ good: 6, bad: 7 });
    expect(await skipping([6, 7, 5])).toEqual({ good: 4, bad: 8 });
    expect(await skipping(range(10))).toEqual({ good: 0, bad: 10 });
  });
});

describe('isolation', () => {
  /** Suspects that are bad together where all `culprits` are among them. */
  const suspects = (count: number, culprits: readonly number[]) => {
    const state = { tests: 0 };
    const bad = (places: readonly number[]) => (state.tests++, verdict(culprits.every((each) => places.includes(each))));
    return { state, count, testFirst: (n: number) => bad(range(n)), testSet: bad };
  };

  it('finds one culprit, and tries it alone, in ⌈log2 n⌉ + 1 tests', async () => {
    for (let count = 1; count <= 40; count++)
      for (let culprit = 0; culprit < count; culprit++) {
        const all = suspects(count, [culprit]);
        expect(await isolate(all)).toEqual({ culprits: [culprit], alone: true });
        expect(all.state.tests).toBeLessThanOrEqual(Math.ceil(Math.log2(count)) + 1);
      }
  });

  it('finds those that are bad only together', async () => {
    expect(await isolate(suspects(30, [3, 17, 18]))).toEqual({ culprits: [3, 17, 18], alone: false });
  });
});
