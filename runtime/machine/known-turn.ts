/** A turn that was timed, kept to be recognised again and to extend the path as it did. */
import { NEVER } from './critical-path.ts';
import type { CriticalPath, PathEvent } from './critical-path.ts';
import type { Shape } from './shapes.ts';
import type { Snapshot, StateKey, Store } from './snapshot.ts';
import type { Turn } from './turn.ts';

/** A state that was met, and what turns made of it. */
export interface State {
  readonly key: StateKey;
  readonly turns: KnownTurn[];
}

/** How the event of a slot after turns comes from that of a slot before them. */
export interface Link {
  readonly slot: number;
  readonly labels: readonly number[];
  readonly cycles: readonly number[];
}

/** Where the figures of an instruction that touches memory stand: cycles, and times from the base of the state before. */
const CONFLICT = 0;
export const FLOOR_TIME = 1;
export const END_TIME = 2;
export const RESULT_TIME = 3;
export const FIGURES = 4;

/** Where the figures of an event stand. */
const PARENT = 0;
const LABEL = 1;
const CYCLES = 2;
const EVENT = 3;

/** What happened between two states, `before` and `after` a turn: the events of the path from `first` on. */
export interface Course {
  readonly path: CriticalPath;
  readonly first: PathEvent;
  readonly before: Snapshot;
  readonly after: Snapshot;
}

/** An event as its number in the course, or as the complement of the slot that held it before. */
function originOf(event: PathEvent, { first, before }: Course): number {
  if (event >= first) return event - first;
  const slot = before.placeOf(event);
  if (slot < 0) throw new Error(`event ${event} is not in the state that it comes from`);
  return ~slot;
}

export class KnownTurn {
  /** The state after it, and the cycles from base to base. */
  readonly next: State;
  readonly cycles: number;
  readonly shapes: readonly Shape[];
  /** Where its figures are: those of instructions that touch memory from `first` on, then its bindings. */
  readonly numbers: Int32Array;
  readonly first: number;
  readonly bindings: number;
  /** Repetitions that the plans do not count yet. */
  repeated = 0;
  /** How many events it made, where they begin, and then what each slot after it comes from. */
  readonly events: number;
  private readonly firstEvent: number;
  /** Where the cycles in which each instruction held its unit begin. */
  private readonly busy: number;
  private readonly sources: number;
  private links: (Link | undefined)[] | undefined;

  /** `compared` is how many bindings the turn has. */
  constructor(store: Store, turn: Turn, compared: number, course: Course, next: State) {
    const { path, first, before, after } = course;
    const { length } = turn;
    const events = path.next - first;
    this.next = next;
    this.cycles = after.base - before.base;
    this.shapes = turn.shapes.slice(0, length);
    const { queued } = turn;
    this.busy = store.take(length + queued * FIGURES + compared + events * EVENT + after.size);
    this.first = this.busy + length;
    this.bindings = this.first + queued * FIGURES;
    this.events = events;
    this.firstEvent = this.bindings + compared;
    this.sources = this.firstEvent + events * EVENT;
    const { numbers } = store;
    this.numbers = numbers;
    this.keepTimes(turn, compared, before.base);
    for (let i = 0, at = this.firstEvent; i < events; i++, at += EVENT) {
      numbers[at + PARENT] = originOf(path.parentOf(first + i), course);
      numbers[at + LABEL] = path.labelOf(first + i);
      numbers[at + CYCLES] = path.delayOf(first + i);
    }
    for (let slot = 0; slot < after.size; slot++) numbers[this.sources + slot] = originOf(after.held[slot] as number, course);
  }

  /** Whether a turn has the same instructions, with the same occupancies. */
  resembles({ shapes, conflicts, length, queued, places }: Turn): boolean {
    if (this.shapes.length !== length) return false;
    for (let i = 0; i < length; i++) if (this.shapes[i] !== shapes[i]) return false;
    const { numbers } = this;
    for (let q = 0, at = this.first + CONFLICT; q < queued; q++, at += FIGURES)
      if (numbers[at] !== conflicts[places[q] as number]) return false;
    return true;
  }

  /** Marks the events that are behind those of slots after it, from `at` on; returns the slots before it that are, each once. */
  need(slots: readonly number[], needed: Uint8Array, at: number): number[] {
    const { numbers, firstEvent, sources } = this;
    const wanted: number[] = [];
    const isWanted: boolean[] = [];
    for (const slot of slots) {
      let from = numbers[sources + slot] as number;
      while (from >= 0 && needed[at + from] === 0) {
        needed[at + from] = 1;
        from = numbers[firstEvent + from * EVENT + PARENT] as number;
      }
      if (from >= 0 || isWanted[~from] === true) continue;
      isWanted[~from] = true;
      wanted.push(~from);
    }
    return wanted;
  }

  /** Adds the marked events to a path. `before` has an event for each slot that they come from; returns those of slots after it. */
  extend(path: CriticalPath, before: readonly PathEvent[], needed: Uint8Array, at: number): PathEvent[] {
    const { numbers, firstEvent, sources } = this;
    const made: PathEvent[] = new Array<PathEvent>(this.events).fill(NEVER);
    for (let i = 0; i < this.events; i++) {
      if (needed[at + i] === 0) continue;
      const event = firstEvent + i * EVENT;
      const parent = numbers[event + PARENT] as number;
      const from = (parent >= 0 ? made[parent] : before[~parent]) as number;
      made[i] = path.after(from, numbers[event + LABEL] as number, numbers[event + CYCLES] as number);
    }
    const after: PathEvent[] = [];
    for (let slot = 0; slot < this.next.key.slots; slot++) {
      const source = numbers[sources + slot] as number;
      after.push((source >= 0 ? made[source] : before[~source]) ?? NEVER);
    }
    return after;
  }

  linkOf(slot: number): Link {
    const { numbers } = this;
    const links = (this.links ??= []);
    const known = links[slot];
    if (known !== undefined) return known;
    const labels: number[] = [];
    const cycles: number[] = [];
    let from = numbers[this.sources + slot] as number;
    while (from >= 0) {
      const at = this.firstEvent + from * EVENT;
      charge(labels, cycles, numbers[at + LABEL] as number, numbers[at + CYCLES] as number);
      from = numbers[at + PARENT] as number;
    }
    return (links[slot] = { slot: ~from, labels, cycles });
  }

  /** Adds its repetitions to the counts of shapes and plans. */
  settle(): void {
    const { repeated, shapes, numbers } = this;
    if (repeated === 0) return;
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i] as Shape;
      shape.executions += repeated;
      shape.plan.busyCycles += repeated * (numbers[this.busy + i] as number);
    }
    this.repeated = 0;
  }

  private keepTimes(turn: Turn, compared: number, base: number): void {
    const { numbers } = this;
    for (let i = 0; i < turn.length; i++) numbers[this.busy + i] = turn.busy[i] as number;
    for (let q = 0, at = this.first; q < turn.queued; q++, at += FIGURES) {
      const i = turn.places[q] as number;
      numbers[at + CONFLICT] = turn.conflicts[i] as number;
      numbers[at + FLOOR_TIME] = (turn.floorTimes[i] as number) - base;
      numbers[at + END_TIME] = (turn.endTimes[i] as number) - base;
      numbers[at + RESULT_TIME] = (turn.resultTimes[i] as number) - base;
    }
    for (let i = 0; i < compared; i++) numbers[this.bindings + i] = turn.bindings[i] as number;
  }
}

/** Adds cycles to those of a label: the order of delays is of no account. */
export function charge(labels: number[], cycles: number[], label: number, more: number): void {
  const at = labels.indexOf(label);
  if (at >= 0) cycles[at] = (cycles[at] as number) + more;
  else {
    labels.push(label);
    cycles.push(more);
  }
}
