/** The rows of vector instructions: where they stand, and kernels on rows of any element type. Places are byte offsets in the buffer. */
import type { MachineState } from '../state.ts';
import type { RowAt } from './float-rows.ts';
import { floatRow, isFloat } from './float-rows.ts';
import type { FloatRow } from './rows-f32.ts';
import type { FixedRow } from './rows-fx16.ts';
import { elementShift, unsignedRegister } from './types.ts';

/** A vector at the address in a register. */
export const vectorAt = (state: MachineState, register: number): number => state.memory.offset('vector', unsignedRegister(state, register));

/** Runs `row` for each row of an output and an operand with their strides. Rows without elements are not visited. */
export function forRows(
  state: MachineState,
  fields: Readonly<Record<'rep' | 'count' | 'size' | 'out' | 'a' | 'ostride' | 'astride', number>>,
  row: (out: number, a: number, size: number, index: number) => void,
): void {
  const { registers } = state;
  const size = unsignedRegister(state, fields.size);
  if (size === 0) return;
  const out = vectorAt(state, fields.out);
  const a = vectorAt(state, fields.a);
  if (fields.rep === 0) {
    row(out, a, size, 0);
    return;
  }
  const rows = unsignedRegister(state, fields.count);
  const outStride = registers[fields.ostride] as number;
  const aStride = registers[fields.astride] as number;
  for (let r = 0; r < rows; r++) row(out + r * outStride, a + r * aStride, size, r);
}

/** Runs `row` for each row of accumulators, which are dense and so are the results; the bytes are those of an element of each. */
export function forDenseRows(
  state: MachineState,
  fields: Readonly<Record<'rep' | 'count' | 'size' | 'out' | 'in', number>>,
  { outBytes, inBytes }: { readonly outBytes: number; readonly inBytes: number },
  row: (out: number, input: number, size: number) => void,
): void {
  const size = unsignedRegister(state, fields.size);
  if (size === 0) return;
  const out = vectorAt(state, fields.out);
  const input = vectorAt(state, fields.in);
  const rows = fields.rep === 0 ? 1 : unsignedRegister(state, fields.count);
  for (let r = 0; r < rows; r++) row(out + r * size * outBytes, input + r * size * inBytes, size);
}

/** A row of elements of one type: floats by a kernel of binary32, integers by one of fixed point. */
export function elementRow(state: MachineState, type: number, floatKernel: FloatRow, fixedKernel: FixedRow): RowAt {
  if (isFloat(type)) return floatRow(state, floatKernel, type, type);
  const { memory, fraction } = state;
  const shift = elementShift(type);
  const x = shift === 0 ? memory.signedBytes : memory.halves;
  return (out, a, b, count) => fixedKernel(x, out >>> shift, a >>> shift, b >>> shift, count, fraction);
}
