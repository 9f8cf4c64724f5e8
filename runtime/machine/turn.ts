/** A stretch of executed instructions that is timed as a whole: a turn of a loop, or what lies between two of them. */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import { MNEMONICS, recordOf } from '../../isa/table.ts';
import type { Shape } from './shapes.ts';

/** Most instructions of a turn; longer ones are cut. */
export const TURN_CAPACITY = 128;
const MOST_ACCESSES = Math.max(...MNEMONICS.map((mnemonic) => recordOf(mnemonic).accesses.length));

/**
 * What was executed, and what the recurrence made of it. Columns by instruction, but for `lows` and `ends`, which have one entry for each
 * access that touches memory, and `bindings`, which has one for each time that such an access was compared with claims.
 */
export class Turn {
  length = 0;
  /** Place of the first instruction in the program's execution. */
  order = 0;
  readonly shapes: Shape[] = [];
  readonly conflicts = new Float64Array(TURN_CAPACITY);
  /** Places of the instructions that touch memory: the first `queued`. */
  readonly places = new Int32Array(TURN_CAPACITY);
  queued = 0;
  readonly lows = new Float64Array(TURN_CAPACITY * MOST_ACCESSES);
  readonly ends = new Float64Array(TURN_CAPACITY * MOST_ACCESSES);
  private ranges = 0;

  /** Dispatch as far as memory has no part in it; end of the occupancy; results; cycles in which the unit was held. */
  readonly floorTimes = new Float64Array(TURN_CAPACITY);
  readonly endTimes = new Float64Array(TURN_CAPACITY);
  readonly resultTimes = new Float64Array(TURN_CAPACITY);
  readonly busy = new Float64Array(TURN_CAPACITY);
  readonly bindings = new Float64Array(TURN_CAPACITY * MOST_ACCESSES * 2);

  get full(): boolean {
    return this.length === TURN_CAPACITY;
  }

  add(shape: Shape, conflict: number, accesses: readonly ResolvedAccess[]): void {
    const i = this.length++;
    this.shapes[i] = shape;
    this.conflicts[i] = conflict;
    const { touched } = shape;
    if (touched.length === 0) return;
    this.places[this.queued++] = i;
    for (let k = 0; k < touched.length; k++) {
      const { low, end } = accesses[touched[k] as number] as ResolvedAccess;
      this.lows[this.ranges] = low;
      this.ends[this.ranges++] = end;
    }
  }

  /** Begins the next turn. */
  clear(): void {
    this.order += this.length;
    this.length = this.queued = this.ranges = 0;
  }
}
