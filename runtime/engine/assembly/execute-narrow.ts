/** Instructions on floats narrower than binary32: operands are widened into scratch, kernels of binary32 run there, results are rounded once. */
import { IMMEDIATE_FORM, RECORD_ACCESS_COUNT, RECORD_TO, SHORT_VECTOR } from '../layout';
import * as code from '../opcodes';
import * as type from '../types';
import { access } from './accesses';
import { activate, executeF32, finishSums } from './execute-f32';
import { round, significandBits, widen } from './narrow';
import { place, scalar } from './operands';
import * as reduce from './reductions';
import { elementShift, hasScratch, isWidened, placeOf, shortVector, widenRows } from './scratch';
import * as float from './vectors-f32';

/** The matrix of a product, as binary32. */
function widenMatrix(element: u32): void {
  const matrix = access(1);
  const shift = elementShift(element);
  const to = placeOf(matrix, shift);
  if (!isWidened(matrix, element, 0)) widen(element, to, matrix.pointer, (<usize>matrix.rowBytes) >> shift);
  matrix.pointer = to;
  matrix.rowBytes = matrix.rowBytes << (2 - shift);
}

/** A number that bits encode, and the bits of a number. */
function numberOf(element: u32, bits: i32): f32 {
  const number = shortVector(0);
  store<i32>(number + 4, bits);
  widen(element, number, number + 4, 1);
  return load<f32>(number);
}

function bitsOf(element: u32, number: f32): i32 {
  const bits = shortVector(0);
  store<f32>(bits + 4, number);
  store<i32>(bits, 0);
  round(element, bits, bits + 4, 1);
  return load<i32>(bits);
}

/** Elements to a register, piece by piece. */
function reduceVector(opcode: u32, record: usize, element: u32): void {
  const shift = elementShift(element);
  const count = (<usize>access(0).rowBytes) >> shift;
  const a = access(0).pointer;
  const b = access(1).pointer;
  let result: f32 = opcode == code.VDP ? 0 : numberOf(element, load<u16>(a));
  for (let i: usize = 0; i < count; i += SHORT_VECTOR) {
    const size = min<usize>(SHORT_VECTOR, count - i);
    enter(0, a + (i << shift), size, element);
    if (opcode == code.VDP) {
      enter(1, b + (i << shift), size, element);
      result = reduce.dotF32(result);
    } else result = reduce.extremeF32(opcode == code.VMAX, result);
  }
  store<i32>(place(record, 0), bitsOf(element, result));
}

/** Makes an access a piece of a vector, widened unless it is binary32. */
function enter(index: u32, pointer: usize, size: usize, element: u32): void {
  point(index, pointer, size, element);
  if (element != type.F32) widen(element, shortVector(index), pointer, size);
}

/** The same for a piece that is only written. */
function point(index: u32, pointer: usize, size: usize, element: u32): void {
  const one = access(index);
  one.pointer = element == type.F32 ? pointer : shortVector(index);
  one.rowBytes = 4 * size;
}

/** Performs an element-wise instruction on binary32 operands. */
function perform(opcode: u32, record: usize, from: u32): bool {
  switch (opcode) {
    case code.VCVT:
      activate(record, 3);
      return true;
    case code.VAS:
    case code.VAS | IMMEDIATE_FORM:
      float.unary<float.AddScalar>(numberOf(from, scalar(record, 3)));
      return true;
    case code.RV:
      reduce.randomF32(significandBits(from));
      return true;
    default:
      return executeF32(opcode, record);
  }
}

/** Whether the rows of every operand follow each other without gaps. */
function areDense(operands: u32): bool {
  for (let i: u32 = 0; i < operands; i++) if (access(i).stride != access(i).rowBytes) return false;
  return true;
}

/** An element-wise instruction, in pieces of rows. */
function elementwise(opcode: u32, record: usize, from: u32, to: u32): bool {
  const operands = <u32>load<u8>(record, RECORD_ACCESS_COUNT);
  const fromShift: usize = from == type.F32 ? 2 : elementShift(from);
  const toShift: usize = to == type.F32 ? 2 : elementShift(to);
  let out = access(0).pointer;
  let a = access(1).pointer;
  let b = access(2).pointer;
  const outStride = <usize>access(0).stride;
  const aStride = <usize>access(1).stride;
  const bStride = <usize>access(2).stride;
  let size = (<usize>access(0).rowBytes) >> toShift;
  let rows = <usize>access(0).rows;
  if (areDense(operands)) {
    size *= rows;
    rows = 1;
  }
  for (let i: u32 = 0; i < operands; i++) {
    access(i).rows = 1;
    access(i).stride = 0;
  }
  for (; rows > 0; rows--) {
    for (let i: usize = 0; i < size; i += SHORT_VECTOR) {
      const piece = min<usize>(SHORT_VECTOR, size - i);
      const target = out + (i << toShift);
      if (opcode == code.VMAC) enter(0, target, piece, to);
      else point(0, target, piece, to);
      if (operands > 1) enter(1, a + (i << fromShift), piece, from);
      if (operands > 2) enter(2, b + (i << fromShift), piece, from);
      if (!perform(opcode, record, from)) return false;
      if (to != type.F32) round(to, target, shortVector(0), piece);
    }
    out += outStride;
    a += aStride;
    b += bStride;
  }
  return true;
}

/** Whether there is a kernel, which then has been executed. */
export function executeNarrow(opcode: u32, record: usize, element: u32): bool {
  if (!hasScratch()) return false;
  switch (opcode) {
    case code.VMM:
    case code.MMV:
      widenMatrix(element);
      widenRows(element, access(2), 0);
      return executeF32(opcode, record);
    case code.VCMM:
      widenRows(element, access(1), 1);
      widenRows(element, access(2), 0);
      return executeF32(opcode, record);
    case code.VFIN:
      finishSums(record, load<u8>(record, RECORD_TO) != 0 ? type.F32 : element);
      return true;
    case code.VMAX:
    case code.VMIN:
      if (access(0).rows == 0) return false;
      reduceVector(opcode, record, element);
      return true;
    case code.VDP:
      reduceVector(opcode, record, element);
      return true;
    case code.VCVT:
      return elementwise(opcode, record, element, load<u8>(record, RECORD_TO));
    default:
      return elementwise(opcode, record, element, element);
  }
}
