/** Rules about ops that only rename, reshape or transpose. */
import type { OpNode } from '../../compiler/ir/graph.ts';
import { elementCount, sameType } from '../../compiler/ir/types.ts';
import type { Rewriter } from '../rewrite.ts';
import { rule } from '../rewrite.ts';

export const VIEW_RULES = [
  rule('remove-identity', {
    doc: 'identity(x) → x',
    ops: ['identity'],
    apply: (node) => node.inputs[0],
  }),
  rule('flatten-to-reshape', {
    doc: 'flatten(x) → reshape(x)',
    ops: ['flatten'],
    apply: (node, rewriter) => rewriter.make('reshape', node.inputs, { shape: node.type.shape }),
  }),
  rule('remove-reshape', {
    doc: 'reshape(x) to the shape of x → x',
    ops: ['reshape'],
    apply(node, rewriter) {
      const [x = ''] = node.inputs;
      return sameType(rewriter.type(x), node.type) ? x : undefined;
    },
  }),
  rule('merge-reshapes', {
    doc: 'reshape(reshape(x)) → reshape(x)',
    ops: ['reshape'],
    apply(node, rewriter) {
      const producer = rewriter.producer(node.inputs[0] ?? '');
      return producer?.op === 'reshape' ? rewriter.make('reshape', producer.inputs, node.attributes, { computes: [producer] }) : undefined;
    },
  }),
  rule('remove-transpose', {
    doc: 'transpose(x) that leaves every dimension in its place → x',
    ops: ['transpose'],
    apply: (node) => (permutationOf(node.attributes.perm).every((from, to) => from === to) ? node.inputs[0] : undefined),
  }),
  rule('merge-transposes', {
    doc: 'transpose(transpose(x)) → transpose(x)',
    ops: ['transpose'],
    apply(node, rewriter) {
      const producer = rewriter.producer(node.inputs[0] ?? '');
      if (producer?.op !== 'transpose') return undefined;
      const inner = permutationOf(producer.attributes.perm);
      const perm = permutationOf(node.attributes.perm).map((from) => inner[from] ?? from);
      return rewriter.make('transpose', producer.inputs, { perm }, { computes: [producer] });
    },
  }),
  rule('transpose-behind-split', {
    doc: 'transpose(reshape(transpose(x))) that splits dimensions → transpose(reshape(x))',
    ops: ['transpose'],
    apply(node, rewriter) {
      const chain = transposedTwice(node, rewriter);
      if (chain?.groups.some(({ from }) => from.length !== 1) !== false) return undefined;
      const { x, view, first, groups } = chain;
      // The parts of each dimension of x, which are dimensions of the view, in the order of x.
      const parts = rewriter.type(x).shape.map((_, dimension) => groups[first.indexOf(dimension)]?.to ?? []);
      const split = rewriter.make('reshape', [x], { shape: parts.flat().map((part) => view.type.shape[part] ?? 1) }, { suffix: 'split' });
      const perm = permutationOf(node.attributes.perm).map((part) => parts.flat().indexOf(part));
      return rewriter.make('transpose', [split], { perm }, { computes: chain.computes });
    },
  }),
  rule('transpose-before-merge', {
    doc: 'transpose(reshape(transpose(x))) that merges dimensions → reshape(transpose(x))',
    ops: ['transpose'],
    apply(node, rewriter) {
      const chain = transposedTwice(node, rewriter);
      if (chain?.groups.some(({ to }) => to.length !== 1) !== false) return undefined;
      const { x, first, groups } = chain;
      const merged = permutationOf(node.attributes.perm).flatMap((dimension) => groups[dimension]?.from ?? []);
      const moved = rewriter.make('transpose', [x], { perm: merged.map((part) => first[part] ?? part) }, { suffix: 'moved' });
      return rewriter.make('reshape', [moved], { shape: node.type.shape }, { computes: chain.computes });
    },
  }),
];

/** Dimensions of a value, and those of a view of it that hold the same elements. */
interface Group {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The shortest runs of dimensions with as many elements in one shape as in the other, which have equally many; 1s at the end go with the last. */
function alignedGroups(from: readonly number[], to: readonly number[]): readonly Group[] {
  const groups: { from: number[]; to: number[] }[] = [];
  let [i, j] = [0, 0];
  while (i < from.length && j < to.length) {
    const group = { from: [i], to: [j] };
    let [a, b] = [from[i++] ?? 1, to[j++] ?? 1];
    while (a !== b) {
      if (a < b) {
        a *= from[i] ?? 1;
        group.from.push(i++);
      } else {
        b *= to[j] ?? 1;
        group.to.push(j++);
      }
    }
    groups.push(group);
  }
  const last = groups.at(-1);
  while (last && i < from.length) last.from.push(i++);
  while (last && j < to.length) last.to.push(j++);
  return groups;
}

/** The reshape between a transpose and another one above it, and how its dimensions come from those of the upper one. */
function transposedTwice(
  node: OpNode,
  rewriter: Rewriter,
): { x: string; first: readonly number[]; view: OpNode; groups: readonly Group[]; computes: readonly OpNode[] } | undefined {
  const view = rewriter.producer(node.inputs[0] ?? '');
  const upper = view?.op === 'reshape' ? rewriter.producer(view.inputs[0] ?? '') : undefined;
  const [x] = upper?.op === 'transpose' ? upper.inputs : [];
  if (!view || !upper || x === undefined || elementCount(view.type.shape) === 0) return undefined;
  const groups = alignedGroups(upper.type.shape, view.type.shape);
  return { x, first: permutationOf(upper.attributes.perm), view, groups, computes: [view, upper] };
}

/** An attribute of integers. */
export function permutationOf(attribute: unknown): readonly number[] {
  return Array.isArray(attribute) ? (attribute as readonly number[]) : [];
}
