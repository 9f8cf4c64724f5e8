/** Convolution, pooling and normalisation of images. */
import { FIXED_MIN } from '../../../runtime/numerics/fixed.ts';
import { canonical } from '../../../runtime/numerics/float.ts';
import { I8_MIN } from '../../../runtime/numerics/requantize.ts';
import type { AttributeSpecs, Magnitude } from '../op.ts';
import { OpError, op } from '../op.ts';
import type { Tensor } from '../tensor.ts';
import { floats, tensor, zeros } from '../tensor.ts';
import type { TensorType } from '../types.ts';
import { elementCount, printType, tensorType } from '../types.ts';
import { ACTIVATION_ATTRIBUTES, NO_ACTIVATION, RESULT_ATTRIBUTES, activate } from './activation.ts';
import { centred, endOfSums, endSums, isInteger, productElement, unitsOfSums } from './integers.ts';
import { countOfSum } from './linear.ts';
import { floatOp } from './narrow.ts';
import {
  dimension,
  isFloat,
  noMacs,
  operand,
  requireChannels,
  requireFloat,
  requireInts,
  requireOrdered,
  requireRank,
} from './operands.ts';
import type { ProductLoops } from './products.ts';
import { FLOAT_LOOPS, WIDE_LOOPS } from './products.ts';
import { permute, permuteTerms } from './strided.ts';
import type { WindowAttributes, Windows } from './windows.ts';
import { forEachRun, windowedShape, windowsOf } from './windows.ts';

const round = Math.fround;

const NCHW_TO_NHWC = [0, 2, 3, 1];
const NHWC_TO_NCHW = [0, 3, 1, 2];
const OIHW_TO_HWIO = [2, 3, 1, 0];

export const WINDOW_ATTRIBUTES = {
  strides: { kind: 'ints', default: [1, 1], doc: 'step between windows, [vertical, horizontal]' },
  pads: { kind: 'ints', default: [0, 0, 0, 0], doc: 'padding, [top, left, bottom, right]; padded taps are skipped' },
  dilations: { kind: 'ints', default: [1, 1], doc: 'step between the taps of a window' },
  layout: { kind: 'enum', values: ['nchw', 'nhwc'], default: 'nchw', doc: 'order of the dimensions of images' },
} as const satisfies AttributeSpecs;

interface ConvAttributes extends WindowAttributes {
  readonly groups: number;
}

interface Convolution extends Windows {
  readonly groups: number;
  readonly taps: number;
  /** Input and output channels of each group. */
  readonly inputs: number;
  readonly outputs: number;
}

/** Whether a convolution of `channels` to `outputs` channels takes each by itself. */
export function isDepthwise(groups: number, channels: number, outputs: number): boolean {
  return groups > 1 && channels === groups && outputs === groups;
}

function convolutionOf(x: TensorType, w: TensorType, attributes: ConvAttributes): Convolution {
  const { layout, groups } = attributes;
  requireRank(w, 'w', 4);
  if (groups < 1) throw new OpError(`attribute groups must be at least 1, not ${groups}`);
  const [o, i, height, width] = (layout === 'nchw' ? [0, 1, 2, 3] : [3, 2, 0, 1]).map((d) => dimension(w, d)) as [
    number,
    number,
    number,
    number,
  ];
  const windows = windowsOf(x, [height, width], attributes);
  if (windows.channels !== i * groups)
    throw new OpError(`${groups} groups of ${i} input channels do not make the ${windows.channels} of ${printType(x)}`);
  if (o % groups !== 0) throw new OpError(`${o} output channels do not divide into ${groups} groups`);
  return { ...windows, groups, taps: height * width, inputs: i, outputs: o / groups };
}

/** `y += x * w` with images NHWC and weights HWIO. */
function convolve<T>(loops: ProductLoops<T>, c: Convolution, x: T, w: T, y: T): void {
  const { groups, inputs, outputs, channels } = c;
  const width = groups * outputs;
  // Channels of adjacent pixels, and the weights' rows for them, follow one another.
  if (groups === 1)
    forEachRun(c, (window, pixel, tap, length) =>
      loops.row(y, window * width, width, x, pixel * channels, length * channels, w, tap * channels * width, width),
    );
  else if (isDepthwise(groups, channels, width))
    forEachRun(c, (window, pixel, tap, length) => {
      for (let t = 0; t < length; t++) loops.each(y, window * width, width, x, (pixel + t) * width, w, (tap + t) * width);
    });
  else
    forEachRun(c, (window, pixel, tap, length) => {
      for (let t = 0; t < length; t++)
        for (let g = 0; g < groups; g++) {
          const [xAt, wAt] = [(pixel + t) * channels + g * inputs, (tap + t) * inputs * width + g * outputs];
          loops.row(y, window * width + g * outputs, outputs, x, xAt, inputs, w, wAt, width);
        }
    });
}

function addBias(y: Float32Array, bias: Float32Array): void {
  const width = bias.length;
  for (let at = 0; at < y.length; at += width) for (let c = 0; c < width; c++) y[at + c] = (y[at + c] as number) + (bias[c] as number);
}

export interface PoolAttributes extends WindowAttributes {
  readonly kernel: readonly number[];
}

export function poolWindows(x: TensorType, attributes: PoolAttributes): Windows {
  requireInts(attributes.kernel, 'kernel', 2, 1);
  const windows = windowsOf(x, attributes.kernel, attributes);
  for (const { padBefore, padAfter, kernel, dilation, input } of [windows.rows, windows.columns]) {
    const reach = (kernel - 1) * dilation + 1;
    if (padBefore >= reach || padAfter >= reach)
      throw new OpError(`a padding of ${Math.max(padBefore, padAfter)} leaves a window of ${reach} without any input`);
    if (padBefore > 0 && dilation > input) throw new OpError(`a dilation of ${dilation} lets a window step over an input of ${input}`);
  }
  return windows;
}

type Poolable = Float32Array | Float64Array | Int16Array | Int8Array;

/**
 * The maximum of each window: starts at the first tap, or at `least` where that is padding, then `m = tap > m ? tap : m`.
 * Images are NHWC, or any with one channel.
 */
function pool<T extends Poolable>(windows: Windows, channels: number, least: number, x: T, y: T): void {
  y.fill(least);
  forEachRun(windows, (window, pixel, firstTap, length) => {
    const to = window * channels;
    for (let tap = firstTap, from = pixel * channels; tap < firstTap + length; tap++, from += channels)
      for (let c = 0; c < channels; c++) {
        const value = x[from + c] as number;
        if (tap === 0 || value > (y[to + c] as number)) y[to + c] = value;
      }
  });
}

/** Pools either layout as it is stored: with channels outside, each channel is an image of its own. */
export function poolLayout(windows: Windows, layout: 'nchw' | 'nhwc', each: (windows: Windows, channels: number) => void): void {
  if (layout === 'nhwc') each(windows, windows.channels);
  else each({ ...windows, batch: windows.batch * windows.channels }, 1);
}

/** Applies `each(channel, element)` to x, whose channels are dimension 1. */
function forEachChannelElement(shape: readonly number[], each: (channel: number, i: number) => void): void {
  const channels = shape[1] ?? 1;
  const inner = elementCount(shape.slice(2));
  const count = elementCount(shape);
  for (let i = 0; i < count;) for (let c = 0; c < channels; c++) for (let end = i + inner; i < end; i++) each(c, i);
}

export const SPATIAL = {
  conv: floatOp({
    doc:
      'Two-dimensional convolution. Weights are O×I×H×W in layout nchw and H×W×I×O in nhwc, I being the channels of one group. Sums start at +0 and add ' +
      'the taps in order ky, kx, ic in either layout; padded taps are skipped; the bias is added last, then the activation follows. ' +
      'Narrow floats are summed in f32 and rounded once; fixed-point and quantized operands are summed exactly, with a bias of i64 or i32, and requantized once.',
    inputs: [{ name: 'x' }, { name: 'w' }, { name: 'bias', optional: true }],
    attributes: {
      ...WINDOW_ATTRIBUTES,
      groups: { kind: 'int', default: 1, doc: 'number of groups of channels, each convolved by itself' },
      ...ACTIVATION_ATTRIBUTES,
      ...RESULT_ATTRIBUTES,
    },
    traits: ['reducing'],
    onnx: { op: 'Conv', since: 1, attributes: { groups: 'group' } },
    infer(inputs, attributes) {
      const [x, w, bias] = [operand(inputs, 0, 'x'), operand(inputs, 1, 'w'), inputs[2]];
      const c = convolutionOf(x, w, attributes);
      const channels = c.groups * c.outputs;
      if (bias) requireChannels(bias, 'bias', channels);
      if (attributes.layout === 'nchw' && !isFloat(x.element)) throw new OpError(`a convolution of ${x.element} has the layout nhwc`);
      const form = { channels, axis: 3, depth: c.taps * c.inputs };
      return tensorType(productElement(x, w, bias, attributes.result, attributes, form), windowedShape(c, channels, attributes.layout));
    },
    evaluate(inputs, attributes, type) {
      const [x, w, bias] = [operand(inputs, 0, 'x'), operand(inputs, 1, 'w'), inputs[2]];
      const c = convolutionOf(x.type, w.type, attributes);
      const nchw = attributes.layout === 'nchw';
      const width = c.groups * c.outputs;
      if (isInteger(x.type.element) && isInteger(w.type.element)) {
        const sums = new Float64Array(elementCount(type.shape));
        convolve(WIDE_LOOPS, c, centred(x), centred(w), sums);
        return endSums(endOfSums(x.type.element, w.type.element, type.element, width, attributes), sums, width, bias?.data, type);
      }
      const y = zeros(tensorType('f32', windowedShape(c, width, 'nhwc')));
      convolve(FLOAT_LOOPS, c, floats(nchw ? permute(x, NCHW_TO_NHWC) : x), floats(nchw ? permute(w, OIHW_TO_HWIO) : w), floats(y));
      if (bias) addBias(floats(y), floats(bias));
      activate(y, attributes);
      return nchw ? permute(y, NHWC_TO_NCHW) : { type, data: y.data };
    },
    macs(inputs, attributes, type) {
      const { taps, inputs: depth } = convolutionOf(operand(inputs, 0, 'x'), operand(inputs, 1, 'w'), attributes);
      return elementCount(type.shape) * taps * depth;
    },
    magnitude(inputs, types, attributes) {
      const [x, w, bias] = [operand(inputs, 0, 'x'), operand(inputs, 1, 'w'), inputs[2]];
      const [xType, wType] = [operand(types, 0, 'x'), operand(types, 1, 'w')];
      const c = convolutionOf(xType, wType, attributes);
      const nchw = attributes.layout === 'nchw';
      const width = c.groups * c.outputs;
      const shape = windowedShape(c, width, 'nhwc');
      const terms = new Float64Array(elementCount(shape));
      const images = nchw ? permuteTerms(x.terms, xType.shape, NCHW_TO_NHWC) : x.terms;
      const weights = nchw ? permuteTerms(w.terms, wType.shape, OIHW_TO_HWIO) : w.terms;
      convolve(WIDE_LOOPS, c, images, weights, terms);
      const units = unitsOfSums(xType.element, wType.element, width);
      const sums = bias ? terms.map((sum, i) => sum + (bias.terms[i % width] as number) * (units[i % width] as number)) : terms;
      return { terms: nchw ? permuteTerms(sums, shape, NHWC_TO_NCHW) : sums, count: countOfSum(x, w, c.taps * c.inputs, bias) };
    },
  }),
  'max-pool': floatOp({
    doc:
      'The maximum of each window, channel by channel: starts at the first tap in order ky, kx, and takes another where it is greater; padding counts as -∞ ' +
      '(in fixed point, the least number). So a NaN stays where it is the first tap and is passed over elsewhere. Rounding up the number of windows never adds one that starts behind the input.',
    inputs: [{ name: 'x' }],
    attributes: {
      kernel: { kind: 'ints', doc: 'size of a window, [height, width]' },
      ...WINDOW_ATTRIBUTES,
      ceil_mode: { kind: 'bool', default: false, doc: 'round the number of windows up instead of down' },
    },
    traits: ['selecting'],
    onnx: { op: 'MaxPool', since: 1, attributes: { kernel: 'kernel_shape' } },
    infer(inputs, attributes) {
      const x = operand(inputs, 0, 'x');
      requireOrdered(x, 'x');
      const windows = poolWindows(x, attributes);
      return tensorType(x.element, windowedShape(windows, windows.channels, attributes.layout));
    },
    evaluate(inputs, attributes, type) {
      const x = operand(inputs, 0, 'x');
      const result = zeros(type);
      const windows = poolWindows(x.type, attributes);
      const [from, to] = [x.data, result.data];
      poolLayout(windows, attributes.layout, (each, channels) => {
        if (from instanceof Int16Array && to instanceof Int16Array) pool(each, channels, FIXED_MIN, from, to);
        else if (from instanceof Int8Array && to instanceof Int8Array) pool(each, channels, I8_MIN, from, to);
        else pool(each, channels, -Infinity, floats(x), floats(result));
      });
      activate(result, NO_ACTIVATION);
      return result;
    },
    macs: noMacs,
    magnitude(inputs, types, attributes, type) {
      const { terms, count } = operand(inputs, 0, 'x');
      const largest = new Float64Array(elementCount(type.shape));
      const windows = poolWindows(operand(types, 0, 'x'), attributes);
      poolLayout(windows, attributes.layout, (each, channels) => pool(each, channels, 0, terms, largest));
      return { terms: largest, count };
    },
  }),
  'batch-norm': op({
    doc:
      'Normalisation with fixed statistics, channels being dimension 1: x·s + t with s = scale / sqrt(variance + epsilon) and t = bias - mean·s, ' +
      'every operation rounded to f32.',
    inputs: [{ name: 'x' }, { name: 'scale' }, { name: 'bias' }, { name: 'mean' }, { name: 'variance' }],
    attributes: { epsilon: { kind: 'float', default: 1e-5, doc: 'added to the variance' } },
    traits: [],
    onnx: { op: 'BatchNormalization', since: 7 },
    infer(inputs) {
      const x = operand(inputs, 0, 'x');
      requireFloat(x, 'x');
      if (x.shape.length < 2) throw new OpError(`operand x must have at least 2 dimensions, not ${printType(x)}`);
      for (const [i, name] of ['scale', 'bias', 'mean', 'variance'].entries()) {
        const channels = operand(inputs, i + 1, name);
        requireFloat(channels, name);
        requireChannels(channels, name, dimension(x, 1));
      }
      return x;
    },
    evaluate(inputs, { epsilon }) {
      const x = operand(inputs, 0, 'x');
      const { s, t } = normalisation(inputs, epsilon);
      const data = floats(x);
      const result = new Float32Array(data.length);
      forEachChannelElement(x.type.shape, (c, i) => {
        result[i] = canonical(round((data[i] as number) * (s[c] as number)) + (t[c] as number));
      });
      return tensor(x.type, result);
    },
    macs: noMacs,
    magnitude(inputs, _types, { epsilon }, type) {
      const x = operand(inputs, 0, 'x');
      const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => operand(inputs, i, 'statistic')) as [
        Magnitude,
        Magnitude,
        Magnitude,
        Magnitude,
      ];
      const terms = new Float64Array(x.terms.length);
      forEachChannelElement(type.shape, (c, i) => {
        const s = (scale.terms[c] as number) / Math.sqrt((variance.terms[c] as number) + epsilon);
        terms[i] = (x.terms[i] as number) * s + (mean.terms[c] as number) * s + (bias.terms[c] as number);
      });
      return { terms, count: x.count + scale.count + bias.count + mean.count + variance.count + BATCH_NORM_STEPS };
    },
  }),
};

/** Roundings between the operands of batch-norm and its result: four for s, two for t, two more. */
const BATCH_NORM_STEPS = 8;

/** Per channel the factor s and the addend t of batch-norm, each operation rounded to f32. */
export function normalisation(
  inputs: readonly (Tensor | undefined)[],
  epsilon: number,
): { readonly s: Float32Array; readonly t: Float32Array } {
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((i) => floats(operand(inputs, i, 'statistic'))) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const s = scale.map((value, c) => value / round(Math.sqrt(round((variance[c] as number) + epsilon))));
  const t = bias.map((value, c) => value - round((mean[c] as number) * (s[c] as number)));
  return { s, t };
}
