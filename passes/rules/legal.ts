/** Rules that bring a graph into the form that lowering accepts, image layout aside. All but gemm-alpha keep every bit. */
import { isNarrow } from '../../runtime/numerics/narrow.ts';
import type { AttributeValue, OpNode } from '../../compiler/ir/graph.ts';
import { NO_ACTIVATION } from '../../compiler/ir/ops/activation.ts';
import { hasTrait } from '../../compiler/ir/ops.ts';
import { broadcastTo, permute } from '../../compiler/ir/ops/strided.ts';
import { elementCount, sameShape, typeBytes } from '../../compiler/ir/types.ts';
import { BATCH_NORM_TO_ARITHMETIC } from '../fold-batch-norm.ts';
import type { Rewriter } from '../rewrite.ts';
import { requireAffordable, rule } from '../rewrite.ts';
import { activationOf, clampOp, fusedBoundsOf } from './activations.ts';
import { GEMM_BETA_CONSTANT, MATMUL_TO_GEMM, elementwise, scalar } from './products.ts';
import { AVERAGE_POOL_UNIFORM } from './pooling.ts';
import { VIEW_RULES } from './views.ts';

/** Whether what a gemm adds is constant and alike in all rows. */
function isConstantRow(gemm: OpNode, rewriter: Rewriter): boolean {
  const c = gemm.inputs[2] ?? '';
  const { shape } = rewriter.type(c);
  const columns = gemm.type.shape[1] ?? 1;
  const isRow = elementCount(shape) === 1 || (elementCount(shape) === columns && shape.at(-1) === columns);
  return isRow && rewriter.constant(c) !== undefined;
}

/** Before the layout of images is decided. */
export const NORMAL_FORM_RULES = [
  ...VIEW_RULES,
  BATCH_NORM_TO_ARITHMETIC,
  MATMUL_TO_GEMM,
  rule('matmul-rows-to-gemm', {
    doc: 'matmul(a, b) of a constant matrix b and any a → reshape(gemm(reshape(a), b))',
    ops: ['matmul'],
    apply(node, rewriter) {
      const [a = '', b = ''] = node.inputs;
      const [depth = 1] = rewriter.type(b).shape;
      if (!rewriter.constant(b) || rewriter.type(b).shape.length !== 2) return undefined;
      const rows = elementCount(rewriter.type(a).shape.slice(0, -1));
      const matrix = rewriter.make('reshape', [a], { shape: [rows, depth] }, { suffix: 'rows' });
      const product = rewriter.make('gemm', [matrix, b], {}, { suffix: 'product' });
      return rewriter.make('reshape', [product], { shape: node.type.shape });
    },
  }),
  GEMM_BETA_CONSTANT,
  rule('gemm-in-f32', {
    doc: 'gemm of narrow floats with alpha, or with a c that is no constant row → gemm with the result f32, mul, add, the activation, cast',
    ops: ['gemm'],
    apply(node, rewriter) {
      const [a = '', b = '', c = ''] = node.inputs;
      const { alpha, beta } = node.attributes;
      if (!isNarrow(rewriter.type(a).element) || (alpha === 1 && (c === '' || isConstantRow(node, rewriter)))) return undefined;
      const factor = (value: string, by: AttributeValue | undefined, suffix: string): string =>
        by === 1 ? value : rewriter.make('mul', [value, rewriter.makeConstant(scalar(Number(by)), 'factor')], {}, { suffix });
      const plain = { ...node.attributes, alpha: 1, beta: 1, ...NO_ACTIVATION, result: 'f32' };
      const product = factor(rewriter.make('gemm', [a, b], plain, { suffix: 'product' }), alpha, 'scaled');
      const sum = c === '' ? product : rewriter.make('add', [product, factor(c, beta, 'c')], {}, { suffix: 'sum' });
      const bounds = fusedBoundsOf(node);
      const clamp = bounds && clampOp(bounds);
      const ended = clamp ? rewriter.make(clamp.op, [sum], clamp.attributes, { suffix: 'ended' }) : sum;
      return rewriter.make('cast', [ended], { to: node.type.element });
    },
  }),
  AVERAGE_POOL_UNIFORM,
  rule('gemm-plain-weights', {
    doc: 'gemm with constant weights stored N×K → gemm with them stored K×N',
    ops: ['gemm'],
    apply(node, rewriter) {
      const [a = '', b = '', ...c] = node.inputs;
      const weights = node.attributes.trans_b === true ? rewriter.constant(b) : undefined;
      return (
        weights &&
        rewriter.make('gemm', [a, rewriter.makeConstant(permute(weights, [1, 0]), 'weights'), ...c], { ...node.attributes, trans_b: false })
      );
    },
  }),
  rule('gemm-plain-input', {
    doc: 'gemm that reads a transposed → gemm of transpose(a)',
    ops: ['gemm'],
    apply(node, rewriter) {
      const [a = '', ...rest] = node.inputs;
      if (node.attributes.trans_a !== true) return undefined;
      const constant = rewriter.constant(a);
      const turned = constant
        ? rewriter.makeConstant(permute(constant, [1, 0]), 'a')
        : rewriter.make('transpose', [a], { perm: [1, 0] }, { suffix: 'transposed' });
      return rewriter.make('gemm', [turned, ...rest], { ...node.attributes, trans_a: false });
    },
  }),
  rule('gemm-alpha', {
    doc: 'gemm with alpha and constant weights b → gemm with alpha·b',
    ops: ['gemm'],
    apply(node, rewriter) {
      const [a = '', b = '', ...c] = node.inputs;
      const weights = node.attributes.alpha === 1 ? undefined : rewriter.constant(b);
      if (!weights) return undefined;
      const scaled = rewriter.makeConstant(elementwise('mul', weights, scalar(Number(node.attributes.alpha))), 'weights');
      return rewriter.make('gemm', [a, scaled, ...c], { ...node.attributes, alpha: 1 });
    },
  }),
  rule('gemm-general-bias', {
    doc: 'gemm with a c that is no constant row → add(gemm(a, b), c) with the activation',
    ops: ['gemm'],
    apply(node, rewriter) {
      const [a = '', b = '', c = ''] = node.inputs;
      if (c === '' || node.attributes.beta !== 1 || isConstantRow(node, rewriter)) return undefined;
      const product = rewriter.make('gemm', [a, b], { ...node.attributes, activation: 'none' }, { suffix: 'product' });
      return rewriter.make('add', [product, c], activationOf(node));
    },
  }),
  rule('broadcast-right', {
    doc: 'add(a, b) where a is broadcast and b is not → add(b, a), and so for mul',
    ops: ['add', 'mul'],
    apply(node, rewriter) {
      const [a = '', b = ''] = node.inputs;
      const full = (name: string): boolean => sameShape(rewriter.type(name).shape, node.type.shape);
      return hasTrait(node.op, 'commutative') && !full(a) && full(b) ? rewriter.make(node.op, [b, a], node.attributes) : undefined;
    },
  }),
];

/** After the layout of images is decided. */
export const BROADCAST_RULES = [
  rule('broadcast-rank', {
    doc: 'an operand with all elements of the result, but fewer dimensions of 1 → reshape to those of the result',
    ops: ['add', 'sub', 'mul', 'div'],
    apply(node, rewriter) {
      const { shape } = node.type;
      const isShort = (name: string): boolean => {
        const own = rewriter.type(name).shape;
        return own.length < shape.length && elementCount(own) === elementCount(shape) && rewriter.constant(name) === undefined;
      };
      if (!node.inputs.some(isShort)) return undefined;
      const [a = '', b = ''] = node.inputs;
      const whole = (name: string, suffix: string): string =>
        isShort(name) ? rewriter.make('reshape', [name], { shape }, { suffix }) : name;
      return rewriter.make(node.op, [whole(a, 'a'), whole(b, 'b')], node.attributes);
    },
  }),
  rule('expand-constant', {
    doc: 'a constant operand that is broadcast otherwise than over leading dimensions on the right → the constant repeated as far as needed',
    ops: ['add', 'sub', 'mul', 'div'],
    apply(node, rewriter) {
      const { shape } = node.type;
      for (const [i, name] of node.inputs.entries()) {
        const constant = rewriter.constant(name);
        const needed = i === 0 ? shape : constant && suffixOf(constant.type.shape, shape);
        if (!constant || !needed || sameShape(constant.type.shape, needed)) continue;
        const { element } = constant.type;
        const bytes = typeBytes({ element, shape: needed });
        requireAffordable(rewriter, bytes, node, `repeated as far as ${node.op} needs it, the constant`);
        const expanded = rewriter.makeConstant(broadcastTo(constant, needed), 'expanded');
        return rewriter.make(
          node.op,
          node.inputs.map((input, j) => (i === j ? expanded : input)),
          node.attributes,
        );
      }
      return undefined;
    },
  }),
];

/** The shortest trailing part of a shape that an operand which broadcasts to it can be repeated to; its own shape where it is one such part. */
function suffixOf(operand: readonly number[], shape: readonly number[]): readonly number[] {
  const first = operand.findIndex((extent) => extent !== 1);
  const significant = first < 0 ? [] : operand.slice(first);
  const suffix = significant.length === 0 ? [] : shape.slice(shape.length - significant.length);
  return sameShape(significant, suffix) ? operand : suffix;
}
