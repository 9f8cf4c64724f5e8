/** What became of test cases, as people read it: totals, then what did not pass, by operator and reason. */
import type { CaseResult, Form, Status } from '../conformance/conformance.ts';
import { FORMS, STATUSES } from '../conformance/conformance.ts';
import { count, oneLine } from './format.ts';
import { renderTable } from './table.ts';

/** Longest reason in a table; the whole ones are in JSON. */
const REASON_CHARACTERS = 110;

/** Cases of each status. */
export function totalsOf(cases: readonly CaseResult[]): Record<Status, number> {
  const of = (status: Status): number => cases.filter((each) => each.status === status).length;
  return { passed: of('passed'), failed: of('failed'), unsupported: of('unsupported'), crashed: of('crashed') };
}

export function renderConformance(cases: readonly CaseResult[], passedOver: number): string {
  const totals = totalsOf(cases);
  const passed = (form: Form): number => cases.filter((each) => each.status === 'passed' && each.form === form).length;
  const forms = FORMS.filter((form) => passed(form) > 0).map((form) => `${count(passed(form))} ${form}`);
  return [
    `${plural(cases.length, 'case')}: ${count(totals.passed)} passed${forms.length > 0 ? ` (${forms.join(', ')})` : ''}, ${count(totals.failed)} failed, ` +
      `${count(totals.unsupported)} unsupported, ${count(totals.crashed)} crashed\n`,
    ...(passedOver > 0 ? [`${plural(passedOver, 'folder')} without a model.onnx passed over\n`] : []),
    ...wrongCases(cases.filter(({ status }) => status === 'failed' || status === 'crashed')),
    ...causes(cases.filter(({ status }) => status !== 'passed')),
  ].join('');
}

function plural(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? '' : 's'}`;
}

/** Each case that is wrong. */
function wrongCases(cases: readonly CaseResult[]): readonly string[] {
  if (cases.length === 0) return [];
  const rows = cases.map(({ name, status, form, reason }) => [name, status, form ?? '', shortened(reason ?? '')]);
  return ['\n', renderTable([{ title: 'case' }, { title: 'status' }, { title: 'form' }, { title: 'reason' }], rows)];
}

/** By status, the worst first, then operator and reason: how many cases. One case may have several causes. */
function causes(cases: readonly CaseResult[]): readonly string[] {
  const groups = new Map<string, { readonly row: readonly [Status, string, string]; readonly names: Set<string> }>();
  for (const { name, status, causes: found } of cases)
    for (const { operator = '', reason } of found) {
      const row = [status, operator, shortened(reason)] as const;
      const group = groups.get(JSON.stringify(row)) ?? { row, names: new Set() };
      groups.set(JSON.stringify(row), group);
      group.names.add(name);
    }
  if (groups.size === 0) return [];
  const key = ([status, operator, reason]: readonly [Status, string, string]): string =>
    `${9 - STATUSES.indexOf(status)}\0${operator}\0${reason}`;
  const sorted = [...groups.values()].sort((a, b) => (key(a.row) < key(b.row) ? -1 : 1));
  const rows = sorted.map(({ row: [status, operator, reason], names }) => [status, operator, count(names.size), reason]);
  return ['\n', renderTable([{ title: 'status' }, { title: 'operator' }, { title: 'cases', align: 'right' }, { title: 'reason' }], rows)];
}

function shortened(reason: string): string {
  const line = oneLine(reason);
  return line.length <= REASON_CHARACTERS ? line : `${line.slice(0, REASON_CHARACTERS - 1)}…`;
}
