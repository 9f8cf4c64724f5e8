/** Vectors to a register, and random vectors. */
import { RANDOM } from '../layout';
import { access } from './accesses';
import { fraction, roundProductSum } from './fixed';
import { region } from './region';

/** The bits of a number, the canonical ones for NaN. */
export function floatBits(x: f32): i32 {
  return x != x ? 0x7fc00000 : reinterpret<i32>(x);
}

/** A sum, and the products of two vectors. */
export function dotF32(sum: f32 = 0): f32 {
  const a = access(0).pointer;
  const b = access(1).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let i: usize = 0; i < bytes; i += 4) sum += load<f32>(a + i) * load<f32>(b + i);
  return sum;
}

export function dotFixed(): i32 {
  const a = access(0).pointer;
  const b = access(1).pointer;
  const bytes = <usize>access(0).rowBytes;
  let sum: i64 = 0;
  for (let i: usize = 0; i < bytes; i += 2) sum += <i64>(<i32>load<i16>(a + i) * <i32>load<i16>(b + i));
  return roundProductSum(sum);
}

/** The greatest or least of a number and the elements behind it. A NaN is neither, but in front. */
export function extremeF32(isGreatest: bool, best: f32): f32 {
  const a = access(0).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let i: usize = 0; i < bytes; i += 4) {
    const x = load<f32>(a + i);
    if (isGreatest ? x > best : x < best) best = x;
  }
  return best;
}

export function extremeFixed(isGreatest: bool): i32 {
  const a = access(0).pointer;
  const bytes = <usize>access(0).rowBytes;
  let best = <i32>load<i16>(a);
  for (let i: usize = 2; i < bytes; i += 2) {
    const x = <i32>load<i16>(a + i);
    best = isGreatest ? max(best, x) : min(best, x);
  }
  return best;
}

/** xorshift32, one step, as in `runtime/numerics/random.ts`. */
function nextRandom(state: u32): u32 {
  state ^= state << 13;
  state ^= state >>> 17;
  return state ^ (state << 5);
}

/** Binary32 numbers of so many bits. */
export function randomF32(bits: u32): void {
  let state = load<u32>(region, RANDOM);
  const unit = reinterpret<f32>((127 - bits) << 23);
  const out = access(0).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let i: usize = 0; i < bytes; i += 4) {
    state = nextRandom(state);
    store<f32>(out + i, <f32>(state >>> (32 - bits)) * unit);
  }
  store<u32>(region, state, RANDOM);
}

export function randomFixed(): void {
  let state = load<u32>(region, RANDOM);
  const out = access(0).pointer;
  const bytes = <usize>access(0).rowBytes;
  for (let i: usize = 0; i < bytes; i += 2) {
    state = nextRandom(state);
    store<u16>(out + i, fraction == 0 ? 0 : state >>> (32 - fraction));
  }
  store<u32>(region, state, RANDOM);
}
