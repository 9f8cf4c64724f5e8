/**
 * Rows of matrix products. `in`, `out` and `matrix` are indices of first elements; `inputs` is K and `outputs` N. The sum for each
 * output takes its terms in ascending k, whatever the order of the loops.
 */
import { roundProductSum } from '../../numerics/fixed.ts';
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

/** Vector times a K × N matrix in fixed point: exact sums in `sums`, each rounded once. */
export function vectorMatrixFixed(
  x: Int16Array,
  { out, outputs, matrix, in: input, inputs }: ProductRow,
  sums: Float64Array,
  fraction: number,
): void {
  sums.fill(0, 0, outputs);
  for (let k = 0; k < inputs; k++) {
    const tap = x[input + k] as number;
    if (tap === 0) continue;
    const w = matrix + k * outputs;
    for (let n = 0; n < outputs; n++) sums[n] = (sums[n] as number) + tap * (x[w + n] as number);
  }
  for (let n = 0; n < outputs; n++) x[out + n] = roundProductSum(sums[n] as number, fraction);
}

/** N × K matrix in fixed point times vector: exact sums, each rounded once. */
export function matrixVectorFixed(x: Int16Array, { out, outputs, matrix, in: input, inputs }: ProductRow, fraction: number): void {
  for (let n = 0; n < outputs; n++) {
    const w = matrix + n * inputs;
    let sum = 0;
    for (let k = 0; k < inputs; k++) sum += (x[w + k] as number) * (x[input + k] as number);
    x[out + n] = roundProductSum(sum, fraction);
  }
}
