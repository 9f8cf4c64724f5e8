/** What the benchmarks share: the networks that they measure, tables, and the results that are committed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { writeFile } from '../runtime/platform/node.ts';

/** The networks of the zoo that compute in f32, small ones first. */
export const FLOAT_NETWORKS = [
  'lenet-300-100',
  'lenet-5',
  'alexnet',
  'vgg',
  'googlenet',
  'squeezenet',
  'resnet',
  'mobilenet',
  'inception-v3',
] as const;

/** Presets that reduce precision, by their names. */
export const REDUCED_PRESETS = ['f16', 'bf16', 'fixed16', 'int8', 'int8-naive', 'f8e4m3', 'f8e5m2'] as const;

/** Path of a model from outside, where `PLUMBLINE_REAL_DATA` names the folder that has it. */
export function outsideModel(name: string): string | undefined {
  const path = join(process.env.PLUMBLINE_REAL_DATA ?? '', 'models', `${name}.onnx`);
  return process.env.PLUMBLINE_REAL_DATA !== undefined && existsSync(path) ? path : undefined;
}

/** A table in Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Writes a text to a file in benchmarks/results. */
export function writeResult(name: string, text: string): void {
  writeFile(new URL(`results/${name}`, import.meta.url).pathname, text);
}

/** Writes a text to a file in benchmarks/results, and to standard output. */
export function publish(name: string, text: string): void {
  writeResult(name, text);
  process.stdout.write(text);
}
