import { describe, expect, test } from 'vitest';
import { decodeTensor } from '../../compiler/frontend/model.ts';
import type { TensorContext } from '../../compiler/frontend/tensor.ts';
import { toTensor } from '../../compiler/frontend/tensor.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { printType } from '../../compiler/ir/types.ts';
import { diagnosticOf } from '../support/frontend.ts';
import type { TensorSpec } from '../support/onnx-builder.ts';
import { tensorBytes } from '../support/onnx-builder.ts';

const read = (spec: TensorSpec, context: Partial<TensorContext> = {}): Tensor =>
  toTensor(decodeTensor(tensorBytes(spec)), { place: ['t'], ...context });

/** Element types that both raw_data and a typed field can hold: TensorProto.DataType, the elements, the type they become. */
const STORED: readonly [dataType: number, data: TensorSpec['data'], element: string][] = [
  [1, Float32Array.of(1.5, -0, Infinity), 'f32'],
  [2, Uint8Array.of(0, 200, 255), 'u8'],
  [3, Int8Array.of(-128, 0, 127), 'i8'],
  [5, Int16Array.of(-32768, 1, 32767), 'i16'],
  [6, Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1), 'i32'],
  [7, BigInt64Array.of(-5n, 0n, 2n ** 53n), 'i64'],
  [9, Uint8Array.of(0, 1, 1), 'i1'],
  [10, Uint16Array.of(0x3c00, 0x8000, 0x7e01), 'f16'],
  [16, Uint16Array.of(0x3f80, 0xffff, 0), 'bf16'],
  [17, Uint8Array.of(0x38, 0xff, 0), 'f8e4m3'],
  [19, Uint8Array.of(0x3c, 0x7f, 0x80), 'f8e5m2'],
];

describe('element types', () => {
  test.each(STORED)('data type %i, raw and typed', (dataType, data, element) => {
    for (const storage of ['raw', 'typed'] as const) {
      const tensor = read({ dims: [3], data, dataType, storage });
      expect(printType(tensor.type)).toBe(`${element}[3]`);
      expect([...tensor.data].map(String)).toEqual([...data].map(String));
    }
  });

  test('64-bit integers keep all bits', () => {
    const tensor = read({ dims: [2], data: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)) });
    expect([...tensor.data]).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  });

  test('4-bit integers stand two to a byte, the first in the low half', () => {
    const data = Uint8Array.of(0x8f, 0x07);
    for (const storage of ['raw', 'typed'] as const) {
      expect([...read({ dims: [3], data, dataType: 22, storage }).data]).toEqual([-1, -8, 7]);
      expect([...read({ dims: [3], data, dataType: 21, storage }).data]).toEqual([15, 8, 7]);
    }
  });

  test('any nonzero byte is true', () => {
    expect([...read({ dims: [3], data: Uint8Array.of(0, 2, 255), dataType: 9 }).data]).toEqual([0, 1, 1]);
  });

  test.each([
    [4, 'uint16'],
    [8, 'string'],
    [11, 'double'],
    [12, 'uint32'],
    [13, 'uint64'],
    [14, 'complex64'],
    [18, 'float8e4m3fnuz'],
    [0, 'number 0'],
    [99, 'number 99'],
  ])('data type %i is refused as %s', (dataType, name) => {
    expect(diagnosticOf(() => read({ dims: [1], data: Uint8Array.of(0), dataType }))).toBe(
      `unsupported onnx/unsupported-type: t: element type ${name} is not supported`,
    );
  });
});

describe('shapes', () => {
  test('a scalar and an empty tensor', () => {
    expect(read({ dims: [], data: Float32Array.of(2) }).data).toEqual(Float32Array.of(2));
    expect(read({ dims: [0, 5], data: new Float32Array(0) }).data).toHaveLength(0);
  });

  test.each([
    [{ dims: [2], data: Float32Array.of(1) }, 't: shape [2] needs 8 bytes of data, not 4'],
    [
      { dims: [2 ** 40, 2 ** 40], data: Float32Array.of(1) },
      't: shape [1099511627776,1099511627776] needs 4.835703278458517e+24 bytes of data, not 4',
    ],
    [{ dims: [-1], data: Float32Array.of(1) }, 't: [-1] is no shape'],
    [{ dims: new Array<number>(17).fill(1), data: Float32Array.of(1) }, 't: a tensor has at most 16 dimensions, not 17'],
    [
      { dims: [2 ** 31], data: BigInt64Array.of(1n), storage: 'typed' },
      't: shape [2147483648] needs at least 2147483648 bytes of data, not 1',
    ],
    [{ dims: [2], data: BigInt64Array.of(300n), storage: 'typed' }, 't: 1 elements instead of 2'],
    [{ dims: [1], data: BigInt64Array.of(3n, 4n), storage: 'typed' }, 't: more than 1 elements'],
    [{ dims: [1], data: Int32Array.of(300), dataType: 2, storage: 'typed' }, 't: 300 does not fit the element type u8'],
    [{ dims: [1], data: Int32Array.of(1), dataType: 1, storage: 'typed' }, 't: the elements are integers, but the element type is f32'],
  ] satisfies [TensorSpec, string][])('%#: data that does not fit', (spec, message) => {
    expect(diagnosticOf(() => read(spec))).toBe(`invalid onnx/bad-tensor: ${message}`);
  });
});

describe('external data', () => {
  const files: Readonly<Record<string, Uint8Array>> = { 'w.bin': new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) };
  const resolveExternal = (location: string): Uint8Array => files[location] ?? new Uint8Array(0);
  const external = (storage: TensorSpec['storage'] & object): Tensor =>
    read({ dims: [2], data: new Float32Array(0), storage }, { resolveExternal });

  test('at an offset, with or without a length', () => {
    expect([...external({ location: 'w.bin', offset: 4, length: 8 }).data]).toEqual([2, 3]);
    expect([...external({ location: 'w.bin' }).data]).toEqual([1, 2]);
  });

  test.each(['../w.bin', 'a/../../w.bin', 'a\\..\\w.bin', '/etc/passwd', '\\\\host\\w.bin', 'C:\\w.bin', 'C:w.bin', '', 'w\0.bin'])(
    'location %j leads out of the folder',
    (location) => {
      expect(diagnosticOf(() => external({ location }))).toBe(
        `invalid onnx/external-data: t: external data in '${location}', which is no relative path inside the model's folder`,
      );
    },
  );

  test.each([
    [{ location: 'w.bin', offset: 12 }, "t: external data at byte 12 of 'w.bin' takes 8 bytes, the file has 16"],
    [{ location: 'w.bin', offset: -1 }, "t: external data at byte -1 of 'w.bin' takes 8 bytes, the file has 16"],
    [{ location: 'w.bin', length: 99 }, "t: external data at byte 0 of 'w.bin' takes 99 bytes, the file has 16"],
    [{ location: 'none.bin' }, "t: external data at byte 0 of 'none.bin' takes 8 bytes, the file has 0"],
  ])('%#: outside the file', (storage, message) => {
    expect(diagnosticOf(() => external(storage))).toBe(`invalid onnx/external-data: ${message}`);
  });

  test('a length that is not the shape’s', () => {
    expect(diagnosticOf(() => external({ location: 'w.bin', length: 4 }))).toBe(
      'invalid onnx/bad-tensor: t: shape [2] needs 8 bytes of data, not 4',
    );
  });

  test('nothing to read it with', () => {
    expect(diagnosticOf(() => read({ dims: [2], data: new Float32Array(0), storage: { location: 'w.bin' } }))).toBe(
      "invalid onnx/external-data: t: external data in 'w.bin', and no way to read it was given (pass resolveExternal)",
    );
  });
});
