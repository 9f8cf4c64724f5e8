import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mnemonic } from '../../isa/table.ts';
import { addFixed, divideFixed, expFixed, logFixed, multiplyFixed, subtractFixed } from '../../runtime/numerics/fixed.ts';
import { CANONICAL_NAN_BITS, floatBits, floatFromBits } from '../../runtime/numerics/float.ts';
import { expF32, logF32 } from '../../runtime/numerics/transcendental.ts';
import { machineOf } from '../support/machine.ts';

const SIZE = 16;
const FRACTION = 10;
const ONE = 1 << FRACTION;

/** What one element of the result is, from the prose of the table. */
const FLOAT: Partial<Record<Mnemonic, (a: number, b: number) => number>> = {
  VAV: (a, b) => a + b,
  VSV: (a, b) => a - b,
  VMV: (a, b) => a * b,
  VDV: (a, b) => a / b,
  VGT: (a, b) => Number(a > b),
  VE: (a, b) => Number(a === b),
  VAND: (a, b) => Number(a !== 0 && b !== 0),
  VOR: (a, b) => Number(a !== 0 || b !== 0),
  VGTM: (a, b) => (a > b ? a : b),
  VNOT: (a) => Number(a === 0),
  VEXP: (a) => expF32(a),
  VLOG: (a) => logF32(a),
};

const FIXED: typeof FLOAT = {
  VAV: addFixed,
  VSV: subtractFixed,
  VMV: (a, b) => multiplyFixed(a, b, FRACTION),
  VDV: (a, b) => divideFixed(a, b, FRACTION),
  VGT: (a, b) => (a > b ? ONE : 0),
  VE: (a, b) => (a === b ? ONE : 0),
  VAND: (a, b) => (a !== 0 && b !== 0 ? ONE : 0),
  VOR: (a, b) => (a !== 0 || b !== 0 ? ONE : 0),
  VGTM: (a, b) => (a > b ? a : b),
  VNOT: (a) => (a === 0 ? ONE : 0),
  VEXP: (a) => expFixed(a, FRACTION),
  VLOG: (a) => logFixed(a, FRACTION),
};

const UNARY: readonly string[] = ['VNOT', 'VEXP', 'VLOG'];

/** Bits that make special cases likely. */
const special = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff, 1, 0x80000001, 0x7f7fffff,
  0x00800000,
];
const floatElement = fc.oneof(fc.constantFrom(...special), fc.nat({ max: 0xffffffff }));
const fixedElement = fc.oneof(fc.constantFrom(0, 1, -1, ONE, -ONE, 32767, -32768), fc.integer({ min: -32768, max: 32767 }));
const vector = (element: fc.Arbitrary<number>) => fc.array(element, { minLength: SIZE, maxLength: SIZE });

/** Where the operands start, in elements of the vector scratchpad: apart, or the result in place of one or both operands. */
const PLACES = [
  [0, SIZE, 2 * SIZE],
  [SIZE, SIZE, 2 * SIZE],
  [2 * SIZE, SIZE, 2 * SIZE],
  [SIZE, SIZE, SIZE],
] as const;

function run(
  mnemonic: string,
  bytes: 2 | 4,
  a: readonly number[],
  b: readonly number[],
  place: readonly [number, number, number],
): number[] {
  const machine = machineOf(`${mnemonic} $1, $2, $3${UNARY.includes(mnemonic.split('.')[0] ?? '') ? '' : ', $4'}`);
  const { memory, registers } = machine;
  const view = bytes === 4 ? memory.words : memory.halves;
  const first = memory.offset('vector', 0) / bytes;
  const [out, left, right] = place;
  registers.set([out * bytes, SIZE, left * bytes, right * bytes], 1);
  view.set(b, first + right);
  view.set(a, first + left);
  memory.initialised.vector.add(0, memory.layout.size.vector);
  machine.run();
  return [...view.subarray(first + out, first + out + SIZE)].map((bits) => (bytes === 4 ? bits >>> 0 : bits));
}

describe.each(Object.entries(FLOAT))('%s', (mnemonic, meaning) => {
  it('in f32 gives the bits of its meaning for any bits, in place too', () => {
    fc.assert(
      fc.property(vector(floatElement), vector(floatElement), fc.constantFrom(...PLACES), (a, b, place) => {
        const right = place[2] === place[1] ? a : b;
        const expected = a.map((bits, i) => {
          const result = Math.fround(meaning(floatFromBits(bits), floatFromBits(right[i] ?? 0)));
          return Number.isNaN(result) ? CANONICAL_NAN_BITS : floatBits(result);
        });
        expect(run(`${mnemonic}.f32`, 4, a, b, place)).toEqual(expected);
      }),
    );
  });

  it('in fixed point gives its meaning for any integers, in place too', () => {
    const fixed = FIXED[mnemonic as Mnemonic];
    if (fixed === undefined) throw new Error(`no fixed-point meaning of ${mnemonic}`);
    fc.assert(
      fc.property(vector(fixedElement), vector(fixedElement), fc.constantFrom(...PLACES), (a, b, place) => {
        const right = place[2] === place[1] ? a : b;
        expect(run(mnemonic, 2, a, b, place)).toEqual(a.map((x, i) => fixed(x, right[i] ?? 0) + 0));
      }),
    );
  });
});
