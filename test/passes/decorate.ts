/** Random graphs with operations in them that rewrites look for: of the random graphs of the op table, few have such. */
import fc from 'fast-check';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { decisions, randomInputs } from '../support/arbitraries.ts';
import type { GraphAndInputs } from '../support/arbitraries.ts';
import { Choices } from '../support/choices.ts';
import type { GraphOptions } from '../support/random-graph.ts';
import { randomGraph } from '../support/random-graph.ts';

/** Puts an operation behind an f32 value and gives the new value, of the same type. */
type Decoration = (builder: GraphBuilder, value: string, choices: Choices) => string;

const constant = (shape: readonly number[], element: () => number): Tensor => ({
  type: tensorType('f32', shape),
  data: Float32Array.from({ length: elementCount(shape) }, element),
});

function withScalar(op: 'add' | 'sub' | 'mul' | 'div', numbers: readonly number[]): Decoration {
  return (builder, value, choices) => {
    const operands = [
      value,
      builder.constant(
        'n',
        constant([], () => choices.pick(numbers)),
      ),
    ];
    return builder.op(op, choices.once(3) ? operands.reverse() : operands);
  };
}

function alongOneDimension(op: 'add' | 'mul'): Decoration {
  return (builder, value, choices) => {
    const { shape } = builder.type(value);
    const axis = choices.once(2) ? 1 : choices.below(Math.max(1, shape.length));
    const own = shape.map((extent, i) => (i === axis ? extent : 1)).slice(choices.below(axis + 1));
    return builder.op(op, [
      value,
      builder.constant(
        'n',
        constant(own, () => choices.between(-8, 8) / 4),
      ),
    ]);
  };
}

const someBound = (choices: Choices): number => choices.pick([0, -0, -Infinity, Infinity, 1, -1, 6]);

const DECORATIONS: readonly Decoration[] = [
  (builder, value) => builder.op('identity', [value]),
  (builder, value) => builder.op('relu', [value]),
  (builder, value, choices) => builder.op('clip', [value], { min: someBound(choices), max: someBound(choices) }),
  (builder, value) => builder.op('reshape', [value], { shape: builder.type(value).shape }),
  (builder, value) => {
    const { shape } = builder.type(value);
    return builder.op('reshape', [builder.op('flatten', [value], { axis: 0 })], { shape });
  },
  (builder, value) => {
    const perm = builder
      .type(value)
      .shape.map((_, i) => i)
      .reverse();
    return builder.op('transpose', [builder.op('transpose', [value], { perm })], { perm });
  },
  withScalar('add', [0, -0, 0.5]),
  withScalar('sub', [0, -0, 0.5]),
  withScalar('mul', [1, -1, 2]),
  withScalar('div', [1, 4, -0.5, 3]),
  alongOneDimension('add'),
  alongOneDimension('mul'),
  (builder, value, choices) => {
    const channels = builder.type(value).shape[1];
    if (channels === undefined) return value;
    const statistic = (low: number): string =>
      builder.constant(
        'n',
        constant([channels], () => choices.between(low, 8) / 4),
      );
    return builder.op('batch-norm', [value, statistic(-8), statistic(-8), statistic(-8), statistic(0)]);
  },
];

/** The graph with decorations behind some of its f32 values. */
function decorated(graph: Graph, choices: Choices): Graph {
  const builder = new GraphBuilder(graph.name);
  const current = new Map([['', '']]);
  const currentOf = (name: string): string => current.get(name) ?? '';
  for (const node of graph.nodes) {
    if (node.kind === 'input') current.set(node.name, builder.input(node.name, node.type));
    else if (node.kind === 'constant') current.set(node.name, builder.constant(node.name, node.value));
    else {
      let value = builder.op(node.op, node.inputs.map(currentOf), node.attributes, { name: node.name, origin: node.origin });
      for (let more = node.type.element === 'f32' ? choices.below(3) : 0; more > 0; more--)
        value = choices.pick(DECORATIONS)(builder, value, choices);
      current.set(node.name, value);
    }
  }
  for (const { name, value } of graph.outputs) builder.output(name, currentOf(value));
  return builder.build();
}

/** Every other input is the constant that it is fed with. */
export function withKnownInputs({ graph, inputs }: GraphAndInputs): Graph {
  let turn = 0;
  const nodes = graph.nodes.map((node) => {
    const value = node.kind === 'input' && turn++ % 2 === 0 ? inputs.get(node.name) : undefined;
    return value ? ({ kind: 'constant', name: node.name, type: node.type, value } as const) : node;
  });
  return graph.with({ nodes });
}

/** An operation stands in the graph a second time, and both results are outputs. */
export function withTwins(graph: Graph): Graph {
  const twin = graph.ops.at(-1);
  if (!twin) return graph;
  const again = { ...twin, name: `${twin.name}.twin` };
  return graph.with({
    nodes: [...graph.nodes, again],
    outputs: [...graph.outputs, { name: 'twin', value: twin.name }, { name: 'twin again', value: again.name }],
  });
}

/** Random graphs, decorated, with values to feed them. */
export function decoratedGraphs(options: GraphOptions = {}): fc.Arbitrary<GraphAndInputs> {
  return fc.tuple(decisions, decisions, fc.nat({ max: 2 ** 30 })).map(([numbers, more, seed]) => {
    const graph = decorated(randomGraph(new Choices(numbers), options), new Choices(more));
    const sample = { graph, inputs: randomInputs(graph, seed, options.contents) };
    Object.defineProperty(sample, fc.toStringMethod, {
      value: () => `seed ${seed} of inputs\n${printGraph(graph).text}`,
      enumerable: false,
    });
    return sample;
  });
}
