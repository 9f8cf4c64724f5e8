/**
 * Element-wise operations on one row of binary32 elements. `x` is the whole memory, or a buffer of widened elements; `out`, `a` and `b` are indices of first elements and
 * may coincide. The store rounds, which for one operation on binary32 operands is the correct rounding.
 */
import { pmax, pmin, storeCanonical } from '../../numerics/float.ts';
import { expF32, logF32 } from '../../numerics/transcendental.ts';

/** `b` is the second operand where there is one. */
export type FloatRow = (x: Float32Array, out: number, a: number, b: number, count: number) => void;

export const add: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) + (x[b + i] as number));
};

export const subtract: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) - (x[b + i] as number));
};

export const multiply: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) * (x[b + i] as number));
};

/** The product is rounded, then the sum. */
export const multiplyAdd: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++)
    storeCanonical(x, out + i, (x[out + i] as number) + Math.fround((x[a + i] as number) * (x[b + i] as number)));
};

export const divide: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) / (x[b + i] as number));
};

export const greater: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = (x[a + i] as number) > (x[b + i] as number) ? 1 : 0;
};

export const equal: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] === x[b + i] ? 1 : 0;
};

export const and: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 && x[b + i] !== 0 ? 1 : 0;
};

export const or: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 || x[b + i] !== 0 ? 1 : 0;
};

export const greaterMerge: FloatRow = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) {
    const left = x[a + i] as number;
    const right = x[b + i] as number;
    storeCanonical(x, out + i, left > right ? left : right);
  }
};

export const not: FloatRow = (x, out, a, _, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 ? 0 : 1;
};

export const exponential: FloatRow = (x, out, a, _, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, expF32(x[a + i] as number));
};

export const logarithm: FloatRow = (x, out, a, _, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, logF32(x[a + i] as number));
};

export const identity: FloatRow = (x, out, a, _, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, x[a + i] as number);
};

export const relu: FloatRow = (x, out, a, _, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, pmax(x[a + i] as number, 0));
};

export const clip =
  (low: number, high: number): FloatRow =>
  (x, out, a, _, count) => {
    for (let i = 0; i < count; i++) storeCanonical(x, out + i, pmin(pmax(x[a + i] as number, low), high));
  };

export const addScalar =
  (scalar: number): FloatRow =>
  (x, out, a, _, count) => {
    for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) + scalar);
  };
