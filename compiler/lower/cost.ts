/**
 * The first-order cost model that tiles are chosen by: occupancies of the cost classes of the instruction table (docs/isa.md, "Cost classes"),
 * without bank conflicts and issue. In cycles; counts in elements.
 */
import type { ElementCode } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import { laneCycles, rateOf } from '../../isa/target.ts';

/** A vector instruction over `rows` rows of `size` elements. */
export function vectorCycles(target: Target, element: ElementCode, rows: number, size: number): number {
  return rows * laneCycles(rateOf(target, element), size, target.vector.lanes);
}

/** A product of `rows` input vectors. */
export function productCycles(target: Target, element: ElementCode, rows: number, inputs: number, outputs: number): number {
  const { blocks, lanes } = target.matrix;
  return rows * Math.ceil(outputs / blocks) * laneCycles(rateOf(target, element), inputs, lanes);
}

/** Products of `rows` pixels of so many channels, each by itself, of `taps` taps. */
export function columnCycles(target: Target, element: ElementCode, rows: number, channels: number, taps: number): number {
  return rows * taps * laneCycles(rateOf(target, element), channels, target.vector.lanes);
}

/** A transfer of `rows` rows of `bytes` bytes, its latency not included. */
export function transferCycles({ dma }: Target, rows: number, bytes: number): number {
  return rows * Math.ceil(bytes / dma.bytesPerCycle);
}

/** Scalar instructions that one more trip around a loop takes, about: steps of addresses, the counter, the branch. */
const SCALARS_PER_TRIP = 8;

/** A trip around a loop, during which at least one instruction of a unit is issued. */
export function tripCycles({ issue }: Target): number {
  return issue.frontendCycles + issue.branchCycles + Math.ceil(SCALARS_PER_TRIP / issue.width);
}

/** What the iterations of a tile loop take. */
export interface TileCycles {
  readonly load: number;
  readonly compute: number;
  readonly store: number;
}

/**
 * `tiles` iterations one after the other, `runs` times. With two slots an iteration loads while the one before it computes; what shows is the
 * first load, the last store, and for each iteration the larger of transfers and computation.
 */
export function loopCycles(target: Target, runs: number, tiles: number, slots: 1 | 2, { load, compute, store }: TileCycles): number {
  const first = target.dma.latencyCycles + load;
  const overlapped = first + (tiles - 1) * Math.max(load + store, compute) + compute + store;
  // The addresses of a tile are more work than one trip.
  const trips = 3 * tiles * tripCycles(target);
  return runs * (trips + (slots === 2 && tiles > 1 ? overlapped : tiles * (first + compute + store)));
}

/**
 * Sizes that cut `extent` into tiles as even as can be, one for each number of tiles that makes a difference. First those that divide it, the
 * largest first: counts that vary from tile to tile are more code, so a ragged cut must be worth it.
 */
export function tileSizes(extent: number): readonly number[] {
  const sizes: number[] = [];
  // The fewest tiles of less than the last size.
  for (let size = extent; size >= 1; size = size === 1 ? 0 : Math.ceil(extent / Math.ceil(extent / (size - 1)))) sizes.push(size);
  return [...sizes.filter((size) => extent % size === 0), ...sizes.filter((size) => extent % size !== 0)];
}

/** Divisors of a number, the largest first. */
export function divisors(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => n - i).filter((d) => n % d === 0);
}

/**
 * Whether a cut into finer or ragged tiles, which are tried after coarser ones and are more code, gains enough. At 15 % vgg takes 659 instructions and
 * 143,370 cycles, at 2 % 811 and 146,986: the model is not as sharp as its smallest differences.
 */
export function isWorth(cycles: number, best: number | undefined): boolean {
  return best === undefined || cycles < 0.85 * best;
}
