/** The numbers that an element type can hold: how far apart they stand, and where they end. */
import type { TensorType } from '../../compiler/ir/types.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import type { ElementType, ScalarName } from '../numerics/element.ts';
import { SCALARS, fractionBits, isFixed, isQuantized, quantizationOf } from '../numerics/element.ts';
import { FIXED_MAX, FIXED_MIN } from '../numerics/fixed.ts';
import { I8_MAX, I8_MIN, dequantizeInteger } from '../numerics/requantize.ts';

export interface Grid {
  /** Distance from `x` to the next number of the type away from zero; positive. */
  readonly step: (x: number) => number;
  /** Least and greatest finite number. */
  readonly low: number;
  readonly high: number;
}

/** Stored bits of the fraction, exponent of the least normal number, greatest finite number. */
const FLOATS = {
  f32: { fraction: 23, minimum: -126, maximum: (2 - 2 ** -23) * 2 ** 127 },
  f16: { fraction: 10, minimum: -14, maximum: 65504 },
  bf16: { fraction: 7, minimum: -126, maximum: (2 - 2 ** -7) * 2 ** 127 },
  f8e4m3: { fraction: 3, minimum: -6, maximum: 448 },
  f8e5m2: { fraction: 2, minimum: -14, maximum: 57344 },
} as const satisfies Partial<Record<ScalarName, { fraction: number; minimum: number; maximum: number }>>;

export function gridOf({ element }: TensorType): Grid {
  if (isFixed(element)) {
    const step = 2 ** -fractionBits(element);
    return { step: () => step, low: FIXED_MIN * step, high: FIXED_MAX * step };
  }
  if (isFloat(element)) {
    const { fraction, minimum, maximum } = FLOATS[element];
    const step = (x: number): number => 2 ** (Math.max(minimum, exponentOf(x)) - fraction);
    return { step, low: -maximum, high: maximum };
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

function isFloat(element: ElementType): element is keyof typeof FLOATS {
  return Object.hasOwn(FLOATS, element);
}

const cast = new DataView(new ArrayBuffer(8));

/** floor(log2 |x|) of a finite number; very small for zero. */
function exponentOf(x: number): number {
  cast.setFloat64(0, x);
  return ((cast.getUint32(0) >>> 20) & 0x7ff) - 1023;
}
