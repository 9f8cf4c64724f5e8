/** `runtime/numerics/transcendental.ts`, operation by operation: every product and sum is one of binary32. */
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

/** The NaN whose bits are stored. */
function notANumber(): f32 {
  return reinterpret<f32>(0x7fc00000);
}

/** Two to an integer power from -126 to 127. */
function powerOfTwo(exponent: i32): f32 {
  return reinterpret<f32>((exponent + 127) << 23);
}

export function expF32(x: f32): f32 {
  if (x != x) return notANumber();
  if (x >= EXP_INFINITE) return <f32>Infinity;
  if (x <= EXP_ZERO) return 0;
  const whole = floor<f32>(LOG2_E * x + <f32>0.5);
  const exponent = <i32>whole;
  let r = x - whole * LN2_HIGH;
  r = r - whole * LN2_LOW;
  let y = E0 * r + E1;
  y = y * r + E2;
  y = y * r + E3;
  y = y * r + E4;
  y = y * r + E5;
  y = y * (r * r) + r;
  y = y + <f32>1;
  const half = exponent >> 1;
  return y * powerOfTwo(half) * powerOfTwo(exponent - half);
}

export function logF32(x: f32): f32 {
  if (x == 0) return <f32>-Infinity;
  if (!(x > 0)) return notANumber();
  if (x == <f32>Infinity) return x;
  const denormal = x < reinterpret<f32>(0x00800000);
  const bits = reinterpret<u32>(denormal ? x * <f32>16777216 : x);
  let exponent = <i32>(bits >>> 23) - (denormal ? 150 : 126);
  let m = reinterpret<f32>((bits & 0x7fffff) | 0x3f000000);
  if (m < SQRT_HALF) {
    exponent -= 1;
    m = m + m;
  }
  const e = <f32>exponent;
  const r = m - <f32>1;
  const z = r * r;
  let y = L0 * r + L1;
  y = y * r + L2;
  y = y * r + L3;
  y = y * r + L4;
  y = y * r + L5;
  y = y * r + L6;
  y = y * r + L7;
  y = y * r + L8;
  y = y * r * z;
  y = y + e * LN2_LOW;
  y = y - <f32>0.5 * z;
  return r + y + e * LN2_HIGH;
}
