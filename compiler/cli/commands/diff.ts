/** `plumbline diff`: two runs, or a model under two pipelines, compared tensor by tensor. */
import { Option } from 'commander';
import type { Command } from 'commander';
import process from 'node:process';
import { parsePipeline } from '../../../passes/pipeline-text.ts';
import type { DiffReport, Sorting } from '../../../runtime/diff/diff.ts';
import { SORTINGS, diffRuns } from '../../../runtime/diff/diff.ts';
import type { Run } from '../../../runtime/diff/run.ts';
import { renderDiff } from '../../../runtime/report/diff.ts';
import { fail } from '../../ir/diagnostic.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOption, pipelineOptions } from '../calibration.ts';
import { datasetOf } from '../data.ts';
import { EXIT } from '../errors.ts';
import { interruptible } from '../interrupt.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags, DataFlags } from '../options.ts';
import {
  DEFAULT_PASSES,
  MODEL_ARGUMENT,
  addBindingOptions,
  addDataOptions,
  addTargetOption,
  jsonOption,
  positiveInteger,
} from '../options.ts';
import { print, printMeasurements, verdictColors } from '../output.ts';
import { progress } from '../progress.ts';
import { DEFAULT_SAVED_SAMPLES, floatTargetFor, isRunDirectory, readRun, runModel } from '../runs.ts';
import { loadTarget } from '../target.ts';

const DEFAULT_LIMIT = 200;
const DEFAULT_TOP = 20;

interface Flags extends BindingFlags, CalibrationFlags, DataFlags {
  readonly passes?: string;
  readonly against?: string;
  readonly target: string;
  readonly samples: number;
  readonly sort: Sorting;
  readonly top: number;
  readonly wide?: boolean;
  readonly without?: boolean;
  readonly json?: boolean;
}

export function addDiff(program: Command): void {
  const command = program
    .command('diff')
    .description(
      'compare two runs, or a model and its float original, tensor by tensor: what differs, why, and what it does to the outputs',
    )
    .argument('<run|model>', `a folder that \`eval --save\` wrote, the reference; or ${MODEL_ARGUMENT}`)
    .argument('[run]', 'the folder of the run that is compared with the reference')
    .option('-p, --passes <pipeline>', `passes of the program that is compared (default: "${DEFAULT_PASSES}")`)
    .option(
      '--against <pipeline>',
      'passes of the reference, on the same target; without it the reference is the float model as it was imported',
    )
    .option('--samples <n>', 'samples that are compared tensor by tensor', positiveInteger, DEFAULT_SAVED_SAMPLES);
  addDataOptions(command);
  addCalibrationOption(addTargetOption(command));
  addBindingOptions(command)
    .addOption(
      new Option(
        '--sort <order>',
        `order of the tensors: ${Object.entries(SORTINGS)
          .map(([name, doc]) => `${name} (${doc})`)
          .join(', ')}`,
      )
        .choices(Object.keys(SORTINGS))
        .default('effect'),
    )
    .option('--top <n>', 'tensors that are listed', positiveInteger, DEFAULT_TOP)
    .option('--wide', 'show all metrics')
    .option('--without', 'also measure the outputs with every change but one')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Two runs are compared from what they saved: no program runs again. Values come from the legal graph, whose values are bit for bit the program's, so
that looking at a tensor never changes what is fused. Models run on ${DEFAULT_LIMIT} samples unless --limit is given. Ends with exit code 1 if a tensor is broken.

Examples:
  plumbline diff lenet-300-100 --target cambricon-base
  plumbline diff mobilenet --passes int8-naive
  plumbline diff resnet --passes O1 --against O0 --sort graph
  plumbline eval lenet-5 --save a && plumbline eval lenet-5 --passes O0 --save b && plumbline diff b a`,
    )
    .action(run);
}

async function run(first: string, second: string | undefined, flags: Flags): Promise<void> {
  const [reference, compared] =
    isRunDirectory(first) || second !== undefined ? savedRuns(first, second, flags) : await modelRuns(first, flags);
  const shown = progress('comparing');
  const report = await interruptible((signal) =>
    diffRuns(reference, compared, {
      ...(flags.without && { without: true }),
      onProgress: (done, total) => shown.update(done, total),
      signal,
    }),
  ).finally(() => shown.clear());
  if (flags.json) printMeasurements(report);
  else print(verdictColors(renderDiff(report, { sorting: flags.sort, top: flags.top, wide: flags.wide ?? false })));
  if (isBroken(report)) process.exitCode = EXIT.violated;
}

function isBroken({ verdicts }: DiffReport): boolean {
  return verdicts.broken > 0;
}

function savedRuns(first: string, second: string | undefined, { passes, against, data, calibration }: Flags): readonly [Run, Run] {
  if (second === undefined)
    return fail('usage', 'cli/one-run', 'one run cannot be compared with itself', {
      place: [first],
      hint: 'give the folder of a second run',
    });
  const forModels = { passes, against, data, calibration };
  const given = Object.entries(forModels).find(([, value]) => value !== undefined);
  if (given) return fail('usage', 'cli/saved-run', `--${given[0]} is for models; saved runs are compared as they are`);
  return [readRun(first), readRun(second)];
}

async function modelRuns(model: string, flags: Flags): Promise<readonly [Run, Run]> {
  const source = findModel(model);
  const target = loadTarget(flags.target);
  const passes = parsePipeline(flags.passes ?? DEFAULT_PASSES);
  const against = parsePipeline(flags.against ?? '');
  const graph = loadGraph(source, flags);
  const dataset = await datasetOf(source, { ...flags, limit: flags.limit ?? DEFAULT_LIMIT });
  const pipeline = await pipelineOptions([...against, ...passes], source, flags);
  const common = { name: source.name, graph, dataset, samples: flags.samples, pipeline };
  return interruptible(async (signal) => {
    const onTarget = flags.against === undefined ? floatTargetFor(target) : target;
    const reference = await runModel({ ...common, passes: against, target: onTarget, label: 'reference' }, signal);
    const compared = await runModel({ ...common, passes, target, label: source.name }, signal);
    return [reference, compared];
  });
}
