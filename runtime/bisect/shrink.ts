/** Smaller shapes and plainer numbers for the inputs and constants of a graph. */
import type { AttributeValue, Attributes, Graph, Node } from '../../compiler/ir/graph.ts';
import { makeOp } from '../../compiler/ir/infer.ts';
import { OpError } from '../../compiler/ir/op.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { allocate } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import { verifyGraph } from '../../compiler/ir/verify.ts';
import type { CheckSample } from './check.ts';

/** A graph and what it is run on. */
export interface Example {
  readonly graph: Graph;
  readonly samples: readonly CheckSample[];
}

/** Elements of all inputs and constants. */
export function leafElements({ graph }: Example): number {
  return leaves(graph).reduce((sum, { type }) => sum + elementCount(type.shape), 0);
}

function leaves(graph: Graph): readonly Exclude<Node, { kind: 'op' }>[] {
  return graph.nodes.filter((node) => node.kind !== 'op');
}

/** Extents above 1 of inputs and constants, largest first. */
export function extents({ graph }: Example): readonly number[] {
  return [...new Set(leaves(graph).flatMap(({ type }) => type.shape))].filter((extent) => extent > 1).sort((a, b) => b - a);
}

/** A part of an extent: from `start` on, `count` of them. */
export interface Window {
  readonly extent: number;
  readonly start: number;
  readonly count: number;
}

/** The windows to try of an extent: one, and each half. */
export function windows(extent: number): readonly Window[] {
  const half = Math.ceil(extent / 2);
  const first = { extent, start: 0, count: 1 };
  const halves = [0, extent - half].map((start) => ({ extent, start, count: half }));
  return [first, ...halves.filter(({ start, count }) => start > 0 || count > 1)];
}

/**
 * The example with every axis of that extent, of every input and constant, cut to a window; `attributes` says whether integer attributes of that
 * value follow, as groups and the shapes of reshapes do. Undefined where the ops do not fit together any more: which axes belong together is not known here.
 */
export function cut({ graph, samples }: Example, window: Window, attributes: boolean): Example | undefined {
  const nodes = new Map<string, Node>();
  try {
    for (const node of graph.nodes) nodes.set(node.name, cutNode(node, window, attributes, nodes));
  } catch (error) {
    if (error instanceof OpError) return undefined;
    throw error;
  }
  const smaller = graph.with({ nodes: [...nodes.values()] });
  if (verifyGraph(smaller).length > 0) return undefined;
  const cutInputs = ({ inputs }: CheckSample) => new Map([...inputs].map(([name, value]) => [name, cutTensor(value, window)] as const));
  return { graph: smaller, samples: samples.map((sample) => ({ ...sample, inputs: cutInputs(sample) })) };
}

function cutNode(node: Node, window: Window, attributes: boolean, done: ReadonlyMap<string, Node>): Node {
  switch (node.kind) {
    case 'input':
      return { ...node, type: cutType(node.type, window) };
    case 'constant': {
      const value = cutTensor(node.value, window);
      return { ...node, type: value.type, value };
    }
    case 'op': {
      const operandTypes = node.inputs.map((input) => done.get(input)?.type);
      return makeOp({ ...node, operandTypes, attributes: attributes ? cutAttributes(node.attributes, window) : node.attributes });
    }
  }
}

function cutAttributes(attributes: Attributes, { extent, count }: Window): Attributes {
  const one = (value: number): number => (value === extent ? count : value);
  const cutValue = (value: AttributeValue): AttributeValue =>
    typeof value === 'number' ? one(value) : Array.isArray(value) ? value.map(one) : value;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, cutValue(value)]));
}

function cutType(type: TensorType, { extent, count }: Window): TensorType {
  return { ...type, shape: type.shape.map((each) => (each === extent ? count : each)) };
}

function cutTensor({ type, data }: Tensor, window: Window): Tensor {
  const smaller = cutType(type, window);
  const result = allocate(type.element, elementCount(smaller.shape));
  const position = smaller.shape.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    let at = 0;
    for (const [axis, extent] of type.shape.entries())
      at = at * extent + (position[axis] ?? 0) + (extent === window.extent ? window.start : 0);
    const element = data[at];
    if (element !== undefined) result[i] = element;
    for (let axis = position.length - 1; axis >= 0; axis--) {
      position[axis] = (position[axis] ?? 0) + 1;
      if ((position[axis] ?? 0) < (smaller.shape[axis] ?? 0)) break;
      position[axis] = 0;
    }
  }
  return { type: smaller, data: result };
}

/** Ways to make numbers plainer, the plainest first. */
const PLAINER: readonly ((x: number) => number)[] = [
  () => 0,
  () => 1,
  (x) => Math.sign(x),
  (x) => Math.round(x),
  (x) => Number(x.toPrecision(1)),
  (x) => Number(x.toPrecision(2)),
];

/** The example with the f32 elements of one input or constant made plainer, in each way that changes them. */
export function* plainer({ graph, samples }: Example, leaf: string): Generator<Example> {
  const node = graph.node(leaf);
  for (const simpler of PLAINER) {
    const change = (value: Tensor): Tensor =>
      value.data instanceof Float32Array ? { type: value.type, data: value.data.map(simpler) } : value;
    if (node.kind === 'constant') {
      const value = change(node.value);
      if (same(value, node.value)) continue;
      yield { samples, graph: graph.with({ nodes: graph.nodes.map((each) => (each === node ? { ...node, value } : each)) }) };
    } else {
      const changed = samples.map((sample) => ({
        ...sample,
        inputs: new Map([...sample.inputs].map(([name, value]) => [name, name === leaf ? change(value) : value])),
      }));
      const unchanged = changed.every(({ inputs }, i) => same(inputs.get(leaf), samples[i]?.inputs.get(leaf)));
      if (!unchanged) yield { graph, samples: changed };
    }
  }
}

function same(a: Tensor | undefined, b: Tensor | undefined): boolean {
  return a?.data.every((x, i) => Object.is(x, b?.data[i])) ?? b === undefined;
}

/** Names of the inputs and constants of a graph. */
export function leafNames({ graph }: Example): readonly string[] {
  return leaves(graph).map(({ name }) => name);
}
