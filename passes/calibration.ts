/** What passes know of the values that a float graph computes on representative data. */
import { fail } from '../compiler/ir/diagnostic.ts';
import type { Graph } from '../compiler/ir/graph.ts';

/** Bins of a histogram. */
export const HISTOGRAM_BINS = 2048;

/** Statistics of one value over all samples. */
export interface ValueStatistics {
  /** Elements seen. */
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Mean of each channel, that is for each index of the last dimension; one for a scalar. */
  readonly means: readonly number[];
  /** Elements in each of `HISTOGRAM_BINS` bins of one width from min to max; the greatest one is in the last. All are in the first where min is max. */
  readonly histogram: readonly number[];
}

/** By the name of the value. */
export type CalibrationStatistics = ReadonlyMap<string, ValueStatistics>;

/** Gives statistics of all inputs and computed values of a graph that are f32. */
export interface CalibrationProvider {
  (graph: Graph): CalibrationStatistics;
  /** Has those of a graph ready when a pass asks: passes cannot wait, and here an abort can arrive meanwhile. */
  ahead?(graph: Graph, signal?: AbortSignal): Promise<void>;
}

/** The bin of an element in the histogram of a value. */
export function binOf(x: number, min: number, max: number): number {
  return max > min ? Math.min(HISTOGRAM_BINS - 1, Math.floor(((x - min) / (max - min)) * HISTOGRAM_BINS)) : 0;
}

/** The provider of who has no data. */
export const NO_CALIBRATION: CalibrationProvider = () =>
  fail('usage', 'calibration/missing', 'needs calibration statistics, and there are no data to take them from', {
    hint: 'give representative samples, or statistics that `plumbline calibrate` wrote, with --calibration',
  });

/** Statistics that were taken before; what the graph computes must be among them. */
export function recordedCalibration(statistics: CalibrationStatistics, place: string): CalibrationProvider {
  return (graph) => {
    const measured = graph.nodes.filter((node) => node.kind !== 'constant' && node.type.element === 'f32');
    const missing = measured.find((node) => !statistics.has(node.name));
    if (missing)
      fail('invalid', 'calibration/other-graph', `has no statistics of %${missing.name}`, {
        place: [place],
        hint: 'calibrate again with the passes that stand before the one that needs statistics',
      });
    for (const node of measured) {
      const channels = node.type.shape.at(-1) ?? 1;
      const known = statistics.get(node.name)?.means.length;
      if (known !== undefined && known !== channels)
        fail('invalid', 'calibration/other-graph', `has ${known} channels of %${node.name}, which has ${channels}`, { place: [place] });
    }
    return statistics;
  };
}
