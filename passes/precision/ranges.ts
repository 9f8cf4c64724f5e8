/** Which part of a value's range its quantized form covers, chosen from a histogram. */
import { HISTOGRAM_BINS } from '../calibration.ts';
import type { ValueStatistics } from '../calibration.ts';

export interface Range {
  readonly low: number;
  readonly high: number;
}

export const RANGE_METHODS = ['minmax', 'percentile', 'mse', 'entropy'] as const;
export type RangeMethod = (typeof RANGE_METHODS)[number];

export interface RangeOptions {
  readonly method: RangeMethod;
  /** Share of the elements that are covered, in percent, for `percentile`. */
  readonly percentile: number;
  /** Whether the range is around zero. */
  readonly symmetric: boolean;
}

/** Levels of 8 bits. */
const STEPS = 255;

/** The range, with zero in it. */
export function chooseRange(statistics: ValueStatistics, options: RangeOptions): Range {
  const whole = rangeOf(statistics.min, statistics.max, options.symmetric);
  if (whole.low === whole.high) return whole;
  switch (options.method) {
    case 'minmax':
      return whole;
    case 'percentile': {
      const { low, high } = percentileRange(statistics, options.percentile);
      return rangeOf(low, high, options.symmetric);
    }
    case 'mse':
      return leastSquares(statistics, whole, options.symmetric);
    case 'entropy': {
      const limit = leastDivergence(statistics);
      return rangeOf(Math.max(statistics.min, -limit), Math.min(statistics.max, limit), options.symmetric);
    }
  }
}

/** The range from low to high with zero in it, or around zero. */
export function rangeOf(low: number, high: number, symmetric: boolean): Range {
  const [least, greatest] = [Math.min(0, low), Math.max(0, high)];
  if (!symmetric) return { low: least, high: greatest };
  const limit = Math.max(-least, greatest);
  return { low: -limit, high: limit };
}

/** The least range that holds both. */
export function hull(a: Range, b: Range): Range {
  return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
}

/** Cuts half of what is not covered off at either end, to the edge of a bin; all of it at the upper one where nothing is negative. */
function percentileRange({ min, max, histogram, count }: ValueStatistics, percentile: number): Range {
  const width = (max - min) / HISTOGRAM_BINS;
  const beyond = (count * (100 - percentile)) / 100;
  const [below, above] = min >= 0 ? [0, beyond] : [beyond / 2, beyond / 2];
  let [first, last] = [0, HISTOGRAM_BINS - 1];
  for (let cut = histogram[first] ?? 0; first < last && cut <= below; cut += histogram[first] ?? 0) first++;
  for (let cut = histogram[last] ?? 0; last > first && cut <= above; cut += histogram[last] ?? 0) last--;
  return { low: first === 0 ? min : min + first * width, high: last === HISTOGRAM_BINS - 1 ? max : min + (last + 1) * width };
}

/** Shares of a bound that are tried. */
const SHARES = Array.from({ length: 81 }, (_, i) => 1 - i / 100);

/** The range with the least mean square of errors: both bounds are drawn in together, then each by itself. The first of equals, which is wider. */
function leastSquares(statistics: ValueStatistics, whole: Range, symmetric: boolean): Range {
  let best = whole;
  let least = Infinity;
  const attempt = (range: Range): void => {
    const error = squaredError(statistics, range, symmetric);
    if (error >= least) return;
    least = error;
    best = range;
  };
  for (const share of SHARES) attempt({ low: whole.low * share, high: whole.high * share });
  if (symmetric || whole.low === 0 || whole.high === 0) return best;
  const { low } = best;
  for (const share of SHARES) attempt({ low, high: whole.high * share });
  const { high } = best;
  for (const share of SHARES) attempt({ low: whole.low * share, high });
  return best;
}

/** The sum of the squared errors of the middles of the bins, quantized to a range. */
export function squaredError({ min, max, histogram }: ValueStatistics, { low, high }: Range, symmetric: boolean): number {
  const width = (max - min) / HISTOGRAM_BINS;
  const scale = (high - low) / (symmetric ? STEPS - 1 : STEPS);
  let sum = 0;
  for (let bin = 0; bin < HISTOGRAM_BINS; bin++) {
    const elements = histogram[bin] as number;
    if (elements === 0) continue;
    const x = min + (bin + 0.5) * width;
    const covered = x < low ? low : x > high ? high : Math.round(x / scale) * scale;
    sum += elements * (x - covered) ** 2;
  }
  return sum;
}

/** Levels that magnitudes are told apart by when divergences are compared. */
const LEVELS = 128;

/**
 * The bound on magnitudes whose quantized distribution diverges least from the one that is clipped to it (Kullback and Leibler): the calibration of
 * S. Migacz, 8-bit Inference with TensorRT, 2017.
 */
function leastDivergence({ min, max, histogram }: ValueStatistics): number {
  const greatest = Math.max(Math.abs(min), Math.abs(max));
  const magnitudes = new Float64Array(HISTOGRAM_BINS);
  const width = (max - min) / HISTOGRAM_BINS;
  histogram.forEach((elements, bin) => {
    const x = Math.abs(min + (bin + 0.5) * width);
    const at = Math.min(HISTOGRAM_BINS - 1, Math.floor((x / greatest) * HISTOGRAM_BINS));
    magnitudes[at] = (magnitudes[at] as number) + elements;
  });
  // Zero is exact in every range, and often so frequent that it would decide alone.
  magnitudes[0] = 0;
  let best = HISTOGRAM_BINS;
  let least = Infinity;
  for (let bins = HISTOGRAM_BINS; bins >= LEVELS; bins -= 8) {
    const divergence = clippedDivergence(magnitudes, bins);
    if (divergence >= least) continue;
    least = divergence;
    best = bins;
  }
  return (best / HISTOGRAM_BINS) * greatest;
}

/** Divergence of the first `bins` bins, in levels, from the same with all that lies beyond in the last of them. */
function clippedDivergence(magnitudes: Float64Array, bins: number): number {
  const reference = magnitudes.slice(0, bins);
  const beyond = magnitudes.subarray(bins).reduce((sum, elements) => sum + elements, 0);
  const levels = new Float64Array(LEVELS);
  const occupied = new Float64Array(LEVELS);
  const levelOf = (bin: number): number => Math.floor((bin * LEVELS) / bins);
  for (let bin = 0; bin < bins; bin++) {
    const elements = reference[bin] as number;
    const level = levelOf(bin);
    levels[level] = (levels[level] as number) + elements;
    if (elements > 0) occupied[level] = (occupied[level] as number) + 1;
  }
  const inside = levels.reduce((sum, elements) => sum + elements, 0);
  const total = inside + beyond;
  reference[bins - 1] = (reference[bins - 1] as number) + beyond;
  let divergence = 0;
  for (let bin = 0; bin < bins; bin++) {
    const p = (reference[bin] as number) / total;
    if (p === 0) continue;
    const level = levelOf(bin);
    const q = (magnitudes[bin] as number) > 0 ? (levels[level] as number) / (occupied[level] as number) / inside : 0;
    divergence += p * Math.log(p / Math.max(q, Number.MIN_VALUE));
  }
  return divergence;
}
