/** `plumbline ladder`: what each pass of a pipeline did to the executed program. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { parsePipeline } from '../../../passes/pipeline-text.ts';
import type { Sample } from '../../../passes/pass.ts';
import type { Dataset } from '../../../runtime/data/dataset.ts';
import type { EngineName } from '../../../runtime/engine/engine.ts';
import type { Ladder } from '../../../runtime/evaluate/ladder.ts';
import { evaluateLadder } from '../../../runtime/evaluate/ladder.ts';
import { firstGraphSamples } from '../../../runtime/evaluate/samples.ts';
import { monotonicSeconds } from '../../../runtime/platform/node.ts';
import { createPool } from '../../../runtime/platform/pool.ts';
import { renderLadder } from '../../../runtime/report/ladder.ts';
import { DiagnosticError, fail } from '../../ir/diagnostic.ts';
import type { Graph } from '../../ir/graph.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOption, pipelineOptions } from '../calibration.ts';
import { datasetOf } from '../data.ts';
import { interruptible } from '../interrupt.ts';
import type { ModelSource } from '../model.ts';
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
import type { Progress } from '../progress.ts';
import { progress } from '../progress.ts';
import { graphSamples } from '../samples.ts';
import { loadTarget } from '../target.ts';

const DEFAULT_CONTRACT_SAMPLES = 2;

interface Flags extends BindingFlags, CalibrationFlags, DataFlags {
  readonly target: string;
  readonly passes: string;
  readonly engine: EngineName;
  readonly contracts: number;
  readonly budget?: number;
  readonly orders?: boolean;
  readonly workers?: number;
  readonly json?: boolean;
}

export function addLadder(program: Command): void {
  const command = program
    .command('ladder')
    .description('compile and execute after every pass: what each did to accuracy, cycles, bytes and energy')
    .argument('<model>', MODEL_ARGUMENT);
  addCalibrationOption(addTargetOption(addDataOptions(command)))
    .addOption(workersOption())
    .addOption(passesOption())
    .addOption(engineOption())
    .option(
      '--contracts <samples>',
      'samples that every pass is held to its contract on, graph against graph',
      positiveInteger,
      DEFAULT_CONTRACT_SAMPLES,
    )
    .option('--budget <points>', 'the largest loss of top-1 against the imported model, such as 0.5pt; more ends with exit code 1', points)
    .option('--orders', 'also compile and execute the pipelines with two neighbours swapped, and with each pass left out');
  addBindingOptions(command)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Row 0 is the model as it was imported, row k the pipeline up to pass k; presets count as the passes that they stand for. Behind each goes what the target
cannot do without, so that every row is an executed program; equal programs are executed once. A pass that breaks its contract ends the ladder with exit
code 1 behind the rows so far. In JSON everything but \`host\` is the same in every run.

Examples:
  plumbline ladder mobilenet --limit 1000
  plumbline ladder lenet-300-100 --passes O1,to-fixed-point --budget 0.5pt
  plumbline ladder mobilenet --passes int8 --limit 1000
  plumbline ladder resnet --limit 200 --orders --json`,
    )
    .action(run);
}

/** `0.5pt`: points of top-1. */
function points(text: string): number {
  const value = /^\d+(\.\d+)?pt$/.test(text) ? Number(text.slice(0, -2)) : NaN;
  if (value <= 100) return value;
  throw new InvalidArgumentError('Points of top-1 are expected, such as 0.5pt.');
}

async function run(model: string, flags: Flags): Promise<void> {
  const shown = phases(model);
  const ladder = await interruptible((signal) => climb(model, flags, shown, signal)).finally(() => shown.clear());
  if (flags.json) printJson(ladder);
  else print(renderLadder(ladder));
  failWhereViolated(ladder);
}

async function climb(model: string, flags: Flags, shown: Phases, signal: AbortSignal): Promise<Ladder> {
  const target = loadTarget(flags.target);
  const passes = parsePipeline(flags.passes);
  const source = findModel(model);
  const graph = loadGraph(source, flags);
  const dataset = await datasetOf(source, flags);
  return evaluateLadder(graph, {
    target,
    passes,
    dataset,
    model: source.name,
    container: containerInfo(target),
    pipeline: await pipelineOptions(passes, source, flags),
    contractSamples: await contractSamplesOf(graph, source, dataset, flags),
    engine: flags.engine,
    threads: { count: threadCount(flags.workers), start: createPool },
    now: monotonicSeconds,
    signal,
    onProgress: (what, done, total) => shown.update(what, done, total),
    ...(flags.budget !== undefined && { budgetPoints: flags.budget }),
    ...(flags.orders && { orders: true }),
  });
}

/** Calibration samples of the zoo; of other models the first samples of their data. */
async function contractSamplesOf(
  graph: Graph,
  source: ModelSource,
  dataset: Dataset,
  { data, contracts }: Flags,
): Promise<readonly Sample[]> {
  const [input, ...others] = graph.inputs;
  const own = data !== undefined && input && others.length === 0 ? await firstGraphSamples(input, dataset, contracts) : undefined;
  return own ?? graphSamples(graph, source, contracts);
}

/** One line of progress for what is under way. */
interface Phases {
  update(what: string, done: number, total: number): void;
  clear(): void;
}

function phases(model: string): Phases {
  let phase = '';
  let shown: Progress | undefined;
  return {
    update(what, done, total) {
      if (what !== phase) {
        shown?.clear();
        shown = progress(`${model}, ${what}`);
        phase = what;
      }
      shown?.update(done, total);
    },
    clear: () => shown?.clear(),
  };
}

function failWhereViolated({ violation, budget, rows }: Ladder): void {
  if (violation) throw new DiagnosticError([violation]);
  if (!budget || budget.exceededBy === null) return;
  const row = rows.findIndex(({ pass }) => pass === budget.exceededBy);
  fail('violated', 'ladder/budget', `loses more than the budget of ${budget.points} points of top-1`, {
    place: [`row ${row}`, budget.exceededBy],
  });
}
