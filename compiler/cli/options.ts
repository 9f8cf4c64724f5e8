/** Options that several subcommands share, and their values. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { DEFAULT_ENGINE, ENGINE_NAMES } from '../../runtime/engine/engine.ts';
import { processorCount } from '../../runtime/platform/pool.ts';
import { printWarning } from './output.ts';

export const DEFAULT_TARGET = 'cambricon';
export const DEFAULT_PASSES = 'O1';

const MAX_DIMENSION = 2 ** 31 - 1;
const MAX_COUNT = 2 ** 40;

/** A parser of positive integers. */
export function positiveInteger(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= MAX_COUNT) return value;
  throw new InvalidArgumentError('A positive integer is expected.');
}

function split(text: string, form: string): readonly [name: string, value: string] {
  const at = text.lastIndexOf('=');
  if (at <= 0) throw new InvalidArgumentError(`It must have the form ${form}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function dimension(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= MAX_DIMENSION) return value;
  throw new InvalidArgumentError(`'${text}' is no positive integer.`);
}

function added<T>(entries: Readonly<Record<string, T>>, name: string, value: T): Record<string, T> {
  if (Object.hasOwn(entries, name)) throw new InvalidArgumentError(`'${name}' is given twice.`);
  // Not an assignment: a name may be __proto__.
  return Object.fromEntries([...Object.entries(entries), [name, value]]);
}

/** `batch=8`, collected. */
export function parseDimension(text: string, known: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [name, value] = split(text, 'NAME=VALUE, such as batch=8');
  return added(known, name, dimension(value));
}

/** `image=1x1x56x56`, collected. */
export function parseShape(text: string, known: Readonly<Record<string, readonly number[]>> = {}): Record<string, readonly number[]> {
  const [name, value] = split(text, 'INPUT=SHAPE, such as image=1x1x56x56');
  return added(known, name, value.split('x').map(dimension));
}

/** Collects the values of an option that may be repeated. */
export function collect(text: string, known: readonly string[] = []): readonly string[] {
  return [...known, text];
}

/** Names separated by commas. */
export function nameList(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new InvalidArgumentError('Names separated by commas are expected.');
  return names;
}

/** A text as a word of a shell, which takes it as it is. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** How a model becomes static. */
export interface BindingFlags {
  readonly dim?: Readonly<Record<string, number>>;
  readonly shape?: Readonly<Record<string, readonly number[]>>;
}

export function addBindingOptions(command: Command): Command {
  return command
    .option('--dim <name=value>', 'bind a dynamic dimension; may be repeated', parseDimension)
    .option('--shape <input=shape>', 'give the whole shape of an input, such as image=1x1x56x56; may be repeated', parseShape);
}

/** What a model is evaluated on. */
export interface DataFlags {
  readonly data?: string;
  readonly preprocess?: string;
  readonly limit?: number;
  readonly batch?: number;
}

export const DATA_FORMS =
  'a folder of images with labels.csv or with a folder for each class, IDX files, CIFAR-10 (.bin), or arrays (.npz)';

export function addDataOptions(command: Command): Command {
  return command
    .option('-d, --data <path>', `${DATA_FORMS}; a network of the zoo brings its own`)
    .option(
      '--preprocess <text>',
      'from pixels to elements: a preset, or key=value pairs, separated by commas; see `plumbline eval --help` (default: scale=1/255)',
    )
    .option('-n, --limit <samples>', 'evaluate on so many samples only, the classes in turns', positiveInteger)
    .option('-b, --batch <samples>', 'samples that one run of the program takes (default: 1)', positiveInteger);
}

export function addTargetOption(command: Command): Command {
  return command.option(
    '-t, --target <name|file.json>',
    'the accelerator: a name that `plumbline targets` lists, or a file',
    DEFAULT_TARGET,
  );
}

export function passesOption(): Option {
  return new Option('-p, --passes <pipeline>', 'passes, separated by commas; see `plumbline passes`').default(DEFAULT_PASSES);
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON instead of a table');
}

export function engineOption(): Option {
  return new Option('--engine <name>', 'what executes the program, with the same results: the fast engine or the plain one that defines it')
    .choices(ENGINE_NAMES)
    .default(DEFAULT_ENGINE);
}

export const MODEL_ARGUMENT = 'a name that `plumbline zoo` lists, an .onnx or a .pir file';

/** The threads that are asked for, as many as there are processors at most; more would only take memory. */
export function threadCount(workers: number | undefined): number {
  const processors = processorCount();
  if (workers !== undefined && workers > processors)
    printWarning(`--workers ${workers} is more than the ${processors} processors of this computer, which is what is taken`);
  return Math.min(workers ?? processors, processors);
}

/** Threads that execute batches; the processors of this computer unless given. */
export function workersOption(): Option {
  return new Option('-w, --workers <threads>', 'threads that execute batches, with the same results (default: one a processor)').argParser(
    positiveInteger,
  );
}
