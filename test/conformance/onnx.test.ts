/**
 * The ONNX project's backend test data. Each case is imported, evaluated, compiled and executed where that is possible; `status.txt` says
 * what is expected of each, and anything else fails, an unexpected success included. The data is not part of the project: it is looked for in
 * `ONNX_TEST_DATA`, else beside the checkout, and the tests are skipped where there is none.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { decodeTensor } from '../../compiler/frontend/model.ts';
import { toTensor } from '../../compiler/frontend/tensor.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { sameShape } from '../../compiler/ir/types.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { expectAgreement } from '../support/agreement.ts';
import { loadTarget } from '../support/targets.ts';

const { ModelProto, TensorProto } = onnxProto.onnx;

const data = process.env.ONNX_TEST_DATA ?? fileURLToPath(new URL('../../../shared/onnx-tests', import.meta.url));
const STATUS = new URL('status.txt', import.meta.url);
const SUITES = ['node', 'simple', 'pytorch-operator'];
/** The suite's own tolerance. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;

/** Statuses: `compiled` (and executed, bit-equal to the evaluator), `evaluated: why not compiled`, `refused: why`. */
const expected = new Map(
  (existsSync(STATUS) ? readFileSync(STATUS, 'utf8') : '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): [string, string] => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
);

function casesOf(suite: string): string[] {
  const folder = join(data, suite);
  return existsSync(folder) ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'model.onnx'))) : [];
}

function tensors(folder: string, kind: 'input' | 'output'): Uint8Array[] {
  const files = readdirSync(folder).filter((name) => name.startsWith(`${kind}_`) && name.endsWith('.pb'));
  const index = (name: string): number => Number(/_(\d+)\.pb$/.exec(name)?.[1]);
  return files.sort((a, b) => index(a) - index(b)).map((name) => readFileSync(join(folder, name)));
}

const read = (bytes: Uint8Array): Tensor => toTensor(decodeTensor(bytes), { place: ['data'], resolveExternal: undefined });

interface Fed {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, Tensor>;
}

/** The graph of a case. The suite feeds every operand; where `constants` says so, all but the first are put into the model instead. */
function load(model: Uint8Array, inputs: readonly Uint8Array[], constants = false): Fed {
  const decoded = ModelProto.decode(model);
  const names = (decoded.graph?.input ?? []).map(({ name }) => name ?? '');
  const feed = (graph: Graph): Fed => ({
    graph,
    inputs: new Map(
      names.flatMap((name, i): [string, Tensor][] => {
        const value = graph.inputs.find((input) => input.name === name || input.name === name.replace(/^(\d)/, '_$1'));
        const bytes = inputs[i];
        return value && bytes ? [[value.name, read(bytes)]] : [];
      }),
    ),
  });
  if (!constants) return feed(importOnnx(model));
  for (const [i, name] of names.entries()) {
    const bytes = inputs[i];
    if (i > 0 && bytes) decoded.graph?.initializer?.push(Object.assign(TensorProto.decode(bytes), { name }));
  }
  return feed(importOnnx(ModelProto.encode(decoded).finish()));
}

/** Where an output is not what the suite expects, or undefined. */
function mismatch(actual: Tensor, wanted: Tensor): string | undefined {
  if (actual.type.element !== wanted.type.element) return `element type ${actual.type.element} instead of ${wanted.type.element}`;
  if (!sameShape(actual.type.shape, wanted.type.shape)) return `[${actual.type.shape.join()}] instead of [${wanted.type.shape.join()}]`;
  for (let i = 0; i < wanted.data.length; i++) {
    const [x, y] = [Number(actual.data[i]), Number(wanted.data[i])];
    const near = Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= ABSOLUTE + RELATIVE * Math.abs(y);
    if (!near) return `element ${i} is ${x} instead of ${y}`;
  }
  return undefined;
}

function reason(error: unknown): string {
  if (!(error instanceof DiagnosticError)) throw error;
  // The first clause: what, without the places of this case.
  return error.diagnostics[0]?.message.replaceAll('\n', ' ') ?? 'unknown';
}

/** Whether a refusal may be for want of constants, which the suite never has. */
const needsConstants = (status: string): boolean => status.includes('constant') || status.includes('two computed operands');

function statusOf(folder: string): string {
  const fed = statusWith(folder, false);
  if (!needsConstants(fed)) return fed;
  const constant = statusWith(folder, true);
  return constant.startsWith('refused') ? fed : constant;
}

function statusWith(folder: string, constants: boolean): string {
  const set = join(folder, 'test_data_set_0');
  let fed: Fed;
  try {
    fed = load(readFileSync(join(folder, 'model.onnx')), tensors(set, 'input'), constants);
  } catch (error) {
    return `refused: ${reason(error)}`;
  }
  const { graph, inputs } = fed;
  const wanted = tensors(set, 'output').map(read);
  const values = evaluateGraph(graph, inputs);
  for (const [i, { name, value }] of graph.outputs.entries()) {
    const [actual, right] = [values.get(value), wanted[i]];
    if (!actual || !right) throw new Error(`output ${name} is missing`);
    const wrong = mismatch(actual, right);
    if (wrong !== undefined) return `wrong: output ${name}: ${wrong}`;
  }
  const target = loadTarget('cambricon');
  try {
    const { legal, ...lowered } = compileModel(graph, { target, passes: parsePipeline('O1') });
    expectAgreement(legal, lowered, target, inputs);
    return 'compiled';
  } catch (error) {
    return `evaluated: ${reason(error)}`;
  }
}

describe.skipIf(!existsSync(data))('the ONNX backend suite', () => {
  const found = new Map<string, string>();

  it.each(SUITES)('%s does what the status list says', (suite) => {
    const differences: string[] = [];
    for (const name of casesOf(suite)) {
      const key = `${suite}/${name}`;
      const status = statusOf(join(data, suite, name));
      found.set(key, status);
      const listed = expected.get(key);
      // A case that nobody has listed must work or be refused like any other; whoever adds cases lists them.
      if (listed === undefined ? status.startsWith('wrong') || process.env.ONNX_TEST_DATA === undefined : listed !== status)
        differences.push(`${key}: ${status}, listed as ${listed ?? 'nothing'}`);
    }
    if (!process.env.BLESS) expect(differences).toEqual([]);
  });

  it('has nothing wrong', async () => {
    expect([...found].filter(([, status]) => status.startsWith('wrong'))).toEqual([]);
    if (!process.env.BLESS) return;
    const { expectGolden } = await import('../support/golden.ts');
    const lines = [...new Map([...expected, ...found])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, status]) => `${key} ${status}`);
    expectGolden('test/conformance/status.txt', `${HEADER}${lines.join('\n')}\n`);
  });
});

const HEADER = `# What is expected of each case of the ONNX backend suite; rewritten by BLESS=1 npx vitest run test/conformance.
# compiled: evaluated as the suite expects, and executed by a compiled program, bit for bit as evaluated.
# evaluated: as the suite expects, but not compiled. refused: not imported. In both cases with the reason.
`;

describe.skipIf(!existsSync(join(data, 'light')))('large models without weights', () => {
  it.each(existsSync(join(data, 'light')) ? readdirSync(join(data, 'light')).filter((name) => name.endsWith('.onnx')) : [])(
    '%s is imported, or refused with all that is missing',
    (name) => {
      try {
        const graph = importOnnx(readFileSync(join(data, 'light', name)));
        expect(graph.outputs).toHaveLength(1);
      } catch (error) {
        expect(error).toBeInstanceOf(DiagnosticError);
        expect(String(error)).toMatch(/not supported/);
      }
    },
  );
});
