/** Means over windows. */
import type { ElementType } from '../../../runtime/numerics/element.ts';
import { fractionBits, isFixed, isQuantized } from '../../../runtime/numerics/element.ts';
import { canonical } from '../../../runtime/numerics/float.ts';
import { OpError } from '../op.ts';
import { floats, zeros } from '../tensor.ts';
import { elementCount, tensorType } from '../types.ts';
import { NO_ACTIVATION, RESULT_ATTRIBUTES } from './activation.ts';
import type { IntegerName, SumEnd } from './integers.ts';
import { centred, endOfFixedSums, endOfScaledSums, endSums, isInteger, tensorScale } from './integers.ts';
import { floatOp } from './narrow.ts';
import { isFloat, noMacs, operand } from './operands.ts';
import { WINDOW_ATTRIBUTES, poolLayout, poolWindows } from './spatial.ts';
import type { Windows } from './windows.ts';
import { countTaps, forEachRun, windowedShape } from './windows.ts';

const round = Math.fround;

/** Adds the taps of each window, from +0. Images are NHWC, or any with one channel. */
function sum<T extends Float32Array | Float64Array>(windows: Windows, channels: number, x: T, y: T): void {
  forEachRun(windows, (window, pixel, _tap, length) => {
    const to = window * channels;
    for (let end = (pixel + length) * channels, from = pixel * channels; from < end; from += channels)
      for (let c = 0; c < channels; c++) y[to + c] = (y[to + c] as number) + (x[from + c] as number);
  });
}

/** One over the number of taps that count, for each window of an image. */
export function tapFactors(windows: Windows, includePadding: boolean): Float32Array {
  const down = countTaps(windows.rows, includePadding);
  const across = countTaps(windows.columns, includePadding);
  const factors = new Float32Array(down.length * across.length);
  let window = 0;
  for (const rows of down) for (const columns of across) factors[window++] = 1 / (rows * columns);
  return factors;
}

/** A factor of sums in fixed point has this many bits at least. */
const FACTOR_BITS = 14;

/** What every tap of a mean of integers is multiplied with, and how the sum becomes an element. */
export interface MeanEnd {
  readonly factor: number;
  readonly end: SumEnd;
}

/**
 * Means of integers: quantized ones take the number of taps into the scale, fixed-point ones a factor of 15 bits. Throws `OpError` where the windows
 * do not have one number of taps.
 */
export function endOfMeans(x: IntegerName, result: ElementType, windows: Windows, includePadding: boolean): MeanEnd {
  const counts = [windows.rows, windows.columns].map((axis) => new Set(countTaps(axis, includePadding)));
  if (counts.some(({ size }) => size > 1)) throw new OpError(`a mean of ${x} needs windows with one number of taps`);
  const taps = counts.reduce((product, [count = 1]) => product * count, 1);
  if (isFixed(x)) {
    const bits = FACTOR_BITS + Math.ceil(Math.log2(taps));
    return { factor: Math.round(2 ** bits / taps), end: endOfFixedSums(fractionBits(x) + bits, result, NO_ACTIVATION) };
  }
  if (!isQuantized(result)) throw new OpError(`a mean of quantized elements is quantized, not ${result}`);
  return { factor: 1, end: endOfScaledSums([tensorScale(x, 'x').scale / taps], result, NO_ACTIVATION) };
}

export const POOLING = {
  'average-pool': floatOp({
    doc:
      'The mean of each window, channel by channel: the sum starts at +0 and adds the taps in order ky, kx, padded ones skipped; it is multiplied by one over ' +
      'the number of taps, rounded to f32. Integers are summed exactly and requantized once, and all windows have as many taps. Padding counts as taps only with `count_include_pad`, and what lies behind it never does.',
    inputs: [{ name: 'x' }],
    attributes: {
      kernel: { kind: 'ints', doc: 'size of a window, [height, width]' },
      ...WINDOW_ATTRIBUTES,
      ceil_mode: { kind: 'bool', default: false, doc: 'round the number of windows up instead of down' },
      count_include_pad: { kind: 'bool', default: false, doc: 'whether padding counts' },
      ...RESULT_ATTRIBUTES,
    },
    traits: ['reducing'],
    onnx: { op: 'AveragePool', since: 7, attributes: { kernel: 'kernel_shape' } },
    infer(inputs, attributes) {
      const x = operand(inputs, 0, 'x');
      const windows = poolWindows(x, attributes);
      const result = attributes.result === 'same' ? x.element : attributes.result;
      if (isInteger(x.element)) endOfMeans(x.element, result, windows, attributes.count_include_pad);
      else if (!isFloat(x.element) || result !== x.element) throw new OpError(`a mean of ${x.element} gives ${x.element}, not ${result}`);
      return tensorType(result, windowedShape(windows, windows.channels, attributes.layout));
    },
    evaluate(inputs, attributes, type) {
      const x = operand(inputs, 0, 'x');
      const windows = poolWindows(x.type, attributes);
      if (isInteger(x.type.element)) {
        const { factor, end } = endOfMeans(x.type.element, type.element, windows, attributes.count_include_pad);
        const sums = new Float64Array(elementCount(type.shape));
        const integers = centred(x);
        poolLayout(windows, attributes.layout, (each, channels) => sum(each, channels, integers, sums));
        return endSums(
          end,
          sums.map((total) => total * factor),
          1,
          undefined,
          type,
        );
      }
      const result = zeros(type);
      const data = floats(result);
      poolLayout(windows, attributes.layout, (each, channels) => sum(each, channels, floats(x), data));
      const factors = tapFactors(windows, attributes.count_include_pad);
      forEachPixel(type.shape, attributes.layout, factors.length, (i, pixel) => {
        data[i] = canonical(round((data[i] as number) * (factors[pixel] as number)));
      });
      return result;
    },
    macs: noMacs,
    magnitude(inputs, types, attributes, type) {
      const { terms, count } = operand(inputs, 0, 'x');
      const windows = poolWindows(operand(types, 0, 'x'), attributes);
      const sums = new Float64Array(elementCount(type.shape));
      poolLayout(windows, attributes.layout, (each, channels) => sum(each, channels, terms, sums));
      const factors = tapFactors(windows, attributes.count_include_pad);
      forEachPixel(type.shape, attributes.layout, factors.length, (i, pixel) => {
        sums[i] = (sums[i] as number) * (factors[pixel] as number);
      });
      // The additions, the factor's own rounding and the product's.
      return { terms: sums, count: count + windows.rows.kernel * windows.columns.kernel + 2 };
    },
  }),
};

/** Calls `each` with every element and the ordinal of its pixel in its image of `pixels`. */
function forEachPixel(shape: readonly number[], layout: 'nchw' | 'nhwc', pixels: number, each: (i: number, pixel: number) => void): void {
  const inner = layout === 'nhwc' ? (shape[3] ?? 1) : 1;
  const count = elementCount(shape);
  for (let i = 0; i < count; i++) each(i, Math.floor(i / inner) % pixels);
}
