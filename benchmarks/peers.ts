/**
 * `npm run bench:peers`: how long one image takes, by our engine on the compiled program, by onnxruntime-web (WebAssembly with SIMD) and by
 * onnxruntime-node, one thread each, by turns in one process; and how long each takes to load the model, cold and warm, in a process of its own.
 * Writes benchmarks/results/peers.json and peers.md; with models as arguments (`npx tsx benchmarks/peers.ts lenet-5`) it prints theirs only. Networks from
 * outside are in the tables where `PLUMBLINE_REAL_DATA` names their folder. Ends with 1 where a network takes longer to compile than it may.
 */
import { cpus } from 'node:os';
import process from 'node:process';
import { findModel } from '../compiler/cli/model.ts';
import { monotonicSeconds, readFile } from '../runtime/platform/node.ts';
import type { LoadPhase, Run } from './contenders.ts';
import { CONTENDERS, engineName, F32, inputOf, ORT_NODE, ORT_WEB, randomImage, REDUCED, TARGET } from './contenders.ts';
import type { Loading } from './loading.ts';
import { measureLoading } from './loading.ts';
import { FLOAT_NETWORKS, markdownTable, outsideModel, publish, writeResult } from './report.ts';

const OUTSIDE = ['mlperf-tiny-resnet8-cifar10', 'mlperf-tiny-dscnn-kws', 'mobilenet-v1-0.25-128', 'mobilenet-v2-1.0-224'];

/** What a network may take from its bytes to a machine that can run it, cold, in milliseconds. */
const COMPILE_LIMITS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(FLOAT_NETWORKS.map((name) => [name, 1000])),
  'mobilenet-v2-1.0-224': 3000,
};

const ROUNDS = 15;
/** Short runs are repeated so that a round of one contender takes about this long. */
const ROUND_SECONDS = 0.03;
const WARM_UPS = 3;

interface Figures {
  readonly minimum: number;
  readonly median: number;
}

interface Row {
  readonly model: string;
  /** Medians. */
  readonly engineMilliseconds: number;
  readonly ortWebMilliseconds: number;
  readonly ortNodeMilliseconds: number;
  /** Of medians. */
  readonly ratioWeb: number;
  readonly ratioNode: number;
  readonly minimum: Pick<Row, 'engineMilliseconds' | 'ortWebMilliseconds' | 'ortNodeMilliseconds' | 'ratioWeb' | 'ratioNode'>;
  readonly loading: { readonly engine: Loading; readonly ortWeb: Loading; readonly ortNode: Loading };
  /** Our engine on the programs of the reduced precisions, and the ratios to its own f32 program in the same rounds. */
  readonly reduced: readonly { readonly precision: string; readonly engineMilliseconds: number; readonly ratioF32: number }[];
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const start = monotonicSeconds();
  await work();
  return 1000 * (monotonicSeconds() - start);
}

/** Milliseconds of one run of each contender. */
async function race(runs: ReadonlyMap<string, Run>, data: Float32Array): Promise<ReadonlyMap<string, Figures>> {
  const counts = new Map<string, number>();
  for (const [name, run] of runs) {
    for (let i = 0; i < WARM_UPS; i++) await run(data);
    counts.set(name, Math.max(1, Math.round((1000 * ROUND_SECONDS) / (await timed(() => run(data))))));
  }
  const times = new Map<string, number[]>([...runs.keys()].map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, run] of runs) {
      const count = counts.get(name) ?? 1;
      const milliseconds = await timed(async () => {
        for (let n = 0; n < count; n++) await run(data);
      });
      times.get(name)?.push(milliseconds / count);
    }
  return new Map(
    [...times].map(([name, own]) => {
      const sorted = own.toSorted((a, b) => a - b);
      return [name, { minimum: sorted[0] ?? NaN, median: sorted[ROUNDS >> 1] ?? NaN }];
    }),
  );
}

const rounded = (x: number): number => Number(x.toPrecision(4));

function measured<T>(results: ReadonlyMap<string, T>, name: string): T {
  const result = results.get(name);
  if (result === undefined) throw new Error(`${name} was not measured`);
  return result;
}

async function rowOf(model: string, path: string): Promise<Row> {
  const bytes = readFile(path);
  const input = inputOf(bytes);
  const runs = new Map<string, Run>();
  for (const [name, load] of CONTENDERS) runs.set(name, await load(bytes, input));
  const figures = await race(runs, randomImage(input));
  const loading = (name: string): Loading => measureLoading(name, path, input);
  const own = engineName(F32);
  const pick = (which: keyof Figures): Row['minimum'] => {
    const [ours, theirs, native] = [own, ORT_WEB, ORT_NODE].map((name) => measured(figures, name)[which]) as [number, number, number];
    return {
      engineMilliseconds: rounded(ours),
      ortWebMilliseconds: rounded(theirs),
      ortNodeMilliseconds: rounded(native),
      ratioWeb: rounded(ours / theirs),
      ratioNode: rounded(ours / native),
    };
  };
  const row: Row = {
    model,
    ...pick('median'),
    minimum: pick('minimum'),
    loading: { engine: loading(own), ortWeb: loading(ORT_WEB), ortNode: loading(ORT_NODE) },
    reduced: REDUCED.map((variant) => {
      const { median } = measured(figures, engineName(variant));
      return {
        precision: variant.precision,
        engineMilliseconds: rounded(median),
        ratioF32: rounded(median / measured(figures, own).median),
      };
    }),
  };
  process.stderr.write(`${model} done\n`);
  return row;
}

const geometricMean = (values: readonly number[]): number => Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);

type Means = Pick<Row, 'ratioWeb' | 'ratioNode'> & { readonly reduced: Readonly<Record<string, number>> };

/** Geometric means of the ratios; those to f32 by precision. */
function meansOf(rows: readonly Row[]): Means {
  const of = (ratio: (row: Row) => number): number => rounded(geometricMean(rows.map(ratio)));
  return {
    ratioWeb: of(({ ratioWeb }) => ratioWeb),
    ratioNode: of(({ ratioNode }) => ratioNode),
    reduced: Object.fromEntries(REDUCED.map(({ precision }, i) => [precision, of(({ reduced }) => reduced[i]?.ratioF32 ?? NaN)])),
  };
}

const cell = (x: number): string => (x < 10 ? x.toPrecision(3) : x.toFixed(1));

function speedTable(rows: readonly Row[], { ratioWeb, ratioNode }: Means): string {
  return markdownTable(
    ['model', 'engine ms', 'onnxruntime-web ms', 'onnxruntime-node ms', 'of web (minimum)', 'of node'],
    [
      ...rows.map((row) => [
        row.model,
        cell(row.engineMilliseconds),
        cell(row.ortWebMilliseconds),
        cell(row.ortNodeMilliseconds),
        `${row.ratioWeb.toFixed(2)} (${row.minimum.ratioWeb.toFixed(2)})`,
        row.ratioNode.toFixed(2),
      ]),
      ['**geometric mean**', '', '', '', ratioWeb.toFixed(2), ratioNode.toFixed(2)],
    ],
  );
}

function precisionTable(rows: readonly Row[], { reduced: means }: Means): string {
  return markdownTable(
    ['model', 'f32 ms', ...REDUCED.map(({ precision }) => `${precision} ms (of f32)`)],
    [
      ...rows.map(({ model, engineMilliseconds, reduced }) => [
        model,
        cell(engineMilliseconds),
        ...reduced.map((each) => `${cell(each.engineMilliseconds)} (${each.ratioF32.toFixed(2)})`),
      ]),
      ['**geometric mean**', '', ...REDUCED.map(({ precision }) => (means[precision] ?? NaN).toFixed(2))],
    ],
  );
}

const coldAndWarm = ({ cold, warm }: Loading): string => `${cell(cold.milliseconds)} (${cell(warm.milliseconds)})`;

function loadingTable(rows: readonly Row[]): string {
  return markdownTable(
    ['model', 'compile ms', 'onnxruntime-web session ms', 'onnxruntime-node session ms'],
    rows.map(({ model, loading }) => [model, coldAndWarm(loading.engine), coldAndWarm(loading.ortWeb), coldAndWarm(loading.ortNode)]),
  );
}

function phaseTable(rows: readonly Row[]): string {
  const phases = Object.keys(rows[0]?.loading.engine.cold.phases ?? {}) as LoadPhase[];
  return markdownTable(
    ['model', ...phases],
    rows.map(({ model, loading: { engine } }) => [
      model,
      ...phases.map((phase) => `${cell(engine.cold.phases[phase] ?? 0)} (${cell(engine.warm.phases[phase] ?? 0)})`),
    ]),
  );
}

/** The networks that take longer than they may. */
function tooSlow(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ model, loading }) => {
    const limit = COMPILE_LIMITS[model] ?? Infinity;
    const { milliseconds } = loading.engine.cold;
    return milliseconds > limit ? [`${model} takes ${milliseconds} ms of ${limit} ms`] : [];
  });
}

function render(rows: readonly Row[], means: Means, cpu: string): string {
  const slow = tooSlow(rows);
  return [
    '# Beside other runtimes',
    '',
    `Printed by \`npm run bench:peers\` on ${cpu}: the time that one image takes, median of ${ROUNDS} rounds by turns in one process, one thread each. Ours is the fast engine executing the`,
    'compiled program in f32, bit for bit, with every access checked; the others run the model with their own optimizations. Ratios below 1 are faster than the other.',
    '',
    speedTable(rows, means),
    '',
    '## Reduced precisions',
    '',
    'Our engine on the programs of the presets, in the same rounds, and in brackets of its own time in f32: what it takes to compute, not the cycles of the accelerator.',
    '',
    precisionTable(rows, means),
    '',
    '## Loading a model',
    '',
    'From the bytes of the model to what can run it, in a process for each contender: the first load of the process, cold, and the median of those after it (warm). Ours imports, compiles,',
    `verifies and makes the machine. Limits for ours, cold: 1 s for the networks of the zoo, 3 s for MobileNet-v2; ${slow.length === 0 ? 'all are kept.' : `broken: ${slow.join(', ')}.`}`,
    '',
    loadingTable(rows),
    '',
    '## Where compile time goes',
    '',
    'Milliseconds of the phases, cold (warm).',
    '',
    phaseTable(rows),
    '',
  ].join('\n');
}

async function main(asked: readonly string[]): Promise<void> {
  const known = new Map<string, string | undefined>([
    ...FLOAT_NETWORKS.map((name) => [name, findModel(name).path] as const),
    ...OUTSIDE.map((name) => [name, outsideModel(name)] as const),
  ]);
  const rows: Row[] = [];
  for (const name of asked.length > 0 ? asked : known.keys()) {
    const path = known.get(name) ?? (asked.length > 0 ? findModel(name).path : undefined);
    if (path !== undefined) rows.push(await rowOf(name, path));
  }
  const cpu = cpus()[0]?.model ?? 'unknown';
  const means = meansOf(rows);
  const text = render(rows, means, cpu);
  if (asked.length > 0) process.stdout.write(text);
  else {
    writeResult(
      'peers.json',
      `${JSON.stringify({ schema: 'plumbline.peers/2', cpu, target: TARGET, rounds: ROUNDS, geometricMeans: means, rows }, null, 2)}\n`,
    );
    publish('peers.md', text);
  }
  if (tooSlow(rows).length > 0) process.exitCode = 1;
}

await main(process.argv.slice(2));
