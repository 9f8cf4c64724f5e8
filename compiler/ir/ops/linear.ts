/** Matrix products. */
import type { Magnitude } from '../op.ts';
import { OpError, op } from '../op.ts';
import { floats, zeros } from '../tensor.ts';
import type { TensorType } from '../types.ts';
import { elementCount, printType, tensorType } from '../types.ts';
import { ACTIVATION_ATTRIBUTES, NO_ACTIVATION, RESULT_ATTRIBUTES, activate } from './activation.ts';
import { centred, endOfSums, endSums, isInteger, productElement, unitsOfSums } from './integers.ts';
import { floatOp } from './narrow.ts';
import { dimension, isFloat, operand, requireFloat, requireRank } from './operands.ts';
import type { ProductSize } from './products.ts';
import { FLOAT_LOOPS, WIDE_LOOPS, multiply, multiplyTransposed, transposed } from './products.ts';
import { broadcastShapes, broadcastTerms, broadcastTo } from './strided.ts';

const round = Math.fround;

interface Orientation {
  readonly trans_a: boolean;
  readonly trans_b: boolean;
}

/** M, K and N of a gemm; throws when a's and b's K differ. */
function gemmSize(inputs: readonly (TensorType | undefined)[], { trans_a, trans_b }: Orientation): ProductSize {
  const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
  requireRank(a, 'a', 2);
  requireRank(b, 'b', 2);
  const [m, k] = trans_a ? [dimension(a, 1), dimension(a, 0)] : [dimension(a, 0), dimension(a, 1)];
  const [kOfB, n] = trans_b ? [dimension(b, 1), dimension(b, 0)] : [dimension(b, 0), dimension(b, 1)];
  if (k !== kOfB) throw new OpError(`rows of a have ${k} elements, columns of b ${kOfB}`);
  return { m, k, n };
}

/** The shape that gemm's c broadcasts to must be the result's: c is never larger. */
function requireAddend(c: TensorType, shape: readonly number[]): void {
  const common = broadcastShapes(c.shape, shape);
  if (common.length !== shape.length || common.some((d, i) => d !== shape[i]))
    throw new OpError(`operand c of shape [${c.shape.join(',')}] does not broadcast to [${shape.join(',')}]`);
}

/** `y = alpha·y + beta·c`, each step rounded, multiplications by 1 left out. */
function scaleAndAdd(y: Float32Array, alpha: number, beta: number, c: Float32Array | undefined): void {
  if (alpha !== 1) for (let i = 0; i < y.length; i++) y[i] = alpha * (y[i] as number);
  if (!c) return;
  if (beta === 1) for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) + (c[i] as number);
  else for (let i = 0; i < y.length; i++) y[i] = (y[i] as number) + round(beta * (c[i] as number));
}

/** Numpy's matrix product: vectors become matrices, leading dimensions broadcast. */
interface BatchedProduct extends ProductSize {
  readonly batch: readonly number[];
  readonly batchA: readonly number[];
  readonly batchB: readonly number[];
  readonly shape: readonly number[];
}

function batchedProduct(a: TensorType, b: TensorType): BatchedProduct {
  if (a.shape.length === 0 || b.shape.length === 0)
    throw new OpError(`a product takes no scalars, got ${printType(a)} and ${printType(b)}`);
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [m = 1, k = 1] = left.slice(-2);
  const [kOfB = 1, n = 1] = right.slice(-2);
  if (k !== kOfB) throw new OpError(`rows of a have ${k} elements, columns of b ${kOfB}`);
  const [batchA, batchB] = [left.slice(0, -2), right.slice(0, -2)];
  const batch = broadcastShapes(batchA, batchB);
  return { m, k, n, batch, batchA, batchB, shape: [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])] };
}

/** Runs `multiplyOne` with the offsets of the matrices of a, b and y, batch by batch. */
function forEachBatch(product: BatchedProduct, multiplyOne: (aAt: number, bAt: number, yAt: number) => void): void {
  const { m, k, n, batch } = product;
  const count = elementCount(batch);
  const ordinals = (own: readonly number[]): Float64Array =>
    broadcastTerms(
      Float64Array.from({ length: elementCount(own) }, (_, i) => i),
      own,
      batch,
    );
  const [ofA, ofB] = [ordinals(product.batchA), ordinals(product.batchB)];
  for (let i = 0; i < count; i++) multiplyOne((ofA[i] ?? 0) * m * k, (ofB[i] ?? 0) * k * n, i * m * n);
}

export const LINEAR = {
  gemm: floatOp({
    doc:
      'alpha·(a·b) + beta·c on matrices, a and b transposed first where asked. Sums start at +0 and add k in ascending order; multiplications by ' +
      'exactly 1 are not performed; then the activation. Narrow floats are summed in f32 and rounded once. Fixed-point and quantized ' +
      'operands are summed exactly, with c of i64 or i32 added, and requantized once; they have alpha = beta = 1 and are not transposed.',
    inputs: [{ name: 'a' }, { name: 'b' }, { name: 'c', optional: true }],
    attributes: {
      alpha: { kind: 'float', default: 1, doc: 'factor of the product' },
      beta: { kind: 'float', default: 1, doc: 'factor of c' },
      trans_a: { kind: 'bool', default: false, doc: 'a is stored K×M' },
      trans_b: { kind: 'bool', default: false, doc: 'b is stored N×K' },
      ...ACTIVATION_ATTRIBUTES,
      ...RESULT_ATTRIBUTES,
    },
    traits: ['reducing'],
    onnx: { op: 'Gemm', since: 7, attributes: { trans_a: 'transA', trans_b: 'transB' } },
    infer(inputs, attributes) {
      const [a, b, c] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b'), inputs[2]];
      const { m, k, n } = gemmSize(inputs, attributes);
      if (c) requireAddend(c, [m, n]);
      const { alpha, beta, trans_a, trans_b } = attributes;
      if (!isFloat(a.element)) {
        if (alpha !== 1 || beta !== 1) throw new OpError(`a product of ${a.element} needs alpha = beta = 1`);
        if (trans_a || trans_b) throw new OpError(`a product of ${a.element} takes no transposed operands`);
        if (c && (c.shape.length !== 1 || c.shape[0] !== n))
          throw new OpError(`operand c of a product of ${a.element} has the shape [${n}]`);
      }
      const form = { channels: n, axis: 1, depth: k };
      return tensorType(productElement(a, b, c, attributes.result, attributes, form), [m, n]);
    },
    evaluate(inputs, attributes, type) {
      const [a, b, c] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b'), inputs[2]];
      const size = gemmSize([a.type, b.type], attributes);
      const { m, k, n } = size;
      if (isInteger(a.type.element) && isInteger(b.type.element)) {
        const sums = new Float64Array(m * n);
        multiply(WIDE_LOOPS, size, centred(a), 0, centred(b), 0, sums, 0);
        return endSums(endOfSums(a.type.element, b.type.element, type.element, n, attributes), sums, n, c?.data, type);
      }
      const result = zeros(type);
      const y = floats(result);
      const left = attributes.trans_a ? transposed(floats(a), k, m) : floats(a);
      if (attributes.trans_b) multiplyTransposed(size, left, floats(b), y);
      else multiply(FLOAT_LOOPS, size, left, 0, floats(b), 0, y, 0);
      scaleAndAdd(y, attributes.alpha, attributes.beta, c && floats(broadcastTo(c, type.shape)));
      activate(result, attributes);
      return result;
    },
    macs(inputs, attributes) {
      const { m, k, n } = gemmSize(inputs, attributes);
      return m * k * n;
    },
    magnitude(inputs, types, attributes, type) {
      const [a, b, c] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b'), inputs[2]];
      const size = gemmSize(types, attributes);
      const { m, k, n } = size;
      const left = attributes.trans_a ? transposed(a.terms, k, m) : a.terms;
      const right = attributes.trans_b ? transposed(b.terms, n, k) : b.terms;
      const terms = new Float64Array(m * n);
      multiply(WIDE_LOOPS, size, left, 0, right, 0, terms, 0);
      const addend = c && broadcastTerms(c.terms, operand(types, 2, 'c').shape, type.shape);
      const units = unitsOfSums(operand(types, 0, 'a').element, operand(types, 1, 'b').element, n);
      const [alpha, beta] = [Math.abs(attributes.alpha), Math.abs(attributes.beta)];
      const factors = alpha === 1 && beta === 1 ? 0 : 1;
      const termsOf = (sum: number, i: number): number => alpha * sum + beta * (addend?.[i] ?? 0) * (units[i % n] as number);
      return { terms: terms.map(termsOf), count: countOfSum(a, b, k, c) + factors };
    },
  }),
  matmul: op({
    doc: "Numpy's matrix product, leading dimensions broadcasting. Sums start at +0 and add k in ascending order.",
    inputs: [{ name: 'a' }, { name: 'b' }],
    attributes: {},
    traits: ['reducing'],
    onnx: { op: 'MatMul', since: 1 },
    infer(inputs) {
      const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
      requireFloat(a, 'a');
      requireFloat(b, 'b');
      return tensorType(a.element, batchedProduct(a, b).shape);
    },
    evaluate(inputs, _attributes, type) {
      const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
      const product = batchedProduct(a.type, b.type);
      const result = zeros(type);
      forEachBatch(product, (aAt, bAt, yAt) => multiply(FLOAT_LOOPS, product, floats(a), aAt, floats(b), bAt, floats(result), yAt));
      activate(result, NO_ACTIVATION);
      return result;
    },
    macs(inputs) {
      const { m, k, n, batch } = batchedProduct(operand(inputs, 0, 'a'), operand(inputs, 1, 'b'));
      return elementCount(batch) * m * k * n;
    },
    magnitude(inputs, types, _attributes, type) {
      const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
      const product = batchedProduct(operand(types, 0, 'a'), operand(types, 1, 'b'));
      const terms = new Float64Array(elementCount(type.shape));
      forEachBatch(product, (aAt, bAt, yAt) => multiply(WIDE_LOOPS, product, a.terms, aAt, b.terms, bAt, terms, yAt));
      return { terms, count: countOfSum(a, b, product.k) };
    },
  }),
};

/** Terms that a sum of `k` products, and an addend behind it, adds. */
export function countOfSum(a: Magnitude, b: Magnitude, k: number, addend?: Magnitude): number {
  const product = a.count + b.count + k;
  return addend ? Math.max(product, addend.count) + 1 : product;
}
