/** Control and data transfer. */
import type { Access, InstructionRecord } from '../fields.ts';
import { instruction } from '../fields.ts';
import * as format from '../formats.ts';

const transferAccesses = (space: 'vector' | 'matrix', direction: 'load' | 'store') =>
  [
    { space, mode: direction === 'load' ? 'write' : 'read', base: 'local', width: ['size'], element: 'type' },
    { space: 'dram', mode: direction === 'load' ? 'read' : 'write', base: 'base', offset: 'offset', width: ['size'], element: 'type' },
  ] as const satisfies readonly Access[];
const stridedAccesses = (direction: 'load' | 'store', planes: boolean): readonly Access[] => [
  {
    space: 'vector',
    mode: direction === 'load' ? 'write' : 'read',
    base: 'local',
    width: ['size'],
    element: 'type',
    rows: 'rows',
    ...(planes ? { planes: 'planes', planeStride: 'lpstride' } : { stride: 'lstride' }),
  },
  {
    space: 'dram',
    mode: direction === 'load' ? 'read' : 'write',
    base: 'base',
    width: ['size'],
    element: 'type',
    rows: 'rows',
    stride: 'dstride',
    ...(planes && { planes: 'planes', planeStride: 'dpstride' }),
  },
];
const wordAccess = (mode: 'read' | 'write'): readonly Access[] => [
  { space: 'dram', mode, base: 'base', offset: 'offset', width: [], element: 'word' },
];
const control = {
  class: 'control',
  unit: 'scalar',
  extension: 'base',
  layout: 'published',
  accesses: [],
  cost: 'control',
  operations: {},
} as const;
const move = { class: 'transfer', unit: 'dma', extension: 'base', layout: 'published', cost: 'transfer', operations: {} } as const;
const vectorMove = {
  class: 'transfer',
  unit: 'vector',
  extension: 'base',
  layout: 'ours',
  cost: 'vector',
  forms: { register: format.vector1 },
  accesses: format.vector1Accesses,
} as const;
const matrixMove = {
  class: 'transfer',
  unit: 'matrix',
  extension: 'base',
  layout: 'ours',
  cost: 'matrix-elementwise',
  forms: { register: format.matrix1 },
  accesses: format.matrix1Accesses,
} as const;
const scalarMove = {
  class: 'transfer',
  unit: 'scalar',
  extension: 'base',
  layout: 'ours',
  accesses: [],
  cost: 'scalar',
  forms: format.scalarMove,
} as const;

export const TRANSFERS = {
  JUMP: instruction({ ...control, opcode: 0x01, forms: format.jump, doc: 'Unconditional jump.', meaning: 'PC = PC + R[target]' }),
  CB: instruction({
    ...control,
    opcode: 0x02,
    forms: format.branch,
    doc: 'Conditional branch: taken when the condition, as a signed integer, is greater than zero.',
    meaning: 'PC = R[condition] > 0 ? PC + R[target] : PC + 1',
  }),
  VLOAD: instruction({
    ...move,
    opcode: 0x08,
    forms: { register: format.transfer },
    accesses: transferAccesses('vector', 'load'),
    doc: 'Vector load: main memory to the vector scratchpad.',
    meaning: 'for i < R[size]: vector[R[local]][i] = dram[R[base] + offset][i]',
  }),
  VSTORE: instruction({
    ...move,
    opcode: 0x09,
    forms: { register: format.transfer },
    accesses: transferAccesses('vector', 'store'),
    doc: 'Vector store: the vector scratchpad to main memory.',
    meaning: 'for i < R[size]: dram[R[base] + offset][i] = vector[R[local]][i]',
  }),
  VMOVE: instruction({
    ...vectorMove,
    opcode: 0x0a,
    operations: {},
    doc: 'Vector move inside the vector scratchpad. Bits are kept.',
    meaning: 'for i < R[size]: out[i] = a[i]',
  }),
  MLOAD: instruction({
    ...move,
    opcode: 0x0b,
    forms: { register: format.transfer },
    accesses: transferAccesses('matrix', 'load'),
    doc: 'Matrix load: main memory to the matrix scratchpad.',
    meaning: 'for i < R[size]: matrix[R[local]][i] = dram[R[base] + offset][i]',
  }),
  MSTORE: instruction({
    ...move,
    opcode: 0x0c,
    forms: { register: format.transfer },
    accesses: transferAccesses('matrix', 'store'),
    doc: 'Matrix store: the matrix scratchpad to main memory.',
    meaning: 'for i < R[size]: dram[R[base] + offset][i] = matrix[R[local]][i]',
  }),
  MMOVE: instruction({
    ...matrixMove,
    opcode: 0x0d,
    operations: {},
    doc: 'Matrix move inside the matrix scratchpad. Bits are kept.',
    meaning: 'for i < R[size]: out[i] = a[i]',
  }),
  SLOAD: instruction({
    ...move,
    opcode: 0x0e,
    unit: 'scalar',
    layout: 'ours',
    cost: 'scalar-memory',
    forms: { register: format.scalarLoad },
    accesses: wordAccess('read'),
    doc: 'Scalar load of a 32-bit word from main memory, through the first-level cache.',
    meaning: 'R[result] = word dram[R[base] + offset]',
  }),
  SSTORE: instruction({
    ...move,
    opcode: 0x0f,
    unit: 'scalar',
    layout: 'ours',
    cost: 'scalar-memory',
    forms: { register: format.scalarStore },
    accesses: wordAccess('write'),
    doc: 'Scalar store of a 32-bit word to main memory, through the first-level cache.',
    meaning: 'word dram[R[base] + offset] = R[scalar]',
  }),
  SMOVE: instruction({ ...scalarMove, opcode: 0x10, operations: {}, doc: 'Scalar move.', meaning: 'R[result] = R[a]' }),
  VLOAD2: instruction({
    ...move,
    opcode: 0x50,
    layout: 'ours',
    extension: 'xdma',
    forms: { register: format.transfer2 },
    accesses: stridedAccesses('load', false),
    doc: 'Two-dimensional strided vector load.',
    meaning: 'for r < R[rows], i < R[size]: vector[R[local] + r·R[lstride]][i] = dram[R[base] + r·R[dstride]][i]',
  }),
  VSTORE2: instruction({
    ...move,
    opcode: 0x51,
    layout: 'ours',
    extension: 'xdma',
    forms: { register: format.transfer2 },
    accesses: stridedAccesses('store', false),
    doc: 'Two-dimensional strided vector store.',
    meaning: 'for r < R[rows], i < R[size]: dram[R[base] + r·R[dstride]][i] = vector[R[local] + r·R[lstride]][i]',
  }),
  VLOAD3: instruction({
    ...move,
    opcode: 0x52,
    layout: 'ours',
    extension: 'xdma',
    forms: { register: format.transfer3 },
    accesses: stridedAccesses('load', true),
    doc: 'Three-dimensional strided vector load; the rows of a plane lie without gaps in the scratchpad.',
    meaning:
      'for p < R[planes], r < R[rows], i < R[size]: vector[R[local] + p·R[lpstride]][r·R[size] + i] = dram[R[base] + p·R[dpstride] + r·R[dstride]][i]',
  }),
  VSTORE3: instruction({
    ...move,
    opcode: 0x53,
    layout: 'ours',
    extension: 'xdma',
    forms: { register: format.transfer3 },
    accesses: stridedAccesses('store', true),
    doc: 'Three-dimensional strided vector store; the rows of a plane lie without gaps in the scratchpad.',
    meaning:
      'for p < R[planes], r < R[rows], i < R[size]: dram[R[base] + p·R[dpstride] + r·R[dstride]][i] = vector[R[local] + p·R[lpstride]][r·R[size] + i]',
  }),
} as const satisfies Readonly<Record<string, InstructionRecord>>;
