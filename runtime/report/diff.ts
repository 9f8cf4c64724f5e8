/** A comparison of two runs: what changed at the outputs and in cost, then tensor by tensor. */
import type { Change, DiffReport, DiffSide, Sorting } from '../diff/diff.ts';
import { SORTINGS, sorted } from '../diff/diff.ts';
import type { Inside } from '../diff/align.ts';
import type { OutputComparison } from '../diff/outputs.ts';
import type { TensorDiff } from '../diff/tensors.ts';
import { VERDICTS } from '../diff/verdict.ts';
import type { Verdict } from '../diff/verdict.ts';
import { bytes, count, oneLine, pValueText, percent, si } from './format.ts';
import { decibelText, decibels, shortNumber } from './numbers.ts';
import type { Column } from './table.ts';
import { renderTable } from './table.ts';

export interface DiffRendering {
  readonly sorting: Sorting;
  /** Rows shown. */
  readonly top: number;
  /** All metrics instead of the most telling. */
  readonly wide: boolean;
}

/** A column of the table, with the direction that is worse in its title. */
interface Shown extends Column {
  readonly cell: (tensor: TensorDiff, share: number) => string;
}

const MAX_BAR = 10;
const SHOWN_FLIPS = 5;

const text = (title: string, cell: Shown['cell']): Shown => ({ title, cell });
const figure = (title: string, worse: '↓' | '↑', cell: Shown['cell']): Shown => ({ title: `${title} ${worse}`, align: 'right', cell });

const IDENTITY = [text('tensor', ({ value }) => value), text('op', ({ op }) => op), text('verdict', ({ verdict }) => verdict)];
const ERRORS = [
  figure('effect', '↓', ({ effectDecibels }) => decibels(effectDecibels)),
  figure('local', '↓', ({ local }) => decibels(local.sqnrDecibels)),
  figure('inherited', '↓', ({ inherited }) => decibels(inherited.sqnrDecibels)),
  figure('cumulative', '↓', ({ cumulative }) => decibels(cumulative.sqnrDecibels)),
  figure('excess', '↑', ({ excessDecibels }) =>
    Number.isFinite(excessDecibels) ? signed(excessDecibels) : excessDecibels > 0 ? 'all' : '',
  ),
];
const WITHOUT = [figure('without', '↓', ({ withoutDecibels }) => decibels(withoutDecibels ?? NaN))];
const STEPS = [
  figure('max', '↑', ({ cumulative }) => steps(cumulative.maximumSteps)),
  figure('rmse', '↑', ({ cumulative }) => steps(cumulative.rmseSteps)),
];
const CLAMPED = [figure('clamped', '↑', ({ cumulative }) => share(cumulative.saturated))];
const ZEROED = [figure('zeroed', '↑', ({ cumulative }) => share(cumulative.zeroed))];
const NON_FINITE = [figure('NaN/inf', '↑', ({ cumulative }) => (cumulative.nonFinite === 0 ? '' : count(cumulative.nonFinite)))];
const WIDE = [
  text('type', ({ type }) => type),
  figure('cosine', '↓', ({ cumulative }) => (cumulative.sqnrDecibels === Infinity ? '1' : cumulative.cosine.toFixed(6))),
  figure('max error', '↑', ({ cumulative }) => shortNumber(cumulative.maximumError)),
  figure('rms error', '↑', ({ cumulative }) => shortNumber(cumulative.rmse)),
  figure('bias', '↑', ({ cumulative }) => shortNumber(cumulative.meanError)),
  figure('predicted', '↑', ({ predictedRmse }) => shortNumber(predictedRmse)),
];
const BAR = [text('noise at the outputs', (_tensor, part) => (part > 0 ? `${percent(part, 1).padStart(7)} ${bar(part)}`.trimEnd() : ''))];

/** The columns that say something; all of them where that is asked for. */
function columnsFor(tensors: readonly TensorDiff[], wide: boolean): readonly Shown[] {
  const some = (is: (tensor: TensorDiff) => boolean): boolean => wide || tensors.some(is);
  return [
    ...IDENTITY,
    ...ERRORS,
    ...(tensors.some(({ withoutDecibels }) => withoutDecibels !== undefined) ? WITHOUT : []),
    ...STEPS,
    ...(some(({ cumulative }) => cumulative.saturated > 0) ? CLAMPED : []),
    ...(some(({ cumulative }) => cumulative.zeroed > 0) ? ZEROED : []),
    ...(some(({ cumulative }) => cumulative.nonFinite > 0) ? NON_FINITE : []),
    ...(wide ? WIDE : []),
    ...BAR,
  ];
}

export function renderDiff(report: DiffReport, { sorting, top, wide }: DiffRendering): string {
  const { tensors, inside, program, reference } = report;
  const rows = sorted(tensors, sorting);
  const shown = rows.slice(0, top);
  const columns = columnsFor(tensors, wide);
  const noise = tensors.reduce((sum, tensor) => sum + power(tensor), 0);
  const cells = shown.map((tensor) => columns.map(({ cell }) => cell(tensor, noise > 0 ? power(tensor) / noise : 0)));
  return [
    `${describe(program)}\nagainst ${describe(reference, program)}`,
    `data: ${count(report.outputs.samples)} samples of ${oneLine(report.dataset)}, ${count(report.samples)} of them tensor by tensor`,
    '',
    renderTable([{ title: '' }, { title: '' }, { title: '', align: 'right' }, { title: '' }], summary(report)),
    ...findings(tensors),
    renderTable(columns, cells),
    ...(rows.length > shown.length ? [`${rows.length - shown.length} more, see --top`] : []),
    ...(wide ? insideLines(inside) : insideCount(inside)),
    legend(sorting, report),
    '',
  ].join('\n');
}

function describe({ model, target, passes }: DiffSide, other?: DiffSide): string {
  const how = passes === '' ? 'as imported' : `passes ${oneLine(passes)}`;
  const where = other === undefined || other.target !== target ? ` on ${oneLine(target)}` : '';
  return `${other?.model === model ? 'the same model' : oneLine(model)}${where}, ${how}`;
}

function summary({ outputs, outputDecibels, cost, tensors, verdicts }: DiffReport): string[][] {
  const { referenceTop1, programTop1, agreement, better, worse, other, flips } = outputs;
  const interval = `95 % interval ${(100 * programTop1.low).toFixed(2)} to ${percent(programTop1.high)}`;
  const changed =
    flips.length === 0
      ? 'no class changed'
      : `${flips.length} changed: ${better} for the better, ${worse} for the worse, ${other} wrong both ways`;
  const logits = `${count(outputs.samples)} samples; mean KL divergence ${shortNumber(outputs.klDivergence)} nats`;
  return [
    ['outputs', 'top-1', percent(programTop1.value), `was ${percent(referenceTop1.value)}; ${interval}`],
    ['', 'agreement', percent(agreement.value), `${changed}; McNemar ${pValueText(outputs.pValue)}`],
    ['', 'SQNR', decibelText(outputs.sqnrDecibels), logits],
    [
      '',
      'margin',
      shortNumber(outputs.medianMargin),
      `median of the reference${flips.length > 0 ? `; at most ${shortNumber(outputs.widestFlippedMargin)} where the class changed` : ''}`,
    ],
    ...flipRows(outputs),
    ...(cost ? costRows(cost) : []),
    [
      'tensors',
      'compared',
      String(tensors.length),
      Object.entries(verdicts)
        .map(([verdict, n]) => `${n} ${verdict}`)
        .join(', '),
    ],
    ['', 'all together', decibelText(outputDecibels), 'SQNR of the outputs over the samples that were compared tensor by tensor'],
  ];
}

function flipRows({ flips }: OutputComparison): string[][] {
  const rows = flips
    .slice(0, SHOWN_FLIPS)
    .map(({ sample, label, reference, program, margin }, i) => [
      '',
      i === 0 ? 'changed' : '',
      `#${sample}`,
      `class ${label}: was ${reference}, is ${program}; the reference’s margin was ${shortNumber(margin)}`,
    ]);
  return flips.length > SHOWN_FLIPS ? [...rows, ['', '', '', `and ${flips.length - SHOWN_FLIPS} more, see --json`]] : rows;
}

function costRows({ cycles, joulesPerSample, dramBytes, programBytes }: NonNullable<DiffReport['cost']>): string[][] {
  const row = (name: string, { reference, program }: Change, write: (value: number) => string): string[] => {
    const ratio = reference === 0 ? 0 : program / reference - 1;
    return [
      '',
      name,
      write(program),
      program === reference ? 'the same' : `was ${write(reference)}, ${ratio > 0 ? '+' : ''}${percent(ratio, 1)}`,
    ];
  };
  const rows = [
    row('cycles', cycles, count),
    row('energy', joulesPerSample, (value) => si(value, 'J')),
    row('dram', dramBytes, bytes),
    row('program', programBytes, bytes),
  ];
  return rows.map((each, i) => (i === 0 ? ['cost', ...each.slice(1)] : each));
}

/** What is not as it should be, the worst first. */
function findings(tensors: readonly TensorDiff[]): string[] {
  const words = Object.keys(VERDICTS).reverse();
  const lines = [...tensors]
    .filter(({ verdict }) => verdict === 'broken' || verdict === 'suspicious')
    .sort((a, b) => words.indexOf(a.verdict) - words.indexOf(b.verdict) || a.effectDecibels - b.effectDecibels)
    .map(
      ({ verdict, value, origin, reason = '' }) =>
        `${verdict}: %${value}${origin.length > 0 ? ` (${oneLine(origin.join(', '))})` : ''}: ${reason}`,
    );
  return lines.length > 0 ? [...lines, ''] : [];
}

function insideCount({ length }: readonly Inside[]): string[] {
  if (length === 0) return [];
  return [`${length === 1 ? '1 value is a part of another' : `${length} values are parts of others`} or gone, see --wide`, ''];
}

function insideLines(inside: readonly Inside[]): string[] {
  const holders = new Map<string, string[]>();
  for (const { value, op, side, inside: holder = '' } of inside)
    holders.set(holder, [...(holders.get(holder) ?? []), `${value} (${op}${side === 'program' ? ' of the program' : ''})`]);
  const lines = [...holders].map(([holder, values]) => `${holder === '' ? 'gone' : `inside ${holder}`}: ${values.join(', ')}`);
  return lines.length > 0 ? [...lines, ''] : [];
}

function legend(sorting: Sorting, { contract, verdicts, tensors }: DiffReport): string {
  const promise = {
    exact: 'every bit',
    reassociates: 'other orders of roundings only',
    lossy: 'nothing: a pass is lossy',
  }[contract.meaning];
  const stepless = tensors.some(({ cumulative }) => cumulative.rmseSteps === undefined);
  const present = (Object.keys(VERDICTS) as Verdict[]).filter((verdict) => verdicts[verdict] > 0);
  return [
    `Rows ${SORTINGS[sorting]}; ↓ lower is worse, ↑ higher is worse. The passes between the two sides promise ${promise}.`,
    'dB  local: the op on the reference’s operands, rounded to its types    inherited: the reference’s op on the program’s operands',
    '    cumulative: as the program ran    excess: local error above what rounding explains    effect: at the outputs, with this local error alone',
    'max, rmse: error as the program ran, in steps of the tensor’s own type; one rounding has an rmse of 0.289',
    ...(stepless
      ? ['    (blank in f32, where steps tell nothing of the errors of coarser types: --wide shows the errors themselves)']
      : []),
    ...present.map((verdict) => `${verdict}: ${VERDICTS[verdict]}`),
  ].join('\n');
}

/** Noise power at the outputs by that of the signal. */
function power({ effectDecibels }: TensorDiff): number {
  return effectDecibels === -Infinity ? 0 : 10 ** (-effectDecibels / 10);
}

function bar(part: number): string {
  return '█'.repeat(Math.round(part * MAX_BAR));
}

const steps = (value: number | undefined): string => (value === undefined ? '' : shortNumber(value));

const signed = (value: number): string => `${value > 0 ? '+' : ''}${value.toFixed(1)}`;

function share(part: number): string {
  return part === 0 ? '' : percent(part, part < 1e-4 ? 4 : 2);
}
