/**
 * Element-wise operations on one row of binary32 elements. `x` is the whole memory; `out`, `a` and `b` are indices of first elements and
 * may coincide. The store rounds, which for one operation on binary32 operands is the correct rounding.
 */
import { pmax, pmin, storeCanonical } from '../../numerics/float.ts';
import { expF32, logF32 } from '../../numerics/transcendental.ts';

export type FloatBinary = (x: Float32Array, out: number, a: number, b: number, count: number) => void;
export type FloatUnary = (x: Float32Array, out: number, a: number, count: number) => void;

export const add: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) + (x[b + i] as number));
};

export const subtract: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) - (x[b + i] as number));
};

export const multiply: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) * (x[b + i] as number));
};

/** The product is rounded, then the sum. */
export const multiplyAdd: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++)
    storeCanonical(x, out + i, (x[out + i] as number) + Math.fround((x[a + i] as number) * (x[b + i] as number)));
};

export const divide: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) / (x[b + i] as number));
};

export const greater: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = (x[a + i] as number) > (x[b + i] as number) ? 1 : 0;
};

export const equal: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] === x[b + i] ? 1 : 0;
};

export const and: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 && x[b + i] !== 0 ? 1 : 0;
};

export const or: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 || x[b + i] !== 0 ? 1 : 0;
};

export const greaterMerge: FloatBinary = (x, out, a, b, count) => {
  for (let i = 0; i < count; i++) {
    const left = x[a + i] as number;
    const right = x[b + i] as number;
    storeCanonical(x, out + i, left > right ? left : right);
  }
};

export const not: FloatUnary = (x, out, a, count) => {
  for (let i = 0; i < count; i++) x[out + i] = x[a + i] !== 0 ? 0 : 1;
};

export const exponential: FloatUnary = (x, out, a, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, expF32(x[a + i] as number));
};

export const logarithm: FloatUnary = (x, out, a, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, logF32(x[a + i] as number));
};

export const identity: FloatUnary = (x, out, a, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, x[a + i] as number);
};

export const relu: FloatUnary = (x, out, a, count) => {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, pmax(x[a + i] as number, 0));
};

export function clip(x: Float32Array, out: number, a: number, count: number, low: number, high: number): void {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, pmin(pmax(x[a + i] as number, low), high));
}

export function addScalar(x: Float32Array, out: number, a: number, count: number, scalar: number): void {
  for (let i = 0; i < count; i++) storeCanonical(x, out + i, (x[a + i] as number) + scalar);
}
