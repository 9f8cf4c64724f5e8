/** Samples of labelled data as inputs of a graph. */
import type { InputNode } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import type { Sample } from '../../passes/pass.ts';
import type { Dataset } from '../data/dataset.ts';

/** How many samples of a data set fill an input; undefined where they do not. */
export function samplesOfInput({ type }: InputNode, dataset: Dataset): number | undefined {
  const batch = elementCount(type.shape) / elementCount(dataset.shape);
  const fits = type.element === 'f32' && Number.isInteger(batch) && batch >= 1 && (batch === 1 || type.shape[0] === batch);
  return fits ? batch : undefined;
}

/** The sample of a graph that begins with a sample of the data, `batch` of which fill the input; from the last sample on they repeat. */
export async function graphSample({ name, type }: InputNode, dataset: Dataset, batch: number, first: number): Promise<Sample> {
  const elements = elementCount(dataset.shape);
  const data = new Float32Array(batch * elements);
  for (let i = 0; i < batch; i++) data.set((await dataset.read((first + i) % dataset.samples)).elements, i * elements);
  return new Map([[name, tensor(type, data)]]);
}

/** `count` samples of a graph with one input, as far as the data goes and then again; undefined where the data does not fill the input. */
export async function firstGraphSamples(input: InputNode, dataset: Dataset, count: number): Promise<readonly Sample[] | undefined> {
  const batch = samplesOfInput(input, dataset);
  if (batch === undefined) return undefined;
  return Promise.all(Array.from({ length: count }, (_, i) => graphSample(input, dataset, batch, i * batch)));
}
