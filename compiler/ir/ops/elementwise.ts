/** Ops that work on each element by itself. */
import type { QuantizedName } from '../../../runtime/numerics/element.ts';
import { fractionBits, isFixed, isQuantized } from '../../../runtime/numerics/element.ts';
import { addFixed, divideFixed, multiplyFixed, subtractFixed } from '../../../runtime/numerics/fixed.ts';
import { canonical } from '../../../runtime/numerics/float.ts';
import { isNarrow } from '../../../runtime/numerics/narrow.ts';
import { I8_MAX, I8_MIN, scaledSum } from '../../../runtime/numerics/requantize.ts';
import { encoderOf } from '../../../runtime/numerics/store.ts';
import type { AttributeSpecs, OnnxMapping, OpRecord, Trait } from '../op.ts';
import { OpError, op } from '../op.ts';
import type { Tensor } from '../tensor.ts';
import { floats, tensor, zeros } from '../tensor.ts';
import type { TensorType } from '../types.ts';
import { sameShape, tensorType } from '../types.ts';
import type { Activation } from './activation.ts';
import { ACTIVATION_ATTRIBUTES, RESULT_ATTRIBUTES, activate } from './activation.ts';
import { boundsOf, isInteger, realNumbers, rescaling, sumScalingOf, tensorScale } from './integers.ts';
import { floatOp, narrow, widen } from './narrow.ts';
import {
  DEVICE,
  isFloat,
  noMacs,
  operand,
  requireArithmetic,
  requireFloat,
  requireOrdered,
  requireSameElement,
  unchangedMagnitude,
} from './operands.ts';
import { broadcastShapes, broadcastTerms, broadcastTo } from './strided.ts';

interface Arithmetic {
  readonly doc: string;
  readonly traits?: readonly Trait[];
  readonly onnx: OnnxMapping;
  /** In doubles; rounding the result to binary32 once gives the correctly rounded binary32 operation. */
  readonly f32: (a: number, b: number) => number;
  /** On raw 16-bit integers. */
  readonly fixed: (a: number, b: number, fraction: number) => number;
  /** Magnitude of a result element from those of the operands'. */
  readonly magnitude: (a: number, b: number) => number;
  /** How many terms the result is made of, from the operands' counts. */
  readonly count: (a: number, b: number) => number;
}

/** An op of two operands that broadcast as in numpy. */
function binary(arithmetic: Arithmetic): OpRecord {
  return floatOp(binaryRecord(arithmetic, {}));
}

function binaryRecord<A extends AttributeSpecs>(
  { doc, traits = [], onnx, f32, fixed, magnitude, count }: Arithmetic,
  attributes: A,
): OpRecord<A> {
  return {
    doc,
    inputs: [{ name: 'a' }, { name: 'b' }],
    attributes,
    traits: ['elementwise', ...traits],
    onnx,
    infer(inputs) {
      const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
      requireArithmetic(a, 'a');
      requireSameElement(a, b, 'a and b');
      return tensorType(a.element, broadcastShapes(a.shape, b.shape));
    },
    evaluate(inputs, _attributes, type) {
      const a = broadcastTo(operand(inputs, 0, 'a'), type.shape);
      const b = broadcastTo(operand(inputs, 1, 'b'), type.shape);
      return isFixed(type.element) ? zipFixed(a, b, fractionBits(type.element), fixed) : zipFloats(a, b, f32);
    },
    macs: noMacs,
    magnitude(inputs, types, _attributes, type) {
      const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
      const x = broadcastTerms(a.terms, operand(types, 0, 'a').shape, type.shape);
      const y = broadcastTerms(b.terms, operand(types, 1, 'b').shape, type.shape);
      return { terms: x.map((value, i) => magnitude(value, y[i] as number)), count: count(a.count, b.count) };
    },
  };
}

function zipFloats(a: Tensor, b: Tensor, f32: Arithmetic['f32']): Tensor {
  const [x, y] = [floats(a), floats(b)];
  const result = new Float32Array(x.length);
  for (let i = 0; i < result.length; i++) result[i] = canonical(f32(x[i] as number, y[i] as number));
  return tensor(a.type, result);
}

function zipFixed({ type, data: x }: Tensor, { data: y }: Tensor, fraction: number, fixed: Arithmetic['fixed']): Tensor {
  const result = new Int16Array(x.length);
  for (let i = 0; i < result.length; i++) result[i] = fixed(x[i] as number, y[i] as number, fraction);
  return tensor(type, result);
}

const sumCount = (a: number, b: number): number => Math.max(a, b) + 1;
const productCount = (a: number, b: number): number => a + b + 1;

const SUM = binaryRecord(
  {
    doc: 'Sum of two operands that broadcast, then the activation. Fixed point saturates.',
    traits: ['commutative'],
    onnx: { op: 'Add', since: 7 },
    f32: (a, b) => a + b,
    fixed: addFixed,
    magnitude: (a, b) => a + b,
    count: sumCount,
  },
  { ...ACTIVATION_ATTRIBUTES, ...RESULT_ATTRIBUTES },
);

/** Quantized operands: each scaled to the result's, the sum rounded once. */
function addQuantized(a: Tensor, b: Tensor, activation: Activation, type: TensorType): Tensor {
  const [ofA, ofB, result] = [a.type.element, b.type.element, type.element];
  if (!isQuantized(ofA) || !isQuantized(ofB) || !isQuantized(result)) throw new TypeError(`no sum of ${ofA} and ${ofB}`);
  const scaling = sumScalingOf(ofA, ofB, result);
  const { low, high } = boundsOf(result, activation);
  const [x, y] = [a.data as Int8Array, b.data as Int8Array];
  return tensor(
    type,
    Int8Array.from(x, (q, i) => scaledSum(q, y[i] as number, scaling, low, high)),
  );
}

export const ELEMENTWISE = {
  add: floatOp({
    ...SUM,
    doc: 'Sum of two operands that broadcast, then the activation. Fixed point saturates. Quantized operands have one shape; both are scaled to the result and their sum is rounded once.',
    infer(inputs, attributes) {
      const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
      const result = attributes.result === 'same' ? a.element : attributes.result;
      if (!isQuantized(a.element)) {
        if (result !== a.element) throw new OpError(`a sum of ${a.element} gives ${a.element}, not ${result}`);
        return SUM.infer(inputs, attributes);
      }
      if (!isQuantized(b.element) || !isQuantized(result)) throw new OpError(`${a.element} and ${b.element} do not add to ${result}`);
      if (!sameShape(a.shape, b.shape)) throw new OpError('quantized operands of a sum have one shape');
      sumScalingOf(a.element, b.element, result);
      return tensorType(result, a.shape);
    },
    evaluate(inputs, attributes, type) {
      const [a, b] = [operand(inputs, 0, 'a'), operand(inputs, 1, 'b')];
      if (isQuantized(type.element)) return addQuantized(a, b, attributes, type);
      const sum = SUM.evaluate(inputs, attributes, type);
      activate(sum, attributes);
      return sum;
    },
  }),
  sub: binary({
    doc: 'Difference of two operands that broadcast. Fixed point saturates.',
    onnx: { op: 'Sub', since: 7 },
    f32: (a, b) => a - b,
    fixed: subtractFixed,
    magnitude: (a, b) => a + b,
    count: sumCount,
  }),
  mul: binary({
    doc: 'Product of two operands that broadcast. Fixed point rounds to nearest, ties to even, and saturates.',
    traits: ['commutative'],
    onnx: { op: 'Mul', since: 7 },
    f32: (a, b) => a * b,
    fixed: multiplyFixed,
    magnitude: (a, b) => a * b,
    count: productCount,
  }),
  div: binary({
    doc: 'Quotient of two operands that broadcast. Fixed point rounds to nearest, ties to even, and saturates; x/0 saturates to the sign of x, 0/0 is 0.',
    onnx: { op: 'Div', since: 7 },
    f32: (a, b) => a / b,
    fixed: divideFixed,
    magnitude: (a, b) => a / b,
    count: productCount,
  }),
  relu: floatOp({
    doc: '`x < 0 ? 0 : x`: NaN stays NaN, -0 stays -0. Of integers, the real number that they stand for.',
    inputs: [{ name: 'x' }],
    attributes: {},
    traits: ['elementwise', 'activation', 'selecting'],
    onnx: { op: 'Relu', since: 6 },
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      requireOrdered(x, 'x');
      return x;
    },
    evaluate(inputs) {
      const x = operand(inputs, 0, 'x');
      const result = { type: x.type, data: x.data.slice() };
      activate(result, { activation: 'relu', activation_min: -Infinity, activation_max: Infinity });
      return result;
    },
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  clip: floatOp({
    doc: 'First `x < min ? min : x`, then `max < x ? max : x`: NaN stays NaN. The bounds are rounded to the type of integers first.',
    inputs: [{ name: 'x' }],
    attributes: {
      min: { kind: 'float', default: -Infinity, doc: 'lower bound' },
      max: { kind: 'float', default: Infinity, doc: 'upper bound' },
    },
    traits: ['elementwise', 'activation', 'selecting'],
    onnx: { op: 'Clip', since: 6 },
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      requireOrdered(x, 'x');
      return x;
    },
    evaluate(inputs, { min, max }) {
      const x = operand(inputs, 0, 'x');
      const result = { type: x.type, data: x.data.slice() };
      activate(result, { activation: 'clip', activation_min: min, activation_max: max });
      return result;
    },
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  identity: op({
    doc: 'The operand itself, bit for bit.',
    inputs: [{ name: 'x' }],
    attributes: {},
    traits: ['view', 'moving'],
    onnx: { op: 'Identity', since: 1 },
    infer: (inputs) => operand(inputs, 0, 'x'),
    evaluate: (inputs) => operand(inputs, 0, 'x'),
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  cast: op({
    doc: 'A float as another: wider ones hold it exactly, narrower ones are rounded to nearest, ties to even; beyond the greatest number binary16 and bfloat16 give infinity and the 8-bit floats that number.',
    inputs: [{ name: 'x' }],
    attributes: { to: { kind: 'element', doc: 'element type of the result, a float' }, ...DEVICE },
    traits: ['elementwise', 'conversion'],
    infer(inputs, { to }) {
      const x = operand(inputs, 0, 'x');
      if (to === 'same' || !isFloat(to) || !isFloat(x.element))
        throw new OpError(`cast is from float to float, not from ${x.element} to ${to}`);
      return tensorType(to, x.shape);
    },
    evaluate(inputs, _attributes, { element }) {
      const wide = widen(operand(inputs, 0, 'x'));
      return isNarrow(element) ? narrow(element, wide) : wide;
    },
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  quantize: op({
    doc: 'f32 to integers: 16-bit fixed point, the nearest number, ties to even; or quantized, x times the inverse of the scale in f32, rounded to nearest, ties to even, plus the zero point. Both saturate; NaN gives zero.',
    inputs: [{ name: 'x' }],
    attributes: { to: { kind: 'element', doc: 'element type of the result: fx16 or quantized with one scale' }, ...DEVICE },
    traits: ['elementwise', 'conversion'],
    infer(inputs, { to }) {
      const x = operand(inputs, 0, 'x');
      requireFloat(x, 'x');
      if (to === 'same' || !isInteger(to)) throw new OpError(`quantize gives fx16 or a quantized type, not ${to}`);
      if (isQuantized(to)) tensorScale(to, 'result');
      return tensorType(to, x.shape);
    },
    evaluate(inputs, _attributes, type) {
      const encode = encoderOf(type.element);
      const result = zeros(type);
      floats(operand(inputs, 0, 'x')).forEach((x, i) => (result.data[i] = encode(x)));
      return result;
    },
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  dequantize: op({
    doc: 'Integers to f32: fixed point exactly; quantized ones less the zero point, times the scale, rounded.',
    inputs: [{ name: 'x' }],
    attributes: DEVICE,
    traits: ['elementwise', 'conversion'],
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      if (!isInteger(x.element)) throw new OpError(`operand x must be fx16 or quantized, not ${x.element}`);
      if (isQuantized(x.element)) tensorScale(x.element, 'x');
      return tensorType('f32', x.shape);
    },
    evaluate: (inputs, _attributes, type) => tensor(type, realNumbers(operand(inputs, 0, 'x'))),
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  requantize: op({
    doc: 'Quantized integers as those of another scale, rounded once, saturating.',
    inputs: [{ name: 'x' }],
    attributes: { to: { kind: 'element', doc: 'element type of the result, quantized with one scale' } },
    traits: ['elementwise', 'conversion'],
    infer(inputs, { to }) {
      const x = operand(inputs, 0, 'x');
      if (to === 'same' || !isQuantized(to) || !isQuantized(x.element)) throw new OpError(`${x.element} cannot be requantized to ${to}`);
      rescaling(x.element, to);
      return tensorType(to, x.shape);
    },
    evaluate(inputs, _attributes, type) {
      const x = operand(inputs, 0, 'x');
      const scaling = rescaling(x.type.element as QuantizedName, type.element as QuantizedName);
      return tensor(
        type,
        Int8Array.from(x.data as Int8Array, (q) => scaledSum(q, 0, scaling, I8_MIN, I8_MAX)),
      );
    },
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
};
