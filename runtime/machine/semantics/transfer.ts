/** Transfers: bytes from one place of the linear memory to another. Bits are kept. */
import type { Space } from '../../../isa/fields.ts';
import type { MachineState } from '../state.ts';
import { elementShift, scalarOperand } from './types.ts';
import type { Execute } from './types.ts';
import { forRows } from './vector.ts';

type Transfer = 'VLOAD' | 'VSTORE' | 'MLOAD' | 'MSTORE';
type Strided = 'VLOAD2' | 'VSTORE2' | 'VLOAD3' | 'VSTORE3';

function copy({ bytes }: MachineState['memory'], to: number, from: number, count: number): void {
  bytes.copyWithin(to, from, from + count);
}

function dramAddress(state: MachineState, base: number, offset: number): number {
  return state.memory.layout.base.dram + (((state.registers[base] as number) + offset) >>> 0);
}

function transfer(space: Space, direction: 'load' | 'store'): Execute<Transfer> {
  return (state, { fields }) => {
    const { registers, memory } = state;
    const count = ((registers[fields.size] as number) >>> 0) * 2 ** elementShift(fields.type);
    if (count === 0) return;
    const local = memory.layout.base[space] + ((registers[fields.local] as number) >>> 0);
    const dram = dramAddress(state, fields.base, fields.offset);
    if (direction === 'load') copy(memory, local, dram, count);
    else copy(memory, dram, local, count);
  };
}

/** Rows of planes; a two-dimensional transfer has one plane. On the scratchpad side rows continue from plane to plane. */
function strided(direction: 'load' | 'store'): Execute<Strided> {
  return (state, { fields }) => {
    const { registers, memory } = state;
    const three: Readonly<Partial<Record<'planes' | 'dpstride', number>>> = fields;
    const planes = three.planes === undefined ? 1 : (registers[three.planes] as number) >>> 0;
    const planeStride = three.dpstride === undefined ? 0 : (registers[three.dpstride] as number);
    const rows = (registers[fields.rows] as number) >>> 0;
    const count = ((registers[fields.size] as number) >>> 0) * 2 ** elementShift(fields.type);
    if (count === 0 || rows === 0) return;
    const localStride = registers[fields.lstride] as number;
    const dramStride = registers[fields.dstride] as number;
    let local = memory.layout.base.vector + ((registers[fields.local] as number) >>> 0);
    for (let p = 0; p < planes; p++) {
      let dram = dramAddress(state, fields.base, 0) + p * planeStride;
      for (let r = 0; r < rows; r++) {
        if (direction === 'load') copy(memory, local, dram, count);
        else copy(memory, dram, local, count);
        local += localStride;
        dram += dramStride;
      }
    }
  };
}

const vectorMove: Execute<'VMOVE'> = (state, { fields }) => {
  forRows(state, fields, (out, a, size) => {
    copy(state.memory, out, a, size * 2 ** elementShift(fields.type));
  });
};

const matrixMove: Execute<'MMOVE'> = (state, { fields }) => {
  const { registers, memory } = state;
  const base = memory.layout.base.matrix;
  const count = ((registers[fields.size] as number) >>> 0) * 2;
  copy(memory, base + ((registers[fields.out] as number) >>> 0), base + ((registers[fields.a] as number) >>> 0), count);
};

const scalarLoad: Execute<'SLOAD'> = (state, { fields }) => {
  state.registers[fields.result] = state.memory.words[dramAddress(state, fields.base, fields.offset) >>> 2] as number;
};

const scalarStore: Execute<'SSTORE'> = (state, { fields }) => {
  state.memory.words[dramAddress(state, fields.base, fields.offset) >>> 2] = state.registers[fields.scalar] as number;
};

const scalarMove: Execute<'SMOVE'> = (state, { form, fields }) => {
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
  VLOAD3: strided('load'),
  VSTORE3: strided('store'),
} as const;
