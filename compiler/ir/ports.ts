/**
 * The ports of a graph: what the host does to a value that enters or leaves a program. Legalization decides it once, with `portSides` over all ops that
 * the host could do, and writes it into the graph as `device=host`; whatever comes later reads it there, with `hostSides`.
 */
import type { Graph, InputNode, OpNode } from './graph.ts';
import type { OpName } from './ops.ts';
import { OP_NAMES, opRecord } from './ops.ts';

/** Whether an op stands behind an input or in front of outputs. */
export type PortSide = 'input' | 'output';

/** More ops in a row are not done by the host: a signature is bounded. */
export const MAX_PORT_OPS = 64;

/** Ops that the host can do: they move elements, or convert them to another type. */
export const PORT_OPS: readonly OpName[] = OP_NAMES.filter((op) => Object.hasOwn(opRecord(op).attributes, 'device'));

export function isPortable({ op }: OpNode): boolean {
  return PORT_OPS.includes(op);
}

export function isOnHost({ attributes }: OpNode): boolean {
  return attributes.device === 'host';
}

/**
 * Which of the candidates the host can do. Behind an input: those in a row from it, each the only reader of what it reads, because an input is stored in
 * one form. In front of outputs: those that nothing but outputs and others of them read, because the host can do a step for as many outputs as want it.
 */
export function portSides(graph: Graph, isCandidate: (node: OpNode) => boolean): ReadonlyMap<string, PortSide> {
  const sides = new Map<string, PortSide>();
  const steps = new Map<string, number>();
  const outputs = new Set(graph.outputs.map(({ value }) => value));
  for (const node of graph.ops) {
    if (!isCandidate(node)) continue;
    const [operand = ''] = node.inputs;
    const isBehindInput = graph.node(operand).kind === 'input' || sides.has(operand);
    const step = (steps.get(operand) ?? 0) + 1;
    if (!isBehindInput || outputs.has(operand) || graph.users(operand).length > 1 || step > MAX_PORT_OPS) continue;
    sides.set(node.name, 'input');
    steps.set(node.name, step);
  }
  for (const node of graph.ops.toReversed()) {
    if (!isCandidate(node) || sides.has(node.name)) continue;
    const users = graph.users(node.name);
    const step = users.reduce((most, user) => Math.max(most, steps.get(user.name) ?? 0), 0) + 1;
    const isInFront = users.every((user) => sides.get(user.name) === 'output') && (users.length > 0 || outputs.has(node.name));
    if (!isInFront || step > MAX_PORT_OPS) continue;
    sides.set(node.name, 'output');
    steps.set(node.name, step);
  }
  return sides;
}

const known = new WeakMap<Graph, ReadonlyMap<string, PortSide>>();

/** The ops that a graph leaves to the host. Those that no port can have are missing, which the verifier reports. */
export function hostSides(graph: Graph): ReadonlyMap<string, PortSide> {
  const sides = known.get(graph) ?? portSides(graph, isOnHost);
  known.set(graph, sides);
  return sides;
}

/** The steps of the host at a port, in the order in which data pass them, and the value that the machine has at their end. */
export interface HostSteps {
  readonly steps: readonly OpNode[];
  /** The value that the machine reads, or has computed. */
  readonly value: string;
}

export function stepsBehind(graph: Graph, { name }: InputNode): HostSteps {
  const sides = hostSides(graph);
  const steps: OpNode[] = [];
  let value = name;
  for (;;) {
    const [user] = graph.users(value);
    if (!user || sides.get(user.name) !== 'input') return { steps, value };
    steps.push(user);
    value = user.name;
  }
}

export function stepsInFront(graph: Graph, output: string): HostSteps {
  const sides = hostSides(graph);
  const steps: OpNode[] = [];
  let value = output;
  for (;;) {
    const node = graph.node(value);
    if (node.kind !== 'op' || sides.get(value) !== 'output') return { steps: steps.reverse(), value };
    steps.push(node);
    value = node.inputs[0] ?? '';
  }
}

export function permutationOf(node: OpNode): readonly number[] {
  return node.attributes.perm as readonly number[];
}

/** Whether an op keeps the row-major order of the elements: a transpose that moves only dimensions of size 1. */
export function movesNothing(node: OpNode, graph: Graph): boolean {
  if (node.op !== 'transpose') return false;
  const { shape } = graph.node(node.inputs[0] ?? '').type;
  const moved = permutationOf(node).filter((dimension) => shape[dimension] !== 1);
  return moved.every((dimension, i) => i === 0 || dimension > (moved[i - 1] ?? 0));
}
