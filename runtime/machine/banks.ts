/**
 * Bank conflicts of the vector scratchpad: `docs/timing.md`, "Occupancy". Operands advance through the banks in step, so those that
 * start in one bank meet there again and again; a bank serves one of them in a cycle.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Target } from '../../isa/target.ts';

/** The banks of the vector scratchpad. */
export interface Banks {
  readonly bankBytes: number;
  /** Bytes after which the banks repeat. */
  readonly span: number;
}

export const banksOf = ({ banks, bankBytes }: Target['memory']): Banks => ({ bankBytes, span: banks * bankBytes });

/** Whether an operand is read or written once a row in the vector scratchpad. */
const isStream = ({ space, access }: ResolvedAccess): boolean => space === 'vector' && access.once !== true;

/** Accesses that a row of an operand needs; an update reads and writes. */
const needsOf = ({ mode, rowBytes }: ResolvedAccess, bankBytes: number): number =>
  Math.ceil(rowBytes / bankBytes) * (mode === 'update' ? 2 : 1);

/** Whether operands can meet in a bank so that a row takes longer than `rowCycles`. */
export function mayConflict(accesses: readonly ResolvedAccess[], rowCycles: number, { bankBytes }: Banks): boolean {
  let needs = 0;
  for (const access of accesses) if (isStream(access)) needs += needsOf(access, bankBytes);
  return needs > rowCycles;
}

/** The operands of one instruction in the vector scratchpad, in one shape. Results are kept, because loops come back to the same banks. */
export class Streams {
  private readonly banks: Banks;
  /** Indexes of the operands among the accesses. */
  private readonly indexes: number[] = [];
  private readonly rows: number;
  private readonly rowCycles: number;
  /** Whether all rows of an operand start at one place within a bank, which then is of no account. */
  private readonly aligned: boolean;
  private readonly strides: number[] = [];
  private readonly needs: number[] = [];
  /** The last result, and where there are more, all of them by places. */
  private lastPlaces = -1;
  private lastCycles = 0;
  private known: Map<number, number> | undefined;

  /** `rowCycles` is what a row takes without conflicts. */
  constructor(accesses: readonly ResolvedAccess[], rowCycles: number, banks: Banks) {
    this.banks = banks;
    this.rows = accesses[0]?.rows ?? 0;
    this.rowCycles = rowCycles;
    let aligned = true;
    for (let i = 0; i < accesses.length; i++) {
      const access = accesses[i] as ResolvedAccess;
      if (!isStream(access) || access.rowBytes === 0) continue;
      const { strideBytes } = access;
      this.indexes.push(i);
      this.strides.push(((strideBytes % banks.span) + banks.span) % banks.span);
      this.needs.push(needsOf(access, banks.bankBytes));
      aligned &&= strideBytes % banks.bankBytes === 0;
    }
    this.aligned = aligned;
  }

  /** Places of which results are kept. */
  get size(): number {
    return this.known?.size ?? 0;
  }

  /** Cycles beyond `rowCycles`, summed over rows, that the busiest bank needs. */
  cycles(accesses: readonly ResolvedAccess[]): number {
    const places = this.placesOf(accesses);
    if (places === this.lastPlaces) return this.lastCycles;
    let cycles = this.known?.get(places);
    if (cycles === undefined) {
      cycles = this.count(accesses);
      if (this.lastPlaces >= 0) (this.known ??= new Map([[this.lastPlaces, this.lastCycles]])).set(places, cycles);
    }
    this.lastPlaces = places;
    return (this.lastCycles = cycles);
  }

  /** What the conflicts depend on, as one number. Banks are alike, so the first operand may start in the first one. */
  private placesOf(accesses: readonly ResolvedAccess[]): number {
    const { indexes, aligned } = this;
    const { span, bankBytes } = this.banks;
    let places = 0;
    let shift = 0;
    for (let k = 0; k < indexes.length; k++) {
      // Integers of 32 bits, and said to be: the remainder of other numbers is slow.
      let start = ((accesses[indexes[k] as number] as ResolvedAccess).start | 0) % span;
      const within = start % bankBytes;
      if (aligned) start -= within;
      if (k === 0) shift = span - start + (aligned ? 0 : within);
      places = places * span + ((start + shift) % span);
    }
    return places;
  }

  private count(accesses: readonly ResolvedAccess[]): number {
    const { rows, strides, rowCycles } = this;
    const { span } = this.banks;
    const at = this.indexes.map((i) => (accesses[i] as ResolvedAccess).start % span);
    const period = Math.min(rows, this.rowPeriod());
    let extra = 0;
    for (let row = 0; row < period; row++) {
      const beyond = this.busiestBank(at) - rowCycles;
      if (beyond > 0) extra += Math.ceil((rows - row) / period) * beyond;
      strides.forEach((stride, k) => (at[k] = ((at[k] as number) + stride) % span));
    }
    return extra;
  }

  /** Number of rows after which the banks of all streams repeat. */
  private rowPeriod(): number {
    const { span } = this.banks;
    return span / this.strides.reduce(greatestCommonDivisor, span);
  }

  /** Accesses that the busiest bank serves for a row whose operands start at these places. */
  private busiestBank(at: readonly number[]): number {
    const { needs } = this;
    const { bankBytes } = this.banks;
    let busiest = 0;
    for (const place of at) {
      const bank = Math.floor(place / bankBytes);
      let sum = 0;
      for (let other = 0; other < at.length; other++)
        if (Math.floor((at[other] as number) / bankBytes) === bank) sum += needs[other] as number;
      busiest = Math.max(busiest, sum);
    }
    return busiest;
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
