/**
 * `npm run bench:agreement`: predictions of the compiled programs against onnxruntime's, and evaluator, tiled interpreter and both engines against
 * each other bit for bit, in every precision. Writes benchmarks/results/agreement.md.
 */
import type { Comparison } from './compare.ts';
import { compare, countAgreeing } from './compare.ts';
import { FLOAT_NETWORKS, REDUCED_PRESETS, markdownTable, publish } from './report.ts';

const CASES = [...FLOAT_NETWORKS.map((model) => ({ model, target: 'cambricon' })), { model: 'lenet-300-100', target: 'cambricon-base' }];
const SAMPLES = 10_000;
const BIT_CHECKED = 200;
const REDUCED_BIT_CHECKED = 20;

const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;

function row(c: Comparison): string[] {
  const widest = Math.max(0, ...c.mismatches.map(({ relativeMargin }) => relativeMargin));
  return [
    c.model,
    c.target,
    String(c.instructions),
    String(c.samples),
    percent(c.oracleTop1),
    percent(c.top1),
    String(c.mismatches.length),
    c.mismatches.length === 0 ? '-' : widest.toExponential(1),
    `${c.bitEqual} of ${c.bitChecked}`,
  ];
}

const comparisons: Comparison[] = [];
for (const { model, target } of CASES) {
  comparisons.push(await compare(model, target, SAMPLES, BIT_CHECKED));
  process.stderr.write(`${model} on ${target} done\n`);
}
const reduced: string[][] = [];
for (const model of FLOAT_NETWORKS) {
  const counts: string[] = [];
  for (const preset of REDUCED_PRESETS) counts.push(`${await countAgreeing(model, preset, REDUCED_BIT_CHECKED)} of ${REDUCED_BIT_CHECKED}`);
  reduced.push([model, ...counts]);
  process.stderr.write(`${model} in reduced precisions done\n`);
}
const header = ['model', 'target', 'instructions', 'images', 'onnxruntime top-1', 'program top-1', 'differ', 'widest margin', 'bit-equal'];
const text = [
  '# Agreement of compiled programs',
  '',
  'Printed by `npm run bench:agreement`. Float networks run in f32 on `cambricon` and in 16-bit fixed point on `cambricon-base`. "differ" counts predictions that are',
  'not onnxruntime\'s, "widest margin" is the largest distance of onnxruntime\'s two best logits among them, over the range of the logits. "bit-equal" counts images on which',
  'graph evaluator, tiled interpreter, plain engine and fast engine gave the same bits; the rest runs on the fast engine.',
  '',
  markdownTable(header, comparisons.map(row)),
  '',
  '## Reduced precisions',
  '',
  'Images on which the four executors of the preset’s program for `cambricon` gave the same bits.',
  '',
  markdownTable(['model', ...REDUCED_PRESETS], reduced),
  '',
].join('\n');
publish('agreement.md', text);
