/**
 * Tries random models: `npm run fuzz -- --runs 10000 --seed 1`. A model follows from its number alone, and N runs from a seed are the models seed, seed + 1
 * and so on, so that runs can be divided. Prints how many variants ran, were refused, and why; of each model that is wrong, its number, and it is made
 * smaller and written to a folder. Ends with 1 if there is one.
 */
import process from 'node:process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { markdownTable, publish } from '../benchmarks/report.ts';
import type { Outcome } from '../test/support/model-relation.ts';
import { tryModel } from '../test/support/model-relation.ts';
import { ModelTally } from '../test/support/model-tally.ts';
import { modelBytes } from '../test/support/onnx-builder.ts';
import { decisionsOf, randomModel } from '../test/support/random-model.ts';

const isFailure = ({ status }: Outcome): boolean => status === 'wrong' || status === 'crashed';

/** The kind of a failure: its numbers and names are others in a smaller model. */
const kindOf = ({ variant, status, reason }: Outcome): string =>
  `${variant}: ${status}: ${reason.replaceAll(/'[^']*'|%\S+|-?\d[\d.e+-]*|NaN/g, '#')}`;

/** Fewer and smaller decisions that still fail in the same way: cut at the end, then set to 0 in ever shorter stretches. */
async function shrink(seed: number, failure: Outcome): Promise<readonly number[]> {
  const fails = async (decisions: readonly number[]): Promise<boolean> =>
    (await tryModel(randomModel(decisions), seed)).some((outcome) => isFailure(outcome) && kindOf(outcome) === kindOf(failure));
  let decisions = decisionsOf(seed);
  for (let length = decisions.length; length >= 1; length = Math.floor(length / 2))
    while (decisions.length > length && (await fails(decisions.slice(0, -length)))) decisions = decisions.slice(0, -length);
  for (let length = Math.floor(decisions.length / 2); length >= 1; length = Math.floor(length / 2))
    for (let start = 0; start + length <= decisions.length; start += length) {
      const candidate = decisions.map((decision, i) => (i >= start && i < start + length ? 0 : decision));
      if (candidate.some((decision, i) => decision !== decisions[i]) && (await fails(candidate))) decisions = candidate;
    }
  return decisions;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
      into: { type: 'string', default: 'fuzz-failures' },
      publish: { type: 'boolean', default: false },
    },
  });
  const [runs, first] = [Number(values.runs), Number(values.seed)];
  if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(first) || first < 0)
    throw new RangeError('--runs N and --seed S are whole numbers');
  const tally = new ModelTally();
  for (let seed = first; seed < first + runs; seed++) {
    const outcomes = await tryModel(randomModel(decisionsOf(seed)), seed);
    const isNew = tally.add(seed, outcomes);
    const failure = outcomes.find(isFailure);
    if (failure) process.stderr.write(`model ${seed}: ${failure.variant}: ${failure.status}: ${failure.reason.slice(0, 300)}\n`);
    // One smaller model of each kind is enough.
    if (failure && isNew) {
      const spec = randomModel(await shrink(seed, failure));
      mkdirSync(values.into, { recursive: true });
      const path = join(values.into, `${seed}.onnx`);
      writeFileSync(path, modelBytes(spec));
      const nodes = spec.nodes.map(({ op, inputs, outputs }) => `${outputs.join()} = ${op}(${inputs.join()})`);
      process.stderr.write(
        `  ${path}, opset ${JSON.stringify(spec.opset)}: ${nodes.join('; ')} -> ${(spec.outputs ?? []).map(({ name }) => name).join()}\n`,
      );
    }
    if (process.stderr.isTTY && seed % 20 === 0) process.stderr.write(`\r${seed - first} of ${runs}\r`);
  }
  const text = render(tally, runs, first);
  if (values.publish) publish('fuzz.md', text);
  else process.stdout.write(text);
  return tally.failures.length === 0 ? 0 : 1;
}

function render(tally: ModelTally, runs: number, seed: number): string {
  return [
    '# Random models',
    '',
    `\`npm run fuzz -- --runs ${runs} --seed ${seed} --publish\`: ${runs} models, each in every preset and for \`cambricon-base\`; ${tally.failures.length} are wrong.`,
    '',
    markdownTable(['variant', 'ran', 'refused', 'wrong', 'crashed'], tally.rows()),
    '',
    'Why variants were refused:',
    '',
    markdownTable(['code', 'variants'], tally.reasons()),
    ...(tally.failures.length === 0 ? [] : ['', ...tally.failures.map((line) => `- ${line}`)]),
    '',
  ].join('\n');
}

process.exitCode = await main();
