/** Which values of two graphs of one model stand for the same thing: those of one name, since a rewrite keeps the name of the value that it replaces. */
import type { Graph, Node, OpNode } from '../../compiler/ir/graph.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import type { Layouts } from '../../compiler/pipeline.ts';
import type { Rearrangement } from '../../passes/pass.ts';
import type { LayerKind } from './layer-kind.ts';
import { layerKind } from './layer-kind.ts';

/** A value of the program and the value of the reference that it stands for. */
export interface Pair {
  readonly value: string;
  readonly reference: string;
  /** How the program stores it, from the model's order. */
  readonly layout: readonly Rearrangement[];
  /** The value that this one only converts to another type or order; absent for a value under its own name. */
  readonly converts?: string;
}

/** A value that one side has and the other computes as a part of something else. */
export interface Inside {
  readonly side: 'reference' | 'program';
  readonly value: string;
  readonly op: LayerKind;
  /** The paired value that holds it; absent where nothing does any more. */
  readonly inside?: string;
}

export interface Alignment {
  /** In the program's order. Inputs and constants are among them. */
  readonly pairs: readonly Pair[];
  readonly inside: readonly Inside[];
}

/** Ops that give their operand's elements another type or another order. */
const CONVERSIONS: ReadonlySet<string> = new Set([
  'quantize',
  'dequantize',
  'requantize',
  'cast',
  'identity',
  'transpose',
  'reshape',
  'flatten',
]);

export function align(reference: Graph, program: Graph, layouts: Layouts): Alignment {
  const pairs = new Map<string, Pair>();
  for (const node of program.nodes) {
    const pair = pairOf(node, reference, pairs, layouts);
    if (pair) pairs.set(node.name, pair);
  }
  const taken = new Set([...pairs.values()].map((pair) => pair.reference));
  const onlyReference = reference.ops.filter(({ name, op }) => !taken.has(name) && op !== 'transpose');
  const onlyProgram = program.ops.filter(({ name }) => !pairs.has(name));
  return {
    pairs: [...pairs.values()],
    inside: [
      ...onlyReference.map((node) => insideOf('reference', node, reference, holderIn(program, node, pairs), taken)),
      ...onlyProgram.map((node) => insideOf('program', node, program, undefined, new Set(pairs.keys()))),
    ],
  };
}

function pairOf(node: Node, reference: Graph, pairs: ReadonlyMap<string, Pair>, layouts: Layouts): Pair | undefined {
  const same = reference.find(node.name);
  const fits = same && same.kind !== 'constant' && elementCount(same.type.shape) === elementCount(node.type.shape);
  if (fits && (node.kind !== 'input' || same.kind === 'input'))
    return { value: node.name, reference: node.name, layout: layouts.get(node.name) ?? [] };
  if (node.kind !== 'op' || same || !CONVERSIONS.has(node.op)) return undefined;
  const operand = pairs.get(node.inputs[0] ?? '');
  if (!operand) return undefined;
  const { perm } = node.attributes;
  const shape = node.op === 'transpose' && Array.isArray(perm) ? perm.map((_, i) => node.type.shape[perm.indexOf(i)] ?? 1) : undefined;
  const moved = shape ? [{ view: shape, permutation: perm as readonly number[] }] : [];
  return { value: node.name, reference: operand.reference, layout: [...operand.layout, ...moved], converts: operand.value };
}

/** The program's value that computes the same source nodes. */
function holderIn(program: Graph, { origin }: OpNode, pairs: ReadonlyMap<string, Pair>): string | undefined {
  return program.ops.find((other) => pairs.has(other.name) && origin.some((name) => other.origin.includes(name)))?.name;
}

function insideOf(side: Inside['side'], node: OpNode, graph: Graph, holder: string | undefined, paired: ReadonlySet<string>): Inside {
  const inside = holder ?? nextPaired(graph, node.name, paired);
  return { side, value: node.name, op: layerKind(node, graph), ...(inside !== undefined && { inside }) };
}

/** The first value downstream that both sides have. */
function nextPaired(graph: Graph, name: string, paired: ReadonlySet<string>): string | undefined {
  const seen = new Set([name]);
  for (const reached of seen)
    for (const user of graph.users(reached)) {
      if (paired.has(user.name)) return user.name;
      seen.add(user.name);
    }
  return undefined;
}

/** The values of `cut`, in order of first use, from which `root` is computed; `root` itself is not taken from it where an op computes it. */
export function operandsWithin(graph: Graph, root: string, cut: { has(name: string): boolean }): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (name === '' || seen.has(name)) return;
    seen.add(name);
    const node = graph.node(name);
    if (cut.has(name) && !(name === root && node.kind === 'op')) found.add(name);
    else if (node.kind === 'op') node.inputs.forEach(visit);
  };
  visit(root);
  return [...found];
}
