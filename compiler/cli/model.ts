/** Models as users name them: of the zoo, ONNX files, graphs as text. */
import { basename, dirname, join } from 'node:path';
import { PASS_CONSTANTS } from '../../runtime/diff/run-files.ts';
import type { ZooModel } from '../../runtime/evaluate/zoo.ts';
import { kindOf, readFile, readFileInside, readTextFile } from '../../runtime/platform/node.ts';
import { importOnnx } from '../frontend/import.ts';
import { decodeModel } from '../frontend/model.ts';
import type { ExternalResolver } from '../frontend/tensor.ts';
import { decodeConstants } from '../ir/constants-file.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import { parseGraph } from '../ir/text.ts';
import type { BindingFlags } from './options.ts';
import { failUnknown } from './suggest.ts';
import { zoo, zooPath } from './zoo.ts';

const TEXT_EXTENSION = '.pir';

/** A model that has been found; nothing of it is read yet. */
export interface ModelSource {
  /** For results: the name in the zoo, or the file's name. */
  readonly name: string;
  readonly path: string;
  readonly form: 'onnx' | 'text';
  /** Its entry in the zoo. */
  readonly zoo?: ZooModel;
}

/** What MODEL stands for. A name of the zoo comes before a file of that name, which `./name` reaches. */
export function findModel(argument: string): ModelSource {
  const { models } = zoo();
  const entry = Object.hasOwn(models, argument) ? models[argument] : undefined;
  if (entry) return { name: argument, path: zooPath(entry.model), form: 'onnx', zoo: entry };
  const isPath = /[./\\]/.test(argument) || kindOf(argument) === 'file';
  if (!isPath) return failUnknown('cli/unknown-model', 'network', argument, Object.keys(models));
  return { name: basename(argument), path: argument, form: argument.endsWith(TEXT_EXTENSION) ? 'text' : 'onnx' };
}

/** Binding of a model's dynamic dimensions, and samples that a run takes. */
export interface Binding extends BindingFlags {
  readonly batch?: number;
}

/** Reads a model and makes it static. */
export function loadGraph(source: ModelSource, binding: Binding = {}): Graph {
  return source.form === 'onnx' ? loadOnnx(source, binding) : loadText(source, binding);
}

/** The bytes of an ONNX model. */
export function readOnnx({ path }: ModelSource): Uint8Array {
  return readFile(path);
}

function loadOnnx(source: ModelSource, { dim = {}, shape = {}, batch }: Binding): Graph {
  const bytes = readOnnx(source);
  const shapes = { ...(batch !== undefined && batchShapes(bytes, batch, { dim, shape })), ...shape };
  return importOnnx(bytes, {
    file: source.path,
    dims: dim,
    shapes,
    resolveExternal: externalResolver(source.path),
  });
}

/** Reads the files beside a model that it keeps tensors in. */
export function externalResolver(model: string): ExternalResolver {
  return (location) => readFileInside(dirname(model), location);
}

/** Shapes that put a batch in front of every input that `--shape` does not give. */
function batchShapes(bytes: Uint8Array, batch: number, { dim, shape }: Required<BindingFlags>): Record<string, readonly number[]> {
  const { graph } = decodeModel(bytes);
  const initialized = new Set(graph.initializers.map(({ name }) => name));
  const shapes: [string, readonly number[]][] = [];
  for (const input of graph.inputs) {
    if (initialized.has(input.name) || Object.hasOwn(shape, input.name)) continue;
    const [leading, ...rest] = input.shape ?? [];
    if (leading === undefined || leading === batch) continue;
    const inner = rest.map((d) => (typeof d === 'number' ? d : Object.hasOwn(dim, d) ? dim[d] : undefined));
    // A dimension further in that is still open is for the importer to complain about.
    if (inner.every((d) => d !== undefined)) shapes.push([input.name, [batch, ...inner]]);
  }
  return Object.fromEntries(shapes);
}

function loadText({ path }: ModelSource, { dim, shape, batch }: Binding): Graph {
  const text = readTextFile(path);
  // The graphs of a saved run share one file of constants.
  const side = [`${path}.data`, join(dirname(path), PASS_CONSTANTS)].find((file) => kindOf(file) === 'file');
  const constants = side === undefined ? undefined : decodeConstants(readFile(side), side);
  const graph = parseGraph(text, { file: path, ...(constants && { constants }) });
  const bound = batch !== undefined && graph.inputs.some(({ type }) => type.shape[0] !== batch);
  if (dim !== undefined || shape !== undefined || bound)
    return fail('usage', 'cli/static-shapes', 'the shapes of a .pir file are static', {
      place: [path],
      hint: 'bind them when the model is imported',
    });
  return graph;
}
