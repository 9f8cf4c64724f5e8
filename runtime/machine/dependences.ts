/**
 * Address-range dependences of the instructions that are dispatched and not yet done.
 *
 * Ranges are the bounding ranges of resolved accesses: a strided access also claims the gaps between its rows. Two accesses
 * whose rows interleave without touching are therefore ordered although they need not be.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Space } from '../../isa/fields.ts';
import { NEVER } from './critical-path.ts';
import type { PathEvent } from './critical-path.ts';

const INITIAL_CAPACITY = 64;
/** No unit has this number: excludes nothing in `RangeList.latest`. */
const ANY_UNIT = -1;

/** Byte ranges in flight, each with the event that ends its claim. */
class RangeList {
  events = new Int32Array(INITIAL_CAPACITY);
  private times = new Float64Array(INITIAL_CAPACITY);
  private lows = new Float64Array(INITIAL_CAPACITY);
  private ends = new Float64Array(INITIAL_CAPACITY);
  private units = new Int8Array(INITIAL_CAPACITY);
  private size = 0;

  /** The latest event among the overlapping ranges, leaving out those of `exceptUnit`; forgets what ended by `horizon`. */
  latest(low: number, end: number, exceptUnit: number, horizon: number): PathEvent {
    let latest = NEVER;
    let time = horizon;
    for (let i = 0; i < this.size; i++) {
      const ended = this.times[i] as number;
      if (ended <= horizon) this.remove(i--);
      else if (ended > time && low < (this.ends[i] as number) && end > (this.lows[i] as number) && this.units[i] !== exceptUnit) {
        latest = this.events[i] as number;
        time = ended;
      }
    }
    return latest;
  }

  add(low: number, end: number, unit: number, event: PathEvent, time: number, horizon: number): void {
    if (this.size === this.events.length) {
      this.forget(horizon);
      if (this.size > this.events.length / 2) this.grow();
    }
    const i = this.size++;
    this.events[i] = event;
    this.times[i] = time;
    this.lows[i] = low;
    this.ends[i] = end;
    this.units[i] = unit;
  }

  forget(horizon: number): void {
    for (let i = 0; i < this.size; i++) if ((this.times[i] as number) <= horizon) this.remove(i--);
    this.events.fill(NEVER, this.size);
  }

  private remove(i: number): void {
    const last = --this.size;
    this.events[i] = this.events[last] as number;
    this.times[i] = this.times[last] as number;
    this.lows[i] = this.lows[last] as number;
    this.ends[i] = this.ends[last] as number;
    this.units[i] = this.units[last] as number;
  }

  private grow(): void {
    const { events, times, lows, ends, units } = this;
    const capacity = 2 * events.length;
    (this.events = new Int32Array(capacity)).set(events);
    (this.times = new Float64Array(capacity)).set(times);
    (this.lows = new Float64Array(capacity)).set(lows);
    (this.ends = new Float64Array(capacity)).set(ends);
    (this.units = new Int8Array(capacity)).set(units);
  }
}

const SPACES = ['dram', 'vector', 'matrix'] as const satisfies readonly Space[];

/** What the instructions of the memory queue must wait for. Times are cycles; a horizon is a lower bound of all later dispatches. */
export class Dependences {
  private readonly reads: Readonly<Record<Space, RangeList>> = { dram: new RangeList(), vector: new RangeList(), matrix: new RangeList() };
  private readonly writes: Readonly<Record<Space, RangeList>> = { dram: new RangeList(), vector: new RangeList(), matrix: new RangeList() };

  /**
   * The event of earlier writers that an access waits for, or `NEVER`. A read waits for all results (RAW); a write waits for
   * those of other units only (WAW), because one unit writes in order. An update reads where it writes, at the end of the
   * pipeline, and counts as a write.
   */
  writerBefore({ space, mode, low, end }: ResolvedAccess, unit: number, horizon: number): PathEvent {
    return this.writes[space].latest(low, end, mode === 'read' ? ANY_UNIT : unit, horizon);
  }

  /** The event of earlier readers that a write or an update waits for (WAR), or `NEVER`. */
  readerBefore({ space, mode, low, end }: ResolvedAccess, horizon: number): PathEvent {
    return mode === 'read' ? NEVER : this.reads[space].latest(low, end, ANY_UNIT, horizon);
  }

  /** Notes an access in flight: a read until `event` is the end of reading, a write until `event` is the availability of its results. */
  add({ space, mode, low, end }: ResolvedAccess, unit: number, event: PathEvent, time: number, horizon: number): void {
    (mode === 'read' ? this.reads : this.writes)[space].add(low, end, unit, event, time, horizon);
  }

  /** Drops what ended by `horizon` and lends out the events in flight, for renaming. */
  inFlight(horizon: number): Int32Array[] {
    const lists = SPACES.flatMap((space) => [this.reads[space], this.writes[space]]);
    return lists.map((list) => {
      list.forget(horizon);
      return list.events;
    });
  }
}
