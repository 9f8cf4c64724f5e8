/**
 * The IDX format of MNIST and its relatives: big-endian, `00 00 type rank`, rank dimensions of 32 bits, then the elements row-major.
 * Only unsigned bytes (type 08) are read, which is what those data sets hold.
 */
import { DataError } from './errors.ts';
import { gunzip, isGzip } from './gzip.ts';

export interface IdxArray {
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

const MAX_RANK = 4;
const HEADER_BYTES = 4;

const OTHER_TYPES: Readonly<Record<number, string>> = { 9: 'i8', 11: 'i16', 12: 'i32', 13: 'f32', 14: 'f64' };

/** The array in the bytes of an IDX file, gzipped or not. `place` names the file in messages. Throws a `DataError`. */
export function parseIdx(file: Uint8Array, place: string): IdxArray {
  const bytes = isGzip(file) ? gunzip(file, place) : file;
  const [zero, alsoZero, type = 0, rank = 0] = bytes;
  if (bytes.length < HEADER_BYTES || zero !== 0 || alsoZero !== 0)
    throw new DataError('data/format', place, 'is not an IDX file: it does not start with two zero bytes');
  if (type !== 8) {
    const name = OTHER_TYPES[type] ?? `type ${type}`;
    throw new DataError('data/format', place, `holds elements of ${name}; only IDX files of unsigned bytes are read`);
  }
  if (rank < 1 || rank > MAX_RANK) throw new DataError('data/format', place, `has ${rank} dimensions; 1 to ${MAX_RANK} are read`);
  const start = HEADER_BYTES + 4 * rank;
  if (bytes.length < start) throw new DataError('data/truncated', place, 'ends inside its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, start);
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(HEADER_BYTES + 4 * i, false));
  const count = dims.reduce((product, dimension) => product * dimension, 1);
  const held = bytes.length - start;
  if (held !== count) {
    const message = `holds ${held} elements, its header says ${dims.join(' × ')} = ${count}`;
    throw new DataError(held < count ? 'data/truncated' : 'data/format', place, message);
  }
  return { dims, data: bytes.subarray(start) };
}
