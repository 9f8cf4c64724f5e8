/** Operand shapes that several instructions share. Published positions are kept bit for bit; modifiers use bits the paper leaves unused. */
import type { Access, Form } from './fields.ts';
import { choice, flag, immediate, register, registerWhen, typeField } from './fields.ts';

const form = <const F extends Form>(f: F): F => f;

/** opcode 8 | scratchpad address 6 | size 6 | main-memory base 6 | offset 32 | 6 (type in 4 of them). */
export const transfer = form({
  fields: {
    local: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    base: register(43, 38, 'address'),
    offset: immediate(37, 6, 'address'),
    type: typeField(5, 2),
  },
  assembly: ['local', 'size', 'base', 'offset'],
});

/** Two-dimensional strided transfer: `rows` rows of `size` elements. */
export const transfer2 = form({
  fields: {
    local: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    base: register(43, 38, 'address'),
    rows: register(37, 32, 'count'),
    lstride: register(31, 26, 'stride'),
    dstride: register(25, 20, 'stride'),
    type: typeField(19, 16),
  },
  assembly: ['local', 'size', 'base', 'rows', 'lstride', 'dstride'],
});

/** Three-dimensional strided transfer: `planes` planes of `rows` rows, which lie without gaps on the scratchpad side. */
export const transfer3 = form({
  fields: {
    local: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    base: register(43, 38, 'address'),
    rows: register(37, 32, 'count'),
    dstride: register(31, 26, 'stride'),
    planes: register(25, 20, 'count'),
    type: typeField(19, 16),
    lpstride: register(15, 10, 'stride'),
    dpstride: register(9, 4, 'stride'),
  },
  assembly: ['local', 'size', 'base', 'rows', 'dstride', 'planes', 'lpstride', 'dpstride'],
});

/** Scalar load and store: the published load layout without a size. */
export const scalarLoad = form({
  fields: { result: register(55, 50, 'result'), base: register(43, 38, 'address'), offset: immediate(37, 6, 'address') },
  assembly: ['result', 'base', 'offset'],
});
export const scalarStore = form({
  fields: { scalar: register(55, 50, 'scalar'), base: register(43, 38, 'address'), offset: immediate(37, 6, 'address') },
  assembly: ['scalar', 'base', 'offset'],
});

/** What products that may add to their outputs have in the lower half. */
const accumulating = {
  type: typeField(25, 22),
  acc: flag(21, 'xacc'),
  rep: flag(20, 'xrep'),
  count: registerWhen('rep', 19, 14, 'count'),
  ostride: registerWhen('rep', 13, 8, 'stride'),
  istride: registerWhen('rep', 7, 2, 'stride'),
} as const;

/** opcode 8 | Vout_addr 6 | Vout_size 6 | Min_addr 6 | Vin_addr 6 | Vin_size 6 | 26. */
export const product = form({
  fields: {
    out: register(55, 50, 'address'),
    out_size: register(49, 44, 'size'),
    matrix: register(43, 38, 'address'),
    in: register(37, 32, 'address'),
    in_size: register(31, 26, 'size'),
    ...accumulating,
  },
  assembly: ['out', 'out_size', 'matrix', 'in', 'in_size', 'count', 'ostride', 'istride'],
});

export const productAccesses = [
  {
    space: 'vector',
    mode: 'update',
    base: 'out',
    width: ['out_size'],
    element: 'accumulator',
    rows: 'count',
    stride: 'ostride',
    readWhen: 'acc',
  },
  { space: 'matrix', mode: 'read', base: 'matrix', width: ['in_size', 'out_size'], element: 'type' },
  { space: 'vector', mode: 'read', base: 'in', width: ['in_size'], element: 'type', rows: 'count', stride: 'istride' },
] as const satisfies readonly Access[];

/** A product of each channel by itself: `taps` rows of `size` elements of the input times those of the matrix. */
export const columns = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    matrix: register(43, 38, 'address'),
    in: register(37, 32, 'address'),
    taps: register(31, 26, 'count'),
    ...accumulating,
  },
  assembly: ['out', 'size', 'matrix', 'in', 'taps', 'count', 'ostride', 'istride'],
});

export const columnsAccesses = [
  {
    space: 'vector',
    mode: 'update',
    base: 'out',
    width: ['size'],
    element: 'accumulator',
    rows: 'count',
    stride: 'ostride',
    readWhen: 'acc',
  },
  { space: 'vector', mode: 'read', base: 'matrix', width: ['size', 'taps'], element: 'type' },
  { space: 'vector', mode: 'read', base: 'in', width: ['size', 'taps'], element: 'type', rows: 'count', stride: 'istride' },
] as const satisfies readonly Access[];

/** opcode 8 | Vout_addr 6 | Vout_size 6 | Vin0_addr 6 | Vin1_addr 6 | 32. */
export const vector2 = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    a: register(43, 38, 'address'),
    b: register(37, 32, 'address'),
    type: typeField(31, 28),
    rep: flag(27, 'xrep'),
    count: registerWhen('rep', 26, 21, 'count'),
    ostride: registerWhen('rep', 20, 15, 'stride'),
    astride: registerWhen('rep', 14, 9, 'stride'),
    bstride: registerWhen('rep', 8, 3, 'stride'),
  },
  assembly: ['out', 'size', 'a', 'b', 'count', 'ostride', 'astride', 'bstride'],
});

const vectorOut = {
  space: 'vector',
  mode: 'write',
  base: 'out',
  width: ['size'],
  element: 'type',
  rows: 'count',
  stride: 'ostride',
} as const satisfies Access;
const vectorA = {
  space: 'vector',
  mode: 'read',
  base: 'a',
  width: ['size'],
  element: 'type',
  rows: 'count',
  stride: 'astride',
} as const satisfies Access;
const vectorB = {
  space: 'vector',
  mode: 'read',
  base: 'b',
  width: ['size'],
  element: 'type',
  rows: 'count',
  stride: 'bstride',
} as const satisfies Access;
export const vector2Accesses = [vectorOut, vectorA, vectorB] as const;
export const vector2Updates = [{ ...vectorOut, mode: 'update' }, vectorA, vectorB] as const;

export const vector1 = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    a: register(43, 38, 'address'),
    type: typeField(31, 28),
    rep: flag(27, 'xrep'),
    count: registerWhen('rep', 26, 21, 'count'),
    ostride: registerWhen('rep', 20, 15, 'stride'),
    astride: registerWhen('rep', 14, 9, 'stride'),
  },
  assembly: ['out', 'size', 'a', 'count', 'ostride', 'astride'],
});
export const vector1Accesses = [vectorOut, vectorA] as const;

/** Vector and scalar: the scalar is a register or an immediate of raw element bits. */
export const vectorScalar = {
  register: form({
    fields: { ...vector1.fields, scalar: register(37, 32, 'scalar') },
    assembly: ['out', 'size', 'a', 'scalar', 'count', 'ostride', 'astride'],
  }),
  immediate: form({
    fields: {
      out: register(55, 50, 'address'),
      size: register(49, 44, 'size'),
      a: register(43, 38, 'address'),
      scalar: immediate(37, 6, 'scalar'),
      type: typeField(5, 2),
    },
    assembly: ['out', 'size', 'a', 'scalar'],
  }),
} as const;

/** No vector input. */
export const vector0 = form({
  fields: { out: register(55, 50, 'address'), size: register(49, 44, 'size'), type: typeField(31, 28) },
  assembly: ['out', 'size'],
});
export const vector0Accesses = [
  { space: 'vector', mode: 'write', base: 'out', width: ['size'], element: 'type' },
] as const satisfies readonly Access[];

export const fill = {
  register: form({
    fields: { ...vector0.fields, scalar: register(43, 38, 'scalar') },
    assembly: ['out', 'size', 'scalar'],
  }),
  immediate: form({
    fields: {
      out: register(55, 50, 'address'),
      size: register(49, 44, 'size'),
      scalar: immediate(43, 12, 'scalar'),
      type: typeField(11, 8),
    },
    assembly: ['out', 'size', 'scalar'],
  }),
} as const;

/** Reductions of one or two vectors to a register. */
export const reduce1 = form({
  fields: { result: register(55, 50, 'result'), size: register(49, 44, 'size'), a: register(43, 38, 'address'), type: typeField(31, 28) },
  assembly: ['result', 'size', 'a'],
});
export const reduce2 = form({
  fields: { ...reduce1.fields, b: register(37, 32, 'address') },
  assembly: ['result', 'size', 'a', 'b'],
});
const reduceA = { space: 'vector', mode: 'read', base: 'a', width: ['size'], element: 'type' } as const satisfies Access;
export const reduce1Accesses = [reduceA] as const;
export const reduce2Accesses = [reduceA, { ...reduceA, base: 'b' }] as const;

export const convert = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    in: register(43, 38, 'address'),
    low: registerWhen('activation=clip', 37, 32, 'scalar'),
    high: registerWhen('activation=clip', 31, 26, 'scalar'),
    type: typeField(25, 22),
    type_out: typeField(21, 18),
    activation: choice(17, 16, ['none', 'relu', 'clip']),
  },
  assembly: ['out', 'size', 'in', 'low', 'high'],
});

/** Accumulators to elements: rows follow each other without gaps, and share what is read once. */
const finished = [
  { space: 'vector', mode: 'write', base: 'out', width: ['size'], element: 'to', rows: 'count' },
  { space: 'vector', mode: 'read', base: 'in', width: ['size'], element: 'accumulator', rows: 'count' },
] as const satisfies readonly Access[];

export const finish = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    in: register(43, 38, 'address'),
    bias: register(37, 32, 'address'),
    type: typeField(31, 28),
    to: choice(27, 27, ['element', 'f32']),
    activation: choice(26, 25, ['none', 'relu', 'clip']),
    rep: flag(24, 'xrep'),
    count: registerWhen('rep', 23, 18, 'count'),
    low: registerWhen('activation=clip', 17, 12, 'scalar'),
    high: registerWhen('activation=clip', 11, 6, 'scalar'),
  },
  assembly: ['out', 'size', 'in', 'bias', 'count', 'low', 'high'],
});
export const finishAccesses = [
  ...finished,
  { space: 'vector', mode: 'read', base: 'bias', width: ['size'], element: 'f32', once: true },
] as const satisfies readonly Access[];

export const requantize = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    in: register(43, 38, 'address'),
    params: register(37, 32, 'address'),
    type: typeField(31, 28),
    to: choice(27, 27, ['element', 'f32']),
    rep: flag(24, 'xrep'),
    count: registerWhen('rep', 23, 18, 'count'),
    control: register(17, 12, 'scalar'),
    bounds: registerWhen('to=element', 11, 6, 'scalar'),
  },
  assembly: ['out', 'size', 'in', 'params', 'count', 'control', 'bounds'],
});
export const requantizeAccesses = [
  ...finished,
  { space: 'vector', mode: 'read', base: 'params', width: ['size'], element: 'i64', once: true },
] as const satisfies readonly Access[];

export const scaledSum = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    a: register(43, 38, 'address'),
    b: register(37, 32, 'address'),
    factors: register(31, 26, 'scalar'),
    addend: register(25, 20, 'scalar'),
    shift: register(19, 14, 'scalar'),
    bounds: register(13, 8, 'scalar'),
  },
  assembly: ['out', 'size', 'a', 'b', 'factors', 'addend', 'shift', 'bounds'],
});
export const scaledSumAccesses = [
  { space: 'vector', mode: 'write', base: 'out', width: ['size'], element: 'i8' },
  { space: 'vector', mode: 'read', base: 'a', width: ['size'], element: 'i8' },
  { space: 'vector', mode: 'read', base: 'b', width: ['size'], element: 'i8' },
] as const satisfies readonly Access[];

/** Both directions between binary32 and integers. */
const scaled = {
  out: register(55, 50, 'address'),
  size: register(49, 44, 'size'),
  in: register(43, 38, 'address'),
  scale: register(37, 32, 'scalar'),
  type: typeField(31, 28),
  zero: register(27, 22, 'scalar'),
} as const;

export const quantize = form({
  fields: {
    ...scaled,
    bounds: register(21, 16, 'scalar'),
  },
  assembly: ['out', 'size', 'in', 'scale', 'zero', 'bounds'],
});
export const dequantize = form({
  fields: {
    ...scaled,
  },
  assembly: ['out', 'size', 'in', 'scale', 'zero'],
});

/** Matrix with matrix, matrix with scalar, matrix copy: sizes are element counts. */
export const matrix2 = form({
  fields: {
    out: register(55, 50, 'address'),
    size: register(49, 44, 'size'),
    a: register(43, 38, 'address'),
    b: register(37, 32, 'address'),
  },
  assembly: ['out', 'size', 'a', 'b'],
});
export const matrix1 = form({
  fields: { out: register(55, 50, 'address'), size: register(49, 44, 'size'), a: register(43, 38, 'address') },
  assembly: ['out', 'size', 'a'],
});
const matrixOut = { space: 'matrix', mode: 'write', base: 'out', width: ['size'], element: 'fx16' } as const satisfies Access;
const matrixA = { space: 'matrix', mode: 'read', base: 'a', width: ['size'], element: 'fx16' } as const satisfies Access;
export const matrix2Accesses = [matrixOut, matrixA, { ...matrixA, base: 'b' }] as const;
export const matrix1Accesses = [matrixOut, matrixA] as const;
export const matrixScalar = {
  register: form({ fields: { ...matrix1.fields, scalar: register(37, 32, 'scalar') }, assembly: ['out', 'size', 'a', 'scalar'] }),
  immediate: form({ fields: { ...matrix1.fields, scalar: immediate(37, 6, 'scalar') }, assembly: ['out', 'size', 'a', 'scalar'] }),
} as const;

export const outer = form({
  fields: {
    out: register(55, 50, 'address'),
    a: register(49, 44, 'address'),
    a_size: register(43, 38, 'size'),
    b: register(37, 32, 'address'),
    b_size: register(31, 26, 'size'),
  },
  assembly: ['out', 'a', 'a_size', 'b', 'b_size'],
});

/** Scalar arithmetic: destination, source, and a register or a 32-bit immediate. */
export const scalar2 = {
  register: form({
    fields: { result: register(55, 50, 'result'), a: register(49, 44, 'scalar'), b: register(43, 38, 'scalar') },
    assembly: ['result', 'a', 'b'],
  }),
  immediate: form({
    fields: { result: register(55, 50, 'result'), a: register(49, 44, 'scalar'), b: immediate(43, 12, 'scalar') },
    assembly: ['result', 'a', 'b'],
  }),
} as const;
export const scalar1 = form({
  fields: { result: register(55, 50, 'result'), a: register(49, 44, 'scalar') },
  assembly: ['result', 'a'],
});
export const scalarMove = {
  register: scalar1,
  immediate: form({ fields: { result: register(55, 50, 'result'), a: immediate(49, 18, 'scalar') }, assembly: ['result', 'a'] }),
} as const;

export const jump = {
  register: form({ fields: { target: register(55, 50, 'offset') }, assembly: ['target'] }),
  immediate: form({ fields: { target: immediate(55, 24, 'offset') }, assembly: ['target'] }),
} as const;
export const branch = {
  register: form({
    fields: { condition: register(55, 50, 'condition'), target: register(49, 44, 'offset') },
    assembly: ['target', 'condition'],
  }),
  immediate: form({
    fields: { condition: register(55, 50, 'condition'), target: immediate(49, 18, 'offset') },
    assembly: ['target', 'condition'],
  }),
} as const;
