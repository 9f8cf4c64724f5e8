/**
 * `npm run bench:ladder`: what each pass of each preset does to mobilenet and resnet on `cambricon`, on all test images. Writes
 * benchmarks/results/ladder.md and ladder.json. With a number of images behind it, as `npm run bench:ladder -- 100`, it only prints.
 */
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { PRESETS } from '../passes/registry.ts';
import type { Ladder } from '../runtime/evaluate/ladder.ts';
import { renderLadder } from '../runtime/report/ladder.ts';
import { publish, writeResult } from './report.ts';

const MODELS = ['mobilenet', 'resnet'] as const;
const CONTRACT_SAMPLES = 8;
/** Presets whose passes are put in other orders, too. */
const REORDERED: readonly string[] = ['O1', 'int8'];

const limit = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
/** The built program, because only that has threads. */
const MAIN = fileURLToPath(new URL('../dist/compiler/cli/main.js', import.meta.url));

function climb(model: string, preset: string): Ladder {
  const args = ['ladder', model, '--passes', preset, '--contracts', String(CONTRACT_SAMPLES), '--json'];
  if (REORDERED.includes(preset)) args.push('--orders');
  const images = limit === undefined ? [] : ['--limit', String(limit)];
  const text = execFileSync(process.execPath, [MAIN, ...args, ...images], { encoding: 'utf8', maxBuffer: Infinity });
  return JSON.parse(text) as Ladder;
}

const results: { readonly preset: string; readonly ladder: Ladder }[] = [];
for (const model of MODELS)
  for (const preset of Object.keys(PRESETS).filter((name) => name !== 'O0')) {
    results.push({ preset, ladder: climb(model, preset) });
    process.stderr.write(`${model} ${preset} done\n`);
  }

const text = [
  '# Ladders',
  '',
  'Printed by `npm run bench:ladder`: each preset pass by pass, as `plumbline ladder MODEL --passes PRESET` prints it, with `--orders` where it ends in other orders. Every row is a whole compile of the',
  'pipeline up to that pass, executed on the same images.',
  '',
  ...results.flatMap(({ preset, ladder }) => [`## ${ladder.model}, ${preset}`, '', '```', renderLadder(ladder).trimEnd(), '```', '']),
].join('\n');
if (limit === undefined) {
  publish('ladder.md', text);
  const ladders = results.map(({ preset, ladder }) => ({ preset, ...ladder, host: undefined }));
  writeResult('ladder.json', `${JSON.stringify(ladders, undefined, 2)}\n`);
} else process.stdout.write(text);
