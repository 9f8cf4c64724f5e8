/** Binary32 numbers as text: the shortest decimal that reads back as the same number. */

const SPECIAL: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };

/** Nine significant digits always identify a binary32 number. */
const MAX_DIGITS = 9;

/** Shortest text of a binary32 number; `inf`, `-inf`, `nan` and `-0` are spelled so. */
export function printFloat32(x: number): string {
  if (x !== x) return 'nan';
  if (x === Infinity) return 'inf';
  if (x === -Infinity) return '-inf';
  if (Object.is(x, -0)) return '-0';
  for (let digits = 1; digits < MAX_DIGITS; digits++) {
    const candidate = Number(x.toPrecision(digits));
    if (Math.fround(candidate) === x) return String(candidate);
  }
  return String(Number(x.toPrecision(MAX_DIGITS)));
}

const DECIMAL = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;

/** The binary32 number nearest to what `text` spells, or undefined when it is no number. */
export function parseFloat32(text: string): number | undefined {
  if (Object.hasOwn(SPECIAL, text)) return SPECIAL[text];
  return DECIMAL.test(text) ? Math.fround(Number(text)) : undefined;
}
