/** A ladder on one screen of 120 columns: what each pass did to the predictions, what the program costs, and where its cycles go. */
import { printDiagnostic } from '../../compiler/ir/diagnostic.ts';
import { printPreprocess } from '../data/preprocess.ts';
import type { Gain, Ladder, LadderRow } from '../evaluate/ladder.ts';
import type { OrderRow } from '../evaluate/orders.ts';
import type { Cause } from '../machine/causes.ts';
import { CAUSE_NAMES } from '../machine/causes.ts';
import { classNotes, classesText } from './classes.ts';
import { bytes, count, oneLine, percent, points, probability, si, words, wrap } from './format.ts';
import type { Column } from './table.ts';
import { renderTable } from './table.ts';

const right = (title: string): Column => ({ title, align: 'right' });

/** Of every table that has a line for each row of the ladder. */
const ROW_COLUMNS: readonly Column[] = [right('#'), { title: 'pass' }];
const PASS_WIDTH = 21;
const LINE_WIDTH = 120;

/** Causes with a column of their own, the largest of any row first; what is left is little. */
const CAUSES_SHOWN = 4;

export function renderLadder(ladder: Ladder): string {
  const { model, target, samples, classes, dataset, passes, data, rows, gains, orders } = ladder;
  const groups = samePrograms(rows);
  return [
    `${oneLine(model)} on ${oneLine(target)}: ${count(samples)} samples of ${oneLine(dataset)}, ${classesText(classes)}`,
    wrap(`passes: ${passes === '' ? 'none' : oneLine(passes).replaceAll(',', ', ')}`, LINE_WIDTH),
    `input: ${data.preprocess ? printPreprocess(data.preprocess) : 'as stored'}, data ${data.sha256.slice(0, 12)}`,
    'Row k is the pipeline up to pass k, compiled and executed. More is better where ↑ stands, less where ↓ stands.',
    '',
    `Predictions; ops: changed by the pass; better, worse: samples right, wrong now and not in row 0; p: McNemar's exact test`,
    renderTable(PREDICTION_COLUMNS, rows.map(predictionCells)),
    `Cost${batchWords(rows)}`,
    renderTable(
      COST_COLUMNS,
      groups.map((group) => costCells(group, rows)),
    ),
    'Cycles by cause; conversions: of elements, inside the program (and at its ports, by the host)',
    renderCauses(groups),
    ...gains.flatMap((gain) => [renderGain(gain), '']),
    ...(orders ? [renderOrders(orders, rows), ''] : []),
    ...verdicts(ladder),
    '',
  ].join('\n');
}

/** Neighbouring rows of one program. */
interface Group {
  readonly row: LadderRow;
  readonly first: number;
  readonly last: number;
}

function samePrograms(rows: readonly LadderRow[]): readonly Group[] {
  const starts = rows.flatMap((row, i) => (row.program === rows[i - 1]?.program ? [] : [{ row, first: i }]));
  return starts.map((start, i) => ({ ...start, last: (starts[i + 1]?.first ?? rows.length) - 1 }));
}

const PREDICTION_COLUMNS: readonly Column[] = [
  ...ROW_COLUMNS,
  { title: 'contract' },
  right('ops'),
  right('top-1 ↑'),
  right('95 % Wilson'),
  right('better ↑'),
  right('worse ↓'),
  right('p'),
  right('SQNR ↑'),
  { title: 'outputs' },
];

function predictionCells(row: LadderRow, index: number, rows: readonly LadderRow[]): string[] {
  const { value, low, high } = row.metrics.top1;
  const interval = `${(100 * low).toFixed(2)}-${(100 * high).toFixed(2)}`;
  const own = [String(index), passCell(row), contractCell(row), index === 0 ? '' : count(row.opsChanged), percent(value), interval];
  if (index === 0) return own;
  return [
    ...own,
    count(row.flips.better),
    count(row.flips.worse),
    probability(row.flips.pValue),
    sqnrCell(row),
    outputsCell(row, index, rows),
  ];
}

function passCell({ pass }: { readonly pass: string }): string {
  const name = oneLine(pass);
  return name.length > PASS_WIDTH ? `${name.slice(0, PASS_WIDTH - 1)}…` : name;
}

/** `5-6  fold-batch-norm`: the pass that made the program. */
function groupCells({ row, first, last }: Group): string[] {
  return [first === last ? String(first) : `${first}-${last}`, passCell(row)];
}

function contractCell({ contract }: LadderRow): string {
  if (!contract) return '';
  return contract.bound === null ? contract.meaning : `${contract.meaning} c=${contract.bound}`;
}

function sqnrCell({ outputSqnrDecibels }: Pick<LadderRow, 'outputSqnrDecibels'>): string {
  return outputSqnrDecibels === null ? '∞' : `${outputSqnrDecibels.toFixed(1)} dB`;
}

/** How the program, and its outputs, are beside those of the row before. */
function outputsCell(row: LadderRow, index: number, rows: readonly LadderRow[]): string {
  if (row.program === rows[index - 1]?.program) return 'unchanged';
  if (row.bitEqual.previous) return 'same bits';
  return row.contract?.executed === 'legalization differs' ? 'legalized' : 'differ';
}

const COST_COLUMNS: readonly Column[] = [
  ...ROW_COLUMNS,
  right('cycles ↓'),
  right('speed ↑'),
  right('energy ↓'),
  right('DRAM ↓'),
  right('scratchpads ↓'),
  right('instructions ↓'),
  right('code ↓'),
  right('weights ↓'),
];

function costCells(group: Group, rows: readonly LadderRow[]): string[] {
  const { timing, energy, size } = group.row;
  const { dram, vector, matrix } = timing.bytes;
  return [
    ...groupCells(group),
    count(timing.cycles),
    times((rows[0]?.timing.cycles ?? NaN) / timing.cycles),
    si(energy.joulesPerSample, 'J'),
    bytes(dram.read + dram.write),
    bytes(vector.read + vector.write + matrix.read + matrix.write),
    count(size.instructions),
    bytes(size.codeBytes),
    bytes(size.weightBytes),
  ];
}

const times = (ratio: number): string => `${ratio.toFixed(2)}×`;

function batchWords([first]: readonly LadderRow[]): string {
  const batch = first ? Math.round(first.timing.samplesPerSecond * first.timing.latencySeconds) : 1;
  return batch === 1 ? ' of a sample' : `: energy of a sample, cycles and bytes of a batch of ${batch}`;
}

function renderCauses(groups: readonly Group[]): string {
  const largest = (cause: Cause): number => Math.max(...groups.map(({ row }) => row.timing.stalls[cause]));
  const shown = CAUSE_NAMES.toSorted((a, b) => largest(b) - largest(a)).slice(0, CAUSES_SHOWN);
  const columns = [...ROW_COLUMNS, ...shown.map((cause) => right(`${words(cause)} ↓`)), right('other ↓'), right('conversions ↓')];
  const cells = ({ timing, conversions }: LadderRow): string[] => {
    const own = shown.map((cause) => timing.stalls[cause]);
    const other = timing.cycles - own.reduce((sum, cycles) => sum + cycles, 0);
    return [...[...own, other].map(count), conversionCell(conversions)];
  };
  return renderTable(
    columns,
    groups.map((group) => [...groupCells(group), ...cells(group.row)]),
  );
}

function conversionCell({ inside, atPorts }: LadderRow['conversions']): string {
  return `${inside} (${atPorts})`;
}

/** The waterfall from the cycles that the rates promise to those that there are. */
function renderGain({ row, pass, idealRatio, ratio, cycles: { before, after }, conversions }: Gain): string {
  const total = (cycles: Gain['cycles']['before']): number => CAUSE_NAMES.reduce((sum, cause) => sum + cycles[cause], 0);
  const promised = idealRatio === null ? '' : `; the rates of its element types promise ${times(idealRatio)}`;
  const beyond = (was: number, is: number): number => is - was / (idealRatio ?? 1);
  const cells = (cause: string, was: number, is: number): string[] => [
    cause,
    count(was),
    count(is),
    was > 0 && is > 0 ? times(was / is) : '-',
    ...(idealRatio === null ? [] : [signed(Math.round(beyond(was, is)))]),
  ];
  const causes = CAUSE_NAMES.filter((cause) => before[cause] + after[cause] > 0).toSorted(
    (a, b) => beyond(before[b], after[b]) - beyond(before[a], after[a]),
  );
  const columns = [{ title: 'cycles' }, right(`row ${row - 1}`), right(`row ${row}`), right('faster ↑')];
  return [
    `Where the gain of row ${row} went: ${passCell({ pass })} is ${times(ratio)} as fast as row ${row - 1}${promised}`,
    renderTable(idealRatio === null ? columns : [...columns, right('beyond promise ↓')], [
      ...causes.map((cause) => cells(words(cause), before[cause], after[cause])),
      cells('all', total(before), total(after)),
    ]).trimEnd(),
    `conversions inside the program: ${count(conversions.inside)}, at its ports: ${count(conversions.atPorts)}`,
  ].join('\n');
}

function signed(value: number): string {
  return value > 0 ? `+${count(value)}` : value < 0 ? `−${count(-value)}` : '0';
}

const ORDER_COLUMNS: readonly Column[] = [
  { title: 'order' },
  right('top-1 ↑'),
  right('better ↑'),
  right('worse ↓'),
  right('p'),
  right('SQNR ↑'),
  right('cycles ↓'),
  right('change ↓'),
  right('DRAM ↓'),
  right('code ↓'),
  right('weights ↓'),
];

function renderOrders(orders: readonly OrderRow[], rows: readonly LadderRow[]): string {
  const name = ({ change, steps }: OrderRow): string => {
    const [first = 0, second = 0] = steps;
    return change === 'swap' ? `${second} before ${first}` : `without ${first}`;
  };
  const cycles = rows.at(-1)?.timing.cycles ?? NaN;
  const changed = orders.flatMap((order) =>
    order.result && !order.result.sameProgram ? [[name(order), ...orderCells(order.result, cycles)]] : [],
  );
  const same = orders.filter(({ result }) => result?.sameProgram).map(name);
  return [
    `Other orders of the passes, compared with the last row: neighbours swapped, and each pass left out`,
    changed.length > 0 ? renderTable(ORDER_COLUMNS, changed).trimEnd() : 'None gives another program.',
    ...(same.length > 0 ? [wrap(`The same program: ${same.join(', ')}.`, LINE_WIDTH)] : []),
    ...orders.flatMap((order) =>
      order.refused === null ? [] : [wrap(`Not allowed: ${name(order)}: ${oneLine(order.refused)}.`, LINE_WIDTH)],
    ),
  ].join('\n');
}

function orderCells(result: NonNullable<OrderRow['result']>, cycles: number): string[] {
  const { metrics, flips, timing, size } = result;
  const { dram } = timing.bytes;
  return [
    percent(metrics.top1.value),
    count(flips.better),
    count(flips.worse),
    probability(flips.pValue),
    sqnrCell(result),
    count(timing.cycles),
    timing.cycles === cycles ? '0' : `${timing.cycles > cycles ? '+' : '−'}${percent(Math.abs(timing.cycles / cycles - 1), 1)}`,
    bytes(dram.read + dram.write),
    bytes(size.codeBytes),
    bytes(size.weightBytes),
  ];
}

/** What was checked, and whether it held. */
function verdicts({ rows, contractSamples, samples, classes, budget, violation }: Ladder): string[] {
  const passes = rows.slice(1);
  const exact = passes.filter(({ contract }) => contract?.meaning === 'exact');
  const held = exact.filter(({ contract }) => contract?.executed === 'bit-equal').length;
  const notFinite = rows.flatMap(({ notFinite }, i) =>
    notFinite > 0 ? [`Row ${i}: ${count(notFinite)} samples have outputs that are not finite; SQNR leaves them out.`] : [],
  );
  return [
    ...classNotes(classes),
    ...notFinite,
    ...(passes.length > 0
      ? [`Contracts: ${number(passes.length, 'pass')} held on ${number(contractSamples, 'sample')}, graph against graph.`]
      : []),
    ...(exact.length > 0
      ? [`Exact: ${held} of ${exact.length} passes keep every bit of the executed outputs of all ${count(samples)} samples.`]
      : []),
    ...nearestToBound(passes),
    ...passes.flatMap(lossOf),
    ...(held < exact.length
      ? ['Legalized outputs: the pass is exact on the graph, and what the target needs behind it rounds otherwise.']
      : []),
    ...(budget ? [budgetVerdict(budget, rows)] : []),
    ...(violation ? [wrap(`Violated: ${oneLine(printDiagnostic(violation))}.`, LINE_WIDTH)] : []),
  ];
}

/** The pass that reassociates and came nearest to what it may. */
function nearestToBound(passes: readonly LadderRow[]): string[] {
  const found = passes.flatMap(({ pass, contract }) => {
    const nearest = contract?.check?.meaning === 'reassociates' ? contract.check.nearest : undefined;
    if (!nearest || nearest.difference === 0) return [];
    return [{ pass, share: nearest.difference / nearest.bound, at: `%${nearest.value}${nearest.element}` }];
  });
  const [nearest] = found.toSorted((a, b) => b.share - a.share);
  if (!nearest) return [];
  const text = `Reassociating: ${oneLine(nearest.pass)} comes nearest to its bound, ${percent(nearest.share, 1)} of it at ${oneLine(nearest.at)}.`;
  return [wrap(text, LINE_WIDTH)];
}

/** What a lossy pass lost since the first row, by the samples that changed sides. */
function lossOf({ contract, loss }: LadderRow, index: number): string[] {
  if (contract?.meaning !== 'lossy') return [];
  const { value, low, high } = loss;
  return [
    `Lossy: row ${index + 1} loses ${points(value)} points of top-1 against row 0, paired 95 % interval ${points(low)} to ${points(high)}.`,
  ];
}

/** `1 sample`, `2 passes`. */
function number(n: number, word: string): string {
  if (n === 1) return `1 ${word}`;
  return `${count(n)} ${word}${word.endsWith('s') ? 'es' : 's'}`;
}

function budgetVerdict({ points, exceededBy }: NonNullable<Ladder['budget']>, rows: readonly LadderRow[]): string {
  const top1 = (row: LadderRow | undefined): number => row?.metrics.top1.value ?? NaN;
  const losses = rows.map((row) => 100 * (top1(rows[0]) - top1(row)));
  const worst = Math.max(...losses);
  const at = exceededBy === null ? '' : `, first by ${oneLine(exceededBy)}`;
  return `Budget of ${points} points of top-1: ${exceededBy === null ? 'kept' : 'exceeded'}${at}; the largest loss is ${worst.toFixed(2)} points, in row ${losses.indexOf(worst)}.`;
}
