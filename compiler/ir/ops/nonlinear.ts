/** Functions of the exponential and the logarithm, in the machine's polynomials, every operation rounded to f32. */
import { canonical } from '../../../runtime/numerics/float.ts';
import { expF32, logF32 } from '../../../runtime/numerics/transcendental.ts';
import type { Magnitude, OnnxMapping, OpRecord } from '../op.ts';
import { OpError, op } from '../op.ts';
import { floats, tensor } from '../tensor.ts';
import type { TensorType } from '../types.ts';
import { elementCount, printType } from '../types.ts';
import { dimension, noMacs, operand, requireFloat, requireRank } from './operands.ts';

const round = Math.fround;

/**
 * No sum of terms bounds what an exponential does to an error, so these ops have the magnitude of their own scale: results of at most `scale`, with the
 * steps of the op itself.
 */
function ownMagnitude(type: TensorType, scale: number, steps: number): Magnitude {
  return { terms: new Float64Array(elementCount(type.shape)).fill(scale), count: steps };
}

function unary(doc: string, onnx: OnnxMapping, each: (x: number) => number): OpRecord {
  return op({
    doc,
    inputs: [{ name: 'x' }],
    attributes: {},
    traits: ['elementwise'],
    onnx,
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      requireFloat(x, 'x');
      return x;
    },
    evaluate(inputs) {
      const x = operand(inputs, 0, 'x');
      return tensor(
        x.type,
        floats(x).map((value) => canonical(each(value))),
      );
    },
    macs: noMacs,
    magnitude: (inputs, _types, _attributes, type) => ownMagnitude(type, 1, operand(inputs, 0, 'x').count + 8),
  });
}

/** The channels that are summed for channel c. */
function neighbours(c: number, size: number, channels: number): { readonly first: number; readonly last: number } {
  return { first: Math.max(0, c - Math.floor((size - 1) / 2)), last: Math.min(channels - 1, c + Math.ceil((size - 1) / 2)) };
}

export const NONLINEAR = {
  sigmoid: unary('1 / (exp(-x) + 1).', { op: 'Sigmoid', since: 6 }, (x) => round(1 / round(expF32(-x) + 1))),
  tanh: unary('1 - 2 / (exp(2·x) + 1). Its error is absolute, some 2⁻²³.', { op: 'Tanh', since: 6 }, (x) =>
    round(1 - round(2 / round(expF32(round(x * 2)) + 1))),
  ),
  softmax: op({
    doc: 'Along `axis`: exp(x - m) / Σ exp(x - m), where m is the greatest element (the first, then each later one that is greater) and the sum starts at +0 in order.',
    inputs: [{ name: 'x' }],
    attributes: { axis: { kind: 'int', default: -1, doc: 'the dimension that sums to one; negative counts from the end' } },
    traits: [],
    onnx: { op: 'Softmax', since: 13 },
    infer(inputs, { axis }) {
      const x = operand(inputs, 0, 'x');
      requireFloat(x, 'x');
      requireAxis(x, axis);
      return x;
    },
    evaluate(inputs, { axis }) {
      const x = operand(inputs, 0, 'x');
      const at = axis < 0 ? axis + x.type.shape.length : axis;
      const extent = dimension(x.type, at);
      const stride = elementCount(x.type.shape.slice(at + 1));
      const [data, result] = [floats(x), new Float32Array(elementCount(x.type.shape))];
      for (let start = 0; start < data.length; start += extent * stride)
        for (let i = 0; i < stride; i++) softmaxRow(data, result, start + i, extent, stride);
      return tensor(x.type, result);
    },
    macs: noMacs,
    magnitude: (inputs, _types, _attributes, type) => ownMagnitude(type, 1, operand(inputs, 0, 'x').count + type.shape.length + 8),
  }),
  lrn: op({
    doc:
      'Local response normalisation: x · exp(-beta · log(bias + s · (alpha / size))), where s is the sum of the squares of `size` neighbouring channels, from +0 ' +
      'in ascending order; those beyond the ends are left out.',
    inputs: [{ name: 'x' }],
    attributes: {
      size: { kind: 'int', doc: 'number of channels summed' },
      alpha: { kind: 'float', default: 1e-4, doc: 'factor of the mean square' },
      beta: { kind: 'float', default: 0.75, doc: 'the power' },
      bias: { kind: 'float', default: 1, doc: 'added to the mean square' },
      layout: { kind: 'enum', values: ['nchw', 'nhwc'], default: 'nchw', doc: 'order of the dimensions of images' },
    },
    traits: [],
    onnx: { op: 'LRN', since: 1 },
    infer(inputs, { size }) {
      const x = operand(inputs, 0, 'x');
      requireFloat(x, 'x');
      requireRank(x, 'x', 4);
      if (size < 1) throw new OpError(`attribute size must be at least 1, not ${size}`);
      return x;
    },
    evaluate(inputs, attributes) {
      const x = operand(inputs, 0, 'x');
      return tensor(x.type, normaliseChannels(floats(x), x.type, attributes));
    },
    macs: noMacs,
    magnitude(inputs, _types, { size }) {
      const { terms, count } = operand(inputs, 0, 'x');
      // The squares carry the operand's error twice; then come the sum, and some steps of the polynomials.
      return { terms, count: 3 * count + size + 16 };
    },
  }),
};

function requireAxis(x: TensorType, axis: number): void {
  const rank = x.shape.length;
  if (axis < -rank || axis >= rank) throw new OpError(`attribute axis must be ${-rank} to ${rank - 1} for ${printType(x)}, not ${axis}`);
}

/** `extent` elements from `start` on, `stride` apart. */
function softmaxRow(x: Float32Array, y: Float32Array, start: number, extent: number, stride: number): void {
  const end = start + extent * stride;
  let greatest = x[start] as number;
  for (let i = start; i < end; i += stride) if ((x[i] as number) > greatest) greatest = x[i] as number;
  let sum = 0;
  for (let i = start; i < end; i += stride) {
    y[i] = expF32(round((x[i] as number) - greatest));
    sum = round(sum + (y[i] as number));
  }
  for (let i = start; i < end; i += stride) y[i] = canonical(round((y[i] as number) / sum));
}

function normaliseChannels(
  x: Float32Array,
  { shape }: TensorType,
  { size, alpha, beta, bias, layout }: { size: number; alpha: number; beta: number; bias: number; layout: 'nchw' | 'nhwc' },
): Float32Array {
  const [channels, stride] = layout === 'nchw' ? [shape[1] ?? 1, (shape[2] ?? 1) * (shape[3] ?? 1)] : [shape[3] ?? 1, 1];
  const squares = x.map((value) => value * value);
  const result = new Float32Array(x.length);
  const [mean, offset, power] = [round(round(alpha) / size), round(bias), -round(beta)];
  for (let i = 0; i < x.length; i++) {
    const c = Math.floor(i / stride) % channels;
    const { first, last } = neighbours(c, size, channels);
    let sum = 0;
    for (let k = first; k <= last; k++) sum = round(sum + (squares[i + (k - c) * stride] as number));
    const denominator = logF32(round(round(sum * mean) + offset));
    result[i] = canonical(round((x[i] as number) * expF32(round(power * denominator))));
  }
  return result;
}
