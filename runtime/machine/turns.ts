/**
 * Turns of loops that need not be timed one by one: `docs/timing.md`, "Turns that repeat".
 *
 * A turn takes the recurrence from one state to another. Both are known up to a shift in time by what later instructions can depend on, and
 * given the state, the course of a turn depends on nothing but its instructions, their occupancies, and which earlier accesses theirs
 * overlap. A turn in which all of this is as it was before is not computed again: it is noted that it repeats the earlier one.
 */
import { NEVER } from './critical-path.ts';
import type { PathEvent } from './critical-path.ts';
import { Binding } from './dependences.ts';
import type { Operand } from './dependences.ts';
import { END_TIME, FIGURES, FLOOR_TIME, KnownTurn, RESULT_TIME, charge } from './known-turn.ts';
import type { Course, Link, State } from './known-turn.ts';
import type { Recurrence } from './recurrence.ts';
import { EVENTS_PER_INSTRUCTION } from './recurrence.ts';
import type { Shape } from './shapes.ts';
import { FARTHEST, Snapshot, Store } from './snapshot.ts';
import type { Turn } from './turn.ts';

/** Repeated turns that are noted before the path is extended by them. */
const MOST_NOTED = 1 << 12;
/** Turns and states that are kept. */
export const MOST_TURNS = 1 << 14;

export class Turns {
  /** Instructions of turns that were not timed. */
  skipped = 0;
  /** Turns and states that are kept. */
  size = 0;
  private readonly recurrence: Recurrence;
  private readonly binding = new Binding();
  private readonly states = new Map<number, State[]>();
  private store = new Store();
  /** The state at which the path stands, whose events are those of `before`; undefined where it was not looked at. */
  private before: Snapshot;
  private after: Snapshot;
  private state: State | undefined;
  /** Turns since then that repeat known ones. `base` is that of the state after them. */
  private noted: KnownTurn[] = [];
  private base = 0;
  /** Which events of noted turns the path is extended by. */
  private needed = new Uint8Array(0);

  constructor(recurrence: Recurrence) {
    this.recurrence = recurrence;
    this.before = new Snapshot(recurrence.path);
    this.after = new Snapshot(recurrence.path);
  }

  /** Takes account of a turn. `whole` tells whether it may come again, so that the state after it is looked at. */
  pass(turn: Turn, whole: boolean): void {
    const known = this.state === undefined ? undefined : this.find(this.state, turn);
    if (known !== undefined) this.note(known, turn.length);
    else this.time(turn, whole);
  }

  /** Extends the path by the turns that were noted: by those of their events that are behind the events of the state after them. */
  catchUp(): void {
    const { noted, recurrence, before, state } = this;
    if (noted.length === 0 || state === undefined) return;
    const { first, delays, trunk } = this.ancestors(state.key.slots);
    recurrence.makeRoom(delays + trunk.labels.length, before.events);
    const { path } = recurrence;
    let events: PathEvent[] = [];
    let last = before.held[trunk.slot] as number;
    for (let i = 0; i < trunk.labels.length; i++) last = path.after(last, trunk.labels[i] as number, trunk.cycles[i] as number);
    if (first > 0) events[trunk.end] = last;
    else events = Array.from(before.events);
    let needed = delays;
    for (let i = first; i < noted.length; i++) {
      const known = noted[i] as KnownTurn;
      needed -= known.events;
      events = known.extend(path, events, this.needed, needed);
    }
    before.set(state.key, this.base, events);
    recurrence.load(before);
    this.noted = [];
  }

  /** Adds what was repeated to the counts of shapes and plans. */
  settle(): void {
    for (const states of this.states.values()) for (const { turns } of states) for (const turn of turns) turn.settle();
  }

  /** Forgets all turns. */
  forget(): void {
    this.catchUp();
    this.settle();
    this.states.clear();
    this.store = new Store();
    this.state = undefined;
    this.size = 0;
  }

  private find({ turns }: State, turn: Turn): KnownTurn | undefined {
    for (const known of turns) if (known.resembles(turn) && this.binds(known, turn)) return known;
    return undefined;
  }

  /**
   * Whether the accesses of a turn wait for the same earlier accesses as those of a known one. If so its own are noted like those; the
   * events of their claims are not there before the path is extended.
   */
  private binds(known: KnownTurn, turn: Turn): boolean {
    const { binding, base } = this;
    const { numbers } = known;
    let range = 0;
    let compared = known.bindings;
    for (let q = 0, at = known.first; q < turn.queued; q++, at += FIGURES) {
      const i = turn.places[q] as number;
      const { operands } = turn.shapes[i] as Shape;
      binding.time = base + (numbers[at + FLOOR_TIME] as number);
      for (let k = 0; k < operands.length; k++) {
        const operand = operands[k] as Operand;
        const low = turn.lows[range + k] as number;
        const end = turn.ends[range + k] as number;
        let same = binding.writer(operand, low, end) === numbers[compared++];
        if (!operand.reads) same = binding.reader(operand, low, end) === numbers[compared++] && same;
        if (!same) return this.takeBack(turn);
      }
      for (let k = 0; k < operands.length; k++, range++) {
        const { own, reads } = operands[k] as Operand;
        const time = base + (numbers[at + (reads ? END_TIME : RESULT_TIME)] as number);
        own.add(turn.lows[range] as number, turn.ends[range] as number, NEVER, time, turn.order + i, base);
      }
    }
    return true;
  }

  private takeBack({ order }: Turn): false {
    for (const claims of this.recurrence.dependences.lists) claims.takeBack(order);
    return false;
  }

  private note(known: KnownTurn, instructions: number): void {
    known.repeated++;
    this.skipped += instructions;
    this.noted.push(known);
    this.state = known.next;
    this.base += known.cycles;
    if (this.noted.length === MOST_NOTED) this.catchUp();
  }

  private time(turn: Turn, whole: boolean): void {
    const { recurrence, before, after, state } = this;
    this.catchUp();
    recurrence.makeRoom(turn.length * EVENTS_PER_INSTRUCTION, state === undefined ? undefined : before.events);
    const { path } = recurrence;
    const first = path.next;
    const compared = recurrence.run(turn);
    this.state = undefined;
    if (!whole) return;
    recurrence.save(after);
    const next = this.stateOf(after);
    if (state !== undefined && next !== undefined && after.base - before.base < FARTHEST) {
      state.turns.push(new KnownTurn(this.store, turn, compared, this.courseSince(first), next));
      this.size++;
    }
    this.state = next;
    this.base = after.base;
    this.before = after;
    this.after = before;
  }

  private stateOf(snapshot: Snapshot): State | undefined {
    if (!snapshot.comparable) return undefined;
    let states = this.states.get(snapshot.hash);
    if (states === undefined) this.states.set(snapshot.hash, (states = []));
    let state = states.find(({ key }) => snapshot.equals(key));
    if (state === undefined) {
      states.push((state = { key: snapshot.key(this.store), turns: [] }));
      this.size++;
    }
    return state;
  }

  /** What happened since the state `before`, whose events are all before `first`. */
  private courseSince(first: PathEvent): Course {
    const { before, after } = this;
    before.refresh();
    return { path: this.recurrence.path, first, before, after };
  }

  /**
   * Goes back over the noted turns from all slots after them, until a single slot is behind all of them or the beginning is reached. Tells
   * the first of the turns gone over, whose events are marked in `needed`, the last turn's first; how many events they have; and the link
   * from that slot, `end`, to the beginning, which has no delays if there is no such slot.
   */
  private ancestors(slots: number): { first: number; delays: number; trunk: Link & { readonly end: number } } {
    const { noted } = this;
    let wanted = Array.from({ length: slots }, (_, slot) => slot);
    let turn = noted.length;
    let delays = 0;
    while (turn > 0 && wanted.length > 1) {
      const known = noted[--turn] as KnownTurn;
      this.clearNeeded(delays, known.events);
      wanted = known.need(wanted, this.needed, delays);
      delays += known.events;
    }
    const first = turn;
    const end = wanted[0] as number;
    let slot = end;
    const labels: number[] = [];
    const cycles: number[] = [];
    while (turn > 0) {
      const link = (noted[--turn] as KnownTurn).linkOf(slot);
      for (let i = 0; i < link.labels.length; i++) charge(labels, cycles, link.labels[i] as number, link.cycles[i] as number);
      slot = link.slot;
    }
    return { first, delays, trunk: { slot, end, labels, cycles } };
  }

  private clearNeeded(from: number, count: number): void {
    if (from + count > this.needed.length) {
      const larger = new Uint8Array(2 * (from + count));
      larger.set(this.needed);
      this.needed = larger;
    }
    this.needed.fill(0, from, from + count);
  }
}
