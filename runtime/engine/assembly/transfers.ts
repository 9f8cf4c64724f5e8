/** Transfers and moves: bits are kept. */
import { Access, access } from './accesses';

/** Longer rows are left to the engine's own copy, whose call costs more than a few moves. */
const SHORT_BYTES: usize = 192;

/** Bytes are an even number; the rows of a copy do not meet, or coincide. */
function copyRow(to: usize, from: usize, bytes: usize): void {
  if (bytes > SHORT_BYTES) {
    memory.copy(to, from, bytes);
    return;
  }
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(to + i, v128.load(from + i));
  for (; i + 4 <= bytes; i += 4) store<u32>(to + i, load<u32>(from + i));
  if (i < bytes) store<u16>(to + i, load<u16>(from + i));
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

/** One scalar, raw element bits, into every element. */
export function fill(scalar: u32, words: bool): void {
  const bits = words ? scalar : (scalar & 0xffff) | (scalar << 16);
  const out = access(0).pointer;
  const bytes = <usize>access(0).rowBytes;
  if (bits == 0) {
    memory.fill(out, 0, bytes);
    return;
  }
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) v128.store(out + i, i32x4.splat(bits));
  for (; i + 4 <= bytes; i += 4) store<u32>(out + i, bits);
  if (i < bytes) store<u16>(out + i, bits);
}

/** A word of DRAM to a register. */
export function loadWord(register: usize): void {
  store<u32>(register, load<u32>(access(0).pointer));
}

/** A register to a word of DRAM. */
export function storeWord(register: usize): void {
  store<u32>(access(0).pointer, load<u32>(register));
}
