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
    end = align(placed.reduce((most, { address, bytes }) => Math.max(most, address + bytes), start));
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

/** Placements that start at one address, in order of time. None lives when another does. */
interface Track {
  readonly address: number;
  readonly placements: Placement[];
}

/** First fit by decreasing size; ties in the order given. */
function place(buffers: readonly Live[], start: number): readonly Placement[] {
  const placed: Placement[] = [];
  const tracks: Track[] = [];
  const order = buffers.map((live, i) => ({ live, i })).sort((a, b) => b.live.bytes - a.live.bytes || a.i - b.i);
  for (const { live } of order) {
    let address = start;
    for (const track of tracks) {
      const taken = greatestWithin(track, live);
      if (taken === 0) continue;
      if (address + live.bytes <= track.address) break;
      address = Math.max(address, track.address + taken);
    }
    const placement = {
      buffer: live.buffer,
      slot: 0,
      address,
      bytes: live.bytes,
      firstSection: live.first,
      lastSection: live.last,
    } as const;
    placed.push(placement);
    if (live.bytes > 0) put(placement, tracks);
  }
  return placed;
}

/** The bytes of the largest placement of a track that lives within a time; 0 where none does. */
function greatestWithin({ placements }: Track, { first, last }: Live): number {
  let greatest = 0;
  for (let i = firstWhere(placements, ({ lastSection }) => lastSection >= first); i < placements.length; i++) {
    const { firstSection, bytes } = placements[i] as Placement;
    if (firstSection > last) break;
    greatest = Math.max(greatest, bytes);
  }
  return greatest;
}

function put(placement: Placement, tracks: Track[]): void {
  const at = firstWhere(tracks, ({ address }) => address >= placement.address);
  const track = tracks[at];
  if (track?.address !== placement.address) tracks.splice(at, 0, { address: placement.address, placements: [placement] });
  else
    track.placements.splice(
      firstWhere(track.placements, (other) => other.firstSection > placement.firstSection),
      0,
      placement,
    );
}

/** The place of the first element that has a property which those behind it have too; the length where none has it. */
function firstWhere<T>(list: readonly T[], has: (element: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (has(list[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function align(bytes: number): number {
  return Math.ceil(bytes / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
}

/** Highest address that a set of placements in one space reaches. */
export function peak(placements: readonly Placement[], space: Space): number {
  return placements.reduce((most, { buffer, address, bytes }) => (buffer.space === space ? Math.max(most, address + bytes) : most), 0);
}

/** Largest sum of bytes that live at the same time: what no allocation can go below. */
export function largestLive(placements: readonly Placement[]): number {
  let [largest, live] = [0, 0];
  for (const { placement, begins } of inTime(placements)) {
    live += begins ? placement.bytes : -placement.bytes;
    largest = Math.max(largest, live);
  }
  return largest;
}

/** Two placements in one space that live at the same time and share bytes; there are none in an allocation of ours. */
export function firstOverlap(placements: readonly Placement[]): readonly [Placement, Placement] | undefined {
  // Those that live, in order of address: as long as none overlap, only neighbours can.
  const live: Placement[] = [];
  for (const { placement, begins } of inTime(placements.filter(({ bytes }) => bytes > 0))) {
    const at = firstWhere(live, ({ address }) => address >= placement.address);
    if (!begins) live.splice(at, 1);
    else {
      const [before, behind] = [live[at - 1], live[at]];
      if (before && before.address + before.bytes > placement.address) return [before, placement];
      if (behind && placement.address + placement.bytes > behind.address) return [placement, behind];
      live.splice(at, 0, placement);
    }
  }
  return undefined;
}

/** Begins and ends of placements in order of time; what ends with a section does so before what begins with the next. */
function inTime(placements: readonly Placement[]): readonly { readonly placement: Placement; readonly begins: boolean }[] {
  const events = placements.flatMap((placement) => [
    { placement, begins: true, time: 2 * placement.firstSection },
    { placement, begins: false, time: 2 * placement.lastSection + 1 },
  ]);
  return events.sort((a, b) => a.time - b.time);
}
