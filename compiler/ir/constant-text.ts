/** Elements of constants as text: exact, the shortest there is. */
import type { ElementType } from '../../runtime/numerics/element.ts';
import { elementBits, isFixed, isQuantized } from '../../runtime/numerics/element.ts';
import { CANONICAL_NAN_BITS } from '../../runtime/numerics/float.ts';
import { parseFloat32, printFloat32 } from './float-text.ts';
import type { Tensor, TensorData } from './tensor.ts';

/** Constants with more elements are printed by the hash of their bytes. */
export const MAX_INLINE_ELEMENTS = 16;

/** How an element type's numbers are written. */
type Notation =
  | { readonly kind: 'float32' }
  | { readonly kind: 'bits'; readonly digits: number }
  | { readonly kind: 'integer'; readonly low: bigint; readonly high: bigint };

function notation(element: ElementType): Notation {
  if (isFixed(element) || isQuantized(element)) return integers(elementBits(element), true);
  switch (element) {
    case 'f32':
      return { kind: 'float32' };
    case 'f16':
    case 'bf16':
    case 'f8e4m3':
    case 'f8e5m2':
      return { kind: 'bits', digits: elementBits(element) / 4 };
    case 'i64':
    case 'i32':
    case 'i16':
    case 'i8':
    case 'i4':
      return integers(elementBits(element), true);
    case 'u8':
    case 'u4':
    case 'i1':
      return integers(elementBits(element), false);
  }
}

function integers(bits: number, signed: boolean): Notation {
  const values = 1n << BigInt(bits);
  return signed ? { kind: 'integer', low: -values / 2n, high: values / 2n - 1n } : { kind: 'integer', low: 0n, high: values - 1n };
}

const hex = (bits: number, digits: number): string => `0x${bits.toString(16).padStart(digits, '0')}`;

/** The elements of a tensor, one text each. NaNs other than the canonical one are written as their bits. */
export function printElements({ type, data }: Tensor): string[] {
  const written = notation(type.element);
  if (data instanceof BigInt64Array) return Array.from(data, String);
  if (written.kind === 'bits') return Array.from(data, (bits) => hex(bits, written.digits));
  if (!(data instanceof Float32Array)) return Array.from(data, String);
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  return Array.from(data, (x, i) => (x !== x && bits[i] !== CANONICAL_NAN_BITS ? hex(bits[i] ?? 0, 8) : printFloat32(x)));
}

/** Stores the element that `text` spells; gives what is wrong with it, or undefined. */
export function storeElement(element: ElementType, data: TensorData, index: number, text: string): string | undefined {
  const written = notation(element);
  if (written.kind === 'integer') {
    if (!/^-?\d{1,20}$/.test(text)) return `${text} is no integer`;
    const value = BigInt(text);
    if (value < written.low || value > written.high) return `${text} is out of the range of ${element}`;
    if (data instanceof BigInt64Array) data[index] = value;
    else data[index] = Number(value);
    return undefined;
  }
  const digits = written.kind === 'bits' ? written.digits : 8;
  if (/^0x[0-9a-f]+$/.test(text) && text.length === digits + 2) {
    if (data instanceof Float32Array) new Uint32Array(data.buffer, data.byteOffset, data.length)[index] = Number(text);
    else if (!(data instanceof BigInt64Array)) data[index] = Number(text);
    return undefined;
  }
  if (written.kind === 'bits' || !(data instanceof Float32Array)) return `${text} is not ${digits} hexadecimal digits of an ${element}`;
  const value = parseFloat32(text);
  if (value === undefined) return `${text} is no number`;
  data[index] = value;
  return undefined;
}

/** Whether all elements lie in their type's range, which storage wider than the type does not ensure. */
export function elementsInRange({ type, data }: Tensor): boolean {
  const written = notation(type.element);
  if (written.kind !== 'integer' || data instanceof BigInt64Array) return true;
  return data.every((value: number) => value >= Number(written.low) && value <= Number(written.high));
}
