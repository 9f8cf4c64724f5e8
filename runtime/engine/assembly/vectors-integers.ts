/** Element-wise vector instructions on integers of 8 and 16 bits, and their conversions from and to binary32. */
import { access } from './accesses';
import { highHalf, lowHalf } from './operands';

/** An operation on elements, many and one. */
@unmanaged
export class AddHalves {
  shift(): usize {
    return 1;
  }
  of(a: v128, b: v128): v128 {
    return i16x8.add_sat_s(a, b);
  }
}
@unmanaged
export class SubtractHalves {
  shift(): usize {
    return 1;
  }
  of(a: v128, b: v128): v128 {
    return i16x8.sub_sat_s(a, b);
  }
}
@unmanaged
export class GreaterHalves {
  shift(): usize {
    return 1;
  }
  of(a: v128, b: v128): v128 {
    return i16x8.max_s(a, b);
  }
}
@unmanaged
export class GreaterBytes {
  shift(): usize {
    return 0;
  }
  of(a: v128, b: v128): v128 {
    return i8x16.max_s(a, b);
  }
}

export function binary<T>(): void {
  const operation = changetype<T>(0);
  const isBytes = operation.shift() == 0;
  let out = access(0).pointer;
  let a = access(1).pointer;
  let b = access(2).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(out + i, operation.of(v128.load(a + i), v128.load(b + i)));
    for (; i < bytes; i += 1 << operation.shift())
      if (isBytes) store<i8>(out + i, i8x16.extract_lane_s(operation.of(i8x16.splat(load<i8>(a + i)), i8x16.splat(load<i8>(b + i))), 0));
      else store<i16>(out + i, i16x8.extract_lane_s(operation.of(i16x8.splat(load<i16>(a + i)), i16x8.splat(load<i16>(b + i))), 0));
    out += <usize>access(0).stride;
    a += <usize>access(1).stride;
    b += <usize>access(2).stride;
  }
}

/** The bounds of results in the halves of a scalar, saturated to 8 bits where elements have 8. */
let low: v128 = i64x2.splat(0);
let high: v128 = i64x2.splat(0);
let lowBytes: v128 = i64x2.splat(0);
let highBytes: v128 = i64x2.splat(0);

function saturateByte(x: i32): i32 {
  return max(-128, min(127, x));
}

export function setBounds(bounds: i32, isBytes: bool): void {
  low = i32x4.splat(isBytes ? saturateByte(lowHalf(bounds)) : lowHalf(bounds));
  high = i32x4.splat(isBytes ? saturateByte(highHalf(bounds)) : highHalf(bounds));
  lowBytes = i8x16.splat(<i8>saturateByte(lowHalf(bounds)));
  highBytes = i8x16.splat(<i8>saturateByte(highHalf(bounds)));
}

/** Four integers within the bounds; the high one where they cross. */
export function clamp(x: v128): v128 {
  return i32x4.min_s(i32x4.max_s(x, low), high);
}

/** Sixteen bytes within the bounds of bytes, in the same way. */
export function clampBytes(x: v128): v128 {
  return i8x16.min_s(i8x16.max_s(x, lowBytes), highBytes);
}

/** Stores the first `count` of four integers, which are within the range of their elements. */
export function storeIntegers(out: usize, x: v128, isBytes: bool, count: usize): void {
  const halves = i16x8.narrow_i32x4_s(x, x);
  const bits = isBytes ? i8x16.narrow_i16x8_s(halves, halves) : halves;
  if (count >= 4) {
    if (isBytes) v128.store_lane<u32>(out, bits, 0);
    else v128.store_lane<u64>(out, bits, 0);
    return;
  }
  if (isBytes) {
    store<u8>(out, i8x16.extract_lane_u(bits, 0));
    if (count > 1) store<u8>(out, i8x16.extract_lane_u(bits, 1), 1);
    if (count > 2) store<u8>(out, i8x16.extract_lane_u(bits, 2), 2);
  } else {
    store<u16>(out, i16x8.extract_lane_u(bits, 0));
    if (count > 1) store<u16>(out, i16x8.extract_lane_u(bits, 1), 2);
    if (count > 2) store<u16>(out, i16x8.extract_lane_u(bits, 2), 4);
  }
}

/** Stores the first `count` of four binary32 numbers, NaN with its canonical bits. */
export function storeFloats(out: usize, x: v128, count: usize): void {
  const canonical = v128.bitselect(x, i32x4.splat(0x7fc00000), f32x4.eq(x, x));
  if (count >= 4) {
    v128.store(out, canonical);
    return;
  }
  v128.store_lane<u32>(out, canonical, 0);
  if (count > 1) v128.store_lane<u32>(out + 4, canonical, 1);
  if (count > 2) v128.store_lane<u32>(out + 8, canonical, 2);
}

/** Scaled sums of bytes. Operands are loaded a little too far at the end of a vector, where the linear memory goes on. */
export function scaledSum(factors: i32, addend: i32, shift: i32, bounds: i32): void {
  setBounds(bounds, true);
  const out = access(0).pointer;
  const a = access(1).pointer;
  const b = access(2).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let i: usize = 0; i < bytes; i += 8) {
    const left = v128.load8x8_s(a + i);
    const right = v128.load8x8_s(b + i);
    const first = i32x4.dot_i16x8_s(v128.shuffle<i16>(left, right, 0, 8, 1, 9, 2, 10, 3, 11), i32x4.splat(factors));
    const second = i32x4.dot_i16x8_s(v128.shuffle<i16>(left, right, 4, 12, 5, 13, 6, 14, 7, 15), i32x4.splat(factors));
    const x = clamp(i32x4.shr_s(i32x4.add(first, i32x4.splat(addend)), shift));
    const y = clamp(i32x4.shr_s(i32x4.add(second, i32x4.splat(addend)), shift));
    storeIntegers(out + i, x, true, bytes - i);
    if (i + 4 < bytes) storeIntegers(out + i + 4, y, true, bytes - i - 4);
  }
}

/** Beyond this magnitude a rounded number is beyond all bounds, whatever the zero point. */
const BEYOND: f32 = 1048576;

/** Binary32 to integers. */
export function quantize(isBytes: bool, scale: f32, zero: i32, bounds: i32): void {
  setBounds(bounds, isBytes);
  const out = access(0).pointer;
  const input = access(1).pointer;
  const shift: usize = isBytes ? 2 : 1;
  const bytes = <usize>access(1).rowBytes;
  for (let i: usize = 0; i < bytes; i += 16) {
    const scaled = f32x4.mul(v128.load(input + i), f32x4.splat(scale));
    const near = f32x4.pmin(f32x4.pmax(f32x4.nearest(scaled), f32x4.splat(-BEYOND)), f32x4.splat(BEYOND));
    const x = clamp(i32x4.add(i32x4.trunc_sat_f32x4_s(near), i32x4.splat(lowHalf(zero))));
    storeIntegers(out + (i >> shift), x, isBytes, (bytes - i) >> 2);
  }
}

/** Integers to binary32. */
export function dequantize(isBytes: bool, scale: f32, zero: i32): void {
  const out = access(0).pointer;
  const input = access(1).pointer;
  const shift: usize = isBytes ? 2 : 1;
  const bytes = <usize>access(0).rowBytes;
  for (let i: usize = 0; i < bytes; i += 16) {
    const from = input + (i >> shift);
    const x = isBytes ? i32x4.extend_low_i16x8_s(v128.load8x8_s(from)) : v128.load16x4_s(from);
    const difference = f32x4.convert_i32x4_s(i32x4.sub(x, i32x4.splat(lowHalf(zero))));
    storeFloats(out + i, f32x4.mul(difference, f32x4.splat(scale)), (bytes - i) >> 2);
  }
}
