/** Matrix instructions. */
import type { InstructionRecord } from '../fields.ts';
import { instruction, TYPES } from '../fields.ts';
import * as format from '../formats.ts';

const matrix = { class: 'matrix', unit: 'matrix', extension: 'base', cost: 'matrix-elementwise' } as const;
const product = {
  ...matrix,
  layout: 'published',
  forms: { register: format.product },
  accesses: format.productAccesses,
  cost: 'product',
  operations: { multiply: 1, accumulate: 1 },
  macs: true,
  types: TYPES.products,
} as const;

export const MATRIX = {
  MMV: instruction({
    ...product,
    opcode: 0x18,
    doc: 'Matrix multiplies vector; the matrix is out_size × in_size, row-major. Sums are in the accumulator type: f32 is rounded after each product and each sum, i32 and i64 wrap.',
    meaning: 'for n < R[out_size]: out[n] = round(Σ k < R[in_size], ascending: matrix[n][k] · in[k])',
  }),
  VMM: instruction({
    ...product,
    opcode: 0x19,
    doc: 'Vector multiplies matrix; the matrix is in_size × out_size, row-major. Sums are those of MMV.',
    meaning: 'for n < R[out_size]: out[n] = round(Σ k < R[in_size], ascending: in[k] · matrix[k][n])',
  }),
  MMS: instruction({
    ...matrix,
    opcode: 0x1a,
    layout: 'ours',
    forms: format.matrixScalar,
    accesses: format.matrix1Accesses,
    operations: { multiply: 1 },
    doc: 'Matrix multiplies scalar.',
    meaning: 'for i < R[size]: out[i] = a[i] · R[scalar]',
  }),
  OP: instruction({
    ...matrix,
    opcode: 0x1b,
    layout: 'ours',
    forms: { register: format.outer },
    accesses: [
      { space: 'matrix', mode: 'write', base: 'out', width: ['a_size', 'b_size'], element: 'fx16' },
      { space: 'vector', mode: 'read', base: 'a', width: ['a_size'], element: 'fx16' },
      { space: 'vector', mode: 'read', base: 'b', width: ['b_size'], element: 'fx16' },
    ],
    operations: { multiply: 1 },
    doc: 'Outer product of two vectors.',
    meaning: 'for i < R[a_size], j < R[b_size]: out[i][j] = a[i] · b[j]',
  }),
  MAM: instruction({
    ...matrix,
    opcode: 0x1c,
    layout: 'ours',
    forms: { register: format.matrix2 },
    accesses: format.matrix2Accesses,
    operations: { add: 1 },
    doc: 'Matrix adds matrix.',
    meaning: 'for i < R[size]: out[i] = a[i] + b[i]',
  }),
  MSM: instruction({
    ...matrix,
    opcode: 0x1d,
    layout: 'ours',
    forms: { register: format.matrix2 },
    accesses: format.matrix2Accesses,
    operations: { add: 1 },
    doc: 'Matrix subtracts matrix.',
    meaning: 'for i < R[size]: out[i] = a[i] - b[i]',
  }),
} as const satisfies Readonly<Record<string, InstructionRecord>>;
