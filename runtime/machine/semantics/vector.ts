/** Vector instructions: element-wise ones row by row, reductions to a register, fills. */
import { uniformF32, uniformFixed, xorshift32 } from '../../numerics/random.ts';
import { roundProductSum } from '../../numerics/fixed.ts';
import { floatBits, floatFromBits } from '../../numerics/float.ts';
import type { MachineState } from '../state.ts';
import * as float from './rows-f32.ts';
import * as fixed from './rows-fx16.ts';
import type { Execute } from './types.ts';
import { elementShift, F32, lowElement, scalarOperand } from './types.ts';

type Binary = 'VAV' | 'VSV' | 'VMV' | 'VMAC' | 'VDV' | 'VGT' | 'VE' | 'VAND' | 'VOR' | 'VGTM';
type Unary = 'VEXP' | 'VLOG' | 'VNOT';

/** Runs `row` for each row with the byte offsets of its operands in the buffer. Rows without elements are not visited. */
export function forRows(
  state: MachineState,
  fields: Readonly<Record<'rep' | 'count' | 'size' | 'out' | 'a' | 'ostride' | 'astride', number>>,
  row: (out: number, a: number, size: number, index: number) => void,
): void {
  const { registers, memory } = state;
  const size = (registers[fields.size] as number) >>> 0;
  if (size === 0) return;
  const out = memory.offset('vector', (registers[fields.out] as number) >>> 0);
  const a = memory.offset('vector', (registers[fields.a] as number) >>> 0);
  if (fields.rep === 0) {
    row(out, a, size, 0);
    return;
  }
  const rows = (registers[fields.count] as number) >>> 0;
  const outStride = registers[fields.ostride] as number;
  const aStride = registers[fields.astride] as number;
  for (let r = 0; r < rows; r++) row(out + r * outStride, a + r * aStride, size, r);
}

function binary(floatRow: float.FloatBinary, fixedRow: fixed.FixedBinary): Execute<Binary> {
  return (state, { fields }) => {
    const { floats, halves } = state.memory;
    const b = state.memory.offset('vector', (state.registers[fields.b] as number) >>> 0);
    const bStride = fields.rep === 0 ? 0 : (state.registers[fields.bstride] as number);
    forRows(state, fields, (out, a, size, r) => {
      if (fields.type === F32) floatRow(floats, out >>> 2, a >>> 2, (b + r * bStride) >>> 2, size);
      else fixedRow(halves, out >>> 1, a >>> 1, (b + r * bStride) >>> 1, size, state.fraction);
    });
  };
}

function unary(floatRow: float.FloatUnary, fixedRow: fixed.FixedUnary): Execute<Unary> {
  return (state, { fields }) => {
    const { floats, halves } = state.memory;
    forRows(state, fields, (out, a, size) => {
      if (fields.type === F32) floatRow(floats, out >>> 2, a >>> 2, size);
      else fixedRow(halves, out >>> 1, a >>> 1, size, state.fraction);
    });
  };
}

/** Index of the first element, in the view of its type, of a vector at the address in a register. */
function elementIndex(state: MachineState, register: number, type: number): number {
  return state.memory.offset('vector', (state.registers[register] as number) >>> 0) >>> elementShift(type);
}

const addScalar: Execute<'VAS'> = (state, { form, fields }) => {
  const { floats, halves } = state.memory;
  const bits = scalarOperand(state, form, fields.scalar);
  const [number, element] = [floatFromBits(bits), lowElement(bits)];
  forRows(state, fields, (out, a, size) => {
    if (fields.type === F32) float.addScalar(floats, out >>> 2, a >>> 2, size, number);
    else fixed.addScalar(halves, out >>> 1, a >>> 1, size, element);
  });
};

const dotProduct: Execute<'VDP'> = (state, { fields }) => {
  const { registers, memory } = state;
  const size = (registers[fields.size] as number) >>> 0;
  const a = elementIndex(state, fields.a, fields.type);
  const b = elementIndex(state, fields.b, fields.type);
  const x = fields.type === F32 ? memory.floats : memory.halves;
  let sum = 0;
  if (fields.type === F32) for (let i = 0; i < size; i++) sum = Math.fround(sum + Math.fround((x[a + i] as number) * (x[b + i] as number)));
  else for (let i = 0; i < size; i++) sum += (x[a + i] as number) * (x[b + i] as number);
  registers[fields.result] = fields.type === F32 ? floatBits(sum) : roundProductSum(sum, state.fraction);
};

/** The extreme element: the first, then each later one that `sign` times exceeds it. */
function extreme(sign: 1 | -1): Execute<'VMAX' | 'VMIN'> {
  return (state, { fields }) => {
    const { registers, memory } = state;
    const size = (registers[fields.size] as number) >>> 0;
    const a = elementIndex(state, fields.a, fields.type);
    const x = fields.type === F32 ? memory.floats : memory.halves;
    let best = x[a] as number;
    for (let i = 1; i < size; i++) if (sign * (x[a + i] as number) > sign * best) best = x[a + i] as number;
    registers[fields.result] = fields.type === F32 ? floatBits(best) : best;
  };
}

const random: Execute<'RV'> = (state, { fields }) => {
  const { registers, memory, fraction } = state;
  const size = (registers[fields.size] as number) >>> 0;
  const out = elementIndex(state, fields.out, fields.type);
  let generator = state.random;
  for (let i = 0; i < size; i++) {
    generator = xorshift32(generator);
    if (fields.type === F32) memory.floats[out + i] = uniformF32(generator);
    else memory.halves[out + i] = uniformFixed(generator, fraction);
  }
  state.random = generator;
};

const fill: Execute<'VFILL'> = (state, { form, fields }) => {
  const { registers, memory } = state;
  const size = (registers[fields.size] as number) >>> 0;
  const out = elementIndex(state, fields.out, fields.type);
  const x = fields.type === F32 ? memory.words : memory.halves;
  x.fill(scalarOperand(state, form, fields.scalar), out, out + size);
};

/** Values of the field `activation`. */
const RELU = 1;
const CLIP = 2;

const convertFloats: Execute<'VCVT'> = (state, { fields }) => {
  const { floats } = state.memory;
  const { registers } = state;
  const size = (registers[fields.size] as number) >>> 0;
  const out = elementIndex(state, fields.out, F32);
  const a = elementIndex(state, fields.in, F32);
  if (fields.activation === CLIP)
    float.clip(floats, out, a, size, floatFromBits(registers[fields.low] as number), floatFromBits(registers[fields.high] as number));
  else if (fields.activation === RELU) float.relu(floats, out, a, size);
  else float.identity(floats, out, a, size);
};

const convertFixed: Execute<'VCVT'> = (state, { fields }) => {
  const { halves } = state.memory;
  const { registers, fraction } = state;
  const size = (registers[fields.size] as number) >>> 0;
  const out = elementIndex(state, fields.out, 0);
  const a = elementIndex(state, fields.in, 0);
  if (fields.activation === CLIP)
    fixed.clip(halves, out, a, size, lowElement(registers[fields.low] as number), lowElement(registers[fields.high] as number));
  else if (fields.activation === RELU) fixed.relu(halves, out, a, size, fraction);
  else fixed.identity(halves, out, a, size, fraction);
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
  VCVT: ((state, instruction) =>
    instruction.fields.type === F32 ? convertFloats(state, instruction) : convertFixed(state, instruction)) satisfies Execute<'VCVT'>,
} as const;
