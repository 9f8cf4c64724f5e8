/** Accuracy of classification, with its uncertainty. */

/** A proportion and its 95 % interval. */
export interface Proportion {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The 0.975 quantile of the normal distribution. */
export const NORMAL_QUANTILE = 1.959963984540054;

/** Wilson's score interval (Wilson 1927) of `hits` among `trials`; trials must be positive. */
export function wilson(hits: number, trials: number): Proportion {
  const value = hits / trials;
  const square = (NORMAL_QUANTILE * NORMAL_QUANTILE) / trials;
  const centre = (value + square / 2) / (1 + square);
  const half = (NORMAL_QUANTILE / (1 + square)) * Math.sqrt((value * (1 - value)) / trials + square / (4 * trials));
  // At the ends the interval touches 0 or 1 exactly, which rounding would miss.
  return { value, low: hits === 0 ? 0 : centre - half, high: hits === trials ? 1 : centre + half };
}

/**
 * How many classes rank before `label`: those with a larger score, and those with an equal score and a lower index, so that ties are resolved
 * to the lowest index. A class whose score is NaN ranks last and before none.
 */
export function rankOf(scores: ArrayLike<number>, label: number): number {
  const own = scores[label] ?? NaN;
  if (Number.isNaN(own)) return scores.length;
  let rank = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (score > own || (score === own && i < label)) rank++;
  }
  return rank;
}

/** The class that ranks first; -1 if every score is NaN. */
export function argmax(scores: ArrayLike<number>): number {
  let best = -1;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] as number;
    if (!Number.isNaN(score) && (best < 0 || score > (scores[best] as number))) best = i;
  }
  return best;
}

/** Counts how often the right class ranks first, and among the first five. */
export class Accuracy {
  samples = 0;
  #top1 = 0;
  #top5 = 0;

  add(scores: ArrayLike<number>, label: number): void {
    const rank = rankOf(scores, label);
    this.samples++;
    if (rank < 1) this.#top1++;
    if (rank < 5) this.#top5++;
  }

  get top1(): Proportion {
    return wilson(this.#top1, this.samples);
  }

  get top5(): Proportion {
    return wilson(this.#top5, this.samples);
  }
}
