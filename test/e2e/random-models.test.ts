/** Random models in every preset and for the base target: nothing is wrong, and nearly all of it runs. `npm run fuzz` tries more of the same. */
import { expect, test } from 'vitest';
import { runs } from '../support/effort.ts';

import { VARIANT_NAMES, tryModel } from '../support/model-relation.ts';
import { ModelTally } from '../support/model-tally.ts';
import { decisionsOf, randomModel } from '../support/random-model.ts';

const MODELS = runs(300, 3000);
/** The base target has few instructions, and refuses what it has none for. */
const LEAST_SHARE = (variant: string): number => (variant.endsWith('cambricon-base') ? 0.3 : 0.8);

test('programs, legal graphs, onnxruntime and exported models agree', async () => {
  const tally = new ModelTally();
  for (let seed = 1; seed <= MODELS; seed++) tally.add(seed, await tryModel(randomModel(decisionsOf(seed)), seed));
  expect(tally.failures).toEqual([]);
  for (const variant of VARIANT_NAMES) expect(tally.count(variant, 'ran') / MODELS, variant).toBeGreaterThanOrEqual(LEAST_SHARE(variant));
});
