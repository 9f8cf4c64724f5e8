/** Ends of accumulators: bias, activation or scale, and rounding in one pass. Rows are dense and share the bias. */
import { SHORT_VECTOR } from '../layout';
import * as type from '../types';
import { access } from './accesses';
import { round } from './narrow';
import { elementShift, shortVector } from './scratch';
import { clamp, clampBytes, setBounds, storeFloats, storeIntegers } from './vectors-integers';

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

/** Four 32-bit sums times multipliers, shifted, with ties up: ⌊(x·m + 2^(s-1)) / 2^s⌋ exactly, or what is beyond all bounds as it is. */
function scaled4(sum: v128, multiplier: v128, shift: i32): v128 {
  const half = i64x2.splat((<i64>1) << (shift - 1));
  const first = i64x2.add(i64x2.extmul_low_i32x4_s(sum, multiplier), half);
  const second = i64x2.add(i64x2.extmul_high_i32x4_s(sum, multiplier), half);
  // The upper words of four products, shifted by what is left.
  if (shift >= 32) return i32x4.shr_s(v128.shuffle<i32>(first, second, 1, 3, 5, 7), shift - 32);
  return near4(i64x2.shr_s(first, shift), i64x2.shr_s(second, shift));
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

/** Four sums at an address, scaled; `params` are their biases, and multipliers so many bytes behind. */
function scaledAt(input: usize, params: usize, rowBytes: usize, shift: i32): v128 {
  return scaled4(i32x4.add(v128.load(input), v128.load(params)), v128.load(params + rowBytes), shift);
}

/** 32-bit sums to bytes. Behind a row of sums and parameters others are loaded, for nothing. */
export function finishBytes(control: i32, bounds: i32): void {
  setBounds(bounds, true);
  const shift = control & 0xff;
  const zeroPoint = (control << 16) >> 24;
  const zero = i32x4.splat(zeroPoint);
  const zeroHalves = i16x8.splat(<i16>zeroPoint);
  const rowBytes = <usize>access(1).rowBytes;
  let out = access(0).pointer;
  let input = access(1).pointer;
  const params = access(2).pointer;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    let i: usize = 0;
    // Narrowing saturates, so that the zero point and the bounds may wait until there are sixteen.
    for (; i + 64 <= rowBytes; i += 64) {
      const a = scaledAt(input + i, params + i, rowBytes, shift);
      const b = scaledAt(input + i + 16, params + i + 16, rowBytes, shift);
      const c = scaledAt(input + i + 32, params + i + 32, rowBytes, shift);
      const d = scaledAt(input + i + 48, params + i + 48, rowBytes, shift);
      const first = i16x8.add_sat_s(i16x8.narrow_i32x4_s(a, b), zeroHalves);
      const second = i16x8.add_sat_s(i16x8.narrow_i32x4_s(c, d), zeroHalves);
      v128.store(out + (i >> 2), clampBytes(i8x16.narrow_i16x8_s(first, second)));
    }
    for (; i < rowBytes; i += 16) {
      const x = clamp(i32x4.add(scaledAt(input + i, params + i, rowBytes, shift), zero));
      storeIntegers(out + (i >> 2), x, true, (rowBytes - i) >> 2);
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

/** What rounding 64-bit sums needs besides them. */
let shiftOfSums: i32 = 0;
let belowHalf: v128 = i64x2.splat(0);
let odd: v128 = i64x2.splat(0);
let mostSum: v128 = i64x2.splat(0);
let leastSum: v128 = i64x2.splat(0);

function prepareSums(control: i32): void {
  const shift = control & 0xff;
  shiftOfSums = shift;
  belowHalf = i64x2.splat(shift == 0 ? 0 : ((<i64>1) << (shift - 1)) - 1);
  odd = i64x2.splat(shift == 0 ? 0 : 1);
  mostSum = i64x2.splat(BEYOND << shift);
  leastSum = i64x2.splat(-(BEYOND << shift));
}

/** Two 64-bit sums with their biases over 2^shift, at most 31, ties to even; of what is beyond all bounds, something that is. In the lower words. */
function rounded2(input: usize, bias: usize): v128 {
  let sum = i64x2.add(v128.load(input), v128.load(bias));
  sum = v128.bitselect(mostSum, sum, i64x2.gt_s(sum, mostSum));
  sum = v128.bitselect(leastSum, sum, i64x2.gt_s(leastSum, sum));
  // The sign does not reach the lower word.
  const isOdd = v128.and(i64x2.shr_u(sum, shiftOfSums), odd);
  return i64x2.shr_u(i64x2.add(i64x2.add(sum, belowHalf), isOdd), shiftOfSums);
}

function rounded4(input: usize, bias: usize): v128 {
  return clamp(v128.shuffle<i32>(rounded2(input, bias), rounded2(input + 16, bias + 16), 0, 2, 4, 6));
}

/** 64-bit sums to 16 bits. Behind a row of sums and biases others are loaded, for nothing. */
export function finishHalves(control: i32, bounds: i32): void {
  setBounds(bounds, false);
  prepareSums(control);
  const rowBytes = <usize>access(1).rowBytes;
  let out = access(0).pointer;
  let input = access(1).pointer;
  const bias = access(2).pointer;
  for (let rows = <usize>access(0).rows; rows > 0; rows--) {
    let i: usize = 0;
    for (; i + 64 <= rowBytes; i += 64) {
      const first = rounded4(input + i, bias + i);
      const second = rounded4(input + i + 32, bias + i + 32);
      v128.store(out + (i >> 2), i16x8.narrow_i32x4_s(first, second));
    }
    for (; i < rowBytes; i += 32) storeIntegers(out + (i >> 2), rounded4(input + i, bias + i), false, (rowBytes - i) >> 3);
    out += rowBytes >> 2;
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
