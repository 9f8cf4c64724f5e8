/** Where the time of a program goes, layer by layer: which does not depend on data. */
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { Activity } from '../machine/activity.ts';
import { MEMORIES } from '../machine/activity.ts';
import { energyOf } from '../machine/energy.ts';
import { FastMachine } from '../engine/fast-machine.ts';
import type { Machine } from '../machine/machine.ts';
import type { CauseCycles } from '../machine/causes.ts';
import { CAUSE_NAMES } from '../machine/causes.ts';
import type { LayerTiming, TimingReport } from '../machine/timing-report.ts';
import { TimingModel } from '../machine/timing.ts';
import { runObserved, timeAddresses, timingModelOf } from './throughput.ts';

export const PROFILE_SCHEMA = 'plumbline.profile/1';

/** One operation of the graph. Its cycles are those of the critical path that its instructions are charged with. */
export interface LayerProfile {
  readonly layer: string;
  /** Nodes of the model that it computes. */
  readonly origin: readonly string[];
  readonly cycles: number;
  /** Of all cycles. */
  readonly share: number;
  readonly stalls: CauseCycles;
  /** Cycles in which a unit is held, by the layer's cycles: above 1 where work hides behind other layers'. */
  readonly busy: Readonly<Record<'matrix' | 'vector' | 'dma', number>>;
  /** Cycles that the layer takes at least: the longest of what the matrix unit, the vector unit and the DMA channel have to do without a stall. */
  readonly roofCycles: number;
  /** roofCycles by cycles. */
  readonly ofRoof: number;
  readonly macs: number;
  readonly instructions: number;
  readonly bytes: Activity['bytes'];
  readonly joules: number;
}

export interface Profile {
  readonly schema: typeof PROFILE_SCHEMA;
  readonly model: string;
  readonly target: string;
  readonly passes: string;
  readonly cycles: number;
  readonly joules: number;
  readonly layers: readonly LayerProfile[];
}

/** Times a program, on zeros where that takes data. Cycles, instructions, bytes and joules of the layers add up to the program's. */
export function profileProgram(program: Program, target: Target, { model, passes }: { model: string; passes: string }): Profile {
  const { cycles, layers } = timeProgram(program, target, () => timingModelOf(program, target));
  const profiled = layers.map((layer) => profileLayer(layer, cycles, program, target));
  return {
    schema: PROFILE_SCHEMA,
    model,
    target: target.name,
    passes,
    cycles,
    joules: profiled.reduce((sum, { joules }) => sum + joules, 0),
    layers: profiled,
  };
}

/** One static instruction, or several together. */
export interface InstructionProfile {
  readonly executions: number;
  readonly macs: number;
  /** Cycles of the critical path that it is charged with, and what they go to. */
  readonly cycles: number;
  readonly stalls: CauseCycles;
  /** Cycles in which it holds its unit, hidden behind others or not. */
  readonly busyCycles: number;
  readonly bytes: Activity['bytes'];
  readonly joules: number;
}

export interface ProgramInstructions {
  readonly cycles: number;
  /** The instructions that are executed. Cycles, executions, bytes and joules add up to the program's. */
  readonly byAddress: ReadonlyMap<number, InstructionProfile>;
}

/** Times a program instruction by instruction. */
export function profileInstructions(program: Program, target: Target): ProgramInstructions {
  const { cycles, layers } = timeProgram(program, target, () => new TimingModel(target, { keyOf: String }));
  const entries = layers.map(({ key, ...each }) => {
    const profile: InstructionProfile = {
      executions: each.activity.instructions,
      macs: each.activity.macs,
      cycles: each.cycles,
      stalls: each.causes,
      busyCycles: Object.values(each.busyCycles).reduce((sum, busy) => sum + busy, 0),
      bytes: each.activity.bytes,
      joules: energyOf(each, target).joules,
    };
    return [Number(key), profile] as const;
  });
  return { cycles, byAddress: new Map(entries) };
}

/** Instructions together. */
export function addInstructions(profiles: readonly InstructionProfile[]): InstructionProfile {
  const sum = (of: (profile: InstructionProfile) => number): number => profiles.reduce((total, profile) => total + of(profile), 0);
  return {
    executions: sum(({ executions }) => executions),
    macs: sum(({ macs }) => macs),
    cycles: sum(({ cycles }) => cycles),
    stalls: Object.fromEntries(CAUSE_NAMES.map((cause) => [cause, sum(({ stalls }) => stalls[cause])])) as CauseCycles,
    busyCycles: sum(({ busyCycles }) => busyCycles),
    bytes: Object.fromEntries(
      MEMORIES.map((memory) => [memory, { read: sum(({ bytes }) => bytes[memory].read), write: sum(({ bytes }) => bytes[memory].write) }]),
    ) as Activity['bytes'],
    joules: sum(({ joules }) => joules),
  };
}

/** Times a program in a model made for it, on zeros where its course depends on data. */
function timeProgram(program: Program, target: Target, timing: () => TimingModel): TimingReport {
  const machine = new FastMachine(program, target);
  return timeAddresses(machine, timing()) ?? timeOnZeros(machine, timing());
}

function timeOnZeros(machine: Machine, timing: TimingModel): TimingReport {
  for (const { name, shape, element } of machine.program.inputs) {
    const elements = shape.reduce((product, dimension) => product * dimension, 1);
    machine.writeInput(name, element === 'f32' ? new Float32Array(elements) : new Int16Array(elements));
  }
  return runObserved(machine, timing);
}

function profileLayer(layer: LayerTiming, total: number, program: Program, target: Target): LayerProfile {
  const { key, cycles, causes, busyCycles, activity } = layer;
  const ratio = (part: number): number => (cycles === 0 ? 0 : part / cycles);
  // Conflicts between banks are charged to the units that they hold up; a layer without them would be as fast as its busiest unit.
  const roofCycles = Math.max(busyCycles.matrix, busyCycles.vector - causes.bankConflict, busyCycles.dma, 0);
  return {
    layer: key,
    origin: program.debug.find(({ node }) => node === key)?.origin ?? [],
    cycles,
    share: total === 0 ? 0 : cycles / total,
    stalls: causes,
    busy: { matrix: ratio(busyCycles.matrix), vector: ratio(busyCycles.vector), dma: ratio(busyCycles.dma) },
    roofCycles,
    ofRoof: ratio(roofCycles),
    macs: activity.macs,
    instructions: activity.instructions,
    bytes: activity.bytes,
    joules: energyOf(layer, target).joules,
  };
}
