/** Pooling operators, and what exporters write instead of them. */
import type { NodeImport } from './node.ts';
import { windowAttributes } from './windows.ts';

/** MaxPool and AveragePool; `more` are attributes that only one of them has. */
export function pooling(node: NodeImport, op: 'max-pool' | 'average-pool', more: Readonly<Record<string, boolean>> = {}): string {
  const x = node.operand(0);
  const kernel = node.ints('kernel_shape') ?? node.invalid(`${node.operator} has no kernel_shape`);
  const { strides, pads, dilations, automatic } = windowAttributes(node, x, kernel);
  const rounding = node.int('ceil_mode') ?? 0;
  return node.result(op, [x], { kernel, strides, pads, dilations, ceil_mode: rounding !== 0 && !automatic, ...more });
}

/** A window as large as the image. */
export function globalPooling(node: NodeImport, op: 'max-pool' | 'average-pool'): string {
  const x = node.operand(0);
  return node.result(op, [x], { kernel: imageOf(node, x) });
}

function imageOf(node: NodeImport, x: string): readonly number[] {
  const { shape } = node.type(x);
  if (shape.length !== 4)
    node.unsupported(
      'onnx/unsupported-rank',
      `${node.operator} on ${shape.length} dimensions is not supported, only on images (4 dimensions)`,
    );
  return shape.slice(2);
}

/** The mean over height and width, which some exporters write for a global pooling. */
export function reduceMean(node: NodeImport): string {
  const x = node.operand(0);
  const kernel = imageOf(node, x);
  const given = node.opset < 18 ? node.ints('axes') : node.constantInts(1, 'axes');
  const axes = given?.map((axis) => (axis < 0 ? axis + 4 : axis)).sort((a, b) => a - b);
  node.skipAttributes('noop_with_empty_axes');
  if (axes?.join() !== '2,3')
    node.unsupported('onnx/unsupported-attribute', 'ReduceMean is only supported over height and width, axes 2 and 3');
  if ((node.int('keepdims') ?? 1) !== 0) return node.result('average-pool', [x], { kernel });
  const mean = node.part('mean', 'average-pool', [x], { kernel });
  return node.result('reshape', [mean], { shape: node.type(mean).shape.slice(0, 2) });
}
