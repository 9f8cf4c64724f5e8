/** `runtime/numerics/transcendental.ts`, operation by operation, on four numbers: every product and sum is one of binary32. */
const LOG2_E: f32 = 1.4426950408889634;
const LN2_HIGH: f32 = 0.693359375;
const LN2_LOW: f32 = -2.1219444e-4;
const SQRT_HALF: f32 = 0.7071067811865476;

const EXP_INFINITE: f32 = 89;
const EXP_ZERO: f32 = -104;

const E0: f32 = 1.98756915e-4;
const E1: f32 = 1.3981999507e-3;
const E2: f32 = 8.3334519073e-3;
const E3: f32 = 4.1665795894e-2;
const E4: f32 = 1.6666665459e-1;
const E5: f32 = 5.0000001201e-1;

const L0: f32 = 7.0376836292e-2;
const L1: f32 = -1.151461031e-1;
const L2: f32 = 1.167699874e-1;
const L3: f32 = -1.2420140846e-1;
const L4: f32 = 1.4249322787e-1;
const L5: f32 = -1.6668057665e-1;
const L6: f32 = 2.0000714765e-1;
const L7: f32 = -2.4999993993e-1;
const L8: f32 = 3.3333331174e-1;

const CANONICAL_NAN: i32 = 0x7fc00000;

/** `y · x + c`, rounded twice. */
function horner(y: v128, x: v128, c: f32): v128 {
  return f32x4.add(f32x4.mul(y, x), f32x4.splat(c));
}

/** Two to integer powers from -126 to 127. */
function powerOfTwo(exponent: v128): v128 {
  return i32x4.shl(i32x4.add(exponent, i32x4.splat(127)), 23);
}

/** The exponential of four numbers. What is out of range is computed like the rest and then replaced. */
export function exponential(x: v128): v128 {
  const whole = f32x4.floor(horner(f32x4.splat(LOG2_E), x, 0.5));
  const exponent = i32x4.trunc_sat_f32x4_s(whole);
  let r = f32x4.sub(x, f32x4.mul(whole, f32x4.splat(LN2_HIGH)));
  r = f32x4.sub(r, f32x4.mul(whole, f32x4.splat(LN2_LOW)));
  let y = horner(f32x4.splat(E0), r, E1);
  y = horner(y, r, E2);
  y = horner(y, r, E3);
  y = horner(y, r, E4);
  y = horner(y, r, E5);
  y = f32x4.add(f32x4.mul(y, f32x4.mul(r, r)), r);
  y = f32x4.add(y, f32x4.splat(1));
  const half = i32x4.shr_s(exponent, 1);
  y = f32x4.mul(f32x4.mul(y, powerOfTwo(half)), powerOfTwo(i32x4.sub(exponent, half)));
  y = v128.bitselect(f32x4.splat(<f32>Infinity), y, f32x4.ge(x, f32x4.splat(EXP_INFINITE)));
  y = v128.andnot(y, f32x4.le(x, f32x4.splat(EXP_ZERO)));
  return v128.bitselect(i32x4.splat(CANONICAL_NAN), y, f32x4.ne(x, x));
}

/** The natural logarithm of four numbers. What is out of range is computed like the rest and then replaced. */
export function logarithm(x: v128): v128 {
  const denormal = f32x4.lt(x, i32x4.splat(0x00800000));
  const bits = v128.bitselect(f32x4.mul(x, f32x4.splat(16777216)), x, denormal);
  let exponent = i32x4.sub(i32x4.shr_u(bits, 23), i32x4.splat(126));
  exponent = i32x4.sub(exponent, v128.and(denormal, i32x4.splat(24)));
  let m = v128.or(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(0x3f000000));
  const small = f32x4.lt(m, f32x4.splat(SQRT_HALF));
  exponent = i32x4.add(exponent, small); // less 1
  m = v128.bitselect(f32x4.add(m, m), m, small);
  const e = f32x4.convert_i32x4_s(exponent);
  const r = f32x4.sub(m, f32x4.splat(1));
  const z = f32x4.mul(r, r);
  let y = horner(f32x4.splat(L0), r, L1);
  y = horner(y, r, L2);
  y = horner(y, r, L3);
  y = horner(y, r, L4);
  y = horner(y, r, L5);
  y = horner(y, r, L6);
  y = horner(y, r, L7);
  y = horner(y, r, L8);
  y = f32x4.mul(f32x4.mul(y, r), z);
  y = f32x4.add(y, f32x4.mul(e, f32x4.splat(LN2_LOW)));
  y = f32x4.sub(y, f32x4.mul(f32x4.splat(0.5), z));
  y = f32x4.add(f32x4.add(r, y), f32x4.mul(e, f32x4.splat(LN2_HIGH)));
  const infinity = f32x4.splat(<f32>Infinity);
  y = v128.bitselect(infinity, y, f32x4.eq(x, infinity));
  y = v128.bitselect(y, i32x4.splat(CANONICAL_NAN), f32x4.gt(x, f32x4.splat(0)));
  return v128.bitselect(f32x4.splat(<f32>-Infinity), y, f32x4.eq(x, f32x4.splat(0)));
}
