/** Data files: IDX, gzip, NPY. They come from anywhere, so what is wrong with one is said before anything is allocated for it. */
import fc from 'fast-check';
import { gzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../runtime/data/errors.ts';
import { DEFAULT_MEMORY_BUDGET_BYTES, setMemoryBudget } from '../../runtime/budget.ts';
import { crc32, gunzip } from '../../runtime/data/gzip.ts';
import { parseIdx } from '../../runtime/data/idx.ts';
import type { NpyArray } from '../../runtime/data/npy.ts';
import { encodeNpy, parseNpy } from '../../runtime/data/npy.ts';
import { idx } from '../support/idx.ts';

/** `code: message` of the error that names the file `f`. */
function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return `${error.code}: ${error.place} ${error.message}`;
  }
  return 'no error';
}

describe('IDX', () => {
  it('is read, gzipped or not', () => {
    const file = idx([2, 1, 3], [1, 2, 3, 4, 5, 6]);
    for (const bytes of [file, gzipSync(file)])
      expect(parseIdx(bytes, 'f')).toEqual({ dims: [2, 1, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  });

  it.each([
    ['nothing', Uint8Array.of(), 'data/format: f is not an IDX file: it does not start with two zero bytes'],
    ['another magic', Uint8Array.of(1, 0, 8, 1, 0, 0, 0, 0), 'data/format: f is not an IDX file: it does not start with two zero bytes'],
    ['floats', idx([1], [1, 2, 3, 4], 13), 'data/format: f holds elements of f32; only IDX files of unsigned bytes are read'],
    ['too many dimensions', idx([1, 1, 1, 1, 1], [1]), 'data/format: f has 5 dimensions; 1 to 4 are read'],
    ['half a header', Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1), 'data/truncated: f ends inside its header'],
    ['too few elements', idx([2, 2], [1, 2, 3]), 'data/truncated: f holds 3 elements, its header says 2 × 2 = 4'],
    ['too many elements', idx([2, 2], [1, 2, 3, 4, 5]), 'data/format: f holds 5 elements, its header says 2 × 2 = 4'],
    ['a hostile size', idx([2 ** 31, 2 ** 31, 4], []), 'data/truncated: f holds 0 elements'],
  ])('with %s is refused', (_, file, message) => {
    expect(complaint(() => parseIdx(file, 'f'))).toContain(message);
  });
});

describe('gzip', () => {
  const content = new TextEncoder().encode('plumbline '.repeat(100));
  const file = gzipSync(content);

  it('knows the checksum of "123456789"', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });

  it('is unpacked', () => {
    expect(gunzip(file, 'f')).toEqual(content);
  });

  it('does not grow beyond its limit', () => {
    setMemoryBudget(999);
    try {
      expect(complaint(() => gunzip(file, 'f'))).toBe(
        'data/too-large: f decompressed takes 1000 bytes, more than the memory budget of 999 bytes',
      );
    } finally {
      setMemoryBudget(DEFAULT_MEMORY_BUDGET_BYTES);
    }
  });

  it('is refused whatever byte of it is damaged, or says what it said', () => {
    for (let at = 2; at < file.length; at++) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      let result: Uint8Array | undefined;
      // Damage to the name or the time in the header changes nothing.
      expect(() => {
        try {
          result = gunzip(damaged, 'f');
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
        }
      }).not.toThrow();
      if (result) expect(result).toEqual(content);
    }
  });

  it('cut short is refused', () => {
    for (const length of [0, 1, 17, file.length - 1]) expect(complaint(() => gunzip(file.slice(0, length), 'f'))).toMatch(/^data\//);
  });
});

describe('NPY', () => {
  const header = (text: string, version = 1): Uint8Array => {
    const body = new TextEncoder().encode(text);
    const length = version === 1 ? [body.length & 255, body.length >> 8] : [body.length & 255, body.length >> 8, 0, 0];
    return Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...length, ...body);
  };
  const described = (descr: string, shape: string, fortran = 'False', version = 1): Uint8Array =>
    header(`{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`, version);

  it('comes back as it was written', () => {
    const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(shape, fc.constantFrom('f4', 'i4', 'i8', 'u1'), (dims, type) => {
        const count = dims.reduce((product, d) => product * d, 1);
        const data = {
          f4: () => Float32Array.from({ length: count }, (_, i) => i / 3),
          i4: () => Int32Array.from({ length: count }, (_, i) => -i),
          i8: () => BigInt64Array.from({ length: count }, (_, i) => BigInt(i) << 40n),
          u1: () => Uint8Array.from({ length: count }, (_, i) => i),
        }[type]();
        const array: NpyArray = { type, shape: dims, data };
        const bytes = encodeNpy(array);
        expect(bytes.length % 64).toBe(data.byteLength % 64);
        expect(parseNpy(bytes, 'f')).toEqual(array);
      }),
    );
  });

  it('is read from a Buffer that shares its memory with others', () => {
    const bytes = encodeNpy({ type: 'f4', shape: [2], data: Float32Array.of(1.5, -2) });
    const pool = Buffer.concat([Buffer.from('xyz'), bytes]);
    expect([...parseNpy(pool.subarray(3), 'f').data]).toEqual([1.5, -2]);
  });

  it.each([1, 2, 3])('of version %i is read', (version) => {
    const bytes = Uint8Array.of(...described('|u1', '(3,)', 'False', version), 7, 8, 9);
    expect(parseNpy(bytes, 'f')).toEqual({ type: 'u1', shape: [3], data: Uint8Array.of(7, 8, 9) });
  });

  it.each([
    ['nothing', Uint8Array.of(), 'data/format: f is not a .npy file'],
    ['another version', described('<f4', '(1,)', 'False', 9), 'data/format: f is a .npy file of version 9; 1 to 3 are read'],
    ['half a header', described('<f4', '(1,)').slice(0, 30), 'data/truncated: f ends inside its header'],
    ['Fortran order', Uint8Array.of(...described('<f4', '(2, 2)', 'True'), ...new Uint8Array(16)), 'data/format: f'],
    ['big-endian elements', Uint8Array.of(...described('>f4', '(1,)'), 0, 0, 0, 0), 'data/format: f'],
    ['float64', Uint8Array.of(...described('<f8', '(1,)'), ...new Uint8Array(8)), 'float64'],
    ['a structure', header(`{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n`), 'data/format: f'],
    ['too few elements', Uint8Array.of(...described('<f4', '(2,)'), 0, 0, 0, 0), 'data/truncated: f'],
    ['too many elements', Uint8Array.of(...described('|u1', '(2,)'), 0, 0, 0), 'data/'],
    ['a hostile shape', described('|u1', '(9007199254740991, 9007199254740991)'), 'data/'],
    ['a shape that is none', described('|u1', '(-1,)'), 'data/format: f'],
  ])('with %s is refused', (_, file, message) => {
    expect(complaint(() => parseNpy(file, 'f'))).toContain(message);
  });
});
