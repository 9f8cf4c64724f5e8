/** Ops that move elements or give them another shape; they keep every bit, on any element type. */
import type { ElementType } from '../../../runtime/numerics/element.ts';
import { isQuantized, quantizationOf, quantized } from '../../../runtime/numerics/element.ts';
import { encoderOf } from '../../../runtime/numerics/store.ts';
import { OpError, op } from '../op.ts';
import type { TensorType } from '../types.ts';
import { elementCount, printType, tensorType } from '../types.ts';
import type { TensorData } from '../tensor.ts';
import { zeros } from '../tensor.ts';
import { DEVICE, noMacs, operand, requireInts, requireOrdered, rowMajorStrides, unchangedMagnitude } from './operands.ts';
import { permute, permuteTerms } from './strided.ts';

/** The dimension that a concatenation joins, counted from the front. */
export function joinedAxis(shape: readonly number[], axis: number): number {
  const rank = shape.length;
  if (axis < -rank || axis >= rank) throw new OpError(`attribute axis must be ${-rank} to ${rank - 1} for ${rank} dimensions, not ${axis}`);
  return axis < 0 ? axis + rank : axis;
}

/** Copies rows of `width` elements to rows of `pitch`, from `offset` on; both arrays are of one kind. */
function copyRows(from: TensorData | Float64Array, to: TensorData | Float64Array, width: number, pitch: number, offset: number): void {
  const [source, target] = [bits(from), bits(to)];
  const scale = from.BYTES_PER_ELEMENT / source.BYTES_PER_ELEMENT;
  for (let read = 0, write = offset * scale; read < source.length; read += width * scale, write += pitch * scale)
    target.set(source.subarray(read, read + width * scale), write);
}

/** The elements as bytes, so that NaN payloads survive. */
function bits({ buffer, byteOffset, byteLength }: TensorData | Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Copies an array into a larger one, `before` elements into each dimension. */
function scatter(
  from: TensorData | Float64Array,
  shape: readonly number[],
  to: TensorData | Float64Array,
  toShape: readonly number[],
  before: readonly number[],
): void {
  const strides = rowMajorStrides(toShape);
  const width = shape.at(-1) ?? 1;
  const height = elementCount(shape.slice(0, -1));
  const [source, target] = [bits(from), bits(to)];
  const size = from.BYTES_PER_ELEMENT;
  for (let row = 0; row < height; row++) {
    let [rest, at] = [row, before[shape.length - 1] ?? 0];
    for (let d = shape.length - 2; d >= 0; d--) {
      const extent = shape[d] ?? 1;
      at += ((rest % extent) + (before[d] ?? 0)) * (strides[d] ?? 0);
      rest = Math.floor(rest / extent);
    }
    target.set(source.subarray(row * width * size, (row + 1) * width * size), at * size);
  }
}

/** The dimension along which an element type has scales of its own, or undefined where it has none. */
function scaledAxis(element: ElementType): number | undefined {
  return isQuantized(element) ? quantizationOf(element).axis : undefined;
}

/** An element type whose scales, if it has several, go along another dimension. */
function scaledAlong(element: ElementType, axis: number | undefined): ElementType {
  return isQuantized(element) && axis !== undefined ? quantized({ ...quantizationOf(element), axis }) : element;
}

/** The same elements under another shape; the dimension along which there are scales must still be one of its dimensions. */
function reshaped({ element, shape: from }: TensorType, to: readonly number[]): TensorType {
  const axis = scaledAxis(element);
  if (axis === undefined) return tensorType(element, to);
  const outer = elementCount(from.slice(0, axis));
  const found = to.flatMap((d, i) => (d === from[axis] && elementCount(to.slice(0, i)) === outer ? [i] : []));
  if (found.length !== 1) throw new OpError(`a shape [${to.join(',')}] does not tell where the scales along dimension ${axis} go`);
  return tensorType(scaledAlong(element, found[0]), to);
}

export const SHAPE = {
  flatten: op({
    doc: 'A matrix with the same elements: the dimensions before `axis` become the rows, the others the columns.',
    inputs: [{ name: 'x' }],
    attributes: { axis: { kind: 'int', default: 1, doc: 'first dimension of the columns; negative counts from the end' } },
    traits: ['view', 'moving'],
    onnx: { op: 'Flatten', since: 1 },
    infer(inputs, { axis }) {
      const x = operand(inputs, 0, 'x');
      const rank = x.shape.length;
      if (axis < -rank || axis > rank) throw new OpError(`attribute axis must be ${-rank} to ${rank} for ${printType(x)}, not ${axis}`);
      return reshaped(x, [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))]);
    },
    evaluate: (inputs, _attributes, type) => ({ type, data: operand(inputs, 0, 'x').data }),
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  reshape: op({
    doc: 'The same elements in row-major order under another shape. A dimension along which there are scales is kept.',
    inputs: [{ name: 'x' }],
    attributes: { shape: { kind: 'ints', doc: 'the new shape, every dimension given' } },
    traits: ['view', 'moving'],
    onnx: { op: 'Reshape', since: 5 },
    infer(inputs, { shape }) {
      const x = operand(inputs, 0, 'x');
      if (shape.some((d) => d < 0)) throw new OpError(`attribute shape must have no negative dimension, not [${shape.join(',')}]`);
      if (elementCount(shape) !== elementCount(x.shape))
        throw new OpError(`${printType(x)} does not have the elements of a shape [${shape.join(',')}]`);
      return reshaped(x, shape);
    },
    evaluate: (inputs, _attributes, type) => ({ type, data: operand(inputs, 0, 'x').data }),
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  concat: op({
    doc: 'The operands one after the other along `axis`; all other dimensions are alike, and quantized operands have one scale along it.',
    inputs: [{ name: 'x', variadic: true }],
    attributes: { axis: { kind: 'int', doc: 'the dimension that is joined; negative counts from the end' } },
    traits: ['selecting'],
    onnx: { op: 'Concat', since: 4 },
    infer(inputs, { axis }) {
      const types = inputs.map((_, i) => operand(inputs, i, 'x'));
      const first = operand(types, 0, 'x');
      const others = types.slice(1);
      const at = joinedAxis(first.shape, axis);
      if (others.length > 0 && scaledAxis(first.element) === at)
        throw new OpError(`operands with scales along dimension ${at} do not join along it`);
      for (const other of others) {
        const fits = other.shape.length === first.shape.length && other.shape.every((d, i) => i === at || d === first.shape[i]);
        if (!fits || other.element !== first.element)
          throw new OpError(`${printType(first)} and ${printType(other)} do not join along ${axis}`);
      }
      return tensorType(
        first.element,
        first.shape.with(
          at,
          types.reduce((sum, { shape }) => sum + (shape[at] ?? 1), 0),
        ),
      );
    },
    evaluate(inputs, { axis }, type) {
      const result = zeros(type);
      const at = joinedAxis(type.shape, axis);
      const row = elementCount(type.shape.slice(at));
      let offset = 0;
      for (let k = 0; k < inputs.length; k++) {
        const x = operand(inputs, k, 'x');
        const width = elementCount(x.type.shape.slice(at));
        copyRows(x.data, result.data, width, row, offset);
        offset += width;
      }
      return result;
    },
    macs: noMacs,
    magnitude(inputs, types, { axis }, type) {
      const at = joinedAxis(type.shape, axis);
      const row = elementCount(type.shape.slice(at));
      const terms = new Float64Array(elementCount(type.shape));
      let [offset, count] = [0, 0];
      for (let k = 0; k < inputs.length; k++) {
        const x = operand(inputs, k, 'x');
        const width = elementCount(operand(types, k, 'x').shape.slice(at));
        copyRows(x.terms, terms, width, row, offset);
        offset += width;
        count = Math.max(count, x.count);
      }
      return { terms, count };
    },
  }),
  pad: op({
    doc: 'The operand with `value` around it, rounded to the element type.',
    inputs: [{ name: 'x' }],
    attributes: {
      pads: { kind: 'ints', doc: 'elements before each dimension, then behind each' },
      value: { kind: 'float', default: 0, doc: 'what stands there' },
    },
    traits: ['selecting'],
    infer(inputs, { pads }) {
      const x = operand(inputs, 0, 'x');
      requireOrdered(x, 'x');
      requireInts(pads, 'pads', 2 * x.shape.length, 0);
      return tensorType(
        x.element,
        x.shape.map((d, i) => d + (pads[i] ?? 0) + (pads[i + x.shape.length] ?? 0)),
      );
    },
    evaluate(inputs, { pads, value }, type) {
      const x = operand(inputs, 0, 'x');
      const result = zeros(type);
      result.data.fill(encoderOf(type.element)(value) as never);
      scatter(x.data, x.type.shape, result.data, type.shape, pads);
      return result;
    },
    macs: noMacs,
    magnitude(inputs, types, { pads, value }, type) {
      const { terms, count } = operand(inputs, 0, 'x');
      const padded = new Float64Array(elementCount(type.shape)).fill(Math.abs(value));
      scatter(terms, operand(types, 0, 'x').shape, padded, type.shape, pads);
      return { terms: padded, count };
    },
  }),
  transpose: op({
    doc: 'Dimensions in another order: dimension i of the result is dimension `perm[i]` of x; scales go along with theirs.',
    inputs: [{ name: 'x' }],
    attributes: { perm: { kind: 'ints', doc: 'a permutation of the dimensions' }, ...DEVICE },
    traits: ['moving'],
    onnx: { op: 'Transpose', since: 1 },
    infer(inputs, { perm }) {
      const x = operand(inputs, 0, 'x');
      const wanted = x.shape.map((_, i) => i);
      if (perm.length !== wanted.length || wanted.some((d) => !perm.includes(d)))
        throw new OpError(`attribute perm must be a permutation of the ${wanted.length} dimensions of x, not [${perm.join(',')}]`);
      const axis = scaledAxis(x.element);
      return tensorType(
        scaledAlong(x.element, axis === undefined ? undefined : perm.indexOf(axis)),
        perm.map((d) => x.shape[d] ?? 1),
      );
    },
    evaluate: (inputs, { perm }, type) => ({ type, data: permute(operand(inputs, 0, 'x'), perm).data }),
    macs: noMacs,
    magnitude(inputs, types, { perm }) {
      const { terms, count } = operand(inputs, 0, 'x');
      return { terms: permuteTerms(terms, operand(types, 0, 'x').shape, perm), count };
    },
  }),
};
