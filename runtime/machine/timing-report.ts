/** What timing reports: cycles, why they pass, how busy the units are, what was done; for the program and for each layer. */
import type { Target } from '../../isa/target.ts';
import type { Activity } from './activity.ts';
import { addActivity, noActivity } from './activity.ts';
import type { Cause, CauseCycles } from './causes.ts';
import { CAUSE_NAMES } from './causes.ts';
import type { Plan, TimedUnit } from './timing-plan.ts';
import { UNITS } from './timing-plan.ts';

/** The share of one layer. Its cycles are those of the critical path that are charged to its instructions. */
export interface LayerTiming {
  readonly key: string;
  readonly cycles: number;
  readonly causes: CauseCycles;
  /** Cycles in which its instructions hold a unit, hidden behind other layers or not. */
  readonly busyCycles: Record<TimedUnit, number>;
  readonly activity: Activity;
}

export interface TimingReport {
  readonly cycles: number;
  readonly seconds: number;
  readonly causes: CauseCycles;
  /** Cycles in which a unit is held; for the scalar unit, cycles in which one of its instructions issues. */
  readonly busyCycles: Record<TimedUnit, number>;
  readonly activity: Activity;
  /** In order of first execution. Cycles, causes, busy cycles and counts add up to those of the program. */
  readonly layers: readonly LayerTiming[];
}

const noBusyCycles = (): Record<TimedUnit, number> => ({ scalar: 0, cache: 0, vector: 0, matrix: 0, dma: 0 });

/**
 * Adds up plans and path shares. `shares` are cycles by label; a label is the index of a layer in `keys` times the number of
 * causes, plus the index of a cause.
 */
export function timingReport(target: Target, keys: Iterable<string>, plans: readonly Plan[], shares: readonly number[]): TimingReport {
  const layers = [...keys].map((key, layer) => layerTiming(key, layer, shares));
  const total = layerTiming(target.name, 0, []);
  for (const { layer, counts, unit, busyCycles } of plans) {
    const { activity, busyCycles: busy } = layers[layer] as LayerTiming;
    counts.addTo(activity);
    busy[unit] += busyCycles;
  }
  let cycles = 0;
  for (const layer of layers) {
    cycles += layer.cycles;
    for (const cause of CAUSE_NAMES) total.causes[cause] += layer.causes[cause];
    for (const unit of UNITS) total.busyCycles[unit] += layer.busyCycles[unit];
    addActivity(total.activity, layer.activity);
  }
  return { ...total, cycles, seconds: cycles / target.clockHertz, layers };
}

function layerTiming(key: string, layer: number, shares: readonly number[]): LayerTiming {
  const of = (cause: Cause): number => shares[layer * CAUSE_NAMES.length + CAUSE_NAMES.indexOf(cause)] ?? 0;
  const causes = Object.fromEntries(CAUSE_NAMES.map((cause) => [cause, of(cause)])) as CauseCycles;
  const cycles = CAUSE_NAMES.reduce((sum, cause) => sum + causes[cause], 0);
  return { key, cycles, causes, busyCycles: noBusyCycles(), activity: noActivity() };
}
