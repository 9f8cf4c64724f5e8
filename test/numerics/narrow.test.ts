import { describe, expect, it } from 'vitest';
import { floatBits, floatFromBits } from '../../runtime/numerics/float.ts';
import type { NarrowName } from '../../runtime/numerics/narrow.ts';
import { fromNarrow, isNarrow, NARROW_FORMATS, narrowed, toNarrow, valuesOf, widened } from '../../runtime/numerics/narrow.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';

const NAMES = Object.keys(NARROW_FORMATS) as readonly NarrowName[];

/** What the standards say, apart from the conversions: widths, what stands beyond the greatest number, the NaN of ours. */
const STANDARD = {
  f16: { exponent: 5, fraction: 10, greatest: 65504, saturates: false, infinity: 0x7c00, nan: 0x7e00 },
  bf16: { exponent: 8, fraction: 7, greatest: 3.3895313892515355e38, saturates: false, infinity: 0x7f80, nan: 0x7fc0 },
  f8e4m3: { exponent: 4, fraction: 3, greatest: 448, saturates: true, infinity: undefined, nan: 0x7f },
  f8e5m2: { exponent: 5, fraction: 2, greatest: 57344, saturates: true, infinity: 0x7c, nan: 0x7f },
} as const satisfies Readonly<Record<NarrowName, unknown>>;

const signOf = (name: NarrowName): number => 2 ** (NARROW_FORMATS[name].bits - 1);

/** The number of bits without a sign, field by field. */
function magnitudeOf(name: NarrowName, code: number): number {
  const { exponent: exponentBits, fraction: fractionBits, infinity, greatest } = STANDARD[name];
  if (code === infinity) return Infinity;
  const field = code >>> fractionBits;
  const fraction = (code & ((1 << fractionBits) - 1)) / (1 << fractionBits);
  const bias = (1 << (exponentBits - 1)) - 1;
  const value = field === 0 ? fraction * Math.pow(2, 1 - bias) : (1 + fraction) * Math.pow(2, field - bias);
  return value > greatest ? NaN : value;
}

/** Nonnegative finite numbers, ascending, whose index is their code. */
const finite = (name: NarrowName): readonly number[] =>
  Array.from({ length: signOf(name) }, (_, code) => magnitudeOf(name, code)).filter(Number.isFinite);

/** The nearest code by search among all numbers. */
function nearestCode(name: NarrowName, numbers: readonly number[], x: number): number {
  const { saturates, infinity, nan } = STANDARD[name];
  if (Number.isNaN(x)) return nan;
  const sign = x < 0 || Object.is(x, -0) ? signOf(name) : 0;
  const magnitude = Math.abs(x);
  const last = numbers.length - 1;
  const greatest = numbers[last] as number;
  if (magnitude > greatest) {
    // From half a step beyond the greatest number on, which is odd, it is infinity's.
    const half = greatest + (greatest - (numbers[last - 1] as number)) / 2;
    return sign + (saturates || magnitude < half ? last : infinity);
  }
  let [low, high] = [0, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] as number) <= magnitude) low = middle;
    else high = middle;
  }
  const [below, above] = [magnitude - (numbers[low] as number), (numbers[high] as number) - magnitude];
  return sign + (below < above || (below === above && low % 2 === 0) ? low : high);
}

/** The numbers of the list that convert otherwise than by search. */
function wrong(name: NarrowName, numbers: readonly number[], xs: Iterable<number>): number[] {
  const found: number[] = [];
  for (const x of xs) if (toNarrow(name, x) !== nearestCode(name, numbers, x) && found.length < 10) found.push(x);
  return found;
}

/** A number with its neighbours in binary32, of both signs. */
function* around(x: number): Generator<number> {
  const bits = floatBits(x);
  for (const near of [x, floatFromBits(bits + 1), ...(bits > 0 ? [floatFromBits(bits - 1)] : [])]) yield* [near, -near];
}

describe.each(NAMES)('%s', (name) => {
  const numbers = finite(name);
  const sign = signOf(name);

  it('decodes every code', () => {
    for (let code = 0; code < sign; code++) {
      expect(fromNarrow(name, code)).toBe(magnitudeOf(name, code));
      expect(fromNarrow(name, sign + code)).toBe(-magnitudeOf(name, code));
    }
    expect(valuesOf(name)).toHaveLength(2 * sign);
    expect(Math.max(...numbers)).toBe(STANDARD[name].greatest);
  });

  it('gives back every finite number, its zeros with their signs', () => {
    for (const [code, x] of numbers.entries()) {
      expect(toNarrow(name, x)).toBe(code);
      expect(toNarrow(name, -x)).toBe(sign + code);
    }
  });

  it('rounds the middle between neighbours, and what is next to it, rightly', () => {
    function* middles(): Generator<number> {
      for (const [i, x] of numbers.entries()) {
        const next = numbers[i + 1] ?? 2 * x - (numbers[i - 1] ?? 0);
        yield* around(Math.min((x + next) / 2, 2 ** 128 * (1 - 2 ** -24)));
        yield* around(x);
      }
    }
    expect(wrong(name, numbers, middles())).toEqual([]);
  });

  it('rounds a million random numbers rightly', () => {
    function* random(): Generator<number> {
      let state = 12345;
      for (let i = 0; i < 500_000; i++) {
        yield floatFromBits((state = xorshift32(state)));
        // Of the size of the format's own.
        yield Math.fround((numbers[(state = xorshift32(state)) % numbers.length] as number) * (1 + (xorshift32(state) % 1024) / 4096));
      }
    }
    expect(wrong(name, numbers, random())).toEqual([]);
  });

  it('converts NaN, infinities, and what is beyond all numbers', () => {
    const { saturates, infinity, nan } = STANDARD[name];
    const most = saturates ? numbers.length - 1 : infinity;
    expect([NaN, Infinity, -Infinity, 3.4028234663852886e38, 2 ** -149, -(2 ** -149)].map((x) => toNarrow(name, x))).toEqual([
      nan,
      most,
      sign + most,
      most,
      0,
      sign,
    ]);
    expect(fromNarrow(name, nan)).toBeNaN();
  });

  it('converts arrays as it converts numbers', () => {
    const x = Float32Array.of(0, -0, 1, -1.5, 3, NaN, Infinity, 1e-9, 1000);
    const encoded = narrowed(name, x);
    expect(encoded.BYTES_PER_ELEMENT).toBe(NARROW_FORMATS[name].bits / 8);
    expect([...encoded]).toEqual([...x].map((each) => toNarrow(name, each)));
    expect([...widened(name, encoded)]).toEqual([...encoded].map((each) => fromNarrow(name, each)));
  });
});

describe('bf16', () => {
  it('is the upper half of binary32, rounded', () => {
    const lower = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff, 0x1234, 0xc000];
    let differing = 0;
    for (let upper = 0; upper < 65536; upper++)
      for (const half of lower) {
        const x = floatFromBits(upper * 65536 + half);
        const roundedUp = half > 0x8000 || (half === 0x8000 && upper % 2 === 1) ? 1 : 0;
        if (toNarrow('bf16', x) !== (Number.isNaN(x) ? 0x7fc0 : upper + roundedUp)) differing++;
      }
    expect(differing).toBe(0);
  });

  it('decodes to the same bits with zeros behind', () => {
    for (let code = 0; code < 65536; code++) expect(fromNarrow('bf16', code)).toBe(floatFromBits(code * 65536));
  });
});

describe('the OCP tables', () => {
  it.each([
    // OFP8 revision 1.0, table 2.
    ['f8e4m3', 0b0_1111_110, 448],
    ['f8e4m3', 0b0_0001_000, 2 ** -6],
    ['f8e4m3', 0b0_0000_111, 0.875 * 2 ** -6],
    ['f8e4m3', 0b0_0000_001, 2 ** -9],
    ['f8e4m3', 0b1_1111_111, NaN],
    ['f8e5m2', 0b0_11110_11, 57344],
    ['f8e5m2', 0b0_00001_00, 2 ** -14],
    ['f8e5m2', 0b0_00000_11, 0.75 * 2 ** -14],
    ['f8e5m2', 0b0_00000_01, 2 ** -16],
    ['f8e5m2', 0b1_11111_00, -Infinity],
    ['f8e5m2', 0b0_11111_01, NaN],
    ['f8e5m2', 0b1_11111_11, NaN],
  ] as const)('%s 0x%i is %d', (name, code, value) => {
    expect(fromNarrow(name, code)).toBe(value);
  });
});

it('tells narrow floats from other names', () => {
  expect(['f16', 'bf16', 'f8e4m3', 'f8e5m2', 'f32', 'toString'].map(isNarrow)).toEqual([true, true, true, true, false, false]);
});
