/** The decoded program in the memory of the fast engine: one record for each instruction, derived from the instruction table. */
import { bindAccesses } from '../../isa/accesses.ts';
import type { Space } from '../../isa/fields.ts';
import { formOf } from '../../isa/instruction.ts';
import type { AnyInstruction } from '../../isa/table.ts';
import { recordOf } from '../../isa/table.ts';
import * as layout from './layout.ts';

/** Codes of the spaces in records. */
export const SPACE_CODES: Readonly<Record<Space, number>> = { dram: layout.DRAM, vector: layout.VECTOR, matrix: layout.MATRIX };

/** Bytes that a program of this many instructions takes; the record behind the last one ends it. */
export function recordsBytes(instructions: number): number {
  return (instructions + 1) * layout.RECORD_BYTES;
}

/** The first byte of a record: the opcode, and whether the form is the immediate one. */
export function opcodeByte({ mnemonic, form }: AnyInstruction): number {
  return recordOf(mnemonic).opcode | (form === 'immediate' ? layout.IMMEDIATE_FORM : 0);
}

/** Writes the record of an instruction from byte `at` on, where there are zeros. */
export function writeRecord(view: DataView, at: number, instruction: AnyInstruction): void {
  const { mnemonic, form: formName, fields } = instruction;
  const form = formOf(mnemonic, formName);
  view.setUint8(at, opcodeByte(instruction));
  view.setUint8(at + layout.RECORD_TYPE, fields['type'] ?? 0);
  view.setUint8(at + layout.RECORD_TO, fields['type_out'] ?? fields['to'] ?? 0);
  view.setUint8(at + layout.RECORD_MODE, fields['acc'] ?? fields['activation'] ?? 0);
  form.assembly.forEach((name, i) => {
    const value = fields[name] ?? 0;
    if (form.fields[name]?.kind === 'immediate') view.setInt32(at + layout.RECORD_IMMEDIATE, value, true);
    else view.setUint8(at + layout.RECORD_REGISTERS + i, value);
  });
  const { accesses, output } = bindAccesses(instruction);
  view.setUint8(at + layout.RECORD_ACCESS_COUNT, accesses.length);
  view.setUint8(at + layout.RECORD_OUTPUT, output < 0 ? layout.NO_REGISTER : output);
  accesses.forEach(({ access, mode, base, offset, elementBytes, width0, width1, rows, stride, planes, planeStride }, i) => {
    const bound = at + layout.RECORD_ACCESSES + i * layout.BOUND_BYTES;
    const register = (field: number, number: number, otherwise: number): void =>
      view.setUint8(bound + field, number < 0 ? otherwise : number);
    register(layout.BOUND_BASE, base, layout.NO_REGISTER);
    register(layout.BOUND_WIDTH0, width0, layout.ONE);
    register(layout.BOUND_WIDTH1, width1, layout.ONE);
    register(layout.BOUND_ROWS, rows, layout.ONE);
    register(layout.BOUND_STRIDE, stride, layout.NO_REGISTER);
    register(layout.BOUND_PLANES, planes, layout.ONE);
    register(layout.BOUND_PLANE_STRIDE, planeStride, layout.NO_REGISTER);
    view.setUint8(bound + layout.BOUND_ELEMENT_BYTES, elementBytes);
    view.setUint8(bound + layout.BOUND_SPACE, SPACE_CODES[access.space]);
    const reads = mode === 'write' ? 0 : layout.READS;
    const writes = mode === 'read' ? 0 : layout.WRITES;
    view.setUint8(bound + layout.BOUND_MODE, reads | writes | (access.readWhen === undefined ? 0 : layout.ACCUMULATES));
    view.setInt32(bound + layout.BOUND_OFFSET, offset, true);
  });
}
