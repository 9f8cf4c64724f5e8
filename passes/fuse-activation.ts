import type { OpName } from '../compiler/ir/ops.ts';
import { pass } from './pass.ts';
import type { Rule } from './rewrite.ts';
import { rewrite, rule } from './rewrite.ts';
import { boundsOf, composed, fusedBoundsOf, fusedClamp } from './rules/activations.ts';

/** relu and clip on a product that nothing else reads become the product's own activation, joined with one that it may have already. */
function fuseInto(product: OpName): Rule {
  return rule(`fuse-into-${product}`, {
    doc: `relu(${product}(…)) and clip(${product}(…)) → ${product}(…) with that activation`,
    ops: ['relu', 'clip'],
    apply(node, rewriter) {
      const [x = ''] = node.inputs;
      const producer = rewriter.producer(x);
      const outer = boundsOf(node);
      if (producer?.op !== product || !outer || !rewriter.isOnlyUser(x, node)) return undefined;
      const inner = fusedBoundsOf(producer);
      const bounds = inner ? composed(inner, outer) : outer;
      return bounds && rewriter.make(product, producer.inputs, { ...producer.attributes, ...fusedClamp(bounds) });
    },
  });
}

const RULES = [fuseInto('conv'), fuseInto('gemm')];

export const fuseActivation = pass({
  name: 'fuse-activation',
  doc: 'Makes relu and clip the activation of the convolution or product that they follow.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {},
  rules: RULES,
  idempotent: true,
  run: (graph, _params, context) => rewrite(graph, RULES, context),
});
