import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeConstants, encodeConstants } from '../../compiler/ir/constants-file.ts';
import { contentHash } from '../../compiler/ir/content-hash.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';

const blobs = fc.uniqueArray(fc.uint8Array({ maxLength: 40 }), { maxLength: 5, selector: contentHash });
const named = (contents: readonly Uint8Array[]): Map<string, Uint8Array> => new Map(contents.map((bytes) => [contentHash(bytes), bytes]));

function refusalCode(file: Uint8Array): string | undefined {
  try {
    decodeConstants(file, 'a.pir.data');
    return undefined;
  } catch (error) {
    if (error instanceof DiagnosticError && error.diagnostics[0]?.place?.[0] === 'a.pir.data') return error.diagnostics[0].code;
    throw error;
  }
}

describe('constants file', () => {
  test('holds what was put in, in one order', () => {
    fc.assert(
      fc.property(blobs, (contents) => {
        const file = encodeConstants(named(contents));
        expect(encodeConstants(named([...contents].reverse()))).toEqual(file);
        const decoded = decodeConstants(file, 'a.pir.data');
        expect([...decoded.keys()]).toEqual([...named(contents).keys()].sort());
        for (const [hash, bytes] of named(contents)) expect(decoded.get(hash)).toEqual(bytes);
      }),
    );
  });

  test('any changed bit and any missing byte is noticed', () => {
    const file = encodeConstants(named([Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of()]));
    expect(refusalCode(file)).toBeUndefined();
    for (let i = 0; i < file.length; i++)
      for (let bit = 0; bit < 8; bit++) {
        const damaged = file.slice();
        damaged[i] = (damaged[i] ?? 0) ^ (1 << bit);
        expect(refusalCode(damaged), `byte ${i} bit ${bit}`).toMatch(/^constants\//);
      }
    for (let length = 0; length < file.length; length++)
      expect(refusalCode(file.slice(0, length)), `${length} bytes`).toMatch(/^constants\//);
  });

  test('says what is wrong', () => {
    const file = encodeConstants(named([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]));
    const changed = (at: number, ...bytes: number[]): Uint8Array => {
      const copy = file.slice();
      copy.set(bytes, at);
      return copy;
    };
    expect(refusalCode(changed(0, 0))).toBe('constants/magic');
    expect(refusalCode(changed(8, 2))).toBe('constants/version');
    expect(refusalCode(changed(12, 255, 255, 255, 255))).toBe('constants/truncated');
    expect(refusalCode(changed(16 + 32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))).toBe('constants/truncated');
    expect(refusalCode(changed(file.length - 1, 99))).toBe('constants/hash');
    expect(refusalCode(Uint8Array.of(...file, 0))).toBe('constants/trailing');
    const twice = changed(16 + 40, ...file.subarray(16, 16 + 32));
    expect(refusalCode(twice)).toBe('constants/order');
  });

  test('a file that does not start at the beginning of its buffer', () => {
    const file = encodeConstants(named([Uint8Array.of(7, 8)]));
    const shifted = new Uint8Array(file.length + 3).subarray(3);
    shifted.set(file);
    expect([...decodeConstants(shifted, 'a').values()]).toEqual([Uint8Array.of(7, 8)]);
  });
});
