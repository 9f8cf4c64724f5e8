/** Samples to run a graph on: of a reproducer, of the zoo's calibration data, or random. */
import { DEFAULT_SEED, uniformF32, xorshift32 } from '../../runtime/numerics/random.ts';
import { parseSamples } from '../../passes/instruments/reproducer.ts';
import type { Sample } from '../../passes/pass.ts';
import type { CheckSample } from '../../runtime/bisect/check.ts';
import { firstGraphSamples } from '../../runtime/evaluate/samples.ts';
import { readTextFile } from '../../runtime/platform/node.ts';
import type { Graph, InputNode } from '../ir/graph.ts';
import type { Tensor } from '../ir/tensor.ts';
import { tensor, zeros } from '../ir/tensor.ts';
import { elementCount } from '../ir/types.ts';
import type { ModelSource } from './model.ts';
import { zooDataset } from './zoo.ts';

/** The samples that a reproducer holds; none of another model. */
export function heldSamples({ form, path }: ModelSource, graph: Graph): readonly CheckSample[] {
  const held = form === 'text' ? parseSamples(readTextFile(path), graph, path) : [];
  return held.map((sample, i) => ({ ...sample, place: `sample ${i + 1} of ${path}` }));
}

/** `count` samples for the inputs of a graph, the same in every run. */
export async function graphSamples(graph: Graph, { zoo }: ModelSource, count: number): Promise<readonly Sample[]> {
  const [input, ...others] = graph.inputs;
  if (zoo && input && others.length === 0) {
    // After --shape they may not fit.
    const samples = await firstGraphSamples(input, await zooDataset(zoo.dataset, 'calibration'), count);
    if (samples) return samples;
  }
  return randomSamples(graph.inputs, count);
}

/** f32 elements uniform in [0, 1), others zero. */
function randomSamples(inputs: readonly InputNode[], count: number): readonly Sample[] {
  let state = DEFAULT_SEED;
  const next = (): number => {
    state = xorshift32(state);
    return uniformF32(state);
  };
  const value = ({ type }: InputNode): Tensor =>
    type.element === 'f32' ? tensor(type, Float32Array.from({ length: elementCount(type.shape) }, next)) : zeros(type);
  return Array.from({ length: count }, () => new Map(inputs.map((input) => [input.name, value(input)])));
}
