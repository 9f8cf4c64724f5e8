/** Operands of narrow types, widened behind the records: inputs for one instruction, matrices as long as nothing writes where they come from. */
import {
  MATRIX_BYTES,
  MOST_MATRICES,
  SCRATCH_GAP,
  SCRATCH_INPUTS,
  SCRATCH_MATRICES,
  SCRATCH_VECTORS,
  SHORT_VECTOR,
  SPACE_SIZE,
  VECTOR,
  WIDENED,
} from '../layout';
import { Access } from './accesses';
import { spaceOf } from './intervals';
import { widen } from './narrow';
import * as type from '../types';

/** Where scratch begins; 0 if there is none. */
let scratch: usize = 0;
/** The two places for widened parts of the vector scratchpad, and that for matrices. */
let inputs: usize = 0;
let otherInputs: usize = 0;
let matrices: usize = 0;

function widenedSize(space: u32): usize {
  return <usize>WIDENED * load<u32>(spaceOf(space), SPACE_SIZE) + SCRATCH_GAP;
}

export function configureScratch(start: usize): void {
  scratch = start;
  inputs = start + SCRATCH_INPUTS;
  otherInputs = inputs + widenedSize(VECTOR);
  matrices = otherInputs + widenedSize(VECTOR);
}

export function hasScratch(): bool {
  return scratch != 0;
}

/** Room for `SHORT_VECTOR` binary32 numbers, three times. */
export function shortVector(index: usize): usize {
  return scratch + SCRATCH_VECTORS + index * (4 * SHORT_VECTOR);
}

/** Binary logarithm of the bytes of an element. */
export function elementShift(code: u32): u32 {
  return code == type.F8E4M3 || code == type.F8E5M2 || code == type.I8 ? 0 : 1;
}

/** Binary logarithm of the bytes of a widened element. */
function widenedShift(code: u32): u32 {
  return code == type.I8 ? 1 : 2;
}

/** Widens the rows of a vector operand into one of two places, and makes the access the one there. Rows that share bytes go on sharing them. */
export function widenRows(code: u32, one: Access, place: u32): void {
  const to = place == 0 ? inputs : otherInputs;
  const from = elementShift(code);
  const up = widenedShift(code) - from;
  const span = one.end - one.low;
  const pointer = one.pointer;
  if (one.rows <= 1 || span <= one.rows * one.rowBytes) {
    const before = <usize>(one.start - one.low);
    widen(code, to, pointer - before, (<usize>span) >> from);
    one.pointer = to + (before << up);
    one.stride = one.stride << up;
  } else {
    const bytes = <usize>one.rowBytes;
    let at = to;
    let row = pointer;
    for (let r = <usize>one.rows; r > 0; r--) {
      widen(code, at, row, bytes >> from);
      at += bytes << up;
      row += <usize>one.stride;
    }
    one.pointer = to;
    one.stride = <i64>(bytes << up);
  }
  one.rowBytes = one.rowBytes << up;
}

/** A matrix that stands widened: its bytes in the matrix scratchpad, and how it was made. */
@unmanaged
class Matrix {
  start: u32;
  end: u32;
  inputs: u32;
  form: u32;
}

let count: u32 = 0;
/** The one after that found last: most programs go round. */
let next: u32 = 0;

function matrixAt(index: u32): Matrix {
  return changetype<Matrix>(scratch + SCRATCH_MATRICES + index * MATRIX_BYTES);
}

/** From when on nothing is known of the matrix scratchpad. */
export function forgetMatrices(): void {
  count = 0;
}

/** Forgets what was made of bytes that are written. */
export function forgetWritten(low: i64, end: i64): void {
  for (let i: u32 = 0; i < count;)
    if (<i64>matrixAt(i).start < end && low < <i64>matrixAt(i).end) {
      count--;
      memory.copy(changetype<usize>(matrixAt(i)), changetype<usize>(matrixAt(count)), MATRIX_BYTES);
    } else i++;
}

/** Where a matrix of elements of 1 << `shift` bytes stands widened, 4 bytes an element: matrices that do not meet have places that do not. */
export function placeOf(one: Access, shift: u32): usize {
  return matrices + ((<usize>one.start) >> shift) * 4;
}

/** Whether a matrix stands widened in a form with so many inputs; if not, it is noted that it does, for the caller to widen it. */
export function isWidened(one: Access, form: u32, inputs: u32): bool {
  const start = <u32>one.start;
  const end = <u32>one.end;
  for (let i = next, left = count; left > 0; left--) {
    if (i >= count) i = 0;
    const found = matrixAt(i++);
    if (found.start == start && found.end == end && found.inputs == inputs && found.form == form) {
      next = i;
      return true;
    }
  }
  forgetWritten(one.start, one.end);
  if (count == MOST_MATRICES) count = 0;
  const added = matrixAt(count++);
  added.start = start;
  added.end = end;
  added.inputs = inputs;
  added.form = form;
  return false;
}
