/**
 * Address-range dependences of the instructions that are dispatched and not yet done.
 *
 * Ranges are the bounding ranges of resolved accesses: a strided access also claims the gaps between its rows. Two accesses
 * whose rows interleave without touching are therefore ordered although they need not be.
 */
import type { AccessMode } from '../../isa/accesses.ts';
import type { Space } from '../../isa/fields.ts';
import { NEVER } from './critical-path.ts';
import type { PathEvent } from './critical-path.ts';

const INITIAL_CAPACITY = 64;

/** No claim binds. */
export const UNBOUND = -1;
/** More lists of claims than there are: units by directions by spaces. */
const MOST_LISTS = 64;

/**
 * Byte ranges that one unit reads, or writes, in one space, each with the event that ends its claim. A unit works in order and adds the
 * same depth to all, so claims end in the order in which they are made: the latest is found from the back, and what ended is in front.
 */
export class Claims {
  readonly index: number;
  events = new Int32Array(INITIAL_CAPACITY);
  /** When the last claim ends. */
  last = -Infinity;
  /** When each claim ends, and the place in the program's execution of the instruction that made it. */
  times = new Float64Array(INITIAL_CAPACITY);
  orders = new Float64Array(INITIAL_CAPACITY);
  /** The claims that are not forgotten are those from `first` up to `next`. */
  first = 0;
  next = 0;
  private lows = new Float64Array(INITIAL_CAPACITY);
  private ends = new Float64Array(INITIAL_CAPACITY);

  constructor(index: number) {
    this.index = index;
  }

  /** Index of the latest claim that ends at `after` or later and overlaps, or -1. */
  latest(low: number, end: number, after: number): number {
    for (let i = this.next - 1; i >= this.first && (this.times[i] as number) >= after; i--)
      if (low < (this.ends[i] as number) && end > (this.lows[i] as number)) return i;
    return -1;
  }

  /** Notes an access in flight: a read until `event` is the end of reading, a write until `event` is the availability of its results. */
  add(low: number, end: number, event: PathEvent, time: number, order: number, horizon: number): void {
    if (this.next === this.events.length) this.makeRoom(horizon);
    const i = this.next++;
    this.last = time;
    this.events[i] = event;
    this.times[i] = time;
    this.orders[i] = order;
    this.lows[i] = low;
    this.ends[i] = end;
  }

  /** Takes back the claims of instructions from `order` on. */
  takeBack(order: number): void {
    while (this.next > this.first && (this.orders[this.next - 1] as number) >= order) this.next--;
    this.last = this.next > this.first ? (this.times[this.next - 1] as number) : -Infinity;
  }

  /** How many claims end after `horizon`: they are the last. */
  liveAfter(horizon: number): number {
    let from = this.next;
    while (from > this.first && (this.times[from - 1] as number) > horizon) from--;
    return this.next - from;
  }

  /** The events of claims that end after `horizon`; the others are forgotten. */
  inFlight(horizon: number): Int32Array {
    this.forget(horizon);
    return this.events.subarray(this.first, this.next);
  }

  private forget(horizon: number): void {
    while (this.first < this.next && (this.times[this.first] as number) <= horizon) this.first++;
  }

  private makeRoom(horizon: number): void {
    this.forget(horizon);
    const { events, times, orders, lows, ends, first, next } = this;
    if (next - first > events.length / 2) {
      const capacity = 2 * events.length;
      (this.events = new Int32Array(capacity)).set(events);
      (this.times = new Float64Array(capacity)).set(times);
      (this.orders = new Float64Array(capacity)).set(orders);
      (this.lows = new Float64Array(capacity)).set(lows);
      (this.ends = new Float64Array(capacity)).set(ends);
    } else {
      for (const column of [events, times, orders, lows, ends]) column.copyWithin(0, first, next);
      this.first = 0;
      this.next = next - first;
    }
  }
}

/** What the operand of a static instruction waits for and claims: all that can be known before its address is. */
export interface Operand {
  /** Claims of the unit on the space in the direction of the operand. */
  readonly own: Claims;
  /** Writers of the space, `own` included. */
  readonly writers: readonly Claims[];
  /** Readers of the space if the operand is written. */
  readonly readers: readonly Claims[];
  /** Whether it is only read. */
  readonly reads: boolean;
}

const NO_CLAIMS: readonly Claims[] = [];

/** Finds what an access waits for. */
export class Binding {
  /** The latest time so far: what does not end later binds nothing. */
  time = 0;
  /** The event that ends the claim found last. */
  event: PathEvent = NEVER;

  /**
   * The latest claim that overlaps a range and ends after `time`, but for those of `except`, which then is `time`; of those that end together
   * the earliest made counts. Returns which one it is: its list, and its place from the end of the list; or `UNBOUND`.
   */
  find(all: readonly Claims[], except: Claims, low: number, end: number): number {
    let found = UNBOUND;
    let order = 0;
    for (let i = 0; i < all.length; i++) {
      const claims = all[i] as Claims;
      if (claims === except || claims.last < this.time) continue;
      const claim = claims.latest(low, end, this.time);
      if (claim < 0) continue;
      const time = claims.times[claim] as number;
      const made = claims.orders[claim] as number;
      if (time === this.time && (found === UNBOUND || made > order)) continue;
      found = (claims.next - claim) * MOST_LISTS + claims.index;
      order = made;
      this.time = time;
      this.event = claims.events[claim] as number;
    }
    return found;
  }

  /** What a read or a write waits for among writers (RAW; WAW with other units only, because one unit writes in order). */
  writer({ own, writers }: Operand, low: number, end: number): number {
    return this.find(writers, own, low, end);
  }

  /**
   * What a write waits for among all earlier readers (WAR). An update reads where it writes, at the end of the pipeline, and counts as a
   * write.
   */
  reader({ own, readers }: Operand, low: number, end: number): number {
    return this.find(readers, own, low, end);
  }
}

/** Claims on one space. */
class SpaceClaims {
  readonly reads: Claims[] = [];
  readonly writes: Claims[] = [];
  private readonly byUnit = { read: new Map<number, Claims>(), write: new Map<number, Claims>() };
  private readonly lists: Claims[];

  /** Lists that are made are added to `lists`. */
  constructor(lists: Claims[]) {
    this.lists = lists;
  }

  of(direction: 'read' | 'write', unit: number): Claims {
    const known = this.byUnit[direction].get(unit);
    if (known !== undefined) return known;
    const claims = new Claims(this.lists.length);
    this.lists.push(claims);
    this.byUnit[direction].set(unit, claims);
    (direction === 'read' ? this.reads : this.writes).push(claims);
    return claims;
  }
}

/** The claims of the instructions of the memory queue. Times are cycles; a horizon is a lower bound of all later dispatches. */
export class Dependences {
  /** All claims, by index. */
  readonly lists: readonly Claims[];
  private readonly spaces: Readonly<Record<Space, SpaceClaims>>;
  private readonly operands = new Map<Claims, Operand>();

  constructor() {
    const lists: Claims[] = [];
    this.lists = lists;
    this.spaces = { dram: new SpaceClaims(lists), vector: new SpaceClaims(lists), matrix: new SpaceClaims(lists) };
  }

  /** The operand of an instruction of a unit. */
  operand(space: Space, mode: AccessMode, unit: number): Operand {
    const claims = this.spaces[space];
    const reads = mode === 'read';
    const own = claims.of(reads ? 'read' : 'write', unit);
    let operand = this.operands.get(own);
    if (operand === undefined)
      this.operands.set(own, (operand = { own, writers: claims.writes, readers: reads ? NO_CLAIMS : claims.reads, reads }));
    return operand;
  }

  /** Drops what ended by `horizon` and lends out the events in flight, for renaming. */
  inFlight(horizon: number): Int32Array[] {
    return this.lists.map((claims) => claims.inFlight(horizon));
  }
}
