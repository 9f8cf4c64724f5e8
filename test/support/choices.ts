/**
 * Decisions of a generator, taken from a list of numbers. A property test generates the list; shortening it and making its numbers smaller
 * then shrinks whatever was generated, because a decision beyond the end of the list is always the first alternative.
 */
export class Choices {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  /** An integer from 0 to `count` - 1. */
  below(count: number): number {
    return (this.#numbers[this.#next++] ?? 0) % count;
  }

  /** An integer from `low` to `high`. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in `times`, false at the end of the list. */
  once(times: number): boolean {
    return this.below(times) === times - 1;
  }

  /** One of some alternatives, of which there must be one. */
  pick<T>(alternatives: readonly T[]): T {
    const index = this.below(alternatives.length);
    if (index >= alternatives.length) throw new RangeError('there is nothing to pick from');
    return alternatives[index] as T;
  }
}
