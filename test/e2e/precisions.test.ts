/** Reference evaluator, tiled interpreter and both engines give the same bits on networks that ship, in every precision. */
import { describe, expect, it } from 'vitest';
import { countAgreeing } from '../../benchmarks/compare.ts';
import { FLOAT_NETWORKS, REDUCED_PRESETS } from '../../benchmarks/report.ts';
import { effort } from '../support/effort.ts';

/** The small networks are executed in every precision; of the others one of floats and one of integers stand for the rest. */
const SMALL: readonly string[] = ['lenet-300-100', 'squeezenet', 'mobilenet'];

describe('all executors give the same bits in every precision', () => {
  it.each(FLOAT_NETWORKS)('%s', async (model) => {
    const presets = SMALL.includes(model) ? REDUCED_PRESETS : effort<readonly string[]>(['f16', 'int8'], REDUCED_PRESETS);
    for (const preset of presets) expect(await countAgreeing(model, preset, 1), preset).toBe(1);
  });
});
