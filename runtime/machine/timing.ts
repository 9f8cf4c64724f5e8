/**
 * Timing: an observer that says when each executed instruction would be fetched, issued, dispatched and done, and why.
 *
 * A max-plus recurrence in program order: every time is a maximum of earlier times plus constants, and all arbitration is in
 * program order, so a faster part never makes a program slower. Rules, formulas and assumptions: `docs/timing.md`.
 */
import type { AnyInstruction } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import type { AddressStep, Observer } from './observer.ts';
import type { StepTimes } from './recurrence.ts';
import { EVENTS_PER_INSTRUCTION, Recurrence } from './recurrence.ts';
import { MOST_SHAPES, Shapes } from './shapes.ts';
import type { Plan } from './timing-plan.ts';
import { makePlan } from './timing-plan.ts';
import type { TimingReport } from './timing-report.ts';
import { timingReport } from './timing-report.ts';
import { Turn } from './turn.ts';
import { MOST_TURNS, Turns } from './turns.ts';

export type { StepTimes } from './recurrence.ts';

export interface TimingOptions {
  /** Name of the layer that an instruction belongs to. Without it the whole program is one layer, named as the target. */
  readonly keyOf?: (pc: number) => string;
  /** Is told the times of each instruction, in program order. */
  readonly onStep?: (times: StepTimes) => void;
  /** Whether turns of loops that repeat earlier ones are recognised instead of timed: a matter of speed, not of results. Not with `onStep`. */
  readonly skip?: boolean;
  /** Events kept between two collections of the path: a matter of memory and speed, not of results. */
  readonly pathCapacity?: number;
}

/** Times the instructions it is shown. `report` may be called at any point, and again. */
export class TimingModel implements Observer {
  private readonly target: Target;
  private readonly keyOf: (pc: number) => string;
  private readonly onStep: ((times: StepTimes) => void) | undefined;
  private readonly recurrence: Recurrence;
  private readonly turns: Turns | undefined;
  private readonly shapes: Shapes;
  /** What was shown and is not timed yet. */
  private readonly turn = new Turn();
  private lastPc = -1;
  /** By program counter. */
  private readonly plans: Plan[] = [];
  private readonly allPlans: Plan[] = [];
  private readonly layers = new Map<string, number>();

  constructor(target: Target, options: TimingOptions = {}) {
    this.target = target;
    this.keyOf = options.keyOf ?? (() => target.name);
    this.onStep = options.onStep;
    this.recurrence = new Recurrence(target, options.onStep, options.pathCapacity);
    this.turns = options.onStep !== undefined || options.skip === false ? undefined : new Turns(this.recurrence);
    this.shapes = new Shapes(target);
  }

  /** Instructions that were not timed themselves because they repeat others. */
  get skipped(): number {
    return this.turns?.skipped ?? 0;
  }

  step({ pc, instruction, accesses }: AddressStep): void {
    if (pc <= this.lastPc || this.turn.full) this.passTurn(true);
    this.lastPc = pc;
    let plan = this.plans[pc];
    if (plan?.instruction !== instruction) plan = this.plan(pc, instruction);
    const shape = this.shapes.of(plan, accesses);
    this.turn.add(shape, this.shapes.conflict(shape, accesses), accesses);
    if (this.onStep !== undefined) this.passTurn(false);
  }

  /** Cycles, causes and counts of what was shown so far. */
  report(): TimingReport {
    this.passTurn(false);
    this.turns?.catchUp();
    this.settle();
    return timingReport(this.target, this.layers.keys(), this.allPlans, this.recurrence.path.sharesOf(this.recurrence.frontier));
  }

  private plan(pc: number, instruction: AnyInstruction): Plan {
    const key = this.keyOf(pc);
    const layer = this.layers.get(key) ?? this.layers.size;
    this.layers.set(key, layer);
    const plan = makePlan(pc, instruction, this.target, layer, this.recurrence.dependences);
    this.plans[pc] = plan;
    this.allPlans.push(plan);
    return plan;
  }

  /** Times what was shown. `whole` tells whether it is a turn that may come again. */
  private passTurn(whole: boolean): void {
    const { turn, turns, recurrence } = this;
    if (turn.length === 0) return;
    if (turns !== undefined) turns.pass(turn, whole);
    else {
      recurrence.makeRoom(turn.length * EVENTS_PER_INSTRUCTION);
      recurrence.run(turn);
    }
    turn.clear();
    if (this.shapes.size > MOST_SHAPES || (turns !== undefined && turns.size > MOST_TURNS)) this.forget();
  }

  /** Adds to the plans what was counted apart from them. */
  private settle(): void {
    this.turns?.settle();
    for (const { shapes } of this.allPlans) shapes.settle();
  }

  /** Keeps memory bounded: what was kept to be met again is dropped. */
  private forget(): void {
    this.turns?.forget();
    this.settle();
    for (const { shapes } of this.allPlans) shapes.clear();
    this.shapes.size = 0;
  }
}
