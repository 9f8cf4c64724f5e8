/**
 * How much the tests try. The usual amount finds in minutes what is wrong with code that was just changed; `npm run test:long` tries much more.
 * PLUMBLINE_FUZZ_RUNS says how many random cases a property takes instead. This is the one place that reads either.
 */
const LONG = process.env.PLUMBLINE_TESTS === 'long';

/** One thing usually, another in the long form. */
export function effort<T>(usual: T, long: T): T {
  return LONG ? long : usual;
}

/** Random cases of a property. */
export function runs(usual: number, long = 10 * usual): number {
  const given = process.env.PLUMBLINE_FUZZ_RUNS;
  return given === undefined ? effort(usual, long) : Number(given);
}
