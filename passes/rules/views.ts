/** Rules about ops that only rename, reshape or transpose. */
import { sameType } from '../../compiler/ir/types.ts';
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
];

/** An attribute of integers. */
export function permutationOf(attribute: unknown): readonly number[] {
  return Array.isArray(attribute) ? (attribute as readonly number[]) : [];
}
