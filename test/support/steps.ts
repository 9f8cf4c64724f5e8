/** Steps for observers without a machine: programs in assembly, whose scalar control alone is carried out. */
import { assemble } from '../../isa/assembly.ts';
import { resolveAccesses } from '../../isa/accesses.ts';
import { isIllegal } from '../../isa/codec.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import type { Step } from '../../runtime/machine/observer.ts';
import type { StepTimes, TimingOptions } from '../../runtime/machine/timing.ts';
import { TimingModel } from '../../runtime/machine/timing.ts';
import type { TimingReport } from '../../runtime/machine/timing-report.ts';

const MAX_STEPS = 10_000;

/** General-purpose registers with the given values; the others are 0. */
export function registersWith(values: Readonly<Record<number, number>>): Int32Array {
  const registers = new Int32Array(64);
  for (const [register, value] of Object.entries(values)) registers[Number(register)] = value;
  return registers;
}

export function stepOf(pc: number, instruction: AnyInstruction, registers: Int32Array, taken = false): Step {
  return { pc, instruction, accesses: resolveAccesses(instruction, (register) => registers[register] ?? 0), registers, taken };
}

/** Executes SMOVE and SADD and follows CB; all other instructions leave the registers as they are. Returns the branch distance. */
function control({ mnemonic, form, fields }: AnyInstruction, registers: Int32Array): number {
  const operand = (name: string): number => (form === 'immediate' ? fields[name] : registers[fields[name] ?? 0]) ?? 0;
  if (mnemonic === 'SMOVE') registers[fields['result'] ?? 0] = operand('a');
  if (mnemonic === 'SADD') registers[fields['result'] ?? 0] = (registers[fields['a'] ?? 0] ?? 0) + operand('b');
  if (mnemonic === 'CB') return (registers[fields['condition'] ?? 0] ?? 0) > 0 ? operand('target') : 1;
  return 1;
}

/** The executed instructions of an assembly program that starts with these registers. */
export function stepsOf(text: string, values: Readonly<Record<number, number>> = {}): Step[] {
  const { instructions } = assemble(text);
  const registers = registersWith(values);
  const steps: Step[] = [];
  for (let pc = 0; pc < instructions.length;) {
    const instruction = instructions[pc];
    if (instruction === undefined || isIllegal(instruction)) throw new Error(`no instruction at ${pc}`);
    if (steps.length === MAX_STEPS) throw new Error('the program does not end');
    const before = registers.slice();
    const distance = control(instruction, registers);
    steps.push(stepOf(pc, instruction, before, distance !== 1));
    pc += distance;
  }
  return steps;
}

/** Report and stage times of a run. */
export function time(
  steps: readonly Step[],
  target: Target,
  options: TimingOptions = {},
): { readonly report: TimingReport; readonly times: readonly StepTimes[] } {
  const times: StepTimes[] = [];
  const model = new TimingModel(target, { ...options, onStep: (step) => times.push(step) });
  for (const step of steps) model.step(step);
  return { report: model.report(), times };
}

/** A target with some figures changed. */
export function varied(target: Target, changes: { readonly [K in keyof Target]?: Partial<Target[K]> }): Target {
  const copy: Record<string, unknown> = { ...target };
  for (const [group, figures] of Object.entries(changes)) copy[group] = { ...(copy[group] as object), ...(figures as object) };
  return copy as Target;
}
