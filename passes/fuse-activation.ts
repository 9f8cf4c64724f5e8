import type { OpName } from '../compiler/ir/ops.ts';
import { isInteger } from '../compiler/ir/ops/integers.ts';
import { pass } from './pass.ts';
import type { Rule } from './rewrite.ts';
import { rewrite, rule } from './rewrite.ts';
import { boundsOf, composed, fusedBoundsOf, fusedClamp } from './rules/activations.ts';

/** relu and clip on a product or sum that nothing else reads become its own activation, joined with one that it may have already. */
function fuseInto(fused: OpName): Rule {
  return rule(`fuse-into-${fused}`, {
    doc: `relu(${fused}(…)) and clip(${fused}(…)) → ${fused}(…) with that activation`,
    ops: ['relu', 'clip'],
    apply(node, rewriter) {
      const [x = ''] = node.inputs;
      const producer = rewriter.producer(x);
      const outer = boundsOf(node);
      if (producer?.op !== fused || !outer || !rewriter.isOnlyUser(x, node)) return undefined;
      // Sums of integers that become f32 are clamped by an op of its own.
      if (producer.type.element === 'f32' && isInteger(rewriter.type(producer.inputs[0] ?? '').element)) return undefined;
      const inner = fusedBoundsOf(producer);
      const bounds = inner ? composed(inner, outer) : outer;
      return bounds && rewriter.make(fused, producer.inputs, { ...producer.attributes, ...fusedClamp(bounds) });
    },
  });
}

const RULES = [fuseInto('conv'), fuseInto('gemm'), fuseInto('add')];

export const fuseActivation = pass({
  name: 'fuse-activation',
  doc: 'Makes relu and clip the activation of the convolution, product or sum that they follow.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {},
  rules: RULES,
  idempotent: true,
  run: (graph, _params, context) => rewrite(graph, RULES, context),
});
