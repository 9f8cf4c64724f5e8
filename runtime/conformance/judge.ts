/** Whether an output is the one that a test case expects. */
import { widen } from '../../compiler/ir/ops/narrow.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { printType, sameType } from '../../compiler/ir/types.ts';
import { decibels } from '../diff/metrics.ts';
import { isQuantized } from '../numerics/element.ts';

/** What an output is held to: each element |x - y| ≤ absolute + relative·|y|, y being expected, or a whole output's signal-to-noise ratio in dB. */
export type Judge =
  | { readonly kind: 'tolerance'; readonly relative: number; readonly absolute: number }
  | { readonly kind: 'sqnr'; readonly decibels: number };

/** The tolerance of ONNX's own runner. */
export const SUITE_TOLERANCE = { relative: 1e-3, absolute: 1e-7 } as const;

/** Why a type is not the expected one. ONNX has a quantized value's integers, whose scale stands elsewhere. */
export function typeMismatch(actual: TensorType, expected: TensorType): string | undefined {
  const element = isQuantized(actual.element) ? 'i8' : actual.element;
  return sameType({ ...actual, element }, expected) ? undefined : `${printType(actual)} instead of ${printType(expected)}`;
}

/** The elements as numbers; the bits of narrow floats are none. */
export function numbersOf(value: Tensor): readonly number[] {
  return Array.from(widen(value).data, Number);
}

/** Why numbers are not the expected ones, of which there are as many. */
export function mismatch(actual: readonly number[], expected: readonly number[], judge: Judge): string | undefined {
  if (judge.kind === 'sqnr') {
    const found = sqnr(actual, expected);
    return found >= judge.decibels ? undefined : `SQNR is ${found.toFixed(1)} dB, less than ${judge.decibels}`;
  }
  const near = (x: number, y: number): boolean => same(x, y) || Math.abs(x - y) <= judge.absolute + judge.relative * Math.abs(y);
  const at = expected.findIndex((y, i) => !near(actual[i] ?? NaN, y));
  return at < 0 ? undefined : `element ${at} is ${String(actual[at])} instead of ${String(expected[at])}`;
}

/** Equal, NaN and NaN too, and both zeros. */
function same(x: number, y: number): boolean {
  return x === y || Object.is(x, y);
}

/** In dB, Infinity without any error, -Infinity where a NaN or an infinity stands on one side only. */
function sqnr(actual: readonly number[], expected: readonly number[]): number {
  let [signal, noise] = [0, 0];
  for (const [i, y] of expected.entries()) {
    const x = actual[i] ?? NaN;
    if (same(x, y)) signal += Number.isFinite(y) ? y * y : 0;
    else if (!Number.isFinite(x - y)) return -Infinity;
    else {
      signal += y * y;
      noise += (x - y) ** 2;
    }
  }
  return decibels(signal, noise);
}
