import type { ElementType } from '../../runtime/numerics/element.ts';
import { isFixed, isQuantized } from '../../runtime/numerics/element.ts';
import type { TensorType } from './types.ts';
import { elementCount } from './types.ts';

/** Storage of a tensor's elements, row-major; 16- and 8-bit floats are kept as their bits. */
export type TensorData = Float32Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint16Array | Uint8Array;

/** A tensor value. */
export interface Tensor {
  readonly type: TensorType;
  readonly data: TensorData;
}

/** A zero-filled store for `count` elements of a type. */
export function allocate(element: ElementType, count: number): TensorData {
  if (isFixed(element)) return new Int16Array(count);
  if (isQuantized(element)) return new Int8Array(count);
  switch (element) {
    case 'f32':
      return new Float32Array(count);
    case 'f16':
    case 'bf16':
      return new Uint16Array(count);
    case 'i64':
      return new BigInt64Array(count);
    case 'i32':
      return new Int32Array(count);
    case 'i16':
      return new Int16Array(count);
    case 'i8':
    case 'i4':
      return new Int8Array(count);
    case 'u8':
    case 'u4':
    case 'i1':
    case 'f8e4m3':
    case 'f8e5m2':
      return new Uint8Array(count);
  }
}

export function tensor(type: TensorType, data: TensorData): Tensor {
  if (data.length !== elementCount(type.shape))
    throw new RangeError(`${data.length} elements do not fill a shape of [${type.shape.join(',')}]`);
  return { type, data };
}

export function zeros(type: TensorType): Tensor {
  return { type, data: allocate(type.element, elementCount(type.shape)) };
}

/** A float tensor's data; throws when the tensor has another element type. */
export function floats(value: Tensor): Float32Array {
  if (!(value.data instanceof Float32Array)) throw new TypeError(`expected f32, got ${value.type.element}`);
  return value.data;
}

/** The data as bytes, little-endian as stored. */
export function dataBytes(value: Tensor): Uint8Array {
  return new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength);
}
