/**
 * Products of vectors and matrices. The sum for each output takes its terms in ascending k; what may be chosen is how many outputs and rows
 * are summed at the same time, so that a weight and an input that were loaded are used more than once.
 */
import { access } from './accesses';
import { roundProductSum } from './fixed';

/** The operands of a product while it executes: pointers, and distances in bytes. */
let matrix: usize = 0;
/** From one row of a K × N matrix to the next. */
let pitch: usize = 0;
let inputs: usize = 0;
let accumulates: bool = false;
let outStride: usize = 0;
let inStride: usize = 0;

/** Four sums with canonical NaN. */
function canonical(x: v128): v128 {
  return v128.bitselect(x, i32x4.splat(0x7fc00000), f32x4.eq(x, x));
}

function start(out: usize): v128 {
  return accumulates ? v128.load(out) : f32x4.splat(0);
}

/** One input, in all lanes, times four weights, added to four sums: two roundings. */
function step(sum: v128, input: v128, weights: v128): v128 {
  return f32x4.add(sum, f32x4.mul(input, weights));
}

/** Four rows, eight outputs. */
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
  for (let k = inputs; k > 0; k--) {
    const w0 = v128.load(weights);
    const w1 = v128.load(weights, 16);
    const x = v128.load32_splat(x0);
    a0 = step(a0, x, w0);
    a1 = step(a1, x, w1);
    const y = v128.load32_splat(x0 + stride);
    b0 = step(b0, y, w0);
    b1 = step(b1, y, w1);
    const z = v128.load32_splat(x2);
    c0 = step(c0, z, w0);
    c1 = step(c1, z, w1);
    const u = v128.load32_splat(x2 + stride);
    d0 = step(d0, u, w0);
    d1 = step(d1, u, w1);
    weights += next;
    x0 += 4;
    x2 += 4;
  }
  v128.store(out, canonical(a0));
  v128.store(out, canonical(a1), 16);
  v128.store(out1, canonical(b0));
  v128.store(out1, canonical(b1), 16);
  v128.store(out2, canonical(c0));
  v128.store(out2, canonical(c1), 16);
  v128.store(out3, canonical(d0));
  v128.store(out3, canonical(d1), 16);
}

/** Two rows, sixteen outputs. */
function rows2x16(out: usize, input: usize, weights: usize): void {
  const out1 = out + outStride;
  const stride = inStride;
  const next = pitch;
  let a0 = start(out);
  let a1 = start(out + 16);
  let a2 = start(out + 32);
  let a3 = start(out + 48);
  let b0 = start(out1);
  let b1 = start(out1 + 16);
  let b2 = start(out1 + 32);
  let b3 = start(out1 + 48);
  for (let k = inputs; k > 0; k--) {
    const x = v128.load32_splat(input);
    const y = v128.load32_splat(input + stride);
    let w = v128.load(weights);
    a0 = step(a0, x, w);
    b0 = step(b0, y, w);
    w = v128.load(weights, 16);
    a1 = step(a1, x, w);
    b1 = step(b1, y, w);
    w = v128.load(weights, 32);
    a2 = step(a2, x, w);
    b2 = step(b2, y, w);
    w = v128.load(weights, 48);
    a3 = step(a3, x, w);
    b3 = step(b3, y, w);
    weights += next;
    input += 4;
  }
  v128.store(out, canonical(a0));
  v128.store(out, canonical(a1), 16);
  v128.store(out, canonical(a2), 32);
  v128.store(out, canonical(a3), 48);
  v128.store(out1, canonical(b0));
  v128.store(out1, canonical(b1), 16);
  v128.store(out1, canonical(b2), 32);
  v128.store(out1, canonical(b3), 48);
}

/** One row, sixteen outputs. */
function row1x16(out: usize, input: usize, weights: usize): void {
  const next = pitch;
  let a0 = start(out);
  let a1 = start(out + 16);
  let a2 = start(out + 32);
  let a3 = start(out + 48);
  for (let k = inputs; k > 0; k--) {
    const x = v128.load32_splat(input);
    a0 = step(a0, x, v128.load(weights));
    a1 = step(a1, x, v128.load(weights, 16));
    a2 = step(a2, x, v128.load(weights, 32));
    a3 = step(a3, x, v128.load(weights, 48));
    weights += next;
    input += 4;
  }
  v128.store(out, canonical(a0));
  v128.store(out, canonical(a1), 16);
  v128.store(out, canonical(a2), 32);
  v128.store(out, canonical(a3), 48);
}

/** One row, eight outputs. */
function row1x8(out: usize, input: usize, weights: usize): void {
  const next = pitch;
  let a0 = start(out);
  let a1 = start(out + 16);
  for (let k = inputs; k > 0; k--) {
    const x = v128.load32_splat(input);
    a0 = step(a0, x, v128.load(weights));
    a1 = step(a1, x, v128.load(weights, 16));
    weights += next;
    input += 4;
  }
  v128.store(out, canonical(a0));
  v128.store(out, canonical(a1), 16);
}

/** The first `lanes` of four outputs. Weights behind them are loaded all the same: behind the matrix the linear memory goes on. */
function row1x4(out: usize, input: usize, weights: usize, lanes: usize): void {
  const next = pitch;
  let sum = f32x4.splat(0);
  if (accumulates)
    if (lanes == 4) sum = v128.load(out);
    else {
      sum = v128.load32_zero(out);
      if (lanes > 1) sum = v128.load_lane<u32>(out + 4, sum, 1);
      if (lanes > 2) sum = v128.load_lane<u32>(out + 8, sum, 2);
    }
  for (let k = inputs; k > 0; k--) {
    sum = step(sum, v128.load32_splat(input), v128.load(weights));
    weights += next;
    input += 4;
  }
  sum = canonical(sum);
  if (lanes == 4) {
    v128.store(out, sum);
    return;
  }
  v128.store_lane<u32>(out, sum, 0);
  if (lanes > 1) v128.store_lane<u32>(out + 4, sum, 1);
  if (lanes > 2) v128.store_lane<u32>(out + 8, sum, 2);
}

/** `rows` rows with outputs that do not meet. */
function vectorMatrixRows(out: usize, input: usize, outputs: usize, rows: usize): void {
  let n: usize = 0;
  for (; n + 16 <= outputs; n += 16) {
    let o = out + 4 * n;
    let x = input;
    const w = matrix + 4 * n;
    let r = rows;
    for (; r >= 2; r -= 2) {
      rows2x16(o, x, w);
      o += 2 * outStride;
      x += 2 * inStride;
    }
    if (r > 0) row1x16(o, x, w);
  }
  if (n + 8 <= outputs) {
    let o = out + 4 * n;
    let x = input;
    const w = matrix + 4 * n;
    let r = rows;
    for (; r >= 4; r -= 4) {
      rows4x8(o, x, w);
      o += 4 * outStride;
      x += 4 * inStride;
    }
    for (; r > 0; r--) {
      row1x8(o, x, w);
      o += outStride;
      x += inStride;
    }
    n += 8;
  }
  for (; n < outputs; n += 4) {
    let o = out + 4 * n;
    let x = input;
    const lanes = min<usize>(4, outputs - n);
    for (let r = rows; r > 0; r--) {
      row1x4(o, x, matrix + 4 * n, lanes);
      o += outStride;
      x += inStride;
    }
  }
}

/** Vector times a K × N matrix. Outputs are added to what stands there if `acc`. */
export function vectorMatrixF32(acc: bool): void {
  const outputs = <usize>(access(0).rowBytes >> 2);
  const rows = <usize>access(0).rows;
  let out = access(0).pointer;
  let input = access(2).pointer;
  matrix = access(1).pointer;
  pitch = 4 * outputs;
  inputs = <usize>(access(2).rowBytes >> 2);
  accumulates = acc;
  outStride = <usize>access(0).stride;
  inStride = <usize>access(2).stride;
  if (rows == 1 || outStride != 0) {
    vectorMatrixRows(out, input, outputs, rows);
    return;
  }
  // All rows have one output, which each overwrites or adds to.
  for (let r = rows; r > 0; r--) {
    vectorMatrixRows(out, input, outputs, 1);
    input += inStride;
  }
}

/** N × K matrix times vector, four outputs at a time. */
export function matrixVectorF32(acc: bool): void {
  const outBytes = <usize>access(0).rowBytes;
  const inBytes = <usize>access(2).rowBytes;
  let out = access(0).pointer;
  let input = access(2).pointer;
  for (let r = <usize>access(0).rows; r > 0; r--) {
    let w = access(1).pointer;
    let n: usize = 0;
    for (; n + 16 <= outBytes; n += 16) {
      let sum = acc ? v128.load(out + n) : f32x4.splat(0);
      for (let k: usize = 0; k < inBytes; k += 4) {
        let weights = v128.load32_zero(w + k);
        weights = v128.load_lane<u32>(w + inBytes + k, weights, 1);
        weights = v128.load_lane<u32>(w + 2 * inBytes + k, weights, 2);
        weights = v128.load_lane<u32>(w + 3 * inBytes + k, weights, 3);
        sum = step(sum, v128.load32_splat(input + k), weights);
      }
      v128.store(out + n, canonical(sum));
      w += 4 * inBytes;
    }
    for (; n < outBytes; n += 4) {
      let sum = acc ? load<f32>(out + n) : <f32>0;
      for (let k: usize = 0; k < inBytes; k += 4) sum += load<f32>(w + k) * load<f32>(input + k);
      if (sum != sum) store<u32>(out + n, 0x7fc00000);
      else store<f32>(out + n, sum);
      w += inBytes;
    }
    out += <usize>access(0).stride;
    input += <usize>access(2).stride;
  }
}

/** Products of up to this many terms have exact sums in the plain engine's doubles, as they have in 64 bits. */
const MOST_FIXED_INPUTS: i64 = 1 << 22;

/** Whether the sums of a fixed-point product are exact in both engines. */
export function fixedIsExact(): bool {
  return access(2).rowBytes >> 1 <= MOST_FIXED_INPUTS;
}

/** Eight outputs of a fixed-point row. */
function fixed1x8(out: usize, input: usize, weights: usize): void {
  const next = pitch;
  let a = i64x2.splat(0);
  let b = i64x2.splat(0);
  let c = i64x2.splat(0);
  let d = i64x2.splat(0);
  for (let k = inputs; k > 0; k--) {
    const x = v128.load16_splat(input);
    const w = v128.load(weights);
    const low = i32x4.extmul_low_i16x8_s(x, w);
    const high = i32x4.extmul_high_i16x8_s(x, w);
    a = i64x2.add(a, i64x2.extend_low_i32x4_s(low));
    b = i64x2.add(b, i64x2.extend_high_i32x4_s(low));
    c = i64x2.add(c, i64x2.extend_low_i32x4_s(high));
    d = i64x2.add(d, i64x2.extend_high_i32x4_s(high));
    weights += next;
    input += 2;
  }
  store<i16>(out, roundProductSum(i64x2.extract_lane(a, 0)));
  store<i16>(out, roundProductSum(i64x2.extract_lane(a, 1)), 2);
  store<i16>(out, roundProductSum(i64x2.extract_lane(b, 0)), 4);
  store<i16>(out, roundProductSum(i64x2.extract_lane(b, 1)), 6);
  store<i16>(out, roundProductSum(i64x2.extract_lane(c, 0)), 8);
  store<i16>(out, roundProductSum(i64x2.extract_lane(c, 1)), 10);
  store<i16>(out, roundProductSum(i64x2.extract_lane(d, 0)), 12);
  store<i16>(out, roundProductSum(i64x2.extract_lane(d, 1)), 14);
}

/** The exact sum of a row of inputs with weights that are `next` bytes apart. */
function fixedSum(input: usize, weights: usize, next: usize): i64 {
  let sum: i64 = 0;
  for (let k = inputs; k > 0; k--) {
    sum += <i64>(<i32>load<i16>(input) * <i32>load<i16>(weights));
    weights += next;
    input += 2;
  }
  return sum;
}

export function vectorMatrixFixed(): void {
  const outBytes = <usize>access(0).rowBytes;
  let out = access(0).pointer;
  let input = access(2).pointer;
  matrix = access(1).pointer;
  pitch = outBytes;
  inputs = <usize>(access(2).rowBytes >> 1);
  for (let r = <usize>access(0).rows; r > 0; r--) {
    let n: usize = 0;
    for (; n + 16 <= outBytes; n += 16) fixed1x8(out + n, input, matrix + n);
    for (; n < outBytes; n += 2) store<i16>(out + n, roundProductSum(fixedSum(input, matrix + n, pitch)));
    out += <usize>access(0).stride;
    input += <usize>access(2).stride;
  }
}

export function matrixVectorFixed(): void {
  const outBytes = <usize>access(0).rowBytes;
  const inBytes = <usize>access(2).rowBytes;
  let out = access(0).pointer;
  let input = access(2).pointer;
  inputs = inBytes >> 1;
  for (let r = <usize>access(0).rows; r > 0; r--) {
    let w = access(1).pointer;
    for (let n: usize = 0; n < outBytes; n += 2) {
      store<i16>(out + n, roundProductSum(fixedSum(input, w, 2)));
      w += inBytes;
    }
    out += <usize>access(0).stride;
    input += <usize>access(2).stride;
  }
}
