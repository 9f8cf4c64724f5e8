/**
 * Shapes: everything of an executed instruction that timing looks at, but for the places of its operands. Loops execute their instructions
 * in few shapes, so what follows from one is computed once, and executions are counted by it.
 */
import type { ResolvedAccess } from '../../isa/accesses.ts';
import type { Target } from '../../isa/target.ts';
import type { Banks } from './banks.ts';
import { Streams, banksOf, mayConflict } from './banks.ts';
import { Occupancy, readsItsResult } from './costs.ts';
import type { Operand } from './dependences.ts';
import type { Plan } from './timing-plan.ts';

/** Shapes that are kept. */
export const MOST_SHAPES = 1 << 16;

/** Figures of an access in a key. */
const FIGURES = 4;

export interface Shape {
  readonly plan: Plan;
  /** Row bytes, rows, planes and distance of rows of each access. */
  readonly key: readonly number[];
  /** Whether rows go on from each other: `readsItsResult`. */
  readonly carries: boolean;
  /** Cycles of useful work, and those in which rows wait for each other. */
  readonly work: number;
  readonly carried: number;
  /** The operands that may meet in a bank, if they may. */
  readonly streams: Streams | undefined;
  /** Indexes of the accesses that touch memory, and what they are in order with. */
  readonly touched: readonly number[];
  readonly operands: readonly Operand[];
  /** How often its operands are compared with claims. */
  readonly comparisons: number;
  /** Operations of each kind that the record names, and bytes by access. */
  readonly elements: number;
  readonly moved: readonly number[];
  /** Executions that `Plan.counts` does not have yet. */
  executions: number;
}

function fits({ key }: Shape, accesses: readonly ResolvedAccess[]): boolean {
  for (let i = 0, k = 0; i < accesses.length; i++, k += FIGURES) {
    const { rowBytes, rows, planes, strideBytes } = accesses[i] as ResolvedAccess;
    if (rowBytes !== key[k] || rows !== key[k + 1] || planes !== key[k + 2] || strideBytes !== key[k + 3]) return false;
  }
  return true;
}

/** The shapes of one static instruction. */
export class ShapeSet {
  /** The last two: sizes mostly stay or alternate. */
  private last: Shape | undefined;
  private other: Shape | undefined;
  /** All of them where there are more. */
  private all: Map<string, Shape> | undefined;

  /** The last shape, where there is one only. */
  get only(): Shape | undefined {
    return this.last;
  }

  /** The shape that is there already. */
  find(accesses: readonly ResolvedAccess[], carries: boolean): Shape | undefined {
    const { last, other } = this;
    if (last !== undefined && last.carries === carries && fits(last, accesses)) return last;
    const found =
      other !== undefined && other.carries === carries && fits(other, accesses) ? other : this.all?.get(nameOf(keyOf(accesses), carries));
    if (found !== undefined) this.remember(found);
    return found;
  }

  add(shape: Shape): void {
    const { last, other } = this;
    if (last !== undefined && other !== undefined) {
      this.all ??= new Map([last, other].map((each) => [nameOf(each.key, each.carries), each]));
      this.all.set(nameOf(shape.key, shape.carries), shape);
    }
    this.remember(shape);
  }

  clear(): void {
    this.last = this.other = this.all = undefined;
  }

  /** Adds the executions of all shapes to the counts of their plan. */
  settle(): void {
    const { last, other, all } = this;
    if (all !== undefined) for (const shape of all.values()) settleShape(shape);
    if (last !== undefined) settleShape(last);
    if (other !== undefined) settleShape(other);
  }

  private remember(shape: Shape): void {
    this.other = this.last;
    this.last = shape;
  }
}

function settleShape(shape: Shape): void {
  if (shape.executions > 0) shape.plan.counts.add(shape.executions, shape.moved, shape.elements);
  shape.executions = 0;
}

function keyOf(accesses: readonly ResolvedAccess[]): number[] {
  const key: number[] = [];
  for (const { rowBytes, rows, planes, strideBytes } of accesses) key.push(rowBytes, rows, planes, strideBytes);
  return key;
}

const nameOf = (key: readonly number[], carries: boolean): string => `${key.join()}${carries ? '*' : ''}`;

const NOTHING: readonly never[] = [];

/** Finds the shapes of executed instructions on one target. */
export class Shapes {
  /** Shapes, and places of operands, that are kept. */
  size = 0;
  private readonly occupancy: Occupancy;
  private readonly banks: Banks;

  constructor(target: Target) {
    this.occupancy = new Occupancy(target);
    this.banks = banksOf(target.memory);
  }

  of(plan: Plan, accesses: readonly ResolvedAccess[]): Shape {
    if (accesses.length === 0) return plan.shapes.only ?? this.bare(plan);
    const carries = plan.unit === 'vector' && readsItsResult(accesses);
    return plan.shapes.find(accesses, carries) ?? this.make(plan, accesses, carries);
  }

  /** Cycles by which bank conflicts lengthen the occupancy. */
  conflict({ streams }: Shape, accesses: readonly ResolvedAccess[]): number {
    if (streams === undefined) return 0;
    const { size } = streams;
    const cycles = streams.cycles(accesses);
    this.size += streams.size - size;
    return cycles;
  }

  /** The shape of an instruction without accesses, which is one scalar operation. */
  private bare(plan: Plan): Shape {
    const shape: Shape = {
      plan,
      key: NOTHING,
      carries: false,
      work: 0,
      carried: 0,
      streams: undefined,
      touched: NOTHING,
      operands: NOTHING,
      comparisons: 0,
      elements: 1,
      moved: NOTHING,
      executions: 0,
    };
    plan.shapes.add(shape);
    return shape;
  }

  private make(plan: Plan, accesses: readonly ResolvedAccess[], carries: boolean): Shape {
    const { occupancy } = this;
    occupancy.measure(plan.cost, accesses, plan.rate, plan.sliceCycles);
    const touched: number[] = [];
    const operands: Operand[] = [];
    const moved: number[] = [];
    let comparisons = 0;
    const rows = accesses[0]?.rows ?? 0;
    for (let i = 0; i < accesses.length; i++) {
      const access = accesses[i] as ResolvedAccess;
      moved.push(access.rowBytes * (access.access.once ? 1 : rows) * access.planes);
      if (access.rows === 0) continue;
      const operand = plan.operands[i] as Operand;
      touched.push(i);
      operands.push(operand);
      comparisons += operand.reads ? 1 : 2;
    }
    const shape: Shape = {
      plan,
      key: keyOf(accesses),
      carries,
      work: occupancy.work,
      carried: occupancy.carried,
      streams: mayConflict(accesses, occupancy.rowCycles, this.banks) ? new Streams(accesses, occupancy.rowCycles, this.banks) : undefined,
      touched,
      operands,
      comparisons,
      elements: occupancy.elements,
      moved,
      executions: 0,
    };
    plan.shapes.add(shape);
    this.size++;
    return shape;
  }
}
