/** Rules about add, sub, mul and div that keep every bit, the sign of zero and NaN included. */
import { isFixed } from '../../runtime/numerics/element.ts';
import { floatBits } from '../../runtime/numerics/float.ts';
import type { OpNode } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { sameType } from '../../compiler/ir/types.ts';
import { numbers } from '../contract/compare.ts';
import type { Rewriter } from '../rewrite.ts';
import { rule } from '../rewrite.ts';
import { fusedBoundsOf } from './activations.ts';
import { hasCanonicalNaN } from './canonical.ts';

export const ARITHMETIC_RULES = [
  rule('constant-right', {
    doc: 'add(constant, x) → add(x, constant), and so for mul: other rules look for constants on the right only',
    ops: ['add', 'mul'],
    apply(node, rewriter) {
      const [a = '', b = ''] = node.inputs;
      return rewriter.constant(a) && !rewriter.constant(b) ? rewriter.make(node.op, [b, a], node.attributes) : undefined;
    },
  }),
  rule('sub-constant', {
    doc: 'sub(x, constant) → add(x, -constant)',
    ops: ['sub'],
    apply(node, rewriter) {
      const [x = '', b = ''] = node.inputs;
      const constant = rewriter.constant(b);
      if (!constant || rewriter.constant(x) || constant.type.element !== 'f32') return undefined;
      const negated = tensor(
        constant.type,
        Float32Array.from(constant.data as Float32Array, (value) => -value),
      );
      return rewriter.make('add', [x, rewriter.makeConstant(negated, 'negated')]);
    },
  }),
  rule('div-power-of-two', {
    doc: 'div(x, constant) → mul(x, 1/constant), where every divisor is a power of two whose reciprocal is a number',
    ops: ['div'],
    apply(node, rewriter) {
      const [x = '', b = ''] = node.inputs;
      const constant = rewriter.constant(b);
      if (!constant || rewriter.constant(x) || constant.type.element !== 'f32') return undefined;
      const divisors = constant.data as Float32Array;
      if (!divisors.every((divisor) => isPowerOfTwo(Math.abs(divisor)))) return undefined;
      const reciprocals = tensor(
        constant.type,
        Float32Array.from(divisors, (divisor) => 1 / divisor),
      );
      return rewriter.make('mul', [x, rewriter.makeConstant(reciprocals, 'reciprocal')]);
    },
  }),
  rule('add-zero', {
    doc: 'add(x, -0) → x (in fixed point any 0). In f32 x + (+0) is not x: -0 + (+0) is +0',
    ops: ['add'],
    apply: (node, rewriter) => withoutNeutral(node, rewriter, (element) => (isFixed(element) ? 0 : -0)),
  }),
  rule('mul-one', {
    doc: 'mul(x, 1) → x',
    ops: ['mul'],
    apply: (node, rewriter) => withoutNeutral(node, rewriter, () => 1),
  }),
];

/** x, when the right operand is a constant whose elements all are the neutral one, and the op does nothing else to x, such as an activation. */
function withoutNeutral(node: OpNode, rewriter: Rewriter, neutral: (element: Tensor['type']['element']) => number): string | undefined {
  const [x = '', b = ''] = node.inputs;
  const constant = rewriter.constant(b);
  if (fusedBoundsOf(node) || !constant || !sameType(rewriter.type(x), node.type) || !hasCanonicalNaN(x, rewriter)) return undefined;
  const wanted = neutral(constant.type.element);
  return numbers(constant).every((value) => Object.is(value, wanted)) ? x : undefined;
}

/** Whether a positive binary32 number is a power of two, neither so small that it is denormal nor that its reciprocal overflows. */
function isPowerOfTwo(x: number): boolean {
  const bits = floatBits(x);
  return (bits & 0x7fffff) === 0 && bits !== 0 && Number.isFinite(x);
}
