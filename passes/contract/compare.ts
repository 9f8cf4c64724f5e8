/** Comparing tensors: by bits, by value, and by what is lost. */
import { isInteger, realNumbers } from '../../compiler/ir/ops/integers.ts';
import { widen } from '../../compiler/ir/ops/narrow.ts';
import { permute } from '../../compiler/ir/ops/strided.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { allocate, dataBytes, tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import { elementBytes, isQuantized, quantizationOf, quantized } from '../../runtime/numerics/element.ts';
import { encoderOf } from '../../runtime/numerics/store.ts';
import type { Rearrangement } from '../pass.ts';

/** The numbers that a tensor's elements stand for. */
export function numbers(value: Tensor): Float64Array {
  if (isInteger(value.type.element)) return Float64Array.from(realNumbers(value));
  return Float64Array.from<number | bigint>(widen(value).data, Number);
}

/** The tensor of a type whose elements come nearest to some numbers; throws for element types that do not stand for real numbers. */
export function fromNumbers(type: TensorType, values: Float64Array): Tensor {
  const { axis, scales } = isQuantized(type.element) ? quantizationOf(type.element) : { axis: undefined, scales: [] };
  const elements = axis === undefined ? [type.element] : scales.map((scale) => quantized({ scales: [scale], zeroPoint: 0 }));
  const encoders = elements.map(encoderOf);
  const inner = axis === undefined ? values.length : elementCount(type.shape.slice(axis + 1));
  const data = allocate(type.element, values.length);
  for (let i = 0; i < values.length; i++) {
    const encode = encoders[Math.floor(i / inner) % encoders.length] as (x: number) => number;
    data[i] = encode(Math.fround(values[i] as number));
  }
  return tensor(type, data);
}

/** Index of the first element whose bits differ, or undefined. The tensors have the same type. */
export function firstDifference(a: Tensor, b: Tensor): number | undefined {
  if (a.data === b.data) return undefined;
  const before = dataBytes(a);
  const after = dataBytes(b);
  const width = elementBytes(a.type.element);
  const at = before.findIndex((byte, i) => byte !== after[i]);
  return at < 0 ? undefined : Math.floor(at / width);
}

/** The coordinates of an element in row-major order: `[0,3,1]`. */
export function coordinates(shape: readonly number[], element: number): string {
  let rest = element;
  const reversed = shape.toReversed().map((extent) => {
    const coordinate = rest % extent;
    rest = Math.floor(rest / extent);
    return coordinate;
  });
  return `[${reversed.toReversed().join(',')}]`;
}

/** A value in its new order of storage, under its new shape. */
export function rearrange(value: Tensor, { view, permutation }: Rearrangement, shape: readonly number[]): Tensor {
  const { data } = permute({ type: { ...value.type, shape: view }, data: value.data }, permutation);
  return { type: { ...value.type, shape }, data };
}

/** |b - a|, where equal values (NaN and infinities too) are at distance 0 and NaN is infinitely far from anything else. */
export function difference(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0;
  const distance = Math.abs(b - a);
  return Number.isNaN(distance) ? Infinity : distance;
}

/** What an output lost, over all samples. */
export interface OutputLoss {
  readonly output: string;
  /** Greatest |after - before|. */
  readonly maximumError: number;
  /** 10·log10(Σ before² / Σ (after - before)²); Infinity when nothing was lost. */
  readonly sqnrDecibels: number;
  /** Share of rows (along the last axis) whose greatest element stayed at the same place. */
  readonly agreement: number;
}

/** Losses of one output: the pairs of its values before and after, one for each sample. */
export function outputLoss(output: string, pairs: readonly (readonly [before: Tensor, after: Tensor])[]): OutputLoss {
  let maximumError = 0;
  let signal = 0;
  let noise = 0;
  let rows = 0;
  let agreeing = 0;
  for (const [before, after] of pairs) {
    const x = numbers(before);
    const y = numbers(after);
    for (const [i, expected] of x.entries()) {
      const error = difference(expected, y[i] ?? NaN);
      maximumError = Math.max(maximumError, error);
      signal += expected * expected;
      noise += error * error;
    }
    const width = before.type.shape.at(-1) ?? 1;
    for (let start = 0; start < x.length; start += width) {
      rows++;
      if (greatest(x.subarray(start, start + width)) === greatest(y.subarray(start, start + width))) agreeing++;
    }
  }
  return {
    output,
    maximumError,
    sqnrDecibels: noise === 0 ? Infinity : 10 * Math.log10(signal / noise),
    agreement: rows ? agreeing / rows : 1,
  };
}

/** Index of the greatest element, the first of equals; 0 when all are NaN. */
function greatest(row: Float64Array): number {
  return row.reduce((best, value, i) => (value > (row[best] ?? -Infinity) || Number.isNaN(row[best]) ? i : best), 0);
}
