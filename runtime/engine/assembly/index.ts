/** The fast engine: fetches, checks and executes records until something is left to the plain engine. Its memory is laid out in `layout.ts`. */
import {
  EXECUTED,
  IMMEDIATE_FORM,
  LEAVE,
  RECORD_BYTES,
  RECORD_IMMEDIATE,
  RECORD_MODE,
  RECORD_REGISTERS,
  RECORD_TYPE,
  REGISTERS,
} from '../layout';
import * as code from '../opcodes';
import { EXECUTE, NOTHING, TO_HOST, access, configureAccesses, prepare, resolveAll } from './accesses';
import { configureFixed, expFixed } from './fixed';
import * as product from './products';
import * as reduce from './reductions';
import { region } from './region';
import * as transfer from './transfers';
import * as float from './vectors-f32';
import * as fixed from './vectors-fx16';
import { Timed, Unwatched } from './watches';

export { clockSeconds, configureTimes } from './watches';

/** The records of the program, and their number. */
let program: usize = 0;
let length: u32 = 0;

export function configure(
  records: usize,
  instructions: u32,
  fraction: i32,
  constants: usize,
  constantsStart: u32,
  constantsBytes: u32,
  mostRows: u32,
): void {
  program = records;
  length = instructions;
  configureFixed(fraction);
  configureAccesses(constants, constantsStart, constantsBytes, mostRows);
}

/** Address of the register that is the operand of this index in assembly. */
function place(record: usize, operand: usize): usize {
  return region + REGISTERS + ((<usize>load<u8>(record + operand, RECORD_REGISTERS)) << 2);
}

function register(record: usize, operand: usize): i32 {
  return load<i32>(place(record, operand));
}

function immediate(record: usize): i32 {
  return load<i32>(record, RECORD_IMMEDIATE);
}

/** The second operand of a scalar instruction. */
function second(record: usize): i32 {
  return (load<u8>(record) & IMMEDIATE_FORM) != 0 ? immediate(record) : register(record, 2);
}

/** The low 16 bits of a scalar as an element. */
function element(scalar: i32): i32 {
  return (scalar << 16) >> 16;
}

/** Executes a vector, matrix or memory instruction whose accesses are prepared. False if there is no kernel for it. */
function execute(opcode: u32, record: usize): bool {
  const isFloat = load<u8>(record, RECORD_TYPE) == 1;
  const mode = load<u8>(record, RECORD_MODE);
  switch (opcode) {
    case code.VLOAD:
    case code.MLOAD:
    case code.VMOVE:
    case code.MMOVE:
    case code.VLOAD2:
    case code.VLOAD3:
      transfer.copyIn();
      return true;
    case code.VSTORE:
    case code.MSTORE:
    case code.VSTORE2:
    case code.VSTORE3:
      transfer.copyOut();
      return true;
    case code.SLOAD:
      transfer.loadWord(place(record, 0));
      return true;
    case code.SSTORE:
      transfer.storeWord(place(record, 0));
      return true;
    case code.VMM:
      if (isFloat) product.vectorMatrixF32(mode != 0);
      else if (product.fixedIsExact()) product.vectorMatrixFixed();
      else return false;
      return true;
    case code.MMV:
      if (isFloat) product.matrixVectorF32(mode != 0);
      else if (product.fixedIsExact()) product.matrixVectorFixed();
      else return false;
      return true;
    case code.VMAC:
      if (isFloat) float.binary<float.MultiplyAdd>(true);
      else fixed.binary<fixed.MultiplyAdd>();
      return true;
    case code.VAV:
      if (isFloat) float.binary<float.Add>();
      else fixed.binary<fixed.Add>();
      return true;
    case code.VSV:
      if (isFloat) float.binary<float.Subtract>();
      else fixed.binary<fixed.Subtract>();
      return true;
    case code.VMV:
      if (isFloat) float.binary<float.Multiply>();
      else fixed.binary<fixed.Multiply>();
      return true;
    case code.VDV:
      if (isFloat) float.binary<float.Divide>();
      else fixed.binary<fixed.Divide>();
      return true;
    case code.VGT:
      if (isFloat) float.binary<float.Greater>();
      else fixed.binary<fixed.Greater>();
      return true;
    case code.VE:
      if (isFloat) float.binary<float.Equal>();
      else fixed.binary<fixed.Equal>();
      return true;
    case code.VAND:
      if (isFloat) float.binary<float.And>();
      else fixed.binary<fixed.And>();
      return true;
    case code.VOR:
      if (isFloat) float.binary<float.Or>();
      else fixed.binary<fixed.Or>();
      return true;
    case code.VGTM:
      if (isFloat) float.binary<float.GreaterMerge>();
      else fixed.binary<fixed.GreaterMerge>();
      return true;
    case code.VNOT:
      if (isFloat) float.unary<float.Not>();
      else fixed.unary<fixed.Not>();
      return true;
    case code.VEXP:
      if (isFloat) float.unary<float.Exponential>();
      else fixed.unary<fixed.Exponential>();
      return true;
    case code.VLOG:
      if (isFloat) float.unary<float.Logarithm>();
      else fixed.unary<fixed.Logarithm>();
      return true;
    case code.VAS:
    case code.VAS | IMMEDIATE_FORM: {
      const scalar = (opcode & IMMEDIATE_FORM) != 0 ? immediate(record) : register(record, 3);
      if (isFloat) float.unary<float.AddScalar>(reinterpret<f32>(scalar));
      else fixed.unary<fixed.AddScalar>(element(scalar));
      return true;
    }
    case code.VFILL:
    case code.VFILL | IMMEDIATE_FORM:
      transfer.fill(second(record), isFloat);
      return true;
    case code.VCVT:
      if (mode == 0) {
        if (isFloat) float.unary<float.Identity>();
        else transfer.copyIn();
      } else if (mode == 1) {
        if (isFloat) float.unary<float.Relu>();
        else fixed.unary<fixed.Clip>(0, 32767);
      } else if (isFloat) float.unary<float.Clip>(reinterpret<f32>(register(record, 3)), reinterpret<f32>(register(record, 4)));
      else fixed.unary<fixed.Clip>(element(register(record, 3)), element(register(record, 4)));
      return true;
    case code.VDP:
      store<i32>(place(record, 0), isFloat ? reduce.dotF32() : reduce.dotFixed());
      return true;
    case code.VMAX:
      if (access(0).rows == 0) return false;
      store<i32>(place(record, 0), isFloat ? reduce.extremeF32(true) : reduce.extremeFixed(true));
      return true;
    case code.VMIN:
      if (access(0).rows == 0) return false;
      store<i32>(place(record, 0), isFloat ? reduce.extremeF32(false) : reduce.extremeFixed(false));
      return true;
    case code.RV:
      reduce.random(isFloat);
      return true;
    case code.MAM:
      fixed.binary<fixed.Add>();
      return true;
    case code.MSM:
      fixed.binary<fixed.Subtract>();
      return true;
    case code.MMS:
    case code.MMS | IMMEDIATE_FORM:
      fixed.unary<fixed.MultiplyScalar>(element((opcode & IMMEDIATE_FORM) != 0 ? immediate(record) : register(record, 3)));
      return true;
    case code.OP:
      fixed.outerProduct();
      return true;
    default:
      return false;
  }
}

/** The loop of `run` and `runTimed`, compiled for each. */
function advance<Watch>(pc: u32, budget: f64): u32 {
  const watch = changetype<Watch>(0);
  const count = <i64>budget;
  let left = count;
  watch.enter(left);
  for (; left > 0; left--) {
    const record = program + <usize>pc * RECORD_BYTES;
    const opcode = <u32>load<u8>(record);
    switch (opcode) {
      case code.SADD:
      case code.SADD | IMMEDIATE_FORM:
        store<i32>(place(record, 0), register(record, 1) + second(record));
        break;
      case code.SSUB:
      case code.SSUB | IMMEDIATE_FORM:
        store<i32>(place(record, 0), register(record, 1) - second(record));
        break;
      case code.SMUL:
      case code.SMUL | IMMEDIATE_FORM:
        store<i32>(place(record, 0), register(record, 1) * second(record));
        break;
      case code.SGT:
      case code.SGT | IMMEDIATE_FORM:
        store<i32>(place(record, 0), <i32>(register(record, 1) > second(record)));
        break;
      case code.SE:
      case code.SE | IMMEDIATE_FORM:
        store<i32>(place(record, 0), <i32>(register(record, 1) == second(record)));
        break;
      case code.SAND:
      case code.SAND | IMMEDIATE_FORM:
        store<i32>(place(record, 0), <i32>(register(record, 1) != 0 && second(record) != 0));
        break;
      case code.SNOT:
        store<i32>(place(record, 0), <i32>(register(record, 1) == 0));
        break;
      case code.SEXP:
        store<i32>(place(record, 0), expFixed(element(register(record, 1))));
        break;
      case code.SDIV:
      case code.SDIV | IMMEDIATE_FORM: {
        const divisor = second(record);
        // The trap of a division by zero is the plain engine's, and -2^31 / -1 wraps.
        if (divisor == 0) return leave<Watch>(pc, count, left);
        const dividend = register(record, 1);
        store<i32>(place(record, 0), divisor == -1 ? -dividend : dividend / divisor);
        break;
      }
      case code.SMOVE:
        store<i32>(place(record, 0), register(record, 1));
        break;
      case code.SMOVE | IMMEDIATE_FORM:
        store<i32>(place(record, 0), immediate(record));
        break;
      case code.JUMP:
      case code.JUMP | IMMEDIATE_FORM:
      case code.CB:
      case code.CB | IMMEDIATE_FORM: {
        const isJump = (opcode & ~IMMEDIATE_FORM) == code.JUMP;
        // In assembly the target of a branch comes before its condition.
        if (!isJump && register(record, 1) <= 0) break;
        const target = <i64>pc + <i64>((opcode & IMMEDIATE_FORM) != 0 ? immediate(record) : register(record, 0));
        if (target < 0 || target > <i64>length) return leave<Watch>(pc, count, left);
        pc = <u32>target;
        continue;
      }
      default: {
        watch.before(pc, left);
        const prepared = opcode == LEAVE ? TO_HOST : prepare(record);
        if (prepared != NOTHING && (prepared != EXECUTE || !execute(opcode, record))) return leave<Watch>(pc, count, left);
        watch.after(pc, left);
        break;
      }
    }
    pc++;
  }
  return leave<Watch>(pc, count, 0);
}

/**
 * Executes at most `budget` instructions from `pc` and returns the next one, to which it has come at the end of the budget or program, at a break
 * or at an instruction that it leaves to the plain engine.
 */
export function run(pc: u32, budget: f64): u32 {
  return advance<Unwatched>(pc, budget);
}

/** The same, and measures. */
export function runTimed(pc: u32, budget: f64): u32 {
  return advance<Timed>(pc, budget);
}

/** Executes one instruction that has accesses and whose checks have passed. False if it is left to the plain engine. */
export function perform(pc: u32): bool {
  const record = program + <usize>pc * RECORD_BYTES;
  const resolved = resolveAll(record);
  return resolved == NOTHING || (resolved == EXECUTE && execute(<u32>load<u8>(record), record));
}

/** Notes how many instructions were executed. */
function leave<Watch>(pc: u32, count: i64, left: i64): u32 {
  changetype<Watch>(0).before(pc, left);
  store<f64>(region, <f64>(count - left), EXECUTED);
  return pc;
}
