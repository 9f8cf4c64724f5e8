/** Golden files: expected texts that are checked in, and rewritten on request. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Lines around a difference that a failure shows. */
const CONTEXT = 3;

/**
 * Expects a file, named from the repository's root, to hold exactly `text`. With BLESS=1 in the environment the file is written instead,
 * but never where CI is set: there a golden file can only be compared.
 */
export function expectGolden(path: string, text: string): void {
  const file = ROOT + path;
  if (process.env.BLESS) {
    if (process.env.CI) throw new Error('golden files are not rewritten under CI: unset BLESS');
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
    return;
  }
  const expected = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (expected !== text) expect.fail(describeDifference(path, expected, text));
}

/** Why a golden file does not match, and how to rewrite it. */
export function describeDifference(path: string, expected: string | undefined, actual: string): string {
  const how = `If the new text is right, rewrite it with: BLESS=1 npx vitest run ${currentTestFile()}`;
  if (expected === undefined) return `${path} does not exist.\n${how}`;
  return `${path} is not what was expected (- expected, + actual):\n${diff(expected.split('\n'), actual.split('\n')).join('\n')}\n${how}`;
}

function currentTestFile(): string {
  const { testPath } = expect.getState();
  return testPath === undefined ? '' : relative(ROOT, testPath);
}

/** The region in which two texts differ, with some lines around it. */
function diff(expected: readonly string[], actual: readonly string[]): string[] {
  let first = 0;
  while (first < expected.length && first < actual.length && expected[first] === actual[first]) first++;
  let last = 0;
  const shorter = Math.min(expected.length, actual.length) - first;
  while (last < shorter && expected.at(-1 - last) === actual.at(-1 - last)) last++;
  const from = Math.max(0, first - CONTEXT);
  const [oldEnd, newEnd] = [expected.length - last, actual.length - last];
  return [
    `@@ line ${first + 1} @@`,
    ...expected.slice(from, first).map((line) => `  ${line}`),
    ...expected.slice(first, oldEnd).map((line) => `- ${line}`),
    ...actual.slice(first, newEnd).map((line) => `+ ${line}`),
    ...expected.slice(oldEnd, oldEnd + CONTEXT).map((line) => `  ${line}`),
  ];
}
