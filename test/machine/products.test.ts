import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CANONICAL_NAN_BITS, floatBits, floatFromBits } from '../../runtime/numerics/float.ts';
import { roundProductSum } from '../../runtime/numerics/fixed.ts';
import type { Machine } from '../../runtime/machine/machine.ts';
import { machineOf } from '../support/machine.ts';

const FRACTION = 10;
const OUT = 0;
const IN = 0x8000;
const MATRIX = 64;

/** Bits of a float: ordinary numbers mostly, but also zeros, denormals, infinities and NaN. */
const floatPattern = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -8, max: 8, noNaN: true }).map(floatBits) },
  { weight: 1, arbitrary: fc.nat({ max: 0xffffffff }) },
);
const fixedPattern = fc.oneof(fc.integer({ min: -2048, max: 2048 }), fc.integer({ min: -32768, max: 32767 }));

interface Product {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly matrix: readonly number[];
  readonly vectors: readonly number[];
  readonly accumulators: readonly number[];
}

function products(element: fc.Arbitrary<number>): fc.Arbitrary<Product> {
  return fc
    .record({ rows: fc.integer({ min: 1, max: 3 }), inputs: fc.nat({ max: 11 }), outputs: fc.integer({ min: 1, max: 9 }) })
    .chain((sizes) => {
      const list = (length: number) => fc.array(element, { minLength: length, maxLength: length });
      const { rows, inputs, outputs } = sizes;
      return fc
        .record({ matrix: list(inputs * outputs), vectors: list(rows * inputs), accumulators: list(rows * outputs) })
        .map((data) => ({ ...sizes, ...data }));
    });
}

/** Runs a product over rows; accumulators and vectors are dense, with one element between rows. */
function execute(mnemonic: string, bytes: 2 | 4, { rows, inputs, outputs, matrix, vectors, accumulators }: Product): Machine {
  const machine = machineOf(`${mnemonic}.rep $1, $2, $3, $4, $5, $6, $7, $8`);
  const { memory, registers } = machine;
  registers.set([OUT, outputs, MATRIX, IN, inputs, rows, (outputs + 1) * bytes, (inputs + 1) * bytes], 1);
  const view = bytes === 4 ? memory.words : memory.halves;
  const [vectors0, matrix0] = [memory.offset('vector', 0), memory.offset('matrix', 0)];
  view.set(matrix, (matrix0 + MATRIX) / bytes);
  for (let r = 0; r < rows; r++) {
    view.set(vectors.slice(r * inputs, (r + 1) * inputs), (vectors0 + IN) / bytes + r * (inputs + 1));
    view.set(accumulators.slice(r * outputs, (r + 1) * outputs), (vectors0 + OUT) / bytes + r * (outputs + 1));
  }
  memory.initialised.vector.add(0, memory.layout.size.vector);
  memory.initialised.matrix.add(0, memory.layout.size.matrix);
  machine.run();
  return machine;
}

/** Bits of the outputs, row by row. */
function results({ memory }: Machine, bytes: 2 | 4, { rows, outputs }: Product): number[] {
  const view = bytes === 4 ? new Uint32Array(memory.bytes.buffer) : memory.halves;
  const first = memory.offset('vector', OUT) / bytes;
  return Array.from({ length: rows * outputs }, (_, i) => view[first + Math.floor(i / outputs) * (outputs + 1) + (i % outputs)] ?? NaN);
}

/** Index in the matrix of the weight from input k to output n. */
const weightIndex = {
  VMM: (k: number, n: number, p: Product) => k * p.outputs + n,
  MMV: (k: number, n: number, p: Product) => n * p.inputs + k,
};

/** Sums term by term in ascending k, each product and sum rounded on its own. */
function expectedFloats(mnemonic: 'VMM' | 'MMV', accumulate: boolean, p: Product): number[] {
  return p.accumulators.map((accumulator, i) => {
    const [row, n] = [Math.floor(i / p.outputs), i % p.outputs];
    let sum = accumulate ? floatFromBits(accumulator) : 0;
    for (let k = 0; k < p.inputs; k++) {
      const term = Math.fround(
        floatFromBits(p.vectors[row * p.inputs + k] ?? 0) * floatFromBits(p.matrix[weightIndex[mnemonic](k, n, p)] ?? 0),
      );
      sum = Math.fround(sum + term);
    }
    return Number.isNaN(sum) ? CANONICAL_NAN_BITS : floatBits(sum);
  });
}

function expectedFixed(mnemonic: 'VMM' | 'MMV', p: Product): number[] {
  return p.accumulators.map((_, i) => {
    const [row, n] = [Math.floor(i / p.outputs), i % p.outputs];
    let sum = 0n;
    for (let k = 0; k < p.inputs; k++)
      sum += BigInt(p.vectors[row * p.inputs + k] ?? 0) * BigInt(p.matrix[weightIndex[mnemonic](k, n, p)] ?? 0);
    return roundProductSum(Number(sum), FRACTION);
  });
}

describe.each(['VMM', 'MMV'] as const)('%s', (mnemonic) => {
  it.each([false, true])('in f32 takes its terms in order, bit for bit; continues accumulators: %s', (accumulate) => {
    fc.assert(
      fc.property(products(floatPattern), (p) => {
        const machine = execute(`${mnemonic}.f32${accumulate ? '.acc' : ''}`, 4, p);
        expect(results(machine, 4, p)).toEqual(expectedFloats(mnemonic, accumulate, p));
      }),
    );
  });

  it.each(['VMM', 'MMV', 'VCMM'])('of no rows does nothing, whatever its other sizes: %s', (mnemonic) => {
    for (const type of ['f32', 'f16', 'i8', 'q16']) {
      const machine = machineOf(`${mnemonic}.${type}.rep $1, $2, $3, $4, $5, $6, $7, $8`);
      machine.registers.fill(-1, 1, 6);
      expect(machine.run().ended).toBe(true);
    }
  });

  it('in fixed point is exact before its one rounding', () => {
    fc.assert(
      fc.property(products(fixedPattern), (p) => {
        expect(results(execute(mnemonic, 2, p), 2, p)).toEqual(expectedFixed(mnemonic, p));
      }),
    );
  });

  it('in f32 split into two instructions gives the bits of one', () => {
    fc.assert(
      fc.property(products(floatPattern), (p) => {
        const cut = p.inputs >> 1;
        const rowsOf = (from: number, to: number): Product => ({
          ...p,
          inputs: to - from,
          vectors: Array.from({ length: p.rows }, (_, r) => p.vectors.slice(r * p.inputs + from, r * p.inputs + to)).flat(),
          matrix:
            mnemonic === 'VMM'
              ? p.matrix.slice(from * p.outputs, to * p.outputs)
              : Array.from({ length: p.outputs }, (_, n) => p.matrix.slice(n * p.inputs + from, n * p.inputs + to)).flat(),
        });
        const whole = results(execute(`${mnemonic}.f32`, 4, p), 4, p);
        const first = results(execute(`${mnemonic}.f32`, 4, rowsOf(0, cut)), 4, p);
        const second = execute(`${mnemonic}.f32.acc`, 4, { ...rowsOf(cut, p.inputs), accumulators: first });
        expect(results(second, 4, p)).toEqual(whole);
      }),
    );
  });
});
