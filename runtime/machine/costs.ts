/**
 * How long an instruction holds its unit, in cycles: `docs/timing.md`, "Occupancy". Derived from the cost class of its record,
 * the rows of its accesses and the target.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Cost } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import { laneCycles } from '../../isa/target.ts';

/** Cycles in which a scalar load or store holds the port of the cache. */
export const CACHE_CYCLES = 1;

/** Cycles from issue (scalar unit) or dispatch (scalar memory) to the result. */
export function scalarLatency(cost: Cost, { scalar }: Target): number {
  switch (cost) {
    case 'scalar-multiply':
      return scalar.multiplyCycles;
    case 'scalar-divide':
      return scalar.divideCycles;
    case 'scalar-transcendental':
      return scalar.transcendentalCycles;
    case 'scalar-memory':
      return scalar.memoryCycles;
    default:
      return scalar.latencyCycles;
  }
}

/** Cycles of an operation on one slice of lanes at rate 1. */
export function cyclesPerSlice(cost: Cost, { vector }: Target): number {
  if (cost === 'vector-divide') return vector.divideCycles;
  return cost === 'vector-transcendental' ? vector.transcendentalCycles : 1;
}

/**
 * The cost of an executed instruction of the vector, matrix or DMA unit, but for bank conflicts. One object is reused: `measure` overwrites
 * the fields.
 */
export class Occupancy {
  /** Cycles of useful work. */
  work = 0;
  /** Cycles of one row whose operands share the banks of the vector scratchpad; infinite where nothing does. */
  rowCycles = Infinity;
  /** Cycles inside the unit in which each row waits for the one before, whose result it reads. */
  carried = 0;
  /** Operations of each kind that the record names: elements, or multiply-accumulates of a product. */
  elements = 0;

  private readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }

  /** `rate` is that of the element type, `sliceCycles` what `cyclesPerSlice` gives. */
  measure(cost: Cost, accesses: readonly ResolvedAccess[], rate: number, sliceCycles: number): void {
    this.work = this.carried = this.elements = 0;
    this.rowCycles = Infinity;
    const first = accesses[0];
    if (first === undefined || first.rows === 0) return;
    switch (cost) {
      case 'product':
        this.product(first, accesses, rate);
        break;
      case 'columns':
        this.columns(first, accesses, rate);
        break;
      case 'matrix-elementwise':
        this.elements = elementsOfRow(first);
        this.work = laneCycles(rate, this.elements, this.target.matrix.elementsPerCycle);
        break;
      case 'scalar-memory':
        this.work = CACHE_CYCLES;
        break;
      case 'transfer':
        this.work = first.rows * first.planes * Math.ceil(first.rowBytes / this.target.dma.bytesPerCycle);
        break;
      default:
        this.vector(cost, first, accesses, rate, sliceCycles);
    }
  }

  private product(out: ResolvedAccess, accesses: readonly ResolvedAccess[], rate: number): void {
    const { blocks, lanes } = this.target.matrix;
    const outputs = elementsOfRow(out);
    const input = accesses[2];
    const inputs = input === undefined ? 0 : elementsOfRow(input);
    this.rowCycles = Math.ceil(outputs / blocks) * laneCycles(rate, Math.max(1, inputs), lanes);
    this.elements = out.rows * outputs * inputs;
    this.work = out.rows * this.rowCycles;
  }

  /** Each tap is a slice of work; the accumulators are read and written once a row. */
  private columns(out: ResolvedAccess, accesses: readonly ResolvedAccess[], rate: number): void {
    const size = elementsOfRow(out);
    const input = accesses[2];
    const taps = input === undefined ? 0 : elementsOfRow(input) / size;
    this.rowCycles = Math.max(1, taps) * laneCycles(rate, size, this.target.vector.lanes);
    this.elements = out.rows * size * taps;
    this.work = out.rows * this.rowCycles;
  }

  private vector(cost: Cost, first: ResolvedAccess, accesses: readonly ResolvedAccess[], rate: number, sliceCycles: number): void {
    const { lanes, depthCycles } = this.target.vector;
    const { rows } = first;
    this.rowCycles = laneCycles(rate, elementsOfRow(first), lanes) * sliceCycles;
    const treeCycles = cost === 'vector-reduce' ? Math.ceil(Math.log2(lanes)) : 0;
    this.elements = rows * elementsOfRow(first);
    this.work = rows * this.rowCycles + treeCycles;
    if (readsItsResult(accesses)) this.carried = (rows - 1) * depthCycles;
  }
}

function elementsOfRow(access: ResolvedAccess): number {
  return access.rowBytes / access.elementBytes;
}

/** Whether several rows write one place and an input lies there, so that each row goes on from the one before. */
export function readsItsResult(accesses: readonly ResolvedAccess[]): boolean {
  const out = accesses[0];
  if (out === undefined || out.rows <= 1 || out.strideBytes !== 0) return false;
  for (const { mode, space, low, end } of accesses)
    if (mode === 'read' && space === out.space && low < out.end && end > out.low) return true;
  return false;
}
