/** Folders of test cases as the ONNX project keeps them: `CASE/model.onnx`, `CASE/test_data_set_M/{input,output}_N.pb`. */
import { basename, join, resolve } from 'node:path';
import { FileError, listDirectory, readFile } from '../../runtime/platform/node.ts';
import type { DataSet, NamedCase, TestCase } from '../../runtime/conformance/test-case.ts';
import { fail } from '../ir/diagnostic.ts';
import { externalResolver } from './model.ts';

const MODEL = 'model.onnx';

export interface TestFolder {
  readonly cases: readonly NamedCase[];
  /** Folders that hold no model. */
  readonly passedOver: readonly string[];
}

/** The cases of a folder, in the order of their names; a folder that holds a model is one case. Throws a `FileError`. */
export function findCases(folder: string): TestFolder {
  const names = listDirectory(folder);
  if (names.includes(MODEL)) return { cases: [namedCase(basename(resolve(folder)), folder)], passedOver: [] };
  const folders = names.flatMap((name) => {
    const holds = holdsModel(join(folder, name));
    return holds === undefined ? [] : [{ name, holds }];
  });
  return {
    cases: folders.filter(({ holds }) => holds).map(({ name }) => namedCase(name, join(folder, name))),
    passedOver: folders.filter(({ holds }) => !holds).map(({ name }) => name),
  };
}

/** Undefined for what is no folder. */
function holdsModel(path: string): boolean | undefined {
  try {
    return listDirectory(path).includes(MODEL);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return error.code === 'file/permission' ? false : undefined;
  }
}

function namedCase(name: string, folder: string): NamedCase {
  return { name, read: () => readable(() => readCase(folder)) };
}

function readCase(folder: string): TestCase {
  const model = join(folder, MODEL);
  return {
    model: readFile(model),
    sets: numbered(folder, /^test_data_set_(\d+)$/).map(([, name]) => readSet(folder, name)),
    resolveExternal: externalResolver(model),
  };
}

function readSet(folder: string, name: string): DataSet {
  const path = join(folder, name);
  const read = (kind: RegExp): ReadonlyMap<number, Uint8Array> =>
    new Map(numbered(path, kind).map(([n, file]) => [n, readFile(join(path, file))]));
  return { name, inputs: read(/^input_(\d+)\.pb$/), outputs: read(/^output_(\d+)\.pb$/) };
}

/** Names in a folder that hold a number, by that. */
function numbered(folder: string, form: RegExp): readonly (readonly [n: number, name: string])[] {
  const found = listDirectory(folder).flatMap((name): [number, string][] => {
    const n = form.exec(name)?.[1];
    return n === undefined ? [] : [[Number(n), name]];
  });
  return found.sort(([a], [b]) => a - b);
}

/** A case that cannot be read is one that fails, not the end of the run. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FileError) return fail('invalid', error.code, error.message, { place: [error.place] });
    throw error;
  }
}
