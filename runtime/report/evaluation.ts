/** An evaluation on one screen. */
import type { Target } from '../../isa/target.ts';
import { printPreprocess } from '../data/preprocess.ts';
import type { Evaluation } from '../evaluate/evaluate.ts';
import type { Proportion } from '../evaluate/metrics.ts';
import { classNotes, classesText } from './classes.ts';
import { bytes, count, oneLine, percent, shares, si, words } from './format.ts';
import { renderTable } from './table.ts';

/** Accuracy, speed, the reasons for it, traffic, energy and sizes, and which of the figures are measured, modelled or assumed. */
export function renderEvaluation(evaluation: Evaluation, target: Target): string {
  const { model, dataset, samples, data, passes, metrics, timing, energy, size, host } = evaluation;
  const batch = Math.round(timing.samplesPerSecond * timing.latencySeconds);
  const rows: string[][] = [
    ['accuracy', 'top-1', ...accuracyCells(metrics.top1)],
    // Of so few classes the first five are all.
    ...(evaluation.classes.ofModel > 5 ? [['', 'top-5', ...accuracyCells(metrics.top5)]] : []),
    ['speed', 'throughput', `${count(timing.samplesPerSecond)} samples/s`, batch === 1 ? 'one at a time' : `in batches of ${batch}`],
    ['', 'latency', si(timing.latencySeconds, 's'), `${count(timing.cycles)} cycles at ${si(timing.clockHertz, 'Hz')}`],
    ['', 'work', si(timing.operationsPerSecond, 'OP/s'), `${si(timing.macs, 'MAC')} a sample, two operations each`],
    ['', 'utilization', percent(timing.utilization), `of the 16-bit peak, ${si(timing.peakOperationsPerSecond, 'OP/s')}`],
    ...stallRows(timing.stalls),
    ...trafficRows(timing.bytes, batch),
    ['energy', 'a sample', si(energy.joulesPerSample, 'J'), ''],
    ['size', 'code', bytes(size.codeBytes), `${count(size.instructions)} instructions`],
    ['', 'weights', bytes(size.weightBytes), `the whole program file: ${bytes(size.programBytes)}`],
    ['host', 'this computer', `${count(host.samplesPerSecond)} samples/s`, `compiled in ${si(host.compileSeconds, 's')}`],
  ];
  return [
    `${oneLine(model)} on ${oneLine(evaluation.target)}: ${count(samples)} samples of ${oneLine(dataset)}, ${classesText(evaluation.classes)}`,
    `passes: ${passes === '' ? 'none' : oneLine(passes)}`,
    `input: ${data.preprocess ? printPreprocess(data.preprocess) : 'as stored'}, data ${data.sha256.slice(0, 12)}`,
    '',
    renderTable([{ title: '' }, { title: '' }, { title: '', align: 'right' }, { title: '' }], rows),
    ...classNotes(evaluation.classes),
    ...chanceNote(evaluation),
    'Accuracy is that of the executed program. Cycles and bytes are modelled, energy is priced by a table. The target assumes:',
    `${assumed(target)} (see: plumbline targets ${target.name}).`,
    '',
  ].join('\n');
}

/** Fewer samples than this say nothing about chance. */
const LEAST_FOR_CHANCE = 20;

/** Accuracy that is no better than naming one class always is mostly a mistake in the data's preparation. */
function chanceNote({ samples, classes, metrics: { top1 } }: Evaluation): readonly string[] {
  if (samples < LEAST_FOR_CHANCE || classes.held < 2 || top1.low > classes.mostFrequent) return [];
  return [
    `Top-1 is no better than naming the most frequent class always, ${percent(classes.mostFrequent)}: look at the preprocessing (scale, mean, channel`,
    'order, layout), at the order of the classes, and at their offset (class-offset); then at the passes, with --passes O0.',
  ];
}

function accuracyCells({ value, low, high }: Proportion): string[] {
  return [percent(value), `95 % interval ${(100 * low).toFixed(2)} to ${percent(high)}`];
}

function stallRows(stalls: Evaluation['timing']['stalls']): string[][] {
  const entries = Object.entries(stalls);
  const parts = shares(entries.map(([, cycles]) => cycles));
  const shown = entries
    .map(([cause, cycles], i) => ({ cause: words(cause), cycles, share: parts[i] ?? 0 }))
    .filter(({ cycles }) => cycles > 0)
    .sort((a, b) => b.cycles - a.cycles);
  return shown.map(({ cause, cycles, share }, i) => [i === 0 ? 'cycles' : '', cause, `${share.toFixed(1)} %`, count(cycles)]);
}

function trafficRows(traffic: Evaluation['timing']['bytes'], batch: number): string[][] {
  const shown = Object.entries(traffic).filter(([, { read, write }]) => read + write > 0);
  return shown.map(([memory, { read, write }], i) => [
    i === 0 ? 'bytes' : '',
    memory,
    bytes(read + write),
    `${bytes(read)} read, ${bytes(write)} written${batch === 1 ? '' : ' a batch'}`,
  ]);
}

/** Figures of a target that no publication backs. */
function assumed({ sources }: Target): string {
  return Object.entries(sources)
    .filter(([, source]) => source.startsWith('assumed: '))
    .map(([figure]) => figure)
    .join(', ');
}
