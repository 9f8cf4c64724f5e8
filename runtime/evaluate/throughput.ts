/** Speed, traffic and energy of a program, which are timed once: they do not depend on data. */
import { instructionCount } from '../../isa/program.ts';
import type { Program } from '../../isa/program.ts';
import { sourceOf } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { peakOperationsPerSecond } from '../../isa/target.ts';
import type { Activity } from '../machine/activity.ts';
import { traceAddresses } from '../machine/addresses.ts';
import { energyOf } from '../machine/energy.ts';
import type { Machine } from '../machine/machine.ts';
import type { CauseCycles } from '../machine/causes.ts';
import type { TimingReport } from '../machine/timing-report.ts';
import type { TimingOptions } from '../machine/timing.ts';
import { TimingModel } from '../machine/timing.ts';

/** Figures of one run of the program, which takes a whole batch, unless they say otherwise. */
export interface TimingFigures {
  readonly cycles: number;
  readonly clockHertz: number;
  /** Batch times clock by cycles. */
  readonly samplesPerSecond: number;
  /** From the first instruction to the last result. */
  readonly latencySeconds: number;
  /** Multiply-accumulates of the model for one sample. */
  readonly macs: number;
  /** Two operations a multiply-accumulate of the model. */
  readonly operationsPerSecond: number;
  /** Peak of the 16-bit datapath, whatever element type the program uses. */
  readonly peakOperationsPerSecond: number;
  /** operationsPerSecond by peakOperationsPerSecond: where f32 runs at a quarter of the 16-bit rate it cannot exceed 0.25. */
  readonly utilization: number;
  /** Cycles by what the critical path is charged to; they add up to `cycles`. */
  readonly stalls: CauseCycles;
  /** Bytes by memory and direction. */
  readonly bytes: Activity['bytes'];
}

export interface SizeFigures {
  readonly instructions: number;
  readonly codeBytes: number;
  /** Constant data of the program: weights and what the compiler made of them. */
  readonly weightBytes: number;
  /** The whole `.cam` file. */
  readonly programBytes: number;
}

/** The graph operation that an instruction belongs to. */
export function layerOf(program: Program, pc: number): string {
  return sourceOf(program, pc)?.node ?? '(frame)';
}

/** A timing model whose layers are the graph operations of a program. */
export function timingModelOf(program: Program, target: Target, options: Pick<TimingOptions, 'skip'> = {}): TimingModel {
  return new TimingModel(target, { ...options, keyOf: (pc) => layerOf(program, pc) });
}

/** Times the program of a machine without computing values, or undefined where only a run can tell: see `traceAddresses`. */
export function timeAddresses(machine: Machine, timing = timingModelOf(machine.program, machine.target)): TimingReport | undefined {
  return traceAddresses(machine, timing) ? timing.report() : undefined;
}

/** Multiply-accumulates of one execution of an instruction, by its index and in the mean; undefined where only a run can tell. */
export function instructionMacs(machine: Machine): ReadonlyMap<number, number> | undefined {
  const timing = new TimingModel(machine.target, { keyOf: String });
  if (!traceAddresses(machine, timing)) return undefined;
  const products = timing.report().layers.filter(({ activity }) => activity.macs > 0);
  return new Map(products.map(({ key, activity }) => [Number(key), activity.macs / activity.instructions]));
}

/** Runs a machine, all of whose inputs are written, and times what it executes. */
export function runObserved(machine: Machine, timing = timingModelOf(machine.program, machine.target)): TimingReport {
  machine.run({ observers: [timing] });
  return timing.report();
}

/** `macs` are those of one sample, `batch` the samples of a run. */
export function timingFigures({ cycles, causes, activity }: TimingReport, target: Target, batch: number, macs: number): TimingFigures {
  const { clockHertz } = target;
  const samplesPerSecond = cycles === 0 ? 0 : (batch * clockHertz) / cycles;
  const operationsPerSecond = 2 * macs * samplesPerSecond;
  const peak = peakOperationsPerSecond(target);
  return {
    cycles,
    clockHertz,
    samplesPerSecond,
    latencySeconds: cycles / clockHertz,
    macs,
    operationsPerSecond,
    peakOperationsPerSecond: peak,
    utilization: operationsPerSecond / peak,
    stalls: causes,
    bytes: activity.bytes,
  };
}

export function joulesPerSample(report: TimingReport, target: Target, batch: number): number {
  return energyOf(report, target).joules / batch;
}

export function sizeFigures(program: Program, programBytes: number): SizeFigures {
  const instructions = instructionCount(program);
  return { instructions, codeBytes: 8 * instructions, weightBytes: program.constants.length, programBytes };
}
