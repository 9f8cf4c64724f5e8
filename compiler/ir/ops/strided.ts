/** Copies with strides: what transpose and broadcasting are made of. */
import type { Tensor, TensorData } from '../tensor.ts';
import { zeros } from '../tensor.ts';
import type { TensorType } from '../types.ts';
import { OpError } from '../op.ts';
import { rowMajorStrides } from './operands.ts';

type Words = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/**
 * Fills `target`, row-major of `shape`, with `source[first + Σ index·stride]`. Both must be plain bits where NaN payloads matter:
 * a float that passes through a JavaScript number may lose its payload.
 */
export function gather(source: Words, strides: readonly number[], shape: readonly number[], target: Words, first = 0): void {
  if (target.length === 0) return;
  const rank = shape.length;
  const inner = shape[rank - 1] ?? 1;
  const innerStride = strides[rank - 1] ?? 0;
  const index = new Array<number>(Math.max(0, rank - 1)).fill(0);
  let from = first;
  for (let to = 0; to < target.length;) {
    for (let i = 0, at = from; i < inner; i++, at += innerStride) target[to++] = source[at] as number;
    for (let d = rank - 2; d >= 0; d--) {
      const stride = strides[d] ?? 0;
      const next = (index[d] ?? 0) + 1;
      if (next < (shape[d] ?? 1)) {
        index[d] = next;
        from += stride;
        break;
      }
      index[d] = 0;
      from -= stride * (next - 1);
    }
  }
}

/** The data as unsigned words; 64-bit elements become two words each. */
function words(data: TensorData): Uint8Array | Uint16Array | Uint32Array {
  const { buffer, byteOffset, length, BYTES_PER_ELEMENT: width } = data;
  if (width === 1) return new Uint8Array(buffer, byteOffset, length);
  if (width === 2) return new Uint16Array(buffer, byteOffset, length);
  return new Uint32Array(buffer, byteOffset, (length * width) / 4);
}

/** A new tensor of `type` whose element at an index is the source's at first + Σ index·stride. Keeps every bit. */
export function stridedCopy(source: Tensor, strides: readonly number[], type: TensorType, first = 0): Tensor {
  const result = zeros(type);
  const [from, to] = [words(source.data), words(result.data)];
  if (type.element === 'i64') gather(from, [...strides.map((s) => 2 * s), 1], [...type.shape, 2], to, 2 * first);
  else gather(from, strides, type.shape, to, first);
  return result;
}

/** The numpy broadcast of two shapes. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new OpError(`shapes [${a.join(',')}] and [${b.join(',')}] do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** Strides that read a tensor of shape `from` as if it had the broadcast shape `to`. */
function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const own = rowMajorStrides(from);
  const missing = to.length - from.length;
  return to.map((_, i) => (i < missing || from[i - missing] === 1 ? 0 : (own[i - missing] ?? 0)));
}

/** `value` repeated to `shape`; the very same tensor when it has that shape already. */
export function broadcastTo(value: Tensor, shape: readonly number[]): Tensor {
  if (value.type.shape.length === shape.length && value.type.shape.every((d, i) => d === shape[i])) return value;
  return stridedCopy(value, broadcastStrides(value.type.shape, shape), { element: value.type.element, shape });
}

/** `broadcastTo` for a magnitude's terms. */
export function broadcastTerms(terms: Float64Array, from: readonly number[], to: readonly number[]): Float64Array {
  const result = new Float64Array(to.reduce((product, d) => product * d, 1));
  gather(terms, broadcastStrides(from, to), to, result);
  return result;
}

/** Moves dimension `perm[i]` to place i. */
export function permute(value: Tensor, perm: readonly number[]): Tensor {
  const strides = rowMajorStrides(value.type.shape);
  const shape = perm.map((d) => value.type.shape[d] ?? 1);
  return stridedCopy(
    value,
    perm.map((d) => strides[d] ?? 0),
    { element: value.type.element, shape },
  );
}

/** `permute` for a magnitude's terms. */
export function permuteTerms(terms: Float64Array, shape: readonly number[], perm: readonly number[]): Float64Array {
  const strides = rowMajorStrides(shape);
  const result = new Float64Array(terms.length);
  gather(
    terms,
    perm.map((d) => strides[d] ?? 0),
    perm.map((d) => shape[d] ?? 1),
    result,
  );
  return result;
}
