/**
 * What an instruction touches, and whether it may: `isa/accesses.ts` and `runtime/machine/checks.ts` over bound records. Every answer that is not
 * plainly yes leaves the instruction to the plain engine, which decides it and tells why.
 */
import {
  ACCESS_BYTES,
  ACCESSES,
  ACCUMULATES,
  BOUND_BASE,
  BOUND_BYTES,
  BOUND_ELEMENT_BYTES,
  BOUND_MODE,
  BOUND_OFFSET,
  BOUND_PLANE_STRIDE,
  BOUND_PLANES,
  BOUND_ROWS,
  BOUND_SPACE,
  BOUND_STRIDE,
  BOUND_WIDTH0,
  BOUND_WIDTH1,
  NO_REGISTER,
  READS,
  RECORD_ACCESS_COUNT,
  RECORD_ACCESSES,
  RECORD_OUTPUT,
  REGISTERS,
  SPACE_SIZE,
  WRITES,
} from '../layout';
import { add, contains, spaceOf } from './intervals';
import { region } from './region';

/** One memory operand. Distances and addresses are bytes; an empty one has no rows. */
@unmanaged
export class Access {
  /** Where it starts in the linear memory. */
  pointer: usize;
  space: u32;
  mode: u32;
  /** Where it starts in its space. */
  start: i64;
  rowBytes: i64;
  rows: i64;
  stride: i64;
  planes: i64;
  planeStride: i64;
  /** Least address, and one past the greatest. */
  low: i64;
  end: i64;
}

/** Registers with sizes, counts and planes from here on are left to the plain engine; below, no product of them overflows. */
const LIMIT: u64 = 1 << 26;

export const TO_HOST: i32 = 0;
export const EXECUTE: i32 = 1;
/** The output is empty, and nothing happens. */
export const NOTHING: i32 = 2;

/** Where address 0 of DRAM would be in the linear memory for constants, modulo 2^32. */
let constantsBase: usize = 0;
/** DRAM that the program must not write; empty if both are equal. */
let constantsStart: i64 = 0;
let constantsEnd: i64 = 0;
/** Most rows that an access may have. */
let mostRows: i64 = 0;

export function configureAccesses(constants: usize, start: u32, bytes: u32, rows: u32): void {
  constantsBase = constants - start;
  constantsStart = start;
  constantsEnd = constantsStart + i64(bytes);
  mostRows = rows;
}

export function access(index: u32): Access {
  return changetype<Access>(region + ACCESSES + index * ACCESS_BYTES);
}

function register(number: u32): u32 {
  return load<u32>(region + (number << 2), REGISTERS);
}

/** Resolves one access; false where it is out of range, misaligned or too large to tell. */
function resolve(bound: usize, one: Access): bool {
  const width0 = <u64>register(load<u8>(bound, BOUND_WIDTH0));
  const width1 = <u64>register(load<u8>(bound, BOUND_WIDTH1));
  const rows = <u64>register(load<u8>(bound, BOUND_ROWS));
  const planes = <u64>register(load<u8>(bound, BOUND_PLANES));
  if ((width0 | width1 | rows | planes) >= LIMIT) return false;
  const elementBytes = <u64>load<u8>(bound, BOUND_ELEMENT_BYTES);
  const space = <u32>load<u8>(bound, BOUND_SPACE);
  const address = register(load<u8>(bound, BOUND_BASE)) + load<u32>(bound, BOUND_OFFSET);
  const start = <i64>(<u64>address);
  const rowBytes = <i64>(elementBytes * width0 * width1);
  one.space = space;
  one.mode = load<u8>(bound, BOUND_MODE);
  one.pointer = <usize>(load<u32>(spaceOf(space)) + address);
  one.start = start;
  if (rowBytes == 0 || rows == 0 || planes == 0) {
    one.rowBytes = one.rows = one.stride = one.planeStride = 0;
    one.planes = 1;
    one.low = one.end = start;
    return true;
  }
  let stride: i64 = 0;
  let planeStride: i64 = 0;
  let low = start;
  let end = start + rowBytes;
  if (rows > 1) {
    const number = <u32>load<u8>(bound, BOUND_STRIDE);
    stride = number == NO_REGISTER ? rowBytes : <i64>(<i32>register(number));
    const last = <i64>(rows - 1) * stride;
    if (last < 0) low += last;
    else end += last;
  }
  if (planes > 1) {
    planeStride = <i64>(<i32>register(load<u8>(bound, BOUND_PLANE_STRIDE)));
    const last = <i64>(planes - 1) * planeStride;
    if (last < 0) low += last;
    else end += last;
  }
  one.rowBytes = rowBytes;
  one.rows = rows;
  one.stride = stride;
  one.planes = planes;
  one.planeStride = planeStride;
  one.low = low;
  one.end = end;
  if (((start | stride | planeStride) & (<i64>elementBytes - 1)) != 0) return false;
  if (space == 0 && low < constantsEnd && end > constantsStart) {
    if (low < constantsStart || end > constantsEnd) return false;
    one.pointer = constantsBase + address;
  }
  return low >= 0 && end <= <i64>load<u32>(spaceOf(space), SPACE_SIZE) && <i64>(rows * planes) <= mostRows;
}

function floorDivide(a: i64, b: i64): i64 {
  const quotient = a / b;
  return quotient * b != a && a < 0 != b < 0 ? quotient - 1 : quotient;
}

/** Whether two rows share some but not all of their bytes. */
function partlyOverlapsItself(one: Access): bool {
  const rowBytes = one.rowBytes;
  const stride = one.stride;
  const distance = stride < 0 ? -stride : stride;
  if (stride != 0 && distance < rowBytes) return true;
  for (let p: i64 = 1; p < one.planes; p++) {
    const apart = p * one.planeStride;
    let t = stride == 0 ? 0 : floorDivide(-apart, stride);
    for (const last = stride == 0 || t * stride == -apart ? t : t + 1; t <= last; t++) {
      const between = apart + t * stride;
      const bytes = between < 0 ? -between : between;
      if ((t < 0 ? -t : t) < one.rows && bytes > 0 && bytes < rowBytes) return true;
    }
  }
  return false;
}

/** Whether rows of both may meet. Exact where the strides are equal or one of them is a single row. */
function rowsMayMeet(a: Access, b: Access): bool {
  if (a.planes > 1 || b.planes > 1) return true;
  if (a.rows > 1 && b.rows > 1 && a.stride != b.stride) return true;
  const apart = b.start - a.start;
  const stride = a.rows > 1 ? a.stride : b.stride;
  if (stride == 0) return -b.rowBytes < apart && apart < a.rowBytes;
  const least = stride > 0 ? 1 - a.rows : 1 - b.rows;
  const most = stride > 0 ? b.rows - 1 : a.rows - 1;
  const distance = stride < 0 ? -stride : stride;
  const first = max(least, floorDivide(-b.rowBytes - apart, distance) + 1);
  return first <= most && apart + first * distance < a.rowBytes;
}

/** Whether the output may be written, as far as other operands and constants are concerned. */
function mayWrite(output: Access, count: u32): bool {
  if (output.space == 0 && constantsStart < constantsEnd && output.end > constantsStart && output.low < constantsEnd) return false;
  if ((output.stride != 0 || output.planes > 1) && partlyOverlapsItself(output)) return false;
  for (let i: u32 = 0; i < count; i++) {
    const input = access(i);
    if (input == output || input.space != output.space || input.rows == 0) continue;
    if (input.end <= output.low || output.end <= input.low) continue;
    const coincide =
      output.start == input.start && output.rowBytes == input.rowBytes && output.rows == input.rows && output.stride == input.stride;
    if (coincide && (output.mode & ACCUMULATES) == 0) continue;
    if (rowsMayMeet(output, input)) return false;
  }
  return true;
}

/** Whether the rows of all planes follow each other without gaps, or are one. */
function isDense(one: Access): bool {
  return (one.rows <= 1 || one.stride == one.rowBytes) && (one.planes <= 1 || one.planeStride == one.rows * one.rowBytes);
}

function isInitialised(one: Access): bool {
  const space = one.space;
  if (contains(space, <u32>one.low, <u32>one.end)) return true;
  if (isDense(one)) return false;
  for (let p: i64 = 0; p < one.planes; p++)
    for (let r: i64 = 0; r < one.rows; r++) {
      const start = one.start + p * one.planeStride + r * one.stride;
      if (!contains(space, <u32>start, <u32>(start + one.rowBytes))) return false;
    }
  return true;
}

function initialise(one: Access): bool {
  const space = one.space;
  if (contains(space, <u32>one.low, <u32>one.end)) return true;
  if (isDense(one)) return add(space, <u32>one.low, <u32>one.end);
  for (let p: i64 = 0; p < one.planes; p++)
    for (let r: i64 = 0; r < one.rows; r++) {
      const start = one.start + p * one.planeStride + r * one.stride;
      if (!add(space, <u32>start, <u32>(start + one.rowBytes))) return false;
    }
  return true;
}

/** Resolves the accesses of an instruction; to execute it is right only if its other checks pass. One whose output is empty touches nothing. */
export function resolveAll(record: usize): i32 {
  const count = <u32>load<u8>(record, RECORD_ACCESS_COUNT);
  const written = <u32>load<u8>(record, RECORD_OUTPUT);
  const bounds = record + RECORD_ACCESSES;
  if (written != NO_REGISTER) {
    if (!resolve(bounds + written * BOUND_BYTES, access(written))) return TO_HOST;
    if (access(written).rows == 0) return NOTHING;
  }
  for (let i: u32 = 0; i < count; i++) if (i != written && !resolve(bounds + i * BOUND_BYTES, access(i))) return TO_HOST;
  return EXECUTE;
}

/**
 * Resolves and checks the accesses of an instruction. The bytes that it writes then count as initialised, because it will execute:
 * here, or where intervals have no room in the plain engine, which repeats what is left half done.
 */
export function prepare(record: usize): i32 {
  const resolved = resolveAll(record);
  if (resolved != EXECUTE) return resolved;
  const count = <u32>load<u8>(record, RECORD_ACCESS_COUNT);
  const written = <u32>load<u8>(record, RECORD_OUTPUT);
  if (written != NO_REGISTER && !mayWrite(access(written), count)) return TO_HOST;
  for (let i: u32 = 0; i < count; i++) {
    const input = access(i);
    if ((input.mode & READS) != 0 && input.rows != 0 && !isInitialised(input)) return TO_HOST;
  }
  if (written != NO_REGISTER && (access(written).mode & WRITES) != 0 && !initialise(access(written))) return TO_HOST;
  return EXECUTE;
}
