/** Arbitraries of the graph IR. Counterexamples are printed in the graph's text form. */
import fc from 'fast-check';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import { Choices } from './choices.ts';
import type { GraphOptions } from './random-graph.ts';
import { randomGraph } from './random-graph.ts';
import type { Contents } from './random-tensor.ts';
import { randomTensor } from './random-tensor.ts';

/** Lists of decisions for `Choices`. */
export const decisions: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 2 ** 30 }), { maxLength: 160, size: 'max' });

/** Random valid graphs of stage imported. */
export function graphs(options: GraphOptions = {}): fc.Arbitrary<Graph> {
  return decisions.map((numbers) => printable(randomGraph(new Choices(numbers), options)));
}

function printable(graph: Graph): Graph {
  Object.defineProperty(graph, fc.toStringMethod, { value: () => `\n${printGraph(graph).text}`, enumerable: false });
  return graph;
}

/** A tensor for every input of a graph, from a seed. */
export function randomInputs(graph: Graph, seed: number, contents: Contents = 'ordinary'): Map<string, Tensor> {
  return new Map(graph.inputs.map(({ name, type }, i) => [name, randomTensor(type, seed + i, contents)]));
}

export interface GraphAndInputs {
  readonly graph: Graph;
  readonly inputs: ReadonlyMap<string, Tensor>;
}

/** Random valid graphs with values to feed them. */
export function graphsWithInputs(options: GraphOptions = {}): fc.Arbitrary<GraphAndInputs> {
  return fc
    .tuple(graphs(options), fc.nat({ max: 2 ** 30 }))
    .map(([graph, seed]) => ({ graph, inputs: randomInputs(graph, seed, options.contents) }));
}
