/** `runtime/numerics/narrow.ts` on four numbers: floats narrower than binary32, whose bits stand in lanes of 32, to binary32 and back. */
import * as type from '../types';

/** Exponent field of binary32, in place. */
function exponentField(exponent: i32): i32 {
  return (exponent + 127) << 23;
}

/**
 * The number whose bits without sign were shifted to where binary32 has them. `least` is the exponent of the least normal number: with it in the
 * exponent field, subnormal numbers are too large by just the power of two that they then stand next to.
 */
function rebias(shifted: v128, least: i32): v128 {
  const normal = i32x4.add(shifted, i32x4.splat(exponentField(least) - (1 << 23)));
  const subnormal = f32x4.sub(i32x4.add(shifted, i32x4.splat(exponentField(least))), i32x4.splat(exponentField(least)));
  return v128.bitselect(subnormal, normal, i32x4.lt_s(shifted, i32x4.splat(1 << 23)));
}

/**
 * The bits, without sign, of the nearest numbers with `fractionBits`, ties to even, of magnitudes that are no NaN; beyond the greatest number they
 * count on. Subnormal numbers are rounded by an addition to a power of two whose last bit is worth as much as theirs.
 */
function nearest4(magnitude: v128, fractionBits: i32, least: i32): v128 {
  const shift = 23 - fractionBits;
  const odd = v128.and(i32x4.shr_u(magnitude, shift), i32x4.splat(1));
  const up = i32x4.add(i32x4.add(magnitude, i32x4.splat((1 << (shift - 1)) - 1)), odd);
  const normal = i32x4.shr_u(i32x4.sub(up, i32x4.splat(exponentField(least) - (1 << 23))), shift);
  const power = i32x4.splat(exponentField(least + shift));
  const subnormal = i32x4.sub(f32x4.add(magnitude, power), power);
  return v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(exponentField(least))));
}

function magnitudeOf(x: v128): v128 {
  return v128.and(x, i32x4.splat(0x7fffffff));
}

/** Puts the sign of `x` on 16 bits and replaces NaN. */
function finish16(x: v128, bits: v128, nan: i32): v128 {
  const signed = v128.or(bits, v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)));
  return v128.bitselect(signed, i32x4.splat(nan), f32x4.eq(x, x));
}

/** Puts the sign of `x` on 8 bits, no greater than the greatest number, and replaces NaN. */
function finish8(x: v128, bits: v128, greatest: i32): v128 {
  const saturated = i32x4.min_s(bits, i32x4.splat(greatest));
  const signed = v128.or(saturated, v128.and(i32x4.shr_u(x, 24), i32x4.splat(0x80)));
  return v128.bitselect(signed, i32x4.splat(0x7f), f32x4.eq(x, x));
}

/** Whether one of sixteen halves is infinite, NaN or subnormal: in binary32 multiplications of subnormal numbers are slow. */
function haveSpecial(first: v128, second: v128): bool {
  return v128.any_true(v128.or(specialLanes(first), specialLanes(second)));
}

function specialLanes(halves: v128): v128 {
  const magnitude = v128.and(halves, i16x8.splat(0x7fff));
  const isSmall = v128.andnot(i16x8.lt_s(magnitude, i16x8.splat(0x400)), i16x8.eq(magnitude, i16x8.splat(0)));
  return v128.or(isSmall, i16x8.gt_s(magnitude, i16x8.splat(0x7bff)));
}

/** Four halves that are normal or zero, with their signs in the upper parts of the lanes: in binary32 they are too small by a power of two. */
function widenNumbers(x: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(x, 13), i32x4.splat(0x8fffe000)), i32x4.splat(exponentField(112)));
}

function storeNumbers(to: usize, halves: v128): void {
  v128.store(to, widenNumbers(i32x4.extend_low_i16x8_s(halves)));
  v128.store(to, widenNumbers(i32x4.extend_high_i16x8_s(halves)), 16);
}

@unmanaged
class F16 {
  bytes(): usize {
    return 2;
  }
  /** Sixteen elements, if none of them is special. */
  widen16(to: usize, from: usize): bool {
    const first = v128.load(from);
    const second = v128.load(from, 16);
    if (haveSpecial(first, second)) return false;
    storeNumbers(to, first);
    storeNumbers(to + 32, second);
    return true;
  }
  widen(x: v128): v128 {
    const shifted = i32x4.shl(v128.and(x, i32x4.splat(0x7fff)), 13);
    // Infinity and NaN have the greatest exponent here and there.
    const special = v128.and(i32x4.ge_s(shifted, i32x4.splat(31 << 23)), i32x4.splat(112 << 23));
    const sign = i32x4.shl(v128.and(x, i32x4.splat(0x8000)), 16);
    return v128.or(i32x4.add(rebias(shifted, -14), special), sign);
  }
  round(x: v128): v128 {
    return finish16(x, i32x4.min_s(nearest4(magnitudeOf(x), 10, -14), i32x4.splat(0x7c00)), 0x7e00);
  }
}

@unmanaged
class BF16 {
  bytes(): usize {
    return 2;
  }
  widen(x: v128): v128 {
    return i32x4.shl(x, 16);
  }
  /** The exponents are those of binary32, so that subnormal numbers, carries and infinity come out by themselves. */
  round(x: v128): v128 {
    const magnitude = magnitudeOf(x);
    const odd = v128.and(i32x4.shr_u(magnitude, 16), i32x4.splat(1));
    return finish16(x, i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0x7fff)), odd), 16), 0x7fc0);
  }
}

@unmanaged
class F8E4M3 {
  bytes(): usize {
    return 1;
  }
  /** By binary16, where all numbers are normal: subnormal ones by a table of their upper bytes, the others by the distance of the exponents. */
  widen16(to: usize, from: usize): bool {
    const x = v128.load(from);
    const magnitude = v128.and(x, i8x16.splat(0x7f));
    if (v128.any_true(i8x16.eq(magnitude, i8x16.splat(0x7f)))) return false;
    const isSubnormal = i8x16.lt_s(magnitude, i8x16.splat(8));
    const table = i8x16(0, 0x18, 0x1c, 0x1e, 0x20, 0x21, 0x22, 0x23, 0, 0, 0, 0, 0, 0, 0, 0);
    const normal = i8x16.add(i8x16.shr_u(magnitude, 1), i8x16.splat(0x20));
    const upper = v128.bitselect(i8x16.swizzle(table, magnitude), normal, isSubnormal);
    const signed = v128.or(upper, v128.and(x, i8x16.splat(-128)));
    const lower = v128.andnot(i8x16.shl(magnitude, 7), isSubnormal);
    storeNumbers(to, v128.shuffle<i8>(lower, signed, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    storeNumbers(to + 32, v128.shuffle<i8>(lower, signed, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
    return true;
  }
  widen(x: v128): v128 {
    const magnitude = v128.and(x, i32x4.splat(0x7f));
    const number = v128.or(rebias(i32x4.shl(magnitude, 20), -6), i32x4.shl(v128.and(x, i32x4.splat(0x80)), 24));
    return v128.or(number, v128.and(i32x4.eq(magnitude, i32x4.splat(0x7f)), i32x4.splat(0x7fc00000)));
  }
  round(x: v128): v128 {
    return finish8(x, nearest4(magnitudeOf(x), 3, -6), 0x7e);
  }
}

@unmanaged
class F8E5M2 {
  bytes(): usize {
    return 1;
  }
  /** Half of the bits of binary16. */
  widen16(to: usize, from: usize): bool {
    const first = i16x8.shl(v128.load8x8_u(from), 8);
    const second = i16x8.shl(v128.load8x8_u(from, 8), 8);
    if (haveSpecial(first, second)) return false;
    storeNumbers(to, first);
    storeNumbers(to + 32, second);
    return true;
  }
  widen(x: v128): v128 {
    return changetype<F16>(0).widen(i32x4.shl(x, 8));
  }
  round(x: v128): v128 {
    return finish8(x, nearest4(magnitudeOf(x), 2, -14), 0x7b);
  }
}

/** 8-bit integers, which widen to 16 bits. */
function widenIntegers(to: usize, from: usize, count: usize): void {
  for (; count >= 8; count -= 8) {
    v128.store(to, v128.load8x8_s(from));
    to += 16;
    from += 8;
  }
  for (; count > 0; count--) {
    store<i16>(to, load<i8>(from));
    to += 2;
    from++;
  }
}

function widenFloats<T>(to: usize, from: usize, count: usize): void {
  const format = changetype<T>(0);
  const bytes = format.bytes();
  for (; count >= 16; count -= 16) {
    if (!format.widen16(to, from)) widenFew<T>(to, from, 16);
    to += 64;
    from += 16 * bytes;
  }
  widenFew<T>(to, from, count);
}

/** All numbers, infinity and NaN. */
function widenFew<T>(to: usize, from: usize, count: usize): void {
  const format = changetype<T>(0);
  const bytes = format.bytes();
  for (; count >= 4; count -= 4) {
    const bits = bytes == 2 ? v128.load16x4_u(from) : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
    v128.store(to, format.widen(bits));
    to += 16;
    from += 4 * bytes;
  }
  for (; count > 0; count--) {
    const bits: u32 = bytes == 2 ? load<u16>(from) : load<u8>(from);
    v128.store_lane<u32>(to, format.widen(i32x4.splat(bits)), 0);
    to += 4;
    from += bytes;
  }
}

function roundFloats<T>(to: usize, from: usize, count: usize): void {
  const format = changetype<T>(0);
  const bytes = format.bytes();
  for (; count >= 4; count -= 4) {
    const bits = format.round(v128.load(from));
    const halves = i16x8.narrow_i32x4_u(bits, bits);
    if (bytes == 2) v128.store_lane<u64>(to, halves, 0);
    else v128.store_lane<u32>(to, i8x16.narrow_i16x8_u(halves, halves), 0);
    to += 4 * bytes;
    from += 16;
  }
  for (; count > 0; count--) {
    const bits = i32x4.extract_lane(format.round(v128.load32_zero(from)), 0);
    if (bytes == 2) store<u16>(to, bits);
    else store<u8>(to, bits);
    to += bytes;
    from += 4;
  }
}

/** Whether elements of this type are computed with in binary32. */
export function isNarrowFloat(code: u32): bool {
  return code == type.F16 || code == type.BF16 || code == type.F8E4M3 || code == type.F8E5M2;
}

/** Bits of the significand of a narrow float. */
export function significandBits(code: u32): u32 {
  switch (code) {
    case type.F16:
      return 11;
    case type.BF16:
      return 8;
    case type.F8E4M3:
      return 4;
    default:
      return 3;
  }
}

/** Elements of a narrow float as binary32, and of i8 as integers of 16 bits; nothing is written behind them. */
export function widen(code: u32, to: usize, from: usize, count: usize): void {
  switch (code) {
    case type.F16:
      widenFloats<F16>(to, from, count);
      break;
    case type.BF16:
      widenFew<BF16>(to, from, count);
      break;
    case type.F8E4M3:
      widenFloats<F8E4M3>(to, from, count);
      break;
    case type.F8E5M2:
      widenFloats<F8E5M2>(to, from, count);
      break;
    default:
      widenIntegers(to, from, count);
  }
}

/** Binary32 numbers as elements of a narrow float, each rounded once. */
export function round(code: u32, to: usize, from: usize, count: usize): void {
  switch (code) {
    case type.F16:
      roundFloats<F16>(to, from, count);
      break;
    case type.BF16:
      roundFloats<BF16>(to, from, count);
      break;
    case type.F8E4M3:
      roundFloats<F8E4M3>(to, from, count);
      break;
    default:
      roundFloats<F8E5M2>(to, from, count);
  }
}
