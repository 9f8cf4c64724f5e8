/**
 * The ONNX project's backend test data. Each case is imported, evaluated, compiled and executed where that is possible; `status.txt` says
 * what is expected of each, and anything else fails, an unexpected success included. The tests are skipped where there is no data. The list
 * may hold more cases than the data; cases that are not listed are reported, and may only not be wrong.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listOperators } from '../../compiler/frontend/check.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { expectGolden } from '../support/golden.ts';
import { DATA, casesOf, isBug, statusOf } from './suite.ts';

const SUITES = ['node', 'simple', 'pytorch-operator'];
const LIGHT = join(DATA, 'light');

const HEADER = `# What is expected of each case of the ONNX backend suite; rewritten by BLESS=1 npx vitest run test/conformance.
# compiled: evaluated as the suite expects, and executed by a compiled program, bit for bit as evaluated.
# evaluated: as the suite expects, but not compiled. refused: not imported. In both cases with the reason.
# with constants: as far as that only where operands that the suite feeds are put into the model.
`;

const STATUS = 'test/conformance/status.txt';
const text = readFileSync(new URL('status.txt', import.meta.url), 'utf8');
const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const listed = new Map(lines.map((line): [string, string] => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]));

/** The list that holds these statuses. */
function listText(statuses: ReadonlyMap<string, string>): string {
  const sorted = [...statuses].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${HEADER}${sorted.map(([key, status]) => `${key} ${status}\n`).join('')}`;
}

function countBy(statuses: Iterable<string>, keyOf: (status: string) => string): string {
  const counts = new Map<string, number>();
  for (const status of statuses) counts.set(keyOf(status), (counts.get(keyOf(status)) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([key, count]) => `${key} ${count}`)
    .join(', ');
}

function summary(found: ReadonlyMap<string, string>): string {
  const unlisted = [...found.keys()].filter((key) => !listed.has(key));
  const missing = [...listed.keys()].filter((key) => !found.has(key)).length;
  return [
    `${found.size} cases: ${countBy(found.values(), (status) => /^[\w ]+/.exec(status)?.[0] ?? status)}`,
    ...(missing > 0 ? [`${missing} listed cases are not in the data`] : []),
    ...(unlisted.length > 0
      ? [`${unlisted.length} cases are not listed:`, ...unlisted.map((key) => `  ${key} ${found.get(key) ?? ''}`)]
      : []),
  ].join('\n');
}

describe('the status list', () => {
  it.skipIf(process.env.BLESS)('is sorted, and expects nothing that is wrong', () => {
    expect(listText(listed)).toBe(text);
    expect([...listed].filter(([, status]) => !/^(compiled|(evaluated|refused)( with constants)?:)/.test(status))).toEqual([]);
  });
});

describe.skipIf(!existsSync(DATA))('the ONNX backend suite', () => {
  const found = new Map<string, string>();

  it.each(SUITES)('%s does what the status list says', (suite) => {
    for (const name of casesOf(suite)) found.set(`${suite}/${name}`, statusOf(suite, name));
    const ours = [...found].filter(([key]) => key.startsWith(`${suite}/`));
    expect(ours.filter(([, status]) => isBug(status))).toEqual([]);
    if (process.env.BLESS) return;
    const unexpected = ours.filter(([key, status]) => (listed.get(key) ?? status) !== status);
    expect(unexpected.map(([key, status]) => `${key}: ${status}, listed as ${listed.get(key) ?? ''}`)).toEqual([]);
  });

  it('is summed up', () => {
    console.log(summary(found));
    expectGolden(STATUS, process.env.BLESS ? listText(new Map([...listed, ...found])) : text);
  });
});

describe.skipIf(!existsSync(LIGHT))('large models without weights', () => {
  it.each(existsSync(LIGHT) ? readdirSync(LIGHT).filter((name) => name.endsWith('.onnx')) : [])(
    '%s is imported, or refused with all operators that are missing',
    (name) => {
      const bytes = readFileSync(join(LIGHT, name));
      const missing = listOperators(bytes).filter(({ unsupported }) => unsupported !== undefined);
      try {
        expect(importOnnx(bytes).outputs).toHaveLength(1);
        expect(missing).toEqual([]);
      } catch (error) {
        if (!(error instanceof DiagnosticError)) throw error;
        expect(error.diagnostics.every(({ kind }) => kind === 'unsupported')).toBe(true);
        for (const { operator, refused } of missing) expect(error.message).toContain(`${operator} ×${refused}`);
      }
    },
  );
});
