/** What the passes that change element types are made of: patterns, ranges, types. */
import { describe, expect, test } from 'vitest';
import { tensor } from '../../compiler/ir/tensor.ts';
import { parseGraph } from '../../compiler/ir/text.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { HISTOGRAM_BINS, recordedCalibration } from '../../passes/calibration.ts';
import type { ValueStatistics } from '../../passes/calibration.ts';
import { runPipeline } from '../../passes/manager.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { Patterns } from '../../passes/precision/patterns.ts';
import { quantizedType } from '../../passes/precision/quantized-type.ts';
import type { RangeMethod } from '../../passes/precision/ranges.ts';
import { chooseRange } from '../../passes/precision/ranges.ts';
import { fractionFor } from '../../passes/to-dynamic-fixed.ts';
import { isQuantized, quantizationOf } from '../../runtime/numerics/element.ts';
import { evaluatedCalibration, statisticsOf } from '../support/calibration.ts';

const graph = parseGraph(
  `graph @test stage(legal) {
  %x: f32[1,2] = input
  %w: f32[2,2] = constant [1, 2, 3, 4]
  %a.b: f32[1,2] = gemm(%x, %w) from ["/block/fc"]
  %y: f32[1,2] = softmax(%a.b) from ["/head"]
  output "y" = %y
}`,
  { file: 'test' },
);

describe('patterns', () => {
  const chosen = (text: string): readonly string[] => graph.ops.filter((node) => new Patterns(text).matches(node)).map(({ name }) => name);

  test.each([
    ['', []],
    ['gemm', ['a.b']],
    ['a.b', ['a.b']],
    ['a?b', ['a.b']],
    ['/block/*', ['a.b']],
    ['*', ['a.b', 'y']],
    ['soft', []],
    ['aXb', []],
    ['soft*|/block/fc', ['a.b', 'y']],
  ])('%s', (text, expected) => expect(chosen(text)).toEqual(expected));

  test('one that matches nothing is told', () => {
    const { steps } = runPipeline(graph, parsePipeline('reduce-precision{keep=softmax|/blok/*}'));
    expect(steps[0]?.warnings).toEqual(['the pattern /blok/* matches no operation']);
    expect(Object.fromEntries(steps[0]?.statistics ?? [])).toEqual({ 'kept f32': 1, converted: 1, conversions: 1 });
  });
});

/** Statistics with so many elements in the middle of bins. */
function histogram(min: number, max: number, bins: Readonly<Record<number, number>>): ValueStatistics {
  const elements = Array.from({ length: HISTOGRAM_BINS }, (_, i) => bins[i] ?? 0);
  return { count: elements.reduce((a, b) => a + b, 0), min, max, means: [0], histogram: elements };
}

describe('ranges', () => {
  const range = (statistics: ValueStatistics, method: RangeMethod, symmetric = false, percentile = 99): { low: number; high: number } =>
    chooseRange(statistics, { method, percentile, symmetric });

  test('the whole range has zero in it', () => {
    expect(range(histogram(2, 4, { 0: 1, 2047: 1 }), 'minmax')).toEqual({ low: 0, high: 4 });
    expect(range(histogram(-4, -2, { 0: 1, 2047: 1 }), 'minmax')).toEqual({ low: -4, high: 0 });
    expect(range(histogram(-1, 4, { 0: 1, 2047: 1 }), 'minmax', true)).toEqual({ low: -4, high: 4 });
    expect(range(histogram(0, 0, { 0: 5 }), 'mse')).toEqual({ low: 0, high: 0 });
  });

  test('a percentile cuts whole bins at the upper end, or at both', () => {
    const positive = histogram(0, 2048, { 0: 990, 100: 5, 2047: 5 });
    expect(range(positive, 'percentile')).toEqual({ low: 0, high: 1 });
    expect(range(positive, 'percentile', false, 99.5)).toEqual({ low: 0, high: 101 });
    expect(range(positive, 'percentile', false, 100)).toEqual({ low: 0, high: 2048 });
    expect(range(histogram(-1024, 1024, { 0: 5, 1000: 990, 2047: 5 }), 'percentile')).toEqual({ low: -24, high: 0 });
  });

  test('an outlier is worth less than the steps of all others, as long as it is rare', () => {
    const rare = histogram(0, 2048, {
      ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [i, i % 3 === 0 ? 2_000 : 20_000])),
      2047: 1,
    });
    const frequent = histogram(0, 2048, { ...Object.fromEntries(Array.from({ length: 200 }, (_, i) => [i, 1])), 2047: 100 });
    for (const method of ['mse', 'entropy'] as const) {
      expect(range(rare, method).high).toBeLessThan(1024);
      expect(range(rare, method).high).toBeGreaterThanOrEqual(199);
    }
    expect(range(frequent, 'mse').high).toBeGreaterThan(2030);
  });

  test('the least square error is that of all shares of the range', () => {
    const values = Array.from({ length: 4000 }, (_, i) => Math.tan(((i + 0.5) / 4000 - 0.5) * 3));
    const statistics = statisticsOf(values, 1);
    const errorOf = ({ low, high }: { low: number; high: number }): number => {
      const scale = (high - low) / 255;
      return values.reduce((sum, x) => sum + (x - Math.min(high, Math.max(low, Math.round(x / scale) * scale))) ** 2, 0);
    };
    const chosen = range(statistics, 'mse');
    for (let share = 0.2; share <= 1; share += 0.05)
      expect(errorOf(chosen)).toBeLessThanOrEqual(1.02 * errorOf({ low: share * statistics.min, high: share * statistics.max }));
  });
});

describe('types', () => {
  test('cover their range, with zero among the integers', () => {
    for (const [low, high] of [
      [0, 1],
      [-1, 1],
      [-0.001, 6],
      [-3, 0],
      [0, 1e-30],
    ] as const) {
      const { scales, zeroPoint } = quantizationOf(quantizedType({ low, high }, false));
      const [scale = 0] = scales;
      expect((-128 - zeroPoint) * scale).toBeLessThanOrEqual(low + 0.5001 * scale);
      expect((127 - zeroPoint) * scale).toBeGreaterThanOrEqual(high - 0.5001 * scale);
      expect(quantizationOf(quantizedType({ low, high }, true)).zeroPoint).toBe(0);
    }
    expect(quantizationOf(quantizedType({ low: 0, high: 1 }, false))).toEqual({ scales: [Math.fround(1 / 255)], zeroPoint: -128 });
  });

  test('fixed point has as many fraction bits as fit', () => {
    expect(fractionFor({ low: 0, high: 0.5 })).toBe(15);
    expect(fractionFor({ low: -1, high: 0 })).toBe(15);
    expect(fractionFor({ low: 0, high: 1 })).toBe(14);
    expect(fractionFor({ low: -3, high: 2 })).toBe(13);
    expect(fractionFor({ low: 0, high: 1e9 })).toBe(0);
  });
});

describe('scales of weights', () => {
  const axisOf = (value: string, parameters: string): number | undefined => {
    const calibration = evaluatedCalibration([new Map([['x', tensor(tensorType('f32', [1, 2]), Float32Array.of(1, -2))]])]);
    const { graph: quantized } = runPipeline(graph, parsePipeline(`quantize{${parameters}}`), { calibration });
    const product = quantized.node(value);
    const weights = product.kind === 'op' ? quantized.node(product.inputs[1] ?? '').type.element : 'f32';
    return isQuantized(weights) ? quantizationOf(weights).axis : undefined;
  };

  test('are one for each channel, or one for all with exceptions', () => {
    expect(axisOf('a.b', '')).toBe(1);
    expect(axisOf('a.b', 'weights=tensor')).toBeUndefined();
    expect(axisOf('a.b', 'weights=tensor per-channel=/block/*')).toBe(1);
    expect(axisOf('a.b', 'weights=tensor per-channel=/other/*|soft*')).toBeUndefined();
  });

  test('an exception that matches nothing is told', () => {
    const calibration = evaluatedCalibration([new Map([['x', tensor(tensorType('f32', [1, 2]), Float32Array.of(1, -2))]])]);
    const { steps } = runPipeline(graph, parsePipeline('quantize{weights=tensor per-channel=/blok/*}'), { calibration });
    expect(steps[0]?.warnings).toContain('the pattern /blok/* matches no operation');
    const all = runPipeline(graph, parsePipeline('quantize{per-channel=/block/*}'), { calibration });
    expect(all.steps[0]?.warnings).toContain('per-channel has no effect without weights=tensor');
  });
});

describe('statistics', () => {
  test('that nobody gives', () => {
    expect(() => runPipeline(graph, parsePipeline('quantize'))).toThrow('needs calibration statistics');
  });

  test('of another graph are refused by the first value that lacks', () => {
    const known = new Map([
      ['x', statisticsOf([1, 2], 2)],
      ['y', statisticsOf([1, 2], 2)],
    ]);
    const run = (): unknown => runPipeline(graph, parsePipeline('quantize'), { calibration: recordedCalibration(known, 'file') });
    expect(run).toThrow(DiagnosticError);
    expect(run).toThrow('file: has no statistics of %a.b');
    known.set('a.b', statisticsOf([1, 2, 3], 3));
    expect(run).toThrow('has 3 channels of %a.b, which has 2');
  });
});
