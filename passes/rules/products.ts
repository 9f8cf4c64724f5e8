/** Rules that bring products into the form with plain weights, and additions of constants into their bias; all keep every bit. */
import { completeAttributes } from '../../compiler/ir/attributes.ts';
import type { OpNode } from '../../compiler/ir/graph.ts';
import { opRecord } from '../../compiler/ir/ops.ts';
import { broadcastTo, permute } from '../../compiler/ir/ops/strided.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { sameShape, tensorType } from '../../compiler/ir/types.ts';
import type { Rewriter } from '../rewrite.ts';
import { rule } from '../rewrite.ts';
import { activationOf } from './activations.ts';

export const MATMUL_TO_GEMM = rule('matmul-to-gemm', {
  doc: 'matmul(a, b) of two matrices → gemm(a, b)',
  ops: ['matmul'],
  apply(node, rewriter) {
    const matrices = node.inputs.every((input) => rewriter.type(input).shape.length === 2);
    return matrices ? rewriter.make('gemm', node.inputs) : undefined;
  },
});

export const GEMM_BETA_CONSTANT = rule('gemm-beta-constant', {
  doc: 'gemm with beta and a constant c → gemm with beta·c, which is what it adds after rounding anyway; beta without c is dropped',
  ops: ['gemm'],
  apply(node, rewriter) {
    const [a = '', b = '', c = ''] = node.inputs;
    const { beta } = node.attributes;
    if (beta === 1) return undefined;
    if (c === '') return rewriter.make('gemm', [a, b], { ...node.attributes, beta: 1 });
    const constant = rewriter.constant(c);
    if (!constant) return undefined;
    const bias = rewriter.makeConstant(elementwise('mul', constant, scalar(Number(beta))), 'bias');
    return rewriter.make('gemm', [a, b, bias], { ...node.attributes, beta: 1 });
  },
});

export const PRODUCT_RULES = [
  MATMUL_TO_GEMM,
  rule('gemm-transposed-constant', {
    doc: 'gemm with a constant operand that is read transposed → gemm with the transposed constant',
    ops: ['gemm'],
    apply(node, rewriter) {
      const [a = '', b = '', ...c] = node.inputs;
      const left = node.attributes.trans_a === true ? ownConstant(a, node, rewriter) : undefined;
      const right = node.attributes.trans_b === true ? ownConstant(b, node, rewriter) : undefined;
      if (left)
        return rewriter.make('gemm', [rewriter.makeConstant(permute(left, [1, 0]), 'a'), b, ...c], { ...node.attributes, trans_a: false });
      if (right)
        return rewriter.make('gemm', [a, rewriter.makeConstant(permute(right, [1, 0]), 'weights'), ...c], {
          ...node.attributes,
          trans_b: false,
        });
      return undefined;
    },
  }),
  GEMM_BETA_CONSTANT,
  rule('add-to-gemm-bias', {
    doc: 'add(gemm(a, b), constant) → gemm(a, b, constant)',
    ops: ['add'],
    apply(node, rewriter) {
      const found = productWithoutBias(node, rewriter, 'gemm');
      if (!found || rewriter.type(found.addend).element !== 'f32' || !sameShape(found.product.type.shape, node.type.shape))
        return undefined;
      return rewriter.make('gemm', [...found.product.inputs, found.addend], {
        ...found.product.attributes,
        beta: 1,
        ...activationOf(node),
      });
    },
  }),
  rule('add-to-conv-bias', {
    doc: 'add(conv(x, w), constant) with one element per channel → conv(x, w, constant)',
    ops: ['add'],
    apply(node, rewriter) {
      const found = productWithoutBias(node, rewriter, 'conv');
      const constant = found && rewriter.constant(found.addend);
      if (!constant || !sameShape(found.product.type.shape, node.type.shape)) return undefined;
      const bias = perChannel(constant, node.type.shape, found.product.attributes.layout === 'nhwc' ? 3 : 1);
      const attributes = { ...found.product.attributes, ...activationOf(node) };
      return bias && rewriter.make('conv', [...found.product.inputs, rewriter.makeConstant(bias, 'bias')], attributes);
    },
  }),
];

/** A constant that only this node reads, so that a changed copy does not come on top of it. */
function ownConstant(name: string, node: OpNode, rewriter: Rewriter): Tensor | undefined {
  return rewriter.isOnlyUser(name, node) ? rewriter.constant(name) : undefined;
}

/** Whether a product is one of f32, whose operands and result are of one type and may take factors and addends of it. */
export function isOfF32(product: OpNode, rewriter: Rewriter): boolean {
  return rewriter.type(product.inputs[0] ?? '').element === 'f32';
}

/** The product of f32 without bias or activation that an add reads alone, and the constant that it adds. */
function productWithoutBias(add: OpNode, rewriter: Rewriter, op: 'conv' | 'gemm'): { product: OpNode; addend: string } | undefined {
  const [x = '', addend = ''] = add.inputs;
  const product = rewriter.producer(x);
  if (product?.op !== op || product.inputs.length > 2 || product.attributes.activation !== 'none' || !isOfF32(product, rewriter))
    return undefined;
  return rewriter.constant(addend) && rewriter.isOnlyUser(x, add) ? { product, addend } : undefined;
}

/** The elements of a constant that varies along one dimension of `shape` at most, one for each channel there. */
export function perChannel(constant: Tensor, shape: readonly number[], axis: number): Tensor | undefined {
  const channels = shape[axis] ?? 1;
  const own = constant.type.shape;
  const ownAxis = axis - (shape.length - own.length);
  if (own.length > shape.length || own.some((extent, i) => extent !== 1 && i !== ownAxis)) return undefined;
  const flat = { type: tensorType(constant.type.element, [own[ownAxis] ?? 1]), data: constant.data };
  return broadcastTo(flat, [channels]);
}

export function scalar(value: number): Tensor {
  return { type: tensorType('f32', []), data: Float32Array.of(value) };
}

/** An elementwise op of the table on constants. */
export function elementwise(op: 'add' | 'mul', a: Tensor, b: Tensor): Tensor {
  const record = opRecord(op);
  const attributes = completeAttributes(op, {});
  return record.evaluate([a, b], attributes, record.infer([a.type, b.type], attributes));
}
