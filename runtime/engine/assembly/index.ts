/** The fast engine: fetches, checks and executes records until something is left to the plain engine. Its memory is laid out in `layout.ts`. */
import {
  BOUND_ELEMENT_BYTES,
  EXECUTED,
  IMMEDIATE_FORM,
  LEAVE,
  MATRIX,
  NO_REGISTER,
  RECORD_ACCESSES,
  RECORD_BYTES,
  RECORD_OUTPUT,
  RECORD_TO,
  RECORD_TYPE,
} from '../layout';
import * as code from '../opcodes';
import * as type from '../types';
import { EXECUTE, NOTHING, TO_HOST, access, configureAccesses, prepare, resolveAll } from './accesses';
import { configureFixed, expFixed } from './fixed';
import { executeF32 } from './execute-f32';
import { executeFixed } from './execute-fx16';
import { executeIntegers, executeScaledSum, shiftIsLegal } from './execute-integers';
import { executeNarrow } from './execute-narrow';
import { isNarrowFloat } from './narrow';
import { immediate, lowHalf, place, register, scalar } from './operands';
import { configureScratch, forgetMatrices, forgetWritten } from './scratch';
import { region } from './region';
import * as transfer from './transfers';
import { Timed, Unwatched } from './watches';

export { clockSeconds, configureTimes } from './watches';

/** The records of the program, and their number. */
let program: usize = 0;
let length: u32 = 0;

/** `scratch` is 0 where there is none. */
export function configure(
  records: usize,
  instructions: u32,
  scratch: usize,
  fraction: i32,
  constants: usize,
  constantsStart: u32,
  constantsBytes: u32,
  mostRows: u32,
): void {
  program = records;
  configureScratch(scratch);
  length = instructions;
  configureFixed(fraction);
  configureAccesses(constants, constantsStart, constantsBytes, mostRows);
}

/** The second operand of a scalar instruction. */
function second(record: usize): i32 {
  return scalar(record, 2);
}

/** Executes a vector, matrix or memory instruction whose accesses are prepared. False if there is no kernel for it. */
function execute(opcode: u32, record: usize): bool {
  const written = <u32>load<u8>(record, RECORD_OUTPUT);
  if (written != NO_REGISTER && access(written).space == MATRIX) forgetWritten(access(written).low, access(written).end);
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
    case code.VFILL:
    case code.VFILL | IMMEDIATE_FORM:
      transfer.fill(scalar(record, 2), load<u8>(record, RECORD_ACCESSES + BOUND_ELEMENT_BYTES));
      return true;
    case code.VQAV:
      executeScaledSum(record);
      return true;
  }
  const element = <u32>load<u8>(record, RECORD_TYPE);
  switch (element) {
    case type.F32:
      if (isNarrowFloat(load<u8>(record, RECORD_TO)) && opcode == code.VCVT) return executeNarrow(opcode, record, element);
      return executeF32(opcode, record);
    case type.FX16:
      return executeFixed(opcode, record);
    case type.Q16:
      if (opcode == code.VCVT) return executeFixed(opcode, record);
    // falls through: everything else is of integers
    case type.I8:
      return executeIntegers(opcode, record, element == type.I8);
    default:
      return isNarrowFloat(element) && executeNarrow(opcode, record, element);
  }
}

/** The loop of `run` and `runTimed`, compiled for each. */
function advance<Watch>(pc: u32, budget: f64): u32 {
  const watch = changetype<Watch>(0);
  const count = <i64>budget;
  let left = count;
  watch.enter(left);
  forgetMatrices();
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
        store<i32>(place(record, 0), expFixed(lowHalf(register(record, 1))));
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
        const prepared = opcode == LEAVE || (opcode == code.VRQ && !shiftIsLegal(record)) ? TO_HOST : prepare(record);
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
  forgetMatrices();
  const resolved = resolveAll(record);
  return resolved == NOTHING || (resolved == EXECUTE && execute(<u32>load<u8>(record), record));
}

/** Notes how many instructions were executed. */
function leave<Watch>(pc: u32, count: i64, left: i64): u32 {
  changetype<Watch>(0).before(pc, left);
  store<f64>(region, <f64>(count - left), EXECUTED);
  return pc;
}
