/**
 * Register allocation of a section: linear scan over live intervals that loops extend. Where registers run out, constants are made
 * again in front of each use, which costs one instruction and no memory; then other values are kept in DRAM words. So it never fails.
 */
import type { AnyInstruction } from '../../isa/table.ts';
import { expectDefined } from './expect.ts';
import type { VirtualInstruction, VirtualItem, VirtualRegister } from './virtual.ts';
import { registersOf, virtual, withRegisters } from './virtual.ts';

/** Registers 0 to 62 are allocated; the last is never written and so always 0. */
export const ZERO_REGISTER = 63;
export const ALLOCATABLE_REGISTERS = 63;
/** Enough for the operands of any one instruction, without which nothing could be spilled. */
export const FEWEST_REGISTERS = 12;

export interface AllocatedCode {
  readonly instructions: readonly { readonly instruction: AnyInstruction; readonly tile: string | undefined }[];
  /** Words of the spill segment that are in use. */
  readonly spillWords: number;
  /** Most instructions that one run of the section executes. */
  readonly maxExecuted: number;
  /** Registers in use at the most crowded point, before anything was spilled. */
  readonly pressure: number;
}

interface Position {
  readonly instruction: VirtualInstruction;
  /** Times that it runs at most. */
  readonly weight: number;
}

interface Linear {
  readonly positions: readonly Position[];
  /** Index ranges of loop bodies, inclusive, inner loops first. */
  readonly loops: readonly { readonly first: number; readonly last: number }[];
}

interface Interval {
  readonly register: VirtualRegister;
  readonly start: number;
  readonly end: number;
}

export function allocateRegisters(items: readonly VirtualItem[], spillAddress: number, available = ALLOCATABLE_REGISTERS): AllocatedCode {
  if (available < FEWEST_REGISTERS) throw new RangeError(`register allocation needs ${FEWEST_REGISTERS} registers, not ${available}`);
  let linear = linearize(items);
  const pressure = crowding(intervals(linear));
  let spillWords = 0;
  let next =
    1 +
    Math.max(
      -1,
      ...linear.positions.flatMap(({ instruction }) =>
        [...registersOf(instruction).reads, ...registersOf(instruction).writes].map((register) => register.id),
      ),
    );
  const fresh = (): VirtualRegister => ({ id: next++ });
  for (;;) {
    const result = scan(intervals(linear), available);
    if (result.kind === 'assigned') {
      return {
        instructions: branchOffsets(linear).map(({ instruction }) => ({
          instruction: withRegisters(instruction, (register) =>
            expectDefined(result.numbers.get(register.id), 'every register is assigned'),
          ),
          tile: instruction.tile,
        })),
        spillWords,
        maxExecuted: linear.positions.reduce((sum, { weight }) => sum + weight, 0),
        pressure,
      };
    }
    const { victim } = result;
    linear =
      victim.constant === undefined
        ? toMemory(linear, victim, spillAddress + 4 * spillWords++, fresh)
        : rematerialize(linear, victim, fresh);
  }
}

function linearize(items: readonly VirtualItem[]): Linear {
  const positions: Position[] = [];
  const loops: { first: number; last: number }[] = [];
  const visit = (list: readonly VirtualItem[], weight: number): void => {
    for (const item of list) {
      if (item.kind === 'instruction') positions.push({ instruction: item, weight });
      else {
        const first = positions.length;
        visit(item.body, weight * item.maxIterations);
        loops.push({ first, last: positions.length - 1 });
      }
    }
  };
  visit(items, 1);
  return { positions, loops };
}

/** First definition to last use; a value that enters a loop and is used in it lives until the loop ends. */
function intervals({ positions, loops }: Linear): readonly Interval[] {
  const found = new Map<number, { register: VirtualRegister; start: number; end: number }>();
  positions.forEach(({ instruction }, position) => {
    const { reads, writes } = registersOf(instruction);
    for (const register of [...reads, ...writes]) {
      const interval = found.get(register.id);
      if (interval) interval.end = position;
      else found.set(register.id, { register, start: position, end: position });
    }
  });
  for (const interval of found.values())
    for (const { first, last } of loops) if (interval.start < first && interval.end >= first && interval.end < last) interval.end = last;
  return [...found.values()].sort((a, b) => a.start - b.start || a.register.id - b.register.id);
}

function crowding(sorted: readonly Interval[]): number {
  let most = 0;
  for (const { start } of sorted) most = Math.max(most, sorted.filter((other) => other.start <= start && start <= other.end).length);
  return most;
}

type Scan =
  | { readonly kind: 'assigned'; readonly numbers: ReadonlyMap<number, number> }
  | { readonly kind: 'full'; readonly victim: VirtualRegister };

function scan(sorted: readonly Interval[], available: number): Scan {
  const numbers = new Map<number, number>();
  const free = Array.from({ length: available }, (_, i) => i);
  let active: { interval: Interval; number: number }[] = [];
  for (const interval of sorted) {
    // A register read for the last time by an instruction is free only after it, so operands and result of one instruction differ.
    const expired = active.filter((entry) => entry.interval.end < interval.start);
    active = active.filter((entry) => entry.interval.end >= interval.start);
    free.push(...expired.map((entry) => entry.number));
    free.sort((a, b) => a - b);
    const number = free.shift();
    if (number === undefined) return { kind: 'full', victim: victimOf([...active.map((entry) => entry.interval), interval]) };
    numbers.set(interval.register.id, number);
    active.push({ interval, number });
  }
  return { kind: 'assigned', numbers };
}

/** A constant if there is one, else what lives longest; never a register that spilling made, which lives for one instruction. */
function victimOf(candidates: readonly Interval[]): VirtualRegister {
  const length = ({ start, end }: Interval): number => end - start;
  const longest = (list: readonly Interval[]): Interval | undefined =>
    list.toSorted((a, b) => length(b) - length(a) || a.register.id - b.register.id)[0];
  const constants = candidates.filter((interval) => interval.register.constant !== undefined && length(interval) > 1);
  return expectDefined(longest(constants) ?? longest(candidates), 'there is something to spill').register;
}

/** Every position replaced by some; loops keep their contents. */
function expand(linear: Linear, change: (position: Position) => readonly Position[]): Linear {
  const positions: Position[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (const position of linear.positions) {
    starts.push(positions.length);
    positions.push(...change(position));
    ends.push(positions.length - 1);
  }
  const loops = linear.loops.map(({ first, last }) => ({ first: starts[first] ?? 0, last: ends[last] ?? 0 }));
  return { positions, loops };
}

function rename(instruction: VirtualInstruction, from: VirtualRegister, to: VirtualRegister): VirtualInstruction {
  const fields = Object.fromEntries(
    Object.entries(instruction.fields).map(([name, value]) => [name, typeof value !== 'number' && value.id === from.id ? to : value]),
  );
  return { ...instruction, fields };
}

/** The constant moved into a register of its own in front of each use. */
function rematerialize(linear: Linear, victim: VirtualRegister, fresh: () => VirtualRegister): Linear {
  return expand(linear, (position) => {
    const { reads, writes } = registersOf(position.instruction);
    if (writes.some(({ id }) => id === victim.id)) return [];
    if (!reads.some(({ id }) => id === victim.id)) return [position];
    const copy = fresh();
    const move = virtual('SMOVE', 'immediate', { result: copy, a: (victim.constant ?? 0) | 0 });
    return [
      { instruction: move, weight: position.weight },
      { ...position, instruction: rename(position.instruction, victim, copy) },
    ];
  });
}

/** The value kept in a DRAM word: loaded in front of each use, stored after each definition. */
function toMemory(linear: Linear, victim: VirtualRegister, address: number, fresh: () => VirtualRegister): Linear {
  return expand(linear, (position) => {
    const { reads, writes } = registersOf(position.instruction);
    const isRead = reads.some(({ id }) => id === victim.id);
    const isWritten = writes.some(({ id }) => id === victim.id);
    if (!isRead && !isWritten) return [position];
    const copy = fresh();
    const word = { base: ZERO_REGISTER, offset: address | 0 };
    const at = (instruction: VirtualInstruction): Position => ({ instruction, weight: position.weight });
    return [
      ...(isRead ? [at(virtual('SLOAD', 'register', { result: copy, ...word }))] : []),
      { ...position, instruction: rename(position.instruction, victim, copy) },
      ...(isWritten ? [at(virtual('SSTORE', 'register', { scalar: copy, ...word }))] : []),
    ];
  });
}

/** The back edge of each loop with the distance to the loop's first instruction. */
function branchOffsets({ positions, loops }: Linear): readonly Position[] {
  const result = [...positions];
  for (const { first, last } of loops) {
    const position = expectDefined(result[last], 'a loop ends with its back edge');
    result[last] = {
      ...position,
      instruction: { ...position.instruction, fields: { ...position.instruction.fields, target: first - last } },
    };
  }
  return result;
}
