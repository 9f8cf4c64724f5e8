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

export class CriticalPath {
  private time: Float64Array;
  private parent: Int32Array;
  private label: Int32Array;
  private size = 2;
  /** Cycles by label of the committed trunk. */
  private readonly committed: number[] = [];

  /** `capacity` events fit before `collect` is due. It grows when that many are live; results do not depend on it. */
  constructor(capacity = 1 << 16) {
    this.time = new Float64Array(capacity);
    this.parent = new Int32Array(capacity);
    this.label = new Int32Array(capacity);
    this.time[NEVER] = -Infinity;
  }

  /** Events that the arena holds before it must be collected or grow. */
  get capacity(): number {
    return this.time.length;
  }

  timeOf(event: PathEvent): number {
    return this.time[event] as number;
  }

  /** The event `cycles` after another, charged to `label`. The caller sees to it that there is `room`. */
  after(event: PathEvent, label: number, cycles: number): PathEvent {
    if (cycles === 0) return event;
    const next = this.size++;
    this.time[next] = (this.time[event] as number) + cycles;
    this.parent[next] = event;
    this.label[next] = label;
    return next;
  }

  /** Whether `count` more events fit. */
  room(count: number): boolean {
    return this.size + count <= this.time.length;
  }

  /** Cycles by label along the path to `event`; they add up to its time. Labels that were never charged may be missing. */
  sharesOf(event: PathEvent): number[] {
    const shares = [...this.committed];
    for (let at = event; at > ORIGIN; at = this.parent[at] as number) charge(shares, this.label[at] as number, this.delayOf(at));
    return shares;
  }

  /** Makes room. `held` are all the events that the caller still needs; they are renamed in place. */
  collect(held: readonly Int32Array[]): void {
    const { size } = this;
    const state = new Uint8Array(size);
    const children = new Uint8Array(size);
    const child = new Int32Array(size);
    for (const events of held) for (const event of events) state[event] = HELD;
    for (let at = size - 1; at > ORIGIN; at--) {
      if (state[at] === UNREACHED) continue;
      const parent = this.parent[at] as number;
      if (state[parent] === UNREACHED) state[parent] = REACHED;
      child[parent] = at;
      children[parent] = Math.min(2, (children[parent] as number) + 1);
    }
    const trunk = this.commitTrunk(state, children, child);
    const renamed = this.copyAfter(trunk, state, children);
    for (const events of held) for (let i = 0; i < events.length; i++) events[i] = renamed[events[i] as number] as number;
  }

  private delayOf(event: PathEvent): number {
    return (this.time[event] as number) - (this.time[this.parent[event] as number] as number);
  }

  /** Charges the delays that all live events share; returns the event where they part. */
  private commitTrunk(state: Uint8Array, children: Uint8Array, child: Int32Array): PathEvent {
    let trunk = ORIGIN;
    while (state[trunk] !== HELD && children[trunk] === 1) {
      trunk = child[trunk] as number;
      charge(this.committed, this.label[trunk] as number, this.delayOf(trunk));
    }
    return trunk;
  }

  /** Moves the live events after `trunk` to a fresh arena that starts there; returns their new handles. */
  private copyAfter(trunk: PathEvent, state: Uint8Array, children: Uint8Array): Int32Array {
    const { time, parent, label, size } = this;
    const renamed = new Int32Array(size);
    renamed[trunk] = ORIGIN;
    this.reset(time.length, time[trunk] as number);
    const chain = new Map<number, number>();
    for (let at = trunk + 1; at < size; at++) {
      if (state[at] !== HELD && (children[at] as number) < 2) continue;
      // The order of delays inside an unbranched chain is of no account, so one event a label stands for them all.
      chain.clear();
      let up = at;
      for (; renamed[up] === 0; up = parent[up] as number) {
        const delay = (time[up] as number) - (time[parent[up] as number] as number);
        chain.set(label[up] as number, (chain.get(label[up] as number) ?? 0) + delay);
      }
      let copy = renamed[up] as number;
      for (const [charged, delay] of chain) copy = this.after(copy, charged, delay);
      renamed[at] = copy;
    }
    if (this.size > this.time.length / 2) this.grow();
    return renamed;
  }

  private reset(capacity: number, start: number): void {
    this.time = new Float64Array(capacity);
    this.parent = new Int32Array(capacity);
    this.label = new Int32Array(capacity);
    this.time[NEVER] = -Infinity;
    this.time[ORIGIN] = start;
    this.size = 2;
  }

  private grow(): void {
    const { time, parent, label, size } = this;
    this.reset(time.length * 2, 0);
    this.time.set(time);
    this.parent.set(parent);
    this.label.set(label);
    this.size = size;
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
