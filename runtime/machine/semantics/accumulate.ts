/** What products do with their rows: clear the accumulators, unless they are continued, and add the product, in the type of the accumulators. */
import { ELEMENT_CODES } from '../../../isa/fields.ts';
import { roundProductSum } from '../../numerics/fixed.ts';
import type { MachineState } from '../state.ts';
import { isFloat, widen } from './float-rows.ts';
import type { ProductRow } from './products.ts';
import { elementShift, F32 } from './types.ts';

/** Kernels of a product: of binary32, onto the accumulators in the same array, and of integers, whose exact sums go to `sums`. */
export interface ProductKernels {
  readonly float: (x: Float32Array, row: ProductRow) => void;
  readonly sums: (x: Int16Array | Int8Array, row: ProductRow, sums: Float64Array) => void;
}

/** An executed product: sizes in elements, addresses and strides in bytes of the buffer. */
export interface Product {
  readonly type: number;
  readonly acc: boolean;
  readonly out: number;
  readonly outputs: number;
  readonly matrix: number;
  readonly in: number;
  /** Terms of each sum. */
  readonly inputs: number;
  readonly matrixElements: number;
  /** Elements of one row of the input. */
  readonly inElements: number;
  readonly rows: number;
  readonly outStride: number;
  readonly inStride: number;
}

/** Executes a product. Without outputs or rows it does nothing, and its other sizes have been checked against nothing. */
export function accumulate(state: MachineState, product: Product, kernels: ProductKernels): void {
  if (product.outputs === 0 || product.rows === 0) return;
  const performRow = isFloat(product.type) ? floatRows(state, product, kernels.float) : integerRows(state, product, kernels.sums);
  for (let r = 0; r < product.rows; r++) performRow(product.out + r * product.outStride, product.in + r * product.inStride);
}

/** Executes the row whose accumulators and input stand at these addresses. */
type PerformRow = (out: number, input: number) => void;

function floatRows(state: MachineState, product: Product, kernel: ProductKernels['float']): PerformRow {
  const { floats } = state.memory;
  const { type, acc, outputs, inputs, matrixElements, inElements } = product;
  const clear = (out: number): void => {
    if (!acc) floats.fill(0, out, out + outputs);
  };
  if (type === F32) {
    const matrix = product.matrix >>> 2;
    return (out, input) => {
      clear(out >>> 2);
      kernel(floats, { out: out >>> 2, outputs, matrix, in: input >>> 2, inputs });
    };
  }
  const x = state.widened(outputs + inElements + matrixElements);
  const row = { out: 0, outputs, in: outputs, matrix: outputs + inElements, inputs };
  widen(state, type, product.matrix, matrixElements, x, row.matrix);
  return (out, input) => {
    const first = out >>> 2;
    clear(first);
    x.set(floats.subarray(first, first + outputs));
    widen(state, type, input, inElements, x, row.in);
    kernel(x, row);
    floats.set(x.subarray(0, outputs), first);
  };
}

function integerRows(state: MachineState, product: Product, kernel: ProductKernels['sums']): PerformRow {
  const { memory, sums } = state;
  const { type, outputs, inputs } = product;
  const shift = elementShift(type);
  const x = shift === 0 ? memory.signedBytes : memory.halves;
  const matrix = product.matrix >>> shift;
  const store = storeSums(state, product);
  return (out, input) => {
    kernel(x, { out, outputs, matrix, in: input >>> shift, inputs }, sums);
    store(out);
  };
}

/** Adds the sums to the accumulators at an address, modulo their width; those of the published datapath are rounded elements. */
function storeSums({ memory, sums, fraction }: MachineState, { type, acc, outputs }: Product): (out: number) => void {
  const { halves, words, longs } = memory;
  switch (type) {
    case ELEMENT_CODES.i8.code:
      return (out) => {
        for (let n = 0, at = out >>> 2; n < outputs; n++, at++) words[at] = (acc ? (words[at] as number) : 0) + (sums[n] as number);
      };
    case ELEMENT_CODES.q16.code:
      return (out) => {
        for (let n = 0, at = out >>> 3; n < outputs; n++, at++) longs[at] = (acc ? (longs[at] as bigint) : 0n) + BigInt(sums[n] as number);
      };
    default:
      return (out) => {
        for (let n = 0, at = out >>> 1; n < outputs; n++, at++) halves[at] = roundProductSum(sums[n] as number, fraction);
      };
  }
}
