/**
 * How long an instruction holds its unit, in cycles: `docs/timing.md`, "Occupancy". Derived from the cost class of its record,
 * the rows of its accesses and the target.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Cost } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import { BankConflicts } from './banks.ts';

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

/** Cycles of one slice of lanes, for each cycle of the element type's rate. */
export function cyclesPerSlice(cost: Cost, { vector }: Target): number {
  if (cost === 'vector-divide') return vector.divideCycles;
  return cost === 'vector-transcendental' ? vector.transcendentalCycles : 1;
}

/**
 * The cost of an executed instruction of the vector, matrix or DMA unit. One object is reused: `measure` overwrites the fields.
 */
export class Occupancy {
  /** Cycles of useful work. */
  work = 0;
  /** Cycles added because operands meet in a bank. */
  conflict = 0;
  /** Cycles inside the unit in which each row waits for the one before, whose result it reads. */
  carried = 0;
  /** Operations of each kind that the record names: elements, or multiply-accumulates of a product. */
  elements = 0;

  private readonly target: Target;
  private readonly banks: BankConflicts;

  constructor(target: Target) {
    this.target = target;
    this.banks = new BankConflicts(target.memory);
  }

  /** `sliceCycles` is the rate of the element type times `cyclesPerSlice`. */
  measure(cost: Cost, accesses: readonly ResolvedAccess[], sliceCycles: number): void {
    this.work = this.conflict = this.carried = this.elements = 0;
    const first = accesses[0];
    if (first === undefined || first.rows === 0) return;
    switch (cost) {
      case 'product':
        this.product(first, accesses, sliceCycles);
        break;
      case 'matrix-elementwise':
        this.elements = elementsOfRow(first);
        this.work = Math.ceil(this.elements / this.target.matrix.elementsPerCycle) * sliceCycles;
        break;
      case 'transfer':
        this.work = first.rows * first.planes * Math.ceil(first.rowBytes / this.target.dma.bytesPerCycle);
        break;
      default:
        this.vector(cost, first, accesses, sliceCycles);
    }
  }

  private product(out: ResolvedAccess, accesses: readonly ResolvedAccess[], sliceCycles: number): void {
    const { blocks, lanes } = this.target.matrix;
    const outputs = elementsOfRow(out);
    const input = accesses[2];
    const inputs = input === undefined ? 0 : elementsOfRow(input);
    const rowCycles = Math.ceil(outputs / blocks) * Math.max(1, Math.ceil(inputs / lanes)) * sliceCycles;
    this.elements = out.rows * outputs * inputs;
    this.work = out.rows * rowCycles;
    this.conflict = this.banks.cycles(accesses, out.rows, rowCycles);
  }

  private vector(cost: Cost, first: ResolvedAccess, accesses: readonly ResolvedAccess[], sliceCycles: number): void {
    const { lanes, depthCycles } = this.target.vector;
    const { rows } = first;
    const rowCycles = Math.ceil(elementsOfRow(first) / lanes) * sliceCycles;
    const treeCycles = cost === 'vector-reduce' ? Math.ceil(Math.log2(lanes)) : 0;
    this.elements = rows * elementsOfRow(first);
    this.work = rows * rowCycles + treeCycles;
    this.conflict = this.banks.cycles(accesses, rows, rowCycles);
    if (rows > 1 && first.strideBytes === 0 && readsItsResult(first, accesses)) this.carried = (rows - 1) * depthCycles;
  }
}

function elementsOfRow(access: ResolvedAccess): number {
  return access.rowBytes / access.elementBytes;
}

/** Whether an input lies where the rows of the output coincide, so that each row goes on from the one before. */
function readsItsResult(out: ResolvedAccess, accesses: readonly ResolvedAccess[]): boolean {
  for (const { mode, space, low, end } of accesses)
    if (mode === 'read' && space === out.space && low < out.end && end > out.low) return true;
  return false;
}
