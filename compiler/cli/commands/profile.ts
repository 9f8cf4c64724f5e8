/** `plumbline profile`: where the cycles of a program go, layer by layer. */
import type { Command } from 'commander';
import { parsePipeline, printPipeline } from '../../../passes/pipeline-text.ts';
import { profileProgram } from '../../../runtime/evaluate/profile.ts';
import { renderProfile } from '../../../runtime/report/profile.ts';
import { compileModel } from '../../pipeline.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOptions, pipelineOptions } from '../calibration.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags } from '../options.ts';
import { MODEL_ARGUMENT, addBindingOptions, addTargetOption, jsonOption, passesOption, positiveInteger } from '../options.ts';
import { print, printJson } from '../output.ts';
import { loadTarget } from '../target.ts';

interface Flags extends BindingFlags, CalibrationFlags {
  readonly target: string;
  readonly passes: string;
  readonly batch?: number;
  readonly json?: boolean;
}

export function addProfile(program: Command): void {
  const command = program
    .command('profile')
    .description('tell where the cycles, bytes and joules of a model go, layer by layer')
    .argument('<model>', MODEL_ARGUMENT)
    .option('-b, --batch <samples>', 'samples that one run of the program takes (default: 1)', positiveInteger);
  addCalibrationOptions(addTargetOption(command).addOption(passesOption()));
  addBindingOptions(command)
    .addOption(jsonOption())
    .addHelpText('after', '\nThe cycles and joules of the layers add up to those that `plumbline eval` prints.')
    .action(run);
}

async function run(model: string, flags: Flags): Promise<void> {
  const target = loadTarget(flags.target);
  const passes = parsePipeline(flags.passes);
  const source = findModel(model);
  const { program } = compileModel(loadGraph(source, flags), { target, passes, pipeline: await pipelineOptions(passes, source, flags) });
  const profile = profileProgram(program, target, { model: source.name, passes: printPipeline(passes) });
  if (flags.json) printJson(profile);
  else print(renderProfile(profile));
}
