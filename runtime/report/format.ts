/** Numbers and names as people read them. No locale takes part. */

const PREFIXES = ['p', 'n', 'µ', 'm', '', 'k', 'M', 'G', 'T', 'P'] as const;
const UNIT_PREFIX = PREFIXES.indexOf('');

/** A number with `digits` significant digits, without an exponent from 10^-6 to 10^21. */
function significant(value: number, digits: number): string {
  const text = value.toPrecision(digits);
  return text.includes('e') ? String(Number(text)) : text;
}

/** `12.3 µJ`, `2.05 TOP/s`: three significant digits with an SI prefix. */
export function si(value: number, unit: string, digits = 3): string {
  if (value === 0 || !Number.isFinite(value)) return `${value} ${unit}`;
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))) / 3);
  const index = Math.min(PREFIXES.length - 1, Math.max(0, exponent + UNIT_PREFIX));
  return `${significant(value / 10 ** (3 * (index - UNIT_PREFIX)), digits)} ${PREFIXES[index] ?? ''}${unit}`;
}

/** `1.71 MiB`; whole below 1024 bytes. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${count} B` : `${significant(value, 3)} ${units[unit] ?? ''}`;
}

/** `12,345`; numbers that are no integers get three significant digits below 1,000. */
export function count(value: number): string {
  if (!Number.isInteger(value) && Math.abs(value) < 1000) return significant(value, 3);
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `92.10 %` for 0.921. */
export function percent(ratio: number, digits = 2): string {
  return `${(100 * ratio).toFixed(digits)} %`;
}

/** `0.0386`, `< 0.001`, `1`: the probability of a test. */
export function probability(p: number): string {
  if (p === 1) return '1';
  return p < 1e-3 ? '< 0.001' : p.toPrecision(3);
}

/** `p = 0.0386`, `p < 0.001` */
export function pValueText(p: number): string {
  return p < 1e-3 ? `p ${probability(p)}` : `p = ${probability(p)}`;
}

/** `0.10` for a proportion of 0.001; zero has no sign, also where it is rounded to. */
export function points(proportion: number): string {
  return (100 * proportion).toFixed(2).replace(/^-(0\.00)$/, '$1');
}

/**
 * Shares of a sum in tenths of a percent that add up to exactly 100.0 (largest remainders, the earlier one among equals); all 0 for a sum of 0.
 */
export function shares(values: readonly number[]): readonly number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  if (sum === 0) return values.map(() => 0);
  const exact = values.map((value) => (1000 * value) / sum);
  const tenths = exact.map(Math.floor);
  const missing = 1000 - tenths.reduce((total, value) => total + value, 0);
  const order = exact
    .map((value, i) => ({ i, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  for (const { i } of order.slice(0, missing)) tenths[i] = (tenths[i] ?? 0) + 1;
  return tenths.map((value) => value / 10);
}

/** Characters of one foreign text that are shown. */
const MOST_FOREIGN = 200;
/** Characters of one clause that are shown, whatever is in it. */
const MOST_CLAUSE = 600;

/** Characters that terminals and editors obey instead of showing: controls, marks of direction, invisible ones, tags, halves of a pair. */
const OBEYED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Text from outside on one line: white space is a blank, and what would be obeyed instead of shown is spelled, as in `\u202e`. */
export function oneLine(text: string): string {
  return text
    .replace(/[\t\n\v\f\r\u0085\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(OBEYED, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
    .trim();
}

/** At most so many characters, the rest as an ellipsis. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  // Not between the halves of a pair.
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * A message for people, with texts from outside in it: on one line, as `oneLine` has it, and none of them longer than 200 characters. What is quoted, or has
 * no blank in it, is taken for one; as a name may have anything in it, the clauses of the message are cut, too.
 */
export function shownText(text: string): string {
  // The end of a message is of no use to anybody, but takes time.
  const short = oneLine(cut(text, 2 ** 16))
    .replace(/'[^']{201,}'|"[^"]{201,}"/g, (quoted) => `${cut(quoted.slice(0, -1), MOST_FOREIGN)}${quoted.slice(-1)}`)
    .replace(/\S{201,}/g, (word) => cut(word, MOST_FOREIGN));
  return cut(short, MOST_CLAUSE);
}

/** `batchNorm` as `batch norm`. */
export function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Text on lines of at most `width` characters, broken at blanks; later lines are indented. */
export function wrap(text: string, width: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined) lines.push(word);
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join('\n');
}
