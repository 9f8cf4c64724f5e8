/**
 * Longest paths of a max-plus recurrence, kept exactly and in bounded memory.
 *
 * An event is a point in time with the chain of delays that leads to it. Each delay carries a label (who is charged), so the
 * labels of the chain behind the last event add up to its time, by construction. Events live in an arena; `collect` commits the
 * trunk that all live events share to the totals, drops dead events and joins unbranched chains.
 */

/** A handle into the arena; handles held outside must be passed to `collect`, which renames them. */
export type PathEvent = number;

/** No event: its time is -Infinity, so that it never wins a maximum. */
export const NEVER: PathEvent = 0;
/** The beginning, at time 0; after a `collect`, the end of the committed trunk. */
export const ORIGIN: PathEvent = 1;

const UNREACHED = 0;
const REACHED = 1;
const HELD = 2;

/** Events side by side: when, after which, and who is charged with what lies between. */
interface Arena {
  readonly time: Float64Array;
  readonly parent: Int32Array;
  readonly label: Int32Array;
}

function arenaOf(capacity: number): Arena {
  return { time: new Float64Array(capacity), parent: new Int32Array(capacity), label: new Int32Array(capacity) };
}

/** What a collection finds out about each event. */
class Marks {
  readonly state: Uint8Array;
  readonly children: Uint8Array;
  readonly child: Int32Array;
  readonly renamed: Int32Array;

  constructor(capacity: number) {
    this.state = new Uint8Array(capacity);
    this.children = new Uint8Array(capacity);
    this.child = new Int32Array(capacity);
    this.renamed = new Int32Array(capacity);
  }

  clear(size: number): void {
    this.state.fill(UNREACHED, 0, size);
    this.children.fill(0, 0, size);
    this.renamed.fill(NEVER, 0, size);
  }
}

/** Events for which there is room at first: short programs need no more. */
const FIRST_CAPACITY = 1 << 11;

export class CriticalPath {
  private arena: Arena;
  /** Where the next collection moves to; it and the marks are made by the first one. */
  private spare: Arena | undefined;
  private marks: Marks | undefined;
  private size = 2;
  /** Cycles by label of the committed trunk. */
  private readonly committed: number[] = [];

  private readonly roomy: number;

  /** About `capacity` events fit before `collect` is due, more where that many are live; results do not depend on it. */
  constructor(capacity = 1 << 14) {
    this.roomy = capacity;
    this.arena = arenaOf(Math.min(capacity, FIRST_CAPACITY));
    this.arena.time[NEVER] = -Infinity;
  }

  /** Events that the arena holds before it must be collected or grow. */
  get capacity(): number {
    return this.arena.time.length;
  }

  timeOf(event: PathEvent): number {
    return this.arena.time[event] as number;
  }

  /** The event `cycles` after another, charged to `label`. The caller sees to it that there is `room`. */
  after(event: PathEvent, label: number, cycles: number): PathEvent {
    if (cycles === 0) return event;
    const { time, parent, label: labels } = this.arena;
    const next = this.size++;
    time[next] = (time[event] as number) + cycles;
    parent[next] = event;
    labels[next] = label;
    return next;
  }

  /** The handle of the next event: events that exist have smaller ones. */
  get next(): PathEvent {
    return this.size;
  }

  parentOf(event: PathEvent): PathEvent {
    return this.arena.parent[event] as number;
  }

  labelOf(event: PathEvent): number {
    return this.arena.label[event] as number;
  }

  /** Cycles between an event and its parent. */
  delayOf(event: PathEvent): number {
    const { time, parent } = this.arena;
    return (time[event] as number) - (time[parent[event] as number] as number);
  }

  /** Grows until `count` more events fit. */
  reserve(count: number): void {
    while (!this.room(count)) this.grow();
  }

  /** Whether `count` more events fit, without a collection. */
  room(count: number): boolean {
    while (this.size + count > this.capacity && this.capacity < this.roomy) this.grow();
    return this.size + count <= this.capacity;
  }

  /** Cycles by label along the path to `event`; they add up to its time. Labels that were never charged may be missing. */
  sharesOf(event: PathEvent): number[] {
    const { parent, label } = this.arena;
    const shares = [...this.committed];
    for (let at = event; at > ORIGIN; at = parent[at] as number) charge(shares, label[at] as number, this.delayOf(at));
    return shares;
  }

  /** Makes room. `held` are all the events that the caller still needs; they are renamed in place. */
  collect(held: readonly Int32Array[]): void {
    const { size } = this;
    const { parent: parents } = this.arena;
    const marks = (this.marks ??= new Marks(this.capacity));
    const { state, children, child } = marks;
    marks.clear(size);
    for (const events of held) for (const event of events) state[event] = HELD;
    for (let at = size - 1; at > ORIGIN; at--) {
      if (state[at] === UNREACHED) continue;
      const parent = parents[at] as number;
      if (state[parent] === UNREACHED) state[parent] = REACHED;
      child[parent] = at;
      children[parent] = Math.min(2, (children[parent] as number) + 1);
    }
    const trunk = this.commitTrunk(marks);
    this.copyAfter(trunk, marks);
    const { renamed } = marks;
    for (const events of held) for (let i = 0; i < events.length; i++) events[i] = renamed[events[i] as number] as number;
    if (this.size > this.capacity / 2) this.grow();
  }

  /** Charges the delays that all live events share; returns the event where they part. */
  private commitTrunk({ state, children, child }: Marks): PathEvent {
    let trunk = ORIGIN;
    while (state[trunk] !== HELD && children[trunk] === 1) {
      trunk = child[trunk] as number;
      charge(this.committed, this.arena.label[trunk] as number, this.delayOf(trunk));
    }
    return trunk;
  }

  /** Moves the live events after `trunk` to the spare arena, which starts there, and notes their new handles, which have the same order. */
  private copyAfter(trunk: PathEvent, { state, children, renamed }: Marks): void {
    const { arena: from, size } = this;
    const { time, parent, label } = from;
    renamed[trunk] = ORIGIN;
    this.arena = this.spare ?? arenaOf(time.length);
    this.spare = from;
    this.arena.time[NEVER] = -Infinity;
    this.arena.time[ORIGIN] = time[trunk] as number;
    this.size = 2;
    const chain = new Map<number, number>();
    for (let at = trunk + 1; at < size; at++) {
      if (state[at] !== HELD && (children[at] as number) < 2) continue;
      // The order of delays inside an unbranched chain is of no account, so one event a label stands for them all.
      chain.clear();
      let up = at;
      for (; renamed[up] === NEVER; up = parent[up] as number) {
        const delay = (time[up] as number) - (time[parent[up] as number] as number);
        chain.set(label[up] as number, (chain.get(label[up] as number) ?? 0) + delay);
      }
      let copy = renamed[up] as number;
      for (const [charged, delay] of chain) copy = this.after(copy, charged, delay);
      renamed[at] = copy;
    }
  }

  private grow(): void {
    const { time, parent, label } = this.arena;
    this.arena = arenaOf(time.length * 2);
    this.arena.time.set(time);
    this.arena.parent.set(parent);
    this.arena.label.set(label);
    this.spare = this.marks = undefined;
  }
}

function charge(shares: number[], label: number, cycles: number): void {
  while (shares.length <= label) shares.push(0);
  shares[label] = (shares[label] as number) + cycles;
}

/**
 * The latest of several events, each a delay after another event: the maximum of a max-plus recurrence. Of equal times the first
 * offered wins, so that what a path goes through does not depend on events that bind nothing.
 */
export class Latest {
  /** Time of the latest so far. */
  time = 0;
  /** Tag of the latest so far. */
  tag = 0;
  private event: PathEvent = NEVER;
  private delay = 0;
  private readonly path: CriticalPath;

  constructor(path: CriticalPath) {
    this.path = path;
  }

  begin(event: PathEvent, delay: number, tag: number): void {
    this.time = -Infinity;
    this.tag = tag;
    this.event = event;
    this.delay = delay;
    this.offer(event, delay, tag);
  }

  offer(event: PathEvent, delay: number, tag: number): void {
    const time = this.path.timeOf(event) + delay;
    if (time <= this.time) return;
    this.time = time;
    this.tag = tag;
    this.event = event;
    this.delay = delay;
  }

  /** The event chosen; its delay is charged to `label` plus its tag. */
  take(label: number): PathEvent {
    return this.path.after(this.event, label + this.tag, this.delay);
  }
}
