/** Transfers and moves: bits are kept. */
import { Access, access } from './accesses';

/** Longer rows are left to the engine's own copy, whose call costs more than a few moves. */
const SHORT_BYTES: usize = 192;

/** The rows of a copy do not meet, or coincide. */
function copyRow(to: usize, from: usize, bytes: usize): void {
  if (bytes > SHORT_BYTES) {
    memory.copy(to, from, bytes);
    return;
  }
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i + 4 <= bytes; i += 4) store<u32>(to + i, load<u32>(from + i));
  for (; i < bytes; i++) store<u8>(to + i, load<u8>(from + i));
}

/** Copies an access to another with the same rows and planes. */
function copy(to: Access, from: Access): void {
  let bytes = <usize>to.rowBytes;
  let rows = <usize>to.rows;
  const toStride = <usize>to.stride;
  const fromStride = <usize>from.stride;
  if (toStride == bytes && fromStride == bytes) {
    bytes *= rows;
    rows = 1;
  }
  let toPlane = to.pointer;
  let fromPlane = from.pointer;
  for (let p = <usize>to.planes; p > 0; p--) {
    let t = toPlane;
    let f = fromPlane;
    for (let r = rows; r > 0; r--) {
      copyRow(t, f, bytes);
      t += toStride;
      f += fromStride;
    }
    toPlane += <usize>to.planeStride;
    fromPlane += <usize>from.planeStride;
  }
}

/** The first access is written: loads and moves. */
export function copyIn(): void {
  copy(access(0), access(1));
}

/** The second access is written: stores. */
export function copyOut(): void {
  copy(access(1), access(0));
}

/** The bits of a scalar in all elements of 1, 2, 4 or 8 bytes; the widest extend its sign. */
function spread(scalar: i32, elementBytes: u32): v128 {
  switch (elementBytes) {
    case 1:
      return i8x16.splat(<i8>scalar);
    case 2:
      return i16x8.splat(<i16>scalar);
    case 4:
      return i32x4.splat(scalar);
    default:
      return i64x2.splat(<i64>scalar);
  }
}

/** One scalar, raw element bits, into every element. */
export function fill(scalar: i32, elementBytes: u32): void {
  const bits = spread(scalar, elementBytes);
  const out = access(0).pointer;
  const bytes = <usize>access(0).rowBytes;
  if (scalar == 0) {
    memory.fill(out, 0, bytes);
    return;
  }
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(out + i, bits);
  if ((bytes & 8) != 0) {
    v128.store_lane<u64>(out + i, bits, 0);
    i += 8;
  }
  if ((bytes & 4) != 0) {
    v128.store_lane<u32>(out + i, bits, 0);
    i += 4;
  }
  if ((bytes & 2) != 0) {
    v128.store_lane<u16>(out + i, bits, 0);
    i += 2;
  }
  if ((bytes & 1) != 0) v128.store_lane<u8>(out + i, bits, 0);
}

/** A word of DRAM to a register. */
export function loadWord(register: usize): void {
  store<u32>(register, load<u32>(access(0).pointer));
}

/** A register to a word of DRAM. */
export function storeWord(register: usize): void {
  store<u32>(access(0).pointer, load<u32>(register));
}
