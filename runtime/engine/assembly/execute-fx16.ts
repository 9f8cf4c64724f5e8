/** Instructions on the 16-bit fixed point of the machine, those on matrices among them. */
import { IMMEDIATE_FORM, RECORD_MODE } from '../layout';
import * as code from '../opcodes';
import { access } from './accesses';
import { lowHalf, place, register, scalar } from './operands';
import * as product from './products-integers';
import * as reduce from './reductions';
import * as transfer from './transfers';
import * as fixed from './vectors-fx16';

/** The activation of a conversion. */
function activate(record: usize): void {
  const activation = load<u8>(record, RECORD_MODE);
  if (activation == 0) transfer.copyIn();
  else if (activation == 1) fixed.unary<fixed.Clip>(0, 32767);
  else fixed.unary<fixed.Clip>(lowHalf(register(record, 3)), lowHalf(register(record, 4)));
}

/** Whether there is a kernel, which then has been executed. */
export function executeFixed(opcode: u32, record: usize): bool {
  switch (opcode) {
    case code.VMM:
      if (!product.isExact()) return false;
      product.vectorMatrixFixed();
      return true;
    case code.MMV:
      if (!product.isExact()) return false;
      product.matrixVectorFixed();
      return true;
    case code.VMAC:
      fixed.binary<fixed.MultiplyAdd>();
      return true;
    case code.VAV:
    case code.MAM:
      fixed.binary<fixed.Add>();
      return true;
    case code.VSV:
    case code.MSM:
      fixed.binary<fixed.Subtract>();
      return true;
    case code.VMV:
      fixed.binary<fixed.Multiply>();
      return true;
    case code.VDV:
      fixed.binary<fixed.Divide>();
      return true;
    case code.VGT:
      fixed.binary<fixed.Greater>();
      return true;
    case code.VE:
      fixed.binary<fixed.Equal>();
      return true;
    case code.VAND:
      fixed.binary<fixed.And>();
      return true;
    case code.VOR:
      fixed.binary<fixed.Or>();
      return true;
    case code.VGTM:
      fixed.binary<fixed.GreaterMerge>();
      return true;
    case code.VNOT:
      fixed.unary<fixed.Not>();
      return true;
    case code.VEXP:
      fixed.unary<fixed.Exponential>();
      return true;
    case code.VLOG:
      fixed.unary<fixed.Logarithm>();
      return true;
    case code.VAS:
    case code.VAS | IMMEDIATE_FORM:
      fixed.unary<fixed.AddScalar>(lowHalf(scalar(record, 3)));
      return true;
    case code.MMS:
    case code.MMS | IMMEDIATE_FORM:
      fixed.unary<fixed.MultiplyScalar>(lowHalf(scalar(record, 3)));
      return true;
    case code.VCVT:
      activate(record);
      return true;
    case code.VDP:
      store<i32>(place(record, 0), reduce.dotFixed());
      return true;
    case code.VMAX:
    case code.VMIN:
      if (access(0).rows == 0) return false;
      store<i32>(place(record, 0), reduce.extremeFixed(opcode == code.VMAX));
      return true;
    case code.RV:
      reduce.randomFixed();
      return true;
    case code.OP:
      fixed.outerProduct();
      return true;
    default:
      return false;
  }
}
