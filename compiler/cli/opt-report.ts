/** What the passes of a pipeline did, as tables and as JSON. */
import type { ContractReport } from '../../passes/contract/check.ts';
import type { PassTime } from '../../passes/instruments/timing.ts';
import type { StepRecord } from '../../passes/manager.ts';
import { printStep } from '../../passes/pipeline-text.ts';
import { percent } from '../../runtime/report/format.ts';
import { renderTable } from '../../runtime/report/table.ts';

export interface StepReport {
  readonly step: string;
  readonly meaning: string;
  readonly changed: boolean;
  readonly statistics: Readonly<Record<string, number>>;
  readonly milliseconds: number;
  readonly warnings: readonly string[];
  /** What the contract check found, for steps that changed the graph. */
  readonly contract?: ContractReport;
}

export function stepReports(
  steps: readonly StepRecord[],
  times: readonly PassTime[],
  contracts: ReadonlyMap<number, ContractReport>,
): readonly StepReport[] {
  return steps.map(({ step, changed, statistics, warnings }, i) => {
    const contract = contracts.get(i);
    return {
      step: printStep(step),
      meaning: step.pass.meaning,
      changed,
      statistics: Object.fromEntries(statistics),
      milliseconds: times[i]?.milliseconds ?? 0,
      warnings,
      ...(contract && { contract }),
    };
  });
}

/** The tables that were asked for, and that of the contracts if they were checked. */
export function renderStepReports(
  steps: readonly StepReport[],
  { time, stats }: { readonly time: boolean; readonly stats: boolean },
): string {
  const tables: string[] = [];
  if (stats) {
    const rows = steps.flatMap(({ step, statistics }) => Object.entries(statistics).map(([name, count]) => [String(count), step, name]));
    tables.push(renderTable([{ title: 'count', align: 'right' }, { title: 'pass' }, { title: 'what' }], rows));
  }
  if (time) {
    const rows = steps.map(({ step, milliseconds, changed }) => [milliseconds.toFixed(2), step, changed ? 'changed the graph' : '']);
    tables.push(renderTable([{ title: 'ms', align: 'right' }, { title: 'pass' }, { title: '' }], rows));
  }
  if (steps.some(({ contract }) => contract)) {
    const rows = steps.flatMap(({ step, meaning, contract }) => (contract ? [[step, meaning, describeContract(contract)]] : []));
    tables.push(renderTable([{ title: 'pass' }, { title: 'contract' }, { title: 'found' }], rows));
  }
  return tables.join('\n');
}

function describeContract(contract: ContractReport): string {
  switch (contract.meaning) {
    case 'exact':
      return `${contract.valuesCompared} values are equal bit for bit`;
    case 'reassociates': {
      const { nearest, valuesCompared } = contract;
      if (!nearest) return `${valuesCompared} values are equal`;
      const share = nearest.bound > 0 ? ` (${percent(nearest.difference / nearest.bound, 1)})` : '';
      return `nearest to its bound: ${nearest.difference.toExponential(2)} of ${nearest.bound.toExponential(2)}${share} at %${nearest.value}${nearest.element}`;
    }
    case 'lossy':
      return contract.outputs
        .map(({ output, sqnrDecibels, agreement }) => `${output}: SQNR ${sqnrDecibels.toFixed(1)} dB, agreement ${percent(agreement)}`)
        .join('; ');
  }
}
