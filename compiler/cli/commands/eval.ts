/** `plumbline eval`: accuracy, throughput and energy of the executed program on labelled data. */
import type { Command } from 'commander';
import { encodeContainer } from '../../../isa/container.ts';
import { parsePipeline, printPipeline } from '../../../passes/pipeline-text.ts';
import { PREPROCESS_PRESETS } from '../../../runtime/data/preprocess.ts';
import type { EngineName } from '../../../runtime/engine/engine.ts';
import { PhaseTimes } from '../../../runtime/evaluate/phase-times.ts';
import { evaluateScores } from '../../../runtime/evaluate/scores.ts';
import { graphMacs } from '../../../runtime/evaluate/work.ts';
import { monotonicSeconds } from '../../../runtime/platform/node.ts';
import { createPool } from '../../../runtime/platform/pool.ts';
import { renderEvaluation } from '../../../runtime/report/evaluation.ts';
import { renderHostProfile } from '../../../runtime/report/host-profile.ts';
import { fail } from '../../ir/diagnostic.ts';
import type { CompileObserver, CompilePhase } from '../../lower/phases.ts';
import { compileModel } from '../../pipeline.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOption, pipelineOptions } from '../calibration.ts';
import { datasetOf } from '../data.ts';
import { interruptible } from '../interrupt.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags, DataFlags } from '../options.ts';
import {
  MODEL_ARGUMENT,
  addBindingOptions,
  addDataOptions,
  addTargetOption,
  engineOption,
  jsonOption,
  passesOption,
  positiveInteger,
  threadCount,
  workersOption,
} from '../options.ts';
import { print, printJson } from '../output.ts';
import { containerInfo } from '../producer.ts';
import { progress } from '../progress.ts';
import { DEFAULT_SAVED_SAMPLES, runSaver } from '../runs.ts';
import { loadTarget } from '../target.ts';

const PRESETS_HELP = Object.entries(PREPROCESS_PRESETS)
  .map(([name, { text, doc }]) => `  ${name.padEnd(14)} ${doc}\n${' '.repeat(17)}${text}`)
  .join('\n');

interface Flags extends BindingFlags, CalibrationFlags, DataFlags {
  readonly target: string;
  readonly passes: string;
  readonly engine: EngineName;
  readonly profile?: boolean;
  readonly save?: string;
  readonly saveSamples?: number;
  readonly workers?: number;
  readonly json?: boolean;
}

export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('compile a model, execute it on labelled data, and report accuracy, throughput and energy')
    .argument('<model>', MODEL_ARGUMENT);
  addCalibrationOption(addTargetOption(addDataOptions(command)))
    .addOption(workersOption())
    .addOption(passesOption())
    .addOption(engineOption())
    .option(
      '--profile',
      'tell where the time of this computer went, by phase, layer and instruction (for modelled cycles: plumbline profile)',
    );
  addBindingOptions(command)
    .option('--save <folder>', 'write the run, with the values of all tensors for some samples, for `plumbline diff`')
    .option(
      '--save-samples <n>',
      `samples whose values are saved (default: ${DEFAULT_SAVED_SAMPLES}, fewer where they are large)`,
      positiveInteger,
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Preprocessing, in this order: channels=stored|rgb|bgr|grey, resize=WIDTHxHEIGHT or the shorter side (filter=bilinear|bicubic|lanczos|nearest),
crop=WIDTHxHEIGHT of the middle, element = (pixel * scale - mean) / std with numbers or one for each channel (mean=0.485:0.456:0.406),
layout=nchw|nhwc; class-offset is added to each class. Presets, which pairs may follow to change them:
${PRESETS_HELP}

labels.csv has a head that names the columns file and class, and a line for each image. Classes of folders are their names where all are numbers, else
their places in alphabetical order. Arrays are named images and labels; float32 is taken as it is. In JSON everything but \`host\` is the same in every run.

Examples:
  plumbline eval lenet-5
  plumbline eval lenet-300-100 --target cambricon-base --limit 1000
  plumbline eval model.onnx --data mnist/t10k --batch 16 --json
  plumbline eval mobilenet --profile
  plumbline eval model.onnx --data photos --preprocess channels=rgb,resize=32x32,mean=0.5,std=0.25
  plumbline eval mobilenet-v2.onnx --data imagenet --preprocess mobilenet-224 --limit 100
  plumbline eval lenet-300-100 --target cambricon-base --save run`,
    )
    .action(run);
}

async function run(model: string, flags: Flags): Promise<void> {
  const target = loadTarget(flags.target);
  const passes = parsePipeline(flags.passes);
  if (flags.profile && (flags.workers ?? 1) > 1)
    fail('usage', 'cli/profile-workers', `--profile measures one thread, and --workers asks for ${flags.workers}`, {
      hint: 'leave out one of them',
    });
  const source = findModel(model);

  const saver = runSaver(flags);

  const phases = new PhaseTimes<CompilePhase>(monotonicSeconds);
  const observe: CompileObserver = (phase, work) => phases.time(phase, work);
  const start = monotonicSeconds();
  const graph = observe('import', () => loadGraph(source, flags));
  const loaded = monotonicSeconds();
  const dataset = await datasetOf(source, flags);
  const options = await pipelineOptions(passes, source, flags);
  const prepared = monotonicSeconds();
  const pipeline = { ...options, observers: [...(options.observers ?? []), ...(saver?.observers ?? [])] };
  const compilation = compileModel(graph, { target, passes, pipeline, observe });
  const { program } = compilation;
  const container = observe('encode', () => encodeContainer(program, containerInfo(target)));
  const programBytes = container.length;
  const compileSeconds = monotonicSeconds() - prepared + (loaded - start);

  const shown = progress(source.name);
  const evaluation = await interruptible(async (signal) => {
    const scored = await evaluateScores(
      program,
      target,
      dataset,
      {
        model: source.name,
        passes: printPipeline(passes),
        macs: graphMacs(graph),
        programBytes,
        compileSeconds,
        compilePhases: phases.times,
      },
      {
        now: monotonicSeconds,
        engine: flags.engine,
        profile: flags.profile ?? false,
        ...(!flags.profile && { threads: { count: threadCount(flags.workers), start: createPool } }),
        onProgress: (done, total) => shown.update(done, total),
        signal,
      },
    );
    await saver?.save({ model: source.name, compilation, passes, target, dataset, ...scored }, container, signal);
    return scored.evaluation;
  }).finally(() => shown.clear());
  const { profile } = evaluation.host;
  if (flags.json) printJson(evaluation);
  else print(`${renderEvaluation(evaluation, target)}${profile ? `\n${renderHostProfile(profile)}` : ''}`);
}
