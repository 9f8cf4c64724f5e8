/** `plumbline eval`: accuracy, throughput and energy of the executed program on labelled data. */
import type { Command } from 'commander';
import process from 'node:process';
import { encodeContainer } from '../../../isa/container.ts';
import { parsePipeline, printPipeline } from '../../../passes/pipeline-text.ts';
import type { Dataset } from '../../../runtime/data/dataset.ts';
import { firstSamples } from '../../../runtime/data/dataset.ts';
import { PREPROCESS_PRESETS } from '../../../runtime/data/preprocess.ts';
import type { EngineName } from '../../../runtime/engine/engine.ts';
import { evaluateProgram } from '../../../runtime/evaluate/evaluate.ts';
import { PhaseTimes } from '../../../runtime/evaluate/phase-times.ts';
import { graphMacs } from '../../../runtime/evaluate/work.ts';
import { monotonicSeconds } from '../../../runtime/platform/node.ts';
import type { Pool } from '../../../runtime/platform/pool.ts';
import { createPool, processorCount } from '../../../runtime/platform/pool.ts';
import { renderEvaluation } from '../../../runtime/report/evaluation.ts';
import { renderHostProfile } from '../../../runtime/report/host-profile.ts';
import { fail } from '../../ir/diagnostic.ts';
import type { CompileObserver, CompilePhase } from '../../lower/phases.ts';
import { compileModel } from '../../pipeline.ts';
import { DATA_FORMS, loadDataset } from '../data.ts';
import { Interrupted } from '../errors.ts';
import type { ModelSource } from '../model.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags } from '../options.ts';
import { MODEL_ARGUMENT, addBindingOptions, addTargetOption, engineOption, jsonOption, passesOption, positiveInteger } from '../options.ts';
import { print, printJson } from '../output.ts';
import { containerInfo } from '../producer.ts';
import { progress } from '../progress.ts';
import { loadTarget } from '../target.ts';
import { zooDataset } from '../zoo.ts';

const PRESETS_HELP = Object.entries(PREPROCESS_PRESETS)
  .map(([name, { text, doc }]) => `  ${name.padEnd(14)} ${doc}\n${' '.repeat(17)}${text}`)
  .join('\n');

interface Flags extends BindingFlags {
  readonly data?: string;
  readonly preprocess?: string;
  readonly limit?: number;
  readonly target: string;
  readonly passes: string;
  readonly batch?: number;
  readonly engine: EngineName;
  readonly profile?: boolean;
  readonly workers?: number;
  readonly json?: boolean;
}

export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('compile a model, execute it on labelled data, and report accuracy, throughput and energy')
    .argument('<model>', MODEL_ARGUMENT)
    .option('-d, --data <path>', `${DATA_FORMS}; a network of the zoo brings its own`)
    .option(
      '--preprocess <text>',
      'from pixels to elements: a preset, or key=value pairs, separated by commas; see below (default: scale=1/255)',
    )
    .option('-n, --limit <samples>', 'evaluate on the first samples only', positiveInteger)
    .option('-w, --workers <threads>', 'threads that execute batches, with the same results (default: one a processor)', positiveInteger)
    .option('-b, --batch <samples>', 'samples that one run of the program takes (default: 1)', positiveInteger);
  addTargetOption(command)
    .addOption(passesOption())
    .addOption(engineOption())
    .option(
      '--profile',
      'tell where the time of this computer went, by phase, layer and instruction (for modelled cycles: plumbline profile)',
    );
  addBindingOptions(command)
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
  plumbline eval mobilenet-v2.onnx --data imagenet --preprocess mobilenet-224 --limit 100`,
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

  const phases = new PhaseTimes<CompilePhase>(monotonicSeconds);
  const observe: CompileObserver = (phase, work) => phases.time(phase, work);
  const start = monotonicSeconds();
  const graph = observe('import', () => loadGraph(source, flags));
  const loaded = monotonicSeconds();
  const dataset = firstSamples(await datasetOf(source, flags), flags.limit ?? Infinity);
  const prepared = monotonicSeconds();
  const { program } = compileModel(graph, { target, passes, observe });
  const programBytes = observe('encode', () => encodeContainer(program, containerInfo(target))).length;
  const compileSeconds = monotonicSeconds() - prepared + (loaded - start);

  const shown = progress(source.name);
  let pool: Pool | undefined;
  const evaluation = await interruptible((signal) =>
    evaluateProgram(
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
        ...(!flags.profile && {
          threads: { count: flags.workers ?? processorCount(), start: (task, shared) => (pool = createPool(task, shared)) },
        }),
        onProgress: (done, total) => shown.update(done, total),
        signal,
      },
    ),
  ).finally(() => {
    shown.clear();
    return pool?.close();
  });
  const { profile } = evaluation.host;
  if (flags.json) printJson(evaluation);
  else print(`${renderEvaluation(evaluation, target)}${profile ? `\n${renderHostProfile(profile)}` : ''}`);
}

function datasetOf({ name, zoo }: ModelSource, { data, preprocess }: Flags): Promise<Dataset> {
  if (data !== undefined) return loadDataset(data, preprocess);
  if (preprocess !== undefined)
    return fail('usage', 'cli/no-data', '--preprocess needs --data: the data of the zoo are preprocessed as its networks need');
  if (zoo) return zooDataset(zoo.dataset);
  return fail('usage', 'cli/no-data', `${name} is not of the zoo and brings no data`, { hint: `give ${DATA_FORMS} with --data` });
}

/** Ctrl-C aborts `work` instead of ending the process. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new Interrupted());
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  }
}
