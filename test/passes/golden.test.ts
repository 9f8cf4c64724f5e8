/**
 * One file, one idea: `// RUN: opt -p "…"`, a graph, `// ----`, and exactly what the pipeline makes of it (`// ERROR: …` lines where it refuses).
 * Every file is also held to the contracts of its passes, on ordinary values and on special ones.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import type { CalibrationProvider } from '../../passes/calibration.ts';
import { contractCheck } from '../../passes/instruments/contracts.ts';
import { parseRunLine } from '../../passes/instruments/reproducer.ts';
import { verifying } from '../../passes/instruments/verifying.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import { PASSES } from '../../passes/registry.ts';
import { randomInputs } from '../support/arbitraries.ts';
import { evaluatedCalibration } from '../support/calibration.ts';
import { expectGolden } from '../support/golden.ts';

const FOLDER = 'test/passes/golden';
const SEPARATOR = '// ----\n';

/** Passes that need statistics get them of some random values. */
const calibration = (graph: Graph): CalibrationProvider => evaluatedCalibration([randomInputs(graph, 1), randomInputs(graph, 2)]);

const files = readdirSync(fileURLToPath(new URL('golden', import.meta.url))).filter((file) => file.endsWith('.pir'));

function read(file: string): { input: string; graph: Graph; pipeline: readonly PassInvocation[] } {
  const text = readFileSync(fileURLToPath(new URL(`golden/${file}`, import.meta.url)), 'utf8');
  const [input = ''] = text.split(SEPARATOR);
  return { input, graph: parseGraph(input, { file }), pipeline: parseRunLine(input, file).pipeline };
}

/** Passes and rules that did something, as `pass` and `pass: statistic`. */
function firedIn(file: string): string[] {
  const { graph, pipeline } = read(file);
  try {
    return runPipeline(graph, pipeline, { calibration: calibration(graph) }).steps.flatMap(({ step, changed, statistics }) =>
      changed ? [step.pass.name, ...[...statistics.keys()].map((statistic) => `${step.pass.name}: ${statistic}`)] : [],
    );
  } catch (error) {
    if (error instanceof DiagnosticError) return [];
    throw error;
  }
}

function outcome(graph: Graph, pipeline: readonly PassInvocation[]): string {
  try {
    return printGraph(runPipeline(graph, pipeline, { observers: [verifying()], calibration: calibration(graph) }).graph).text;
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics
      .map(
        ({ kind, code, message, place = [], hint }) =>
          `// ERROR: ${kind} ${code} at ${place.join(': ')}: ${message}${hint ? ` (${hint})` : ''}\n`,
      )
      .join('');
  }
}

describe('golden files of passes', () => {
  test.each(files)('%s', (file) => {
    const { input, graph, pipeline } = read(file);
    expectGolden(`${FOLDER}/${file}`, input + SEPARATOR + outcome(graph, pipeline));
  });

  test.each(files)('%s keeps the contracts', (file) => {
    const { graph, pipeline } = read(file);
    const samples = [randomInputs(graph, 1), randomInputs(graph, 2), randomInputs(graph, 3, 'special'), randomInputs(graph, 4, 'special')];
    try {
      runPipeline(graph, pipeline, { observers: [contractCheck({ samples })], calibration: calibration(graph) });
    } catch (error) {
      if (!(error instanceof DiagnosticError) || error.diagnostics.some(({ kind }) => kind === 'violated')) throw error;
    }
  });
});

describe('every pass and every rule', () => {
  const fired = new Set(files.flatMap(firedIn));

  test.each(Object.values(PASSES).map(({ name }) => name))('%s changes the graph of a golden file', (name) => {
    expect(fired).toContain(name);
  });

  const rules = Object.values(PASSES).flatMap((pass) => ('rules' in pass ? pass.rules : []).map((rule) => `${pass.name}: ${rule.name}`));
  const ofName = (fullName: string): string => fullName.slice(fullName.indexOf(': ') + 2);
  const firedNames = new Set([...fired].filter((name) => name.includes(': ')).map(ofName));

  test.each([...new Set(rules.map(ofName))])('the rule %s applies in a golden file', (name) => {
    expect(firedNames).toContain(name);
  });

  test('rules have names of their own, and every golden file stands for something', () => {
    for (const pass of Object.values(PASSES)) {
      const names = ('rules' in pass ? pass.rules : []).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
    expect(files.length).toBeGreaterThan(Object.keys(PASSES).length);
  });
});
