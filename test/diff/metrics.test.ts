/** Each figure, reckoned by hand. */
import { describe, expect, it } from 'vitest';
import { tensorType } from '../../compiler/ir/types.ts';
import { fromNumbers, numbers } from '../../passes/contract/compare.ts';
import { gridOf, stepsOf } from '../../runtime/diff/grid.ts';
import type { ErrorMetrics } from '../../runtime/diff/metrics.ts';
import { ErrorStatistics, decibels } from '../../runtime/diff/metrics.ts';
import { describeValues, histogram } from '../../runtime/diff/statistics.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';

const gridFor = (element: ElementType) => gridOf(tensorType(element, []));

function metrics(expected: readonly number[], actual: readonly number[], element: ElementType = 'f32'): ErrorMetrics {
  const statistics = new ErrorStatistics(gridFor(element));
  statistics.add(Float64Array.from(expected), Float64Array.from(actual));
  return statistics.metrics();
}

describe('grids', () => {
  it('of fixed point are uniform and end at 16 bits', () => {
    const { step, low, high } = gridFor('fx16.8');
    expect([step(0), step(100), low, high]).toEqual([1 / 256, 1 / 256, -128, 127.99609375]);
  });

  it('of floats double from power to power, and no further below the least normal number', () => {
    const { step, high } = gridFor('f16');
    expect([step(1), step(1.99), step(2), step(-3), high]).toEqual([2 ** -10, 2 ** -10, 2 ** -9, 2 ** -9, 65504]);
    expect([step(0), step(2 ** -14), step(2 ** -20)]).toEqual([2 ** -24, 2 ** -24, 2 ** -24]);
    expect([gridFor('bf16').step(1), gridFor('f8e4m3').high, gridFor('f8e5m2').step(1), gridFor('f32').step(1)]).toEqual([
      2 ** -7,
      448,
      0.25,
      2 ** -23,
    ]);
  });

  it('of integers are the integers of their width', () => {
    const ends = (['i8', 'u8', 'i4', 'i1'] as const).map((element) => [gridFor(element).low, gridFor(element).high]);
    expect(ends).toEqual([
      [-128, 127],
      [0, 255],
      [-8, 7],
      [0, 1],
    ]);
  });

  it('are encoded to with the rounding of the type', () => {
    const type = tensorType('fx16.2', [5]);
    expect(fromNumbers(type, Float64Array.of(0.124, 0.126, -0.25, 1e9, NaN)).data).toEqual(Int16Array.of(0, 1, -1, 32767, 0));
    expect(() => fromNumbers(tensorType('i1', [1]), Float64Array.of(1))).toThrow(/i1/);
    const channels = tensorType('i8<axis=1:0.5 2>', [2, 2, 1]);
    expect(fromNumbers(channels, Float64Array.of(3, 3, -1, 400)).data).toEqual(Int8Array.of(6, 2, -2, 127));
  });

  it('of a scale for each channel have the steps of each, and the coarsest as a whole', () => {
    const channels = tensorType('i8<axis=1:0.5 2>', [2, 2, 1]);
    expect([0, 1, 2, 3].map((i) => stepsOf(channels)(0, i))).toEqual([0.5, 2, 0.5, 2]);
    expect(gridOf(channels).step(0)).toBe(2);
  });
});

describe('errors', () => {
  it('are none where the tensors are equal', () => {
    expect(metrics([3, -4], [3, -4])).toMatchObject({ sqnrDecibels: Infinity, cosine: 1, maximumError: 0, rmse: 0, meanError: 0 });
  });

  it('of 3, 4 that became 3, 5', () => {
    const { sqnrDecibels, cosine, maximumError, rmse, meanError, elements } = metrics([3, 4], [3, 5]);
    expect(sqnrDecibels).toBeCloseTo(10 * Math.log10(25 / 1), 12);
    expect(cosine).toBeCloseTo(29 / Math.sqrt(25 * 34), 12);
    expect([maximumError, meanError, elements]).toEqual([1, 0.5, 2]);
    expect(rmse).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('are counted in steps of the type', () => {
    const { maximumSteps, rmseSteps } = metrics([1, 1], [1.5, 1], 'fx16.2');
    expect(maximumSteps).toBe(2);
    expect(rmseSteps).toBeCloseTo(Math.SQRT2, 12);
    // The root mean square of 4 and 4 is 4, where numbers of f16 stand 2^-8 apart.
    expect(metrics([4, 4], [4, 4 + 2 ** -7], 'f16').maximumSteps).toBe(2);
  });

  it('are not counted in steps where that was not asked for', () => {
    const statistics = new ErrorStatistics(gridFor('f32'), false);
    statistics.add(Float64Array.of(1), Float64Array.of(2));
    expect(statistics.metrics()).toMatchObject({ maximumError: 1, rmse: 1 });
    expect(statistics.metrics()).not.toHaveProperty('maximumSteps');
    expect(statistics.metrics()).not.toHaveProperty('rmseSteps');
  });

  it('of values rounded once have 0.289 steps rms', () => {
    const expected = Array.from({ length: 10_000 }, (_, i) => Math.sin(i) * 10);
    const { data } = fromNumbers(tensorType('fx16.8', [10_000]), Float64Array.from(expected));
    const { rmseSteps, maximumSteps } = metrics(
      expected,
      Array.from(data as Int16Array, (x) => x / 256),
      'fx16.8',
    );
    expect(rmseSteps).toBeGreaterThan(0.28);
    expect(rmseSteps).toBeLessThan(0.298);
    expect(maximumSteps).toBeLessThanOrEqual(0.5);
  });

  it('count what is clamped, and what became zero', () => {
    // 200 and -200 do not fit; 127.99609375 is the greatest number and no error.
    const expected = [200, -200, 127.99609375, 0.001, 0];
    const actual = [127.99609375, -128, 127.99609375, 0, 0];
    expect(metrics(expected, actual, 'fx16.8')).toMatchObject({ saturated: 0.4, zeroed: 0.2 });
    // A scale whose multiples are no binary32 numbers.
    const stored = numbers(fromNumbers(tensorType('i8<0.02279604,-128>', [3]), Float64Array.of(6, -1, 1)));
    expect(metrics([6, -1, 1], Array.from(stored), 'i8<0.02279604,-128>').saturated).toBeCloseTo(2 / 3, 12);
  });

  it('are infinite where a number became none, and count what is not one any more', () => {
    const found = metrics([1, 2, Infinity, NaN], [NaN, 2, Infinity, NaN]);
    expect(found).toMatchObject({ nonFinite: 1, sqnrDecibels: -Infinity, maximumError: Infinity, rmse: Infinity });
    expect(metrics([Infinity], [1])).toMatchObject({ nonFinite: 1 });
  });

  it('add up over samples', () => {
    const statistics = new ErrorStatistics(gridFor('f32'));
    statistics.add(Float64Array.of(3), Float64Array.of(3));
    statistics.add(Float64Array.of(4), Float64Array.of(5));
    expect(statistics.metrics()).toEqual(metrics([3, 4], [3, 5]));
  });

  it('cannot be of tensors of other sizes', () => {
    expect(() => metrics([1], [1, 2])).toThrow(RangeError);
  });

  it('in decibels', () => {
    expect([decibels(100, 1), decibels(1, 0), decibels(0, 1), decibels(1, Infinity)]).toEqual([20, Infinity, -Infinity, -Infinity]);
  });
});

describe('values', () => {
  it('are described by their finite elements', () => {
    const parts = [Float64Array.of(0, 2, NaN), Float64Array.of(-4, 2)];
    expect(describeValues(parts)).toMatchObject({ elements: 5, minimum: -4, maximum: 2, mean: 0, zeros: 0.2, nonFinite: 1 });
    expect(describeValues(parts).deviation).toBeCloseTo(Math.sqrt(24 / 4), 12);
    expect(describeValues([])).toMatchObject({ elements: 0, minimum: 0, maximum: 0 });
  });

  it('are counted in bins of which the last holds the greatest', () => {
    expect(histogram([Float64Array.of(0, 1, 2, 3, 4, Infinity)], 2)).toEqual([
      { low: 0, high: 2, count: 2 },
      { low: 2, high: 4, count: 3 },
    ]);
    expect(histogram([Float64Array.of(7, 7)], 16)).toEqual([{ low: 7, high: 7, count: 2 }]);
    expect(histogram([Float64Array.of(NaN)], 16)).toEqual([]);
  });
});
