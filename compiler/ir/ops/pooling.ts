/** Means over windows. */
import { canonical } from '../../../runtime/numerics/float.ts';
import { op } from '../op.ts';
import { floats, zeros } from '../tensor.ts';
import { elementCount, tensorType } from '../types.ts';
import { noMacs, operand, requireFloat } from './operands.ts';
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
  return Float32Array.from(down.flatMap((rows) => across.map((columns) => 1 / (rows * columns))));
}

export const POOLING = {
  'average-pool': op({
    doc:
      'The mean of each window, channel by channel: the sum starts at +0 and adds the taps in order ky, kx, padded ones skipped; it is multiplied by one over ' +
      'the number of taps, rounded to f32. Padding counts as taps only with `count_include_pad`, and what lies behind it never does.',
    inputs: [{ name: 'x' }],
    attributes: {
      kernel: { kind: 'ints', doc: 'size of a window, [height, width]' },
      ...WINDOW_ATTRIBUTES,
      ceil_mode: { kind: 'bool', default: false, doc: 'round the number of windows up instead of down' },
      count_include_pad: { kind: 'bool', default: false, doc: 'whether padding counts' },
    },
    traits: ['reducing'],
    onnx: { op: 'AveragePool', since: 7, attributes: { kernel: 'kernel_shape' } },
    infer(inputs, attributes) {
      const x = operand(inputs, 0, 'x');
      requireFloat(x, 'x');
      const windows = poolWindows(x, attributes);
      return tensorType('f32', windowedShape(windows, windows.channels, attributes.layout));
    },
    evaluate(inputs, attributes, type) {
      const x = operand(inputs, 0, 'x');
      const result = zeros(type);
      const windows = poolWindows(x.type, attributes);
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
