/** `plumbline zoo`: the networks that ship, and which of them compile. */
import type { Command } from 'commander';
import type { Target } from '../../../isa/target.ts';
import { parsePipeline } from '../../../passes/pipeline-text.ts';
import { count, percent } from '../../../runtime/report/format.ts';
import { renderTable } from '../../../runtime/report/table.ts';
import { calibrationOf } from '../calibration.ts';
import type { ModelCheck } from '../checking.ts';
import { checkModel } from '../checking.ts';
import { findModel } from '../model.ts';
import { addTargetOption, jsonOption, passesOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { progress } from '../progress.ts';
import { loadTarget } from '../target.ts';
import { zoo } from '../zoo.ts';

interface Flags {
  readonly target: string;
  readonly passes: string;
  readonly json?: boolean;
}

interface Entry {
  readonly name: string;
  readonly doc: string;
  readonly dataset: string;
  readonly parameters: number;
  readonly top1: number;
  readonly compilable: boolean;
  /** Operators, or forms of them, that are missing. */
  readonly missing: readonly string[];
}

export function addZoo(program: Command): void {
  addTargetOption(program.command('zoo').description('list the networks that ship, and which of them compile'))
    .addOption(passesOption())
    .addOption(jsonOption())
    .action(run);
}

async function run({ target: name, passes: text, json }: Flags): Promise<void> {
  const target = loadTarget(name);
  const models = Object.entries(zoo().models);
  const shown = progress('compiling');
  const passes = parsePipeline(text);
  const entries: Entry[] = [];
  for (const [model, { doc, dataset, parameters, top1 }] of models) {
    shown.update(entries.length, models.length);
    const source = findModel(model);
    // What passes warn of belongs to one network, not to the list.
    const calibration = await calibrationOf(passes, source, {});
    const check = checkModel(source, target, passes, calibration ? { calibration } : {});
    entries.push({ name: model, doc, dataset, parameters, top1, compilable: check.compilable, missing: missing(check) });
  }
  shown.clear();
  if (json) printJson({ schema: 'plumbline.zoo-list/1', target: target.name, models: entries });
  else print(render(entries, target));
}

function missing({ operators, other }: ModelCheck): readonly string[] {
  return [...operators.filter(({ reason }) => reason !== undefined).map(({ operator }) => operator), ...other];
}

function render(entries: readonly Entry[], target: Target): string {
  const columns = [
    { title: 'network' },
    { title: 'data' },
    { title: 'parameters', align: 'right' },
    { title: 'float top-1', align: 'right' },
    { title: `compiles for ${target.name}` },
  ] as const;
  const rows = entries.map(({ name, dataset, parameters, top1, compilable, missing: what }) => [
    name,
    dataset,
    count(parameters),
    percent(top1),
    compilable ? 'yes' : `no: ${what.join(', ')}`,
  ]);
  return renderTable(columns, rows);
}
