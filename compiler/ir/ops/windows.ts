/** Sliding windows over two spatial dimensions, for convolution and pooling. */
import { OpError } from '../op.ts';
import type { TensorType } from '../types.ts';
import { dimension, requireInts, requireRank } from './operands.ts';

export interface WindowAttributes {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly layout: 'nchw' | 'nhwc';
  readonly ceil_mode?: boolean;
}

/** Extents along one spatial dimension. */
export interface Axis {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBefore: number;
  readonly padAfter: number;
}

export interface Windows {
  readonly batch: number;
  readonly channels: number;
  readonly rows: Axis;
  readonly columns: Axis;
}

/** The windows of an image operand x; `kernel` is [height, width]. */
export function windowsOf(x: TensorType, kernel: readonly number[], attributes: WindowAttributes): Windows {
  requireRank(x, 'x', 4);
  requireInts(attributes.strides, 'strides', 2, 1);
  requireInts(attributes.pads, 'pads', 4, 0);
  requireInts(attributes.dilations, 'dilations', 2, 1);
  const [channels, rows, columns] = attributes.layout === 'nchw' ? [1, 2, 3] : [3, 1, 2];
  return {
    batch: dimension(x, 0),
    channels: dimension(x, channels),
    rows: axis('height', 0, dimension(x, rows), kernel, attributes),
    columns: axis('width', 1, dimension(x, columns), kernel, attributes),
  };
}

function axis(name: string, i: 0 | 1, input: number, kernels: readonly number[], attributes: WindowAttributes): Axis {
  const [kernel = 1, stride = 1, dilation = 1] = [kernels[i], attributes.strides[i], attributes.dilations[i]];
  const [padBefore = 0, padAfter = 0] = [attributes.pads[i], attributes.pads[i + 2]];
  if (kernel < 1) throw new OpError(`the kernel's ${name} must be at least 1, not ${kernel}`);
  const reach = (kernel - 1) * dilation + 1;
  const room = input + padBefore + padAfter - reach;
  if (room < 0) throw new OpError(`a window of ${name} ${reach} does not fit into ${input} with padding ${padBefore} and ${padAfter}`);
  let output = (attributes.ceil_mode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // Rounding up may add a window that starts behind the input, in the padding: it would see nothing.
  if (attributes.ceil_mode && (output - 1) * stride >= input + padBefore) output -= 1;
  return { input, output, kernel, stride, dilation, padBefore, padAfter };
}

/** Shape of a result that has one element per window and channel. */
export function windowedShape({ batch, rows, columns }: Windows, channels: number, layout: 'nchw' | 'nhwc'): number[] {
  return layout === 'nchw' ? [batch, channels, rows.output, columns.output] : [batch, rows.output, columns.output, channels];
}

/** The taps of window `output` that are not padding: `first` and `last` of them, and the input coordinate under tap 0. */
function validTaps({ input, kernel, stride, dilation, padBefore }: Axis, output: number): { first: number; last: number; origin: number } {
  const origin = output * stride - padBefore;
  return {
    first: Math.max(0, Math.ceil(-origin / dilation)),
    last: Math.min(kernel - 1, Math.floor((input - 1 - origin) / dilation)),
    origin,
  };
}

/** How many taps of each window along an axis count: those in the input, or with padding all that do not lie behind it. */
export function countTaps(axis: Axis, includePadding: boolean): number[] {
  const padded = { ...axis, input: axis.input + axis.padBefore + axis.padAfter, padBefore: 0 };
  return Array.from({ length: axis.output }, (_, output) => {
    const { first, last } = validTaps(includePadding ? padded : axis, output);
    return last - first + 1;
  });
}

/**
 * Visits the taps that are not padding: window by window, in each in order ky, kx. `length` taps in a row stand on as many adjacent pixels.
 * `window`, `pixel` and `tap` are the ordinals of the window, of the pixel under the first of the taps (both counted over the batch), and of
 * that tap in the kernel.
 */
export function forEachRun(
  { batch, rows, columns }: Windows,
  visit: (window: number, pixel: number, tap: number, length: number) => void,
): void {
  const across = Array.from({ length: columns.output }, (_, ox) => validTaps(columns, ox));
  const adjacent = columns.dilation === 1;
  let window = 0;
  for (let n = 0; n < batch; n++)
    for (let oy = 0; oy < rows.output; oy++) {
      const down = validTaps(rows, oy);
      for (const { first, last, origin } of across) {
        for (let ky = down.first; ky <= down.last; ky++) {
          const row = (n * rows.input + down.origin + ky * rows.dilation) * columns.input + origin;
          const tap = ky * columns.kernel;
          if (!adjacent) for (let kx = first; kx <= last; kx++) visit(window, row + kx * columns.dilation, tap + kx, 1);
          else if (first <= last) visit(window, row + first, tap + first, last - first + 1);
        }
        window += 1;
      }
    }
}
