/**
 * Allocation: every buffer gets an address. A buffer lives from the first section that uses it to the last; buffers that live at the same
 * time do not overlap. Largest first, each at the lowest free address: simple, deterministic, and its result is there to look at.
 */
import type { MemoryMap, Segment } from '../../isa/program.ts';
import { SEGMENT_ALIGNMENT, dramProblem } from '../../isa/program.ts';
import type { Space } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Buffer, BufferRole, TiledProgram } from './tiled.ts';
import { tileOps } from './tiled.ts';

/** Where a buffer, or one of its slots, is, and from which to which section (by index, inclusive) it holds what someone needs. */
export interface Placement {
  readonly buffer: Buffer;
  readonly slot: 0 | 1;
  readonly address: number;
  readonly bytes: number;
  readonly firstSection: number;
  readonly lastSection: number;
}

export interface Allocation {
  /** DRAM buffers by name. */
  readonly dram: ReadonlyMap<string, Placement>;
  /** Scratchpad buffers of each section by name: a placement for each slot. */
  readonly locals: readonly ReadonlyMap<string, readonly Placement[]>[];
  readonly memory: MemoryMap;
}

interface Live {
  readonly buffer: Buffer;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export function allocate(program: TiledProgram, target: Target): Allocation {
  const live = liveRanges(program);
  const dram = new Map<string, Placement>();
  let end = 0;
  const segment = (role: BufferRole): Segment => {
    const start = end;
    const placed = place(
      live.filter(({ buffer }) => buffer.role === role),
      start,
    );
    for (const placement of placed) dram.set(placement.buffer.name, placement);
    end = align(Math.max(start, ...placed.map(({ address, bytes }) => address + bytes)));
    return { start, bytes: end - start };
  };
  const memory: MemoryMap = {
    constants: segment('constant'),
    inputs: segment('input'),
    outputs: segment('output'),
    activations: segment('activation'),
    // Emission knows how many registers it spills.
    spill: { start: end, bytes: 0 },
  };
  const problem = dramProblem(memory, target);
  if (problem)
    fail('unsupported', 'lower/dram-full', problem.message, {
      place: [program.name],
      hint: problem.hint ?? 'a smaller batch or input needs less',
    });
  return { dram, memory, locals: program.sections.map((section, i) => allocateLocals(section.locals, i, section.node, target)) };
}

/**
 * First the first slots of all rings, then their second slots, then the rest: so all rings of a scratchpad alternate by the same distance, which is one
 * product in a register.
 */
function allocateLocals(
  locals: readonly Buffer[],
  section: number,
  node: string,
  target: Target,
): ReadonlyMap<string, readonly Placement[]> {
  const placements = new Map<string, readonly Placement[]>();
  for (const space of ['vector', 'matrix'] as const) {
    const buffers = locals.filter((buffer) => buffer.space === space);
    const capacity = space === 'vector' ? target.memory.vectorBytes : target.memory.matrixBytes;
    const apart = placeLocals(buffers, section, target.memory.bankBytes);
    // Banks are a wish: where tiles fill the scratchpad to the last byte, they stand close together.
    const all = peak(apart, space) <= capacity ? apart : placeLocals(buffers, section, undefined);
    for (const { name } of buffers)
      placements.set(
        name,
        all.filter(({ buffer }) => buffer.name === name),
      );
    const used = peak(all, space);
    if (used > capacity) throw new Error(`${node}: tiles of ${used} bytes were chosen for a ${space} scratchpad of ${capacity}`);
  }
  return placements;
}

function placeLocals(buffers: readonly Buffer[], section: number, bankBytes: number | undefined): readonly Placement[] {
  const lives = { firstSection: section, lastSection: section };
  const all: Placement[] = [];
  let end = 0;
  const put = (buffer: Buffer, slot: 0 | 1, from: number): void => {
    const address = bankBytes === undefined ? from : inBanks(buffer.banks, from, bankBytes);
    all.push({ buffer, slot, address, bytes: align(buffer.bytes), ...lives });
    end = address + align(buffer.bytes);
  };
  const rings = buffers.filter(({ slots }) => slots === 2);
  for (const buffer of rings) put(buffer, 0, end);
  // A whole number of pairs of banks, so that the second slots start in the banks of the first.
  const distance = bankBytes === undefined ? end : inBanks('even', end, bankBytes);
  for (const { buffer, address } of [...all]) put(buffer, 1, address + distance);
  const single = buffers.filter(({ slots }) => slots === 1).sort((a, b) => Number(a.banks === 'odd') - Number(b.banks === 'odd'));
  for (const buffer of single) put(buffer, 0, end);
  return all;
}

/** The lowest address from `from` on that lies at the start of such a bank. */
function inBanks(banks: Buffer['banks'], from: number, bankBytes: number): number {
  if (banks === 'any') return from;
  const bank = Math.ceil(from / bankBytes);
  return (bank + ((bank % 2 === 1) === (banks === 'odd') ? 0 : 1)) * bankBytes;
}

/** Constants, inputs and outputs hold from begin to end; an activation from the section that writes it to the last that reads it. */
function liveRanges(program: TiledProgram): readonly Live[] {
  const last = Math.max(0, program.sections.length - 1);
  const uses = new Map<string, { first: number; last: number }>();
  program.sections.forEach((section, index) => {
    for (const { op } of tileOps(section.body))
      for (const operand of Object.values(op.operands))
        if (operand.kind === 'place') uses.set(operand.buffer, { first: uses.get(operand.buffer)?.first ?? index, last: index });
  });
  return program.buffers.map((buffer) => {
    const range = buffer.role === 'activation' ? (uses.get(buffer.name) ?? { first: 0, last: 0 }) : { first: 0, last };
    return { buffer, bytes: align(buffer.bytes), ...range };
  });
}

/** First fit by decreasing size; ties in the order given. */
function place(buffers: readonly Live[], start: number): readonly Placement[] {
  const placed: Placement[] = [];
  const order = buffers.map((live, i) => ({ live, i })).sort((a, b) => b.live.bytes - a.live.bytes || a.i - b.i);
  for (const { live } of order) {
    const neighbours = placed
      .filter((other) => other.firstSection <= live.last && live.first <= other.lastSection)
      .sort((a, b) => a.address - b.address);
    let address = start;
    for (const other of neighbours) {
      if (address + live.bytes <= other.address) break;
      address = Math.max(address, other.address + other.bytes);
    }
    placed.push({ buffer: live.buffer, slot: 0, address, bytes: live.bytes, firstSection: live.first, lastSection: live.last });
  }
  return placed;
}

export function align(bytes: number): number {
  return Math.ceil(bytes / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
}

/** Highest address that a set of placements in one space reaches. */
export function peak(placements: readonly Placement[], space: Space): number {
  return Math.max(0, ...placements.filter(({ buffer }) => buffer.space === space).map(({ address, bytes }) => address + bytes));
}

/** Largest sum of bytes that live at the same time: what no allocation can go below. */
export function largestLive(placements: readonly Placement[], sections: number): number {
  let largest = 0;
  for (let section = 0; section < sections; section++) {
    const sum = placements.reduce(
      (total, { firstSection, lastSection, bytes }) => total + (firstSection <= section && section <= lastSection ? bytes : 0),
      0,
    );
    largest = Math.max(largest, sum);
  }
  return largest;
}

/** Pairs of placements that live at the same time and share bytes: always empty for an allocation of ours. */
export function overlaps(placements: readonly Placement[]): readonly (readonly [Placement, Placement])[] {
  return placements.flatMap((a, i) =>
    placements
      .slice(i + 1)
      .filter(
        (b) =>
          a.buffer.space === b.buffer.space &&
          a.firstSection <= b.lastSection &&
          b.firstSection <= a.lastSection &&
          a.address < b.address + b.bytes &&
          b.address < a.address + a.bytes,
      )
      .map((b) => [a, b] as const),
  );
}
