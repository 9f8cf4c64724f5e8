/**
 * Rows of matrix products, those of columns among them. `in`, `out` and `matrix` are indices of first elements; `inputs` is K, the terms of a sum,
 * and `outputs` N. The sum for each output takes its terms in ascending k, whatever the order of the loops.
 */
import { storeCanonical } from '../../numerics/float.ts';

const round = Math.fround;

export interface ProductRow {
  readonly out: number;
  readonly outputs: number;
  readonly matrix: number;
  readonly in: number;
  readonly inputs: number;
}

/** Vector times a K × N matrix of binary32, added to the accumulators that stand at `out`. */
export function vectorMatrixFloat(x: Float32Array, { out, outputs, matrix, in: input, inputs }: ProductRow): void {
  let k = 0;
  let w = matrix;
  // Four taps a pass, so that an accumulator is loaded and stored once for four terms; their order stays.
  for (; k + 4 <= inputs; k += 4) {
    const x0 = x[input + k] as number;
    const x1 = x[input + k + 1] as number;
    const x2 = x[input + k + 2] as number;
    const x3 = x[input + k + 3] as number;
    for (let n = 0; n < outputs; n++) {
      let sum = round((x[out + n] as number) + round(x0 * (x[w + n] as number)));
      sum = round(sum + round(x1 * (x[w + outputs + n] as number)));
      sum = round(sum + round(x2 * (x[w + 2 * outputs + n] as number)));
      x[out + n] = sum + round(x3 * (x[w + 3 * outputs + n] as number));
    }
    w += 4 * outputs;
  }
  for (; k < inputs; k++) {
    const tap = x[input + k] as number;
    for (let n = 0; n < outputs; n++) x[out + n] = (x[out + n] as number) + round(tap * (x[w + n] as number));
    w += outputs;
  }
  for (let n = out; n < out + outputs; n++) storeCanonical(x, n, x[n] as number);
}

/** N × K matrix of binary32 times vector, added to the accumulators that stand at `out`. */
export function matrixVectorFloat(x: Float32Array, { out, outputs, matrix, in: input, inputs }: ProductRow): void {
  let w = matrix;
  for (let n = 0; n < outputs; n++) {
    let sum = x[out + n] as number;
    for (let k = 0; k < inputs; k++) sum = round(sum + round((x[w + k] as number) * (x[input + k] as number)));
    storeCanonical(x, out + n, sum);
    w += inputs;
  }
}

/** Each column of the matrix with those elements of the vector, which has a row for each tap; added to the accumulators at `out`. */
export function columnsFloat(x: Float32Array, { out, outputs, matrix, in: input, inputs }: ProductRow): void {
  for (let k = 0, at = 0; k < inputs; k++, at += outputs)
    for (let n = 0; n < outputs; n++)
      x[out + n] = (x[out + n] as number) + round((x[input + at + n] as number) * (x[matrix + at + n] as number));
  for (let n = out; n < out + outputs; n++) storeCanonical(x, n, x[n] as number);
}

/** The elements of integer products: of 16 or of 8 bits. A sum of as many as a scratchpad holds is exact in a double. */
type Integers = Int16Array | Int8Array;

/** Vector times a K × N matrix of integers: exact sums. */
export function vectorMatrixSums(x: Integers, { outputs, matrix, in: input, inputs }: ProductRow, sums: Float64Array): void {
  sums.fill(0, 0, outputs);
  for (let k = 0; k < inputs; k++) {
    const tap = x[input + k] as number;
    if (tap === 0) continue;
    const w = matrix + k * outputs;
    for (let n = 0; n < outputs; n++) sums[n] = (sums[n] as number) + tap * (x[w + n] as number);
  }
}

/** N × K matrix of integers times vector: exact sums. */
export function matrixVectorSums(x: Integers, { outputs, matrix, in: input, inputs }: ProductRow, sums: Float64Array): void {
  for (let n = 0; n < outputs; n++) {
    const w = matrix + n * inputs;
    let sum = 0;
    for (let k = 0; k < inputs; k++) sum += (x[w + k] as number) * (x[input + k] as number);
    sums[n] = sum;
  }
}

/** `columnsFloat` of integers: exact sums. */
export function columnsSums(x: Integers, { outputs, matrix, in: input, inputs }: ProductRow, sums: Float64Array): void {
  sums.fill(0, 0, outputs);
  for (let k = 0, at = 0; k < inputs; k++, at += outputs)
    for (let n = 0; n < outputs; n++) sums[n] = (sums[n] as number) + (x[input + at + n] as number) * (x[matrix + at + n] as number);
}
