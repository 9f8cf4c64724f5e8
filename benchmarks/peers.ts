/**
 * `npm run bench:peers`: how long one image takes, by our engine on the compiled program, by onnxruntime-web (WebAssembly with SIMD) and by
 * onnxruntime-node, one thread each, by turns in one process. Writes benchmarks/results/peers.json and peers.md. Networks from outside are in the table
 * where `PLUMBLINE_REAL_DATA` names their folder.
 */
import { cpus } from 'node:os';
import * as ortNode from 'onnxruntime-node';
import * as ortWeb from 'onnxruntime-web';
import { findModel } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { importOnnx } from '../compiler/frontend/import.ts';
import { elementCount } from '../compiler/ir/types.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { FastMachine } from '../runtime/engine/fast-machine.ts';
import { uniformF32, xorshift32 } from '../runtime/numerics/random.ts';
import { monotonicSeconds, readFile } from '../runtime/platform/node.ts';
import { FLOAT_NETWORKS, markdownTable, outsideModel, publish, writeResult } from './report.ts';

const OUTSIDE = ['mlperf-tiny-resnet8-cifar10', 'mlperf-tiny-dscnn-kws', 'mobilenet-v1-0.25-128', 'mobilenet-v2-1.0-224'];

const ROUNDS = 15;
/** Short runs are repeated so that a round of one contender takes about this long. */
const ROUND_SECONDS = 0.03;
const WARM_UPS = 3;

interface Contender {
  /** Compiling or loading, in milliseconds. */
  readonly setupMilliseconds: number;
  readonly run: () => Promise<void> | void;
}

interface Figures {
  readonly minimum: number;
  readonly median: number;
}

interface Row {
  readonly model: string;
  readonly target: string;
  readonly precision: string;
  /** Medians. */
  readonly engineMilliseconds: number;
  readonly ortWebMilliseconds: number;
  readonly ortNodeMilliseconds: number;
  /** Of medians. */
  readonly ratioWeb: number;
  readonly ratioNode: number;
  readonly minimum: Pick<Row, 'engineMilliseconds' | 'ortWebMilliseconds' | 'ortNodeMilliseconds' | 'ratioWeb' | 'ratioNode'>;
  readonly setup: { readonly compileMilliseconds: number; readonly ortWebMilliseconds: number; readonly ortNodeMilliseconds: number };
}

async function timed<T>(work: () => Promise<T> | T): Promise<readonly [T, number]> {
  const start = monotonicSeconds();
  const result = await work();
  return [result, 1000 * (monotonicSeconds() - start)];
}

async function contenders(model: Uint8Array): Promise<readonly [Contender, Contender, Contender]> {
  const target = loadTarget('cambricon');
  const [machine, compileMilliseconds] = await timed(() => {
    const { program } = compileModel(importOnnx(model), { target, passes: parsePipeline('O1') });
    return new FastMachine(program, target);
  });
  const [input] = importOnnx(model).inputs;
  if (!input) throw new Error('the model has no input');
  let state = 1;
  const data = Float32Array.from({ length: elementCount(input.type.shape) }, () => uniformF32((state = xorshift32(state))));
  const outputs = machine.program.outputs.map(({ name }) => name);
  const engine: Contender = {
    setupMilliseconds: compileMilliseconds,
    run: () => {
      machine.reset();
      machine.writeInput(input.name, data);
      machine.run();
      for (const name of outputs) machine.readOutput(name);
    },
  };
  ortWeb.env.wasm.numThreads = 1;
  const [web, webMilliseconds] = await timed(() => ortWeb.InferenceSession.create(model, { executionProviders: ['wasm'] }));
  const [native, nodeMilliseconds] = await timed(() =>
    ortNode.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 }),
  );
  return [
    engine,
    {
      setupMilliseconds: webMilliseconds,
      run: async () => {
        await web.run({ [input.name]: new ortWeb.Tensor('float32', data, input.type.shape) });
      },
    },
    {
      setupMilliseconds: nodeMilliseconds,
      run: async () => {
        await native.run({ [input.name]: new ortNode.Tensor('float32', data, input.type.shape) });
      },
    },
  ];
}

/** Milliseconds of one run of each contender. */
async function race(all: readonly Contender[]): Promise<readonly Figures[]> {
  const counts: number[] = [];
  for (const { run } of all) {
    for (let i = 0; i < WARM_UPS; i++) await run();
    const [, milliseconds] = await timed(run);
    counts.push(Math.max(1, Math.round((1000 * ROUND_SECONDS) / milliseconds)));
  }
  const times: number[][] = all.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, { run }] of all.entries()) {
      const count = counts[i] ?? 1;
      const [, milliseconds] = await timed(async () => {
        for (let n = 0; n < count; n++) await run();
      });
      times[i]?.push(milliseconds / count);
    }
  return times.map((own) => {
    const sorted = own.toSorted((a, b) => a - b);
    return { minimum: sorted[0] ?? NaN, median: sorted[ROUNDS >> 1] ?? NaN };
  });
}

const rounded = (x: number): number => Number(x.toPrecision(4));

async function row(model: string, bytes: Uint8Array): Promise<Row> {
  const all = await contenders(bytes);
  const figures = await race(all);
  const pick = (which: keyof Figures): Row['minimum'] => {
    const [engine = NaN, web = NaN, node = NaN] = figures.map((each) => each[which]);
    return {
      engineMilliseconds: rounded(engine),
      ortWebMilliseconds: rounded(web),
      ortNodeMilliseconds: rounded(node),
      ratioWeb: rounded(engine / web),
      ratioNode: rounded(engine / node),
    };
  };
  const [compile, web, node] = all.map(({ setupMilliseconds }) => rounded(setupMilliseconds));
  process.stderr.write(`${model} done\n`);
  return {
    model,
    target: 'cambricon',
    precision: 'f32',
    ...pick('median'),
    minimum: pick('minimum'),
    setup: { compileMilliseconds: compile ?? NaN, ortWebMilliseconds: web ?? NaN, ortNodeMilliseconds: node ?? NaN },
  };
}

const models = [
  ...FLOAT_NETWORKS.map((name) => [name, findModel(name).path] as const),
  ...OUTSIDE.map((name) => [name, outsideModel(name)] as const),
];
const rows: Row[] = [];
for (const [name, path] of models) if (path !== undefined) rows.push(await row(name, readFile(path)));

const cpu = cpus()[0]?.model ?? 'unknown';
const geometricMean = (values: readonly number[]): number => Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);
const means = {
  ratioWeb: rounded(geometricMean(rows.map(({ ratioWeb }) => ratioWeb))),
  ratioNode: rounded(geometricMean(rows.map(({ ratioNode }) => ratioNode))),
};
writeResult('peers.json', `${JSON.stringify({ schema: 'plumbline.peers/1', cpu, rounds: ROUNDS, geometricMean: means, rows }, null, 2)}\n`);
const cell = (x: number): string => (x < 10 ? x.toPrecision(3) : x.toFixed(1));
const header = [
  'model',
  'engine ms',
  'onnxruntime-web ms',
  'onnxruntime-node ms',
  'of web (minimum)',
  'of node',
  'compile ms',
  'web load ms',
  'node load ms',
];
const cells = [
  ...rows.map((each) => [
    each.model,
    cell(each.engineMilliseconds),
    cell(each.ortWebMilliseconds),
    cell(each.ortNodeMilliseconds),
    `${each.ratioWeb.toFixed(2)} (${each.minimum.ratioWeb.toFixed(2)})`,
    each.ratioNode.toFixed(2),
    cell(each.setup.compileMilliseconds),
    cell(each.setup.ortWebMilliseconds),
    cell(each.setup.ortNodeMilliseconds),
  ]),
  ['**geometric mean**', '', '', '', means.ratioWeb.toFixed(2), means.ratioNode.toFixed(2), '', '', ''],
];
const text = [
  '# Beside other runtimes',
  '',
  `Printed by \`npm run bench:peers\` on ${cpu}: the time that one image takes, median of ${ROUNDS} rounds by turns in one process, one thread each. Ours is the fast engine executing the`,
  'compiled program on `cambricon` in f32, bit for bit, with every access checked; the others run the model with their own optimizations. Ratios below 1 are faster than the other.',
  '',
  markdownTable(header, cells),
  '',
].join('\n');
publish('peers.md', text);
