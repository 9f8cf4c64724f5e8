/** Where the passes of a command get calibration statistics from: a file, data, or the zoo. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Command } from 'commander';
import type { CalibrationProvider } from '../../passes/calibration.ts';
import { recordedCalibration } from '../../passes/calibration.ts';
import type { PassEvent, PassOutcome, PipelineOptions } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import type { CalibrationData, PlacedSample } from '../../runtime/evaluate/calibration.ts';
import { CALIBRATION_SAMPLES, calibrationOnSamples, measuredCalibration, readCalibrationData } from '../../runtime/evaluate/calibration.ts';
import { parseCalibration } from '../../runtime/evaluate/calibration-file.ts';
import { kindOf, readFile, readTextFile } from '../../runtime/platform/node.ts';
import { fail } from '../ir/diagnostic.ts';
import { loadDataset } from './data.ts';
import type { ModelSource } from './model.ts';
import { loadGraph } from './model.ts';
import { DATA_FORMS, DEFAULT_TARGET } from './options.ts';
import { printWarning } from './output.ts';
import { progress } from './progress.ts';
import { heldSamples } from './samples.ts';
import { loadTarget } from './target.ts';
import { zooDataset } from './zoo.ts';

export interface CalibrationFlags {
  readonly calibration?: string;
  readonly preprocess?: string;
}

const FILE_EXTENSION = '.json';

export const PREPROCESS_OPTION = '--preprocess <text>';

export function addCalibrationOption(command: Command): Command {
  return command.option(
    '--calibration <file|data>',
    'for passes that need statistics: what `plumbline calibrate` wrote, or representative data; a network of the zoo brings its own, a reproducer its samples',
  );
}

/** `--calibration` and how its data are preprocessed, for commands without data of their own. */
export function addCalibrationOptions(command: Command): Command {
  return addCalibrationOption(command).option(
    PREPROCESS_OPTION,
    'from pixels of calibration data to elements: see `plumbline eval --help`',
  );
}

/** Options of a pipeline: its warnings are printed, and its passes get statistics; data are read only where one needs them. */
export async function pipelineOptions(
  passes: readonly PassInvocation[],
  source: ModelSource,
  flags: CalibrationFlags,
): Promise<PipelineOptions> {
  const calibration = await calibrationOf(passes, source, flags);
  const observers = [{ afterPass: (_event: PassEvent, { warnings }: PassOutcome) => warnings.forEach(printWarning) }];
  return { observers, ...(calibration && { calibration }) };
}

/** Where passes get statistics from; undefined where none needs them. */
export async function calibrationOf(
  passes: readonly PassInvocation[],
  source: ModelSource,
  { calibration: given, preprocess }: CalibrationFlags,
): Promise<CalibrationProvider | undefined> {
  if (!passes.some(({ pass }) => pass.calibrated)) {
    if (given !== undefined) printWarning('no pass of the pipeline needs calibration: --calibration has no effect');
    return undefined;
  }
  if (given?.endsWith(FILE_EXTENSION) && kindOf(given) !== 'directory') return fromFile(given, source);
  const held = given === undefined && source.form === 'text' ? heldSamples(source, loadGraph(source)) : [];
  if (held.length > 0) return onSamples(held);
  return measuring(await calibrationData(source, given, preprocess, CALIBRATION_SAMPLES), source);
}

/** A provider for graphs whose inputs are those of the samples. */
export function onSamples(samples: readonly PlacedSample[]): CalibrationProvider {
  return calibrationOnSamples(samples, { target: loadTarget(DEFAULT_TARGET) });
}

function fromFile(path: string, source: ModelSource): CalibrationProvider {
  const { model, statistics } = parseCalibration(readTextFile(path), path);
  if (model.sha256 !== modelHash(source))
    fail('invalid', 'calibration/other-model', `was made for another model, ${model.name}, or another version of it`, {
      place: [path],
      hint: `run plumbline calibrate ${source.zoo ? source.name : source.path}`,
    });
  return recordedCalibration(statistics, path);
}

/** A provider that shows its progress; what executes the graph, and on what target, changes no value. */
export function measuring(data: CalibrationData, source: ModelSource): CalibrationProvider {
  return measuredCalibration(data, { target: loadTarget(DEFAULT_TARGET), progress: progress(`calibrating ${source.name}`) });
}

/** The beginning of the data that are given, or of the zoo's. */
export async function calibrationData(
  { name, zoo }: ModelSource,
  path: string | undefined,
  preprocess: string | undefined,
  samples: number,
): Promise<CalibrationData> {
  if (path !== undefined) return readCalibrationData(await loadDataset(path, preprocess), samples);
  if (zoo) return readCalibrationData(await zooDataset(zoo.dataset, 'calibration'), samples);
  return fail('usage', 'cli/no-calibration', `${name} is not of the zoo, and the passes need calibration data`, {
    hint: `give what \`plumbline calibrate\` wrote, or ${DATA_FORMS}, with --calibration`,
  });
}

/** SHA-256 of a model's file; of a text and its constants. */
export function modelHash({ path, form }: ModelSource): string {
  const hash = sha256.create().update(readFile(path));
  const side = `${path}.data`;
  if (form === 'text' && kindOf(side) === 'file') hash.update(readFile(side));
  return bytesToHex(hash.digest());
}
