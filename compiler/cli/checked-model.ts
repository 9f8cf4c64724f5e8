/** A model, passes, samples and a check, as the commands that look for what breaks it are given them. */
import type { Command } from 'commander';
import type { Target } from '../../isa/target.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { CheckContext, CheckSample, CheckSpec } from '../../runtime/bisect/check.ts';
import { Checker, usesSamples } from '../../runtime/bisect/check.ts';
import { METRICS, METRIC_NAMES, parseExpression } from '../../runtime/bisect/expression.ts';
import { DataError } from '../../runtime/data/errors.ts';
import { transposeHint } from '../../runtime/data/orders.ts';
import { fits } from '../../runtime/evaluate/evaluate.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import { tensor } from '../ir/tensor.ts';
import { elementCount } from '../ir/types.ts';
import { checkGraph } from '../ir/verify.ts';
import { checkCommand, COMMAND_PROTOCOL } from './check-command.ts';
import { datasetOf } from './data.ts';
import type { ModelSource } from './model.ts';
import { findModel, loadGraph } from './model.ts';
import type { BindingFlags, DataFlags } from './options.ts';
import { addBindingOptions, addTargetOption, DATA_FORMS, jsonOption, MODEL_ARGUMENT, passesOption, positiveInteger } from './options.ts';
import { graphSamples, heldSamples } from './samples.ts';
import { loadTarget } from './target.ts';

/** What is checked. */
export interface CheckFlags {
  readonly check?: string;
  readonly checkCommand?: string;
}

export interface CheckedModelFlags extends CheckFlags, BindingFlags, Omit<DataFlags, 'batch'> {
  readonly target: string;
  readonly passes: string;
}

export function addCheckOptions(command: Command): Command {
  return command
    .option('--check <expression>', 'what must hold, such as "top1 >= base - 0.5pt", or contract')
    .option('--check-command <command>', 'a command that fails where something is wrong; see below');
}

const SAMPLES = 100;
/** Contracts compare every value of two graphs. */
const CONTRACT_SAMPLES = 4;

export function addCheckedModel(command: Command): Command {
  command.argument('<model>', MODEL_ARGUMENT);
  addCheckOptions(command)
    .addOption(passesOption())
    .option('-d, --data <path>', `${DATA_FORMS}; a network of the zoo brings its own`)
    .option('--preprocess <text>', 'from pixels to elements; see `plumbline eval --help`')
    .option(
      '-n, --limit <samples>',
      `check on so many samples only (default: ${SAMPLES}, or ${CONTRACT_SAMPLES} for contracts)`,
      positiveInteger,
    );
  return addBindingOptions(addTargetOption(command)).addOption(jsonOption());
}

/** For help texts: what a check may say. */
export const CHECK_HELP = `A check is one or more clauses joined by "and": contract, which holds every pass to its contract, or METRIC >=, <=, >, < or == BOUND. A bound is a number,
or base, the metric of the float model without passes, as in base - 0.5pt (percentage points), base - 2% (of base), base * 1.1. Metrics:
${METRIC_NAMES.map((name) => `  ${name.padEnd(13)} ${METRICS[name].doc}`).join('\n')}

${COMMAND_PROTOCOL}`;

export interface CheckedModel {
  readonly source: ModelSource;
  readonly graph: Graph;
  readonly steps: readonly PassInvocation[];
  readonly checker: Checker;
}

/** Reads what the flags name. Throws diagnostics for what does not fit together. */
export async function checkedModel(model: string, flags: CheckedModelFlags, signal: AbortSignal): Promise<CheckedModel> {
  const target = loadTarget(flags.target);
  const steps = parsePipeline(flags.passes);
  const spec = checkSpec(flags, target, signal);
  const source = findModel(model);
  const graph = checkGraph(loadGraph(source, flags));
  const of = await samplesFor(source, graph, { limit: defaultLimit(spec, steps), ...flags });
  return { source, graph, steps, checker: new Checker(spec, { base: graph, ...of, target, values: 'program', signal }) };
}

function defaultLimit(spec: CheckSpec, steps: readonly PassInvocation[]): number {
  if (!usesSamples(spec)) return steps.some(({ pass }) => pass.calibrated) ? SAMPLES : 1;
  const contract = spec.kind === 'expression' && spec.expression.some(({ kind }) => kind === 'contract');
  return contract ? CONTRACT_SAMPLES : SAMPLES;
}

/** What is checked: exactly one of an expression and a command. */
export function checkSpec({ check, checkCommand: command }: CheckFlags, target: Target, signal?: AbortSignal): CheckSpec {
  if (check !== undefined && command === undefined) return { kind: 'expression', expression: parseExpression(check) };
  if (check === undefined && command !== undefined) return checkCommand(command, target, signal);
  return fail('usage', 'cli/no-check', check === undefined ? 'there is nothing to check' : 'only one check can be given', {
    hint: 'give --check EXPRESSION or --check-command COMMAND',
  });
}

/** Labelled samples where there is data, those that a reproducer holds, else random ones. */
async function samplesFor(
  source: ModelSource,
  graph: Graph,
  flags: Omit<DataFlags, 'batch'> & { readonly limit: number },
): Promise<Pick<CheckContext, 'samples' | 'classes'>> {
  if (source.zoo || flags.data !== undefined || flags.preprocess !== undefined) return labelledSamples(source, graph, flags);
  return { samples: await unlabelledSamples(source, graph, flags.limit) };
}

/** The samples that a reproducer holds; else of calibration data or random. */
export async function unlabelledSamples(source: ModelSource, graph: Graph, count: number): Promise<readonly CheckSample[]> {
  const held = heldSamples(source, graph);
  if (held.length > 0) return held;
  const samples = await graphSamples(graph, source, count);
  return samples.map((inputs, i) => ({ inputs, place: `sample ${i}` }));
}

async function labelledSamples(
  source: ModelSource,
  graph: Graph,
  flags: Omit<DataFlags, 'batch'>,
): Promise<Pick<CheckContext, 'samples' | 'classes'>> {
  const dataset = await datasetOf(source, flags);
  const [input, ...others] = graph.inputs;
  const single = input && others.length === 0 && input.type.element === 'f32' ? input : undefined;
  if (!single || elementCount(single.type.shape) !== elementCount(dataset.shape) || !fits(single.type.shape, dataset.shape, 1))
    throw new DataError(
      'data/mismatch',
      dataset.place(0),
      `gives samples of ${dataset.shape.join('x')}, and ${source.name} has ${graph.inputs.map(({ name, type }) => `input '${name}' of ${type.shape.join('x')}`).join(', ')}`,
      (single && transposeHint('samples', [dataset.samples, ...dataset.shape], [dataset.samples, ...single.type.shape.slice(1)])) ??
        'one f32 input that takes one sample is needed',
    );
  const { name, type } = single;
  const one = async (index: number): Promise<CheckSample> => ({
    inputs: new Map([[name, tensor(type, (await dataset.read(index)).elements)]]),
    label: dataset.label(index),
    place: dataset.place(index),
  });
  const samples = await Promise.all(Array.from({ length: dataset.samples }, (_, index) => one(index)));
  return { samples, classes: dataset.classes };
}
