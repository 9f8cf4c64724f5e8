/**
 * Element-wise operations on one row of 16-bit fixed-point elements. `x` is the whole memory; `out`, `a` and `b` are indices of first
 * elements and may coincide.
 */
import {
  addFixed,
  divideFixed,
  expFixed,
  logFixed,
  multiplyAddFixed,
  multiplyFixed,
  saturate16,
  subtractFixed,
} from '../../numerics/fixed.ts';
import { pmax, pmin } from '../../numerics/float.ts';

/** `b` is the second operand where there is one. Only what needs no range takes elements of 8 bits. */
export type FixedRow = (x: Int16Array | Int8Array, out: number, a: number, b: number, count: number, fraction: number) => void;

/** The raw integer for true: 1, or the greatest number where 1 is out of range. */
const trueElement = (fraction: number): number => saturate16(1 << fraction);

export const add: FixedRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = addFixed(x[a + i] as number, x[b + i] as number);
};

export const subtract: FixedRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = subtractFixed(x[a + i] as number, x[b + i] as number);
};

export const multiply: FixedRow = (x, out, a, b, count, fraction) => {
  for (let i = 0; i < count; i++) x[out + i] = multiplyFixed(x[a + i] as number, x[b + i] as number, fraction);
};

/** Rounded once, the accumulator counting as a product with 1. */
export const multiplyAdd: FixedRow = (x, out, a, b, count, fraction) => {
  for (let i = 0; i < count; i++) x[out + i] = multiplyAddFixed(x[out + i] as number, x[a + i] as number, x[b + i] as number, fraction);
};

export const divide: FixedRow = (x, out, a, b, count, fraction) => {
  for (let i = 0; i < count; i++) x[out + i] = divideFixed(x[a + i] as number, x[b + i] as number, fraction);
};

export const greater: FixedRow = (x, out, a, b, count, fraction) => {
  const yes = trueElement(fraction);
  for (let i = 0; i < count; i++) x[out + i] = (x[a + i] as number) > (x[b + i] as number) ? yes : 0;
};

export const equal: FixedRow = (x, out, a, b, count, fraction) => {
  const yes = trueElement(fraction);
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] === x[b + i] ? yes : 0;
};

export const and: FixedRow = (x, out, a, b, count, fraction) => {
  const yes = trueElement(fraction);
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 && x[b + i] !== 0 ? yes : 0;
};

export const or: FixedRow = (x, out, a, b, count, fraction) => {
  const yes = trueElement(fraction);
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 || x[b + i] !== 0 ? yes : 0;
};

export const greaterMerge: FixedRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = Math.max(x[a + i] as number, x[b + i] as number);
};

export const not: FixedRow = (x, out, a, _, count, fraction) => {
  const yes = trueElement(fraction);
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 ? 0 : yes;
};

export const exponential: FixedRow = (x, out, a, _, count, fraction) => {
  for (let i = 0; i < count; i++) x[out + i] = expFixed(x[a + i] as number, fraction);
};

export const logarithm: FixedRow = (x, out, a, _, count, fraction) => {
  for (let i = 0; i < count; i++) x[out + i] = logFixed(x[a + i] as number, fraction);
};

export const identity: FixedRow = (x, out, a, _, count) => {
  x.copyWithin(out, a, a + count);
};

export const relu: FixedRow = (x, out, a, _, count) => {
  for (let i = 0; i < count; i++) x[out + i] = Math.max(x[a + i] as number, 0);
};

export const clip =
  (low: number, high: number): FixedRow =>
  (x, out, a, _, count) => {
    for (let i = 0; i < count; i++) x[out + i] = pmin(pmax(x[a + i] as number, low), high);
  };

export const addScalar =
  (scalar: number): FixedRow =>
  (x, out, a, _, count) => {
    for (let i = 0; i < count; i++) x[out + i] = addFixed(x[a + i] as number, scalar);
  };
