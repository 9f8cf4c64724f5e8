/**
 * `npm run bench:evaluate`: `plumbline eval` on all test images, as users run it, in processes of its own: how long it takes with two workers, whether the
 * output is that of one, how two workers compare with two processes of one worker, and how much memory it needs. Writes benchmarks/results/evaluate.json
 * and evaluate.md. The model with large images is from outside, measured where `PLUMBLINE_REAL_DATA` names its folder. `-- --quick` takes a few images
 * and writes nothing.
 */
import { spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { monotonicSeconds } from '../runtime/platform/node.ts';
import { FLOAT_NETWORKS, markdownTable, outsideModel, publish, writeResult } from './report.ts';

const { quick } = parseArgs({ options: { quick: { type: 'boolean', default: false } } }).values;
const IMAGES = quick ? 200 : 10_000;
const NETWORKS = quick ? (['lenet-5', 'resnet'] as const) : FLOAT_NETWORKS;
/** Compared with two processes by turns, so many times. */
const SCALED = 'resnet';
const TURNS = quick ? 1 : 5;
const LARGE = 'mobilenet-v2-1.0-224';
const LARGE_IMAGES = quick ? [5, 20] : [100, 1000];

const MAIN = fileURLToPath(new URL('../dist/compiler/cli/main.js', import.meta.url));
/** Writes the largest resident memory of the process, in kilobytes, to its fourth descriptor when it ends. */
const REPORT_MEMORY = `data:text/javascript,${encodeURIComponent(
  `import { writeSync } from 'node:fs'; import { isMainThread } from 'node:worker_threads';
   if (isMainThread) process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));`,
)}`;
const MEGABYTE_KILOBYTES = 1000 / 1.024;

const evaluation = z.object({ metrics: z.object({ top1: z.object({ value: z.number() }) }), samples: z.number() });

interface Run {
  readonly seconds: number;
  /** Largest resident memory. */
  readonly megabytes: number;
  readonly top1: number;
  /** The output without `host`. */
  readonly output: string;
}

async function evaluate(model: string, workers: number, images: number, ...more: readonly string[]): Promise<Run> {
  const args = ['eval', model, '--json', '--workers', String(workers), '--limit', String(images), ...more];
  const start = monotonicSeconds();
  const child = spawn(process.execPath, ['--import', REPORT_MEMORY, MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const [text, kilobytes] = await Promise.all([1, 3].map((fd) => readAll(child.stdio[fd as 1 | 3] as NodeJS.ReadableStream)));
  const seconds = monotonicSeconds() - start;
  if (text === undefined || kilobytes === undefined || text === '') throw new Error(`plumbline ${args.join(' ')} failed`);
  const result = evaluation.parse(JSON.parse(text));
  return {
    seconds,
    megabytes: Math.round(Number(kilobytes) / MEGABYTE_KILOBYTES),
    top1: result.metrics.top1.value,
    output: JSON.stringify({ ...(JSON.parse(text) as object), host: undefined }),
  };
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) text += chunk as string;
  return text;
}

const rounded = (x: number): number => Number(x.toPrecision(4));
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

async function network(model: string) {
  const one = await evaluate(model, 1, IMAGES);
  const two = await evaluate(model, 2, IMAGES);
  process.stderr.write(`${model} done\n`);
  return {
    model,
    top1: two.top1,
    secondsOneWorker: rounded(one.seconds),
    secondsTwoWorkers: rounded(two.seconds),
    sameBytes: one.output === two.output,
    megabytesTwoWorkers: two.megabytes,
  };
}

/** Seconds that all images take: in one process with two workers, and in two processes with one worker and half of them each. */
async function scaling() {
  const command: number[] = [];
  const processes: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    command.push((await evaluate(SCALED, 2, IMAGES)).seconds);
    const start = monotonicSeconds();
    await Promise.all([0, 1].map(() => evaluate(SCALED, 1, IMAGES / 2)));
    processes.push(monotonicSeconds() - start);
  }
  const [secondsTwoWorkers, secondsTwoProcesses] = [rounded(median(command)), rounded(median(processes))];
  return { model: SCALED, turns: TURNS, secondsTwoWorkers, secondsTwoProcesses, ratio: rounded(secondsTwoProcesses / secondsTwoWorkers) };
}

async function memory() {
  const path = outsideModel(LARGE);
  if (path === undefined) return [];
  const data = join(process.env['PLUMBLINE_REAL_DATA'] ?? '', 'imagenet-224');
  const rows = [];
  for (const images of LARGE_IMAGES) {
    const { seconds, megabytes, top1 } = await evaluate(path, 2, images, '--data', data, '--preprocess', 'mobilenet-224,class-offset=1');
    rows.push({ model: LARGE, images, seconds: rounded(seconds), top1, megabytes });
  }
  return rows;
}

const networks = [];
for (const model of NETWORKS) networks.push(await network(model));
const scaled = await scaling();
const large = await memory();
const cpu = cpus()[0]?.model ?? 'unknown';

const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
const text = [
  '# Evaluation',
  '',
  `Printed by \`npm run bench:evaluate\` on ${cpu}, ${cpus().length} processors: \`plumbline eval\` in f32 on \`cambricon\`, a whole process with start and compile, on ${IMAGES} test`,
  'images. "same bytes" says whether the JSON of two workers is that of one, but for `host`. Memory is the largest resident set of the process.',
  '',
  markdownTable(
    ['model', 'top-1', 'one worker, s', 'two workers, s', 'times', 'same bytes', 'memory, MB'],
    networks.map((each) => [
      each.model,
      percent(each.top1),
      each.secondsOneWorker.toFixed(1),
      each.secondsTwoWorkers.toFixed(1),
      (each.secondsOneWorker / each.secondsTwoWorkers).toFixed(2),
      each.sameBytes ? 'yes' : 'NO',
      String(each.megabytesTwoWorkers),
    ]),
  ),
  '',
  `Two workers against two processes: ${SCALED} on ${IMAGES} images takes ${scaled.secondsTwoWorkers.toFixed(1)} s in one process with two workers, and ${scaled.secondsTwoProcesses.toFixed(1)} s in two processes at`,
  `once with one worker and ${IMAGES / 2} images each, start and compile included in both (medians of ${TURNS}, by turns): the one command does ${scaled.ratio.toFixed(2)} of the work of two processes.`,
  '',
  ...(large.length === 0
    ? []
    : [
        'Memory does not grow with the data:',
        '',
        markdownTable(
          ['model', 'images', 'two workers, s', 'top-1', 'memory, MB'],
          large.map((each) => [each.model, String(each.images), each.seconds.toFixed(1), percent(each.top1), String(each.megabytes)]),
        ),
        '',
      ]),
].join('\n');
const json = {
  schema: 'plumbline.evaluate-bench/1',
  cpu,
  processors: cpus().length,
  images: IMAGES,
  networks,
  scaling: scaled,
  memory: large,
};
if (quick) process.stdout.write(text);
else {
  writeResult('evaluate.json', `${JSON.stringify(json, null, 2)}\n`);
  publish('evaluate.md', text);
}
