/** `plumbline explain`: where one value comes from, what it holds, what it costs and how wrong it is. */
import type { Command } from 'commander';
import { dumping } from '../../../passes/instruments/printing.ts';
import { parsePipeline } from '../../../passes/pipeline-text.ts';
import { explain, findValue } from '../../../runtime/diff/explain.ts';
import { diffRuns } from '../../../runtime/diff/diff.ts';
import { profileInstructions } from '../../../runtime/evaluate/profile.ts';
import { renderExplanation } from '../../../runtime/report/explain.ts';
import type { Graph } from '../../ir/graph.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOption, pipelineOptions } from '../calibration.ts';
import { datasetOf } from '../data.ts';
import { interruptible } from '../interrupt.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags, DataFlags } from '../options.ts';
import { DATA_FORMS, MODEL_ARGUMENT, addBindingOptions, addTargetOption, jsonOption, passesOption, positiveInteger } from '../options.ts';
import { print, printMeasurements } from '../output.ts';
import { DEFAULT_SAVED_SAMPLES, floatTargetFor, runModel } from '../runs.ts';
import { failUnknown } from '../suggest.ts';
import { loadTarget } from '../target.ts';

interface Flags extends BindingFlags, CalibrationFlags, Pick<DataFlags, 'data' | 'preprocess'> {
  readonly passes: string;
  readonly target: string;
  readonly samples: number;
  readonly json?: boolean;
}

export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('tell of one value where it comes from, what it holds, what it costs, and its error beside the float model')
    .argument('<model>', MODEL_ARGUMENT)
    .argument('<node>', 'a node of the model, or a value of any stage of the compile')
    .option('-d, --data <path>', `${DATA_FORMS}; a network of the zoo brings its own`)
    .option('--preprocess <text>', 'from pixels to elements, as `plumbline eval --help` says')
    .option('--samples <n>', 'samples that the values are of', positiveInteger, DEFAULT_SAVED_SAMPLES);
  addCalibrationOption(addTargetOption(command)).addOption(passesOption());
  addBindingOptions(command)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  plumbline explain lenet-5 /0/Conv
  plumbline explain lenet-300-100 logits --target cambricon-base
  plumbline explain mobilenet /1/1.0/1.0.0/Conv --passes int8`,
    )
    .action(run);
}

async function run(model: string, node: string, flags: Flags): Promise<void> {
  const source = findModel(model);
  const target = loadTarget(flags.target);
  const passes = parsePipeline(flags.passes);
  const graph = loadGraph(source, flags);
  const dataset = await datasetOf(source, { ...flags, limit: flags.samples });
  const stages = new Map<string, Graph>();
  const common = { name: source.name, graph, dataset, samples: flags.samples };
  const options = await pipelineOptions(passes, source, flags);
  const explanation = await interruptible(async (signal) => {
    const dumper = dumping((file, stage) => void stages.set(file.replace(/\.pir$/, ''), stage));
    const pipeline = { ...options, observers: [...(options.observers ?? []), dumper] };
    const program = await runModel({ ...common, passes, target, pipeline, label: source.name }, signal);
    const legal = program.trace.graph;
    const value = findValue(legal, stages, node) ?? unknownNode(node, legal);
    const reference = await runModel({ ...common, passes: [], target: floatTargetFor(target), label: 'reference' }, signal);
    const { tensors } = await diffRuns(reference, program, { only: value, signal });
    const instructions = profileInstructions(program.program, target);
    const [error] = tensors;
    return explain(value, { run: program, stages, instructions, ...(error && { error }) });
  });
  if (flags.json) printMeasurements(explanation);
  else print(renderExplanation(explanation));
}

function unknownNode(node: string, legal: Graph): never {
  const known = [...legal.inputs.map(({ name }) => name), ...legal.ops.flatMap(({ name, origin }) => [name, ...origin])];
  return failUnknown('cli/unknown-node', 'node', node, [...new Set(known)]);
}
