/**
 * Targets: an accelerator as a validated data file. Sizes in bytes, times in cycles of the target's clock, energy in picojoules.
 * Every figure says in `sources` whether it is published, derived or assumed.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import type { FixedName, QuantizedName } from '../runtime/numerics/element.ts';
import { fractionBits, isFixed, isQuantized } from '../runtime/numerics/element.ts';
import type { NarrowName } from '../runtime/numerics/narrow.ts';
import { canonicalJson, jsonPath } from './json.ts';
import type { ElementCode, Extension } from './fields.ts';
import { ELEMENT_CODES, EXTENSIONS } from './fields.ts';

const positive = z.number().int().positive();
const count = z.number().int().nonnegative();
/** Slots that the timing model keeps an entry for. */
const slots = positive.max(2 ** 16);
const picojoules = z.number().nonnegative();

/** Picojoules of an operation; `accumulate` is an addition in the type that products of the element type sum in. */
const prices = z.strictObject({
  add: picojoules,
  accumulate: picojoules,
  multiply: picojoules,
  divide: picojoules,
  transcendental: picojoules,
  compare: picojoules,
});
const rate = z
  .number()
  .positive()
  .refine((cycles) => Number.isInteger(cycles) || Number.isInteger(1 / cycles), 'a whole number, or one over a whole number');

/** The element types that a target may leave out: those of extensions, which are computed with and not only moved. */
const OPTIONAL_TYPES = ['f16', 'bf16', 'q16', 'i8', 'f8e4m3', 'f8e5m2'] as const satisfies readonly ElementCode[];

function optionalTypes<S extends z.ZodType>(schema: S): Record<(typeof OPTIONAL_TYPES)[number], z.ZodOptional<S>> {
  return Object.fromEntries(OPTIONAL_TYPES.map((name) => [name, schema.optional()])) as ReturnType<typeof optionalTypes<S>>;
}

export const targetSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  doc: z.string(),
  clockHertz: positive,
  extensions: z.array(z.enum(Object.keys(EXTENSIONS) as [Extension, ...Extension[]])),
  /** Element type that models are compiled to. `fx16` makes the compiler convert the graph to fixed point. */
  datapath: z.enum(['fx16', 'f32']),
  /** The one global binary point of element type code 0. */
  fractionBits: z.number().int().min(0).max(15),
  memory: z.strictObject({
    /** Largest DRAM image a program may use. */
    dramBytes: positive.max(2 ** 32),
    vectorBytes: positive,
    matrixBytes: positive,
    /** Banks of each scratchpad; a bank is (address / bankBytes) mod banks and serves bankBytes a cycle. */
    banks: positive,
    bankBytes: positive,
  }),
  issue: z.strictObject({
    /** Instructions fetched, decoded and issued per cycle, in order. */
    width: slots,
    /** Instructions fetched ahead of issue. */
    issueQueue: slots,
    /** Memory, vector and matrix instructions issued and not yet dispatched. */
    memoryQueue: slots,
    /** Cycles from fetch to issue. */
    frontendCycles: count,
    /** Cycles from the issue of a branch to the fetch of its target: nothing is predicted. */
    branchCycles: count,
  }),
  scalar: z.strictObject({
    latencyCycles: positive,
    multiplyCycles: positive,
    divideCycles: positive,
    transcendentalCycles: positive,
    memoryCycles: positive,
  }),
  vector: z.strictObject({
    /** Elements per cycle at rate 1. */
    lanes: positive,
    /** Cycles from the last element in to the last element out. */
    depthCycles: count,
    /** Cycles per slice of `lanes` elements. */
    divideCycles: positive,
    transcendentalCycles: positive,
  }),
  matrix: z.strictObject({
    /** A product of K inputs and N outputs keeps the unit busy ceil(N / blocks) · ceil(K / lanes) cycles at rate 1. */
    blocks: positive,
    lanes: positive,
    /** Broadcast tree, multiplier and adder tree. */
    depthCycles: count,
    /** Elements per cycle of matrix-elementwise instructions. */
    elementsPerCycle: positive,
  }),
  /**
   * Cycles that an element type takes for each cycle of the 16-bit datapath: the inverse of a whole number where a lane takes several elements at once.
   * A type is there exactly where the target computes with it.
   */
  rates: z.strictObject({ fx16: rate, f32: rate, ...optionalTypes(rate) }),
  dma: z.strictObject({
    /** DRAM bandwidth; a row of a strided transfer takes whole cycles. */
    bytesPerCycle: positive,
    /** First byte after the request. */
    latencyCycles: count,
  }),
  energy: z.strictObject({
    /** Picojoules per operation by element type. */
    operations: z.strictObject({
      fx16: prices,
      f32: prices,
      ...optionalTypes(prices),
      /** 32-bit integers. */
      word: prices,
    }),
    /** Picojoules per byte moved in or out of a memory. */
    dramByte: picojoules,
    vectorByte: picojoules,
    matrixByte: picojoules,
    /** Picojoules per instruction fetched, decoded and issued. */
    instruction: picojoules,
    /** Watts drawn whatever runs. */
    staticWatts: z.number().nonnegative(),
  }),
  /** For each figure or group, where it comes from: `published: …`, `derived: …` or `assumed: …`. */
  sources: z.record(z.string(), z.string().regex(/^(published|derived|assumed): /)),
});

/** A validated accelerator description. */
export type Target = z.infer<typeof targetSchema>;

export function hasExtension(target: Target, extension: Extension): boolean {
  return target.extensions.includes(extension);
}

/**
 * The instruction set's element type of one in memory: fixed point with the target's own binary point is the published type where models are compiled
 * to that, else a type with a binary point for each tensor.
 */
export function codeOfStored(element: 'f32' | FixedName | NarrowName | QuantizedName, target: Target): ElementCode {
  if (isFixed(element)) return target.datapath === 'fx16' && fractionBits(element) === target.fractionBits ? 'fx16' : 'q16';
  return isQuantized(element) ? 'i8' : element;
}

/** Cycles that an element type takes for each cycle of the 16-bit datapath; one that is only moved, a cycle for each 16 bits. */
export function rateOf({ rates }: Pick<Target, 'rates'>, element: ElementCode): number {
  return (element === 'i32' || element === 'i64' ? undefined : rates[element]) ?? ELEMENT_CODES[element].bytes / 2;
}

/**
 * Cycles of `passes` through lanes that take one element of the 16-bit datapath each: `elements` of a type on `lanes` of them.
 * Types of a rate below 1 share lanes, those above take several passes.
 */
export function laneCycles(rate: number, elements: number, lanes: number): number {
  return rate < 1 ? Math.ceil(elements / (lanes / rate)) : Math.ceil(elements / lanes) * rate;
}

/** Peak operations per second of the 16-bit datapath, a multiply and an add counted as two. */
export function peakOperationsPerSecond(target: Target): number {
  return 2 * target.matrix.blocks * target.matrix.lanes * target.clockHertz;
}

/** A target description that does not hold up. `place` is the file that it came from. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  readonly code = 'isa/target';
  readonly place: string;
  readonly hint: string | undefined;

  constructor(place: string, message: string, hint?: string) {
    super(message);
    this.place = place;
    this.hint = hint;
  }
}

/** The target that parsed JSON describes. Throws a `TargetError` that names the first wrong place inside the file. */
export function parseTarget(json: unknown, place: string): Target {
  const parsed = targetSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const others = parsed.error.issues.length - 1;
    const hint = others > 0 ? `${others} more ${others === 1 ? 'place is' : 'places are'} wrong` : undefined;
    throw new TargetError(place, `${jsonPath(issue?.path ?? [])}: ${issue?.message ?? 'invalid'}`, hint);
  }
  const target = parsed.data;
  const { banks, bankBytes, vectorBytes, matrixBytes } = target.memory;
  if (vectorBytes % (banks * bankBytes) !== 0 || matrixBytes % (banks * bankBytes) !== 0)
    throw new TargetError(place, 'memory: the scratchpads are no multiple of banks × bankBytes');
  if (new Set(target.extensions).size !== target.extensions.length)
    throw new TargetError(place, 'extensions: an extension is listed twice');
  for (const name of OPTIONAL_TYPES) {
    const { extension } = ELEMENT_CODES[name];
    for (const [figure, has] of [
      ['rates', target.rates[name]],
      ['energy.operations', target.energy.operations[name]],
    ] as const)
      if (hasExtension(target, extension) !== (has !== undefined))
        throw new TargetError(place, `${figure}: ${name} belongs there exactly where the target has the extension '${extension}'`);
  }
  if (target.datapath === 'f32' && !hasExtension(target, 'xf32')) throw new TargetError(place, "datapath: f32 needs the extension 'xf32'");
  for (const source of Object.keys(target.sources)) {
    if (!exists(target, source)) throw new TargetError(place, `sources: '${source}' names no figure of the target`);
  }
  return target;
}

function exists(target: Target, path: string): boolean {
  let value: unknown = target;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return true;
}

/** SHA-256, in hexadecimal, of a target's canonical JSON: changes when any figure does. */
export function targetHash(target: Target): string {
  return bytesToHex(sha256(new TextEncoder().encode(canonicalJson(target))));
}
