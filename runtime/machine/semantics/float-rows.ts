/** Float operands as binary32: f32 where it stands, narrower floats as widened copies of which the result is rounded back, once. */
import { ELEMENT_CODES, NARROW_FLOATS } from '../../../isa/fields.ts';
import { floatBits, floatFromBits } from '../../numerics/float.ts';
import type { NarrowName } from '../../numerics/narrow.ts';
import { fromNarrow, NARROW_FORMATS, toNarrow, valuesOf } from '../../numerics/narrow.ts';
import type { MachineState } from '../state.ts';
import type { FloatRow } from './rows-f32.ts';
import { elementShift, F32 } from './types.ts';

const NARROW = new Map<number, NarrowName>(NARROW_FLOATS.map((name) => [ELEMENT_CODES[name].code, name]));

/** Whether a type code is a float's. */
export const isFloat = (type: number): boolean => type === F32 || NARROW.has(type);

/** Bits of the significand of a float type. */
export function significandBits(type: number): number {
  const name = NARROW.get(type);
  return name === undefined ? 24 : NARROW_FORMATS[name].fractionBits + 1;
}

/** The number that the low bits of a scalar encode. */
export function floatOfBits(type: number, bits: number): number {
  const name = NARROW.get(type);
  return name === undefined ? floatFromBits(bits) : fromNarrow(name, bits & (2 ** NARROW_FORMATS[name].bits - 1));
}

/** The bits of a binary32 number rounded to a type; zeros above them. */
export function bitsOfFloat(type: number, x: number): number {
  const name = NARROW.get(type);
  return name === undefined ? floatBits(x) : toNarrow(name, x);
}

/** `x[at …]`: elements of a float type from byte `offset` of the buffer on, in binary32. */
export function widen({ memory }: MachineState, type: number, offset: number, count: number, x: Float32Array, at: number): void {
  const name = NARROW.get(type);
  const shift = elementShift(type);
  const first = offset >>> shift;
  if (name === undefined) {
    x.set(memory.floats.subarray(first, first + count), at);
    return;
  }
  const values = valuesOf(name);
  const mask = values.length - 1;
  const elements = shift === 0 ? memory.bytes : memory.halves;
  for (let i = 0; i < count; i++) x[at + i] = values[(elements[first + i] as number) & mask] as number;
}

/** Stores `x[at …]`, rounded to a float type, from byte `offset` of the buffer on. */
export function round({ memory }: MachineState, type: number, offset: number, count: number, x: Float32Array, at: number): void {
  const name = NARROW.get(type);
  const shift = elementShift(type);
  const first = offset >>> shift;
  if (name === undefined) {
    memory.floats.set(x.subarray(at, at + count), first);
    return;
  }
  const elements = shift === 0 ? memory.bytes : memory.halves;
  for (let i = 0; i < count; i++) elements[first + i] = toNarrow(name, x[at + i] as number);
}

/** A row of an instruction with the byte offsets of its operands in the buffer. */
export type RowAt = (out: number, a: number, b: number, count: number) => void;

/** Runs a kernel of binary32 on rows of other float types: `outType` of the result and `inType` of both operands. */
export function floatRow(state: MachineState, kernel: FloatRow, outType: number, inType: number): RowAt {
  const { floats } = state.memory;
  if (outType === F32 && inType === F32) return (out, a, b, count) => kernel(floats, out >>> 2, a >>> 2, b >>> 2, count);
  return (out, a, b, count) => {
    const x = state.widened(3 * count);
    // The result too, because some kernels continue it.
    widen(state, outType, out, count, x, 0);
    widen(state, inType, a, count, x, count);
    widen(state, inType, b, count, x, 2 * count);
    kernel(x, 0, count, 2 * count, count);
    round(state, outType, out, count, x, 0);
  };
}
