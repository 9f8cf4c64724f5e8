/** What passes counted, as a table. */
import { printStep } from '../pipeline-text.ts';
import type { StepRecord } from '../manager.ts';

/** One line a statistic: count, pass and what was counted. */
export function renderStatistics(steps: readonly StepRecord[]): string {
  const rows = steps.flatMap(({ step, statistics }) =>
    [...statistics].map(([name, count]) => ({ count: String(count), pass: printStep(step), name })),
  );
  const width = Math.max(0, ...rows.map(({ count }) => count.length));
  return rows.map(({ count, pass, name }) => `${count.padStart(width)}  ${pass}: ${name}`).join('\n');
}
