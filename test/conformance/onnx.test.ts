/**
 * The ONNX project's backend test data. Each case is evaluated, compiled and executed where that is possible; `status.txt` says what is expected
 * of each, and anything else fails, an unexpected success included. The tests are skipped where there is no data. The list may hold more cases than the
 * data; cases that are not listed are reported, and may only not be wrong.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listOperators } from '../../compiler/frontend/check.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { PRESETS } from '../../passes/registry.ts';
import { expectGolden } from '../support/golden.ts';
import { blessed, parseStatusList, printStatusList, rankOf } from './status-list.ts';
import { DATA, MISSING, casesOf, modelsOf, statusOf } from './suite.ts';
import { networks, statusesOfNetwork } from './zoo.ts';

const SUITES = ['node', 'simple', 'pytorch-operator'];
const STATUS = 'test/conformance/status.txt';
const text = readFileSync(new URL('status.txt', import.meta.url), 'utf8');
const listed = parseStatusList(text);
const found = new Map<string, string>();

/** Holds statuses to the list; where it is rewritten they only may not be wrong. */
function expectListed(statuses: ReadonlyMap<string, string>): void {
  for (const [name, status] of statuses) found.set(name, status);
  expect([...statuses].filter(([, status]) => rankOf(status) === undefined)).toEqual([]);
  if (process.env.BLESS) return;
  const unexpected = [...statuses].filter(([name, status]) => (listed.get(name)?.status ?? status) !== status);
  expect(unexpected.map(([name, status]) => `${name}: ${status}, listed as ${listed.get(name)?.status ?? ''}`)).toEqual([]);
}

function countBy(statuses: Iterable<string>, keyOf: (status: string) => string): string {
  const counts = new Map<string, number>();
  for (const status of statuses) counts.set(keyOf(status), (counts.get(keyOf(status)) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([key, count]) => `${key} ${count}`)
    .join(', ');
}

function summary(): string {
  const unlisted = [...found.keys()].filter((key) => !listed.has(key));
  const missing = [...listed.keys()].filter((key) => !found.has(key)).length;
  return [
    `${found.size} cases: ${countBy(found.values(), (status) => status.replace(/:.*/, ':'))}`,
    ...(missing > 0 ? [`${missing} listed cases are not in the data`] : []),
    ...(unlisted.length > 0
      ? [`${unlisted.length} cases are not listed:`, ...unlisted.map((key) => `  ${key} ${found.get(key) ?? ''}`)]
      : []),
  ].join('\n');
}

describe('the status list', () => {
  it.skipIf(process.env.BLESS)('is sorted, and expects nothing that is wrong', () => {
    expect(printStatusList(listed)).toBe(text);
    expect([...listed].filter(([, { status }]) => rankOf(status) === undefined)).toEqual([]);
  });
});

describe.skipIf(MISSING)('the ONNX backend suite', () => {
  it.each(SUITES)('%s does what the status list says', (suite) => {
    expectListed(new Map(casesOf(suite).map((each) => [`${suite}/${each.name}`, statusOf(each)])));
  });
});

describe('networks of the zoo', () => {
  it.each(networks())('%s compiles as the status list says', async (network) => {
    const statuses = await statusesOfNetwork(network);
    expect(statuses.size).toBeGreaterThanOrEqual(Object.keys(PRESETS).length);
    expectListed(statuses);
    if (!process.env.BLESS) expect([...statuses.keys()].filter((name) => !listed.has(name))).toEqual([]);
  });
});

describe('all that was found', () => {
  it('is summed up', () => {
    console.log(summary());
    if (process.env.BLESS) expectGolden(STATUS, printStatusList(blessed(listed, found, process.env.BLESS_REASON)));
  });
});

const LIGHT = 'light';

describe.skipIf(MISSING)('large models without weights', () => {
  it.each(modelsOf(LIGHT))('%s is imported, or refused with all operators that are missing', (name) => {
    const bytes = readFileSync(join(DATA, LIGHT, name));
    const missing = listOperators(bytes).filter(({ unsupported }) => unsupported !== undefined);
    try {
      expect(importOnnx(bytes).outputs).toHaveLength(1);
      expect(missing).toEqual([]);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      expect(error.diagnostics.every(({ kind }) => kind === 'unsupported')).toBe(true);
      for (const { operator, refused } of missing) expect(error.message).toContain(`${operator} ×${refused}`);
    }
  });
});
