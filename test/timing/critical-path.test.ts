import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PathEvent } from '../../runtime/machine/critical-path.ts';
import { CriticalPath, Latest, NEVER, ORIGIN } from '../../runtime/machine/critical-path.ts';

const LABELS = 4;

/** The shares of a path without the zeros at the end. */
function shares(path: CriticalPath, event: PathEvent): number[] {
  const dense = [...path.sharesOf(event)];
  while (dense.at(-1) === 0) dense.pop();
  return dense;
}

describe('CriticalPath', () => {
  it('adds up what each label is charged along a path', () => {
    const path = new CriticalPath();
    const a = path.after(ORIGIN, 0, 3);
    const b = path.after(a, 2, 5);
    const c = path.after(a, 1, 4);
    const d = path.after(b, 0, 1);
    expect([a, b, c, d].map((event) => path.timeOf(event))).toEqual([3, 8, 7, 9]);
    expect(path.sharesOf(d)).toEqual([4, 0, 5]);
    expect(path.sharesOf(c)).toEqual([3, 4]);
    expect(path.after(d, 3, 0)).toBe(d);
    expect(path.timeOf(NEVER)).toBe(-Infinity);
  });

  it('keeps times and shares of held events over any number of collections', () => {
    // Each slot holds one event; its delays by label are kept beside it.
    const move = fc.record({
      from: fc.nat({ max: 7 }),
      to: fc.nat({ max: 7 }),
      label: fc.nat({ max: LABELS - 1 }),
      cycles: fc.nat({ max: 5 }),
      collect: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 200 }), (moves) => {
        const path = new CriticalPath(4);
        const slots = new Int32Array(8).fill(ORIGIN);
        const delays = Array.from({ length: 8 }, () => new Array<number>(LABELS).fill(0));
        for (const { from, to, label, cycles, collect } of moves) {
          if (collect || !path.room(1)) path.collect([slots.subarray(0, 4), slots.subarray(4)]);
          slots[to] = path.after(slots[from] ?? NEVER, label, cycles);
          delays[to] = [...(delays[from] ?? [])];
          delays[to][label] = (delays[to][label] ?? 0) + cycles;
        }
        delays.forEach((expected, slot) => {
          const event = slots[slot] ?? NEVER;
          expect(path.timeOf(event)).toBe(expected.reduce((a, b) => a + b, 0));
          while (expected.at(-1) === 0) expected.pop();
          expect(shares(path, event)).toEqual(expected);
        });
      }),
    );
  });

  it('stays small while two paths run side by side for long', () => {
    const path = new CriticalPath(64);
    const held = Int32Array.of(path.after(ORIGIN, 3, 1e9), ORIGIN, NEVER);
    for (let i = 0; i < 100_000; i++) {
      if (!path.room(1)) path.collect([held]);
      held[1] = path.after(held[1] ?? NEVER, i % 3, 1);
    }
    expect(path.capacity).toBe(64);
    expect(path.sharesOf(held[0] ?? NEVER)).toEqual([0, 0, 0, 1e9]);
    expect(path.sharesOf(held[1] ?? NEVER)).toEqual([33_334, 33_333, 33_333]);
    expect(held[2]).toBe(NEVER);
  });

  it('grows when that many events are held', () => {
    const path = new CriticalPath(4);
    const held = new Int32Array(1000).fill(ORIGIN);
    for (let i = 0; i < held.length; i++) {
      if (!path.room(1)) path.collect([held]);
      held[i] = path.after(ORIGIN, i, i + 1);
    }
    expect([...held].map((event) => path.timeOf(event))).toEqual(held.reduce<number[]>((times, _, i) => [...times, i + 1], []));
  });
});

describe('Latest', () => {
  it('takes the latest, and the first of equals', () => {
    const path = new CriticalPath();
    const latest = new Latest(path);
    const three = path.after(ORIGIN, 0, 3);
    const five = path.after(ORIGIN, 1, 5);
    latest.begin(three, 2, 7);
    latest.offer(five, 0, 8);
    latest.offer(NEVER, 100, 9);
    expect([latest.time, latest.tag]).toEqual([5, 7]);
    expect(path.sharesOf(latest.take(10))).toEqual([3, ...new Array<number>(16).fill(0), 2]);
    latest.offer(five, 1, 8);
    expect([latest.time, latest.tag]).toEqual([6, 8]);
    latest.begin(NEVER, 1, 0);
    expect(latest.take(0)).not.toBe(ORIGIN);
    expect(path.timeOf(latest.take(0))).toBe(-Infinity);
  });
});
