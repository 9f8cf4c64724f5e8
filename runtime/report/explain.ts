/** One value on one screen. */
import type { Explanation, StageOp } from '../diff/explain.ts';
import type { TensorDiff } from '../diff/tensors.ts';
import type { Spread, WeightsView } from '../diff/weights.ts';
import { bytes, count, oneLine, percent, si } from './format.ts';
import { decibelText, shortNumber } from './numbers.ts';
import { causesOf } from './profile.ts';
import { renderTable } from './table.ts';

const MAX_BAR = 40;

export function renderExplanation(explanation: Explanation): string {
  const { model, target, value, type, origin, samples, statistics } = explanation;
  const { minimum, maximum, mean, deviation, zeros, nonFinite } = statistics;
  const rows: string[][] = [
    ['origin', origin.length === 0 ? 'made by the compiler' : oneLine(origin.join(', '))],
    ...explanation.stages.flatMap(({ stage, ops }) => ops.map((op, i) => [i === 0 ? stage : '', describeOp(op)])),
    ['instructions', ranges(explanation)],
    ...costRows(explanation),
    ['range', `${shortNumber(minimum)} to ${shortNumber(maximum)}, mean ${shortNumber(mean)}, deviation ${shortNumber(deviation)}`],
    [
      '',
      `${percent(zeros, 1)} zeros${nonFinite > 0 ? `, ${count(nonFinite)} NaN or infinite` : ''}; ${count(statistics.elements)} elements of ${count(samples)} samples`,
    ],
    ...weightRows(explanation.weights),
    ...errorRows(explanation.error),
  ];
  return [
    `%${oneLine(value)}: ${type} in ${oneLine(model)} on ${oneLine(target)}`,
    '',
    renderTable([{ title: '' }, { title: '' }], rows),
    histogramText(explanation),
  ].join('\n');
}

function describeOp({ value, op, operands, type }: StageOp): string {
  return `%${value}: ${type} = ${op}(${operands.map((name) => (name === '' ? '_' : `%${name}`)).join(', ')})`;
}

function ranges({ instructions }: Explanation): string {
  const total = instructions.reduce((sum, { first, end }) => sum + end - first, 0);
  if (total === 0) return 'none: no instruction computes it';
  return `${count(total)}, at ${instructions.map(({ first, end }) => (end - first === 1 ? String(first) : `${first} to ${end - 1}`)).join(', ')}`;
}

function costRows({ cost, programCycles }: Explanation): string[][] {
  if (!cost) return [];
  const { cycles, stalls, executions, busyCycles, bytes: moved, joules, macs } = cost;
  const part = programCycles === 0 ? 0 : cycles / programCycles;
  return [
    [
      'cycles',
      `${count(cycles)}, ${percent(part, 1)} of the program: ${causesOf(stalls, cycles)}; units are held for ${count(busyCycles)}`,
    ],
    ['work', `${si(macs, 'MAC')} in ${count(executions)} executed instructions`],
    [
      'bytes',
      Object.entries(moved)
        .filter(([, { read, write }]) => read + write > 0)
        .map(([memory, { read, write }]) => `${memory} ${bytes(read + write)}`)
        .join(', '),
    ],
    ['energy', si(joules, 'J')],
  ];
}

function weightRows(weights: WeightsView | undefined): string[][] {
  if (!weights) return [];
  const { type, channels, magnitude, steps } = weights;
  const scales = steps && (steps.scales === 'channel' ? ', a scale for each channel' : ', one scale for all channels');
  const each = ({ least, median, greatest }: Spread): string =>
    `${shortNumber(least)} to ${shortNumber(greatest)}, median ${shortNumber(median)}`;
  return [
    ['weights', `${type}${scales ?? ''}: the greatest of each of ${count(channels)} is ${each(magnitude)}`],
    ...(steps ? [['', `in steps of the type, of which there are ${count(steps.available)}: ${each(steps)}`]] : []),
  ];
}

function errorRows(error: TensorDiff | undefined): string[][] {
  if (!error) return [];
  const { verdict, reason, local, inherited, cumulative, effectDecibels, excessDecibels } = error;
  const excess =
    excessDecibels === -Infinity
      ? ''
      : `, ${Math.abs(excessDecibels).toFixed(1)} dB ${excessDecibels > 0 ? 'above' : 'below'} what rounding explains`;
  return [
    ['error', `${verdict}${reason === undefined ? '' : `: ${reason}`}`],
    ['', `local SQNR ${decibelText(local.sqnrDecibels)}${excess}; inherited ${decibelText(inherited.sqnrDecibels)}`],
    [
      '',
      `as the program ran ${decibelText(cumulative.sqnrDecibels)}: at most ${shortNumber(cumulative.maximumError)}${steps(cumulative.maximumSteps)}; ${shortNumber(cumulative.rmse)}${steps(cumulative.rmseSteps)} rms`,
    ],
    ['', `at the outputs, with this local error alone ${decibelText(effectDecibels)}`],
  ];
}

function steps(value: number | undefined): string {
  return value === undefined ? '' : ` (${shortNumber(value)} steps)`;
}

function histogramText({ histogram }: Explanation): string {
  const most = Math.max(1, ...histogram.map((bin) => bin.count));
  const rows = histogram.map(({ low, high, count: n }) => [
    shortNumber(low),
    'to',
    shortNumber(high),
    count(n),
    '█'.repeat(Math.round((n / most) * MAX_BAR)),
  ]);
  const columns = [
    { title: '', align: 'right' },
    { title: '' },
    { title: '', align: 'right' },
    { title: '', align: 'right' },
    { title: '' },
  ] as const;
  return renderTable(columns, rows);
}
