/**
 * Timing: an observer that says when each executed instruction would be fetched, issued, dispatched and done, and why.
 *
 * A max-plus recurrence in program order: every time is a maximum of earlier times plus constants, and all arbitration is in
 * program order, so a faster part never makes a program slower. Rules, formulas and assumptions: `docs/timing.md`.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import { Occupancy } from './costs.ts';
import type { PathEvent } from './critical-path.ts';
import { CriticalPath, Latest, NEVER, ORIGIN } from './critical-path.ts';
import { Dependences, offerDependences } from './dependences.ts';
import type { Operand } from './dependences.ts';
import type { AddressStep, Observer } from './observer.ts';
import type { Plan } from './timing-plan.ts';
import { NO_REGISTER, UNITS, makePlan } from './timing-plan.ts';
import type { TimingReport } from './timing-report.ts';
import { CAUSE_NAMES, timingReport } from './timing-report.ts';

const MATRIX = CAUSE_NAMES.indexOf('matrix');
const VECTOR = CAUSE_NAMES.indexOf('vector');
const SCALAR = CAUSE_NAMES.indexOf('scalar');
const DRAM_BANDWIDTH = CAUSE_NAMES.indexOf('dramBandwidth');
const DRAM_LATENCY = CAUSE_NAMES.indexOf('dramLatency');
const PIPELINE_DEPTH = CAUSE_NAMES.indexOf('pipelineDepth');
const BANK_CONFLICT = CAUSE_NAMES.indexOf('bankConflict');
const BRANCH = CAUSE_NAMES.indexOf('branch');
const REGISTER_WAIT = CAUSE_NAMES.indexOf('registerWait');
const QUEUE_FULL = CAUSE_NAMES.indexOf('queueFull');
const ISSUE = CAUSE_NAMES.indexOf('issue');

/** More events than one step adds to the path. */
const EVENTS_PER_STEP = 16;
const REGISTERS = 64;
const NO_ACCESSES: readonly ResolvedAccess[] = [];

/** When one executed instruction passed each stage, in cycles from the start of the program. */
export interface StepTimes {
  readonly pc: number;
  readonly fetch: number;
  readonly issue: number;
  /** Start of execution; the issue itself on the scalar unit. */
  readonly dispatch: number;
  /** The unit is free again; on the scalar unit, the result is there. */
  readonly end: number;
  /** The results are there. */
  readonly result: number;
}

export interface TimingOptions {
  /** Name of the layer that an instruction belongs to. Without it the whole program is one layer, named as the target. */
  readonly keyOf?: (pc: number) => string;
  /** Is told the times of each instruction, in program order. */
  readonly onStep?: (times: StepTimes) => void;
  /** Events kept between two collections of the path: a matter of memory and speed, not of results. */
  readonly pathCapacity?: number;
}

/** The event `length` pushes ago. */
class Lag {
  readonly events: Int32Array;
  private next = 0;

  constructor(length: number) {
    this.events = new Int32Array(length).fill(NEVER);
  }

  get oldest(): PathEvent {
    return this.events[this.next] as number;
  }

  push(event: PathEvent): void {
    this.events[this.next] = event;
    this.next = this.next + 1 === this.events.length ? 0 : this.next + 1;
  }
}

/** Times the instructions it is shown. `report` may be called at any point, and again. */
export class TimingModel implements Observer {
  private readonly target: Target;
  private readonly keyOf: (pc: number) => string;
  private readonly onStep: ((times: StepTimes) => void) | undefined;
  private readonly path: CriticalPath;
  private readonly latest: Latest;
  private readonly dependences = new Dependences();
  private readonly occupancy: Occupancy;
  /** By program counter. */
  private readonly plans: Plan[] = [];
  private readonly allPlans: Plan[] = [];
  private readonly layers = new Map<string, number>();

  /** Fetches and issues `width` ago, issues `issueQueue` ago, dispatches `memoryQueue` ago. */
  private readonly fetches: Lag;
  private readonly issues: Lag;
  private readonly issueQueue: Lag;
  private readonly memoryQueue: Lag;
  /** When the latest value of each register is ready. */
  private readonly registers = new Int32Array(REGISTERS).fill(NEVER);
  /** By unit, the end of its last occupancy. */
  private readonly unitEnds = new Int32Array(UNITS.length).fill(NEVER);
  private lastFetch: PathEvent = ORIGIN;
  private lastIssue: PathEvent = ORIGIN;
  private lastDispatch: PathEvent = NEVER;
  /** Issue of the branch just before the next instruction. */
  private branchIssue: PathEvent = NEVER;
  /** The latest completion. */
  private frontier: PathEvent = ORIGIN;
  /** What bound the last fetch and the last issue: the front end, and the step from issue to dispatch, are charged to it. */
  private fetchCause = ISSUE;
  private issueCause = ISSUE;
  /** Last cycle in which a scalar instruction issued. */
  private lastScalarCycle = -1;

  constructor(target: Target, options: TimingOptions = {}) {
    this.target = target;
    this.keyOf = options.keyOf ?? (() => target.name);
    this.onStep = options.onStep;
    this.path = new CriticalPath(options.pathCapacity);
    this.latest = new Latest(this.path);
    this.occupancy = new Occupancy(target);
    this.fetches = new Lag(target.issue.width);
    this.issues = new Lag(target.issue.width);
    this.issueQueue = new Lag(target.issue.issueQueue);
    this.memoryQueue = new Lag(target.issue.memoryQueue);
  }

  step({ pc, instruction, accesses }: AddressStep): void {
    if (!this.path.room(EVENTS_PER_STEP)) this.collect();
    let plan = this.plans[pc];
    if (plan?.instruction !== instruction) plan = this.plan(pc, instruction);
    const label = plan.layer * CAUSE_NAMES.length;
    this.fetch(label);
    this.issue(plan, label);
    if (plan.unit === 'scalar') this.execute(plan, label);
    else this.dispatch(plan, label, accesses);
  }

  /** Cycles, causes and counts of what was shown so far. */
  report(): TimingReport {
    return timingReport(this.target, this.layers.keys(), this.allPlans, this.path.sharesOf(this.frontier));
  }

  private plan(pc: number, instruction: AnyInstruction): Plan {
    const key = this.keyOf(pc);
    const layer = this.layers.get(key) ?? this.layers.size;
    this.layers.set(key, layer);
    const plan = makePlan(pc, instruction, this.target, layer, this.dependences);
    this.plans[pc] = plan;
    this.allPlans.push(plan);
    return plan;
  }

  private fetch(label: number): void {
    const { latest } = this;
    latest.begin(this.lastFetch, 0, this.fetchCause);
    latest.offer(this.fetches.oldest, 1, ISSUE);
    latest.offer(this.branchIssue, this.target.issue.branchCycles, BRANCH);
    latest.offer(this.issueQueue.oldest, 0, QUEUE_FULL);
    this.lastFetch = latest.take(label);
    this.fetchCause = latest.tag;
    this.fetches.push(this.lastFetch);
    this.branchIssue = NEVER;
  }

  private issue({ sources, unit, branches }: Plan, label: number): void {
    const { latest } = this;
    latest.begin(this.lastIssue, 0, this.issueCause);
    latest.offer(this.issues.oldest, 1, ISSUE);
    latest.offer(this.lastFetch, this.target.issue.frontendCycles, this.fetchCause);
    for (const source of sources) latest.offer(this.registers[source] as number, 0, REGISTER_WAIT);
    if (unit !== 'scalar') latest.offer(this.memoryQueue.oldest, 0, QUEUE_FULL);
    this.lastIssue = latest.take(label);
    this.issueCause = latest.tag;
    this.issues.push(this.lastIssue);
    this.issueQueue.push(this.lastIssue);
    if (branches) this.branchIssue = this.lastIssue;
  }

  /** Control and scalar instructions start at issue; the scalar unit is pipelined. */
  private execute(plan: Plan, label: number): void {
    const cycle = this.path.timeOf(this.lastIssue);
    if (cycle !== this.lastScalarCycle) plan.busyCycles++;
    this.lastScalarCycle = cycle;
    plan.counts.add(NO_ACCESSES, 1);
    const result = this.path.after(this.lastIssue, label + SCALAR, plan.latency);
    this.complete(plan, this.lastIssue, result, result);
  }

  /** The others go through the memory queue, in order, to a unit that is free and to memory that is ready. */
  private dispatch(plan: Plan, label: number, accesses: readonly ResolvedAccess[]): void {
    const { latest, path } = this;
    latest.begin(this.lastIssue, 1, this.issueCause);
    latest.offer(this.lastDispatch, 1, ISSUE);
    const horizon = latest.time;
    latest.offer(this.unitEnds[plan.unitIndex] as number, 0, ISSUE);
    for (let i = 0; i < accesses.length; i++) {
      const access = accesses[i] as ResolvedAccess;
      if (access.rows > 0) offerDependences(plan.operands[i] as Operand, access, ISSUE, latest);
    }
    this.lastDispatch = latest.take(label);
    this.memoryQueue.push(this.lastDispatch);
    const end = this.occupy(plan, label, accesses);
    const result = this.finish(plan, label, end);
    const endTime = path.timeOf(end);
    const resultTime = path.timeOf(result);
    for (let i = 0; i < accesses.length; i++) {
      const access = accesses[i] as ResolvedAccess;
      if (access.rows === 0) continue;
      const { own } = plan.operands[i] as Operand;
      if (access.mode === 'read') own.add(access, end, endTime, horizon);
      else own.add(access, result, resultTime, horizon);
    }
    this.complete(plan, this.lastDispatch, end, result);
  }

  /** Holds the unit; returns the end of the occupancy, which is the dispatch itself if there is nothing to do. */
  private occupy(plan: Plan, label: number, accesses: readonly ResolvedAccess[]): PathEvent {
    const { path, occupancy } = this;
    const start = this.lastDispatch;
    let end: PathEvent;
    if (plan.unit === 'cache') {
      plan.counts.add(accesses, 0);
      end = path.after(start, label + SCALAR, 1);
    } else {
      occupancy.measure(plan.cost, accesses, plan.sliceCycles);
      plan.counts.add(accesses, occupancy.elements);
      const cause = plan.unit === 'matrix' ? MATRIX : plan.unit === 'vector' ? VECTOR : DRAM_BANDWIDTH;
      end = path.after(start, label + cause, occupancy.work);
      end = path.after(end, label + BANK_CONFLICT, occupancy.conflict);
      end = path.after(end, label + PIPELINE_DEPTH, occupancy.carried);
    }
    plan.busyCycles += path.timeOf(end) - path.timeOf(start);
    this.unitEnds[plan.unitIndex] = end;
    return end;
  }

  /** From the end of the occupancy to the results. */
  private finish({ unit, latency }: Plan, label: number, end: PathEvent): PathEvent {
    const { path, target } = this;
    if (end === this.lastDispatch) return end;
    if (unit === 'vector') return path.after(end, label + PIPELINE_DEPTH, target.vector.depthCycles);
    if (unit === 'matrix') return path.after(end, label + PIPELINE_DEPTH, target.matrix.depthCycles);
    if (unit === 'dma') return path.after(end, label + DRAM_LATENCY, target.dma.latencyCycles);
    return path.after(end, label + SCALAR, latency - 1);
  }

  private complete({ pc, result: register }: Plan, start: PathEvent, end: PathEvent, result: PathEvent): void {
    const { path } = this;
    if (register !== NO_REGISTER) this.registers[register] = result;
    if (path.timeOf(result) > path.timeOf(this.frontier)) this.frontier = result;
    this.onStep?.({
      pc,
      fetch: path.timeOf(this.lastFetch),
      issue: path.timeOf(this.lastIssue),
      dispatch: path.timeOf(start),
      end: path.timeOf(end),
      result: path.timeOf(result),
    });
  }

  /** Makes room in the path. Events that can no longer bind are let go, so that the paths of the others soon share a trunk. */
  private collect(): void {
    const fetched = this.path.timeOf(this.lastFetch);
    const issued = this.path.timeOf(this.lastIssue);
    this.expire(this.fetches.events, fetched - 1);
    this.expire(this.issueQueue.events, fetched);
    this.expire(this.issues.events, issued - 1);
    const rings = [this.fetches.events, this.issueQueue.events, this.issues.events];
    const dispatched = Int32Array.of(this.lastDispatch);
    const expiring = [dispatched, this.memoryQueue.events, this.registers, this.unitEnds];
    for (const events of expiring) this.expire(events, issued);
    const lasting = Int32Array.of(this.lastFetch, this.lastIssue, this.branchIssue, this.frontier);
    this.path.collect([lasting, ...rings, ...expiring, ...this.dependences.inFlight(issued)]);
    this.lastDispatch = dispatched[0] as number;
    this.lastFetch = lasting[0] as number;
    this.lastIssue = lasting[1] as number;
    this.branchIssue = lasting[2] as number;
    this.frontier = lasting[3] as number;
  }

  /** Lets go of the events up to `horizon`. */
  private expire(events: Int32Array, horizon: number): void {
    for (let i = 0; i < events.length; i++) if (this.path.timeOf(events[i] as number) <= horizon) events[i] = NEVER;
  }
}
