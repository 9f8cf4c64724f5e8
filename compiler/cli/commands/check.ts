/** `plumbline check`: can this model be compiled for this target? */
import type { Command } from 'commander';
import process from 'node:process';
import { parsePipeline } from '../../../passes/pipeline-text.ts';
import { count } from '../../../runtime/report/format.ts';
import { renderTable } from '../../../runtime/report/table.ts';
import type { ModelCheck } from '../checking.ts';
import { checkModel } from '../checking.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOptions, pipelineOptions } from '../calibration.ts';
import { EXIT } from '../errors.ts';
import { findModel } from '../model.ts';
import type { BindingFlags } from '../options.ts';
import { MODEL_ARGUMENT, addBindingOptions, addTargetOption, jsonOption, passesOption } from '../options.ts';
import { print, printJson } from '../output.ts';
import { loadTarget } from '../target.ts';

interface Flags extends BindingFlags, CalibrationFlags {
  readonly target: string;
  readonly passes: string;
  readonly json?: boolean;
}

export function addCheck(program: Command): void {
  const command = program
    .command('check')
    .description('tell whether a model can be compiled for an accelerator, operator by operator')
    .argument('<model>', MODEL_ARGUMENT);
  addCalibrationOptions(addTargetOption(command).addOption(passesOption()));
  addBindingOptions(command).addOption(jsonOption()).addHelpText('after', '\nThe exit code is 3 when it cannot be compiled.').action(run);
}

async function run(model: string, { target: name, passes: text, json, calibration, preprocess, ...binding }: Flags): Promise<void> {
  const source = findModel(model);
  const target = loadTarget(name);
  const passes = parsePipeline(text);
  const flags = { ...(calibration !== undefined && { calibration }), ...(preprocess !== undefined && { preprocess }) };
  const check = checkModel(source, target, passes, await pipelineOptions(passes, source, flags), binding);
  if (json) printJson({ schema: 'plumbline.check/1', model: source.name, target: target.name, ...check });
  else print(render(check, source.name, target.name));
  if (!check.compilable) process.exitCode = EXIT.unsupported;
}

function render({ compilable, operators, other }: ModelCheck, model: string, target: string): string {
  const yes = (value: boolean | undefined): string => (value === undefined ? '?' : value ? 'yes' : 'no');
  const rows = operators.map(({ operator, count: uses, imported, compiled, reason = '' }) => [
    operator,
    count(uses),
    yes(imported),
    yes(compiled),
    reason,
  ]);
  const columns = [
    { title: 'operator' },
    { title: 'nodes', align: 'right' },
    { title: 'imported' },
    { title: 'compiled' },
    { title: 'why not' },
  ] as const;
  const verdict = compilable ? `${model} compiles for ${target}.` : `${model} cannot be compiled for ${target}.`;
  return [renderTable(columns, rows), ...other.map((reason) => `${reason}\n`), `${verdict}\n`].join('');
}
