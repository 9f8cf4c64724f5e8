/** The cases of the ONNX project's backend test data, and what the compiler makes of each. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import onnxProto from 'onnx-proto';
import { importOnnx } from '../../compiler/frontend/import.ts';
import type { OnnxModel } from '../../compiler/frontend/model.ts';
import { decodeModel, decodeTensor } from '../../compiler/frontend/model.ts';
import { toTensor } from '../../compiler/frontend/tensor.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { widen } from '../../compiler/ir/ops/narrow.ts';
import { legalName } from '../../compiler/ir/names.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { printType, sameType } from '../../compiler/ir/types.ts';
import { isQuantized } from '../../runtime/numerics/element.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { expectAgreement } from '../support/agreement.ts';
import { loadTarget } from '../support/targets.ts';

const { ModelProto, TensorProto } = onnxProto.onnx;

/** Where the data is: not in the project, but in `ONNX_TEST_DATA` or beside the checkout, if anywhere. */
export const DATA = process.env.ONNX_TEST_DATA ?? fileURLToPath(new URL('../../../shared/onnx-tests', import.meta.url));

/** The suite's own tolerance. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;

const target = loadTarget('cambricon');
const O1 = parsePipeline('O1');

/** Names of the cases in a folder of the data. */
export function casesOf(suite: string): readonly string[] {
  const folder = join(DATA, suite);
  return existsSync(folder) ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'model.onnx'))) : [];
}

/**
 * What becomes of a case: `compiled`, `evaluated: why not compiled`, `refused: why`; ` with constants` says that operands had to be put into
 * the model. `wrong: what` and `crashed: what` are bugs.
 */
export function statusOf(suite: string, name: string): string {
  const folder = join(DATA, suite, name);
  const model = readFileSync(join(folder, 'model.onnx'));
  const sets = readdirSync(folder).filter((set) => set.startsWith('test_data_set_'));
  const statuses = sets.map((set) => statusWith(model, readSet(join(folder, set))));
  return statuses.find(isBug) ?? statuses[0] ?? 'wrong: the case has no data';
}

export function isBug(status: string): boolean {
  return /^(wrong|crashed)/.test(status);
}

/** Serialised tensors in the order of the model's inputs and outputs. */
interface DataSet {
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

function readSet(folder: string): DataSet {
  const read = (kind: string): Uint8Array[] => {
    const index = (name: string): number => Number(/_(\d+)\.pb$/.exec(name)?.[1]);
    const names = readdirSync(folder).filter((name) => name.startsWith(`${kind}_`) && name.endsWith('.pb'));
    return names.sort((a, b) => index(a) - index(b)).map((name) => readFileSync(join(folder, name)));
  };
  return { inputs: read('input'), outputs: read('output') };
}

/** How far a case came, the furthest first. */
const STEPS = ['compiled', 'evaluated', 'refused'];

/** The suite feeds all operands. Where a case comes further with operands in the model, all or all but the first, that counts. */
function statusWith(model: Uint8Array, data: DataSet): string {
  const fed = attempt(model, data);
  const constant = [1, 0].map((first) =>
    attempt(withConstants(model, data, first), data).replace(/^(compiled|evaluated)/, '$& with constants'),
  );
  const statuses = [fed, ...constant];
  const step = (status: string): number => STEPS.findIndex((name) => status.startsWith(name));
  return statuses.find(isBug) ?? statuses.reduce((best, status) => (step(status) < step(best) ? status : best));
}

/** The model with all inputs from `first` on given their values. */
function withConstants(model: Uint8Array, { inputs }: DataSet, first: number): Uint8Array {
  const decoded = ModelProto.decode(model);
  for (const [i, { name = '' }] of (decoded.graph?.input ?? []).entries()) {
    const bytes = inputs[i];
    if (i >= first && bytes) decoded.graph?.initializer?.push(Object.assign(TensorProto.decode(bytes), { name }));
  }
  return ModelProto.encode(decoded).finish();
}

function attempt(model: Uint8Array, data: DataSet): string {
  try {
    return statusOfImport(model, data);
  } catch (error) {
    return `crashed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`.replaceAll('\n', ' ');
  }
}

function statusOfImport(model: Uint8Array, data: DataSet): string {
  const imported = orReason(() => importOnnx(model, { shapes: shapesOf(model, data) }));
  if (typeof imported === 'string') return `refused: ${imported}`;
  const inputs = feeds(decodeModel(model), imported, data);
  const wrong = mismatchOf(imported, inputs, data);
  if (wrong !== undefined) return `wrong: ${wrong}`;
  const compiled = orReason(() => compileModel(imported, { target, passes: O1 }));
  if (typeof compiled === 'string') return `evaluated: ${compiled}`;
  expectAgreement(compiled.legal, compiled, target, inputs);
  return 'compiled';
}

/** A result, or the diagnostic in place of which there is none. */
function orReason<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics.map(({ message }) => message).join('; ');
  }
}

function tensorOf(bytes: Uint8Array): Tensor {
  return toTensor(decodeTensor(bytes), { place: ['data'] });
}

/** Shapes of the inputs that the model leaves open. */
function shapesOf(model: Uint8Array, { inputs }: DataSet): Record<string, readonly number[]> {
  const open = orReason(() =>
    decodeModel(model).graph.inputs.flatMap(({ name, shape, dataType }, i): [string, readonly number[]][] => {
      const bytes = inputs[i];
      const isOpen = dataType !== undefined && (shape === undefined || shape.some((d) => typeof d !== 'number'));
      return isOpen && bytes ? [[name, decodeTensor(bytes).dims]] : [];
    }),
  );
  return typeof open === 'string' ? {} : Object.fromEntries(open);
}

function feeds({ graph }: OnnxModel, imported: Graph, { inputs }: DataSet): ReadonlyMap<string, Tensor> {
  const taken = new Set(imported.inputs.map(({ name }) => name));
  return new Map(
    graph.inputs.flatMap(({ name }, i): [string, Tensor][] => {
      const bytes = inputs[i];
      return bytes && taken.has(legalName(name)) ? [[legalName(name), tensorOf(bytes)]] : [];
    }),
  );
}

/** The first output that is not what the suite expects. */
function mismatchOf(graph: Graph, inputs: ReadonlyMap<string, Tensor>, { outputs }: DataSet): string | undefined {
  const values = evaluateGraph(graph, inputs);
  if (graph.outputs.length !== outputs.length) return `${graph.outputs.length} outputs instead of ${outputs.length}`;
  for (const [i, { name, value }] of graph.outputs.entries()) {
    const [actual, bytes] = [values.get(value), outputs[i]];
    if (!actual || !bytes) return `output ${name} is missing`;
    const difference = firstDifference(actual, tensorOf(bytes));
    if (difference !== undefined) return `output ${name}: ${difference}`;
  }
  return undefined;
}

function firstDifference(actual: Tensor, expected: Tensor): string | undefined {
  const element = isQuantized(actual.type.element) ? 'i8' : actual.type.element;
  if (!sameType({ ...actual.type, element }, expected.type)) return `${printType(actual.type)} instead of ${printType(expected.type)}`;
  // Bits of narrow floats are no numbers, and those of their NaNs may differ.
  const [found, wanted] = [actual, expected].map((each) => Array.from(widen(each).data, Number)) as [number[], number[]];
  const at = wanted.findIndex((y, i) => !near(found[i] ?? NaN, y));
  return at < 0 ? undefined : `element ${at} is ${String(found[at])} instead of ${String(wanted[at])}`;
}

function near(x: number, y: number): boolean {
  return Object.is(x, y) || x === y || Math.abs(x - y) <= ABSOLUTE + RELATIVE * Math.abs(y);
}
