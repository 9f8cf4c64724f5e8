/** Two traces of one model, tensor by tensor: four errors of each, what rounding explains of them, and a verdict. */
import { fail } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { printType } from '../../compiler/ir/types.ts';
import { numbers } from '../../passes/contract/compare.ts';
import type { Evaluated } from '../../passes/contract/cone.ts';
import { evaluateCone } from '../../passes/contract/cone.ts';
import type { Contract } from '../../passes/pass.ts';
import type { Inside, Pair } from './align.ts';
import { align, operandsWithin } from './align.ts';
import { Propagation } from './effect.ts';
import { gridOf } from './grid.ts';
import type { LayerKind } from './layer-kind.ts';
import { layerKind } from './layer-kind.ts';
import type { ErrorMetrics } from './metrics.ts';
import { ErrorStatistics, decibels } from './metrics.ts';
import { NoiseModel, accumulationNoise } from './noise.ts';
import type { Trace } from './trace.ts';
import { combine, sourceNumbers, sourceTerms, storedTensor } from './trace.ts';
import type { Judgement, Violation } from './verdict.ts';
import { judge } from './verdict.ts';

/** One tensor of the program beside the one of the reference that it stands for. All errors are in the model's order and in real numbers. */
export interface TensorDiff extends Judgement {
  readonly value: string;
  /** Differs from `value` where the program's only converts it. */
  readonly reference: string;
  /** `constant` where the program holds the result of an op that the reference computes. */
  readonly op: LayerKind;
  readonly type: string;
  /** Nodes of the model that the op computes. */
  readonly origin: readonly string[];
  /** As the program ran. */
  readonly cumulative: ErrorMetrics;
  /** The program's op on the reference's operands, rounded to the types that it takes. */
  readonly local: ErrorMetrics;
  /** The reference's op on the program's operands. */
  readonly inherited: ErrorMetrics;
  /** At the reference's outputs, if only this value had its local error. */
  readonly effectDecibels: number;
  /** At the program's outputs, if everything but this value's own error stayed; where it was asked for. */
  readonly withoutDecibels?: number;
  /** Root mean square of the local error that rounding on either side explains. */
  readonly predictedRmse: number;
  /** Local error above that, in dB; -Infinity without any error. */
  readonly excessDecibels: number;
}

export interface TensorComparison {
  /** In the program's order. */
  readonly tensors: readonly TensorDiff[];
  readonly inside: readonly Inside[];
  readonly contract: Contract;
  /** SQNR of the program's outputs, in dB. */
  readonly outputDecibels: number;
}

export interface CompareOptions {
  /** Also measures the outputs with all changes but one, which takes as long again. */
  readonly without?: boolean;
  /** Compares this value of the program alone. */
  readonly only?: string;
  /** What the two sides promise of each other, if not what their passes do. */
  readonly contract?: Contract;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Compares `program` with `reference`. Throws a diagnostic where they did not get the same inputs. */
export async function compareTraces(reference: Trace, program: Trace, options: CompareOptions = {}): Promise<TensorComparison> {
  const comparison = new Comparison(reference, program, options);
  const pairs = comparison.pairs;
  const tensors: TensorDiff[] = [];
  for (const [i, pair] of pairs.entries()) {
    options.signal?.throwIfAborted();
    tensors.push(comparison.tensor(pair));
    options.onProgress?.(i + 1, pairs.length);
    // The event loop's turn, in which an abort can arrive.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  options.signal?.throwIfAborted();
  const isSame = (tensor: TensorDiff, i: number): boolean =>
    tensor.excessDecibels === -Infinity && isMade(program.graph, tensor, pairs[i]?.converts);
  const same = tensors.filter((tensor, i) => isSame(tensor, i) && tensor.value !== tensor.reference);
  const shown = tensors.filter((tensor, i) => !isSame(tensor, i));
  return {
    tensors: shown,
    inside: [...comparison.inside, ...same.map(({ value, op, reference: inside }): Inside => ({ side: 'program', value, op, inside }))],
    contract: comparison.contract,
    outputDecibels: comparison.outputDecibels(),
  };
}

/** Whether a value is only converted, or moved for the machine's sake: without any error of its own it is the one that it was made from. */
function isMade(graph: Graph, { value, op, origin }: TensorDiff, converts: string | undefined): boolean {
  const node = graph.node(value);
  if (converts !== undefined || op !== 'transpose' || node.kind !== 'op') return converts !== undefined;
  // A transpose of the model has a node of its own.
  const operand = graph.find(node.inputs[0] ?? '');
  return origin.every((name) => operand?.kind === 'op' && operand.origin.includes(name));
}

/** What is known of one run of both sides. */
interface Sample {
  readonly reference: ReadonlyMap<string, Tensor>;
  readonly program: ReadonlyMap<string, Tensor>;
  /** The reference's values as the program would take them: in its order, rounded to its types and in f32. */
  readonly rounded: ReadonlyMap<string, Tensor>;
  readonly exact: ReadonlyMap<string, Tensor>;
  /** Numbers of the reference's outputs. */
  readonly outputs: readonly Float64Array[];
}

class Comparison {
  readonly pairs: readonly Pair[];
  readonly inside: readonly Inside[];
  readonly contract: Contract;
  readonly #a: Trace;
  readonly #b: Trace;
  readonly #byValue: ReadonlyMap<string, Pair>;
  /** The first form of each value of the reference, which is the one under its own name. */
  readonly #byReference: ReadonlyMap<string, Pair>;
  readonly #samples: readonly Sample[];
  readonly #noise: NoiseModel;
  readonly #referenceNoise: NoiseModel;
  readonly #fromReference: Propagation;
  readonly #fromProgram: Propagation | undefined;

  constructor(reference: Trace, program: Trace, { without, contract, only }: CompareOptions) {
    this.#a = reference;
    this.#b = program;
    const { pairs, inside } = align(reference.graph, program.graph, program.layouts);
    this.inside = inside;
    this.contract = contract ?? combine([reference.contract, program.contract]);
    this.#byValue = new Map(pairs.map((pair) => [pair.value, pair]));
    this.#byReference = new Map(pairs.toReversed().map((pair) => [pair.reference, pair]));
    this.#samples = program.values.slice(0, reference.values.length).map((_, i) => this.#sample(pairs, i));
    this.#requireSameInputs(pairs);
    this.pairs = pairs.filter(({ value }) => (only ?? value) === value && program.graph.node(value).kind !== 'input');
    this.#noise = new NoiseModel(program.graph);
    this.#referenceNoise = new NoiseModel(reference.graph);
    this.#fromReference = new Propagation(reference.graph);
    this.#fromProgram = without === true ? new Propagation(program.graph) : undefined;
  }

  #sample(pairs: readonly Pair[], index: number): Sample {
    const reference = this.#a.values[index] ?? new Map<string, Tensor>();
    const program = this.#b.values[index] ?? new Map<string, Tensor>();
    const rounded = new Map<string, Tensor>();
    const exact = new Map<string, Tensor>();
    for (const { value, reference: name, layout } of pairs) {
      const node = this.#b.graph.node(value);
      if (node.kind === 'constant') continue;
      const expected = this.#expected(reference, name);
      rounded.set(value, storedTensor(expected, node.type, layout));
      exact.set(value, storedTensor(expected, { ...node.type, element: 'f32' }, layout));
    }
    const outputs = this.#a.graph.outputs.map(({ value }) => numbers(valueOf(this.#a.graph, reference, value)));
    return { reference, program, rounded, exact, outputs };
  }

  #requireSameInputs(pairs: readonly Pair[]): void {
    for (const { value, reference, layout } of pairs) {
      if (this.#b.graph.node(value).kind !== 'input') continue;
      for (const sample of this.#samples) {
        const expected = this.#expected(sample.reference, reference);
        const actual = this.#actual(sample, value, layout);
        if (expected.some((x, i) => !Object.is(x, actual[i])))
          fail('invalid', 'diff/inputs', `input %${value} did not hold the same numbers on both sides`, {
            hint: 'run both on the same data',
          });
      }
    }
  }

  #expected(values: ReadonlyMap<string, Tensor>, name: string): Float64Array {
    return sourceNumbers(valueOf(this.#a.graph, values, name), this.#a.layouts.get(name));
  }

  #actual({ program }: Sample, value: string, layout: Pair['layout']): Float64Array {
    return sourceNumbers(valueOf(this.#b.graph, program, value), layout);
  }

  tensor(pair: Pair): TensorDiff {
    const { value, reference, layout } = pair;
    const node = this.#b.graph.node(value);
    // What is converted to f32 still stands on the steps of the type that it came from.
    const { type } = pair.converts !== undefined && node.type.element === 'f32' ? this.#b.graph.node(pair.converts) : node;
    // Errors that coarser types made tell nothing in steps of f32.
    const inSteps = type.element !== 'f32' || this.contract.meaning !== 'lossy';
    const statistics = (): ErrorStatistics => new ErrorStatistics(gridOf(type), inSteps);
    const [cumulative, local, inherited] = [statistics(), statistics(), statistics()];
    const [effect, without] = [new OutputError(), new OutputError()];
    let [accumulation, roundings] = [0, 0];
    let violation: Violation | undefined;
    for (const sample of this.#samples) {
      const expected = this.#expected(sample.reference, reference);
      const selected = this.#noise.selected(value, sample.exact);
      const own = evaluateCone(this.#b.graph, value, sample.rounded);
      const ownNumbers = sourceNumbers(selected ?? own.tensor, layout);
      const passedOn = this.#inherited(pair, sample);
      const before = local.noise;
      cumulative.add(expected, this.#actual(sample, value, layout));
      local.add(expected, ownNumbers);
      inherited.add(expected, passedOn);
      effect.add(sample.outputs, local.noise === before ? sample.outputs : this.#effect(sample, reference, ownNumbers));
      if (this.#fromProgram) without.add(sample.outputs, this.#without(this.#fromProgram, sample, pair, passedOn));
      if (!selected) {
        accumulation += expected.length * accumulationOf(own);
        roundings += expected.length * this.#roundings(pair, sample);
      }
      violation ??= this.#violation(pair, sample, own, expected, ownNumbers);
    }
    const figures = { cumulative: cumulative.metrics(), local: local.metrics(), inherited: inherited.metrics() };
    const predicted = accumulation + roundings;
    const excessDecibels = excessOf(local.noise, predicted);
    return {
      value,
      reference,
      op: layerKind(node, this.#b.graph),
      type: printType(node.type),
      origin: node.kind === 'op' ? node.origin : [],
      ...judge({ ...figures, excessDecibels, violation, contract: this.contract, rounded: roundings > 0 }),
      effectDecibels: effect.decibels,
      ...(this.#fromProgram && { withoutDecibels: without.decibels }),
      excessDecibels,
      predictedRmse: Math.sqrt(predicted / Math.max(1, local.elements)),
      ...figures,
    };
  }

  /** SQNR of the program's outputs. */
  outputDecibels(): number {
    const error = new OutputError();
    for (const sample of this.#samples) error.add(sample.outputs, this.#programOutputs(sample));
    return error.decibels;
  }

  #programOutputs({ program }: Sample): readonly Float64Array[] {
    return this.#b.graph.outputs.map(({ value }) => numbers(valueOf(this.#b.graph, program, value)));
  }

  /** The value that the reference's op gives on what the program gave to its own. */
  #inherited({ value, reference, converts }: Pair, sample: Sample): Float64Array {
    const converted = converts === undefined ? undefined : this.#byValue.get(converts);
    if (converted) return this.#actual(sample, converted.value, converted.layout);
    // Of several forms of a value, the one that the program's op reads.
    const read = operandsWithin(this.#b.graph, value, this.#byValue).map((operand) => this.#byValue.get(operand));
    const cut = new Map<string, Tensor>();
    for (const name of operandsWithin(this.#a.graph, reference, this.#byReference)) {
      const pair = read.find((each) => each?.reference === name) ?? this.#byReference.get(name);
      if (pair) cut.set(name, this.#forReference(name, this.#actual(sample, pair.value, pair.layout)));
    }
    return sourceNumbers(evaluateCone(this.#a.graph, reference, cut).tensor, this.#a.layouts.get(reference));
  }

  #forReference(reference: string, values: Float64Array): Tensor {
    return storedTensor(values, this.#a.graph.node(reference).type, this.#a.layouts.get(reference));
  }

  #effect({ reference: values }: Sample, reference: string, own: Float64Array): readonly Float64Array[] {
    return outputsOf(this.#fromReference, values, reference, this.#forReference(reference, own));
  }

  #without(propagation: Propagation, sample: Sample, { value, layout }: Pair, passedOn: Float64Array): readonly Float64Array[] {
    const node = this.#b.graph.node(value);
    return outputsOf(propagation, sample.program, value, storedTensor(passedOn, node.type, layout));
  }

  /** Mean square of the local error that the types of either side explain. What is only converted stands in the reference as it is. */
  #roundings({ value, reference, converts }: Pair, sample: Sample): number {
    const there = converts === undefined ? this.#referenceNoise.roundings(reference, this.#sharedReference(sample)) : 0;
    return there + this.#noise.roundings(value, sample.exact);
  }

  /** The first element whose local error passes what the passes promise: c·k·2⁻²⁴·Σ|terms|, nothing where they promise every bit. */
  #violation({ value, reference, layout }: Pair, sample: Sample, own: Evaluated, expected: Float64Array, ownNumbers: Float64Array) {
    if (this.contract.meaning === 'lossy') return undefined;
    const bound = this.contract.meaning === 'reassociates' ? this.contract.bound : 0;
    const there = evaluateCone(this.#a.graph, reference, this.#sharedReference(sample));
    const before = sourceTerms(there.magnitude.terms, this.#a.layouts.get(reference));
    const after = sourceTerms(own.magnitude.terms, layout);
    const count = Math.max(there.magnitude.count, own.magnitude.count);
    for (const [element, x] of expected.entries()) {
      const terms = Math.max(before[element] ?? 0, after[element] ?? 0);
      const allowed = bound * count * 2 ** -24 * terms;
      const difference = Math.abs((ownNumbers[element] as number) - x);
      // A reference that overflowed, perhaps half-way, holds nothing to anything.
      if (difference > allowed && Number.isFinite(x) && terms < OVERFLOW) return { value, element, difference, allowed };
    }
    return undefined;
  }

  #sharedReference({ reference }: Sample): ReadonlyMap<string, Tensor> {
    return new Map([...reference].filter(([name]) => this.#byReference.has(name)));
  }
}

/** Mean square of the error that accumulation in f32 explains; beside roundings to coarser types it is nothing. */
function accumulationOf({ tensor, magnitude }: Evaluated): number {
  return tensor.type.element === 'f32' ? accumulationNoise(magnitude) : 0;
}

/** Noise above what is predicted, in dB; -Infinity without any, Infinity where an element is no number any more. */
function excessOf(noise: number, predicted: number): number {
  if (noise === 0) return -Infinity;
  return noise === Infinity ? Infinity : decibels(noise, predicted);
}

/** Above this sum of terms one order of addition may overflow where another does not. */
const OVERFLOW = 2 ** 127;

function valueOf(graph: Graph, values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const node = graph.node(name);
  const value = node.kind === 'constant' ? node.value : values.get(name);
  if (!value) throw new Error(`the trace has no value %${name}`);
  return value;
}

function outputsOf(propagation: Propagation, values: ReadonlyMap<string, Tensor>, name: string, value: Tensor): readonly Float64Array[] {
  return propagation.outputs(values, name, value).map((output) => (output ? numbers(output) : new Float64Array()));
}

/** Signal and noise of all outputs together. */
class OutputError {
  #signal = 0;
  #noise = 0;

  add(expected: readonly Float64Array[], actual: readonly Float64Array[]): void {
    for (const [output, values] of expected.entries())
      for (const [i, x] of values.entries()) {
        const y = actual[output]?.[i] ?? NaN;
        if (Number.isFinite(x)) this.#signal += x * x;
        if (!Object.is(x, y)) this.#noise += Number.isFinite(y - x) ? (y - x) ** 2 : Infinity;
      }
  }

  get decibels(): number {
    return decibels(this.#signal, this.#noise);
  }
}
