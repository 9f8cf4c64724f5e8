/**
 * The memory ranges that an instruction touches, derived from the `accesses` of its record and the values of its registers.
 * Trap checks, dependences, timing and energy all read these. Units: addresses, strides and ends in bytes.
 */
import type { Access, ElementCode, Space } from './fields.ts';
import { ELEMENT_CODES } from './fields.ts';
import { formOf, applies, elementOf } from './instruction.ts';
import type { AnyInstruction } from './table.ts';
import { recordOf } from './table.ts';

/** What an access does when the flag that makes it an update is taken into account. */
export type AccessMode = Access['mode'];

/** One memory operand with its addresses. `planes` × `rows` runs of `rowBytes` bytes. */
export interface ResolvedAccess {
  readonly access: Access;
  readonly space: Space;
  /** `update` reads and writes the same bytes; a product whose `acc` flag is clear only writes. */
  readonly mode: AccessMode;
  /** Base register plus offset, modulo 2^32. */
  readonly start: number;
  readonly elementBytes: number;
  readonly rowBytes: number;
  /** 0 when the instruction touches nothing. */
  readonly rows: number;
  /** Distance of the starts of rows: the register read as signed, so that strides may be negative. 0 for a single row. */
  readonly strideBytes: number;
  readonly planes: number;
  /** Distance of the starts of planes, signed. 0 for a single plane. */
  readonly planeStrideBytes: number;
  /** Least address touched, not wrapped: below 0 means out of range. Equals `end` when nothing is touched. */
  readonly low: number;
  /** One past the greatest address touched, not wrapped: above the size of the space means out of range. */
  readonly end: number;
}

/** Bytes that an access moves, counting a byte as often as it is moved. */
export function movedBytes(access: ResolvedAccess): number {
  return access.rowBytes * access.rows * access.planes;
}

/** Reads a general-purpose register; signed or unsigned, 32 bits. */
export type RegisterReader = (register: number) => number;

const NONE = -1;

/** An access whose register numbers and immediate are known, so that resolving it looks nothing up. */
interface BoundAccess {
  readonly access: Access;
  readonly mode: AccessMode;
  readonly base: number;
  readonly offset: number;
  readonly elementBytes: number;
  /** Registers of the row's element count; `NONE` where there are fewer. */
  readonly width0: number;
  readonly width1: number;
  readonly rows: number;
  readonly stride: number;
  readonly planes: number;
  readonly planeStride: number;
}

/** The memory operands of one instruction, ready to be resolved again and again. */
export interface BoundAccesses {
  readonly accesses: readonly BoundAccess[];
  /** Index of the access that is written or updated, or -1. */
  readonly output: number;
}

/** The element type of an access, or `word`, for the type and `to` fields of its instruction. */
export function accessElement(access: Access, fields: Readonly<Record<string, number>>): ElementCode | 'word' {
  const typeOf = (name: string): ElementCode => elementOf({ fields: { type: fields[name] ?? 0 } });
  switch (access.element) {
    case 'type':
    case 'type_out':
      return typeOf(access.element);
    case 'accumulator':
      return ELEMENT_CODES[typeOf('type')].accumulator;
    case 'to':
      return fields['to'] === 1 ? 'f32' : typeOf('type');
    default:
      return access.element;
  }
}

/** Bytes of one element of an access. */
export function accessElementBytes(access: Access, fields: Readonly<Record<string, number>>): number {
  const element = accessElement(access, fields);
  return element === 'word' ? 4 : ELEMENT_CODES[element].bytes;
}

/** Binds the accesses of a legal instruction to its registers. Machines do it once per static instruction. */
export function bindAccesses(instruction: AnyInstruction): BoundAccesses {
  const { fields } = instruction;
  const form = formOf(instruction.mnemonic, instruction.form);
  const registerOf = (name: string | undefined): number => {
    const field = name === undefined ? undefined : form.fields[name];
    return name !== undefined && field !== undefined && applies(field, form, fields) ? (fields[name] ?? NONE) : NONE;
  };
  const accesses = recordOf(instruction.mnemonic).accesses.map((access): BoundAccess => ({
    access,
    mode: access.mode === 'update' && access.readWhen !== undefined && fields[access.readWhen] !== 1 ? 'write' : access.mode,
    base: registerOf(access.base),
    offset: access.offset === undefined ? 0 : (fields[access.offset] ?? 0),
    elementBytes: accessElementBytes(access, fields),
    width0: registerOf(access.width[0]),
    width1: registerOf(access.width[1]),
    rows: registerOf(access.rows),
    stride: registerOf(access.stride),
    planes: registerOf(access.planes),
    planeStride: registerOf(access.planeStride),
  }));
  return { accesses, output: accesses.findIndex(({ mode }) => mode !== 'read') };
}

/** Room for the accesses of one instruction, which can be resolved into again and again. */
export type AccessRoom = { -readonly [K in keyof ResolvedAccess]: ResolvedAccess[K] }[];

/** Room for the accesses of a bound instruction; what stands in it means nothing before `resolveInto`. */
export function roomFor({ accesses }: BoundAccesses): AccessRoom {
  return accesses.map(({ access, mode, elementBytes }) => ({
    access,
    space: access.space,
    mode,
    start: 0,
    elementBytes,
    rowBytes: 0,
    rows: 0,
    strideBytes: 0,
    planes: 1,
    planeStrideBytes: 0,
    low: 0,
    end: 0,
  }));
}

function resolve(bound: BoundAccess, read: RegisterReader, into: AccessRoom[number]): void {
  let rowBytes = bound.elementBytes;
  if (bound.width0 !== NONE) rowBytes *= read(bound.width0) >>> 0;
  if (bound.width1 !== NONE) rowBytes *= read(bound.width1) >>> 0;
  const rows = bound.rows === NONE ? 1 : read(bound.rows) >>> 0;
  const planes = bound.planes === NONE ? 1 : read(bound.planes) >>> 0;
  into.start = (read(bound.base) + bound.offset) >>> 0;
  if (rowBytes === 0 || rows === 0 || planes === 0) {
    clear(into);
    return;
  }
  const strideBytes = rows === 1 ? 0 : bound.stride === NONE ? rowBytes : read(bound.stride) | 0;
  const planeStrideBytes = planes === 1 || bound.planeStride === NONE ? 0 : read(bound.planeStride) | 0;
  const lastRow = (rows - 1) * strideBytes;
  const lastPlane = (planes - 1) * planeStrideBytes;
  into.rowBytes = rowBytes;
  into.rows = rows;
  into.strideBytes = strideBytes;
  into.planes = planes;
  into.planeStrideBytes = planeStrideBytes;
  into.low = into.start + Math.min(0, lastRow) + Math.min(0, lastPlane);
  into.end = into.start + Math.max(0, lastRow) + Math.max(0, lastPlane) + rowBytes;
}

/** Makes a resolved access one that touches nothing. */
function clear(access: AccessRoom[number]): void {
  access.rowBytes = access.rows = access.strideBytes = access.planeStrideBytes = 0;
  access.planes = 1;
  access.low = access.end = access.start;
}

/**
 * Writes into `room` the accesses of a bound instruction, in the order of its record, for the present register values.
 * An instruction whose output is empty (a size, a row count or a plane count of 0) touches nothing at all.
 */
export function resolveInto({ accesses, output }: BoundAccesses, read: RegisterReader, room: AccessRoom): void {
  for (let i = 0; i < accesses.length; i++) resolve(accesses[i] as BoundAccess, read, room[i] as AccessRoom[number]);
  if (room[output]?.rows === 0) for (const access of room) clear(access);
}

/** `resolveInto` a fresh room. */
export function resolveBound(bound: BoundAccesses, read: RegisterReader): ResolvedAccess[] {
  const room = roomFor(bound);
  resolveInto(bound, read, room);
  return room;
}

const bindings = new WeakMap<AnyInstruction, BoundAccesses>();

/** `resolveBound` that binds each instruction object the first time it meets it. */
export function resolveAccesses(instruction: AnyInstruction, read: RegisterReader): ResolvedAccess[] {
  let bound = bindings.get(instruction);
  if (bound === undefined) {
    bound = bindAccesses(instruction);
    bindings.set(instruction, bound);
  }
  return resolveBound(bound, read);
}
