/** What became of random models, counted. */
import type { Outcome, Status } from './model-relation.ts';
import { STATUSES, VARIANT_NAMES } from './model-relation.ts';

export class ModelTally {
  readonly #counts = new Map<string, number>();
  readonly #reasons = new Map<string, number>();
  readonly #kinds = new Set<string>();
  /** A line for each model that is wrong. */
  readonly failures: string[] = [];

  /** Counts a model's outcomes; whether it is wrong in a way that no earlier one was. */
  add(model: number, outcomes: readonly Outcome[]): boolean {
    let isNew = false;
    for (const { variant, status, reason } of outcomes) {
      increment(this.#counts, `${variant} ${status}`);
      if (status === 'refused') increment(this.#reasons, reason);
      if (status !== 'wrong' && status !== 'crashed') continue;
      const kind = `${status} ${reason.replaceAll(/'[^']*'|%\S+|-?\d[\d.e+-]*|NaN/g, '#')}`;
      isNew ||= !this.#kinds.has(kind);
      this.#kinds.add(kind);
    }
    const failed = outcomes.filter(({ status }) => status === 'wrong' || status === 'crashed');
    const [first] = failed;
    if (first)
      this.failures.push(
        `model ${model}: ${failed.map(({ variant }) => variant).join(', ')}: ${first.status}: ${first.reason.slice(0, 200)}`,
      );
    return isNew;
  }

  count(variant: string, status: Status): number {
    return this.#counts.get(`${variant} ${status}`) ?? 0;
  }

  /** By variant, how many ended in each way. */
  rows(): readonly (readonly string[])[] {
    return VARIANT_NAMES.map((variant) => [variant, ...STATUSES.map((status) => String(this.count(variant, status)))]);
  }

  /** Codes of refusals, frequent ones first. */
  reasons(): readonly (readonly string[])[] {
    return [...this.#reasons].sort(([, a], [, b]) => b - a).map(([reason, count]) => [reason, String(count)]);
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
