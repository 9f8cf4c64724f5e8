/** `plumbline targets`: the accelerators that ship, and where each of their figures comes from. */
import type { Command } from 'commander';
import type { Target } from '../../../isa/target.ts';
import { peakOperationsPerSecond } from '../../../isa/target.ts';
import { bytes, si } from '../../../runtime/report/format.ts';
import { renderTable } from '../../../runtime/report/table.ts';
import { jsonOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { loadTarget, targetNames } from '../target.ts';

interface Flags {
  readonly json?: boolean;
}

export function addTargets(program: Command): void {
  program
    .command('targets')
    .description('list the accelerators, or all figures of one with their sources')
    .argument('[name]', 'a target, or a .json file that describes one')
    .addOption(jsonOption())
    .action(run);
}

function run(name: string | undefined, { json }: Flags): void {
  if (name !== undefined) {
    const target = loadTarget(name);
    if (json) printJson(target);
    else print(renderTarget(target));
    return;
  }
  const targets = targetNames().map(loadTarget);
  if (json) printJson({ schema: 'plumbline.targets/1', targets });
  else print(renderTargets(targets));
}

function renderTargets(targets: readonly Target[]): string {
  const columns = [
    { title: 'target' },
    { title: 'computes in' },
    { title: 'peak', align: 'right' },
    { title: 'clock', align: 'right' },
    { title: 'vector', align: 'right' },
    { title: 'matrix', align: 'right' },
    { title: 'DRAM', align: 'right' },
    { title: 'extensions' },
  ] as const;
  const rows = targets.map((target) => [
    target.name,
    target.datapath,
    si(peakOperationsPerSecond(target), 'OP/s'),
    si(target.clockHertz, 'Hz'),
    bytes(target.memory.vectorBytes),
    bytes(target.memory.matrixBytes),
    si(target.dma.bytesPerCycle * target.clockHertz, 'B/s'),
    target.extensions.join(' ') || 'none',
  ]);
  return renderTable(columns, rows);
}

/** Every figure by its path in the file, and the source that covers it. */
function renderTarget(target: Target): string {
  const { name, doc, sources, ...figures } = target;
  const rows = leaves(figures, []).map(([path, value]) => [path, value, sourceOf(path, sources)]);
  return `${name}: ${doc}\n\n${renderTable([{ title: 'figure' }, { title: 'value', align: 'right' }, { title: 'source' }], rows)}`;
}

function leaves(value: unknown, path: readonly string[]): (readonly [string, string])[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
  const text = Array.isArray(value) ? value.join(' ') || 'none' : String(value);
  return [[path.join('.'), text]];
}

/** The source of a figure or of the nearest group around it. */
function sourceOf(path: string, sources: Target['sources']): string {
  for (let key = path; key !== ''; key = key.slice(0, Math.max(0, key.lastIndexOf('.')))) {
    const source = sources[key];
    if (source !== undefined) return source;
  }
  return '';
}
