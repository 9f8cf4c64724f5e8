/**
 * The inner loops of products. Each f32 result element is a chain of its own, `sum = fround(sum + fround(x·w))`, in ascending k; looping
 * over the outputs inside keeps that order and still runs several chains at once.
 */

const round = Math.fround;

/** Products over one kind of storage: f32 as the machine computes, or doubles for magnitudes. */
export interface ProductLoops<T> {
  /** `y[n] += Σ_k x[k]·w[k][n]` for `width` outputs and `depth` inputs, `w` having rows of `stride`. */
  row(y: T, yAt: number, width: number, x: T, xAt: number, depth: number, w: T, wAt: number, stride: number): void;
  /** `y[i] += x[i]·w[i]`. */
  each(y: T, yAt: number, width: number, x: T, xAt: number, w: T, wAt: number): void;
}

export const FLOAT_LOOPS: ProductLoops<Float32Array> = {
  row(y, yAt, width, x, xAt, depth, w, wAt, stride) {
    let k = 0;
    for (; k + 3 < depth; k += 4) {
      const [x0, x1, x2, x3] = [x[xAt + k] as number, x[xAt + k + 1] as number, x[xAt + k + 2] as number, x[xAt + k + 3] as number];
      const w0 = wAt + k * stride;
      const w1 = w0 + stride;
      const w2 = w1 + stride;
      const w3 = w2 + stride;
      for (let n = 0; n < width; n++) {
        let sum = round((y[yAt + n] as number) + round(x0 * (w[w0 + n] as number)));
        sum = round(sum + round(x1 * (w[w1 + n] as number)));
        sum = round(sum + round(x2 * (w[w2 + n] as number)));
        y[yAt + n] = round(sum + round(x3 * (w[w3 + n] as number)));
      }
    }
    for (; k < depth; k++) {
      const x0 = x[xAt + k] as number;
      const w0 = wAt + k * stride;
      for (let n = 0; n < width; n++) y[yAt + n] = round((y[yAt + n] as number) + round(x0 * (w[w0 + n] as number)));
    }
  },
  each(y, yAt, width, x, xAt, w, wAt) {
    for (let i = 0; i < width; i++) y[yAt + i] = round((y[yAt + i] as number) + round((x[xAt + i] as number) * (w[wAt + i] as number)));
  },
};

export const WIDE_LOOPS: ProductLoops<Float64Array> = {
  row(y, yAt, width, x, xAt, depth, w, wAt, stride) {
    for (let k = 0; k < depth; k++)
      for (let n = 0; n < width; n++) y[yAt + n] = (y[yAt + n] as number) + (x[xAt + k] as number) * (w[wAt + k * stride + n] as number);
  },
  each(y, yAt, width, x, xAt, w, wAt) {
    for (let i = 0; i < width; i++) y[yAt + i] = (y[yAt + i] as number) + (x[xAt + i] as number) * (w[wAt + i] as number);
  },
};

/** Sizes of `y[M×N] = a[M×K] · b[K×N]`. */
export interface ProductSize {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** One matrix product, the matrices row-major at offsets of their arrays; `y` holds zeros before. */
export function multiply<T>(
  loops: ProductLoops<T>,
  { m, k, n }: ProductSize,
  a: T,
  aAt: number,
  b: T,
  bAt: number,
  y: T,
  yAt: number,
): void {
  for (let i = 0; i < m; i++) loops.row(y, yAt + i * n, n, a, aAt + i * k, k, b, bAt, n);
}

/** `a · bᵀ` in f32 with b stored N×K: four outputs at a time, without transposing b first. */
export function multiplyTransposed({ m, k, n }: ProductSize, a: Float32Array, b: Float32Array, y: Float32Array): void {
  for (let i = 0; i < m; i++) {
    const aAt = i * k;
    let j = 0;
    for (; j + 3 < n; j += 4) {
      const b0 = j * k;
      const [b1, b2, b3] = [b0 + k, b0 + 2 * k, b0 + 3 * k];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let t = 0; t < k; t++) {
        const x = a[aAt + t] as number;
        s0 = round(s0 + round(x * (b[b0 + t] as number)));
        s1 = round(s1 + round(x * (b[b1 + t] as number)));
        s2 = round(s2 + round(x * (b[b2 + t] as number)));
        s3 = round(s3 + round(x * (b[b3 + t] as number)));
      }
      y.set([s0, s1, s2, s3], i * n + j);
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let t = 0; t < k; t++) sum = round(sum + round((a[aAt + t] as number) * (b[j * k + t] as number)));
      y[i * n + j] = sum;
    }
  }
}

/** A rows×columns matrix turned into columns×rows. */
export function transposed<T extends Float32Array | Float64Array>(matrix: T, rows: number, columns: number): T {
  const result = matrix.slice() as T;
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j] as number;
  return result;
}
