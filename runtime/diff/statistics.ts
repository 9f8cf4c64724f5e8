/** The numbers that a tensor holds, described. */

export interface ValueStatistics {
  readonly elements: number;
  /** Over finite elements; 0 where there are none. */
  readonly minimum: number;
  readonly maximum: number;
  readonly mean: number;
  readonly deviation: number;
  /** Share of elements that are zero. */
  readonly zeros: number;
  /** Elements that are NaN or infinite. */
  readonly nonFinite: number;
}

export function describeValues(parts: readonly Float64Array[]): ValueStatistics {
  let [elements, finite, sum, squares, zeros] = [0, 0, 0, 0, 0];
  let [minimum, maximum] = [Infinity, -Infinity];
  for (const part of parts) {
    elements += part.length;
    for (const x of part) {
      if (!Number.isFinite(x)) continue;
      finite++;
      sum += x;
      squares += x * x;
      if (x === 0) zeros++;
      if (x < minimum) minimum = x;
      if (x > maximum) maximum = x;
    }
  }
  const mean = finite === 0 ? 0 : sum / finite;
  return {
    elements,
    minimum: finite === 0 ? 0 : minimum,
    maximum: finite === 0 ? 0 : maximum,
    mean,
    deviation: finite === 0 ? 0 : Math.sqrt(Math.max(0, squares / finite - mean * mean)),
    zeros: elements === 0 ? 0 : zeros / elements,
    nonFinite: elements - finite,
  };
}

export interface Bin {
  /** Values from `low` up to `high`, which the last bin includes. */
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Finite elements counted in bins of equal width from the least to the greatest; one bin where all are equal, none where there are none. */
export function histogram(parts: readonly Float64Array[], bins: number): readonly Bin[] {
  const { minimum, maximum, elements, nonFinite } = describeValues(parts);
  if (elements === nonFinite) return [];
  const count = minimum === maximum ? 1 : bins;
  const width = (maximum - minimum) / count;
  const counts = new Array<number>(count).fill(0);
  for (const part of parts)
    for (const x of part) {
      if (!Number.isFinite(x)) continue;
      const bin = width > 0 ? Math.min(count - 1, Math.floor((x - minimum) / width)) : 0;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
  return counts.map((each, i) => ({ low: minimum + i * width, high: i === count - 1 ? maximum : minimum + (i + 1) * width, count: each }));
}
