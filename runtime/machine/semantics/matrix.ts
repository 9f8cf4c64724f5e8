/** Matrix instructions: products in all types that have accumulators, the others in fixed point. */
import { addFixed, multiplyFixed, subtractFixed } from '../../numerics/fixed.ts';
import type { MachineState } from '../state.ts';
import type { ProductKernels } from './accumulate.ts';
import { accumulate } from './accumulate.ts';
import { matrixVectorFloat, matrixVectorSums, vectorMatrixFloat, vectorMatrixSums } from './products.ts';
import type { Execute } from './types.ts';
import { lowElement, scalarOperand, unsignedRegister } from './types.ts';

function product(kernels: ProductKernels): Execute<'MMV' | 'VMM'> {
  return (state, { fields }) => {
    const { registers } = state;
    const { memory } = state;
    const outputs = unsignedRegister(state, fields.out_size);
    const inputs = unsignedRegister(state, fields.in_size);
    const repeats = fields.rep === 1;
    accumulate(
      state,
      {
        type: fields.type,
        acc: fields.acc === 1,
        out: memory.offset('vector', unsignedRegister(state, fields.out)),
        outputs,
        matrix: memory.offset('matrix', unsignedRegister(state, fields.matrix)),
        in: memory.offset('vector', unsignedRegister(state, fields.in)),
        inputs,
        matrixElements: outputs * inputs,
        inElements: inputs,
        rows: repeats ? unsignedRegister(state, fields.count) : 1,
        outStride: repeats ? (registers[fields.ostride] as number) : 0,
        inStride: repeats ? (registers[fields.istride] as number) : 0,
      },
      kernels,
    );
  };
}

/** Index of a first element in the view of 16-bit elements. */
const matrixIndex = (state: MachineState, register: number): number =>
  state.memory.offset('matrix', unsignedRegister(state, register)) >>> 1;
const vectorIndex = (state: MachineState, register: number): number =>
  state.memory.offset('vector', unsignedRegister(state, register)) >>> 1;

function elementwise(operation: (a: number, b: number) => number): Execute<'MAM' | 'MSM'> {
  return (state, { fields }) => {
    const { halves } = state.memory;
    const size = unsignedRegister(state, fields.size);
    const [out, a, b] = [matrixIndex(state, fields.out), matrixIndex(state, fields.a), matrixIndex(state, fields.b)];
    for (let i = 0; i < size; i++) halves[out + i] = operation(halves[a + i] as number, halves[b + i] as number);
  };
}

const timesScalar: Execute<'MMS'> = (state, { form, fields }) => {
  const { halves } = state.memory;
  const size = unsignedRegister(state, fields.size);
  const [out, a] = [matrixIndex(state, fields.out), matrixIndex(state, fields.a)];
  const scalar = lowElement(scalarOperand(state, form, fields.scalar));
  for (let i = 0; i < size; i++) halves[out + i] = multiplyFixed(halves[a + i] as number, scalar, state.fraction);
};

const outerProduct: Execute<'OP'> = (state, { fields }) => {
  const { halves } = state.memory;
  const [rows, columns] = [unsignedRegister(state, fields.a_size), unsignedRegister(state, fields.b_size)];
  if (columns === 0) return;
  const [a, b] = [vectorIndex(state, fields.a), vectorIndex(state, fields.b)];
  let out = matrixIndex(state, fields.out);
  for (let i = 0; i < rows; i++) {
    const left = halves[a + i] as number;
    for (let j = 0; j < columns; j++) halves[out++] = multiplyFixed(left, halves[b + j] as number, state.fraction);
  }
};

export const MATRIX = {
  MMV: product({ float: matrixVectorFloat, sums: matrixVectorSums }),
  VMM: product({ float: vectorMatrixFloat, sums: vectorMatrixSums }),
  MMS: timesScalar,
  OP: outerProduct,
  MAM: elementwise(addFixed),
  MSM: elementwise(subtractFixed),
} as const;
