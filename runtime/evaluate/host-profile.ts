/** Where the time of this computer goes in an evaluation: by phase, by layer, by instruction. Wall time; what an accelerator would take is in `profile.ts`. */
import type { CompilePhase } from '../../compiler/lower/phases.ts';
import type { Program } from '../../isa/program.ts';
import { instructionCount, sourceOf } from '../../isa/program.ts';
import { printMnemonic } from '../../isa/syntax.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import type { EngineName } from '../engine/engine.ts';
import type { InstructionTime } from '../engine/instruction-times.ts';
import { InstructionTimes } from '../engine/instruction-times.ts';
import type { Machine } from '../machine/machine.ts';
import type { PhaseTime } from './phase-times.ts';
import { PhaseTimes } from './phase-times.ts';
import { instructionMacs, layerOf } from './throughput.ts';

export const EVALUATION_PHASES = {
  read: 'samples: read, decode, preprocess',
  identify: 'hash of the data',
  reset: 'reset of the machine',
  write: 'inputs: layout, conversion, copy',
  model: 'modelled cycles, told once',
  run: 'the program',
  readBack: 'outputs: layout, conversion, copy',
  score: 'accuracy',
  yield: 'event loop',
  other: 'all else',
} as const;
export type EvaluationPhase = keyof typeof EVALUATION_PHASES;

/** Sums over all runs. */
export interface HostTime {
  /** Instructions executed. */
  readonly executions: number;
  readonly seconds: number;
  /** Multiply-accumulates that products executed; null where they cannot be told from addresses. */
  readonly macs: number | null;
}

/** The instructions of one text. */
export interface HostInstruction extends HostTime {
  /** Mnemonic with modifiers, or `SCALARS`, or `ENGINE`. */
  readonly instruction: string;
  /** `kernel`: inside the engine that was chosen. `plain`: one at a time by the plain engine, to which the fast one leaves what it has no kernel for. `host`: no instruction. */
  readonly by: 'kernel' | 'plain' | 'host';
}

/** A layer, whose instructions add up to it. */
export interface HostLayer extends HostTime {
  readonly layer: string;
  /** Nodes of the model that it computes. */
  readonly origin: readonly string[];
  readonly instructions: readonly HostInstruction[];
}

/** Scalar and control instructions inside the fast engine, which are measured between others; they count for the layer of the next one. */
export const SCALARS = 'scalar and control';
/** What a run takes beside its instructions: in and out of the engine, which bytes are initialised. */
export const ENGINE = 'in and out of the engine';

export interface HostProfile {
  readonly engine: EngineName;
  readonly samples: number;
  /** Of the evaluation, from first to last sample. */
  readonly seconds: number;
  /** What reading the clock took of them; it is in no other figure. */
  readonly clock: { readonly readings: number; readonly seconds: number };
  /** They add up to `seconds` less those of the clock. */
  readonly phases: readonly PhaseTime<EvaluationPhase>[];
  /** In the order of the program. They add up to the phase `run`, as do the instructions. */
  readonly layers: readonly HostLayer[];
  readonly instructions: readonly HostInstruction[];
  /** What compiling took. */
  readonly compile: readonly PhaseTime<CompilePhase>[];
}

export class HostProfiler {
  readonly phases: PhaseTimes<EvaluationPhase>;
  readonly times: InstructionTimes;

  /** Takes a clock in seconds. */
  constructor(program: Program, now: () => number) {
    this.phases = new PhaseTimes(now);
    this.times = new InstructionTimes(instructionCount(program), now);
  }

  /** The profile of an evaluation that took `seconds`. The machine is reset. */
  report(
    machine: Machine,
    engine: EngineName,
    samples: number,
    seconds: number,
    compile: readonly PhaseTime<CompilePhase>[] = [],
  ): HostProfile {
    const { times } = this;
    const clock = { readings: times.readings, seconds: times.readings * times.readingSeconds };
    const phases = this.phases.times.map((each) => (each.phase === 'run' ? { ...each, seconds: each.seconds - clock.seconds } : each));
    const sum = phases.reduce((total, phase) => total + phase.seconds, 0);
    const run = phases.find(({ phase }) => phase === 'run');
    machine.reset();
    return {
      engine,
      samples,
      seconds,
      clock,
      phases: [...phases, { phase: 'other', calls: 1, seconds: seconds - clock.seconds - sum }],
      ...attribute(machine, (pc) => times.of(pc), run?.seconds ?? 0, instructionMacs(machine)),
      compile,
    };
  }
}

/** Spreads `runSeconds` over layers and instructions; `macs` are those of one execution of an instruction, by index. */
export function attribute(
  { program, code }: Pick<Machine, 'program' | 'code'>,
  timeOf: (pc: number) => InstructionTime,
  runSeconds: number,
  macs: ReadonlyMap<number, number> | undefined,
): Pick<HostProfile, 'layers' | 'instructions'> {
  const layers = new Map<string, { origin: readonly string[]; instructions: HostInstruction[] }>();
  for (let pc = 0; pc <= code.length; pc++) {
    const rows = rowsOf(timeOf(pc), code[pc]?.instruction, macs && (macs.get(pc) ?? 0)).filter(({ executions }) => executions > 0);
    if (rows.length === 0) continue;
    const layer = layerOf(program, pc);
    const known = layers.get(layer);
    if (known) known.instructions.push(...rows);
    else layers.set(layer, { origin: sourceOf(program, pc)?.origin ?? [], instructions: rows });
  }
  const all = [...layers.values()].flatMap(({ instructions }) => instructions);
  const engine: HostInstruction = { instruction: ENGINE, by: 'host', executions: 0, seconds: runSeconds - sumOf(all).seconds, macs: 0 };
  layers.set(`(${ENGINE})`, { origin: [], instructions: [engine] });
  return {
    layers: [...layers].map(([layer, { origin, instructions }]) => ({
      layer,
      origin,
      ...sumOf(instructions),
      instructions: byText(instructions),
    })),
    instructions: byText([...all, engine]),
  };
}

function rowsOf(time: InstructionTime, instruction: AnyInstruction | undefined, macs: number | undefined): HostInstruction[] {
  const scalars: HostInstruction = { instruction: SCALARS, by: 'kernel', executions: time.scalars, seconds: time.scalarSeconds, macs: 0 };
  if (instruction === undefined) return [scalars];
  const row = (by: HostInstruction['by'], executions: number, seconds: number): HostInstruction => ({
    instruction: printMnemonic(instruction),
    by,
    executions,
    seconds,
    macs: macs === undefined ? null : macs * executions,
  });
  return [scalars, row('kernel', time.executions, time.seconds), row('plain', time.plainExecutions, time.plainSeconds)];
}

export function sumOf(rows: readonly HostTime[]): HostTime {
  return rows.reduce(
    (sum, { executions, seconds, macs }) => ({
      executions: sum.executions + executions,
      seconds: sum.seconds + seconds,
      macs: sum.macs === null || macs === null ? null : sum.macs + macs,
    }),
    { executions: 0, seconds: 0, macs: 0 },
  );
}

/** Rows of the same text and engine as one, the longest first. */
function byText(rows: readonly HostInstruction[]): readonly HostInstruction[] {
  const groups = new Map<string, HostInstruction[]>();
  for (const row of rows) {
    const key = `${row.instruction} ${row.by}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  const merged = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ instruction: first.instruction, by: first.by, ...sumOf(group) }] : [];
  });
  return merged.sort((a, b) => b.seconds - a.seconds);
}
