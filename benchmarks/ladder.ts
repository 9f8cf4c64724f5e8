/**
 * `npm run bench:ladder`: what each pass of each preset does to mobilenet and resnet on `cambricon`, on all test images. Writes
 * benchmarks/results/ladder.md and ladder.json. With a number of images behind it, as `npm run bench:ladder -- 100`, it only prints.
 */
import process from 'node:process';
import { findModel, loadGraph } from '../compiler/cli/model.ts';
import { containerInfo } from '../compiler/cli/producer.ts';
import { graphSamples } from '../compiler/cli/samples.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { zooDataset } from '../compiler/cli/zoo.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { PRESETS } from '../passes/registry.ts';
import { firstSamples } from '../runtime/data/dataset.ts';
import type { Ladder } from '../runtime/evaluate/ladder.ts';
import { evaluateLadder } from '../runtime/evaluate/ladder.ts';
import { monotonicSeconds } from '../runtime/platform/node.ts';
import { renderLadder } from '../runtime/report/ladder.ts';
import { publish, writeResult } from './report.ts';

const MODELS = ['mobilenet', 'resnet'] as const;
const CONTRACT_SAMPLES = 8;

const limit = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
const target = loadTarget('cambricon');

async function climb(model: string, preset: string): Promise<Ladder> {
  const source = findModel(model);
  const graph = loadGraph(source, { batch: 1 });
  return evaluateLadder(graph, {
    target,
    passes: parsePipeline(preset),
    dataset: firstSamples(await zooDataset('fashion-mnist'), limit ?? Infinity),
    model,
    container: containerInfo(target),
    contractSamples: await graphSamples(graph, source, CONTRACT_SAMPLES),
    now: monotonicSeconds,
    orders: true,
  });
}

const results: { readonly preset: string; readonly ladder: Ladder }[] = [];
for (const model of MODELS)
  for (const preset of Object.keys(PRESETS).filter((name) => name !== 'O0')) {
    results.push({ preset, ladder: await climb(model, preset) });
    process.stderr.write(`${model} ${preset} done\n`);
  }

const text = [
  '# Ladders',
  '',
  'Printed by `npm run bench:ladder`: each preset pass by pass, as `plumbline ladder MODEL --passes PRESET --orders` prints it. Every row is a whole compile of the',
  'pipeline up to that pass, executed on the same images.',
  '',
  ...results.flatMap(({ preset, ladder }) => [`## ${ladder.model}, ${preset}`, '', '```', renderLadder(ladder).trimEnd(), '```', '']),
].join('\n');
if (limit === undefined) {
  publish('ladder.md', text);
  const ladders = results.map(({ preset, ladder }) => ({ preset, ...ladder, host: undefined }));
  writeResult('ladder.json', `${JSON.stringify(ladders, undefined, 2)}\n`);
} else process.stdout.write(text);
