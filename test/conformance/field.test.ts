/** Cases from the field, on which a compiler went wrong: all outputs of each, evaluated, and compiled in every preset, by what the preset may lose. */
import { describe, expect, it } from 'vitest';
import { onSamples } from '../../compiler/cli/calibration.ts';
import { findCases } from '../../compiler/cli/test-cases.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { PresetName } from '../../passes/registry.ts';
import { PRESETS } from '../../passes/registry.ts';
import type { CaseOptions } from '../../runtime/conformance/conformance.ts';
import { runCase } from '../../runtime/conformance/conformance.ts';
import type { Judge } from '../../runtime/conformance/judge.ts';
import { SUITE_TOLERANCE } from '../../runtime/conformance/judge.ts';
import { outsideData } from '../support/outside-data.ts';
import { loadTarget } from '../support/targets.ts';

const { path, missing } = outsideData('field', 'PLUMBLINE_FIELD_DATA');

const EXACT: Judge = { kind: 'tolerance', ...SUITE_TOLERANCE };
const atLeast = (decibels: number): Judge => ({ kind: 'sqnr', decibels });

/** What each preset is held to, in dB: a bit of precision is 6. */
const JUDGES: Readonly<Record<PresetName, Judge>> = {
  O0: EXACT,
  O1: EXACT,
  f16: atLeast(50),
  bf16: atLeast(35),
  f8e4m3: atLeast(17),
  f8e5m2: atLeast(12),
  fixed16: atLeast(50),
  int8: atLeast(25),
  'int8-naive': atLeast(20),
};

/** Cases that a pipeline may refuse, and what the refusal must name. */
const REFUSED: readonly (readonly [name: RegExp, reason: RegExp])[] = [[/^07-bn9-/, /training/]];

/** Cases that are quantized already: passes that lower the precision of floats take them only with their operands in the model. */
const QUANTIZED = /qdq/;

/** Each case that is neither right nor rightly refused. */
function wrong(options: Pick<CaseOptions, 'passes' | 'judge' | 'target'>): readonly string[] {
  const lossy = options.passes.some(({ pass }) => pass.meaning === 'lossy');
  return findCases(path).cases.flatMap((each) => {
    const { name, status, form, reason } = runCase(each, { engine: 'fast', calibrate: onSamples, ...options });
    const refusal = REFUSED.find(([refused]) => refused.test(name))?.[1];
    const ran = form === 'compiled' || form === 'evaluated' || (lossy && QUANTIZED.test(name));
    const right = status === 'passed' ? ran : status === 'unsupported' && refusal?.test(reason ?? '');
    return right ? [] : [`${name}: ${status} ${form ?? ''}: ${reason ?? ''}`];
  });
}

describe.skipIf(missing)('cases from the field', () => {
  it('are evaluated', () => {
    expect(wrong({ passes: [], judge: EXACT })).toEqual([]);
  });

  it.each(Object.keys(PRESETS) as PresetName[])('are compiled with %s', (preset) => {
    expect(findCases(path).cases.length).toBeGreaterThan(0);
    expect(wrong({ passes: parsePipeline(preset), judge: JUDGES[preset], target: loadTarget('cambricon') })).toEqual([]);
  });
});
