/** What a run does around the instructions that have accesses: nothing, or measuring them. Both are compiled into loops of their own. */
import { CLOCK_READINGS, TIMES_BYTES, TIMES_SCALAR_SECONDS, TIMES_SCALARS, TIMES_SECONDS } from '../layout';
import { now } from './clock';
import { region } from './region';

/** Where the times of the first instruction stand, and what reading the clock takes, which is no instruction's time. */
let table: usize = 0;
let readingSeconds: f64 = 0;
/** The last reading, and the instructions of the budget that were left then. */
let since: f64 = 0;
let leftSince: i64 = 0;

export function configureTimes(times: usize, seconds: f64): void {
  table = times;
  readingSeconds = seconds;
}

/** Seconds that a reading of the clock takes, the mean of many. */
export function clockSeconds(readings: u32): f64 {
  const start = now();
  let end = start;
  for (let i: u32 = 0; i < readings; i++) end = now();
  return (end - start) / <f64>readings;
}

function increase(at: usize, by: f64): void {
  store<f64>(at, load<f64>(at) + by);
}

function timesOf(pc: u32): usize {
  return table + <usize>pc * TIMES_BYTES;
}

function read(left: i64): f64 {
  const last = since;
  since = now();
  leftSince = left;
  increase(region + CLOCK_READINGS, 1);
  return since - last - readingSeconds;
}

/** `left` counts the instruction itself. */
@unmanaged
export class Unwatched {
  enter(left: i64): void {}
  before(pc: u32, left: i64): void {}
  after(pc: u32, left: i64): void {}
}

/** Scalar and control instructions are too short for a clock: those between two others are measured as one. */
@unmanaged
export class Timed {
  enter(left: i64): void {
    read(left);
  }

  /** In front of an instruction, and where the run leaves. */
  before(pc: u32, left: i64): void {
    if (left == leftSince) return;
    increase(timesOf(pc) + TIMES_SCALARS, <f64>(leftSince - left));
    increase(timesOf(pc) + TIMES_SCALAR_SECONDS, read(left));
  }

  after(pc: u32, left: i64): void {
    increase(timesOf(pc), 1);
    increase(timesOf(pc) + TIMES_SECONDS, read(left - 1));
  }
}
