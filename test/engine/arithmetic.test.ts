/** Arithmetic of the fast engine against the plain one: every 16-bit operand under every binary point, and f32 operands all over the number line. */
import { describe, it } from 'vitest';
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { FastMachine } from '../../runtime/engine/fast-machine.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import { expectSameState } from '../support/engines.ts';
import { programOf } from '../support/machine.ts';
import { loadTarget } from '../support/targets.ts';

const cambricon = loadTarget('cambricon');
/** Room for two operands and the results of 2^16 elements. */
const TARGET: Target = { ...cambricon, memory: { ...cambricon.memory, vectorBytes: 2 ** 23 } };
const B = 2 ** 18;
const OUT = 2 ** 19;
const RESULT_BYTES = 2 ** 18;

/** Both engines run a program on a vector scratchpad of these words. */
function expectSame(program: Program, target: Target, words: Int32Array): void {
  const [plain, fast] = [new Machine(program, target), new FastMachine(program, target)] as const;
  for (const machine of [plain, fast]) {
    const { memory } = machine;
    memory.words.set(words, memory.offset('vector', 0) / 4);
    memory.initialised.vector.add(0, 4 * words.length);
    machine.run();
  }
  expectSameState(fast, plain);
}

const BINARY = ['VAV', 'VSV', 'VMV', 'VDV', 'VGT', 'VE', 'VAND', 'VOR', 'VGTM'];
const UNARY = ['VEXP', 'VLOG', 'VNOT'];

/** Each operation on 2^16 elements at 0, and as many at B, to a place of its own. */
function arithmetic(type: 'fx16' | 'f32'): Program {
  const suffix = type === 'f32' ? '.f32' : '';
  const operations = [
    ...BINARY.map((name) => `${name}${suffix} $4, $1, $2, $3`),
    ...UNARY.map((name) => `${name}${suffix} $4, $1, $2`),
    ...['', '.relu'].map((activation) => `VCVT.${type}.${type}${activation} $4, $1, $2`),
  ];
  const lines = operations.map((operation) => `${operation}\n SADD $4, $4, #${RESULT_BYTES}`);
  return programOf([`SMOVE $1, #65536`, `SMOVE $3, #${B}`, `SMOVE $4, #${OUT}`, ...lines].join('\n'));
}

function random(count: number, seed: number): Int32Array {
  let state = seed;
  return Int32Array.from({ length: count }, () => (state = xorshift32(state)));
}

describe('arithmetic', () => {
  it.each(Array.from({ length: 16 }, (_, fraction) => fraction))('is the same for all operands of fx16.%d', (fractionBits) => {
    const words = new Int32Array(OUT / 4);
    new Int16Array(words.buffer).set(Int16Array.from({ length: 2 ** 16 }, (_, i) => i));
    words.set(random(2 ** 15, fractionBits + 1), B / 4);
    expectSame(arithmetic('fx16'), { ...TARGET, fractionBits }, words);
  });

  it('is the same for f32 operands of every exponent', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const words = new Int32Array(OUT / 4);
      // Every 2^16-th number from somewhere on, with others.
      words.set(Int32Array.from({ length: 2 ** 16 }, (_, i) => (i << 16) + ((seed * 7919) & 0xffff)));
      words.set(random(2 ** 16, seed), B / 4);
      expectSame(arithmetic('f32'), TARGET, words);
    }
  });

  it('of exponentials and logarithms is the same where these are finite', () => {
    const program = programOf(`
      SMOVE $1, #65536
      SMOVE $4, #${OUT}
      SMOVE $5, #${B}
      VEXP.f32 $4, $1, $2
      VLOG.f32 $5, $1, $2`);
    for (let seed = 1; seed <= 8; seed++) {
      const words = new Int32Array(OUT / 4);
      const numbers = new Float32Array(words.buffer);
      random(2 ** 16, seed).forEach((bits, i) => (numbers[i] = (bits / 2 ** 31) * 105));
      expectSame(program, TARGET, words);
    }
  });
});
