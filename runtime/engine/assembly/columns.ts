/** Products channel by channel. The sum of each channel takes its taps in ascending order; weights that were loaded are used for several rows. */
import { access } from './accesses';

/** The operands of a product while it executes: pointers, and distances in bytes. */
let matrix: usize = 0;
/** From one tap to the next. */
let pitch: usize = 0;
let taps: usize = 0;
let accumulates: bool = false;
let outStride: usize = 0;
let inStride: usize = 0;

function start(out: usize): v128 {
  return accumulates ? v128.load(out) : i64x2.splat(0);
}

/** Binary32 rounds after each multiplication and each addition. */
function step(sum: v128, input: usize, weights: v128): v128 {
  return f32x4.add(sum, f32x4.mul(v128.load(input), weights));
}

/** NaN gets its canonical bits. */
function canonical(sum: v128): v128 {
  return v128.bitselect(sum, i32x4.splat(0x7fc00000), f32x4.eq(sum, sum));
}

/** Four rows, eight channels. */
function rows4x8(out: usize, input: usize, weights: usize): void {
  const out1 = out + outStride;
  const out2 = out1 + outStride;
  const out3 = out2 + outStride;
  const stride = inStride;
  const next = pitch;
  let a0 = start(out);
  let a1 = start(out + 16);
  let b0 = start(out1);
  let b1 = start(out1 + 16);
  let c0 = start(out2);
  let c1 = start(out2 + 16);
  let d0 = start(out3);
  let d1 = start(out3 + 16);
  let x0 = input;
  let x2 = input + 2 * stride;
  for (let t = taps; t > 0; t--) {
    const w0 = v128.load(weights);
    const w1 = v128.load(weights, 16);
    a0 = step(a0, x0, w0);
    a1 = step(a1, x0 + 16, w1);
    b0 = step(b0, x0 + stride, w0);
    b1 = step(b1, x0 + stride + 16, w1);
    c0 = step(c0, x2, w0);
    c1 = step(c1, x2 + 16, w1);
    d0 = step(d0, x2 + stride, w0);
    d1 = step(d1, x2 + stride + 16, w1);
    weights += next;
    x0 += next;
    x2 += next;
  }
  // A NaN in any of the sums is one in the sum of all.
  const all = f32x4.add(f32x4.add(f32x4.add(a0, a1), f32x4.add(b0, b1)), f32x4.add(f32x4.add(c0, c1), f32x4.add(d0, d1)));
  if (v128.any_true(f32x4.ne(all, all))) {
    a0 = canonical(a0);
    a1 = canonical(a1);
    b0 = canonical(b0);
    b1 = canonical(b1);
    c0 = canonical(c0);
    c1 = canonical(c1);
    d0 = canonical(d0);
    d1 = canonical(d1);
  }
  v128.store(out, a0);
  v128.store(out, a1, 16);
  v128.store(out1, b0);
  v128.store(out1, b1, 16);
  v128.store(out2, c0);
  v128.store(out2, c1, 16);
  v128.store(out3, d0);
  v128.store(out3, d1, 16);
}

/** One row, four channels. */
function row1x4(out: usize, input: usize, weights: usize): void {
  const next = pitch;
  let sum = start(out);
  for (let t = taps; t > 0; t--) {
    sum = step(sum, input, v128.load(weights));
    weights += next;
    input += next;
  }
  v128.store(out, canonical(sum));
}

/** One row, one channel. */
function row1x1(out: usize, input: usize, weights: usize): void {
  const next = pitch;
  let sum: f32 = accumulates ? load<f32>(out) : 0;
  for (let t = taps; t > 0; t--) {
    sum += load<f32>(input) * load<f32>(weights);
    weights += next;
    input += next;
  }
  if (sum != sum) store<u32>(out, 0x7fc00000);
  else store<f32>(out, sum);
}

function columnsF32Rows(out: usize, input: usize, rows: usize): void {
  for (; rows >= 4; rows -= 4) {
    let i: usize = 0;
    for (; i + 32 <= pitch; i += 32) rows4x8(out + i, input + i, matrix + i);
    for (let r: usize = 0; r < 4 && i < pitch; r++) columnsOfRow(out + r * outStride, input + r * inStride, i);
    out += 4 * outStride;
    input += 4 * inStride;
  }
  for (; rows > 0; rows--) {
    columnsOfRow(out, input, 0);
    out += outStride;
    input += inStride;
  }
}

/** The channels of a row from a byte on. */
function columnsOfRow(out: usize, input: usize, first: usize): void {
  let i = first;
  for (; i + 16 <= pitch; i += 16) row1x4(out + i, input + i, matrix + i);
  for (; i < pitch; i += 4) row1x1(out + i, input + i, matrix + i);
}

/** Notes the operands; `widening` is how many times as wide as an element an accumulator is. */
function prepare(acc: bool, widening: usize): void {
  matrix = access(1).pointer;
  pitch = <usize>access(0).rowBytes / widening;
  taps = <usize>access(1).rowBytes / pitch;
  accumulates = acc;
  outStride = <usize>access(0).stride;
  inStride = <usize>access(2).stride;
}

export function columnsF32(acc: bool): void {
  prepare(acc, 1);
  const out = access(0).pointer;
  let input = access(2).pointer;
  const rows = <usize>access(0).rows;
  if (outStride != 0) {
    columnsF32Rows(out, input, rows);
    return;
  }
  // All rows have one output, which each overwrites or adds to.
  for (let r = rows; r > 0; r--) {
    columnsF32Rows(out, input, 1);
    input += inStride;
  }
}

/** Eight channels of 8-bit integers: products of 16 bits, sums of 32 bits, which wrap. */
function bytes1x8(out: usize, input: usize, weights: usize): void {
  const next = pitch;
  let a = start(out);
  let b = start(out + 16);
  for (let t = taps; t > 0; t--) {
    const terms = i16x8.mul(v128.load8x8_s(input), v128.load8x8_s(weights));
    a = i32x4.add(a, i32x4.extend_low_i16x8_s(terms));
    b = i32x4.add(b, i32x4.extend_high_i16x8_s(terms));
    weights += next;
    input += next;
  }
  v128.store(out, a);
  v128.store(out, b, 16);
}

/** Products of 8-bit integers. */
export function columnsBytes(acc: bool): void {
  prepare(acc, 4);
  let out = access(0).pointer;
  let input = access(2).pointer;
  for (let r = <usize>access(0).rows; r > 0; r--) {
    let i: usize = 0;
    for (; i + 8 <= pitch; i += 8) bytes1x8(out + 4 * i, input + i, matrix + i);
    for (; i < pitch; i++) {
      let sum = accumulates ? load<i32>(out + 4 * i) : 0;
      for (let t: usize = 0; t < taps; t++) sum += <i32>load<i8>(input + t * pitch + i) * <i32>load<i8>(matrix + t * pitch + i);
      store<i32>(out + 4 * i, sum);
    }
    out += outStride;
    input += inStride;
  }
}

/** Four channels of 16-bit integers: sums of 64 bits. */
function halves1x4(out: usize, input: usize, weights: usize): void {
  const next = pitch;
  let a = start(out);
  let b = start(out + 16);
  for (let t = taps; t > 0; t--) {
    const terms = i32x4.mul(v128.load16x4_s(input), v128.load16x4_s(weights));
    a = i64x2.add(a, i64x2.extend_low_i32x4_s(terms));
    b = i64x2.add(b, i64x2.extend_high_i32x4_s(terms));
    weights += next;
    input += next;
  }
  v128.store(out, a);
  v128.store(out, b, 16);
}

/** Products of 16-bit integers. */
export function columnsHalves(acc: bool): void {
  prepare(acc, 4);
  let out = access(0).pointer;
  let input = access(2).pointer;
  for (let r = <usize>access(0).rows; r > 0; r--) {
    let i: usize = 0;
    for (; i + 8 <= pitch; i += 8) halves1x4(out + 4 * i, input + i, matrix + i);
    for (; i < pitch; i += 2) {
      let sum: i64 = accumulates ? load<i64>(out + 4 * i) : 0;
      for (let t: usize = 0; t < taps; t++) sum += <i64>(<i32>load<i16>(input + t * pitch + i) * <i32>load<i16>(matrix + t * pitch + i));
      store<i64>(out + 4 * i, sum);
    }
    out += outStride;
    input += inStride;
  }
}
