/** Which inputs of a model the data of a case are for. */
import type { OnnxModel, OnnxTensor } from '../../compiler/frontend/model.ts';
import { decodeTensor } from '../../compiler/frontend/model.ts';
import { toTensor } from '../../compiler/frontend/tensor.ts';
import { DiagnosticError, fail } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { typeMismatch } from './judge.ts';
import type { DataSet } from './test-case.ts';

/** A set of data, its inputs as they stand in the files, by their names in the model. */
export interface FedSet {
  readonly set: DataSet;
  /** Of inputs that have no value in the model, in its order. */
  readonly feeds: ReadonlyMap<string, OnnxTensor>;
  /** In place of initializers. */
  readonly replaced: ReadonlyMap<string, OnnxTensor>;
}

/**
 * Finds the input of each `input_N.pb`: the Nth of those without an initializer, or of all where there are more files. What is no tensor is left
 * to the importer, which refuses it. Throws `DiagnosticError`.
 */
export function feed({ graph }: OnnxModel, set: DataSet): FedSet {
  const initialized = new Set(graph.initializers.map(({ name }) => name));
  const open = graph.inputs.filter(({ name }) => !initialized.has(name));
  const inputs = Math.max(-1, ...set.inputs.keys()) < open.length ? open : graph.inputs;
  const feeds = [...set.inputs].flatMap(([n, bytes]): [number, string, OnnxTensor][] => {
    const place = [set.name, `input_${n}.pb`];
    const input = inputs[n] ?? fail('invalid', 'conformance/no-input', `the model has ${graph.inputs.length} inputs`, { place });
    return input.dataType === undefined ? [] : [[n, input.name, placed(place, () => decodeTensor(bytes))]];
  });
  const entries = feeds.sort(([a], [b]) => a - b).map(([, name, tensor]) => [name, tensor] as const);
  const [replaced, fed] = [true, false].map((has) => new Map(entries.filter(([name]) => initialized.has(name) === has)));
  return { set, feeds: fed as FedSet['feeds'], replaced: replaced as FedSet['replaced'] };
}

/** Sets that can share a program, together: their inputs have the same types, and the model's own values stand. */
export function groupByTypes(sets: readonly FedSet[]): readonly (readonly FedSet[])[] {
  const groups = new Map<string, FedSet[]>();
  for (const fed of sets) {
    const types = [...fed.feeds].map(([name, { dataType, dims }]) => [name, dataType, dims]);
    const key = JSON.stringify([fed.replaced.size > 0 ? fed.set.name : '', types]);
    groups.set(key, [...(groups.get(key) ?? []), fed]);
  }
  return [...groups.values()];
}

/** Shapes of the inputs that the model leaves open and no constant stands for. */
export function openShapes({ graph }: OnnxModel, { feeds }: FedSet, known: ReadonlySet<string>): Record<string, readonly number[]> {
  const shapes = graph.inputs.flatMap(({ name, shape, dataType }): [string, readonly number[]][] => {
    const given = feeds.get(name);
    const open = dataType !== undefined && (shape === undefined || shape.some((d) => typeof d !== 'number'));
    if (!given || !open || known.has(name)) return [];
    if (given.dims.includes(0)) fail('unsupported', 'conformance/empty-input', `input ${name} has no elements`);
    return [[name, given.dims]];
  });
  return Object.fromEntries(shapes);
}

/** Values of a graph's inputs, which are the model's but for those that are known. */
export function inputsOf(graph: Graph, { set, feeds }: FedSet, known: ReadonlySet<string>): ReadonlyMap<string, Tensor> {
  const fed = [...feeds].filter(([name]) => !known.has(name));
  if (fed.length !== graph.inputs.length)
    fail('invalid', 'conformance/missing-input', `gives ${fed.length} of ${graph.inputs.length} inputs`, { place: [set.name] });
  return new Map(
    graph.inputs.map(({ name, type }, i) => {
      const [place, source] = fed[i] as [string, OnnxTensor];
      const value = placed([set.name, `input ${place}`], () => toTensor(source, { place: [] }));
      const why = typeMismatch(type, value.type);
      if (why !== undefined) fail('invalid', 'conformance/input-type', `the model takes ${why}`, { place: [set.name, `input ${place}`] });
      return [name, { type, data: value.data }];
    }),
  );
}

/** The output that a set expects at a position. */
export function expectedOutput({ name, outputs }: DataSet, n: number): Tensor {
  const place = [name, `output_${n}.pb`];
  const bytes = outputs.get(n) ?? fail('invalid', 'conformance/missing-output', 'is missing', { place });
  return placed(place, () => toTensor(decodeTensor(bytes), { place: [] }));
}

function placed<T>(place: readonly string[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof DiagnosticError ? error.within(...place) : error;
  }
}
