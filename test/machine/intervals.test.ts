import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Intervals } from '../../runtime/machine/intervals.ts';

const SIZE = 64;
const range = fc.tuple(fc.nat({ max: SIZE }), fc.nat({ max: SIZE })).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

/** The same set as one flag a byte. */
class Bitmap {
  readonly bits = new Array<boolean>(SIZE).fill(false);

  add(start: number, end: number): void {
    this.bits.fill(true, start, end);
  }

  firstMissing(start: number, end: number): number | undefined {
    for (let i = start; i < end; i++) if (this.bits[i] !== true) return i;
    return undefined;
  }

  runs(): [number, number][] {
    const runs: [number, number][] = [];
    for (let i = 0; i < SIZE; i++) {
      if (this.bits[i] !== true) continue;
      const start = i;
      while (this.bits[i] === true) i++;
      runs.push([start, i]);
    }
    return runs;
  }
}

describe('intervals', () => {
  it('are a set of bytes: sorted, merged, and right about every range', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), fc.array(range, { maxLength: 30 }), (added, asked) => {
        const set = new Intervals();
        const bitmap = new Bitmap();
        for (const [i, [start, end]] of added.entries()) {
          set.add(start, end);
          bitmap.add(start, end);
          const [from, to] = asked[i] ?? [0, SIZE];
          expect(set.firstMissing(from, to)).toBe(bitmap.firstMissing(from, to));
          expect(set.contains(from, to)).toBe(bitmap.firstMissing(from, to) === undefined);
          expect([...set]).toEqual(bitmap.runs());
        }
        expect(set.size).toBe(bitmap.runs().length);
      }),
    );
  });

  it('are empty after clear, whatever was searched before', () => {
    const set = new Intervals();
    for (let i = 0; i < 10; i++) set.add(4 * i, 4 * i + 2);
    expect(set.contains(36, 38)).toBe(true);
    set.clear();
    expect(set.size).toBe(0);
    expect(set.firstMissing(36, 38)).toBe(36);
    set.add(8, 12);
    expect([...set]).toEqual([[8, 12]]);
  });

  it('hold an append pattern as one interval', () => {
    const set = new Intervals();
    for (let i = 0; i < 100000; i++) set.add(4 * i, 4 * i + 4);
    expect([...set]).toEqual([[0, 400000]]);
  });

  it('contain the empty range anywhere', () => {
    const set = new Intervals();
    expect(set.contains(5, 5)).toBe(true);
    set.add(5, 5);
    expect(set.size).toBe(0);
  });
});
