/** Matrices of integers with their weights in pairs: for each two rows, and each column, the two weights as integers of 16 bits. */
import { Access } from './accesses';
import { forgetWritten, hasScratch, isWidened, placeOf } from './scratch';

/** The forms of widened matrices have codes of element types; these are others. */
const PAIRS: u32 = 16;

/** Eight integers of `bytes` bytes as 16 bits. */
function load8(from: usize, bytes: usize): v128 {
  return bytes == 1 ? v128.load8x8_s(from) : v128.load(from);
}

function load1(from: usize, bytes: usize): i32 {
  return bytes == 1 ? <i32>load<i8>(from) : <i32>load<i16>(from);
}

/** Writes the pairs of two rows, a missing second one being 0. Gives the least weights. */
function pairRows(to: usize, first: usize, second: usize, bytes: usize, outputs: usize): v128 {
  let least = i16x8.splat(0);
  let n: usize = 0;
  for (; n + 8 <= outputs; n += 8) {
    const a = load8(first + n * bytes, bytes);
    const b = second == 0 ? i16x8.splat(0) : load8(second + n * bytes, bytes);
    v128.store(to, v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(to, v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    least = i16x8.min_s(least, i16x8.min_s(a, b));
    to += 32;
  }
  for (; n < outputs; n++) {
    const a = load1(first + n * bytes, bytes);
    const b = second == 0 ? 0 : load1(second + n * bytes, bytes);
    store<i16>(to, a);
    store<i16>(to, b, 2);
    least = i16x8.min_s(least, i16x8.splat(<i16>min(a, b)));
    to += 4;
  }
  return least;
}

/** Where a K × N matrix of integers of 1 or 2 bytes stands in pairs; 0 if it does not, because it contains -2^15, or for want of scratch. */
export function pairedMatrix(one: Access, bytes: usize, inputs: usize, outputs: usize): usize {
  if (!hasScratch()) return 0;
  const place = placeOf(one, (<u32>bytes) >> 1);
  if (isWidened(one, PAIRS + <u32>bytes, <u32>inputs)) return place;
  const pitch = outputs * bytes;
  let least = i16x8.splat(0);
  let from = one.pointer;
  let to = place;
  for (let k: usize = 0; k < inputs; k += 2) {
    least = i16x8.min_s(least, pairRows(to, from, k + 1 < inputs ? from + pitch : 0, bytes, outputs));
    from += 2 * pitch;
    to += 4 * outputs;
  }
  if (!v128.any_true(i16x8.eq(least, i16x8.splat(-32768)))) return place;
  forgetWritten(one.start, one.end);
  return 0;
}
