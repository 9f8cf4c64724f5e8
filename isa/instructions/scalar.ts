/** Scalar instructions: 32-bit two's complement, wrapping. In the logical ones true is 1 and false is 0. */
import type { InstructionRecord } from '../fields.ts';
import { instruction } from '../fields.ts';
import * as format from '../formats.ts';

const scalar = { class: 'scalar', unit: 'scalar', extension: 'base', layout: 'ours', accesses: [], cost: 'scalar' } as const;

export const SCALAR = {
  SADD: instruction({
    ...scalar,
    opcode: 0x40,
    forms: format.scalar2,
    operations: { add: 1 },
    doc: 'Add, modulo 2^32.',
    meaning: 'R[result] = R[a] + R[b]',
  }),
  SSUB: instruction({
    ...scalar,
    opcode: 0x41,
    forms: format.scalar2,
    operations: { add: 1 },
    doc: 'Subtract, modulo 2^32.',
    meaning: 'R[result] = R[a] - R[b]',
  }),
  SMUL: instruction({
    ...scalar,
    opcode: 0x42,
    forms: format.scalar2,
    cost: 'scalar-multiply',
    operations: { multiply: 1 },
    doc: 'Multiply, low 32 bits.',
    meaning: 'R[result] = R[a] · R[b]',
  }),
  SDIV: instruction({
    ...scalar,
    opcode: 0x43,
    forms: format.scalar2,
    cost: 'scalar-divide',
    operations: { divide: 1 },
    doc: 'Signed division, truncated towards zero. Division by zero traps; -2^31 / -1 is -2^31.',
    meaning: 'R[result] = trunc(R[a] / R[b])',
  }),
  SEXP: instruction({
    ...scalar,
    opcode: 0x44,
    forms: { register: format.scalar1 },
    cost: 'scalar-transcendental',
    operations: { transcendental: 1 },
    doc: 'Exponential of the low 16 bits as fixed point, sign-extended.',
    meaning: 'R[result] = exp(fx16(R[a]))',
  }),
  SGT: instruction({
    ...scalar,
    opcode: 0x48,
    forms: format.scalar2,
    operations: { compare: 1 },
    doc: 'Signed greater than.',
    meaning: 'R[result] = R[a] > R[b] ? 1 : 0',
  }),
  SE: instruction({
    ...scalar,
    opcode: 0x49,
    forms: format.scalar2,
    operations: { compare: 1 },
    doc: 'Equal.',
    meaning: 'R[result] = R[a] == R[b] ? 1 : 0',
  }),
  SAND: instruction({
    ...scalar,
    opcode: 0x4a,
    forms: format.scalar2,
    operations: { compare: 1 },
    doc: 'Logical and.',
    meaning: 'R[result] = R[a] != 0 && R[b] != 0 ? 1 : 0',
  }),
  SNOT: instruction({
    ...scalar,
    opcode: 0x4b,
    forms: { register: format.scalar1 },
    operations: { compare: 1 },
    doc: 'Logical inverse.',
    meaning: 'R[result] = R[a] != 0 ? 0 : 1',
  }),
} as const satisfies Readonly<Record<string, InstructionRecord>>;
