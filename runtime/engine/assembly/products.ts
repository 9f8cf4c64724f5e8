/**
 * Products of vectors and matrices. The sum for each output takes its terms in ascending k; what may be chosen is how many outputs and rows
 * are summed at the same time, so that a weight and an input that were loaded are used more than once.
 */
import { access } from './accesses';

/** The operands of a product while it executes: pointers, and distances in bytes. */
let matrix: usize = 0;
/** From one row of a K × N matrix to the next. */
let pitch: usize = 0;
let inputs: usize = 0;
let accumulates: bool = false;
let outStride: usize = 0;
let inStride: usize = 0;

function start(out: usize): v128 {
  return accumulates ? v128.load(out) : i64x2.splat(0);
}

/** How products of four outputs are summed: a term is added, and the sum ends. */
@unmanaged
class Floats {
  /** One input, in all lanes, times four weights, added to four sums: two roundings. */
  step(sum: v128, input: v128, weights: v128): v128 {
    return f32x4.add(sum, f32x4.mul(input, weights));
  }
  /** NaN gets its canonical bits. */
  end(sum: v128): v128 {
    return v128.bitselect(sum, i32x4.splat(0x7fc00000), f32x4.eq(sum, sum));
  }
}

/** Two 8-bit inputs, as integers of 16 bits, make one term with the two weights of each output. */
@unmanaged
class Pairs {
  step(sum: v128, input: v128, weights: v128): v128 {
    return i32x4.add(sum, i32x4.dot_i16x8_s(input, weights));
  }
  end(sum: v128): v128 {
    return sum;
  }
}

/** Four rows, eight outputs. */
function rows4x8<T>(out: usize, input: usize, weights: usize): void {
  const sums = changetype<T>(0);
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
    a0 = sums.step(a0, x, w0);
    a1 = sums.step(a1, x, w1);
    const y = v128.load32_splat(x0 + stride);
    b0 = sums.step(b0, y, w0);
    b1 = sums.step(b1, y, w1);
    const z = v128.load32_splat(x2);
    c0 = sums.step(c0, z, w0);
    c1 = sums.step(c1, z, w1);
    const u = v128.load32_splat(x2 + stride);
    d0 = sums.step(d0, u, w0);
    d1 = sums.step(d1, u, w1);
    weights += next;
    x0 += 4;
    x2 += 4;
  }
  v128.store(out, sums.end(a0));
  v128.store(out, sums.end(a1), 16);
  v128.store(out1, sums.end(b0));
  v128.store(out1, sums.end(b1), 16);
  v128.store(out2, sums.end(c0));
  v128.store(out2, sums.end(c1), 16);
  v128.store(out3, sums.end(d0));
  v128.store(out3, sums.end(d1), 16);
}

/** Two rows, sixteen outputs. */
function rows2x16<T>(out: usize, input: usize, weights: usize): void {
  const sums = changetype<T>(0);
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
    a0 = sums.step(a0, x, w);
    b0 = sums.step(b0, y, w);
    w = v128.load(weights, 16);
    a1 = sums.step(a1, x, w);
    b1 = sums.step(b1, y, w);
    w = v128.load(weights, 32);
    a2 = sums.step(a2, x, w);
    b2 = sums.step(b2, y, w);
    w = v128.load(weights, 48);
    a3 = sums.step(a3, x, w);
    b3 = sums.step(b3, y, w);
    weights += next;
    input += 4;
  }
  v128.store(out, sums.end(a0));
  v128.store(out, sums.end(a1), 16);
  v128.store(out, sums.end(a2), 32);
  v128.store(out, sums.end(a3), 48);
  v128.store(out1, sums.end(b0));
  v128.store(out1, sums.end(b1), 16);
  v128.store(out1, sums.end(b2), 32);
  v128.store(out1, sums.end(b3), 48);
}

/** One row, sixteen outputs. */
function row1x16<T>(out: usize, input: usize, weights: usize): void {
  const sums = changetype<T>(0);
  const next = pitch;
  let a0 = start(out);
  let a1 = start(out + 16);
  let a2 = start(out + 32);
  let a3 = start(out + 48);
  for (let k = inputs; k > 0; k--) {
    const x = v128.load32_splat(input);
    a0 = sums.step(a0, x, v128.load(weights));
    a1 = sums.step(a1, x, v128.load(weights, 16));
    a2 = sums.step(a2, x, v128.load(weights, 32));
    a3 = sums.step(a3, x, v128.load(weights, 48));
    weights += next;
    input += 4;
  }
  v128.store(out, sums.end(a0));
  v128.store(out, sums.end(a1), 16);
  v128.store(out, sums.end(a2), 32);
  v128.store(out, sums.end(a3), 48);
}

/** One row, eight outputs. */
function row1x8<T>(out: usize, input: usize, weights: usize): void {
  const sums = changetype<T>(0);
  const next = pitch;
  let a0 = start(out);
  let a1 = start(out + 16);
  for (let k = inputs; k > 0; k--) {
    const x = v128.load32_splat(input);
    a0 = sums.step(a0, x, v128.load(weights));
    a1 = sums.step(a1, x, v128.load(weights, 16));
    weights += next;
    input += 4;
  }
  v128.store(out, sums.end(a0));
  v128.store(out, sums.end(a1), 16);
}

/** The first `lanes` of four outputs. Weights behind them are loaded all the same: behind the matrix the linear memory goes on. */
function row1x4<T>(out: usize, input: usize, weights: usize, lanes: usize): void {
  const sums = changetype<T>(0);
  const next = pitch;
  let sum = i64x2.splat(0);
  if (accumulates)
    if (lanes == 4) sum = v128.load(out);
    else {
      sum = v128.load32_zero(out);
      if (lanes > 1) sum = v128.load_lane<u32>(out + 4, sum, 1);
      if (lanes > 2) sum = v128.load_lane<u32>(out + 8, sum, 2);
    }
  for (let k = inputs; k > 0; k--) {
    sum = sums.step(sum, v128.load32_splat(input), v128.load(weights));
    weights += next;
    input += 4;
  }
  sum = sums.end(sum);
  if (lanes == 4) {
    v128.store(out, sum);
    return;
  }
  v128.store_lane<u32>(out, sum, 0);
  if (lanes > 1) v128.store_lane<u32>(out + 4, sum, 1);
  if (lanes > 2) v128.store_lane<u32>(out + 8, sum, 2);
}

/** `rows` rows with outputs that do not meet. */
function vectorMatrixRows<T>(out: usize, input: usize, outputs: usize, rows: usize): void {
  let n: usize = 0;
  for (; n + 16 <= outputs; n += 16) {
    let o = out + 4 * n;
    let x = input;
    const w = matrix + 4 * n;
    let r = rows;
    for (; r >= 2; r -= 2) {
      rows2x16<T>(o, x, w);
      o += 2 * outStride;
      x += 2 * inStride;
    }
    if (r > 0) row1x16<T>(o, x, w);
  }
  if (n + 8 <= outputs) {
    let o = out + 4 * n;
    let x = input;
    const w = matrix + 4 * n;
    let r = rows;
    for (; r >= 4; r -= 4) {
      rows4x8<T>(o, x, w);
      o += 4 * outStride;
      x += 4 * inStride;
    }
    for (; r > 0; r--) {
      row1x8<T>(o, x, w);
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
      row1x4<T>(o, x, matrix + 4 * n, lanes);
      o += outStride;
      x += inStride;
    }
  }
}

/** Vector times a K × N matrix. Outputs are added to what stands there if `acc`. */
function vectorMatrix<T>(acc: bool): void {
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
    vectorMatrixRows<T>(out, input, outputs, rows);
    return;
  }
  // All rows have one output, which each overwrites or adds to.
  for (let r = rows; r > 0; r--) {
    vectorMatrixRows<T>(out, input, outputs, 1);
    input += inStride;
  }
}

export function vectorMatrixF32(acc: bool): void {
  vectorMatrix<Floats>(acc);
}

/** 8-bit integers in pairs: inputs and matrix are widened. */
export function vectorMatrixPairs(acc: bool): void {
  vectorMatrix<Pairs>(acc);
}

/** N × K matrix times vector, four outputs at a time. */
export function matrixVectorF32(acc: bool): void {
  const sums = changetype<Floats>(0);
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
        sum = sums.step(sum, v128.load32_splat(input + k), weights);
      }
      v128.store(out + n, sums.end(sum));
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
