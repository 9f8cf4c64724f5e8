/** The numbers that an element type can hold: how far apart they stand, and where they end. */
import type { TensorType } from '../../compiler/ir/types.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import { SCALARS, fractionBits, isFixed, isQuantized, quantizationOf } from '../numerics/element.ts';
import { FIXED_MAX, FIXED_MIN } from '../numerics/fixed.ts';
import { exponentOf } from '../numerics/float.ts';
import { NARROW_FORMATS, fromNarrow, isNarrow, narrowStep } from '../numerics/narrow.ts';
import { I8_MAX, I8_MIN, dequantizeInteger } from '../numerics/requantize.ts';

export interface Grid {
  /** Distance from `x` to the next number of the type away from zero; positive. */
  readonly step: (x: number) => number;
  /** Least and greatest finite number. */
  readonly low: number;
  readonly high: number;
}

/** The greatest finite number of binary32. */
const GREATEST_F32 = (2 - 2 ** -23) * 2 ** 127;

export function gridOf({ element }: TensorType): Grid {
  if (isFixed(element)) {
    const step = 2 ** -fractionBits(element);
    return { step: () => step, low: FIXED_MIN * step, high: FIXED_MAX * step };
  }
  if (element === 'f32') return { step: (x) => 2 ** (Math.max(-126, exponentOf(x)) - 23), low: -GREATEST_F32, high: GREATEST_F32 };
  if (isNarrow(element)) {
    const greatest = fromNarrow(element, NARROW_FORMATS[element].greatest);
    return { step: (x) => narrowStep(element, x), low: -greatest, high: greatest };
  }
  if (isQuantized(element)) {
    const { scales, zeroPoint } = quantizationOf(element);
    // Of a scale for each channel, the coarsest.
    const step = Math.max(...scales);
    return { step: () => step, low: dequantizeInteger(I8_MIN, step, zeroPoint), high: dequantizeInteger(I8_MAX, step, zeroPoint) };
  }
  const { bits } = SCALARS[element];
  const signed = element.startsWith('i') && bits > 1;
  return { step: () => 1, low: signed ? -(2 ** (bits - 1)) : 0, high: 2 ** (signed ? bits - 1 : bits) - 1 };
}

/** Distances as those of `gridOf`, for each element: of a scale for each channel, its own. */
export function stepsOf(type: TensorType): (x: number, index: number) => number {
  const { scales, axis } = isQuantized(type.element) ? quantizationOf(type.element) : { scales: [], axis: undefined };
  if (axis === undefined) return gridOf(type).step;
  const inner = elementCount(type.shape.slice(axis + 1));
  return (_, index) => scales[Math.floor(index / inner) % scales.length] ?? NaN;
}
