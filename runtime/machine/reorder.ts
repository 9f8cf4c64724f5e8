/** The elements of an array in another order of its dimensions, a few at a time so that both sides stay in the caches. */

/** A dimension, or several that stay together, and how far apart its elements are on both sides, in elements. */
interface Run {
  readonly extent: number;
  readonly from: number;
  readonly to: number;
}

/** Elements along the second of the two innermost runs that are moved before the next ones of the first. */
const BLOCK = 64;

export class Reorder {
  /** From the outermost; the last two are moved by one loop nest. */
  readonly #runs: readonly Run[];

  private constructor(runs: readonly Run[]) {
    this.#runs = runs;
  }

  /**
   * From a row-major array of `shape` to the one whose dimension i is dimension `permutation[i]`; undefined where the order is the same.
   */
  static of(shape: readonly number[], permutation: readonly number[]): Reorder | undefined {
    const strides = rowMajor(shape);
    const toStrides = rowMajor(permutation.map((dimension) => shape[dimension] ?? 1));
    const runs: Run[] = [];
    for (const [i, dimension] of permutation.entries()) {
      const run = { extent: shape[dimension] ?? 1, from: strides[dimension] ?? 1, to: toStrides[i] ?? 1 };
      const outer = runs.at(-1);
      if (run.extent === 1) continue;
      // Two that are side by side on both sides are one.
      if (outer?.from === run.extent * run.from) runs.splice(-1, 1, { ...run, extent: outer.extent * run.extent });
      else runs.push(run);
    }
    if (runs.length < 2) return undefined;
    // The one whose elements are side by side where they come from is moved together with the one whose elements are so where they go.
    const source = runs.reduce((least, run) => (run.from < least.from ? run : least));
    const last = runs.at(-1) as Run;
    return new Reorder(source === last ? runs : [...runs.filter((run) => run !== source && run !== last), source, last]);
  }

  /** The same elements back in the order that they came from. */
  inverse(): Reorder {
    return new Reorder(this.#runs.map(({ extent, from, to }) => ({ extent, from: to, to: from })));
  }

  /** Moves all elements; `from` and `to` are the positions of the first ones. */
  apply(source: Int32Array, from: number, target: Int32Array, to: number): void {
    this.#outer(0, source, from, target, to);
  }

  #outer(depth: number, source: Int32Array, from: number, target: Int32Array, to: number): void {
    const run = this.#runs[depth] as Run;
    const inner = this.#runs[depth + 1] as Run;
    if (depth === this.#runs.length - 2) return moveBlocks(source, from, target, to, run, inner);
    for (let i = 0; i < run.extent; i++) this.#outer(depth + 1, source, from + i * run.from, target, to + i * run.to);
  }
}

function rowMajor(shape: readonly number[]): readonly number[] {
  let stride = 1;
  const strides = shape.map(() => 1);
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i] as number;
  }
  return strides;
}

/** Four elements of one run for each of the other: twice as fast as one, because what is read and written once is used while it is near. */
function moveBlocks(source: Int32Array, from: number, target: Int32Array, to: number, a: Run, b: Run): void {
  const { from: bFrom, to: bTo } = b;
  const { from: aFrom, to: aTo } = a;
  for (let first = 0; first < a.extent; first += BLOCK) {
    const count = Math.min(BLOCK, a.extent - first);
    let j = 0;
    for (; j + 4 <= b.extent; j += 4) {
      let f = from + first * aFrom + j * bFrom;
      let t = to + first * aTo + j * bTo;
      for (let i = 0; i < count; i++) {
        target[t] = source[f] as number;
        target[t + bTo] = source[f + bFrom] as number;
        target[t + 2 * bTo] = source[f + 2 * bFrom] as number;
        target[t + 3 * bTo] = source[f + 3 * bFrom] as number;
        f += aFrom;
        t += aTo;
      }
    }
    // Images often have three channels.
    for (; j + 3 <= b.extent; j += 3) {
      let f = from + first * aFrom + j * bFrom;
      let t = to + first * aTo + j * bTo;
      for (let i = 0; i < count; i++) {
        target[t] = source[f] as number;
        target[t + bTo] = source[f + bFrom] as number;
        target[t + 2 * bTo] = source[f + 2 * bFrom] as number;
        f += aFrom;
        t += aTo;
      }
    }
    for (; j < b.extent; j++) {
      let f = from + first * aFrom + j * bFrom;
      let t = to + first * aTo + j * bTo;
      for (let i = 0; i < count; i++) {
        target[t] = source[f] as number;
        f += aFrom;
        t += aTo;
      }
    }
  }
}
