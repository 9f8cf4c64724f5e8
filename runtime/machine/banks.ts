/**
 * Bank conflicts of the vector scratchpad: `docs/timing.md`, "Occupancy". Operands advance through the banks in step, so those that
 * start in one bank meet there again and again; a bank serves one of them in a cycle.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Target } from '../../isa/target.ts';

/** Most operands that a vector instruction or a product has in one scratchpad. */
const STREAMS = 3;

/** Where the figures of a stream stand in a key: start and stride modulo the span of the banks, and accesses that a row needs. */
const START = 0;
const STRIDE = STREAMS;
const NEEDS = 2 * STREAMS;
const ROWS = 3 * STREAMS;
const ROW_CYCLES = ROWS + 1;
const KEY = ROWS + 2;

/** Results that are kept, because loops come back to the same banks; a power of two. An entry is a key and its result. */
const ENTRIES = 1024;
const ENTRY = KEY + 1;

export class BankConflicts {
  private readonly bankBytes: number;
  /** Bytes after which the banks repeat, and the bank of each of them. */
  private readonly span: number;
  private readonly bankOf: Int32Array;
  /** What the result depends on; streams that are not there are 0. */
  private readonly key = new Float64Array(KEY);
  private readonly entries = new Float64Array(ENTRIES * ENTRY);
  /** Start of the present row by stream. */
  private readonly at = new Int32Array(STREAMS);

  constructor({ banks, bankBytes }: Target['memory']) {
    this.bankBytes = bankBytes;
    this.span = banks * bankBytes;
    this.bankOf = Int32Array.from({ length: this.span }, (_, byte) => Math.floor(byte / bankBytes));
  }

  /** Cycles beyond `rowCycles`, summed over rows, that the busiest bank needs. */
  cycles(accesses: readonly ResolvedAccess[], rows: number, rowCycles: number): number {
    const { key, entries } = this;
    if (this.load(accesses) <= rowCycles) return 0;
    key[ROWS] = rows;
    key[ROW_CYCLES] = rowCycles;
    let hash = rows | 0;
    for (let i = 0; i < NEEDS; i++) hash = (Math.imul(hash, 31) + (key[i] as number)) | 0;
    const entry = ((hash ^ (hash >>> 8)) & (ENTRIES - 1)) * ENTRY;
    let same = 0;
    while (same < KEY && entries[entry + same] === key[same]) same++;
    if (same < KEY) {
      entries.set(key, entry);
      entries[entry + KEY] = this.count(rows, rowCycles);
    }
    return entries[entry + KEY] as number;
  }

  /** Notes the streams of an instruction; returns the accesses that a row of all of them needs. */
  private load(accesses: readonly ResolvedAccess[]): number {
    const { key, span } = this;
    let stream = 0;
    let total = 0;
    for (const { space, mode, start, strideBytes, rowBytes } of accesses) {
      if (space !== 'vector' || rowBytes === 0) continue;
      // An update reads and writes.
      const needs = Math.ceil(rowBytes / this.bankBytes) * (mode === 'update' ? 2 : 1);
      // Both are integers of 32 bits, and said to be: the remainder of other numbers is slow.
      key[START + stream] = (start >>> 0) % span;
      key[STRIDE + stream] = strideBytes === 0 ? 0 : (((strideBytes | 0) % span) + span) % span;
      key[NEEDS + stream] = needs;
      total += needs;
      stream++;
    }
    for (; stream < STREAMS; stream++) key[START + stream] = key[STRIDE + stream] = key[NEEDS + stream] = 0;
    return total;
  }

  private count(rows: number, rowCycles: number): number {
    const { key, at, span } = this;
    const period = Math.min(rows, this.rowPeriod());
    for (let k = 0; k < STREAMS; k++) at[k] = key[START + k] as number;
    let extra = 0;
    for (let row = 0; row < period; row++) {
      const beyond = this.busiestBank() - rowCycles;
      if (beyond > 0) extra += Math.ceil((rows - row) / period) * beyond;
      for (let k = 0; k < STREAMS; k++) at[k] = ((at[k] as number) + (key[STRIDE + k] as number)) % span;
    }
    return extra;
  }

  /** Number of rows after which the banks of all streams repeat. */
  private rowPeriod(): number {
    let step = this.span;
    for (let k = 0; k < STREAMS; k++) step = greatestCommonDivisor(step, this.key[STRIDE + k] as number);
    return this.span / step;
  }

  /** Accesses that the busiest bank serves for the present row. */
  private busiestBank(): number {
    const { key, at, bankOf } = this;
    let busiest = 0;
    for (let k = 0; k < STREAMS; k++) {
      const bank = bankOf[at[k] as number];
      let needs = 0;
      for (let other = 0; other < STREAMS; other++) if (bankOf[at[other] as number] === bank) needs += key[NEEDS + other] as number;
      busiest = Math.max(busiest, needs);
    }
    return busiest;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
