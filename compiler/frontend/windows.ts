/** The attributes of sliding windows, which Conv and the pools share. */
import type { NodeImport } from './node.ts';

export interface WindowAttributes extends Readonly<Record<'strides' | 'pads' | 'dilations', readonly number[]>> {
  /** Whether the padding follows from the sizes, so that rounding of the number of windows has no say. */
  readonly automatic: boolean;
}

/** Reads strides, dilations and padding of a node that slides a `kernel` ([height, width]) over an NCHW image. */
export function windowAttributes(node: NodeImport, image: string, kernel: readonly number[]): WindowAttributes {
  const { shape } = node.type(image);
  if (shape.length !== 4) {
    node.unsupported(
      'onnx/unsupported-rank',
      `${node.operator} on ${shape.length} dimensions is not supported, only on images (4 dimensions)`,
    );
  }
  const strides = pair(node, 'strides');
  const dilations = pair(node, 'dilations');
  const pads = node.ints('pads') ?? [0, 0, 0, 0];
  const mode = node.string('auto_pad') ?? 'NOTSET';
  if (mode === 'NOTSET') return { strides, dilations, pads, automatic: false };
  if (pads.some((pad) => pad !== 0)) node.invalid(`pads and auto_pad=${mode} exclude each other`);
  if (mode === 'VALID') return { strides, dilations, pads: [0, 0, 0, 0], automatic: true };
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') node.invalid(`auto_pad has no value ${mode}`);
  const total = [0, 1].map((i) => samePadding(shape[i + 2] ?? 1, kernel[i] ?? 1, strides[i] ?? 1, dilations[i] ?? 1));
  const smaller = total.map((pad) => Math.floor(pad / 2));
  const larger = total.map((pad) => Math.ceil(pad / 2));
  return { strides, dilations, pads: mode === 'SAME_UPPER' ? [...smaller, ...larger] : [...larger, ...smaller], automatic: true };
}

function pair(node: NodeImport, name: string): readonly number[] {
  const values = node.ints(name) ?? [1, 1];
  if (values.length !== 2 || values.some((value) => value < 1))
    node.invalid(`${name} must be two positive integers, not [${values.join(',')}]`);
  return values;
}

/** Padding on both sides together with which there are ceil(size / stride) windows. */
function samePadding(size: number, kernel: number, stride: number, dilation: number): number {
  const windows = Math.ceil(size / stride);
  return Math.max(0, (windows - 1) * stride + (kernel - 1) * dilation + 1 - size);
}
