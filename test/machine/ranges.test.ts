import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { recordOf } from '../../isa/table.ts';
import { Intervals } from '../../runtime/machine/intervals.ts';
import { addAccess, coincide, firstMissing, partlyOverlapsItself, rowsMeet } from '../../runtime/machine/ranges.ts';

const [template] = recordOf('VSTORE3').accesses;
if (template === undefined) throw new Error('VSTORE3 accesses memory');

/** An access somewhere in the low hundreds of addresses. */
const access = (mostPlanes: number): fc.Arbitrary<ResolvedAccess> =>
  fc
    .record({
      start: fc.integer({ min: 200, max: 300 }),
      rowBytes: fc.integer({ min: 1, max: 12 }),
      rows: fc.integer({ min: 1, max: 5 }),
      stride: fc.integer({ min: -20, max: 20 }),
      planes: fc.integer({ min: 1, max: mostPlanes }),
      planeStride: fc.integer({ min: -20, max: 20 }),
    })
    .map(({ start, rowBytes, rows, stride, planes, planeStride }) => {
      const strideBytes = rows > 1 ? stride : 0;
      const planeStrideBytes = planes > 1 ? planeStride : 0;
      const lastRow = (rows - 1) * strideBytes;
      const lastPlane = (planes - 1) * planeStrideBytes;
      const low = start + Math.min(0, lastRow) + Math.min(0, lastPlane);
      const end = start + Math.max(0, lastRow) + Math.max(0, lastPlane) + rowBytes;
      return {
        access: template,
        space: 'dram',
        mode: 'write',
        start,
        elementBytes: 1,
        rowBytes,
        rows,
        strideBytes,
        planes,
        planeStrideBytes,
        low,
        end,
      };
    });

/** The first byte of each row. */
function starts({ start, rows, strideBytes, planes, planeStrideBytes }: ResolvedAccess): number[] {
  return Array.from({ length: planes }, (_, p) =>
    Array.from({ length: rows }, (_, r) => start + p * planeStrideBytes + r * strideBytes),
  ).flat();
}

function bytesOf(one: ResolvedAccess): Set<number> {
  return new Set(starts(one).flatMap((start) => Array.from({ length: one.rowBytes }, (_, i) => start + i)));
}

describe('rows', () => {
  it('meet exactly where they share a byte', () => {
    fc.assert(
      fc.property(access(1), access(1), (a, b) => {
        const bytes = bytesOf(a);
        const shared = [...bytesOf(b)].some((byte) => bytes.has(byte));
        expect(rowsMeet(a, b)).toBe(shared);
        expect(rowsMeet(b, a)).toBe(shared);
      }),
      { numRuns: 5000 },
    );
  });

  it('of one access overlap partly exactly where two starts are nearer than a row and differ', () => {
    fc.assert(
      fc.property(access(4), (one) => {
        const all = starts(one);
        const partly = all.some((a) => all.some((b) => a !== b && Math.abs(a - b) < one.rowBytes));
        expect(partlyOverlapsItself(one)).toBe(partly);
      }),
      { numRuns: 5000 },
    );
  });

  it('coincide with themselves, not with others', () => {
    fc.assert(
      fc.property(access(1), access(1), (a, b) => {
        expect(coincide(a, { ...a })).toBe(true);
        if (coincide(a, b)) expect(starts(a)).toEqual(starts(b));
      }),
    );
  });
});

describe('bytes of an access', () => {
  it('are added to a set, and only they', () => {
    fc.assert(
      fc.property(access(4), (one) => {
        const set = new Intervals();
        addAccess(set, one);
        const bytes = bytesOf(one);
        for (let byte = 0; byte < 600; byte++) expect(set.contains(byte, byte + 1)).toBe(bytes.has(byte));
        expect(firstMissing(set, one)).toBeUndefined();
      }),
    );
  });

  it('are missing in the order of rows', () => {
    fc.assert(
      fc.property(access(4), access(4), (added, asked) => {
        const set = new Intervals();
        addAccess(set, added);
        const bytes = bytesOf(added);
        const wanted = starts(asked).flatMap((start) => Array.from({ length: asked.rowBytes }, (_, i) => start + i));
        expect(firstMissing(set, asked)).toBe(wanted.find((byte) => !bytes.has(byte)));
      }),
    );
  });
});
