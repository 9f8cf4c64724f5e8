/**
 * `npm run bench:precision`: every precision on the nine networks of the zoo and all their test images: predictions beside those of f32, cycles, bytes and
 * energy of the same programs. Models from outside are in the tables where `PLUMBLINE_REAL_DATA` names their folder. Writes
 * benchmarks/results/precision.md and precision.json. With a number of images behind it, as `npm run bench:precision -- 100`, it only prints.
 */
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { CAUSE_NAMES } from '../runtime/machine/causes.ts';
import { bytes, count, percent, points, si, words } from '../runtime/report/format.ts';
import type { Measurement, Precision, PrecisionRow } from './precision/measure.ts';
import { measureApart, PRECISION_NAMES, presetOf, TARGET } from './precision/measure.ts';
import { subjectNames } from './precision/subjects.ts';
import { FLOAT_NETWORKS, REDUCED_PRESETS, markdownTable, publish, writeResult } from './report.ts';

const limit = process.argv[2] === undefined ? Infinity : Number(process.argv[2]);
const EXPLAINED: readonly Precision[] = ['f16', 'int8'];

/** As many at once as there are processors, the last and largest first; results are in the order of the names. */
async function measureAll(names: readonly string[]): Promise<readonly Measurement[]> {
  const waiting = [...names.entries()];
  const results: Measurement[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next; next = waiting.pop()) results[next[0]] = await measureApart(next[1], limit);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

const rowOf = ({ rows, model }: Measurement, precision: Precision): PrecisionRow => {
  const row = rows.find((each) => each.precision === precision);
  if (!row) throw new Error(`${model} has no ${precision}`);
  return row;
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const geometricMean = (values: readonly number[]): number => Math.exp(mean(values.map(Math.log)));
const interval = ({ value, low, high }: PrecisionRow['loss']): string => `${points(value)} [${points(low)}, ${points(high)}]`;
const dram = ({ timing }: PrecisionRow): number => timing.bytes.dram.read + timing.bytes.dram.write;
const decibels = ({ outputSqnrDecibels, notFinite }: PrecisionRow): string =>
  `${outputSqnrDecibels === null ? '∞' : outputSqnrDecibels.toFixed(1)}${notFinite > 0 ? `, ${notFinite} not finite` : ''}`;

const all = await measureAll(subjectNames());
const zoo = all.filter(({ model }) => FLOAT_NETWORKS.some((name) => name === model));
const outside = all.filter((each) => !zoo.includes(each));

/** A row for each network, a column for each reduced precision. */
function byPrecision(
  head: string,
  cell: (measurement: Measurement, precision: Precision) => string,
  last: readonly (readonly string[])[] = [],
) {
  return markdownTable(
    [head, ...REDUCED_PRESETS],
    [...zoo.map((each) => [each.model, ...REDUCED_PRESETS.map((precision) => cell(each, precision))]), ...last],
  );
}

const losses = (precision: Precision): number[] => zoo.map((each) => rowOf(each, precision).loss.value);

const accuracy = [
  '## Top-1 loss',
  '',
  'In percentage points against f32 on the same images, with the 95 % interval of the paired difference (Agresti and Min 2005).',
  '',
  byPrecision('network', (each, precision) => interval(rowOf(each, precision).loss), [
    ['greatest', ...REDUCED_PRESETS.map((precision) => points(Math.max(...losses(precision))))],
    ['mean', ...REDUCED_PRESETS.map((precision) => points(mean(losses(precision))))],
  ]),
  '',
  '## Changed predictions',
  '',
  "Images predicted rightly only by the reduced program / only by f32, and the p-value of McNemar's exact test.",
  '',
  byPrecision('network', (each, precision) => {
    const { better, worse, pValue } = rowOf(each, precision).flips;
    return `${better} / ${worse}, ${pValue < 0.001 ? '< 0.001' : pValue.toFixed(3)}`;
  }),
  '',
  '## SQNR of the outputs, dB',
  '',
  byPrecision('network', (each, precision) => decibels(rowOf(each, precision))),
  '',
];

function costTable(title: string, of: (row: PrecisionRow) => number, show: (value: number) => string): string[] {
  const ratio = (each: Measurement, precision: Precision): number => of(rowOf(each, precision)) / of(rowOf(each, 'f32'));
  const rows = zoo.map((each) => [
    each.model,
    show(of(rowOf(each, 'f32'))),
    ...REDUCED_PRESETS.map((precision) => `${show(of(rowOf(each, precision)))} (${ratio(each, precision).toFixed(2)})`),
  ]);
  const means = REDUCED_PRESETS.map((precision) => geometricMean(zoo.map((each) => ratio(each, precision))).toFixed(3));
  return [`## ${title}`, '', markdownTable(['network', 'f32', ...REDUCED_PRESETS], [...rows, ['geometric mean', '1', ...means]]), ''];
}

const overF16 = zoo.map((each) => rowOf(each, 'int8').timing.cycles / rowOf(each, 'f16').timing.cycles);
const costs = [
  'Costs of one image, and in brackets the ratio to f32.',
  '',
  ...costTable('Cycles', ({ timing }) => timing.cycles, count),
  `Cycles of int8 over those of f16: geometric mean ${geometricMean(overF16).toFixed(3)}, greatest ${Math.max(...overF16).toFixed(3)}.`,
  '',
  ...costTable('Bytes through DRAM', dram, bytes),
  ...costTable(
    'Energy',
    ({ energy }) => energy.joulesPerSample,
    (joules) => si(joules, 'J'),
  ),
  ...costTable('Size of the program file', ({ size }) => size.programBytes, bytes),
];

/** Causes that take most cycles, with their shares. */
function causes({ timing }: PrecisionRow): string {
  const sorted = CAUSE_NAMES.map((cause) => [cause, timing.stalls[cause] / timing.cycles] as const).sort(([, a], [, b]) => b - a);
  return sorted
    .slice(0, 3)
    .map(([cause, share]) => `${words(cause)} ${percent(share, 0)}`)
    .join(', ');
}

const gains = [
  '## Why the gain is not that of the rates',
  '',
  'Rates: by how much the multiply-accumulates alone would be faster than in f32. Then the gain in cycles, what most cycles go to, and conversions between element',
  'types, inside the program and at its ports.',
  '',
  markdownTable(
    ['network', 'precision', 'rates', 'gain', 'cycles of f32', 'cycles', 'conversions'],
    zoo.flatMap((each) =>
      EXPLAINED.map((precision) => {
        const [base, row] = [rowOf(each, 'f32'), rowOf(each, precision)];
        const rates = base.rate !== null && row.rate !== null ? (base.rate / row.rate).toFixed(1) : '-';
        const { inside, atPorts } = row.conversions;
        return [
          each.model,
          precision,
          rates,
          (base.timing.cycles / row.timing.cycles).toFixed(2),
          causes(base),
          causes(row),
          `${inside} + ${atPorts}`,
        ];
      }),
    ),
  ),
  '',
];

const real = outside.flatMap((each) => [
  `### ${each.model}`,
  '',
  `${each.samples} samples of ${each.dataset} test; ${each.calibrationSamples} others calibrate.`,
  '',
  markdownTable(
    ['precision', 'top-1', '95 % Wilson', 'loss, points', 'agreement', 'better / worse', 'p', 'SQNR, dB', 'cycles', 'DRAM', 'energy'],
    each.rows.map((row) => [
      row.precision,
      percent(row.metrics.top1.value),
      `${points(row.metrics.top1.low)}-${points(row.metrics.top1.high)}`,
      row.precision === 'f32' ? '' : interval(row.loss),
      percent(row.agreement),
      `${row.flips.better} / ${row.flips.worse}`,
      row.flips.pValue < 0.001 ? '< 0.001' : row.flips.pValue.toFixed(3),
      decibels(row),
      count(row.timing.cycles),
      bytes(dram(row)),
      si(row.energy.joulesPerSample, 'J'),
    ]),
  ),
  '',
]);

const text = [
  '# Precisions',
  '',
  `Printed by \`npm run bench:precision\`: networks of the zoo on \`${TARGET}\`, ${zoo[0]?.samples ?? 0} test images each, compiled with the presets ${PRECISION_NAMES.map((name) => `\`${presetOf(name)}\``).join(', ')}`,
  'and executed. Cycles, bytes and energy are those of the modelled accelerator. Only calibration images calibrate. `int8-naive` and the floats of 8 bits stand beside',
  'the others because they are the pitfall: as fast, and wrong on some networks.',
  '',
  ...accuracy,
  ...costs,
  ...gains,
  ...(outside.length > 0 ? ['## Models from outside', '', ...real] : []),
].join('\n');
if (limit === Infinity) {
  publish('precision.md', text);
  writeResult(
    'precision.json',
    `${JSON.stringify({ schema: 'plumbline.precision-bench/1', target: TARGET, measurements: all }, null, 2)}\n`,
  );
} else process.stdout.write(text);
