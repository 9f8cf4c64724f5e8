/** Calibration statistics computed in the plainest way, for passes in tests and as a second opinion on those of the engines. */
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import type { CalibrationProvider, ValueStatistics } from '../../passes/calibration.ts';
import { HISTOGRAM_BINS } from '../../passes/calibration.ts';
import type { Sample } from '../../passes/pass.ts';

export function statisticsOf(elements: readonly number[], channels: number): ValueStatistics {
  const [min, max] = [Math.min(...elements), Math.max(...elements)];
  const sums = new Array<number>(channels).fill(0);
  const histogram = new Array<number>(HISTOGRAM_BINS).fill(0);
  elements.forEach((x, i) => {
    sums[i % channels] = (sums[i % channels] ?? 0) + x;
    const bin = max > min ? Math.min(HISTOGRAM_BINS - 1, Math.floor(((x - min) / (max - min)) * HISTOGRAM_BINS)) : 0;
    histogram[bin] = (histogram[bin] ?? 0) + 1;
  });
  return { count: elements.length, min: min + 0, max: max + 0, means: sums.map((sum) => sum / (elements.length / channels)), histogram };
}

/** Statistics of the f32 values of whatever graph is asked for, on samples of its inputs; what is no finite number is taken for zero. */
export function evaluatedCalibration(samples: readonly Sample[]): CalibrationProvider {
  return (graph) => {
    const elements = new Map<string, number[]>();
    for (const sample of samples)
      for (const [name, value] of evaluateGraph(graph, sample, { keep: 'all' })) {
        if (graph.node(name).kind === 'constant' || value.type.element !== 'f32') continue;
        const all = elements.get(name) ?? [];
        elements.set(name, all);
        for (const x of floats(value)) all.push(Number.isFinite(x) ? x : 0);
      }
    return new Map([...elements].map(([name, all]) => [name, statisticsOf(all, graph.node(name).type.shape.at(-1) ?? 1)]));
  };
}
