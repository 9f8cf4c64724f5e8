/** One network on labelled data, by onnxruntime and by the compiled program: where do predictions differ, and by how much could they? */
import { loadGraph, findModel } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { zooDataset } from '../compiler/cli/zoo.ts';
import { evaluateGraph } from '../compiler/ir/evaluate.ts';
import { floats, tensor } from '../compiler/ir/tensor.ts';
import { tensorType } from '../compiler/ir/types.ts';
import { interpretTiled } from '../compiler/lower/tiled-interpret.ts';
import type { Compilation } from '../compiler/pipeline.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { instructionCount } from '../isa/program.ts';
import type { Target } from '../isa/target.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import type { Dataset } from '../runtime/data/dataset.ts';
import { measuredCalibration, readCalibrationData } from '../runtime/evaluate/calibration.ts';
import { argmax } from '../runtime/evaluate/metrics.ts';
import type { PortData } from '../runtime/machine/host.ts';
import { FastMachine } from '../runtime/engine/fast-machine.ts';
import { Machine } from '../runtime/machine/machine.ts';
import { readFile } from '../runtime/platform/node.ts';
import { runOrt } from '../test/support/ort.ts';

export interface Mismatch {
  readonly sample: number;
  /** Distance of the oracle's two best logits, over the range of its logits for the sample. */
  readonly relativeMargin: number;
}

export interface Comparison {
  readonly model: string;
  readonly target: string;
  readonly samples: number;
  readonly instructions: number;
  readonly top1: number;
  readonly oracleTop1: number;
  readonly mismatches: readonly Mismatch[];
  /** Samples on which evaluator, tiled interpreter and both engines were compared, and on which all bits were equal. */
  readonly bitChecked: number;
  readonly bitEqual: number;
}

const ORACLE_BATCH = 500;
/** Enough for ranges that are those of the data, as equal bits do not depend on them. */
const CALIBRATION_IMAGES = 50;

/** All that execute one compiled model of the zoo. */
class Executors {
  readonly instructions: number;
  readonly #compilation: Compilation;
  readonly #target: Target;
  readonly #fast: Machine;
  readonly #plain: Machine;

  constructor(compilation: Compilation, target: Target) {
    const { program } = compilation;
    this.#compilation = compilation;
    this.#target = target;
    this.instructions = instructionCount(program);
    this.#fast = new FastMachine(program, target);
    this.#plain = new Machine(program, target);
  }

  /** The logits that the fast engine gives. */
  execute(image: Float32Array): PortData {
    return executed(this.#fast, image);
  }

  /** Whether graph evaluator, tiled interpreter, plain engine and fast engine give the same bits. */
  agree(image: Float32Array): boolean {
    const { legal, tiled } = this.#compilation;
    const logits = this.execute(image);
    const inputs = new Map([['image', tensor(tensorType('f32', [1, 1, 28, 28]), image)]]);
    const evaluated = evaluateGraph(legal, inputs).get(legal.outputs[0]?.value ?? '')?.data;
    const interpreted = interpretTiled(tiled, new Map([['image', image]]), this.#target.fractionBits).get('logits');
    return [evaluated, interpreted, executed(this.#plain, image)].every((other) => sameBits(other, logits));
  }
}

async function compiled(model: string, target: Target, preset: string): Promise<Executors> {
  const calibration = measuredCalibration(await readCalibrationData(await zooDataset('fashion-mnist', 'calibration'), CALIBRATION_IMAGES), {
    target,
  });
  const graph = loadGraph(findModel(model), { batch: 1 });
  return new Executors(compileModel(graph, { target, passes: parsePipeline(preset), pipeline: { calibration } }), target);
}

/** On how many of the first `images` test images all executors of a preset's program agree. */
export async function countAgreeing(model: string, preset: string, images: number): Promise<number> {
  const executors = await compiled(model, loadTarget('cambricon'), preset);
  const dataset = await zooDataset('fashion-mnist');
  let equal = 0;
  for (let i = 0; i < images; i++) if (executors.agree((await dataset.read(i)).elements)) equal++;
  return equal;
}

/** Compares the first `samples` test images, the first `bitChecked` of them also bit for bit between all our executors. */
export async function compare(model: string, targetName: string, samples: number, bitChecked: number): Promise<Comparison> {
  const executors = await compiled(model, loadTarget(targetName), 'O1');
  const dataset = await zooDataset('fashion-mnist');
  const bytes = readFile(findModel(model).path);
  const mismatches: Mismatch[] = [];
  let [right, oracleRight, equal] = [0, 0, 0];
  let expected: Float32Array = new Float32Array();
  for (let i = 0; i < samples; i++) {
    const batch = Math.min(ORACLE_BATCH, samples - (i - (i % ORACLE_BATCH)));
    if (i % ORACLE_BATCH === 0) expected = await oracleLogits(bytes, dataset, i, batch);
    const classes = expected.length / batch;
    const reference = expected.subarray((i % ORACLE_BATCH) * classes, ((i % ORACLE_BATCH) + 1) * classes);
    const image = (await dataset.read(i)).elements;
    const logits = executors.execute(image);
    if (argmax(logits) !== argmax(reference)) mismatches.push({ sample: i, relativeMargin: relativeMargin(reference) });
    if (argmax(logits) === dataset.label(i)) right++;
    if (argmax(reference) === dataset.label(i)) oracleRight++;
    if (i < bitChecked && executors.agree(image)) equal++;
  }
  return {
    model,
    target: targetName,
    samples,
    instructions: executors.instructions,
    top1: right / samples,
    oracleTop1: oracleRight / samples,
    mismatches,
    bitChecked: Math.min(bitChecked, samples),
    bitEqual: equal,
  };
}

function executed(machine: Machine, image: Float32Array): PortData {
  machine.reset();
  machine.writeInput('image', image);
  machine.run();
  return machine.readOutput('logits');
}

async function oracleLogits(model: Uint8Array, dataset: Dataset, first: number, count: number): Promise<Float32Array> {
  const data = new Float32Array(count * 784);
  for (let i = 0; i < count; i++) data.set((await dataset.read(first + i)).elements, i * 784);
  const outputs = await runOrt(model, new Map([['image', tensor(tensorType('f32', [count, 1, 28, 28]), data)]]));
  const logits = outputs.get('logits');
  if (!logits) throw new Error('onnxruntime gave no logits');
  return floats(logits);
}

function relativeMargin(logits: Float32Array): number {
  const sorted = [...logits].sort((a, b) => b - a);
  return ((sorted[0] ?? 0) - (sorted[1] ?? 0)) / ((sorted[0] ?? 0) - (sorted.at(-1) ?? 0));
}

function sameBits(a: ArrayBufferView | undefined, b: ArrayBufferView): boolean {
  if (!a) return false;
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}
