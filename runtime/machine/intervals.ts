/** A set of byte addresses as sorted, disjoint, non-adjacent half-open intervals. */
export class Intervals {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  /** Where the last search ended: accesses tend to follow each other. */
  #hint = 0;

  /** Number of intervals. */
  get size(): number {
    return this.#starts.length;
  }

  clear(): void {
    this.#starts.length = 0;
    this.#ends.length = 0;
  }

  /** Adds the bytes from `start` up to but excluding `end`. */
  add(start: number, end: number): void {
    if (start >= end) return;
    const starts = this.#starts;
    const ends = this.#ends;
    const first = this.#firstEndingAtOrAfter(start);
    if (first === starts.length || (starts[first] as number) > end) {
      starts.splice(first, 0, start);
      ends.splice(first, 0, end);
      return;
    }
    let last = first;
    while (last + 1 < starts.length && (starts[last + 1] as number) <= end) last++;
    if (start < (starts[first] as number)) starts[first] = start;
    ends[first] = Math.max(end, ends[last] as number);
    if (last > first) {
      starts.splice(first + 1, last - first);
      ends.splice(first + 1, last - first);
    }
  }

  /** Whether every byte from `start` up to `end` is in the set; an empty range always is. */
  contains(start: number, end: number): boolean {
    return this.firstMissing(start, end) === undefined;
  }

  /** The least address from `start` up to `end` that is not in the set, or undefined. */
  firstMissing(start: number, end: number): number | undefined {
    if (start >= end) return undefined;
    const i = this.#firstEndingAtOrAfter(start + 1);
    if (i === this.#starts.length || (this.#starts[i] as number) > start) return start;
    const reached = this.#ends[i] as number;
    return reached < end ? reached : undefined;
  }

  *[Symbol.iterator](): Generator<readonly [start: number, end: number]> {
    for (let i = 0; i < this.#starts.length; i++) yield [this.#starts[i] as number, this.#ends[i] as number];
  }

  /** Index of the first interval whose end is at least `position`, or the number of intervals. */
  #firstEndingAtOrAfter(position: number): number {
    const ends = this.#ends;
    const hint = this.#hint;
    if (hint < ends.length && (ends[hint] as number) >= position && (hint === 0 || (ends[hint - 1] as number) < position)) return hint;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ends[middle] as number) < position) low = middle + 1;
      else high = middle;
    }
    this.#hint = low;
    return low;
  }
}
