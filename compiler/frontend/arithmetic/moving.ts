/** Evaluation of known values by moving their elements, which keep every bit, and by reducing dimensions. */
import type { Tensor, TensorData } from '../../ir/tensor.ts';
import { rowMajorStrides } from '../../ir/ops/operands.ts';
import { broadcastShapes, broadcastTo, permute, stridedCopy } from '../../ir/ops/strided.ts';
import { elementCount, tensorType } from '../../ir/types.ts';
import type { NodeImport } from '../node.ts';
import { ELEMENT_COST_BYTES, isInteger, store } from './elementwise.ts';

/** Dimensions by number, counted from the front; each of `rank` at most once. */
function axesFrom(node: NodeImport, given: readonly number[], rank: number): readonly number[] {
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (new Set(axes).size < axes.length || axes.some((axis) => axis < 0 || axis >= rank)) {
    node.invalid(`axes [${given.join(',')}] are not distinct ones of ${rank} dimensions`);
  }
  return axes;
}

function axisFrom(node: NodeImport, given: number, rank: number): number {
  return axesFrom(node, [given], rank)[0] ?? 0;
}

/** Slices along `axis`, one for each index; an index may count from the end. */
export function gather(node: NodeImport): Tensor {
  const [x, indices] = [node.known(0), node.known(1)];
  const { element, shape } = x.type;
  if (!isInteger(indices.type.element)) node.invalid(`the indices must be integers, not ${indices.type.element}`);
  const axis = axisFrom(node, node.int('axis') ?? 0, shape.length);
  const extent = shape[axis] ?? 1;
  const chosen = Array.from(indices.data, Number).map((given) => {
    const index = given < 0 ? given + extent : given;
    return index >= 0 && index < extent ? index : node.invalid(`index ${given} is none of the ${extent} of dimension ${axis}`);
  });
  const outer = elementCount(shape.slice(0, axis));
  const result = node.allocate(tensorType(element, [...shape.slice(0, axis), ...indices.type.shape, ...shape.slice(axis + 1)]));
  const width = elementCount(shape.slice(axis + 1)) * x.data.BYTES_PER_ELEMENT;
  const [from, to] = [x, result].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  let at = 0;
  for (let row = 0; row < outer; row++) {
    for (const index of chosen) {
      const start = (row * extent + index) * width;
      if (from) to?.set(from.subarray(start, start + width), at);
      at += width;
    }
  }
  return result;
}

/** A part of a dimension: `count` elements from `start` on, `step` apart. */
interface Cut {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function cutOut(node: NodeImport, x: Tensor, cuts: ReadonlyMap<number, Cut>): Tensor {
  const strides = rowMajorStrides(x.type.shape);
  const shape = x.type.shape.map((extent, i) => cuts.get(i)?.count ?? extent);
  const first = strides.reduce((sum, stride, i) => sum + stride * (cuts.get(i)?.start ?? 0), 0);
  const type = tensorType(x.type.element, shape);
  node.reserve(type);
  return stridedCopy(
    x,
    strides.map((stride, i) => stride * (cuts.get(i)?.step ?? 1)),
    type,
    first,
  );
}

/** Bounds are attributes before opset 10; they may count from the end and are cut off at the dimension. */
export function slice(node: NodeImport): Tensor {
  const x = node.known(0);
  const given = (index: number, name: string): readonly number[] | undefined =>
    node.opset < 10 ? node.ints(name) : node.constantInts(index, name);
  const starts = given(1, 'starts') ?? node.invalid('Slice has no starts');
  const ends = given(2, 'ends') ?? node.invalid('Slice has no ends');
  const chosen = given(3, 'axes') ?? starts.map((_, i) => i);
  const steps = (node.opset < 10 ? undefined : node.constantInts(4, 'steps')) ?? starts.map(() => 1);
  if ([ends, chosen, steps].some(({ length }) => length !== starts.length)) node.invalid('starts, ends, axes and steps differ in length');
  const { shape } = x.type;
  const cuts = axesFrom(node, chosen, shape.length).map((axis, i): [number, Cut] => {
    const extent = shape[axis] ?? 1;
    const step = steps[i] ?? 1;
    if (step === 0) node.invalid('a step is 0');
    const [low, high] = step > 0 ? [0, extent] : [-1, extent - 1];
    const bound = (value: number): number => Math.min(high, Math.max(low, value < 0 ? value + extent : value));
    const start = step > 0 ? bound(starts[i] ?? 0) : Math.max(0, bound(starts[i] ?? 0));
    const count = extent === 0 ? 0 : Math.max(0, Math.ceil((bound(ends[i] ?? 0) - start) / step));
    return [axis, { start, step, count }];
  });
  return cutOut(node, x, new Map(cuts));
}

/** Consecutive parts of a dimension: of given sizes, or as many alike as there are outputs, of which the last may be smaller. */
export function split(node: NodeImport): readonly Tensor[] {
  const x = node.known(0);
  const axis = axisFrom(node, node.int('axis') ?? 0, x.type.shape.length);
  const extent = x.type.shape[axis] ?? 1;
  const parts = (node.opset < 18 ? undefined : node.int('num_outputs')) ?? node.outputCount;
  const each = Math.ceil(extent / parts);
  const alike = Array.from({ length: node.outputCount }, (_, i) => Math.min(each, extent - i * each));
  const sizes = (node.opset < 13 ? node.ints('split') : node.constantInts(1, 'sizes')) ?? alike;
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length !== node.outputCount || sizes.some((size) => size < 0) || total !== extent) {
    node.invalid(`a dimension of ${extent} is not split into ${node.outputCount} parts of [${sizes.join(',')}]`);
  }
  let start = 0;
  return sizes.map((count) => {
    const part = cutOut(node, x, new Map([[axis, { start, step: 1, count }]]));
    start += count;
    return part;
  });
}

/** Repeated as broadcasting to a shape does; a dimension of 1 in the shape leaves the operand's. */
export function expand(node: NodeImport): Tensor {
  const x = node.known(0);
  const wanted = node.constantInts(1, 'shape') ?? node.invalid('Expand has no shape');
  const shape = broadcastShapes(x.type.shape, wanted);
  node.reserve(tensorType(x.type.element, shape));
  return broadcastTo(x, shape);
}

/** Each dimension repeated so many times. */
export function tile(node: NodeImport): Tensor {
  const x = node.known(0);
  const repeats = node.constantInts(1, 'repeats') ?? node.invalid('Tile has no repeats');
  const { element, shape } = x.type;
  if (repeats.length !== shape.length || repeats.some((count) => count < 0)) {
    node.invalid(`repeats [${repeats.join(',')}] are not one for each of ${shape.length} dimensions`);
  }
  const type = tensorType(
    element,
    shape.map((extent, i) => extent * (repeats[i] ?? 1)),
  );
  node.reserve(type);
  // The operand with a dimension of 1 in front of each, along which it is broadcast.
  const apart = {
    type: tensorType(
      element,
      shape.flatMap((extent) => [1, extent]),
    ),
    data: x.data,
  };
  const repeated = broadcastTo(
    apart,
    shape.flatMap((extent, i) => [repeats[i] ?? 1, extent]),
  );
  return { type, data: repeated.data };
}

/** The indices of the elements that are not 0, a column each. */
export function nonZero(node: NodeImport): Tensor {
  const x = node.known(0);
  const { element, shape } = x.type;
  if (element !== 'f32' && element !== 'i1' && !isInteger(element)) node.unsupportedElement(element);
  node.spend(ELEMENT_COST_BYTES * x.data.length);
  const found: number[] = [];
  for (let at = 0; at < x.data.length; at++) if (Number(x.data[at]) !== 0) found.push(at);
  const result = node.allocate(tensorType('i64', [shape.length, found.length]));
  for (const [dimension, stride] of rowMajorStrides(shape).entries()) {
    const extent = shape[dimension] ?? 1;
    for (const [i, at] of found.entries()) result.data[dimension * found.length + i] = BigInt(Math.floor(at / stride) % extent);
  }
  return result;
}

/** How elements are combined, from the first on; without a neutral number there must be one. */
interface Reduction {
  readonly integer: (a: bigint, b: bigint) => bigint;
  readonly float: (a: number, b: number) => number;
  readonly neutral?: 0 | 1;
  /** The first opset in which axes are an operand. */
  readonly axesSince: number;
}

/** Combines the elements along some dimensions, or along all. f32 is rounded after each. */
export function reduce({ integer, float, neutral, axesSince }: Reduction): (node: NodeImport) => Tensor {
  return (node) => {
    const x = node.known(0);
    const { element, shape } = x.type;
    if (element !== 'f32' && !isInteger(element)) node.unsupportedElement(element);
    const given = node.opset < axesSince ? node.ints('axes') : node.constantInts(1, 'axes');
    const keeps = (node.int('keepdims') ?? 1) !== 0;
    const unchanged = node.int('noop_with_empty_axes') === 1;
    if (!given?.length && unchanged) return x;
    const all = shape.map((_, i) => i);
    const axes = given?.length ? axesFrom(node, given, shape.length) : all;
    const kept = all.filter((dimension) => !axes.includes(dimension));
    node.spend(ELEMENT_COST_BYTES * x.data.length);
    const { data } = permute(x, [...kept, ...axes]);
    const left = keeps ? shape.map((extent, i) => (axes.includes(i) ? 1 : extent)) : kept.map((dimension) => shape[dimension] ?? 1);
    const count = elementCount(axes.map((axis) => shape[axis] ?? 1));
    const result = node.allocate(tensorType(element, left));
    if (count === 0 && neutral === undefined && result.data.length > 0) node.invalid(`${node.operator} of no elements`);
    for (let i = 0; i < result.data.length; i++) {
      const group = data.subarray(i * count, (i + 1) * count);
      const total = group instanceof Float32Array ? foldFloats(group, float, neutral) : foldIntegers(group, integer, neutral);
      store(result.data, i, total);
    }
    return result;
  };
}

function foldFloats(group: Float32Array, combine: Reduction['float'], neutral: number | undefined): number {
  let total = neutral ?? group[0] ?? 0;
  for (let i = neutral === undefined ? 1 : 0; i < group.length; i++) total = Math.fround(combine(total, group[i] ?? 0));
  return total;
}

function foldIntegers(group: TensorData, combine: Reduction['integer'], neutral: number | undefined): bigint {
  let total = BigInt(neutral ?? group[0] ?? 0);
  for (let i = neutral === undefined ? 1 : 0; i < group.length; i++) total = combine(total, BigInt(group[i] ?? 0));
  return total;
}
