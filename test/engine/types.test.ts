/**
 * Arithmetic of the narrow types, the fast engine's against the plain one's: every operand where these are 16 bits wide, every pair where they are 8,
 * and ends of accumulators under every shift. The fast engine does all of it itself.
 */
import { describe, expect, it } from 'vitest';
import type { NarrowFloat } from '../../isa/fields.ts';
import { ELEMENT_CODES, NARROW_FLOATS } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { valuesOf } from '../../runtime/numerics/narrow.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import { CountingMachine, expectSameState } from '../support/engines.ts';
import { poke, programOf } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';

const cambricon = loadTarget('cambricon');
/** Room for three operands of 2^16 elements and several results. */
const TARGET: Target = { ...cambricon, memory: { ...cambricon.memory, vectorBytes: 2 ** 23 } };
const COUNT = 2 ** 16;
const A = 0;
const B = 2 ** 19;
const C = 2 ** 20;
const OUT = 2 ** 21;
const RESULT_BYTES = 2 ** 18;

type Bytes = Uint8Array | Uint16Array | Int32Array | Float32Array | BigInt64Array;

/** Both engines run instructions whose operands are $1 = 2^16 elements, $2 = A, $3 = B, $5 = C and $4, a place of its own for each result. */
function expectSame(
  instructions: readonly string[],
  at: Readonly<Record<number, Bytes>>,
  registers: Readonly<Record<number, number>> = {},
): void {
  const program = programOf(instructions.map((one) => `${one}\n SADD $4, $4, #${RESULT_BYTES}`).join('\n'));
  const [plain, fast] = [new Machine(program, TARGET), new CountingMachine(program, TARGET)] as const;
  for (const machine of [plain, fast]) {
    for (const [offset, data] of Object.entries(at))
      poke(machine, 'vector', Number(offset), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    machine.memory.initialised.vector.add(0, machine.memory.layout.size.vector);
    for (const [register, value] of Object.entries({ 1: COUNT, 2: A, 3: B, 4: OUT, 5: C, ...registers }))
      machine.registers[Number(register)] = value;
    machine.run();
  }
  expect(fast.entries).toBe(1);
  expectSameState(fast, plain);
}

function random(count: number, seed: number): Int32Array {
  let state = seed;
  return Int32Array.from({ length: count }, () => (state = xorshift32(state)));
}

/** All elements of 16 bits, or all pairs of 8 bits. */
function everyOperand(bytes: number, seed: number): Readonly<Record<number, Bytes>> {
  if (bytes === 2) return { [A]: Uint16Array.from({ length: COUNT }, (_, i) => i), [B]: random(COUNT / 2, seed) };
  return { [A]: Uint8Array.from({ length: COUNT }, (_, i) => i), [B]: Uint8Array.from({ length: COUNT }, (_, i) => i >> 8) };
}

const bitsOf = (x: number): number => new DataView(Float32Array.of(x).buffer).getInt32(0, true);

const BINARY = ['VAV', 'VSV', 'VMV', 'VMAC', 'VDV', 'VGT', 'VE', 'VAND', 'VOR', 'VGTM'];
const ACTIVATIONS = ['', '.relu', '.clip'];

/** Where rounding decides: midpoints of neighbours in a format, those next to them in binary32, and the neighbours. */
function decisive(type: NarrowFloat): Float32Array {
  const numbers = [...valuesOf(type)].filter((x) => x >= 0 && x < Infinity).sort((a, b) => a - b);
  const greatest = numbers.at(-1) ?? 0;
  const beyond = [greatest * (1 + 2 ** -9), greatest * (1 + 2 ** -4), greatest * 1.125, greatest * 1.25, 2 * greatest, Infinity, NaN];
  const middles = numbers.slice(1).map((x, i) => Math.fround((x + (numbers[i] ?? 0)) / 2));
  const near = [...middles, ...beyond].flatMap((x) => [bitsOf(x) - 1, bitsOf(x), bitsOf(x) + 1]);
  const bits = Int32Array.from([...near, ...numbers.map(bitsOf)].flatMap((x) => [x, x | 0x80000000]));
  return new Float32Array(bits.buffer);
}

describe.each(NARROW_FLOATS)('arithmetic of %s', (type) => {
  const { bytes } = ELEMENT_CODES[type];
  const clip = { 10: bitsOf(-1.3), 11: bitsOf(Math.PI) };
  const bounds = (activation: string): string => (activation === '.clip' ? ', $10, $11' : '');

  it('is the same for all operands', () => {
    const unary = [...['VEXP', 'VLOG', 'VNOT'].map((name) => `${name}.${type} $4, $1, $2`), `VAS.${type} $4, $1, $2, $12`];
    for (const seed of [1, 2])
      expectSame(
        [...BINARY.map((name) => `${name}.${type} $4, $1, $2, $3`), ...unary, `VAS.${type} $4, $1, $2, #${0x7000 + seed}`],
        { ...everyOperand(bytes, seed), [OUT + 3 * RESULT_BYTES]: random(COUNT / 2, seed + 10) },
        { 12: 0x12345600 + 0x3c * seed },
      );
  });

  it('converts all of them to f32, and to itself with every activation', () => {
    expectSame(
      ACTIVATIONS.flatMap((activation) => ['f32', type].map((to) => `VCVT.${type}.${to}${activation} $4, $1, $2${bounds(activation)}`)),
      everyOperand(bytes, 3),
      clip,
    );
  });

  it('rounds f32 of every exponent, and where it matters', () => {
    const numbers = decisive(type);
    const spread = Int32Array.from({ length: COUNT }, (_, i) => (i << 16) + 0x5a5a);
    const pieces = [new Float32Array(spread.buffer), new Float32Array(random(COUNT, 7).buffer)];
    for (let i = 0; i < numbers.length; i += COUNT) pieces.push(numbers.slice(i, i + COUNT));
    for (const piece of pieces)
      expectSame(
        ACTIVATIONS.map((activation) => `VCVT.f32.${type}${activation} $4, $1, $2${bounds(activation)}`),
        { [A]: piece },
        { ...clip, 1: piece.length },
      );
  });

  it('ends accumulators with bias and activation', () => {
    const sums = Float32Array.from(random(COUNT, 11), (x) => x / 2 ** 28);
    sums.set([NaN, Infinity, -Infinity, -0, 0, 1e-40, 3e38, -1e-7]);
    expectSame(
      ['', '.f32'].flatMap((to) =>
        ACTIVATIONS.map(
          (activation) => `VFIN.${type}${to === '' ? '.element' : to}${activation || '.none'}.rep $4, $1, $2, $3, $12${bounds(activation)}`,
        ),
      ),
      { [A]: sums, [B]: sums.slice(0, 1500).reverse() },
      { ...clip, 1: 1499, 12: 7 },
    );
  });

  it('reduces vectors of several pieces', () => {
    for (const size of [0, 1, 7, 1024, 1025, 5000])
      expectSame(
        [`VDP.${type} $20, $1, $2, $3`, ...(size > 0 ? [`VMAX.${type} $21, $1, $2`, `VMIN.${type} $22, $1, $3`] : []), `RV.${type} $4, $1`],
        { [A]: Uint16Array.from(random(5000, size + 1), (x) => 0x3c00 + (x & 0x83ff)), [B]: everyOperand(bytes, 5)[A] ?? random(1, 1) },
        { 1: size },
      );
  });
});

describe('arithmetic of integers', () => {
  it('of 16 bits is the same for all operands', () => {
    for (const seed of [1, 2, 3])
      expectSame(
        ['VAV', 'VSV', 'VGTM'].map((name) => `${name}.q16 $4, $1, $2, $3`),
        everyOperand(2, seed),
      );
  });

  it('of 8 bits is the same for all pairs', () => {
    const scaled = [
      [0x40004000, 0x4000, 15, 0x7f0080ff],
      [0x7fff8000, -123456, 16, 0x007fff80],
      [0x12345678, 2 ** 31 - 1, 33, 0x00640000],
      [0x00010001, 0, 0, 0x0005000a],
    ] as const;
    expectSame(['VGTM.i8 $4, $1, $2, $3'], everyOperand(1, 1));
    for (const [factors, addend, shift, bounds] of scaled)
      expectSame(['VQAV $4, $1, $2, $3, $10, $11, $12, $13'], everyOperand(1, 1), { 10: factors, 11: addend, 12: shift, 13: bounds });
  });

  it('saturates bounds of 8 bits that no element has', () => {
    for (const bounds of [0x7fff8000, 0x80007fff, 0x00c8ff38])
      expectSame(['VQAV $4, $1, $2, $3, $10, $11, $12, $13', 'VQZ.i8 $4, $1, $5, $14, $15, $13'], everyOperand(1, 1), {
        ...{ 1: 4096, 10: 0x00030004, 11: 0, 12: 0, 13: bounds, 14: bitsOf(1e-3), 15: 3 },
      });
  });

  it.each(['i8', 'q16'])('converts from and to f32: %s', (type) => {
    const { bytes } = ELEMENT_CODES[type as 'i8' | 'q16'];
    for (const [scale, zero] of [
      [0.05, 3],
      [1, -128],
      [1e-30, 32767],
      [NaN, 0],
      [Infinity, 5],
    ] as const)
      expectSame([`VDQ.${type} $4, $1, $2, $10, $11`], everyOperand(bytes, 1), { 10: bitsOf(scale), 11: 0x10000 + zero });
    const halves = Float32Array.from({ length: COUNT }, (_, i) => (i - COUNT / 2) / 2);
    const wild = new Float32Array(random(COUNT, 3).buffer);
    for (const numbers of [halves, wild])
      for (const [scale, zero] of [
        [1, 0],
        [0.37, 11],
        [-1, -32768],
        [3e38, 32767],
        [NaN, 4],
      ] as const)
        expectSame([`VQZ.${type} $4, $1, $2, $10, $11, $12`], { [A]: numbers }, { 10: bitsOf(scale), 11: zero, 12: 0x7f00ff80 });
  });
});

describe('ends of integer accumulators', () => {
  const EXTREMES = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 30, -(2 ** 30)];
  const SIZE = 1021;
  const ROWS = 3;

  it('of 32 bits are the same under every shift', () => {
    const sums = random(SIZE * ROWS, 21).map((x, i) => EXTREMES[i] ?? x >> (i % 31));
    const params = random(2 * SIZE, 22).map((x, i) => (i < SIZE ? (EXTREMES[i % 9] ?? x >> (i % 31)) : (EXTREMES[i % 11] ?? x)));
    for (let shift = 8; shift <= 62; shift++)
      expectSame(
        ['VRQ.i8.element.rep $4, $1, $2, $3, $10, $11, $12', 'VRQ.i8.f32.rep $4, $1, $2, $3, $10, $11'],
        { [A]: sums, [B]: params },
        {
          ...{ 1: SIZE, 10: ROWS, 11: shift + ((37 * shift) & 0xff) * 256, 12: shift % 3 === 0 ? 0x007fff80 : 0x00320000 },
        },
      );
  });

  it('of 64 bits are the same under every shift', () => {
    const long = (count: number, seed: number): BigInt64Array =>
      BigInt64Array.from(
        random(count, seed),
        (x, i) => (BigInt(x) * 2n ** 32n + BigInt(EXTREMES[i] ?? x * 7)) >> BigInt([16, 33, 40, 48, 52, 0][i % 6] ?? 0),
      );
    const bias = long(SIZE, 32);
    for (let shift = 0; shift <= 31; shift++) {
      const sums = long(SIZE * ROWS, 31 + shift);
      // Ties, next to a bias of 0.
      for (let i = 0; i < 40; i++) [sums[i], bias[i]] = [(BigInt(i - 20) << BigInt(shift)) + (1n << BigInt(Math.max(0, shift - 1))), 0n];
      expectSame(
        ['VRQ.q16.element.rep $4, $1, $2, $3, $10, $11, $12', 'VRQ.q16.f32.rep $4, $1, $2, $3, $10, $11'],
        { [A]: sums, [B]: bias },
        {
          ...{ 1: SIZE, 10: ROWS, 11: shift, 12: shift % 3 === 0 ? 0x7fff8000 : 0x1000e000 },
        },
      );
    }
  });
});

describe('transfers', () => {
  it('fill and move elements of every width', () => {
    for (const size of [1, 2, 3, 7, 15, 16, 17, 31, 300])
      for (const type of ['', '.f32', '.i8', '.i64'])
        expectSame(
          [
            ...['$10', '#0x7654321', '$11'].map((scalar) => `VFILL${type} $4, $1, ${scalar}`),
            `VMOVE${type} $4, $1, $2`,
            `VMOVE${type}.rep $4, $1, $2, $12, $13, $14`,
          ],
          { [A]: random(4096, size) },
          { 1: size, 10: -123456789, 11: 0, 12: 3, 13: 8 * size + 8, 14: 8 * size },
        );
  });
});
