/** `plumbline opt`: runs passes on a graph and shows what they do. */
import { Command, CommanderError, Option } from 'commander';
import { join } from 'node:path';
import type { ContractReport } from '../../../passes/contract/check.ts';
import { bisectGate } from '../../../passes/instruments/bisect.ts';
import { contractCheck } from '../../../passes/instruments/contracts.ts';
import type { CalibrationProvider } from '../../../passes/calibration.ts';
import type { PassSelection } from '../../../passes/instruments/printing.ts';
import { dumping, printing } from '../../../passes/instruments/printing.ts';
import { crashReproducer, parseRunLine } from '../../../passes/instruments/reproducer.ts';
import { timing } from '../../../passes/instruments/timing.ts';
import { verifying } from '../../../passes/instruments/verifying.ts';
import type { PassObserver } from '../../../passes/manager.ts';
import { runPipeline } from '../../../passes/manager.ts';
import type { PassInvocation } from '../../../passes/pass.ts';
import { parsePipeline } from '../../../passes/pipeline-text.ts';
import { PASSES } from '../../../passes/registry.ts';
import { Checker, printCheck } from '../../../runtime/bisect/check.ts';
import { makeDirectory, monotonicSeconds, readTextFile, writeFile } from '../../../runtime/platform/node.ts';
import { describeFinding } from '../../../runtime/report/bisection.ts';
import { exportOnnx } from '../../frontend/export.ts';
import { fail } from '../../ir/diagnostic.ts';
import type { Graph } from '../../ir/graph.ts';
import { printGraph } from '../../ir/text.ts';
import { checkGraph } from '../../ir/verify.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOptions, pipelineOptions } from '../calibration.ts';
import type { CheckFlags } from '../checked-model.ts';
import { checkSpec, unlabelledSamples } from '../checked-model.ts';
import { showPrinted, writePrinted } from '../graph-file.ts';
import type { ModelSource } from '../model.ts';
import { findModel, loadGraph } from '../model.ts';
import { renderStepReports, stepReports } from '../opt-report.ts';
import type { BindingFlags } from '../options.ts';
import {
  DEFAULT_PASSES,
  DEFAULT_TARGET,
  MODEL_ARGUMENT,
  addBindingOptions,
  jsonOption,
  nameList,
  positiveInteger,
  shellWord,
} from '../options.ts';
import { printJson, printMessage, printWarning } from '../output.ts';
import { graphSamples } from '../samples.ts';
import { failUnknown } from '../suggest.ts';
import { loadTarget } from '../target.ts';

/** Samples of a check where the file holds none. */
const CHECK_SAMPLES = 4;

interface Flags extends BindingFlags, CalibrationFlags, CheckFlags {
  readonly target?: string;
  readonly passes?: string;
  readonly output?: string;
  readonly emit?: 'pir' | 'onnx';
  readonly printBefore?: readonly string[];
  readonly printAfter?: readonly string[];
  readonly printChanged?: boolean;
  readonly verifyEach?: boolean;
  readonly time?: boolean;
  readonly stats?: boolean;
  readonly dumpDir?: string;
  readonly checkContracts?: number;
  readonly bisectLimit?: number;
  readonly reproducer?: string;
  readonly json?: boolean;
}

export function addOpt(program: Command): void {
  addOptions(program.command('opt').description('run passes on a model and print the graph'))
    .argument('<model>', MODEL_ARGUMENT)
    .addHelpText(
      'after',
      `
The graph goes to standard output or to FILE and FILE.data; everything else goes to standard error. A .pir file that starts with a line
\`// RUN: opt -p "…"\`, as --reproducer and \`plumbline reduce\` write it, is run as that line says unless -p is given. The line
may ask for passes, --target, --check, --check-contracts, --verify-each and --bisect-limit; a --check-command in it is shown and not run. Checks are those of \`plumbline bisect\`,
against the graph before the passes, on the samples in the file, or else on ${CHECK_SAMPLES} of calibration data or random ones. The samples in a file also calibrate the passes
that need statistics.

Examples:
  plumbline opt lenet-5 -p O1 -o lenet-5.pir
  plumbline opt resnet -p fold-batch-norm,fuse-activation --check-contracts 4 --stats
  plumbline opt resnet -p O1,legalize-layout --emit onnx -o resnet-nhwc.onnx`,
    )
    .action(run);
}

function addOptions(command: Command): Command {
  return addCalibrationOptions(addBindingOptions(command))
    .option('-p, --passes <pipeline>', `passes, separated by commas; see \`plumbline passes\` (default: "${DEFAULT_PASSES}")`)
    .option('-o, --output <file>', 'where to write the graph instead of standard output')
    .addOption(
      new Option('--emit <form>', 'the form of the graph: its text, or an ONNX model that another runtime can execute')
        .choices(['pir', 'onnx'])
        .default('pir'),
    )
    .option('--print-before <passes>', 'print the graph before these passes, or before "all"', nameList)
    .option('--print-after <passes>', 'print the graph after these passes, or after "all"', nameList)
    .option('--print-changed', 'print the graph after each pass that changed it')
    .option('--verify-each', 'verify the graph after each pass')
    .option('--time', 'tell how long each pass took')
    .option('--stats', 'tell what each pass did, rule by rule')
    .option('--dump-dir <folder>', 'write the graph after each pass to a file')
    .option(
      '--check-contracts <samples>',
      'evaluate the graph before and after each pass and hold the pass to its contract',
      positiveInteger,
    )
    .option('--check <expression>', 'what must hold after the passes, such as "sqnr > 40dB"')
    .option('--check-command <command>', 'a command that fails where something is wrong')
    .option(
      '-t, --target <name|file.json>',
      `the accelerator that cycles, instructions, bytes and joules are those of (default: "${DEFAULT_TARGET}")`,
    )
    .option('--bisect-limit <n>', 'allow the first N transformations only, and list all', bisectLimit)
    .option('--reproducer <file.pir>', 'where to write the graph and the command when a pass fails')
    .addOption(jsonOption());
}

function bisectLimit(text: string): number {
  return text === '0' ? 0 : positiveInteger(text);
}

async function run(model: string, given: Flags): Promise<void> {
  const source = findModel(model);
  const flags = withRunLine(source, given);
  const pipeline = parsePipeline(flags.passes ?? DEFAULT_PASSES);
  const graph = checkGraph(loadGraph(source, flags));

  const bisect = flags.bisectLimit === undefined ? undefined : bisectGate(flags.bisectLimit, (line) => printMessage(`${line}\n`));
  const clock = timing(() => 1000 * monotonicSeconds());
  const contracts = new Map<number, ContractReport>();
  const observers = [...instruments(flags), ...(await contractObserver(flags, graph, source, contracts)), clock];
  if (flags.reproducer !== undefined) {
    const path = flags.reproducer;
    const options = flags.verifyEach ? ['--verify-each'] : [];
    observers.unshift(crashReproducer({ options, ...(bisect && { bisect }), write: (reproducer) => writePrinted(reproducer, path) }));
  }
  const options = await pipelineOptions(pipeline, source, flags);
  if (flags.check !== undefined || flags.checkCommand !== undefined)
    await requireCheck(source, graph, pipeline, options.calibration, flags);
  const result = runPipeline(graph, pipeline, {
    ...options,
    observers: [...(options.observers ?? []), ...observers],
    ...(bisect && { bisect }),
  });
  const steps = stepReports(result.steps, clock.times, contracts);
  if (flags.json) {
    printJson({ schema: 'plumbline.opt/1', model: source.name, steps });
    if (flags.output !== undefined) writeGraph(result.graph, flags);
    return;
  }
  writeGraph(result.graph, flags);
  printMessage(renderStepReports(steps, { time: flags.time ?? false, stats: flags.stats ?? false }));
}

/** Fails where the check does not hold for what the passes make. */
async function requireCheck(
  source: ModelSource,
  graph: Graph,
  steps: readonly PassInvocation[],
  calibration: CalibrationProvider | undefined,
  flags: Flags,
): Promise<void> {
  const target = loadTarget(flags.target ?? DEFAULT_TARGET);
  const spec = checkSpec(flags, target);
  const samples = await unlabelledSamples(source, graph, CHECK_SAMPLES);
  const gate = flags.bisectLimit === undefined ? undefined : bisectGate(flags.bisectLimit, () => undefined);
  const checker = new Checker(spec, { base: graph, samples, target, values: 'graph', ...(calibration && { pipeline: { calibration } }) });
  const { verdict, findings } = await checker.test({ graph, steps, ...(gate && { gate }) });
  if (verdict === 'good') return;
  const found = findings.filter((finding) => !finding.holds).map(describeFinding);
  fail(
    verdict === 'bad' ? 'violated' : 'unsupported',
    'check/failed',
    `${printCheck(spec)} ${verdict === 'bad' ? 'does not hold' : 'cannot be judged'}: ${found.join(', ')}`,
    { place: [source.path] },
  );
}

function writeGraph(graph: Graph, { emit, output }: Flags): void {
  if (emit !== 'onnx') return showPrinted(printGraph(graph), output);
  if (output === undefined)
    return fail('usage', 'cli/no-output', 'an ONNX model needs a file to be written to', { hint: 'give one with -o FILE.onnx' });
  writeFile(output, exportOnnx(graph));
}

/**
 * Options that the first line of a file may ask for. The file is data, from wherever: nothing in it may run or write anything, and what is not listed here
 * is refused. A command that checks is the reader's to run, and is only shown to him.
 */
const OF_RUN_LINE: readonly string[] = ['--check', '--target', '--verify-each', '--bisect-limit', '--check-contracts', '--check-command'];

/** What the first line of a reproducer asks for, under the options that are given. */
function withRunLine({ form, path }: ModelSource, given: Flags): Flags {
  if (form !== 'text' || given.passes !== undefined) return given;
  const text = readTextFile(path);
  if (!text.startsWith('// RUN:')) return given;
  const { passes, options } = parseRunLine(text, path);
  const { checkCommand: command, ...asked } = runLineFlags(options, path);
  if (command !== undefined && given.checkCommand === undefined)
    printWarning(`${path} is checked by a command, which is not run; pass it yourself to run it: --check-command ${shellWord(command)}`);
  return { ...asked, passes, ...given };
}

function runLineFlags(options: readonly string[], path: string): Partial<Flags> {
  const asked = new Command('opt')
    .exitOverride()
    .helpOption(false)
    .configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  for (const option of addOptions(new Command('opt')).options) if (OF_RUN_LINE.includes(option.long ?? '')) asked.addOption(option);
  try {
    asked.parse([...options], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [reason = ''] = error.message.replace(/^error: /, '').split('\n');
    return fail('invalid', 'pipeline/run-line', `its RUN line is not accepted: ${reason}`, {
      place: [path],
      hint: `a file may ask for ${OF_RUN_LINE.join(', ')}; give other options yourself`,
    });
  }
  return asked.opts<Partial<Flags>>();
}

function instruments(flags: Flags): PassObserver[] {
  const observers: PassObserver[] = [];
  const before = selection(flags.printBefore);
  const after = selection(flags.printAfter);
  if (before || after || flags.printChanged)
    observers.push(
      printing({ ...(before && { before }), ...(after && { after }), changed: flags.printChanged ?? false, write: printMessage }),
    );
  if (flags.dumpDir !== undefined) {
    const folder = flags.dumpDir;
    makeDirectory(folder);
    observers.push(dumping((file, dumped) => writePrinted(printGraph(dumped), join(folder, file))));
  }
  if (flags.verifyEach) observers.push(verifying());
  return observers;
}

async function contractObserver(
  { checkContracts }: Flags,
  graph: Graph,
  source: ModelSource,
  found: Map<number, ContractReport>,
): Promise<readonly PassObserver[]> {
  if (checkContracts === undefined) return [];
  let index = 0;
  return [
    { beforePass: (event) => void (index = event.index) },
    contractCheck({
      samples: await graphSamples(graph, source, checkContracts),
      report: (_step, contract) => void found.set(index, contract),
    }),
  ];
}

function selection(names: readonly string[] | undefined): PassSelection | undefined {
  if (names === undefined) return undefined;
  if (names.includes('all')) return 'all';
  const known = Object.keys(PASSES);
  const unknown = names.find((name) => !known.includes(name));
  return unknown === undefined ? names : failUnknown('pipeline/unknown-pass', 'pass', unknown, [...known, 'all']);
}
