/** Types of 8-bit integers for ranges of real numbers. */
import type { QuantizedName } from '../../runtime/numerics/element.ts';
import { quantized } from '../../runtime/numerics/element.ts';
import { roundTiesToEven } from '../../runtime/numerics/fixed.ts';
import { I8_MAX, I8_MIN, clamp } from '../../runtime/numerics/requantize.ts';
import type { Range } from './ranges.ts';
import { rangeOf } from './ranges.ts';

/** The least positive scale whose inverse is finite, with room for products of scales. */
const LEAST_SCALE = 2 ** -60;

/** A binary32 number that is a scale. */
export function scaleOf(x: number): number {
  return Math.fround(x > 0 && x < Infinity ? Math.max(x, LEAST_SCALE) : 1);
}

/** The type that covers a range, and zero, which is an integer itself: -127 to 127 around zero, or all 256 integers. */
export function quantizedType(range: Range, symmetric: boolean): QuantizedName {
  const { low, high } = rangeOf(range.low, range.high, symmetric);
  if (symmetric) return quantized({ scales: [scaleOf(Math.max(-low, high) / I8_MAX)], zeroPoint: 0 });
  const scale = scaleOf((high - low) / (I8_MAX - I8_MIN));
  return quantized({ scales: [scale], zeroPoint: clamp(roundTiesToEven(I8_MIN - low / scale), I8_MIN, I8_MAX) + 0 });
}
