/** What the record of an instruction says, apart from its accesses. */
import { IMMEDIATE_FORM, RECORD_IMMEDIATE, RECORD_REGISTERS, REGISTERS } from '../layout';
import { region } from './region';

/** Address of the register that is the operand of this index in assembly. */
export function place(record: usize, operand: usize): usize {
  return region + REGISTERS + ((<usize>load<u8>(record + operand, RECORD_REGISTERS)) << 2);
}

export function register(record: usize, operand: usize): i32 {
  return load<i32>(place(record, operand));
}

export function immediate(record: usize): i32 {
  return load<i32>(record, RECORD_IMMEDIATE);
}

export function isImmediate(record: usize): bool {
  return (load<u8>(record) & IMMEDIATE_FORM) != 0;
}

/** The scalar operand of this index, or the immediate in its place. */
export function scalar(record: usize, operand: usize): i32 {
  return isImmediate(record) ? immediate(record) : register(record, operand);
}

/** The low 16 bits of a scalar, signed. */
export function lowHalf(scalar: i32): i32 {
  return (scalar << 16) >> 16;
}

/** The high 16 bits of a scalar, signed. */
export function highHalf(scalar: i32): i32 {
  return scalar >> 16;
}
