/**
 * Address-range dependences of the instructions that are dispatched and not yet done.
 *
 * Ranges are the bounding ranges of resolved accesses: a strided access also claims the gaps between its rows. Two accesses
 * whose rows interleave without touching are therefore ordered although they need not be.
 */
import type { AccessMode, ResolvedAccess } from '../../isa/accesses.ts';
import type { Space } from '../../isa/fields.ts';
import { NEVER } from './critical-path.ts';
import type { PathEvent } from './critical-path.ts';

const INITIAL_CAPACITY = 256;

/** Takes what an access may have to wait for. */
export interface Offers {
  /** Time of the latest offer so far. */
  readonly time: number;
  offer(event: PathEvent, delay: number, tag: number): void;
}

/**
 * Byte ranges that one unit reads, or writes, in one space, each with the event that ends its claim. A unit works in order and adds the
 * same depth to all, so claims end in the order in which they are made: the latest is found from the back, and what ended is in front.
 */
export class Claims {
  events = new Int32Array(INITIAL_CAPACITY);
  /** When the last claim ends. */
  last = -Infinity;
  private times = new Float64Array(INITIAL_CAPACITY);
  private lows = new Float64Array(INITIAL_CAPACITY);
  private ends = new Float64Array(INITIAL_CAPACITY);
  private first = 0;
  private next = 0;

  /** Index of the latest claim that ends at `after` or later and overlaps, or -1. */
  latest(low: number, end: number, after: number): number {
    for (let i = this.next - 1; i >= this.first && (this.times[i] as number) >= after; i--)
      if (low < (this.ends[i] as number) && end > (this.lows[i] as number)) return i;
    return -1;
  }

  timeOf(claim: number): number {
    return this.times[claim] as number;
  }

  /** Notes an access in flight: a read until `event` is the end of reading, a write until `event` is the availability of its results. */
  add({ low, end }: ResolvedAccess, event: PathEvent, time: number, horizon: number): void {
    if (this.next === this.events.length) this.makeRoom(horizon);
    const i = this.next++;
    this.last = time;
    this.events[i] = event;
    this.times[i] = time;
    this.lows[i] = low;
    this.ends[i] = end;
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
    const { events, times, lows, ends, first, next } = this;
    if (next - first > events.length / 2) {
      const capacity = 2 * events.length;
      (this.events = new Int32Array(capacity)).set(events);
      (this.times = new Float64Array(capacity)).set(times);
      (this.lows = new Float64Array(capacity)).set(lows);
      (this.ends = new Float64Array(capacity)).set(ends);
    } else {
      for (const column of [events, times, lows, ends]) column.copyWithin(0, first, next);
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
}

const NO_CLAIMS: readonly Claims[] = [];

/** Offers the latest claim that overlaps an access, but for those of `except`. Of those that end together the earliest made counts. */
function offerLatest(all: readonly Claims[], except: Claims, { low, end }: ResolvedAccess, tag: number, offers: Offers): void {
  let latest = NEVER;
  // What does not end later than the latest offer so far binds nothing.
  let time = offers.time;
  for (const claims of all) {
    if (claims === except || claims.last < time) continue;
    const claim = claims.latest(low, end, time);
    if (claim < 0) continue;
    const ends = claims.timeOf(claim);
    const event = claims.events[claim] as number;
    // Events are numbered in the order of the program.
    if (ends === time && (latest === NEVER || event > latest)) continue;
    latest = event;
    time = ends;
  }
  if (latest !== NEVER) offers.offer(latest, 0, tag);
}

/**
 * Offers what an access waits for. A read waits for all results (RAW); a write waits for those of other units only (WAW), because one
 * unit writes in order, and for all earlier readers (WAR). An update reads where it writes, at the end of the pipeline, and counts as a
 * write.
 */
export function offerDependences({ own, writers, readers }: Operand, access: ResolvedAccess, tag: number, offers: Offers): void {
  offerLatest(writers, own, access, tag, offers);
  if (readers.length > 0) offerLatest(readers, own, access, tag, offers);
}

/** Claims on one space. */
class SpaceClaims {
  readonly reads: Claims[] = [];
  readonly writes: Claims[] = [];
  private readonly byUnit = { read: new Map<number, Claims>(), write: new Map<number, Claims>() };

  of(direction: 'read' | 'write', unit: number): Claims {
    const known = this.byUnit[direction].get(unit);
    if (known !== undefined) return known;
    const claims = new Claims();
    this.byUnit[direction].set(unit, claims);
    (direction === 'read' ? this.reads : this.writes).push(claims);
    return claims;
  }
}

/** The claims of the instructions of the memory queue. Times are cycles; a horizon is a lower bound of all later dispatches. */
export class Dependences {
  private readonly spaces: Readonly<Record<Space, SpaceClaims>> = {
    dram: new SpaceClaims(),
    vector: new SpaceClaims(),
    matrix: new SpaceClaims(),
  };

  /** The operand of an instruction of a unit. */
  operand(space: Space, mode: AccessMode, unit: number): Operand {
    const claims = this.spaces[space];
    if (mode === 'read') return { own: claims.of('read', unit), writers: claims.writes, readers: NO_CLAIMS };
    return { own: claims.of('write', unit), writers: claims.writes, readers: claims.reads };
  }

  /** Drops what ended by `horizon` and lends out the events in flight, for renaming. */
  inFlight(horizon: number): Int32Array[] {
    return Object.values(this.spaces).flatMap(({ reads, writes }) => [...reads, ...writes].map((claims) => claims.inFlight(horizon)));
  }
}
