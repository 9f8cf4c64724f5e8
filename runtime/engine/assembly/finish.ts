/** Ends of accumulators: bias, activation or scale, and rounding in one pass. Rows are dense and share the bias. */
import { SHORT_VECTOR } from '../layout';
import * as type from '../types';
import { access } from './accesses';
import { round } from './narrow';
import { elementShift, shortVector } from './scratch';
import { clamp, setBounds, storeFloats, storeIntegers } from './vectors-integers';

/** Sums and biases of binary32, then the clip, which lets NaN pass. */
function finishPiece(out: usize, input: usize, bias: usize, bytes: usize, low: v128, high: v128): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    const sum = f32x4.add(v128.load(input + i), v128.load(bias + i));
    storeFloats(out + i, f32x4.pmin(f32x4.pmax(sum, low), high), (bytes - i) >> 2);
  }
}

/** Binary32 accumulators to elements of a float type, clipped; bounds that are infinite do nothing. */
export function finishFloats(to: u32, low: f32, high: f32): void {
  const lows = f32x4.splat(low);
  const highs = f32x4.splat(high);
  const rowBytes = <usize>access(1).rowBytes;
  const shift: usize = to == type.F32 ? 2 : elementShift(to);
  let out = access(0).pointer;
  let input = access(1).pointer;
  const bias = access(2).pointer;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    if (to == type.F32) finishPiece(out, input, bias, rowBytes, lows, highs);
    else
      for (let i: usize = 0; i < rowBytes; i += 4 * SHORT_VECTOR) {
        const bytes = min<usize>(4 * SHORT_VECTOR, rowBytes - i);
        finishPiece(shortVector(0), input + i, bias + i, bytes, lows, highs);
        round(to, out + ((i >> 2) << shift), shortVector(0), bytes >> 2);
      }
    out += (rowBytes >> 2) << shift;
    input += rowBytes;
  }
}

/** Four 32-bit sums with their biases times multipliers, shifted, with ties up: ⌊(x·m + 2^(s-1)) / 2^s⌋ exactly, clamped. */
function scaled4(sum: v128, multiplier: v128, shift: i32, zero: v128): v128 {
  const half = i64x2.splat((<i64>1) << (shift - 1));
  const first = i64x2.add(i64x2.extmul_low_i32x4_s(sum, multiplier), half);
  const second = i64x2.add(i64x2.extmul_high_i32x4_s(sum, multiplier), half);
  // The upper words of four products, shifted by what is left.
  if (shift >= 32) return clamp(i32x4.add(i32x4.shr_s(v128.shuffle<i32>(first, second, 1, 3, 5, 7), shift - 32), zero));
  return clamp(i32x4.add(near4(i64x2.shr_s(first, shift), i64x2.shr_s(second, shift)), zero));
}

/** Beyond this magnitude an integer is beyond all bounds, whatever the zero point. */
const BEYOND: i64 = 1 << 20;

/** Four integers of 64 bits as 32 bits; those beyond all bounds stay so. */
function near4(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(near2(a), near2(b), 0, 2, 4, 6);
}

function near2(x: v128): v128 {
  const raised = v128.bitselect(x, i64x2.splat(-BEYOND), i64x2.gt_s(x, i64x2.splat(-BEYOND)));
  return v128.bitselect(i64x2.splat(BEYOND), raised, i64x2.gt_s(raised, i64x2.splat(BEYOND)));
}

/** 32-bit sums to bytes. Behind a row of sums and parameters others are loaded, for nothing. */
export function finishBytes(control: i32, bounds: i32): void {
  setBounds(bounds, true);
  const shift = control & 0xff;
  const zero = i32x4.splat((control << 16) >> 24);
  const rowBytes = <usize>access(1).rowBytes;
  let out = access(0).pointer;
  let input = access(1).pointer;
  const bias = access(2).pointer;
  const multipliers = bias + rowBytes;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    for (let i: usize = 0; i < rowBytes; i += 16) {
      const sum = i32x4.add(v128.load(input + i), v128.load(bias + i));
      storeIntegers(out + (i >> 2), scaled4(sum, v128.load(multipliers + i), shift, zero), true, (rowBytes - i) >> 2);
    }
    out += rowBytes >> 2;
    input += rowBytes;
  }
}

/** 32-bit sums to binary32. */
export function finishBytesAsFloats(): void {
  const rowBytes = <usize>access(1).rowBytes;
  let out = access(0).pointer;
  let input = access(1).pointer;
  const bias = access(2).pointer;
  const scales = bias + rowBytes;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    for (let i: usize = 0; i < rowBytes; i += 16) {
      const sum = f32x4.convert_i32x4_s(i32x4.add(v128.load(input + i), v128.load(bias + i)));
      storeFloats(out + i, f32x4.mul(sum, v128.load(scales + i)), (rowBytes - i) >> 2);
    }
    out += rowBytes;
    input += rowBytes;
  }
}

/** The sum of 64 bits at an address and its bias, over 2^shift. A double rounds only what is beyond all bounds. */
function scaledLong(input: usize, bias: usize, unit: f64): f64 {
  return <f64>(load<i64>(input) + load<i64>(bias)) * unit;
}

/** 2^-shift. */
function unitOf(control: i32): f64 {
  return reinterpret<f64>((<i64>(1023 - (control & 0xff))) << 52);
}

/** 64-bit sums to 16 bits. */
export function finishHalves(control: i32, bounds: i32): void {
  const low = <f64>((bounds << 16) >> 16);
  const high = <f64>(bounds >> 16);
  const unit = unitOf(control);
  const rowBytes = <usize>access(1).rowBytes;
  let out = access(0).pointer;
  let input = access(1).pointer;
  const bias = access(2).pointer;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    for (let i: usize = 0; i < rowBytes; i += 8)
      store<i16>(out + (i >> 2), <i32>min<f64>(max<f64>(nearest<f64>(scaledLong(input + i, bias + i, unit)), low), high));
    out += rowBytes >> 2;
    input += rowBytes;
  }
}

/** 64-bit sums to binary32. */
export function finishHalvesAsFloats(control: i32): void {
  const unit = unitOf(control);
  const rowBytes = <usize>access(1).rowBytes;
  let out = access(0).pointer;
  let input = access(1).pointer;
  const bias = access(2).pointer;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    for (let i: usize = 0; i < rowBytes; i += 8) store<f32>(out + (i >> 1), <f32>scaledLong(input + i, bias + i, unit));
    out += rowBytes >> 1;
    input += rowBytes;
  }
}
