/** Ops that work on each element by itself. */
import { fixed16, fractionBits, isFixed } from '../../../runtime/numerics/element.ts';
import { addFixed, divideFixed, fromFixed16, multiplyFixed, subtractFixed, toFixed16 } from '../../../runtime/numerics/fixed.ts';
import { canonical } from '../../../runtime/numerics/float.ts';
import type { AttributeSpecs, OnnxMapping, OpRecord, Trait } from '../op.ts';
import { OpError, op } from '../op.ts';
import type { Tensor } from '../tensor.ts';
import { floats, tensor } from '../tensor.ts';
import { tensorType } from '../types.ts';
import { ACTIVATION_ATTRIBUTES, activate } from './activation.ts';
import { noMacs, operand, requireArithmetic, requireFloat, requireSameElement, unchangedMagnitude } from './operands.ts';
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
  return op(binaryRecord(arithmetic, {}));
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
  ACTIVATION_ATTRIBUTES,
);

export const ELEMENTWISE = {
  add: op({
    ...SUM,
    evaluate(inputs, attributes, type) {
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
  relu: op({
    doc: '`x < 0 ? 0 : x`: NaN stays NaN, -0 stays -0.',
    inputs: [{ name: 'x' }],
    attributes: {},
    traits: ['elementwise', 'activation'],
    onnx: { op: 'Relu', since: 6 },
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      requireArithmetic(x, 'x');
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
  clip: op({
    doc: 'First `x < min ? min : x`, then `max < x ? max : x`: NaN stays NaN. In fixed point the bounds are rounded to the type first.',
    inputs: [{ name: 'x' }],
    attributes: {
      min: { kind: 'float', default: -Infinity, doc: 'lower bound' },
      max: { kind: 'float', default: Infinity, doc: 'upper bound' },
    },
    traits: ['elementwise', 'activation'],
    onnx: { op: 'Clip', since: 6 },
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      requireArithmetic(x, 'x');
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
    traits: ['view'],
    onnx: { op: 'Identity', since: 1 },
    infer: (inputs) => operand(inputs, 0, 'x'),
    evaluate: (inputs) => operand(inputs, 0, 'x'),
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  quantize: op({
    doc: 'f32 to 16-bit fixed point, as the host converts: the nearest representable number, ties to even, saturated; NaN gives 0.',
    inputs: [{ name: 'x' }],
    attributes: { fraction: { kind: 'int', doc: 'fraction bits of the result, 0 to 15' } },
    traits: ['elementwise', 'conversion'],
    infer(inputs, { fraction }) {
      const x = operand(inputs, 0, 'x');
      requireFloat(x, 'x');
      if (fraction < 0 || fraction > 15) throw new OpError(`attribute fraction must be 0 to 15, not ${fraction}`);
      return tensorType(fixed16(fraction), x.shape);
    },
    evaluate(inputs, { fraction }, type) {
      return tensor(
        type,
        Int16Array.from(floats(operand(inputs, 0, 'x')), (x) => toFixed16(x, fraction)),
      );
    },
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  dequantize: op({
    doc: '16-bit fixed point to f32; exact.',
    inputs: [{ name: 'x' }],
    attributes: {},
    traits: ['elementwise', 'conversion'],
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      if (!isFixed(x.element)) throw new OpError(`operand x must be fx16, not ${x.element}`);
      return tensorType('f32', x.shape);
    },
    evaluate(inputs, _attributes, type) {
      const { type: from, data } = operand(inputs, 0, 'x');
      const fraction = isFixed(from.element) ? fractionBits(from.element) : 0;
      return tensor(
        type,
        Float32Array.from(data as Int16Array, (x) => fromFixed16(x, fraction)),
      );
    },
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
};
