/** Instructions on binary32. */
import { IMMEDIATE_FORM, RECORD_MODE, RECORD_TO } from '../layout';
import * as code from '../opcodes';
import * as type from '../types';
import { access } from './accesses';
import * as columns from './columns';
import * as finish from './finish';
import { place, register, scalar } from './operands';
import * as product from './products';
import * as reduce from './reductions';
import * as float from './vectors-f32';

/** Values of the field `activation`. */
const RELU: u32 = 1;
const CLIP: u32 = 2;

/** Scalars that are raw bits of binary32. */
export function floatScalar(record: usize, operand: usize): f32 {
  return reinterpret<f32>(scalar(record, operand));
}

/** The activation of a conversion, whose bounds start at an operand. */
export function activate(record: usize, bounds: usize): void {
  const activation = <u32>load<u8>(record, RECORD_MODE);
  if (activation == CLIP) float.unary<float.Clip>(floatScalar(record, bounds), floatScalar(record, bounds + 1));
  else if (activation == RELU) float.unary<float.Relu>();
  else float.unary<float.Identity>();
}

/** Ends accumulators as a type. Without an activation, and without an upper bound, the bounds are infinite. */
export function finishSums(record: usize, to: u32): void {
  const activation = <u32>load<u8>(record, RECORD_MODE);
  if (activation == CLIP) finish.finishFloats(to, floatScalar(record, 5), floatScalar(record, 6));
  else finish.finishFloats(to, activation == RELU ? <f32>0 : -(<f32>Infinity), <f32>Infinity);
}

/** Whether there is a kernel, which then has been executed. */
export function executeF32(opcode: u32, record: usize): bool {
  const mode = load<u8>(record, RECORD_MODE);
  switch (opcode) {
    case code.VMM:
      product.vectorMatrixF32(mode != 0);
      return true;
    case code.MMV:
      product.matrixVectorF32(mode != 0);
      return true;
    case code.VCMM:
      columns.columnsF32(mode != 0);
      return true;
    case code.VFIN:
      finishSums(record, type.F32);
      return true;
    case code.VMAC:
      float.binary<float.MultiplyAdd>(true);
      return true;
    case code.VAV:
      float.binary<float.Add>();
      return true;
    case code.VSV:
      float.binary<float.Subtract>();
      return true;
    case code.VMV:
      float.binary<float.Multiply>();
      return true;
    case code.VDV:
      float.binary<float.Divide>();
      return true;
    case code.VGT:
      float.binary<float.Greater>();
      return true;
    case code.VE:
      float.binary<float.Equal>();
      return true;
    case code.VAND:
      float.binary<float.And>();
      return true;
    case code.VOR:
      float.binary<float.Or>();
      return true;
    case code.VGTM:
      float.binary<float.GreaterMerge>();
      return true;
    case code.VNOT:
      float.unary<float.Not>();
      return true;
    case code.VEXP:
      float.unary<float.Exponential>();
      return true;
    case code.VLOG:
      float.unary<float.Logarithm>();
      return true;
    case code.VAS:
    case code.VAS | IMMEDIATE_FORM:
      float.unary<float.AddScalar>(floatScalar(record, 3));
      return true;
    case code.VCVT:
      activate(record, 3);
      return true;
    case code.VDP:
      store<i32>(place(record, 0), reduce.floatBits(reduce.dotF32(0)));
      return true;
    case code.VMAX:
    case code.VMIN:
      if (access(0).rows == 0) return false;
      store<i32>(place(record, 0), reduce.floatBits(reduce.extremeF32(opcode == code.VMAX, load<f32>(access(0).pointer))));
      return true;
    case code.RV:
      reduce.randomF32(24);
      return true;
    default:
      return false;
  }
}
