/** What a bisection found, and how it got there. */
import type { Bisection, OpBlame, SampleBlame, Trial } from '../bisect/bisect.ts';
import type { ChannelBlame } from '../bisect/channels.ts';
import type { Finding } from '../bisect/check.ts';
import type { Metric } from '../bisect/expression.ts';
import { metricRecord } from '../bisect/expression.ts';
import { bytes, count, oneLine, percent, points, si } from './format.ts';
import { renderTable } from './table.ts';

/** Samples and channels that are listed; there is a word for the others. */
const LISTED = 20;

export function renderBisection(bisection: Bisection): string {
  const { model, target, passes, check, samples, trials } = bisection;
  return [
    `${oneLine(model)} on ${oneLine(target)}: ${oneLine(check)}${samples > 0 ? `, on ${plural(samples, 'sample')}` : ''}`,
    `passes: ${oneLine(passes)}`,
    '',
    renderTable(
      [{ title: '', align: 'right' }, { title: 'tried' }, { title: '' }, { title: 'found' }],
      trials.map((trial, i) => [String(i + 1), ...describeTrial(trial)]),
    ),
    ...conclusion(bisection).map(oneLine),
    `${plural(trials.length, 'evaluation')}${promise(bisection)}`,
    '',
  ].join('\n');
}

/** What a search for one transformation takes at most. */
function promise({ over, pass, ops }: Bisection): string {
  if (over !== 'ops' || !pass || !ops?.alone) return '';
  const most = Math.floor(Math.log2(pass.of) + Math.log2(ops.of) + 4);
  return `, at most log2(${pass.of} passes) + log2(${plural(ops.of, 'transformation')}) + 4 = ${most}`;
}

function describeTrial({ what, verdict, findings }: Trial): readonly string[] {
  return [what, verdict, findings.map(describeFinding).join(', ')];
}

/** `top1 92.00 %, float model 93.00 %`; a contract that is broken in the words of its diagnostic. */
export function describeFinding({ clause, holds, metric, value = NaN, base = NaN, detail }: Finding): string {
  if (metric) {
    const { comparing = false } = metricRecord(metric);
    return `${metric} ${printValue(metric, value)}${comparing ? '' : ` (base ${printValue(metric, base)})`}`;
  }
  return detail ?? `${clause} ${holds ? 'holds' : 'is broken'}`;
}

function printValue(metric: Metric, value: number): string {
  const { kind } = metricRecord(metric);
  if (kind === 'share') return percent(value);
  if (kind === 'decibels') return `${value === Infinity ? '∞' : value.toFixed(2)} dB`;
  if (metric === 'bytes') return bytes(value);
  if (metric === 'joules') return si(value, 'J');
  return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
}

function conclusion(bisection: Bisection): readonly string[] {
  switch (bisection.outcome) {
    case 'nothing-wrong':
      return ['Nothing is wrong: the check holds after all passes.', ...unseen(bisection)];
    case 'without-passes':
      return ['The check does not even hold without passes: no pass is to blame.'];
    case 'found':
      return [...passLines(bisection), ...opLines(bisection), ...channelLines(bisection.channels), ...sampleLines(bisection)];
  }
}

/** The share of which none of so many samples shows anything once in twenty times: 1 - 0.05^(1/n). */
function unseenShare(samples: number): number {
  return 1 - 0.05 ** (1 / samples);
}

/** How small a loss so many samples could have shown: one within the interval of what was seen, and no less than may show nothing at all. */
function unseen({ samples, classes, trials }: Bisection): readonly string[] {
  const lines = (trials.at(-1)?.findings ?? []).flatMap(({ metric, loss }) =>
    metric && loss && samples > 0
      ? [
          `On ${plural(samples, 'sample')} a loss of ${metric} of up to ${points(Math.max(loss.high, unseenShare(samples)))} points may go unseen (95 %): check on more with --limit.`,
        ]
      : [],
  );
  const { held = 0, inData = held } = classes ?? {};
  if (held < inData) lines.push(`They hold ${count(held)} of the ${count(inData)} classes in the data.`);
  return lines;
}

function passLines({ pass }: Bisection): readonly string[] {
  if (!pass) return [];
  const { step, of, pass: text, earliest } = pass;
  if (earliest === undefined) return [`Pass ${step} of ${of} breaks it: ${text}`];
  return [`One of the passes ${earliest} to ${step} breaks it; those between could not be judged. The last one is ${text}`];
}

function opLines({ ops }: Bisection): readonly string[] {
  if (!ops) return [];
  if (ops.of === 0) return ['It does its work in one piece: it has no transformations that can be held back.'];
  const [first] = ops.culprits;
  if (ops.culprits.length === 1 && first)
    return [`Transformation ${first.number} of ${ops.of} breaks it${ops.alone ? ' alone' : ''}: ${describeOp(first)}`];
  return [
    `${ops.culprits.length} of ${plural(ops.of, 'transformation')} break it, only together:`,
    ...ops.culprits.map((op) => `  ${op.number}: ${describeOp(op)}`),
  ];
}

function describeOp({ unit, value, op, origin }: OpBlame): string {
  const from = origin.length > 0 ? `, from ${origin.map((name) => JSON.stringify(name)).join(', ')}` : '';
  return `${unit}${value === undefined ? ' (the whole graph)' : ` on %${value}`}${op === undefined ? '' : `, ${op}`}${from}`;
}

function channelLines(channels: ChannelBlame | undefined): readonly string[] {
  if (!channels) return [];
  const values = [...new Set(channels.culprits.map(({ value }) => value))];
  return values.map((value) => {
    const own = channels.culprits.filter((each) => each.value === value).map(({ channel }) => String(channel));
    return `${own.length === 1 ? 'Channel' : 'Channels'} ${listed(own)} of %${value} ${own.length === 1 ? 'is' : 'are'} to blame, of ${channels.of} (counted from 0)`;
  });
}

function sampleLines({ failing, samples }: Bisection): readonly string[] {
  if (!failing) return [];
  const lines = failing.slice(0, LISTED).map((sample) => `  ${describeSample(sample)}`);
  const more = failing.length > LISTED ? [`  and ${failing.length - LISTED} more`] : [];
  return [`${plural(failing.length, 'sample')} of ${count(samples)} ${failing.length === 1 ? 'shows' : 'show'} it:`, ...lines, ...more];
}

function describeSample({ index, place, label, predicted, basePredicted }: SampleBlame): string {
  const where = `sample ${index}`;
  return [
    place === where ? where : `${where} (${place})`,
    ...(label === undefined ? [] : [`class ${label}`]),
    ...(predicted === undefined ? [] : [`predicted ${predicted}`, `by the float model ${basePredicted ?? ''}`]),
  ].join(', ');
}

function listed(all: readonly string[]): string {
  return all.length > LISTED ? `${all.slice(0, LISTED).join(', ')} and ${all.length - LISTED} more` : all.join(', ');
}

function plural(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? '' : 's'}`;
}
