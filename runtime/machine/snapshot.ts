/** The state of the recurrence between two instructions: the events that later ones can depend on, and when they are. */
import type { CriticalPath, PathEvent } from './critical-path.ts';
import { NEVER } from './critical-path.ts';

const INITIAL_CAPACITY = 64;
/** Numbers that a store makes room for at once. */
const CHUNK = 1 << 14;
/** Times that are farther from the base are not compared: their differences must be integers of 32 bits. */
export const FARTHEST = 2 ** 29;
/** Numbers in front of the slots of a key, and for each slot. */
const HEAD = 1;
const PER_SLOT = 3;

/** Integers in a row, of many owners: typed arrays of their own would cost more than what is in them. */
export class Store {
  /** Where the numbers taken last are. */
  numbers = new Int32Array(0);
  private size = 0;

  /** Index in `numbers`, as it is then, of the first of so many numbers, which are the caller's. */
  take(count: number): number {
    if (this.size + count > this.numbers.length) {
      this.numbers = new Int32Array(Math.max(count, CHUNK));
      this.size = 0;
    }
    this.size += count;
    return this.size - count;
  }
}

/** What two states that go on equally have in common: tags, then each slot with its time after the base and its alias. */
export interface StateKey {
  readonly numbers: Int32Array;
  readonly first: number;
  /** Number of slots, which is that of events. */
  readonly slots: number;
}

export class Snapshot {
  /** Time from which the others are counted, and whatever else decides how the recurrence goes on. */
  base = 0;
  tags = 0;
  size = 0;
  hash = 0;
  /** The events in the order of their slots: the first `size`. */
  held = new Int32Array(INITIAL_CAPACITY);
  private slots = new Int32Array(INITIAL_CAPACITY);
  private offsets = new Int32Array(INITIAL_CAPACITY);
  /** By slot, the first that holds the same event: events of one time have different pasts. */
  private aliases = new Int32Array(INITIAL_CAPACITY);
  /** By event, where it is in `held`, if it is there. */
  private places = new Int32Array(0);
  private fits = true;
  private cursor = 0;
  private readonly path: CriticalPath;

  constructor(path: CriticalPath) {
    this.path = path;
  }

  /** The events alone. */
  get events(): Int32Array {
    return this.held.subarray(0, this.size);
  }

  /** Whether all times are near enough to the base to be compared. */
  get comparable(): boolean {
    return this.fits;
  }

  begin(base: number, tags: number): void {
    this.base = base;
    this.tags = this.hash = tags;
    this.size = 0;
    this.fits = true;
  }

  /** Notes an event if it is later than `floor`. Slots do not descend; one that comes again is a list. */
  add(slot: number, event: PathEvent, floor: number): void {
    const time = this.path.timeOf(event);
    if (time <= floor) return;
    const i = this.size;
    if (i === this.slots.length) this.grow();
    const offset = time - this.base;
    if (Math.abs(offset) > FARTHEST) this.fits = false;
    this.slots[i] = slot;
    this.offsets[i] = offset;
    let alias = this.placeOf(event);
    if (alias < 0) {
      if (event >= this.places.length) this.places = new Int32Array(this.path.capacity);
      this.places[event] = alias = i;
    }
    this.aliases[i] = alias;
    this.held[i] = event;
    this.size++;
    this.hash = (Math.imul(Math.imul(this.hash, 31) + slot, 0x5bd1e995) + Math.imul(alias, 0x9e3779b1) + offset) | 0;
  }

  key(store: Store): StateKey {
    const first = store.take(HEAD + PER_SLOT * this.size);
    const { numbers } = store;
    numbers[first] = this.tags;
    for (let i = 0, at = first + HEAD; i < this.size; i++, at += PER_SLOT) {
      numbers[at] = this.slots[i] as number;
      numbers[at + 1] = this.offsets[i] as number;
      numbers[at + 2] = this.aliases[i] as number;
    }
    return { numbers, first, slots: this.size };
  }

  equals({ numbers, first, slots }: StateKey): boolean {
    if (slots !== this.size || numbers[first] !== this.tags) return false;
    for (let i = 0, at = first + HEAD; i < slots; i++, at += PER_SLOT)
      if (numbers[at] !== this.slots[i] || numbers[at + 1] !== this.offsets[i] || numbers[at + 2] !== this.aliases[i]) return false;
    return true;
  }

  /** Becomes the state of a key at another time, with these events. */
  set({ numbers, first, slots }: StateKey, base: number, events: ArrayLike<PathEvent>): void {
    this.begin(base, numbers[first] as number);
    for (let i = 0; i < slots; i++) this.add(numbers[first + HEAD + PER_SLOT * i] as number, events[i] as number, -Infinity);
  }

  /** Where an event is in `held`, or -1. */
  placeOf(event: PathEvent): number {
    const place = this.places[event] ?? 0;
    return place < this.size && this.held[place] === event ? place : -1;
  }

  /** Makes `placeOf` know events that were renamed since they were added. */
  refresh(): void {
    if (this.places.length < this.path.capacity) this.places = new Int32Array(this.path.capacity);
    for (let i = this.size - 1; i >= 0; i--) this.places[this.held[i] as number] = i;
  }

  /** Goes back to the first slot for `read` and `readLast`. */
  rewind(): void {
    this.cursor = 0;
  }

  /** Sets single events, whose slots are those from `slot` on; slots are read in the order in which they were added. */
  read(events: Int32Array, slot: number): void {
    events.fill(NEVER);
    for (; this.cursor < this.size && (this.slots[this.cursor] as number) < slot + events.length; this.cursor++)
      events[(this.slots[this.cursor] as number) - slot] = this.held[this.cursor] as number;
  }

  /** Sets the events of a list, which are those just before `end`. */
  readLast(events: Int32Array, end: number, slot: number): void {
    const first = this.cursor;
    while (this.cursor < this.size && this.slots[this.cursor] === slot) this.cursor++;
    events.set(this.held.subarray(first, this.cursor), end - (this.cursor - first));
  }

  private grow(): void {
    const { slots, offsets, held, aliases } = this;
    (this.slots = new Int32Array(2 * slots.length)).set(slots);
    (this.offsets = new Int32Array(2 * slots.length)).set(offsets);
    (this.held = new Int32Array(2 * slots.length)).set(held);
    (this.aliases = new Int32Array(2 * slots.length)).set(aliases);
  }
}
