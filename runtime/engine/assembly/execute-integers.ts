/** Instructions on integers with a meaning of their own: 8 bits, whose products sum in 32, and 16, whose products sum in 64. */
import { RECORD_MODE, RECORD_TO, RECORD_TYPE } from '../layout';
import * as code from '../opcodes';
import * as type from '../types';
import { access } from './accesses';
import * as columns from './columns';
import * as finish from './finish';
import { register } from './operands';
import { pairedMatrix } from './pairs';
import { vectorMatrixPairs } from './products';
import * as product from './products-integers';
import { hasScratch, widenRows } from './scratch';
import * as integers from './vectors-integers';

/** The control of VRQ. */
function control(record: usize): i32 {
  return register(record, 5);
}

/** Whether VRQ takes the shift in its control; another traps, whatever it shifts. */
export function shiftIsLegal(record: usize): bool {
  const shift = control(record) & 0xff;
  if (load<u8>(record, RECORD_TYPE) != type.I8) return shift <= 31;
  return load<u8>(record, RECORD_TO) != 0 || (shift >= 8 && shift <= 62);
}

/** VMM on bytes: inputs widened to 16 bits and taken in pairs, as the weights are. An odd input more meets weights that are 0. */
function vectorMatrixBytes(acc: bool): void {
  const weights = access(1);
  const input = access(2);
  const inputs = <usize>input.rowBytes;
  weights.pointer = pairedMatrix(weights, 1, inputs, (<usize>access(0).rowBytes) >> 2);
  widenRows(type.I8, input, 0);
  input.rowBytes = 4 * ((inputs + 1) >> 1);
  vectorMatrixPairs(acc);
}

function finishSums(record: usize, isBytes: bool): void {
  const toFloats = load<u8>(record, RECORD_TO) != 0;
  if (isBytes)
    if (toFloats) finish.finishBytesAsFloats();
    else finish.finishBytes(control(record), register(record, 6));
  else if (toFloats) finish.finishHalvesAsFloats(control(record));
  else finish.finishHalves(control(record), register(record, 6));
}

/** VQAV, which has one type. */
export function executeScaledSum(record: usize): void {
  integers.scaledSum(register(record, 4), register(record, 5), register(record, 6), register(record, 7));
}

/** Whether there is a kernel, which then has been executed. */
export function executeIntegers(opcode: u32, record: usize, isBytes: bool): bool {
  const acc = load<u8>(record, RECORD_MODE) != 0;
  switch (opcode) {
    case code.VMM:
      if (isBytes ? !hasScratch() : !product.isExact()) return false;
      if (isBytes) vectorMatrixBytes(acc);
      else product.vectorMatrixLong(acc);
      return true;
    case code.MMV:
      if (!isBytes && !product.isExact()) return false;
      if (isBytes) product.matrixVectorBytes(acc);
      else product.matrixVectorLong(acc);
      return true;
    case code.VCMM:
      if (isBytes) columns.columnsBytes(acc);
      else columns.columnsHalves(acc);
      return true;
    case code.VRQ:
      finishSums(record, isBytes);
      return true;
    case code.VAV:
      if (isBytes) return false;
      integers.binary<integers.AddHalves>();
      return true;
    case code.VSV:
      if (isBytes) return false;
      integers.binary<integers.SubtractHalves>();
      return true;
    case code.VGTM:
      if (isBytes) integers.binary<integers.GreaterBytes>();
      else integers.binary<integers.GreaterHalves>();
      return true;
    case code.VQZ:
      integers.quantize(isBytes, reinterpret<f32>(register(record, 3)), register(record, 4), register(record, 5));
      return true;
    case code.VDQ:
      integers.dequantize(isBytes, reinterpret<f32>(register(record, 3)), register(record, 4));
      return true;
    default:
      return false;
  }
}
