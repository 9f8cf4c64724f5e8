import type { OpNode } from '../compiler/ir/graph.ts';
import { normalisation } from '../compiler/ir/ops/spatial.ts';
import { permute } from '../compiler/ir/ops/strided.ts';
import type { Tensor } from '../compiler/ir/tensor.ts';
import { floats } from '../compiler/ir/tensor.ts';
import { tensorType } from '../compiler/ir/types.ts';
import { pass } from './pass.ts';
import type { Rewriter } from './rewrite.ts';
import { rewrite, rule } from './rewrite.ts';
import { elementwise, isOfF32 } from './rules/products.ts';

/** A batch-norm with constant statistics: per channel `x·s + t`. */
interface Affine {
  readonly s: Tensor;
  readonly t: Tensor;
}

/** s and t of a batch-norm, rounded as its evaluation rounds them; undefined when a statistic is no constant. */
function affineOf(node: OpNode, rewriter: Rewriter): Affine | undefined {
  const statistics = node.inputs.slice(1).map((input) => rewriter.constant(input));
  if (statistics.some((statistic) => !statistic)) return undefined;
  const { s, t } = normalisation([undefined, ...statistics], Number(node.attributes.epsilon));
  const type = tensorType('f32', [s.length]);
  return { s: { type, data: s }, t: { type, data: t } };
}

/** The product that a batch-norm reads alone and whose weights, and bias if any, are constants. */
function foldableProduct(
  node: OpNode,
  rewriter: Rewriter,
  op: 'conv' | 'gemm',
): { product: OpNode; weights: Tensor; bias: Tensor | undefined } | undefined {
  const [x = ''] = node.inputs;
  const product = rewriter.producer(x);
  if (product?.op !== op || product.attributes.activation !== 'none' || !rewriter.isOnlyUser(x, node)) return undefined;
  if (!isOfF32(product, rewriter)) return undefined;
  const [, w = '', c] = product.inputs;
  const weights = rewriter.constant(w);
  const bias = c === undefined ? undefined : rewriter.constant(c);
  return weights && (c === undefined || bias) ? { product, weights, bias } : undefined;
}

function isFinite(value: Tensor): boolean {
  return floats(value).every(Number.isFinite);
}

/** bias·s + t, or t where there is no bias. */
function foldedBias(bias: Tensor | undefined, { s, t }: Affine): Tensor {
  return bias ? elementwise('add', elementwise('mul', bias, s), t) : t;
}

/** The value with dimensions of size 1 behind its own, so that it broadcasts along dimension 1 of a tensor of this rank. */
function alongChannels({ type, data }: Tensor, rank: number): Tensor {
  return { type: tensorType(type.element, [...type.shape, ...new Array<number>(rank - 2).fill(1)]), data };
}

export const BATCH_NORM_TO_ARITHMETIC = rule('batch-norm-to-arithmetic', {
  doc: 'batch-norm(x) with constant statistics → add(mul(x, s), t); this keeps every bit',
  ops: ['batch-norm'],
  apply(node, rewriter) {
    const affine = affineOf(node, rewriter);
    if (!affine) return undefined;
    const rank = node.type.shape.length;
    const s = rewriter.makeConstant(alongChannels(affine.s, rank), 'scale');
    const t = rewriter.makeConstant(alongChannels(affine.t, rank), 'shift');
    const scaled = rewriter.make('mul', [node.inputs[0] ?? '', s], {}, { suffix: 'scaled' });
    return rewriter.make('add', [scaled, t]);
  },
});

const RULES = [
  rule('fold-into-conv', {
    doc: 'batch-norm(conv(x, w, b)) → conv(x, w·s, b·s + t), s and t per output channel',
    ops: ['batch-norm'],
    apply(node, rewriter) {
      const affine = affineOf(node, rewriter);
      const found = affine && foldableProduct(node, rewriter, 'conv');
      if (!found || found.product.attributes.layout !== 'nchw') return undefined;
      const { product, weights, bias } = found;
      const scaled = elementwise('mul', weights, { type: tensorType('f32', [affine.s.data.length, 1, 1, 1]), data: affine.s.data });
      // A variance of 0 without epsilon makes infinities, which are no weights.
      if (!isFinite(scaled)) return undefined;
      const w = rewriter.makeConstant(scaled, 'weights');
      return rewriter.make(
        'conv',
        [product.inputs[0] ?? '', w, rewriter.makeConstant(foldedBias(bias, affine), 'bias')],
        product.attributes,
      );
    },
  }),
  rule('fold-into-gemm', {
    doc: 'batch-norm(gemm(a, b, c)) → gemm(a, b·s, c·s + t), s and t per column',
    ops: ['batch-norm'],
    apply(node, rewriter) {
      const affine = affineOf(node, rewriter);
      const found = affine && foldableProduct(node, rewriter, 'gemm');
      if (!found || found.product.attributes.alpha !== 1 || found.product.attributes.beta !== 1) return undefined;
      const { product, weights, bias } = found;
      const plain = product.attributes.trans_b === true ? permute(weights, [1, 0]) : weights;
      const scaled = elementwise('mul', plain, affine.s);
      if (!isFinite(scaled)) return undefined;
      const w = rewriter.makeConstant(scaled, 'weights');
      const c = rewriter.makeConstant(foldedBias(bias, affine), 'bias');
      return rewriter.make('gemm', [product.inputs[0] ?? '', w, c], { ...product.attributes, trans_b: false });
    },
  }),
  BATCH_NORM_TO_ARITHMETIC,
];

/*
 * The bound, in units of u = 2⁻²⁴ and to first order, for a product of K terms, S being the sum of the absolute values of all terms.
 * Before: a term is rounded when it is multiplied, at most K - 1 times when it is added to others, when the bias is added, and by ·s and + t:
 * K + 3 roundings. After: its weight is rounded by w·s, then the same without ·s and + t: K + 2; the new bias is rounded twice and added once.
 * Both differ from the exact value of the terms given by at most (2K + 5)·u·S together. The magnitude counts k ≥ K + 3, so 2k suffices to
 * first order; the third k covers the terms in u² up to K of 2²².
 */
const BOUND = 3;

export const foldBatchNorm = pass({
  name: 'fold-batch-norm',
  doc: 'Folds batch normalisation with constant statistics into the weights of the convolution or product before it, else writes it as mul and add.',
  meaning: 'reassociates',
  bound: BOUND,
  requires: [],
  establishes: [],
  params: {},
  rules: RULES,
  idempotent: true,
  run: (graph, _params, context) => rewrite(graph, RULES, context),
});
