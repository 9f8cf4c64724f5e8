/**
 * The recurrence itself: what each executed instruction waits for at fetch, issue and dispatch. Rules and formulas: `docs/timing.md`.
 *
 * All that later instructions can depend on can be saved: events that are not yet behind every later maximum.
 */
import type { Target } from '../../isa/target.ts';
import { CAUSE_INDEX } from './causes.ts';
import type { PathEvent } from './critical-path.ts';
import { CriticalPath, Latest, NEVER, ORIGIN } from './critical-path.ts';
import { Binding, Dependences, UNBOUND } from './dependences.ts';
import type { Operand } from './dependences.ts';
import type { Shape } from './shapes.ts';
import type { Snapshot } from './snapshot.ts';
import type { Plan } from './timing-plan.ts';
import { NO_REGISTER, UNITS } from './timing-plan.ts';
import type { Turn } from './turn.ts';

/** More events than one instruction adds to the path. */
export const EVENTS_PER_INSTRUCTION = 8;
const REGISTERS = 64;
const NONE = new Int32Array(0);
const { branch: BRANCH, bankConflict: BANK_CONFLICT, issue: ISSUE, pipelineDepth: PIPELINE_DEPTH } = CAUSE_INDEX;
const { queueFull: QUEUE_FULL, registerWait: REGISTER_WAIT } = CAUSE_INDEX;

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

  /** Notes the events that are later than `floor`, each under `slot` plus how many pushes came after the oldest. */
  save(into: Snapshot, slot: number, floor: number): void {
    const { events, next } = this;
    for (let i = next; i < events.length; i++) into.add(slot + i - next, events[i] as number, floor);
    for (let i = 0; i < next; i++) into.add(slot + events.length - next + i, events[i] as number, floor);
  }

  /** The reverse of `save`. */
  load(from: Snapshot, slot: number): void {
    this.next = 0;
    from.read(this.events, slot);
  }
}

/** Slots of single events; `branch` is the issue of a branch just before the next instruction, `frontier` the latest completion. */
const LAST_FETCH = 0;
const LAST_ISSUE = 1;
const LAST_DISPATCH = 2;
const LAST_BRANCH = 3;
const FRONTIER = 4;
const SINGLES = 5;
/** Where the slots of what there are several of begin; queues and claims follow. */
const UNIT_SLOTS = SINGLES;
const REGISTER_SLOTS = UNIT_SLOTS + UNITS.length;
const FETCH_SLOTS = REGISTER_SLOTS + REGISTERS;

export class Recurrence {
  readonly path: CriticalPath;
  readonly dependences = new Dependences();
  private readonly target: Target;
  private readonly onStep: ((times: StepTimes) => void) | undefined;
  private readonly latest: Latest;
  private readonly binding = new Binding();

  /** Fetches and issues `width` ago, issues `issueQueue` ago, dispatches `memoryQueue` ago. */
  private readonly fetches: Lag;
  private readonly issues: Lag;
  private readonly issueQueue: Lag;
  private readonly memoryQueue: Lag;
  private readonly single = new Int32Array(SINGLES).fill(NEVER);
  /** When the latest value of each register is ready. */
  private readonly registers = new Int32Array(REGISTERS).fill(NEVER);
  /** By unit, the end of its last occupancy. */
  private readonly unitEnds = new Int32Array(UNITS.length).fill(NEVER);
  /** What bound the last fetch and the last issue: the front end, and the step from issue to dispatch, are charged to it. */
  private fetchCause = ISSUE;
  private issueCause = ISSUE;
  /** Last cycle in which a scalar instruction issued. */
  private lastScalarCycle = -1;

  constructor(target: Target, onStep: ((times: StepTimes) => void) | undefined, pathCapacity: number | undefined) {
    this.target = target;
    this.onStep = onStep;
    this.path = new CriticalPath(pathCapacity);
    this.latest = new Latest(this.path);
    this.fetches = new Lag(target.issue.width);
    this.issues = new Lag(target.issue.width);
    this.issueQueue = new Lag(target.issue.issueQueue);
    this.memoryQueue = new Lag(target.issue.memoryQueue);
    this.single[LAST_FETCH] = this.single[LAST_ISSUE] = this.single[FRONTIER] = ORIGIN;
  }

  get frontier(): PathEvent {
    return this.single[FRONTIER] as number;
  }

  /** Times a turn, for which the path has room. Returns how many entries `turn.bindings` has then. */
  run(turn: Turn): number {
    let range = 0;
    let compared = 0;
    for (let i = 0; i < turn.length; i++) {
      const shape = turn.shapes[i] as Shape;
      const { plan } = shape;
      this.fetch(plan);
      this.issue(plan);
      if (plan.unit === 'scalar') this.execute(plan, turn, i);
      else {
        this.dispatch(shape, turn, i, range, compared);
        range += shape.operands.length;
        compared += shape.comparisons;
      }
      shape.executions++;
      plan.busyCycles += turn.busy[i] as number;
    }
    return compared;
  }

  private fetch({ label }: Plan): void {
    const { latest, single } = this;
    latest.begin(single[LAST_FETCH] as number, 0, this.fetchCause);
    latest.offer(this.fetches.oldest, 1, ISSUE);
    latest.offer(single[LAST_BRANCH] as number, this.target.issue.branchCycles, BRANCH);
    latest.offer(this.issueQueue.oldest, 0, QUEUE_FULL);
    const fetched = latest.take(label);
    this.fetchCause = latest.tag;
    this.fetches.push(fetched);
    single[LAST_FETCH] = fetched;
    single[LAST_BRANCH] = NEVER;
  }

  private issue({ sources, unit, branches, label }: Plan): void {
    const { latest, single } = this;
    latest.begin(single[LAST_ISSUE] as number, 0, this.issueCause);
    latest.offer(this.issues.oldest, 1, ISSUE);
    latest.offer(single[LAST_FETCH] as number, this.target.issue.frontendCycles, this.fetchCause);
    for (let i = 0; i < sources.length; i++) latest.offer(this.registers[sources[i] as number] as number, 0, REGISTER_WAIT);
    if (unit !== 'scalar') latest.offer(this.memoryQueue.oldest, 0, QUEUE_FULL);
    const issued = latest.take(label);
    this.issueCause = latest.tag;
    this.issues.push(issued);
    this.issueQueue.push(issued);
    single[LAST_ISSUE] = issued;
    if (branches) single[LAST_BRANCH] = issued;
  }

  /** Control and scalar instructions start at issue; the scalar unit is pipelined. */
  private execute(plan: Plan, turn: Turn, i: number): void {
    const issued = this.single[LAST_ISSUE] as number;
    const cycle = this.path.timeOf(issued);
    turn.busy[i] = cycle === this.lastScalarCycle ? 0 : 1;
    this.lastScalarCycle = cycle;
    const result = this.path.after(issued, plan.depthLabel, plan.depthCycles);
    this.complete(plan, issued, result, result);
  }

  /** The others go through the memory queue, in order, to a unit that is free and to memory that is ready. */
  private dispatch({ plan, operands, work, carried }: Shape, turn: Turn, i: number, range: number, compared: number): void {
    const { latest, path, single } = this;
    latest.begin(single[LAST_ISSUE] as number, 1, this.issueCause);
    latest.offer(single[LAST_DISPATCH] as number, 1, ISSUE);
    const horizon = latest.time;
    latest.offer(this.unitEnds[plan.unitIndex] as number, 0, ISSUE);
    turn.floorTimes[i] = latest.time;
    if (operands.length > 0) this.bind(operands, turn, range, compared);
    const dispatched = latest.take(plan.label);
    single[LAST_DISPATCH] = dispatched;
    this.memoryQueue.push(dispatched);

    let end = path.after(dispatched, plan.workLabel, work);
    end = path.after(end, plan.label + BANK_CONFLICT, turn.conflicts[i] as number);
    end = path.after(end, plan.label + PIPELINE_DEPTH, carried);
    this.unitEnds[plan.unitIndex] = end;
    const result = end === dispatched ? end : path.after(end, plan.depthLabel, plan.depthCycles);
    const endTime = (turn.endTimes[i] = path.timeOf(end));
    const resultTime = (turn.resultTimes[i] = path.timeOf(result));
    turn.busy[i] = endTime - path.timeOf(dispatched);
    for (let k = 0; k < operands.length; k++) {
      const { own, reads } = operands[k] as Operand;
      const low = turn.lows[range + k] as number;
      const high = turn.ends[range + k] as number;
      if (reads) own.add(low, high, end, endTime, turn.order + i, horizon);
      else own.add(low, high, result, resultTime, turn.order + i, horizon);
    }
    this.complete(plan, dispatched, end, result);
  }

  /** Offers what the operands wait for, and notes which claims that were. */
  private bind(operands: readonly Operand[], turn: Turn, range: number, compared: number): void {
    const { latest, binding } = this;
    binding.time = latest.time;
    for (let k = 0; k < operands.length; k++) {
      const operand = operands[k] as Operand;
      const low = turn.lows[range + k] as number;
      const end = turn.ends[range + k] as number;
      const writer = binding.writer(operand, low, end);
      if (writer !== UNBOUND) latest.offer(binding.event, 0, ISSUE);
      turn.bindings[compared++] = writer;
      if (operand.reads) continue;
      const reader = binding.reader(operand, low, end);
      if (reader !== UNBOUND) latest.offer(binding.event, 0, ISSUE);
      turn.bindings[compared++] = reader;
    }
  }

  private complete({ pc, result: register }: Plan, start: PathEvent, end: PathEvent, result: PathEvent): void {
    const { path, single } = this;
    if (register !== NO_REGISTER) this.registers[register] = result;
    if (path.timeOf(result) > path.timeOf(single[FRONTIER] as number)) single[FRONTIER] = result;
    this.onStep?.({
      pc,
      fetch: path.timeOf(single[LAST_FETCH] as number),
      issue: path.timeOf(single[LAST_ISSUE] as number),
      dispatch: path.timeOf(start),
      end: path.timeOf(end),
      result: path.timeOf(result),
    });
  }

  /** No later instruction issues before this. */
  get issued(): number {
    return this.path.timeOf(this.single[LAST_ISSUE] as number);
  }

  /**
   * Makes room for `count` events in the path; `others` are events held elsewhere. Events that can no longer bind are let go, so that the
   * paths of the others soon share a trunk.
   */
  makeRoom(count: number, others: Int32Array = NONE): void {
    const { path } = this;
    if (path.room(count)) return;
    const fetched = path.timeOf(this.single[LAST_FETCH] as number);
    const { issued } = this;
    const rings = [this.fetches.events, this.issueQueue.events, this.issues.events];
    const expiring = [this.single.subarray(LAST_DISPATCH, LAST_DISPATCH + 1), this.memoryQueue.events, this.registers, this.unitEnds];
    this.expire(this.fetches.events, fetched - 1);
    this.expire(this.issueQueue.events, fetched);
    this.expire(this.issues.events, issued - 1);
    for (const events of expiring) this.expire(events, issued);
    const held = [this.memoryQueue.events, this.registers, this.unitEnds, ...this.dependences.inFlight(issued), others];
    path.collect([this.single, ...rings, ...held]);
    path.reserve(count);
  }

  /** Lets go of the events up to `horizon`. */
  private expire(events: Int32Array, horizon: number): void {
    for (let i = 0; i < events.length; i++) if (this.path.timeOf(events[i] as number) <= horizon) events[i] = NEVER;
  }

  /**
   * Notes the events that a later instruction can depend on: those that are later than what it begins its maxima with. Two states with equal
   * keys, given the same turn with the same bindings, go on equally but for one shift in time.
   */
  save(into: Snapshot): void {
    const { path, single, issued, target } = this;
    const fetched = path.timeOf(single[LAST_FETCH] as number);
    // Dispatches begin with this: issue and the dispatch before, a cycle each.
    const dispatchable = Math.max(issued, path.timeOf(single[LAST_DISPATCH] as number)) + 1;
    const scalarIssued = this.lastScalarCycle === issued ? 1 : 0;
    into.begin(issued, (this.fetchCause * 32 + this.issueCause) * 2 + scalarIssued);
    for (let i = 0; i < SINGLES; i++) into.add(i, single[i] as number, i === LAST_DISPATCH ? issued : -Infinity);
    for (let i = 0; i < UNITS.length; i++) into.add(UNIT_SLOTS + i, this.unitEnds[i] as number, dispatchable);
    for (let i = 0; i < REGISTERS; i++) into.add(REGISTER_SLOTS + i, this.registers[i] as number, issued);
    const { width, issueQueue, memoryQueue } = target.issue;
    this.fetches.save(into, FETCH_SLOTS, fetched - 1);
    this.issues.save(into, FETCH_SLOTS + width, issued - 1);
    this.issueQueue.save(into, FETCH_SLOTS + 2 * width, fetched);
    this.memoryQueue.save(into, FETCH_SLOTS + 2 * width + issueQueue, issued);
    const claims = FETCH_SLOTS + 2 * width + issueQueue + memoryQueue;
    for (const list of this.dependences.lists) {
      const live = list.liveAfter(dispatchable);
      for (let i = list.next - live; i < list.next; i++) into.add(claims + list.index, list.events[i] as number, -Infinity);
    }
  }

  /** The reverse of `save`; the claims are there already, but for their events. */
  load(from: Snapshot): void {
    const { single, target } = this;
    const { width, issueQueue, memoryQueue } = target.issue;
    from.rewind();
    from.read(single, 0);
    from.read(this.unitEnds, UNIT_SLOTS);
    from.read(this.registers, REGISTER_SLOTS);
    this.fetches.load(from, FETCH_SLOTS);
    this.issues.load(from, FETCH_SLOTS + width);
    this.issueQueue.load(from, FETCH_SLOTS + 2 * width);
    this.memoryQueue.load(from, FETCH_SLOTS + 2 * width + issueQueue);
    const claims = FETCH_SLOTS + 2 * width + issueQueue + memoryQueue;
    for (const list of this.dependences.lists) from.readLast(list.events, list.next, claims + list.index);
    const { tags } = from;
    this.lastScalarCycle = (tags & 1) === 1 ? from.base : -1;
    this.issueCause = (tags >> 1) & 31;
    this.fetchCause = tags >> 6;
  }
}
