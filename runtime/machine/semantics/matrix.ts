/** Matrix instructions: products in both element types, the others in fixed point. */
import { addFixed, multiplyFixed, subtractFixed } from '../../numerics/fixed.ts';
import type { MachineState } from '../state.ts';
import type { ProductRow } from './products.ts';
import { matrixVectorFixed, matrixVectorFloat, vectorMatrixFixed, vectorMatrixFloat } from './products.ts';
import type { Execute } from './types.ts';
import { elementShift, F32, lowElement, scalarOperand } from './types.ts';

type Product = 'MMV' | 'VMM';

type RowKernel = (state: MachineState, row: ProductRow) => void;

/** Each row clears its accumulators, unless it continues them, and adds its product. */
function product(floatRow: RowKernel, fixedRow: RowKernel): Execute<Product> {
  return (state, { fields }) => {
    const { registers, memory } = state;
    const outputs = (registers[fields.out_size] as number) >>> 0;
    if (outputs === 0) return;
    const inputs = (registers[fields.in_size] as number) >>> 0;
    const shift = elementShift(fields.type);
    const matrix = memory.offset('matrix', (registers[fields.matrix] as number) >>> 0) >>> shift;
    const rows = fields.rep === 0 ? 1 : (registers[fields.count] as number) >>> 0;
    const outStride = fields.rep === 0 ? 0 : (registers[fields.ostride] as number);
    const inStride = fields.rep === 0 ? 0 : (registers[fields.istride] as number);
    let outAddress = memory.offset('vector', (registers[fields.out] as number) >>> 0);
    let inAddress = memory.offset('vector', (registers[fields.in] as number) >>> 0);
    for (let r = 0; r < rows; r++) {
      const out = outAddress >>> shift;
      if (fields.acc === 0 && fields.type === F32) memory.floats.fill(0, out, out + outputs);
      const row = { out, outputs, matrix, in: inAddress >>> shift, inputs };
      if (fields.type === F32) floatRow(state, row);
      else fixedRow(state, row);
      outAddress += outStride;
      inAddress += inStride;
    }
  };
}

/** Number of elements named by a register and index of a first element in the matrix scratchpad. */
const sizeOf = (state: MachineState, register: number): number => (state.registers[register] as number) >>> 0;
const matrixIndex = (state: MachineState, register: number): number =>
  state.memory.offset('matrix', (state.registers[register] as number) >>> 0) >>> 1;
const vectorIndex = (state: MachineState, register: number): number =>
  state.memory.offset('vector', (state.registers[register] as number) >>> 0) >>> 1;

function elementwise(operation: (a: number, b: number) => number): Execute<'MAM' | 'MSM'> {
  return (state, { fields }) => {
    const { halves } = state.memory;
    const size = sizeOf(state, fields.size);
    const [out, a, b] = [matrixIndex(state, fields.out), matrixIndex(state, fields.a), matrixIndex(state, fields.b)];
    for (let i = 0; i < size; i++) halves[out + i] = operation(halves[a + i] as number, halves[b + i] as number);
  };
}

const timesScalar: Execute<'MMS'> = (state, { form, fields }) => {
  const { halves } = state.memory;
  const size = sizeOf(state, fields.size);
  const [out, a] = [matrixIndex(state, fields.out), matrixIndex(state, fields.a)];
  const scalar = lowElement(scalarOperand(state, form, fields.scalar));
  for (let i = 0; i < size; i++) halves[out + i] = multiplyFixed(halves[a + i] as number, scalar, state.fraction);
};

const outerProduct: Execute<'OP'> = (state, { fields }) => {
  const { halves } = state.memory;
  const [rows, columns] = [sizeOf(state, fields.a_size), sizeOf(state, fields.b_size)];
  if (columns === 0) return;
  const [a, b] = [vectorIndex(state, fields.a), vectorIndex(state, fields.b)];
  let out = matrixIndex(state, fields.out);
  for (let i = 0; i < rows; i++) {
    const left = halves[a + i] as number;
    for (let j = 0; j < columns; j++) halves[out++] = multiplyFixed(left, halves[b + j] as number, state.fraction);
  }
};

export const MATRIX = {
  MMV: product(
    ({ memory }, row) => matrixVectorFloat(memory.floats, row),
    ({ memory, fraction }, row) => matrixVectorFixed(memory.halves, row, fraction),
  ),
  VMM: product(
    ({ memory }, row) => vectorMatrixFloat(memory.floats, row),
    ({ memory, sums, fraction }, row) => vectorMatrixFixed(memory.halves, row, sums, fraction),
  ),
  MMS: timesScalar,
  OP: outerProduct,
  MAM: elementwise(addFixed),
  MSM: elementwise(subtractFixed),
} as const;
