/** Calibration: what the values of a float graph are on representative data, measured on the executed program. */
import { DiagnosticError, fail } from '../../compiler/ir/diagnostic.ts';
import { equalGraphs } from '../../compiler/ir/equal.ts';
import { evaluateGraph, evaluateNode } from '../../compiler/ir/evaluate.ts';
import type { Graph, InputNode, OpNode } from '../../compiler/ir/graph.ts';
import { hasTrait } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import { assignPorts } from '../../passes/layout/ports.ts';
import { lower } from '../../compiler/lower/lower.ts';
import type { Target } from '../../isa/target.ts';
import type { CalibrationProvider, CalibrationStatistics, ValueStatistics } from '../../passes/calibration.ts';
import { HISTOGRAM_BINS, binOf } from '../../passes/calibration.ts';
import type { Sample } from '../../passes/pass.ts';
import type { Dataset } from '../data/dataset.ts';
import { DataError } from '../data/errors.ts';
import type { Preprocess } from '../data/preprocess.ts';
import { createMachine } from '../engine/engine.ts';
import { DataHash } from './data-hash.ts';
import { fits } from './evaluate.ts';

/** Samples that calibration takes unless told. */
export const CALIBRATION_SAMPLES = 500;

/** Samples, read and ready to be fed, one after the other. */
export interface CalibrationData {
  readonly name: string;
  readonly shape: readonly number[];
  readonly samples: readonly Float32Array[];
  /** SHA-256 of preprocessing, stored bytes and classes. */
  readonly sha256: string;
  readonly preprocess: Preprocess | null;
  place(sample: number): string;
}

/** Reads the first samples of a data set. Throws a `DataError` that names the first that holds what is no number. */
export async function readCalibrationData(dataset: Dataset, limit: number): Promise<CalibrationData> {
  const count = Math.min(limit, dataset.samples);
  if (count === 0) throw new DataError('data/mismatch', dataset.name, 'holds no samples to calibrate on');
  const hash = new DataHash(dataset.preprocess);
  const samples: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    const { elements, stored } = await dataset.read(i);
    const at = elements.findIndex((x) => !Number.isFinite(x));
    if (at >= 0)
      throw new DataError('data/mismatch', dataset.place(i), `holds ${elements[at]} at element ${at}; calibration needs finite numbers`);
    hash.add(stored, dataset.label(i));
    samples.push(elements);
  }
  return {
    name: dataset.name,
    shape: dataset.shape,
    samples,
    sha256: hash.digest(),
    preprocess: dataset.preprocess ?? null,
    place: (sample) => dataset.place(sample),
  };
}

export interface CalibrationOptions {
  /** What executes the graph; values do not depend on it. */
  readonly target: Target;
  readonly progress?: { update(done: number, total: number): void; clear(): void };
}

/** Measures the graph that asks on data. */
export function measuredCalibration(data: CalibrationData, options: CalibrationOptions): CalibrationProvider {
  return measuring((graph) => batchesOf(graph, data), options);
}

/** A sample of a graph's inputs, and where it comes from, for people. */
export interface PlacedSample {
  readonly inputs: Sample;
  readonly place: string;
}

/** Measures the graph that asks on samples of its own inputs. */
export function calibrationOnSamples(samples: readonly PlacedSample[], options: CalibrationOptions): CalibrationProvider {
  const batches = samples.map((sample) => ({ ...sample, present: 1, size: 1 }));
  return measuring(() => batches, options);
}

/** What one run of a graph takes. */
interface Batch extends PlacedSample {
  /** The first so many samples count. */
  readonly present: number;
  /** Samples that fill the inputs. */
  readonly size: number;
}

/** Batches that are made each time they are gone through: all together would double the memory that data take. */
type Batches = Iterable<Batch> & { readonly length: number };

/** Runs between two looks at whether to stop. */
const RUNS_A_TURN = 8;

/** Measures the graph that asks unless the one before was equal, as it is where prefixes of a pipeline run one after the other. */
function measuring(batchesFor: (graph: Graph) => Batches, options: CalibrationOptions): CalibrationProvider {
  let last: { readonly graph: Graph; readonly statistics: CalibrationStatistics } | undefined;
  const known = (graph: Graph): CalibrationStatistics | undefined =>
    last && (last.graph === graph || equalGraphs(last.graph, graph)) ? last.statistics : undefined;
  const provider = (graph: Graph): CalibrationStatistics => {
    const found = known(graph);
    if (found) return found;
    const steps = measure(graph, batchesFor(graph), options);
    let step = steps.next();
    while (!step.done) step = steps.next();
    last = { graph, statistics: step.value };
    return step.value;
  };
  const ahead = async (graph: Graph, signal?: AbortSignal): Promise<void> => {
    if (known(graph)) return;
    const steps = measure(graph, batchesFor(graph), options, signal);
    let step = steps.next();
    for (let runs = 1; !step.done; runs++) {
      if (runs % RUNS_A_TURN === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      step = steps.next();
    }
    last = { graph, statistics: step.value };
  };
  return Object.assign(provider, { ahead });
}

/** Stops between runs. */
function* measure(
  graph: Graph,
  batches: Batches,
  { target, progress }: CalibrationOptions,
  signal?: AbortSignal,
): Generator<void, CalibrationStatistics> {
  const execute = executor(graph, target);
  const extents = new Map<string, Extent>();
  const histograms = new Map<string, Float64Array>();
  let done = 0;
  try {
    // The bins are of one width from the least to the greatest number, so those have to be known first.
    for (const step of [0, 1])
      for (const batch of batches) {
        for (const [name, value] of execute(batch.inputs)) {
          if (value.type.element !== 'f32') continue;
          const elements = presentElements(value, batch);
          if (step === 0) extents.set(name, extended(extents.get(name), elements, value, name, batch.place));
          else count(elements, name, extents, histograms);
        }
        progress?.update(++done, 2 * batches.length);
        yield;
        signal?.throwIfAborted();
      }
  } finally {
    progress?.clear();
  }
  return new Map([...extents].map(([name, extent]) => [name, statisticsOf(extent, histograms.get(name))]));
}

/** Batches of data for a graph with one input. */
function batchesOf(graph: Graph, data: CalibrationData): Batches {
  const input = inputFor(graph, data);
  const size = elementCount(input.type.shape) / elementCount(data.shape);
  const length = Math.ceil(data.samples.length / size);
  return {
    length,
    *[Symbol.iterator]() {
      for (let first = 0; first < length * size; first += size) {
        const present = Math.min(size, data.samples.length - first);
        yield { inputs: new Map([[input.name, filled(input, data, first, size)]]), place: data.place(first), present, size };
      }
    },
  };
}

/** The one input of the graph, which samples fill, in batches. */
function inputFor(graph: Graph, data: CalibrationData): InputNode {
  const { name, shape } = data;
  const [input, ...others] = graph.inputs;
  if (!input || others.length > 0)
    throw new DataError(
      'data/mismatch',
      name,
      `the model has ${graph.inputs.length} inputs; only models with one can be calibrated on data`,
    );
  const batch = elementCount(input.type.shape) / elementCount(shape);
  if (input.type.element === 'f32' && fits(input.type.shape, shape, batch)) return input;
  throw new DataError(
    'data/mismatch',
    data.place(0),
    `gives samples of ${shape.join('x')}, and input '${input.name}' takes ${input.type.shape.join('x')}`,
    'channels, resize, crop and layout of the preprocessing change the shape',
  );
}

/** The input, from a sample on; its end repeats the last one where there are no more. */
function filled({ type }: InputNode, { samples }: CalibrationData, first: number, size: number): Tensor {
  const data = new Float32Array(elementCount(type.shape));
  for (let i = 0; i < size; i++) {
    const sample = samples[Math.min(first + i, samples.length - 1)] ?? new Float32Array();
    data.set(sample, i * sample.length);
  }
  return tensor(type, data);
}

/** The elements of the samples that count; batches are the first dimension. */
function presentElements(value: Tensor, { present, size }: Batch): Float32Array {
  const all = floats(value);
  return present < size && value.type.shape[0] === size ? all.subarray(0, (all.length / size) * present) : all;
}

/** All values of a graph in one run, by name. */
type Execute = (inputs: Sample) => ReadonlyMap<string, Tensor>;

/** Of an op that only moves elements programs may hold both values in one memory, so the host moves what it gives. */
const isMoved = ({ op }: OpNode): boolean => hasTrait(op, 'moving');

/** The fast engine where the graph can be compiled with all its values as outputs; else the evaluator, which gives the same values. */
function executor(graph: Graph, target: Target): Execute {
  const isRead = (node: OpNode): boolean => node.type.element === 'f32' && !isMoved(node);
  const outputs = graph.ops.filter(isRead).map(({ name }) => ({ name, value: name }));
  const program = programOf(graph.with({ outputs }), target);
  if (!program)
    return (inputs) => {
      const values = evaluateGraph(graph, inputs, { keep: 'all' });
      return new Map([...values].filter(([name]) => graph.node(name).kind !== 'constant'));
    };
  const machine = createMachine('fast', program, target);
  const constants = new Map(graph.nodes.flatMap((node) => (node.kind === 'constant' ? [[node.name, node.value] as const] : [])));
  return (inputs) => {
    machine.reset();
    for (const [name, value] of inputs) machine.writeInput(name, floats(value));
    machine.run();
    const values = new Map(inputs);
    for (const node of graph.ops) {
      const [name = ''] = node.inputs;
      const operand = values.get(name) ?? constants.get(name);
      if (isRead(node)) values.set(node.name, tensor(node.type, machine.readOutput(node.name)));
      else if (isMoved(node) && operand) values.set(node.name, evaluateNode(node, [operand]));
    }
    return values;
  };
}

/** Undefined where the graph, or this much of it, has no program. */
function programOf(graph: Graph, target: Target): ReturnType<typeof lower>['program'] | undefined {
  try {
    return lower(assignPorts(graph.with({ stage: 'legal' })), target).program;
  } catch (error) {
    if (error instanceof DiagnosticError && error.diagnostics.every(({ kind }) => kind === 'unsupported')) return undefined;
    throw error;
  }
}

interface Extent {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Sum of each channel. */
  readonly sums: Float64Array;
}

function extended(known: Extent | undefined, elements: Float32Array, { type }: Tensor, name: string, place: string): Extent {
  const channels = type.shape.at(-1) ?? 1;
  const sums = known?.sums ?? new Float64Array(channels);
  let { min, max } = known ?? { min: Infinity, max: -Infinity };
  for (let i = 0, c = 0; i < elements.length; i++, c = c + 1 === channels ? 0 : c + 1) {
    const x = elements[i] as number;
    if (x < min) min = x;
    if (x > max) max = x;
    sums[c] = (sums[c] as number) + x;
  }
  if (!sums.every(Number.isFinite))
    fail('invalid', 'calibration/not-finite', `%${name} is not finite on all samples, so that it has no range`, { place: [place] });
  return { count: (known?.count ?? 0) + elements.length, min, max, sums };
}

function count(elements: Float32Array, name: string, extents: ReadonlyMap<string, Extent>, histograms: Map<string, Float64Array>): void {
  const { min = 0, max = 0 } = extents.get(name) ?? {};
  const histogram = histograms.get(name) ?? new Float64Array(HISTOGRAM_BINS);
  histograms.set(name, histogram);
  for (let i = 0; i < elements.length; i++) {
    const bin = binOf(elements[i] as number, min, max);
    histogram[bin] = (histogram[bin] as number) + 1;
  }
}

function statisticsOf({ count: seen, min, max, sums }: Extent, histogram: Float64Array | undefined): ValueStatistics {
  const perChannel = seen / sums.length;
  return {
    count: seen,
    min: min + 0,
    max: max + 0,
    means: Array.from(sums, (sum) => sum / perChannel),
    histogram: Array.from(histogram ?? []),
  };
}
