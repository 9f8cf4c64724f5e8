/** Sets of initialised bytes: the sorted, disjoint, non-adjacent intervals of `runtime/machine/intervals.ts`, one set a space. */
import { INTERVALS, MAX_INTERVALS, SPACE_BYTES, SPACE_HINT, SPACE_INTERVALS, SPACES } from '../layout';
import { region } from './region';

/** What is known of a space. */
export function spaceOf(space: u32): usize {
  return region + SPACES + space * SPACE_BYTES;
}

function startsOf(space: u32): usize {
  return region + INTERVALS + space * (8 * MAX_INTERVALS);
}

/** Index of the first interval whose end is at least `position`, or the number of intervals. */
function firstEndingAtOrAfter(space: u32, position: u32): u32 {
  const set = spaceOf(space);
  const ends = startsOf(space) + 4 * MAX_INTERVALS;
  const count = load<u32>(set, SPACE_INTERVALS);
  const hint = load<u32>(set, SPACE_HINT);
  if (hint < count && load<u32>(ends + (hint << 2)) >= position && (hint == 0 || load<u32>(ends + ((hint - 1) << 2)) < position))
    return hint;
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (load<u32>(ends + (middle << 2)) < position) low = middle + 1;
    else high = middle;
  }
  store<u32>(set, low, SPACE_HINT);
  return low;
}

/** Whether every byte from `start` up to `end`, which is greater, is in the set. */
export function contains(space: u32, start: u32, end: u32): bool {
  const i = firstEndingAtOrAfter(space, start + 1);
  const starts = startsOf(space);
  return (
    i < load<u32>(spaceOf(space), SPACE_INTERVALS) &&
    load<u32>(starts + (i << 2)) <= start &&
    load<u32>(starts + (i << 2), 4 * MAX_INTERVALS) >= end
  );
}

/** Adds the bytes from `start` up to `end`, which is greater. False, and nothing is added, where another interval has no room. */
export function add(space: u32, start: u32, end: u32): bool {
  const set = spaceOf(space);
  const starts = startsOf(space);
  const ends = starts + 4 * MAX_INTERVALS;
  const count = load<u32>(set, SPACE_INTERVALS);
  const first = firstEndingAtOrAfter(space, start);
  const at: usize = first << 2;
  if (first == count || load<u32>(starts + at) > end) {
    if (count == MAX_INTERVALS) return false;
    const moved: usize = (count - first) << 2;
    memory.copy(starts + at + 4, starts + at, moved);
    memory.copy(ends + at + 4, ends + at, moved);
    store<u32>(starts + at, start);
    store<u32>(ends + at, end);
    store<u32>(set, count + 1, SPACE_INTERVALS);
    return true;
  }
  let last = first;
  while (last + 1 < count && load<u32>(starts + ((last + 1) << 2)) <= end) last++;
  if (start < load<u32>(starts + at)) store<u32>(starts + at, start);
  store<u32>(ends + at, max(end, load<u32>(ends + (last << 2))));
  if (last > first) {
    const from: usize = (last + 1) << 2;
    const moved: usize = (count - last - 1) << 2;
    memory.copy(starts + at + 4, starts + from, moved);
    memory.copy(ends + at + 4, ends + from, moved);
    store<u32>(set, count - (last - first), SPACE_INTERVALS);
  }
  return true;
}
