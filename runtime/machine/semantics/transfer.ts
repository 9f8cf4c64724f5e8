/** Transfers: bytes from one place of the linear memory to another. Bits are kept. */
import type { Space } from '../../../isa/fields.ts';
import type { MachineState } from '../state.ts';
import { elementShift, scalarOperand } from './types.ts';
import type { Execute, ExecuteScalar } from './types.ts';
import { forRows } from './rows.ts';

type Transfer = 'VLOAD' | 'VSTORE' | 'MLOAD' | 'MSTORE';

function copy({ bytes }: MachineState['memory'], to: number, from: number, count: number): void {
  bytes.copyWithin(to, from, from + count);
}

/** Byte offset in the buffer of the address in a register. */
function offsetIn({ memory, registers }: MachineState, space: Space, base: number, offset = 0): number {
  return memory.offset(space, ((registers[base] as number) + offset) >>> 0);
}

function transfer(space: Space, direction: 'load' | 'store'): Execute<Transfer> {
  return (state, { fields }) => {
    const { registers, memory } = state;
    const count = ((registers[fields.size] as number) >>> 0) * 2 ** elementShift(fields.type);
    if (count === 0) return;
    const local = offsetIn(state, space, fields.local);
    const dram = offsetIn(state, 'dram', fields.base, fields.offset);
    if (direction === 'load') copy(memory, local, dram, count);
    else copy(memory, dram, local, count);
  };
}

function strided(direction: 'load' | 'store'): Execute<'VLOAD2' | 'VSTORE2'> {
  return (state, { fields }) => {
    const local = offsetIn(state, 'vector', fields.local);
    const strides = [state.registers[fields.lstride] as number, state.registers[fields.dstride] as number] as const;
    moveRows(state, direction, fields, local, offsetIn(state, 'dram', fields.base), ...strides);
  };
}

function planes(direction: 'load' | 'store'): Execute<'VLOAD3' | 'VSTORE3'> {
  return (state, { fields }) => {
    const { registers } = state;
    const count = (registers[fields.planes] as number) >>> 0;
    // What moves nothing has been checked against nothing, so its counts may be any.
    if (registers[fields.rows] === 0 || registers[fields.size] === 0) return;
    const rowBytes = ((registers[fields.size] as number) >>> 0) * 2 ** elementShift(fields.type);
    const local = offsetIn(state, 'vector', fields.local);
    const dram = offsetIn(state, 'dram', fields.base);
    const [localStride, dramStride] = [registers[fields.lpstride] as number, registers[fields.dpstride] as number];
    for (let p = 0; p < count; p++) {
      const [from, to] = [dram + p * dramStride, local + p * localStride];
      moveRows(state, direction, fields, to, from, rowBytes, registers[fields.dstride] as number);
    }
  };
}

/** `rows` rows of `size` elements between two byte addresses that advance by their strides. */
function moveRows(
  { registers, memory }: MachineState,
  direction: 'load' | 'store',
  fields: { readonly size: number; readonly rows: number; readonly type: number },
  local: number,
  dram: number,
  localStride: number,
  dramStride: number,
): void {
  const rows = (registers[fields.rows] as number) >>> 0;
  const count = ((registers[fields.size] as number) >>> 0) * 2 ** elementShift(fields.type);
  if (count === 0) return;
  for (let r = 0; r < rows; r++) {
    const [inScratchpad, inDram] = [local + r * localStride, dram + r * dramStride];
    if (direction === 'load') copy(memory, inScratchpad, inDram, count);
    else copy(memory, inDram, inScratchpad, count);
  }
}

const vectorMove: Execute<'VMOVE'> = (state, { fields }) => {
  forRows(state, fields, (out, a, size) => {
    copy(state.memory, out, a, size * 2 ** elementShift(fields.type));
  });
};

const matrixMove: Execute<'MMOVE'> = (state, { fields }) => {
  const count = ((state.registers[fields.size] as number) >>> 0) * 2;
  copy(state.memory, offsetIn(state, 'matrix', fields.out), offsetIn(state, 'matrix', fields.a), count);
};

const scalarLoad: Execute<'SLOAD'> = (state, { fields }) => {
  state.registers[fields.result] = state.memory.words[offsetIn(state, 'dram', fields.base, fields.offset) >>> 2] as number;
};

const scalarStore: Execute<'SSTORE'> = (state, { fields }) => {
  state.memory.words[offsetIn(state, 'dram', fields.base, fields.offset) >>> 2] = state.registers[fields.scalar] as number;
};

const scalarMove: ExecuteScalar<'SMOVE'> = (state, { form, fields }) => {
  state.registers[fields.result] = scalarOperand(state, form, fields.a);
};

export const TRANSFER = {
  VLOAD: transfer('vector', 'load'),
  VSTORE: transfer('vector', 'store'),
  VMOVE: vectorMove,
  MLOAD: transfer('matrix', 'load'),
  MSTORE: transfer('matrix', 'store'),
  MMOVE: matrixMove,
  SLOAD: scalarLoad,
  SSTORE: scalarStore,
  SMOVE: scalarMove,
  VLOAD2: strided('load'),
  VSTORE2: strided('store'),
  VLOAD3: planes('load'),
  VSTORE3: planes('store'),
} as const;
