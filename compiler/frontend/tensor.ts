/** Tensors of a model file as tensors of the IR. */
import type { ElementType, ScalarName } from '../../runtime/numerics/element.ts';
import { isFixed, isQuantized } from '../../runtime/numerics/element.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Tensor, TensorData } from '../ir/tensor.ts';
import { allocate, tensor } from '../ir/tensor.ts';
import { elementCount, tensorType } from '../ir/types.ts';
import { MAX_RANK } from '../ir/verify.ts';
import type { OnnxTensor } from './model.ts';
import { decoding } from './model.ts';
import { VarintReader } from './protobuf.ts';

/** TensorProto.DataType: ONNX's name of each type and the element type that holds it, where one does. */
const DATA_TYPES: Readonly<Record<number, readonly [name: string, element?: ScalarName]>> = {
  1: ['float', 'f32'],
  2: ['uint8', 'u8'],
  3: ['int8', 'i8'],
  4: ['uint16'],
  5: ['int16', 'i16'],
  6: ['int32', 'i32'],
  7: ['int64', 'i64'],
  8: ['string'],
  9: ['bool', 'i1'],
  10: ['float16', 'f16'],
  11: ['double'],
  12: ['uint32'],
  13: ['uint64'],
  14: ['complex64'],
  15: ['complex128'],
  16: ['bfloat16', 'bf16'],
  17: ['float8e4m3fn', 'f8e4m3'],
  18: ['float8e4m3fnuz'],
  19: ['float8e5m2', 'f8e5m2'],
  20: ['float8e5m2fnuz'],
  21: ['uint4', 'u4'],
  22: ['int4', 'i4'],
  23: ['float4e2m1'],
  24: ['float8e8m0'],
  25: ['uint2'],
  26: ['int2'],
};

/** The element type that holds an ONNX data type; fails with `onnx/unsupported-type` for double, strings and others that have none. */
export function elementOf(dataType: number, place: readonly string[]): ScalarName {
  const [name, element] = DATA_TYPES[dataType] ?? [`number ${dataType}`];
  return element ?? fail('unsupported', 'onnx/unsupported-type', `element type ${name} is not supported`, { place });
}

/**
 * The ONNX data type whose stored elements are those of an element type: quantized integers are int8, whose scales stand beside them. Undefined for
 * fixed point, which ONNX does not have, and for 4-bit integers, which it packs.
 */
export function dataTypeOf(element: ElementType): number | undefined {
  if (isQuantized(element)) return dataTypeOf('i8');
  if (isFixed(element)) return dataTypeOf('i16');
  if (isHalfByte(element)) return undefined;
  return Number(Object.keys(DATA_TYPES).find((dataType) => DATA_TYPES[Number(dataType)]?.[1] === element));
}

/** The bytes of the file that a model keeps tensors in; called with a relative path that does not lead out of the model's folder. */
export type ExternalResolver = (location: string) => Uint8Array;

/** What a conversion needs to know besides the tensor. */
export interface TensorContext {
  /** Names the tensor in diagnostics. */
  readonly place: readonly string[];
  readonly resolveExternal?: ExternalResolver | undefined;
}

/** Converts a tensor; fails with `onnx/unsupported-type`, `onnx/bad-tensor` or `onnx/external-data`. */
export function toTensor(source: OnnxTensor, context: TensorContext): Tensor {
  const element = elementOf(source.dataType, context.place);
  if (source.dims.length > MAX_RANK) bad(context, `a tensor has at most ${MAX_RANK} dimensions, not ${source.dims.length}`);
  if (source.dims.some((d) => !Number.isSafeInteger(d) || d < 0)) bad(context, `[${source.dims.join(',')}] is no shape`);
  const type = tensorType(element, source.dims);
  const count = elementCount(type.shape);
  if (!isHalfByte(element)) return tensor(type, readData(source, { element, count }, context));
  const pairs = Math.ceil(count / 2);
  return tensor(type, unpack(readData(source, { element: 'u8', count: pairs }, context), element, count));
}

/** The elements as stored: pairs of 4-bit ones are bytes. */
interface Storage {
  readonly element: ScalarName;
  readonly count: number;
}

/** Bytes of elements in raw form; booleans take one each. */
function rawBytes({ element, count }: Storage): number {
  return count * allocate(element, 0).BYTES_PER_ELEMENT;
}

function bad({ place }: TensorContext, message: string): never {
  fail('invalid', 'onnx/bad-tensor', message, { place });
}

function readData({ data, dims }: OnnxTensor, storage: Storage, context: TensorContext): TensorData {
  const chunks = data.kind === 'external' ? [externalBytes(data.entries, storage, context)] : data.bytes;
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  // A shape is refused by the length of its data before anything of its size is allocated.
  if (data.kind === 'varints' ? length < storage.count : length !== rawBytes(storage)) {
    const needed = data.kind === 'varints' ? `at least ${storage.count}` : rawBytes(storage);
    bad(context, `shape [${dims.join(',')}] needs ${needed} bytes of data, not ${length}`);
  }
  const result = allocate(storage.element, storage.count);
  if (data.kind === 'varints') decoding(() => readVarints(chunks, result, storage, context));
  else copyBytes(chunks, result);
  if (storage.element === 'i1') for (let i = 0; i < result.length; i++) if (result[i] !== 0) result[i] = 1;
  return result;
}

/** Copies little-endian elements, which stand at any offset in the file; every platform that runs JavaScript is little-endian. */
function copyBytes(chunks: readonly Uint8Array[], target: TensorData): void {
  const bytes = new Uint8Array(target.buffer);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
}

function readVarints(chunks: readonly Uint8Array[], target: TensorData, { element, count }: Storage, context: TensorContext): void {
  if (element === 'f32') bad(context, 'the elements are integers, but the element type is f32');
  let at = 0;
  for (const chunk of chunks) {
    for (const varints = new VarintReader(chunk); !varints.done; at++) {
      if (at === count) bad(context, `more than ${count} elements`);
      if (target instanceof BigInt64Array) target[at] = varints.bigint();
      else {
        const value = varints.number();
        target[at] = value;
        if (target[at] !== value) bad(context, `${value} does not fit the element type ${element}`);
      }
    }
  }
  if (at !== count) bad(context, `${at} elements instead of ${count}`);
}

function isHalfByte(element: ScalarName): boolean {
  return element === 'i4' || element === 'u4';
}

/** One element per entry, from two per byte with the first in the low half. */
function unpack(bytes: TensorData, element: ScalarName, count: number): TensorData {
  const result = allocate(element, count);
  for (let i = 0; i < count; i++) {
    const half = (Number(bytes[i >> 1]) >> (4 * (i & 1))) & 15;
    result[i] = element === 'i4' && half > 7 ? half - 16 : half;
  }
  return result;
}

/** The bytes of a tensor that lies in another file. */
function externalBytes(entries: ReadonlyMap<string, string>, storage: Storage, context: TensorContext): Uint8Array {
  const { place, resolveExternal } = context;
  const location = entries.get('location') ?? '';
  const refuse = (message: string, hint?: string): never =>
    fail('invalid', 'onnx/external-data', message, { place, ...(hint && { hint }) });
  if (!isInside(location)) refuse(`external data in '${location}', which is no relative path inside the model's folder`);
  if (!resolveExternal) return refuse(`external data in '${location}', and no way to read it was given`, 'pass resolveExternal');
  const file = resolveExternal(location);
  const offset = decimal(entries.get('offset'), 0);
  const length = decimal(entries.get('length'), rawBytes(storage));
  if (offset + length > file.length || Number.isNaN(offset + length)) {
    refuse(`external data at byte ${entries.get('offset') ?? 0} of '${location}' takes ${length} bytes, the file has ${file.length}`);
  }
  return file.subarray(offset, offset + length);
}

function decimal(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}

/** Whether a path stays below the folder that it starts in, on any platform. */
function isInside(location: string): boolean {
  if (location === '' || /^[/\\]|^[A-Za-z]:|\0/.test(location)) return false;
  return !location.split(/[/\\]/).includes('..');
}
