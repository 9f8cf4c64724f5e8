/**
 * NumPy's `.npy` files, versions 1 to 3 read and 1 written: one array, C order, little-endian.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { DataError } from './errors.ts';

/** NumPy's type codes without the byte order, and how the elements are kept. */
const TYPES = {
  f4: { bytes: 4, array: Float32Array },
  i8: { bytes: 8, array: BigInt64Array },
  i4: { bytes: 4, array: Int32Array },
  i2: { bytes: 2, array: Int16Array },
  i1: { bytes: 1, array: Int8Array },
  u1: { bytes: 1, array: Uint8Array },
  b1: { bytes: 1, array: Uint8Array },
} as const;

export type NpyType = keyof typeof TYPES;
export type NpyData = Float32Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

export interface NpyArray {
  readonly type: NpyType;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  readonly data: NpyData;
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
const MAX_HEADER_BYTES = 2 ** 16;
const MAX_RANK = 32;
const ALIGNMENT = 64;

/** Element types under NumPy's names, for messages. */
const NAMES: Readonly<Record<string, string>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i8: 'int64',
  i4: 'int32',
  i2: 'int16',
  i1: 'int8',
  u8: 'uint64',
  u4: 'uint32',
  u2: 'uint16',
  u1: 'uint8',
  b1: 'bool',
};

/** NumPy's name of an element type code, `float32` for `f4`. */
export function npyTypeName(type: string): string {
  return NAMES[type] ?? type;
}

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly start: number;
}

/** The array in the bytes of a `.npy` file. `place` names the file in messages. Throws a `DataError`. */
export function parseNpy(bytes: Uint8Array, place: string): NpyArray {
  const { descr, fortran, shape, start } = readHeader(bytes, place);
  const order = descr.charAt(0);
  const code = descr.slice(1);
  if (!isNpyType(code)) {
    const hint = `convert it: array.astype('float32')`;
    throw new DataError('data/format', place, `holds elements of ${npyTypeName(code)}, which are not read`, hint);
  }
  const { bytes: size, array } = TYPES[code];
  if (order !== '<' && (size > 1 || order === '='))
    throw new DataError(
      'data/format',
      place,
      `is not little-endian: its type is '${descr}'`,
      "convert it: array.astype(array.dtype.newbyteorder('<'))",
    );
  if (fortran && shape.filter((dimension) => dimension !== 1).length > 1)
    throw new DataError('data/format', place, 'is in Fortran order', 'convert it: numpy.ascontiguousarray(array)');
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const held = bytes.length - start;
  if (count * size !== held) {
    const message = `holds ${held} bytes of elements, its header asks for ${count * size}`;
    throw new DataError(held < count * size ? 'data/truncated' : 'data/format', place, message);
  }
  // Not `bytes.slice`, which is no copy where the bytes are a Buffer of Node.
  const copy = Uint8Array.from(bytes.subarray(start));
  return { type: code, shape, data: new array(copy.buffer) };
}

function isNpyType(code: string): code is NpyType {
  return Object.hasOwn(TYPES, code);
}

function readHeader(bytes: Uint8Array, place: string): Header {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new DataError('data/format', place, 'is not a .npy file', 'write it with numpy.save');
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) throw new DataError('data/format', place, `is a .npy file of version ${version}; 1 to 3 are read`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthBytes = version === 1 ? 2 : 4;
  if (bytes.length < 8 + lengthBytes) throw new DataError('data/truncated', place, 'ends inside its header');
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = 8 + lengthBytes + length;
  if (length > MAX_HEADER_BYTES) throw new DataError('data/too-large', place, `has a header of ${length} bytes`);
  if (start > bytes.length) throw new DataError('data/truncated', place, 'ends inside its header');
  const text = new TextDecoder().decode(bytes.subarray(8 + lengthBytes, start));
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = parseShape(/'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1]);
  if (descr === undefined || fortran === undefined || !shape)
    throw new DataError('data/format', place, 'has a header that cannot be read; structured arrays are not supported');
  return { descr, fortran: fortran === 'True', shape, start };
}

function parseShape(text: string | undefined): readonly number[] | undefined {
  if (text === undefined || !/^[\d\s,L]*$/.test(text)) return undefined;
  const shape = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number);
  return shape.length <= MAX_RANK && shape.every(Number.isSafeInteger) ? shape : undefined;
}

/** The bytes of a `.npy` file of version 1, as `numpy.save` writes it. */
export function encodeNpy({ type, shape, data }: NpyArray): Uint8Array {
  const order = TYPES[type].bytes === 1 ? '|' : '<';
  const dims = shape.length === 1 ? `${String(shape[0])},` : shape.join(', ');
  const dictionary = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': (${dims}), }`;
  const padded = Math.ceil((10 + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(padded + data.byteLength);
  file.set(MAGIC);
  file[6] = 1;
  new DataView(file.buffer).setUint16(8, padded - 10, true);
  file.set(new TextEncoder().encode(`${dictionary.padEnd(padded - 11)}\n`), 10);
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), padded);
  return file;
}
