/** `plumbline conformance`: runs a folder of ONNX test cases. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import process from 'node:process';
import { parsePipeline, printPipeline } from '../../../passes/pipeline-text.ts';
import type { CaseResult } from '../../../runtime/conformance/conformance.ts';
import { runCases } from '../../../runtime/conformance/conformance.ts';
import type { Judge } from '../../../runtime/conformance/judge.ts';
import { SUITE_TOLERANCE } from '../../../runtime/conformance/judge.ts';
import type { EngineName } from '../../../runtime/engine/engine.ts';
import { renderConformance, totalsOf } from '../../../runtime/report/conformance.ts';
import { fail } from '../../ir/diagnostic.ts';
import { onSamples } from '../calibration.ts';
import { EXIT } from '../errors.ts';
import { interruptible } from '../interrupt.ts';
import { DEFAULT_PASSES, engineOption, jsonOption } from '../options.ts';
import { print, printJson, printWarning } from '../output.ts';
import { progress } from '../progress.ts';
import { loadTarget } from '../target.ts';
import type { TestFolder } from '../test-cases.ts';
import { findCases } from '../test-cases.ts';

const CONFORMANCE_SCHEMA = 'plumbline.conformance/1';

interface Flags {
  readonly target?: string;
  readonly passes?: string;
  readonly rtol?: number;
  readonly atol?: number;
  readonly sqnr?: number;
  readonly engine: EngineName;
  readonly json?: boolean;
}

export function addConformance(program: Command): void {
  program
    .command('conformance')
    .description('run a folder of ONNX test cases, each a folder with model.onnx and test_data_set_N/{input,output}_N.pb')
    .argument('<folder>', 'holds a folder for each case, or is one')
    .option('-t, --target <name|file.json>', 'compile for this accelerator and execute (default: evaluate with the reference evaluator)')
    .option('-p, --passes <pipeline>', `passes, calibrated on the inputs of each case (default: ${DEFAULT_PASSES} for a target, else none)`)
    .option('--rtol <number>', `error allowed, relative to the expected element (default: ${SUITE_TOLERANCE.relative})`, nonNegative)
    .option('--atol <number>', `error allowed beside that (default: ${SUITE_TOLERANCE.absolute})`, nonNegative)
    .addOption(
      new Option('--sqnr <decibels>', 'hold each output to a signal-to-noise ratio instead, for passes that lose precision')
        .argParser(decibels)
        .conflicts(['rtol', 'atol']),
    )
    .addOption(engineOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
All outputs of all sets of data are compared. A case is
  passed       if they are what it expects
  unsupported  if the model needs something that is not supported
  failed       if an output is wrong, or the case or its model is refused as invalid
  crashed      on an error of plumbline itself, or a program that trapped
and what ran is said with it: compiled (all that the case feeds are inputs of the program), compiled-constants (only with all inputs but the first, or all, put
into the model as constants), folded (then no operation was left to compile); without --target, evaluated and evaluated-constants.
Folders without a model.onnx are passed over and counted. The exit code is 0 if all cases passed, 1 if any failed or crashed, else 3.

Examples:
  plumbline conformance onnx/backend/test/data/node
  plumbline conformance onnx/backend/test/data/node --target cambricon --json
  plumbline conformance onnx/backend/test/data/pytorch-operator --target cambricon --passes int8 --sqnr 20`,
    )
    .action(run);
}

function nonNegative(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError('A number that is not negative is expected.');
}

function decibels(text: string): number {
  const value = /^[+-]?\d+(\.\d+)?(dB)?$/.test(text) ? Number.parseFloat(text) : NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Decibels are expected, such as 30.');
}

async function run(folder: string, flags: Flags): Promise<void> {
  const found = findCases(folder);
  requireCases(folder, found);
  const passes = parsePipeline(flags.passes ?? (flags.target === undefined ? '' : DEFAULT_PASSES));
  const judge = judgeOf(flags);
  if (judge.kind === 'tolerance' && passes.some(({ pass }) => pass.meaning === 'lossy'))
    printWarning('passes that lose precision are held to the tolerance of exact ones: --sqnr holds them to a signal-to-noise ratio');
  const shown = progress(folder);
  const target = flags.target === undefined ? undefined : loadTarget(flags.target);
  const cases = await interruptible((signal) =>
    runCases(found.cases, {
      ...(target && { target }),
      passes,
      judge,
      engine: flags.engine,
      calibrate: onSamples,
      signal,
      onProgress: (done, total) => shown.update(done, total),
    }),
  ).finally(() => shown.clear());
  const passedOver = found.passedOver.length;
  if (flags.json)
    printJson({
      schema: CONFORMANCE_SCHEMA,
      target: target?.name ?? null,
      passes: printPipeline(passes),
      judge,
      totals: totalsOf(cases),
      passedOver,
      cases: cases.map(({ name, status, form, reason }) => ({ name, status, form, reason })),
    });
  else print(renderConformance(cases, passedOver));
  process.exitCode = exitCodeOf(cases);
}

function judgeOf({ rtol = SUITE_TOLERANCE.relative, atol = SUITE_TOLERANCE.absolute, sqnr }: Flags): Judge {
  return sqnr === undefined ? { kind: 'tolerance', relative: rtol, absolute: atol } : { kind: 'sqnr', decibels: sqnr };
}

function requireCases(folder: string, { cases, passedOver }: TestFolder): void {
  if (cases.length > 0) return;
  fail('usage', 'cli/no-cases', 'holds no folder with a model.onnx', {
    place: [folder],
    ...(passedOver.length > 0 && { hint: `give the folder that holds the cases, perhaps ${passedOver[0] ?? ''} in it` }),
  });
}

function exitCodeOf(cases: readonly CaseResult[]): number {
  const has = (...statuses: readonly CaseResult['status'][]): boolean => cases.some(({ status }) => statuses.includes(status));
  if (has('failed', 'crashed')) return EXIT.violated;
  return has('unsupported') ? EXIT.unsupported : EXIT.fine;
}
