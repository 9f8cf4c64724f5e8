/** An evaluation on one screen. */
import type { Target } from '../../isa/target.ts';
import { printPreprocess } from '../data/preprocess.ts';
import type { Evaluation } from '../evaluate/evaluate.ts';
import type { Proportion } from '../evaluate/metrics.ts';
import { bytes, count, oneLine, percent, shares, si, words } from './format.ts';
import { renderTable } from './table.ts';

/** Accuracy, speed, the reasons for it, traffic, energy and sizes, and which of the figures are measured, modelled or assumed. */
export function renderEvaluation(evaluation: Evaluation, target: Target): string {
  const { model, dataset, samples, data, passes, metrics, timing, energy, size, host } = evaluation;
  const batch = Math.round(timing.samplesPerSecond * timing.latencySeconds);
  const rows: string[][] = [
    ['accuracy', 'top-1', ...accuracyCells(metrics.top1)],
    ['', 'top-5', ...accuracyCells(metrics.top5)],
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
    `${oneLine(model)} on ${oneLine(evaluation.target)}: ${count(samples)} samples of ${oneLine(dataset)}`,
    `passes: ${passes === '' ? 'none' : oneLine(passes)}`,
    `input: ${data.preprocess ? printPreprocess(data.preprocess) : 'as stored'}, data ${data.sha256.slice(0, 12)}`,
    '',
    renderTable([{ title: '' }, { title: '' }, { title: '', align: 'right' }, { title: '' }], rows),
    'Accuracy is that of the executed program. Cycles and bytes are modelled, energy is priced by a table. The target assumes:',
    `${assumed(target)} (see: plumbline targets ${target.name}).`,
    '',
  ].join('\n');
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
