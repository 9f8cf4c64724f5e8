/**
 * Products of integers, whose sums are exact. With weights in pairs one multiplication makes two terms of an output. In 16 bits a pair of terms can
 * exceed 32 bits, but only where a weight is the least integer: such matrices take the kernels without pairs.
 */
import { access } from './accesses';
import { roundProductSum } from './fixed';
import { pairedMatrix } from './pairs';

/** The operands of a product while it executes: pointers, and distances in bytes. */
let matrix: usize = 0;
let pitch: usize = 0;
let inputs: usize = 0;
let accumulates: bool = false;
let outStride: usize = 0;
let inStride: usize = 0;

/** Products of up to this many terms have exact sums in the plain engine's doubles, as they have in 64 bits. */
const MOST_INPUTS: i64 = 1 << 22;

/** Whether the sums of a product of 16-bit integers are exact in both engines. */
export function isExact(): bool {
  return access(2).rowBytes >> 1 <= MOST_INPUTS;
}

/** Sums that are rounded to fixed point. */
@unmanaged
class Rounded {
  shift(): usize {
    return 1;
  }
  end(out: usize, sum: i64): void {
    store<i16>(out, roundProductSum(sum));
  }
  end2(out: usize, sums: v128): void {
    store<i16>(out, roundProductSum(i64x2.extract_lane(sums, 0)));
    store<i16>(out, roundProductSum(i64x2.extract_lane(sums, 1)), 2);
  }
}

/** Accumulators of 64 bits. */
@unmanaged
class Long {
  shift(): usize {
    return 3;
  }
  end(out: usize, sum: i64): void {
    store<i64>(out, accumulates ? load<i64>(out) + sum : sum);
  }
  end2(out: usize, sums: v128): void {
    v128.store(out, accumulates ? i64x2.add(v128.load(out), sums) : sums);
  }
}

/** Eight outputs of a row. */
function row1x8<T>(out: usize, input: usize, weights: usize): void {
  const sums = changetype<T>(0);
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
  const step: usize = 2 << sums.shift();
  sums.end2(out, a);
  sums.end2(out + step, b);
  sums.end2(out + 2 * step, c);
  sums.end2(out + 3 * step, d);
}

/** Two rows, eight outputs, weights in pairs. */
function pairs2x8<T>(out: usize, input: usize, weights: usize): void {
  const sums = changetype<T>(0);
  const next = pitch << 1;
  const stride = inStride;
  let a0 = i64x2.splat(0);
  let a1 = i64x2.splat(0);
  let a2 = i64x2.splat(0);
  let a3 = i64x2.splat(0);
  let b0 = i64x2.splat(0);
  let b1 = i64x2.splat(0);
  let b2 = i64x2.splat(0);
  let b3 = i64x2.splat(0);
  for (let k = (inputs + 1) >> 1; k > 0; k--) {
    const x = v128.load32_splat(input);
    const y = v128.load32_splat(input + stride);
    let w = v128.load(weights);
    let terms = i32x4.dot_i16x8_s(x, w);
    a0 = i64x2.add(a0, i64x2.extend_low_i32x4_s(terms));
    a1 = i64x2.add(a1, i64x2.extend_high_i32x4_s(terms));
    terms = i32x4.dot_i16x8_s(y, w);
    b0 = i64x2.add(b0, i64x2.extend_low_i32x4_s(terms));
    b1 = i64x2.add(b1, i64x2.extend_high_i32x4_s(terms));
    w = v128.load(weights, 16);
    terms = i32x4.dot_i16x8_s(x, w);
    a2 = i64x2.add(a2, i64x2.extend_low_i32x4_s(terms));
    a3 = i64x2.add(a3, i64x2.extend_high_i32x4_s(terms));
    terms = i32x4.dot_i16x8_s(y, w);
    b2 = i64x2.add(b2, i64x2.extend_low_i32x4_s(terms));
    b3 = i64x2.add(b3, i64x2.extend_high_i32x4_s(terms));
    weights += next;
    input += 4;
  }
  const step: usize = 2 << sums.shift();
  sums.end2(out, a0);
  sums.end2(out + step, a1);
  sums.end2(out + 2 * step, a2);
  sums.end2(out + 3 * step, a3);
  sums.end2(out + outStride, b0);
  sums.end2(out + outStride + step, b1);
  sums.end2(out + outStride + 2 * step, b2);
  sums.end2(out + outStride + 3 * step, b3);
}

/** One row, eight outputs, weights in pairs. */
function pairs1x8<T>(out: usize, input: usize, weights: usize): void {
  const sums = changetype<T>(0);
  const next = pitch << 1;
  let a = i64x2.splat(0);
  let b = i64x2.splat(0);
  let c = i64x2.splat(0);
  let d = i64x2.splat(0);
  for (let k = (inputs + 1) >> 1; k > 0; k--) {
    const x = v128.load32_splat(input);
    let terms = i32x4.dot_i16x8_s(x, v128.load(weights));
    a = i64x2.add(a, i64x2.extend_low_i32x4_s(terms));
    b = i64x2.add(b, i64x2.extend_high_i32x4_s(terms));
    terms = i32x4.dot_i16x8_s(x, v128.load(weights, 16));
    c = i64x2.add(c, i64x2.extend_low_i32x4_s(terms));
    d = i64x2.add(d, i64x2.extend_high_i32x4_s(terms));
    weights += next;
    input += 4;
  }
  const step: usize = 2 << sums.shift();
  sums.end2(out, a);
  sums.end2(out + step, b);
  sums.end2(out + 2 * step, c);
  sums.end2(out + 3 * step, d);
}

/** The exact sum of a row of inputs with weights that are `next` bytes apart. */
function sumOf(input: usize, weights: usize, next: usize): i64 {
  let sum: i64 = 0;
  for (let k = inputs; k > 0; k--) {
    sum += <i64>(<i32>load<i16>(input) * <i32>load<i16>(weights));
    weights += next;
    input += 2;
  }
  return sum;
}

/** `rows` rows with outputs that do not meet. `pairs` is where the weights stand in pairs; 0 if they do not. */
function vectorMatrixRows<T>(out: usize, input: usize, pairs: usize, rows: usize): void {
  const sums = changetype<T>(0);
  const shift = sums.shift();
  let n: usize = 0;
  for (; n + 16 <= pitch; n += 16) {
    let o = out + ((n >> 1) << shift);
    let x = input;
    let r = rows;
    for (; pairs != 0 && r >= 2; r -= 2) {
      pairs2x8<T>(o, x, pairs + 2 * n);
      o += 2 * outStride;
      x += 2 * inStride;
    }
    for (; r > 0; r--) {
      if (pairs != 0) pairs1x8<T>(o, x, pairs + 2 * n);
      else row1x8<T>(o, x, matrix + n);
      o += outStride;
      x += inStride;
    }
  }
  for (; n < pitch; n += 2) {
    let o = out + ((n >> 1) << shift);
    let x = input;
    for (let r = rows; r > 0; r--) {
      sums.end(o, sumOf(x, matrix + n, pitch));
      o += outStride;
      x += inStride;
    }
  }
}

function vectorMatrix<T>(acc: bool): void {
  const out = access(0).pointer;
  let input = access(2).pointer;
  const rows = <usize>access(0).rows;
  matrix = access(1).pointer;
  pitch = ((<usize>access(0).rowBytes) >> changetype<T>(0).shift()) << 1;
  inputs = <usize>(access(2).rowBytes >> 1);
  accumulates = acc;
  outStride = <usize>access(0).stride;
  inStride = <usize>access(2).stride;
  const pairs = pairedMatrix(access(1), 2, inputs, pitch >> 1);
  if (rows == 1 || outStride != 0) {
    vectorMatrixRows<T>(out, input, pairs, rows);
    return;
  }
  // All rows have one output, which each overwrites or adds to.
  for (let r = rows; r > 0; r--) {
    vectorMatrixRows<T>(out, input, pairs, 1);
    input += inStride;
  }
}

/** N × K matrix times vector. */
function matrixVector<T>(acc: bool): void {
  const sums = changetype<T>(0);
  const shift = sums.shift();
  const outputs = (<usize>access(0).rowBytes) >> shift;
  const inBytes = <usize>access(2).rowBytes;
  let out = access(0).pointer;
  let input = access(2).pointer;
  inputs = inBytes >> 1;
  accumulates = acc;
  for (let r = <usize>access(0).rows; r > 0; r--) {
    let w = access(1).pointer;
    for (let n: usize = 0; n < outputs; n++) {
      sums.end(out + (n << shift), sumOf(input, w, 2));
      w += inBytes;
    }
    out += <usize>access(0).stride;
    input += <usize>access(2).stride;
  }
}

export function vectorMatrixFixed(): void {
  vectorMatrix<Rounded>(false);
}

export function matrixVectorFixed(): void {
  matrixVector<Rounded>(false);
}

export function vectorMatrixLong(acc: bool): void {
  vectorMatrix<Long>(acc);
}

export function matrixVectorLong(acc: bool): void {
  matrixVector<Long>(acc);
}

/** N × K matrix of 8-bit integers times vector: sums of 32 bits, which wrap. */
export function matrixVectorBytes(acc: bool): void {
  const outBytes = <usize>access(0).rowBytes;
  const inBytes = <usize>access(2).rowBytes;
  let out = access(0).pointer;
  let input = access(2).pointer;
  for (let r = <usize>access(0).rows; r > 0; r--) {
    let w = access(1).pointer;
    for (let n: usize = 0; n < outBytes; n += 4) {
      let sums = i32x4.splat(0);
      let k: usize = 0;
      for (; k + 8 <= inBytes; k += 8) sums = i32x4.add(sums, i32x4.dot_i16x8_s(v128.load8x8_s(input + k), v128.load8x8_s(w + k)));
      let sum = i32x4.extract_lane(sums, 0) + i32x4.extract_lane(sums, 1) + i32x4.extract_lane(sums, 2) + i32x4.extract_lane(sums, 3);
      for (; k < inBytes; k++) sum += <i32>load<i8>(input + k) * <i32>load<i8>(w + k);
      store<i32>(out + n, acc ? load<i32>(out + n) + sum : sum);
      w += inBytes;
    }
    out += <usize>access(0).stride;
    input += <usize>access(2).stride;
  }
}
