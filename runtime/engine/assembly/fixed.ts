/** `runtime/numerics/fixed.ts`: 16-bit fixed point on raw integers, every result rounded once to nearest, ties to even, then saturated. */
import { exponential, logarithm } from './transcendental';

/** Fraction bits of the machine. */
export let fraction: i32 = 0;

export function configureFixed(bits: i32): void {
  fraction = bits;
}

export function saturate(x: i64): i32 {
  return <i32>(x < -32768 ? -32768 : x > 32767 ? 32767 : x);
}

/** An exact sum of products with twice the fraction bits, as an element. */
export function roundProductSum(sum: i64): i32 {
  if (fraction == 0) return saturate(sum);
  const low = sum >> fraction;
  const rest = sum - (low << fraction);
  const half = (<i64>1) << (fraction - 1);
  return saturate(rest > half || (rest == half && (low & 1) != 0) ? low + 1 : low);
}

/** A double, rounded and saturated. */
function roundDouble(x: f64): i32 {
  const rounded = nearest<f64>(x);
  return rounded < -32768 ? -32768 : rounded > 32767 ? 32767 : <i32>rounded;
}

export function divideFixed(a: i32, b: i32): i32 {
  if (b == 0) return a == 0 ? 0 : a < 0 ? -32768 : 32767;
  return roundDouble(<f64>((<i64>a) << fraction) / <f64>b);
}

function toFixed(x: f32): i32 {
  return x == x ? roundDouble(<f64>x * <f64>(1 << fraction)) : 0;
}

function fromFixed(a: i32): f32 {
  return <f32>a / <f32>(1 << fraction);
}

export function expFixed(a: i32): i32 {
  return toFixed(f32x4.extract_lane(exponential(f32x4.splat(fromFixed(a))), 0));
}

export function logFixed(a: i32): i32 {
  return a <= 0 ? -32768 : toFixed(f32x4.extract_lane(logarithm(f32x4.splat(fromFixed(a))), 0));
}

/** The raw integer for true. */
export function trueElement(): i32 {
  return saturate((<i64>1) << fraction);
}
