/**
 * Energy: counts of a timed program, or of one of its layers, times the prices of the target. Static power is charged by time.
 *
 *     joules = Σ operations · pJ + Σ bytes · pJ + instructions · pJ + static watts · seconds
 *
 * The default prices are the 45 nm table of Horowitz (ISSCC 2014) as EIE (ISCA 2016) quotes it; see `sources` of the target.
 */
import type { Target } from '../../isa/target.ts';
import type { Activity } from './activity.ts';
import { OPERATIONS, OPERATION_TYPES } from './activity.ts';

/** What energy is spent on. */
export const ENERGY_CAUSES = {
  operations: 'arithmetic of the scalar, vector and matrix units',
  dram: 'bytes between main memory and the scratchpads, at main memory',
  vector: 'bytes in and out of the vector scratchpad',
  matrix: 'bytes in and out of the matrix scratchpad',
  cache: 'bytes of scalar loads and stores, at the price of the vector scratchpad: both are small SRAMs',
  instructions: 'fetch, decode and issue',
  static: 'leakage and clock, whatever runs',
} as const;
export type EnergyCause = keyof typeof ENERGY_CAUSES;

export interface EnergyReport {
  /** The sum of `causes` in the order of `ENERGY_CAUSES`. */
  readonly joules: number;
  readonly causes: Readonly<Record<EnergyCause, number>>;
}

const JOULES_PER_PICOJOULE = 1e-12;

/** Joules of `activity` that took `cycles`: a `TimingReport` or one of its layers. */
export function energyOf({ activity, cycles }: { readonly activity: Activity; readonly cycles: number }, target: Target): EnergyReport {
  const { energy, clockHertz } = target;
  const { bytes, instructions } = activity;
  const price = (memory: keyof Activity['bytes'], picojoules: number): number =>
    (bytes[memory].read + bytes[memory].write) * picojoules * JOULES_PER_PICOJOULE;
  const causes: Record<EnergyCause, number> = {
    operations: operationPicojoules(activity, target) * JOULES_PER_PICOJOULE,
    dram: price('dram', energy.dramByte),
    vector: price('vector', energy.vectorByte),
    matrix: price('matrix', energy.matrixByte),
    cache: price('cache', energy.vectorByte),
    instructions: instructions * energy.instruction * JOULES_PER_PICOJOULE,
    static: (energy.staticWatts * cycles) / clockHertz,
  };
  return { joules: Object.values(causes).reduce((sum, joules) => sum + joules, 0), causes };
}

function operationPicojoules({ operations }: Activity, { energy }: Target): number {
  let picojoules = 0;
  for (const type of OPERATION_TYPES)
    for (const operation of OPERATIONS) picojoules += operations[type][operation] * (energy.operations[type]?.[operation] ?? 0);
  return picojoules;
}
