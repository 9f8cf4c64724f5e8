/**
 * What holds of every model: in every preset and on every target, both engines give what the legal graph means, bit for bit; what computes in f32 is
 * onnxruntime's; and the exported legal graph means the same again. A variant that cannot be compiled is refused by a diagnostic.
 */
import { exportOnnx } from '../../compiler/frontend/export.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { dataBytes, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import type { Compilation } from '../../compiler/pipeline.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import type { Target } from '../../isa/target.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { PRESETS } from '../../passes/registry.ts';
import { ENGINE_NAMES, createMachine } from '../../runtime/engine/engine.ts';
import type { PortData } from '../../runtime/machine/host.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { isFixed, isQuantized } from '../../runtime/numerics/element.ts';
import { decoderOf } from '../../runtime/numerics/store.ts';
import { randomFloats } from '../differential/sketch.ts';
import { evaluatedCalibration } from './calibration.ts';
import type { ModelSpec } from './onnx-builder.ts';
import { modelBytes } from './onnx-builder.ts';
import { createOracle } from './ort.ts';
import { loadTarget } from './targets.ts';

/** Of the range of an output, or of the greatest number in the model where that is more: an output may be a difference of large numbers. */
const TOLERANCE = 1e-5;
/** Signal to noise of an exported model in integers, dB: sums in f32, ties and quotients are rounded another way, a step now and then. */
const LEAST_DECIBELS = 20;

interface Variant {
  readonly name: string;
  readonly pipeline: string;
  readonly target: Target;
}

const [full, base] = [loadTarget('cambricon'), loadTarget('cambricon-base')];

/** What a model is compiled as. */
const VARIANTS: readonly Variant[] = [
  ...Object.keys(PRESETS).map((preset): Variant => ({ name: preset, pipeline: preset, target: full })),
  { name: 'O1 on cambricon-base', pipeline: 'O1', target: base },
];
export const VARIANT_NAMES: readonly string[] = VARIANTS.map(({ name }) => name);

/** `ran`: compiled, executed, and all as it must be. */
export const STATUSES = ['ran', 'refused', 'wrong', 'crashed'] as const;
export type Status = (typeof STATUSES)[number];

export interface Outcome {
  readonly variant: string;
  readonly status: Status;
  /** Of a refusal the codes of its diagnostics, else what is wrong; empty where it ran. */
  readonly reason: string;
}

/** A disagreement, as opposed to what the compiler or onnxruntime throws. */
class Disagreement extends Error {}

function require(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new Disagreement(message());
}

type Numbers = ArrayLike<number>;
type Feeds = ReadonlyMap<string, Tensor>;

/** What became of a model in each variant. The feeds are made from a number. */
export async function tryModel(spec: ModelSpec, seed: number): Promise<readonly Outcome[]> {
  const bytes = modelBytes(spec);
  let trial: Trial;
  try {
    trial = await Trial.of(spec, bytes, seed);
  } catch (error) {
    return VARIANTS.map(({ name }) => ({ variant: name, ...outcomeOf(error) }));
  }
  const outcomes: Outcome[] = [];
  for (const variant of VARIANTS) {
    try {
      await trial.check(variant);
      outcomes.push({ variant: variant.name, status: 'ran', reason: '' });
    } catch (error) {
      outcomes.push({ variant: variant.name, ...outcomeOf(error) });
    }
  }
  return outcomes;
}

function outcomeOf(error: unknown): Pick<Outcome, 'status' | 'reason'> {
  if (error instanceof Disagreement) return { status: 'wrong', reason: error.message };
  if (!(error instanceof DiagnosticError))
    return { status: 'crashed', reason: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  const { diagnostics } = error;
  // Passes that lower precision do not take what is of low precision already.
  if (diagnostics.every(({ kind, code }) => kind === 'unsupported' || code === 'pass/requires'))
    return { status: 'refused', reason: [...new Set(diagnostics.map(({ code }) => code))].sort().join(', ') };
  return { status: 'wrong', reason: `a valid model is refused: ${error.message}` };
}

/** A model with what it is fed and what that must give. */
class Trial {
  readonly #imported: Graph;
  readonly #feeds: Feeds;
  /** onnxruntime's outputs. */
  readonly #wanted: ReadonlyMap<string, Numbers>;
  /** The greatest magnitude of any value. */
  readonly #greatest: number;

  private constructor(imported: Graph, feeds: Feeds, wanted: ReadonlyMap<string, Numbers>) {
    this.#imported = imported;
    this.#feeds = feeds;
    this.#wanted = wanted;
    let greatest = 0;
    for (const { type, data } of evaluateGraph(imported, feeds, { keep: 'all' }).values())
      if (type.element === 'f32') for (const x of data) greatest = Math.max(greatest, Math.abs(Number(x)));
    this.#greatest = greatest;
  }

  static async of(spec: ModelSpec, bytes: Uint8Array, seed: number): Promise<Trial> {
    const imported = importOnnx(bytes);
    const names = (values: readonly { readonly name: string }[] = []): string => values.map(({ name }) => name).join('|');
    require(names(imported.inputs) === names(spec.inputs), () => `inputs are called ${names(imported.inputs)}`);
    require(names(imported.outputs) === names(spec.outputs), () => `outputs are called ${names(imported.outputs)}`);
    const feeds = feedsOf(imported, seed);
    return new Trial(imported, feeds, await oracleOutputs(bytes, imported, feeds));
  }

  async check({ pipeline, target }: Variant): Promise<void> {
    const compiled = compileModel(this.#imported, {
      target,
      passes: parsePipeline(pipeline),
      pipeline: { calibration: evaluatedCalibration([this.#feeds]) },
    });
    const outputs = this.#execute(compiled, target);
    const reduces = pipeline !== 'O0' && pipeline !== 'O1';
    const isExact = !reduces && target.datapath !== 'fx16';
    if (isExact) this.#compare(outputs, this.#wanted, 'the program');
    const exported = exportedOf(compiled.legal);
    if (exported === undefined) return;
    const back = await this.#exportedOutputs(exported, compiled.legal);
    if (isExact) {
      this.#compare(outputs, back, 'the program, and not the exported model imported again:');
      this.#compare(await oracleOutputs(exported, compiled.legal, this.#feeds), this.#wanted, 'the exported model');
      return;
    }
    for (const [name, actual] of outputs) {
      const found = decibels(actual, back.get(name) ?? []);
      require(found >= LEAST_DECIBELS, () =>
        `the exported model differs from the program: output '${name}' has an SQNR of ${found.toFixed(1)} dB`);
    }
  }

  /** The outputs of the program as numbers, from both engines and equal to those of the legal graph. */
  #execute({ legal, program }: Compilation, target: Target): ReadonlyMap<string, Numbers> {
    const meant = evaluateGraph(legal, this.#feeds);
    const outputs = new Map<string, Numbers>();
    for (const engine of ENGINE_NAMES) {
      const machine = createMachine(engine, program, target);
      for (const { name } of program.inputs) machine.writeInput(name, this.#feeds.get(name)?.data as PortData);
      machine.run();
      for (const { name, value } of legal.outputs) {
        const actual = machine.readOutput(name);
        const expected = meant.get(value);
        if (!expected) throw new Error(`the evaluator gave no ${value}`);
        const element = program.outputs.find((port) => port.name === name)?.element ?? 'f32';
        const difference = firstDifference(actual, element, expected);
        require(difference === undefined, () => `the ${engine} engine and the legal graph differ: output '${name}' ${difference ?? ''}`);
        outputs.set(name, numbersOf(actual, element));
      }
    }
    return outputs;
  }

  #compare(actual: ReadonlyMap<string, Numbers>, wanted: ReadonlyMap<string, Numbers>, what: string): void {
    for (const { name } of this.#imported.outputs) {
      const [ours = [], theirs = []] = [actual.get(name), wanted.get(name)];
      require(ours.length === theirs.length, () => `${what} has ${ours.length} elements of output '${name}' instead of ${theirs.length}`);
      const bound = TOLERANCE * this.#greatest;
      for (let i = 0; i < theirs.length; i++) {
        const [x, y] = [ours[i] ?? NaN, theirs[i] ?? NaN];
        require(x === y || Math.abs(x - y) <= bound || (x !== x && y !== y), () =>
          `${what} gives ${x} instead of ${y}: output '${name}', element ${i}`);
      }
    }
  }

  /** The outputs of an exported graph, imported again, which has the names and types of what was exported; onnxruntime's where that is more than the importer takes. */
  async #exportedOutputs(bytes: Uint8Array, legal: Graph): Promise<ReadonlyMap<string, Numbers>> {
    let back: Graph;
    try {
      back = importOnnx(bytes);
    } catch (error) {
      if (isDiagnosed(error, 'onnx/unsupported-type', 'onnx/unsupported-scale')) return oracleOutputs(bytes, legal, this.#feeds);
      throw error;
    }
    for (const side of ['inputs', 'outputs'] as const) {
      const names = back[side].map(({ name }) => name).join('|');
      require(names === this.#imported[side].map(({ name }) => name).join('|'), () => `${side} of the exported model are called ${names}`);
    }
    const values = evaluateGraph(back, this.#feeds);
    return new Map(
      back.outputs.map(({ name, value }) => {
        const found = values.get(value);
        const [is, was] = [back.node(value).type, legal.node(legal.outputs.find((output) => output.name === name)?.value ?? '').type];
        require(is.shape.join() === was.shape.join(), () =>
          `the exported model has another shape of output '${name}': ${is.shape.join()} instead of ${was.shape.join()}`);
        return [name, found ? numbersOf(found.data as PortData, found.type.element) : []];
      }),
    );
  }
}

/** A legal graph as ONNX; undefined for what ONNX cannot say: that an output of the name of an input is that input rounded to another type. */
function exportedOf(legal: Graph): Uint8Array | undefined {
  try {
    return exportOnnx(legal);
  } catch (error) {
    if (isDiagnosed(error, 'onnx/output-name')) return undefined;
    throw error;
  }
}

function isDiagnosed(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof DiagnosticError && error.diagnostics.every(({ code }) => codes.includes(code));
}

/** Usually numbers from -1 to 1; now and then equal ones, zeros or large ones. */
function feedsOf(graph: Graph, seed: number): Feeds {
  return new Map(
    graph.inputs.map(({ name, type }, i) => {
      const factor = [1, 1, 1, 1, 1, 1, 1, 0, 100][(seed + 5 * i) % 9] ?? 1;
      const data = randomFloats(elementCount(type.shape), 7919 * seed + i).map((x) => x * factor);
      return [name, tensor(type, seed % 17 === 3 ? data.fill(0.75) : data)];
    }),
  );
}

/** What onnxruntime makes of a model, as numbers; `graph` says what integers stand for. */
async function oracleOutputs(bytes: Uint8Array, graph: Graph, feeds: Feeds): Promise<ReadonlyMap<string, Numbers>> {
  const oracle = await createOracle(bytes);
  try {
    const entries = [...feeds].map(
      ([name, { type, data }]) => [name, { type: 'float32', dims: type.shape, data: data as Float32Array }] as const,
    );
    const outputs = await oracle.run(Object.fromEntries(entries));
    return new Map(
      graph.outputs.map(({ name, value }) => {
        const { element, shape } = graph.node(value).type;
        const { dims, data } = outputs[name] ?? { dims: [], data: undefined };
        require(dims.join() === shape.join(), () => `output '${name}' has the shape [${shape.join()}] instead of [${dims.join()}]`);
        // Unsigned integers with a zero point are signed ones with another.
        const stored = data instanceof Uint8Array && isQuantized(element) ? Int8Array.from(data, (x) => x - 128) : data;
        return [name, numbersOf(bitsOf(stored as Exclude<PortData, never>), element)];
      }),
    );
  } finally {
    await oracle.release();
  }
}

/** Arrays of numbers as they are, those of half floats as bits. */
function bitsOf(
  data: Float32Array | Int16Array | Int8Array | Uint16Array | Uint8Array,
): Float32Array | Int16Array | Int8Array | Uint16Array | Uint8Array {
  return data.constructor.name === 'Float16Array' ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
}

function numbersOf(data: ArrayLike<number>, element: ElementType): Numbers {
  return element === 'f32' ? data : Array.from(data, decoderOf(element));
}

/** Where a port does not hold a value's bits, or its numbers where the port has another type. */
function firstDifference(actual: PortData, element: ElementType, expected: Tensor): string | undefined {
  if (actual.length !== expected.data.length) return `has ${actual.length} elements instead of ${expected.data.length}`;
  const [ours, theirs] = [numbersOf(actual, element), numbersOf(expected.data as PortData, expected.type.element)];
  const at = Array.from(theirs).findIndex((y, i) => !Object.is(ours[i], y));
  if (at >= 0) return `holds ${String(ours[at])} instead of ${String(theirs[at])} at ${at}`;
  if (element === expected.type.element || isFixed(element)) {
    const bytes = dataBytes(expected);
    const own = new Uint8Array(actual.buffer, actual.byteOffset, actual.byteLength);
    if (own.some((byte, i) => byte !== bytes[i])) return 'holds other bits of NaN';
  }
  return undefined;
}

/** Signal to noise, infinite where nothing differs. */
function decibels(actual: Numbers, wanted: Numbers): number {
  if (actual.length !== wanted.length) return -Infinity;
  let [signal, noise] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const [x, y] = [actual[i] ?? NaN, wanted[i] ?? NaN];
    if (Object.is(x, y) || x === y) signal += Number.isFinite(y) ? y * y : 0;
    else [signal, noise] = [signal + y * y, noise + (x - y) ** 2];
  }
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}
