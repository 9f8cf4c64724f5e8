/** The cases of the ONNX project's backend test data, and what the compiler makes of each. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onSamples } from '../../compiler/cli/calibration.ts';
import { findCases } from '../../compiler/cli/test-cases.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { CaseOptions, CaseResult } from '../../runtime/conformance/conformance.ts';
import { runCase } from '../../runtime/conformance/conformance.ts';
import { SUITE_TOLERANCE } from '../../runtime/conformance/judge.ts';
import type { NamedCase } from '../../runtime/conformance/test-case.ts';
import { oneLine } from '../../runtime/report/format.ts';
import { expectAgreement } from '../support/agreement.ts';
import { outsideData } from '../support/outside-data.ts';
import { loadTarget } from '../support/targets.ts';

export const { path: DATA, missing: MISSING } = outsideData('onnx-tests', 'ONNX_TEST_DATA');

const target = loadTarget('cambricon');

const EVALUATED: CaseOptions = {
  passes: [],
  judge: { kind: 'tolerance', ...SUITE_TOLERANCE },
  engine: 'fast',
  calibrate: onSamples,
};

const COMPILED: CaseOptions = {
  ...EVALUATED,
  target,
  passes: parsePipeline('O1'),
  onCompiled: (compiled, inputs) => void expectAgreement(compiled.legal, compiled, target, inputs),
};

/** The cases in a folder of the data. */
export function casesOf(suite: string): readonly NamedCase[] {
  const folder = join(DATA, suite);
  return existsSync(folder) ? findCases(folder).cases : [];
}

/** The models of a folder of the data. */
export function modelsOf(folder: string): readonly string[] {
  const path = join(DATA, folder);
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.onnx')) : [];
}

/** A status of the list: the form that is compiled, or how far it came and why not further. What is wrong or crashed is told as such. */
export function statusOf(each: NamedCase): string {
  const [compiled, evaluated] = [runCase(each, COMPILED), runCase(each, EVALUATED)];
  const bug = [compiled, evaluated].find(({ status }) => status === 'failed' || status === 'crashed');
  if (bug) return `${bug.status}: ${oneLine(bug.reason ?? '')}`;
  if (compiled.status === 'passed' && evaluated.status === 'passed') return formOf(compiled);
  if (compiled.status === 'passed') return `failed: compiled, but not evaluated: ${oneLine(evaluated.reason ?? '')}`;
  const furthest = evaluated.status === 'passed' ? formOf(evaluated) : 'unsupported';
  return `${furthest}: ${oneLine(compiled.reason ?? '')}`;
}

function formOf({ form }: CaseResult): string {
  return form ?? '';
}
