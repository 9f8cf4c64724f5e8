/** The plain engine as one of the engines: it can measure what it does. */
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { Advance, MachineOptions } from '../machine/machine.ts';
import { Machine } from '../machine/machine.ts';
import type { InstructionTimes } from './instruction-times.ts';
import type { Home } from './shared-program.ts';
import { machinePlaces } from './shared-program.ts';

export interface EngineOptions extends MachineOptions {
  /** Measures each instruction of runs without observers, for which the clock is read around it. */
  readonly times?: InstructionTimes;
}

export class PlainMachine extends Machine {
  readonly #times: InstructionTimes | undefined;

  /** Throws a MachineError where the program does not verify for the target or needs too much memory. */
  constructor(program: Program, target: Target, options: EngineOptions = {}, home?: Home) {
    super(program, target, options, home && ((layout) => machinePlaces(home, program, layout).storage));
    this.#times = options.times;
  }

  protected override advance(limits: Advance): void {
    if (this.#times === undefined || limits.observers.length > 0) return super.advance(limits);
    const { pc } = this.state;
    const start = this.#times.start();
    super.advance(limits);
    this.#times.endPlain(pc, start);
  }
}
