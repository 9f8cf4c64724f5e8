/** `plumbline eval`: accuracy, throughput and energy of the executed program on labelled data. */
import type { Command } from 'commander';
import process from 'node:process';
import { encodeContainer } from '../../../isa/container.ts';
import { parsePipeline, printPipeline } from '../../../passes/pipeline-text.ts';
import type { Dataset } from '../../../runtime/evaluate/dataset.ts';
import { firstSamples } from '../../../runtime/evaluate/dataset.ts';
import { evaluateProgram } from '../../../runtime/evaluate/evaluate.ts';
import { graphMacs } from '../../../runtime/evaluate/work.ts';
import { monotonicSeconds } from '../../../runtime/platform/node.ts';
import { renderEvaluation } from '../../../runtime/report/evaluation.ts';
import { fail } from '../../ir/diagnostic.ts';
import { compileModel } from '../../pipeline.ts';
import { loadDataset } from '../data.ts';
import { Interrupted } from '../errors.ts';
import type { ModelSource } from '../model.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags } from '../options.ts';
import { MODEL_ARGUMENT, addBindingOptions, addTargetOption, jsonOption, passesOption, positiveInteger } from '../options.ts';
import { print, printJson } from '../output.ts';
import { containerInfo } from '../producer.ts';
import { progress } from '../progress.ts';
import { loadTarget } from '../target.ts';
import { zooDataset } from '../zoo.ts';

interface Flags extends BindingFlags {
  readonly data?: string;
  readonly limit?: number;
  readonly target: string;
  readonly passes: string;
  readonly batch?: number;
  readonly json?: boolean;
}

export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('compile a model, execute it on labelled data, and report accuracy, throughput and energy')
    .argument('<model>', MODEL_ARGUMENT)
    .option('-d, --data <path>', 'folder, or prefix, of IDX files with images and labels; a network of the zoo brings its own')
    .option('-n, --limit <samples>', 'evaluate on the first samples only', positiveInteger)
    .option('-b, --batch <samples>', 'samples that one run of the program takes (default: 1)', positiveInteger);
  addTargetOption(command).addOption(passesOption());
  addBindingOptions(command)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Images are 8-bit; an element of the input is pixel / 255. Without a prefix, a folder with several sets of images is taken for its test set (t10k, test).
In JSON everything but \`host\` is the same in every run.

Examples:
  plumbline eval lenet-5
  plumbline eval lenet-300-100 --target cambricon-base --limit 1000
  plumbline eval model.onnx --data mnist/t10k --batch 16 --json`,
    )
    .action(run);
}

async function run(model: string, flags: Flags): Promise<void> {
  const target = loadTarget(flags.target);
  const passes = parsePipeline(flags.passes);
  const source = findModel(model);

  const start = monotonicSeconds();
  const graph = loadGraph(source, flags);
  const loaded = monotonicSeconds();
  const dataset = firstSamples(datasetOf(source, flags.data), flags.limit ?? Infinity);
  const prepared = monotonicSeconds();
  const { program } = compileModel(graph, { target, passes });
  const programBytes = encodeContainer(program, containerInfo(target)).length;
  const compileSeconds = monotonicSeconds() - prepared + (loaded - start);

  const shown = progress(source.name);
  const evaluation = await interruptible((signal) =>
    evaluateProgram(
      program,
      target,
      dataset,
      { model: source.name, passes: printPipeline(passes), macs: graphMacs(graph), programBytes, compileSeconds },
      { now: monotonicSeconds, onProgress: (done, total) => shown.update(done, total), signal },
    ),
  ).finally(() => shown.clear());
  if (flags.json) printJson(evaluation);
  else print(renderEvaluation(evaluation, target));
}

function datasetOf({ name, zoo }: ModelSource, data: string | undefined): Dataset {
  if (data !== undefined) return loadDataset(data);
  if (zoo) return zooDataset(zoo.dataset);
  return fail('usage', 'cli/no-data', `${name} is not of the zoo and brings no data`, { hint: 'give a folder of IDX files with --data' });
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
