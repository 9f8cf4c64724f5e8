import { evaluateNode } from '../compiler/ir/evaluate.ts';
import { OP_NAMES } from '../compiler/ir/ops.ts';
import { typeBytes } from '../compiler/ir/types.ts';
import { pass } from './pass.ts';
import type { Rule } from './rewrite.ts';
import { rewrite, rule } from './rewrite.ts';

const FOLD = { name: 'fold-operation', doc: 'an operation on constants → its value' };

/** The folding rule; `growth` and `limit` are the parameters of the pass. */
function foldOperation(growth: number, limit: number): Rule {
  return rule(FOLD.name, {
    doc: FOLD.doc,
    ops: OP_NAMES,
    apply(node, rewriter) {
      const operands = node.inputs.map((input) => (input === '' ? undefined : rewriter.constant(input)));
      if (operands.some((operand, i) => operand === undefined && node.inputs[i] !== '')) return undefined;
      const operandBytes = operands.reduce((sum, operand) => sum + (operand ? typeBytes(operand.type) : 0), 0);
      if (typeBytes(node.type) > Math.max(limit, growth * operandBytes)) return undefined;
      if (!rewriter.affords(typeBytes(node.type))) return undefined;
      return rewriter.makeConstant(evaluateNode(node, operands));
    },
  });
}

export const foldConstants = pass({
  name: 'fold-constants',
  doc: 'Evaluates operations whose operands are all constants, unless the result is much larger than they are.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {
    growth: { kind: 'float', default: 1, minimum: 0, doc: 'a result may be so many times as large as its operands together' },
    limit: { kind: 'int', default: 65536, minimum: 0, doc: 'results of up to so many bytes are folded whatever their operands' },
  },
  rules: [FOLD],
  idempotent: true,
  run: (graph, { growth, limit }, context) => rewrite(graph, [foldOperation(growth, limit)], context),
});
