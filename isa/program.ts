/** A compiled program as the machine takes it: code, constant data, memory map, signature, debug map. All addresses are bytes in DRAM. */
import { beyondBudget, budgetHint } from '../runtime/budget.ts';
import type { ElementType, FixedName, QuantizedName } from '../runtime/numerics/element.ts';
import { elementBytes, isFixed, isQuantized } from '../runtime/numerics/element.ts';
import type { NarrowName } from '../runtime/numerics/narrow.ts';
import { isNarrow } from '../runtime/numerics/narrow.ts';
import type { Target } from './target.ts';

/** Largest number of instructions of a program. */
export const MAX_INSTRUCTIONS = 2 ** 20;

/** Segments start at multiples of this many bytes. */
export const SEGMENT_ALIGNMENT = 64;

/** A range of DRAM. */
export interface Segment {
  readonly start: number;
  readonly bytes: number;
}

/** The DRAM image. Segments are disjoint; `constants` is read-only and shared by all samples. */
export interface MemoryMap {
  readonly constants: Segment;
  readonly inputs: Segment;
  readonly outputs: Segment;
  readonly activations: Segment;
  /** Scalars that the compiler keeps in memory when registers run out. */
  readonly spill: Segment;
}

export const SEGMENT_NAMES = ['constants', 'inputs', 'outputs', 'activations', 'spill'] as const satisfies readonly (keyof MemoryMap)[];
export type SegmentName = (typeof SEGMENT_NAMES)[number];

/** Element types that cross the boundary between host and accelerator. */
export type PortElement = 'f32' | FixedName;

/** Element types that ports have in DRAM. */
export type StoredElement = PortElement | NarrowName | QuantizedName;

export function isStoredElement(element: ElementType): element is StoredElement {
  return element === 'f32' || isFixed(element) || isNarrow(element) || isQuantized(element);
}

/** An input or output tensor: what the user sees and how it lies in DRAM. */
export interface Port {
  readonly name: string;
  /** Logical shape, as the user's model has it. */
  readonly shape: readonly number[];
  /** Element type that the host passes or gets. */
  readonly element: PortElement;
  readonly address: number;
  readonly bytes: number;
  /** Permutation: stored dimension `i` is logical dimension `layout[i]`, row-major. */
  readonly layout: readonly number[];
  /** Element type in DRAM; the host converts, as `runtime/numerics/store.ts` says. */
  readonly stored: StoredElement;
  /** Element types between what the host has and what it gives, in the order in which data pass them; each rounds and saturates. */
  readonly via: readonly StoredElement[];
}

/** Where a run of instructions comes from. */
export interface DebugEntry {
  /** Index of the first instruction. */
  readonly first: number;
  readonly count: number;
  /** The tiled operation, as text. */
  readonly tile: string;
  /** Name of the graph operation. */
  readonly node: string;
  /** Names of the nodes of the user's model. */
  readonly origin: readonly string[];
}

export interface Program {
  /** Name of the target. */
  readonly target: string;
  /** Two words an instruction: bits 63 to 32, then bits 31 to 0. */
  readonly code: Uint32Array;
  /** Initial bytes of the constants segment, all of it. */
  readonly constants: Uint8Array;
  readonly memory: MemoryMap;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Sorted by `first`, disjoint; instructions without an entry are the program's own frame. */
  readonly debug: readonly DebugEntry[];
  /** Bound on executed instructions; the run that exceeds it traps. */
  readonly maxInstructions: number;
}

/** Number of instructions. */
export function instructionCount(program: Program): number {
  return program.code.length / 2;
}

/** Element types that data pass one after the other at a port have at most so many members between the first and the last. */
export const MAX_VIA = 64;

/** Number of elements of a port. */
export function portElementCount(port: Port): number {
  return port.shape.reduce((product, dimension) => product * dimension, 1);
}

/** Bytes that a port's shape and stored type ask for. */
export function portBytes(port: Port): number {
  return elementBytes(port.stored, portElementCount(port));
}

/** One past the last byte of DRAM that the memory map uses. */
export function dramEnd(memory: MemoryMap): number {
  return Math.max(...SEGMENT_NAMES.map((name) => memory[name].start + memory[name].bytes));
}

/** A WebAssembly memory ends here, and so do the offsets that engines may use. */
const ADDRESSABLE_BYTES = 2 ** 32;
/** Constants and scratchpads each begin at a multiple of this in an engine's memory. */
const ENGINE_ALIGNMENT = 64;

/**
 * Why no machine of a target can hold the DRAM of a program, or undefined: the one limit of those who compile and of those who run. Constants are in a
 * program's file, and bounded by it; the rest is held against the memory budget, unless `limitBytes` is given for all of it.
 */
export function dramProblem(
  memory: MemoryMap,
  target: Target,
  limitBytes?: number,
): { readonly message: string; readonly hint?: string } | undefined {
  const total = dramEnd(memory);
  const { vectorBytes, matrixBytes, dramBytes } = target.memory;
  if (total > dramBytes) return { message: `the program needs ${total} bytes of DRAM, and ${target.name} has ${dramBytes}` };
  if (limitBytes !== undefined && total > limitBytes)
    return { message: `the program needs ${total} bytes of DRAM, and the limit is ${limitBytes}` };
  const align = (bytes: number): number => Math.ceil(bytes / ENGINE_ALIGNMENT) * ENGINE_ALIGNMENT;
  const all = align(total) + ENGINE_ALIGNMENT + align(vectorBytes) + align(matrixBytes);
  if (all > ADDRESSABLE_BYTES)
    return { message: `DRAM and scratchpads take ${all} bytes, more than the ${ADDRESSABLE_BYTES} of one memory` };
  const beyond = limitBytes === undefined ? beyondBudget(total - memory.constants.bytes) : undefined;
  return beyond === undefined ? undefined : { message: `the DRAM of the program, beside its constants, ${beyond}`, hint: budgetHint() };
}

/** The debug entry that covers an instruction, or undefined. */
export function sourceOf(program: Program, index: number): DebugEntry | undefined {
  const { debug } = program;
  let low = 0;
  let high = debug.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((debug[middle]?.first ?? 0) <= index) low = middle + 1;
    else high = middle;
  }
  const entry = debug[low - 1];
  return entry !== undefined && index < entry.first + entry.count ? entry : undefined;
}
