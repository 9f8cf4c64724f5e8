/**
 * The vocabulary of instruction records: bit fields, memory accesses, costs.
 * Bits are numbered 63 (most significant, transferred first in the published figures) to 0.
 */

/** Inclusive bit range of a field inside the 64-bit word. */
export type Bits = readonly [msb: number, lsb: number];

/** What a general-purpose register named by a field holds. */
export type RegisterRole = 'address' | 'size' | 'count' | 'stride' | 'scalar' | 'result' | 'offset' | 'condition';

export interface RegisterField {
  readonly kind: 'register';
  readonly bits: Bits;
  readonly role: RegisterRole;
  /** The flag, or `enum=value`, without which the field does not apply and must be zero. */
  readonly when?: string;
}

export interface ImmediateField {
  readonly kind: 'immediate';
  readonly bits: Bits;
  readonly role: 'offset' | 'scalar' | 'address';
}

/** A 4-bit element type code, see `ELEMENT_CODES`. */
export interface TypeField {
  readonly kind: 'type';
  readonly bits: Bits;
}

/** A one-bit modifier, printed as a suffix of the mnemonic and gated by an extension. */
export interface FlagField {
  readonly kind: 'flag';
  readonly bits: Bits;
  readonly extension: Extension;
}

export interface EnumField {
  readonly kind: 'enum';
  readonly bits: Bits;
  readonly values: readonly string[];
}

export type Field = RegisterField | ImmediateField | TypeField | FlagField | EnumField;
export type Fields = Readonly<Record<string, Field>>;

/** The named extensions of the published base; a target lists those that it has. */
export const EXTENSIONS = {
  xf32: 'element type code 1: IEEE binary32 elements in vector instructions, products, loads and stores',
  xf16: 'element type codes 2 and 3: IEEE binary16 and bfloat16, which products sum in binary32',
  xf8: 'element type codes 7 and 8: the OCP 8-bit floats, which products sum in binary32',
  xq16: 'element type codes 4 and 10: 16-bit fixed point with a binary point for each tensor, which products sum in 64 bits',
  xi8: 'element type codes 5 and 9: 8-bit integers, which products sum in 32 bits',
  xquant: 'VRQ, VQAV, VQZ and VDQ: between integers, their accumulators and f32',
  xacc: 'products that continue the accumulators that stand at their output: the `acc` modifier of matrix products, and VMAC',
  xrep: 'the `rep` modifier: one instruction stands for `count` instructions whose operand addresses advance by strides',
  xdma: 'strided transfers between DRAM and the vector scratchpad in two and three dimensions',
  xcvt: 'VCVT and VFIN: accumulators to elements, with bias, activation, rounding and clamping',
  xcmm: 'VCMM: products channel by channel, column by column of a matrix in the vector scratchpad',
  xfill: 'VFILL: one scalar into every element of a vector',
} as const;
export type Extension = keyof typeof EXTENSIONS;

/**
 * Element type codes of `type` fields. Code 0 is the published datapath: 16-bit fixed point with the target's one binary point, so published
 * words keep their meaning. `accumulator` is the type that products of it sum in; sums of code 0 are rounded when they are written back.
 */
export const ELEMENT_CODES = {
  fx16: { code: 0, bytes: 2, accumulator: 'fx16', extension: undefined },
  f32: { code: 1, bytes: 4, accumulator: 'f32', extension: 'xf32' },
  f16: { code: 2, bytes: 2, accumulator: 'f32', extension: 'xf16' },
  bf16: { code: 3, bytes: 2, accumulator: 'f32', extension: 'xf16' },
  q16: { code: 4, bytes: 2, accumulator: 'i64', extension: 'xq16' },
  i8: { code: 5, bytes: 1, accumulator: 'i32', extension: 'xi8' },
  f8e4m3: { code: 7, bytes: 1, accumulator: 'f32', extension: 'xf8' },
  f8e5m2: { code: 8, bytes: 1, accumulator: 'f32', extension: 'xf8' },
  i32: { code: 9, bytes: 4, accumulator: 'i32', extension: 'xi8' },
  i64: { code: 10, bytes: 8, accumulator: 'i64', extension: 'xq16' },
} as const satisfies Readonly<Record<string, { code: number; bytes: number; accumulator: string; extension: Extension | undefined }>>;
export type ElementCode = keyof typeof ELEMENT_CODES;
export const ELEMENT_NAMES = Object.keys(ELEMENT_CODES) as readonly ElementCode[];

const BY_CODE: readonly (ElementCode | undefined)[] = ELEMENT_NAMES.reduce<(ElementCode | undefined)[]>((names, name) => {
  names[ELEMENT_CODES[name].code] = name;
  return names;
}, []);

/** The element type of a code, or undefined where the code is reserved. */
export function elementOfCode(code: number): ElementCode | undefined {
  return BY_CODE[code];
}

/** Codes whose meaning is set aside, so that no one else takes them; decoding one is a trap. */
export const RESERVED_ELEMENT_CODES = { i4: 6 } as const;

/** Floats that are computed with in binary32: operands are widened, which is exact, and the result is rounded once. */
export const NARROW_FLOATS = ['f16', 'bf16', 'f8e4m3', 'f8e5m2'] as const satisfies readonly ElementCode[];
export type NarrowFloat = (typeof NARROW_FLOATS)[number];
export const isNarrowFloat = (name: ElementCode): name is NarrowFloat => (NARROW_FLOATS as readonly ElementCode[]).includes(name);

/** Element types that instructions compute with, by what they do. */
export const TYPES = {
  /** Bits are moved. */
  any: ELEMENT_NAMES,
  floats: ['f32', ...NARROW_FLOATS],
  /** All arithmetic of the vector unit. */
  arithmetic: ['fx16', 'f32', ...NARROW_FLOATS],
  /** What needs no binary point. */
  sums: ['fx16', 'f32', ...NARROW_FLOATS, 'q16'],
  ordered: ['fx16', 'f32', ...NARROW_FLOATS, 'q16', 'i8'],
  products: ['fx16', 'f32', ...NARROW_FLOATS, 'q16', 'i8'],
  accumulating: ['f32', ...NARROW_FLOATS, 'q16', 'i8'],
  integers: ['q16', 'i8'],
} as const satisfies Readonly<Record<string, readonly ElementCode[]>>;

export const SPACES = ['dram', 'vector', 'matrix'] as const;
export type Space = (typeof SPACES)[number];

/**
 * One memory operand: which bytes an instruction reads or writes, as data. A row is `width` elements (the product of the
 * registers named); rows follow each other at `stride` bytes when the instruction repeats or is strided.
 */
export interface Access {
  readonly space: Space;
  readonly mode: 'read' | 'write' | 'update';
  /** Register field that holds the address in bytes. */
  readonly base: string;
  /** Immediate field that is added to it. */
  readonly offset?: string;
  /** Register fields whose product is the number of elements of a row; none means one element. */
  readonly width: readonly string[];
  /**
   * `word` for the 32-bit scalars; a type field, the accumulators of the type field `type`, or `to`, which is f32 or the type; else the type itself.
   */
  readonly element: 'word' | 'type' | 'type_out' | 'accumulator' | 'to' | ElementCode;
  /** Register field with the number of rows. */
  readonly rows?: string;
  /** Register field with the distance of rows in bytes; without it the rows follow each other without gaps. */
  readonly stride?: string;
  /** Register field with the number of planes of rows. */
  readonly planes?: string;
  /** Register field with the distance of planes in bytes. */
  readonly planeStride?: string;
  /** An update that only writes unless this flag is set. */
  readonly readWhen?: string;
  /** Set where all rows of a repeated instruction share the operand, which the unit reads once for all of them. */
  readonly once?: true;
}

/** The unit that an instruction occupies. */
export type Unit = 'scalar' | 'vector' | 'matrix' | 'dma';

/** The published classes of the instruction mix (ISCA 2016, Table I). */
export type InstructionClass = 'control' | 'transfer' | 'matrix' | 'vector' | 'scalar';

/** How long an instruction keeps its unit busy; the target has the numbers. See `runtime/machine/timing.ts`. */
export type Cost =
  | 'control'
  | 'scalar'
  | 'scalar-multiply'
  | 'scalar-divide'
  | 'scalar-transcendental'
  | 'scalar-memory'
  | 'vector'
  | 'vector-divide'
  | 'vector-transcendental'
  | 'vector-reduce'
  | 'product'
  | 'columns'
  | 'matrix-elementwise'
  | 'transfer';

/** Arithmetic done per element (per multiply-accumulate for products), for energy. `accumulate` adds in the type of the accumulators. */
export type Operation = 'add' | 'accumulate' | 'multiply' | 'divide' | 'transcendental' | 'compare';

export interface Form {
  readonly fields: Fields;
  /** Operand order in assembly. Modifiers (type, flags, enums) are suffixes of the mnemonic instead. */
  readonly assembly: readonly string[];
}

export interface InstructionRecord {
  /** 7 bits; the top bit of the opcode byte selects the immediate form. */
  readonly opcode: number;
  readonly class: InstructionClass;
  readonly unit: Unit;
  readonly extension: 'base' | Extension;
  /** Whether the bit layout is the paper's (figures of section 4) or, where the paper shows none, ours. */
  readonly layout: 'published' | 'ours';
  readonly doc: string;
  /** Meaning as pseudo-code; `R[x]` is the register named by field x, or the immediate in the immediate form. */
  readonly meaning: string;
  readonly forms: { readonly register?: Form; readonly immediate?: Form };
  readonly accesses: readonly Access[];
  readonly cost: Cost;
  readonly operations: Readonly<Partial<Record<Operation, number>>>;
  /** Set where an operation is a multiply-accumulate of a product. */
  readonly macs?: true;
  /** Element types that its type field may have. Pairs of types are the business of `illegality`. */
  readonly types?: readonly ElementCode[];
  /** The type whose rate it takes, where that is not its type field's. */
  readonly rate?: ElementCode;
  /** The type that its operations are priced as, where that is not its type field's. */
  readonly priced?: ElementCode | 'word';
}

/** Declares an instruction; keeps the literal types of its fields. */
export function instruction<const R extends InstructionRecord>(record: R): R {
  return record;
}

export const register = <const M extends number, const L extends number, const R extends RegisterRole>(msb: M, lsb: L, role: R) =>
  ({ kind: 'register', bits: [msb, lsb], role }) as const;
export const registerWhen = <const M extends number, const L extends number, const R extends RegisterRole, const W extends string>(
  when: W,
  msb: M,
  lsb: L,
  role: R,
) => ({ kind: 'register', bits: [msb, lsb], role, when }) as const;
export const immediate = <const M extends number, const L extends number, const R extends ImmediateField['role']>(
  msb: M,
  lsb: L,
  role: R,
) => ({ kind: 'immediate', bits: [msb, lsb], role }) as const;
export const typeField = <const M extends number, const L extends number>(msb: M, lsb: L) => ({ kind: 'type', bits: [msb, lsb] }) as const;
export const flag = <const B extends number>(bit: B, extension: Extension) => ({ kind: 'flag', bits: [bit, bit], extension }) as const;
export const choice = <const M extends number, const L extends number, const V extends readonly string[]>(msb: M, lsb: L, values: V) =>
  ({ kind: 'enum', bits: [msb, lsb], values }) as const;
