/** Vector instructions: element-wise ones row by row, reductions to a register, fills, products of columns. */
import { roundProductSum } from '../../numerics/fixed.ts';
import { uniformFixed, uniformFloat, xorshift32 } from '../../numerics/random.ts';
import type { MachineState } from '../state.ts';
import { accumulate } from './accumulate.ts';
import { bitsOfFloat, floatOfBits, isFloat, significandBits, widen } from './float-rows.ts';
import { columnsFloat, columnsSums } from './products.ts';
import { elementRow, forRows, vectorAt } from './rows.ts';
import * as float from './rows-f32.ts';
import * as fixed from './rows-fx16.ts';
import type { Execute } from './types.ts';
import { elementShift, F32, lowElement, scalarOperand, unsignedRegister } from './types.ts';

type Binary = 'VAV' | 'VSV' | 'VMV' | 'VMAC' | 'VDV' | 'VGT' | 'VE' | 'VAND' | 'VOR' | 'VGTM';
type Unary = 'VEXP' | 'VLOG' | 'VNOT';

function binary(floatKernel: float.FloatRow, fixedKernel: fixed.FixedRow): Execute<Binary> {
  return (state, { fields }) => {
    const b = vectorAt(state, fields.b);
    const bStride = fields.rep === 0 ? 0 : (state.registers[fields.bstride] as number);
    const row = elementRow(state, fields.type, floatKernel, fixedKernel);
    forRows(state, fields, (out, a, size, r) => row(out, a, b + r * bStride, size));
  };
}

function unary(floatKernel: float.FloatRow, fixedKernel: fixed.FixedRow): Execute<Unary> {
  return (state, { fields }) => {
    const row = elementRow(state, fields.type, floatKernel, fixedKernel);
    forRows(state, fields, (out, a, size) => row(out, a, a, size));
  };
}

const addScalar: Execute<'VAS'> = (state, { form, fields }) => {
  const bits = scalarOperand(state, form, fields.scalar);
  const kernels = [float.addScalar(floatOfBits(fields.type, bits)), fixed.addScalar(lowElement(bits))] as const;
  const row = elementRow(state, fields.type, ...kernels);
  forRows(state, fields, (out, a, size) => row(out, a, a, size));
};

/** A vector as an array and the index of its first element: floats in binary32, fixed point as integers. */
function numbersAt(state: MachineState, type: number, register: number, size: number, slot: number): readonly [ArrayLike<number>, number] {
  const offset = vectorAt(state, register);
  if (type === F32) return [state.memory.floats, offset >>> 2];
  if (!isFloat(type)) return [state.memory.halves, offset >>> 1];
  const x = state.widened(2 * size);
  widen(state, type, offset, size, x, slot * size);
  return [x, slot * size];
}

const dotProduct: Execute<'VDP'> = (state, { fields }) => {
  const size = unsignedRegister(state, fields.size);
  const [x, a] = numbersAt(state, fields.type, fields.a, size, 0);
  const [y, b] = numbersAt(state, fields.type, fields.b, size, 1);
  let sum = 0;
  if (isFloat(fields.type))
    for (let i = 0; i < size; i++) sum = Math.fround(sum + Math.fround((x[a + i] as number) * (y[b + i] as number)));
  else for (let i = 0; i < size; i++) sum += (x[a + i] as number) * (y[b + i] as number);
  state.registers[fields.result] = isFloat(fields.type) ? bitsOfFloat(fields.type, sum) : roundProductSum(sum, state.fraction);
};

/** The extreme element: the first, then each later one that `sign` times exceeds it. */
function extreme(sign: 1 | -1): Execute<'VMAX' | 'VMIN'> {
  return (state, { fields }) => {
    const size = unsignedRegister(state, fields.size);
    const [x, a] = numbersAt(state, fields.type, fields.a, size, 0);
    let best = x[a] as number;
    for (let i = 1; i < size; i++) if (sign * (x[a + i] as number) > sign * best) best = x[a + i] as number;
    state.registers[fields.result] = isFloat(fields.type) ? bitsOfFloat(fields.type, best) : best;
  };
}

const random: Execute<'RV'> = (state, { fields }) => {
  const { type } = fields;
  const size = unsignedRegister(state, fields.size);
  const shift = elementShift(type);
  const elements = shift === 0 ? state.memory.bytes : shift === 1 ? state.memory.halves : state.memory.words;
  const first = vectorAt(state, fields.out) >>> shift;
  const significand = isFloat(type) ? significandBits(type) : 0;
  let generator = state.random;
  for (let i = 0; i < size; i++) {
    generator = xorshift32(generator);
    elements[first + i] =
      significand > 0 ? bitsOfFloat(type, uniformFloat(generator, significand)) : uniformFixed(generator, state.fraction);
  }
  state.random = generator;
};

/** The low bits of the scalar, or where elements are wider, the scalar with its sign extended. */
const fill: Execute<'VFILL'> = (state, { form, fields }) => {
  const { bytes, halves, words, longs } = state.memory;
  const shift = elementShift(fields.type);
  const first = vectorAt(state, fields.out) >>> shift;
  const end = first + unsignedRegister(state, fields.size);
  const scalar = scalarOperand(state, form, fields.scalar);
  if (shift === 3) longs.fill(BigInt(scalar), first, end);
  else (shift === 0 ? bytes : shift === 1 ? halves : words).fill(scalar, first, end);
};

const columns: Execute<'VCMM'> = (state, { fields }) => {
  const { registers } = state;
  const outputs = unsignedRegister(state, fields.size);
  const inputs = unsignedRegister(state, fields.taps);
  const repeats = fields.rep === 1;
  accumulate(
    state,
    {
      type: fields.type,
      acc: fields.acc === 1,
      out: vectorAt(state, fields.out),
      outputs,
      matrix: vectorAt(state, fields.matrix),
      in: vectorAt(state, fields.in),
      inputs,
      matrixElements: outputs * inputs,
      inElements: outputs * inputs,
      rows: repeats ? unsignedRegister(state, fields.count) : 1,
      outStride: repeats ? (registers[fields.ostride] as number) : 0,
      inStride: repeats ? (registers[fields.istride] as number) : 0,
    },
    { float: columnsFloat, sums: columnsSums },
  );
};

export const VECTOR = {
  VAV: binary(float.add, fixed.add),
  VSV: binary(float.subtract, fixed.subtract),
  VMV: binary(float.multiply, fixed.multiply),
  VMAC: binary(float.multiplyAdd, fixed.multiplyAdd),
  VDV: binary(float.divide, fixed.divide),
  VGT: binary(float.greater, fixed.greater),
  VE: binary(float.equal, fixed.equal),
  VAND: binary(float.and, fixed.and),
  VOR: binary(float.or, fixed.or),
  VGTM: binary(float.greaterMerge, fixed.greaterMerge),
  VNOT: unary(float.not, fixed.not),
  VEXP: unary(float.exponential, fixed.exponential),
  VLOG: unary(float.logarithm, fixed.logarithm),
  VAS: addScalar,
  VDP: dotProduct,
  VMAX: extreme(1),
  VMIN: extreme(-1),
  RV: random,
  VFILL: fill,
  VCMM: columns,
} as const;
