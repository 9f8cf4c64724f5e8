/** Operators that join, pad and sum tensors, and softmax as it was defined at different times. */
import { widen } from '../ir/ops/narrow.ts';
import { elementCount } from '../ir/types.ts';
import type { NodeImport } from './node.ts';

/** The operands of an operator that takes as many as it is given. */
export function allOperands(node: NodeImport): readonly string[] {
  return Array.from({ length: Math.max(1, node.operandCount) }, (_, i) => node.operand(i));
}

export function concat(node: NodeImport): string {
  const axis = node.int('axis') ?? (node.opset < 4 ? 1 : node.invalid('Concat has no axis'));
  return node.result('concat', allOperands(node), { axis });
}

/** A sum of several operands, in their order. */
export function sum(node: NodeImport): string {
  const [first = '', ...others] = allOperands(node);
  const last = others.pop();
  if (last === undefined) return node.result('identity', [first]);
  const most = others.reduce((total, operand, i) => node.part(`sum${i + 1}`, 'add', [total, operand]), first);
  return node.result('add', [most, last]);
}

export function pad(node: NodeImport): string {
  const x = node.operand(0);
  const rank = node.type(x).shape.length;
  const mode = node.string('mode') ?? 'constant';
  if (mode !== 'constant')
    node.unsupported('onnx/unsupported-attribute', `Pad with mode=${mode} is not supported, only constant padding is`);
  const given = (node.opset < 11 ? node.ints('pads') : node.constantInts(1, 'pads')) ?? node.invalid('Pad has no pads');
  const filling = node.opset < 11 ? undefined : node.constant(2, 'value');
  const value = node.opset < 11 ? (node.float('value') ?? 0) : Number((filling && widen(filling).data[0]) ?? 0);
  const axes = node.opset < 18 ? undefined : node.constantInts(3, 'axes')?.map((axis) => (axis < 0 ? axis + rank : axis));
  const chosen = axes ?? Array.from({ length: rank }, (_, i) => i);
  if (given.length !== 2 * chosen.length) node.invalid(`pads [${given.join(',')}] are not two for each of ${chosen.length} dimensions`);
  if (given.some((extent) => extent < 0)) node.unsupported('onnx/unsupported-attribute', 'Pad with negative pads is not supported');
  const pads = new Array<number>(2 * rank).fill(0);
  for (const [i, axis] of chosen.entries()) {
    if (axis < 0 || axis >= rank) node.invalid(`axis ${axis} is none of ${rank} dimensions`);
    pads[axis] = given[i] ?? 0;
    pads[axis + rank] = given[i + chosen.length] ?? 0;
  }
  return node.result('pad', [x], { pads, value });
}

/** Before opset 13 softmax summed over all dimensions from `axis` on, 1 unless given. */
export function softmax(node: NodeImport): string {
  const x = node.operand(0);
  const { shape } = node.type(x);
  if (node.opset >= 13) return node.result('softmax', [x], { axis: node.int('axis') ?? -1 });
  const given = node.int('axis') ?? 1;
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length) node.invalid(`axis ${given} is none of ${shape.length} dimensions`);
  if (axis === shape.length - 1) return node.result('softmax', [x], { axis: -1 });
  const matrix = node.part('matrix', 'reshape', [x], { shape: [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))] });
  const rows = node.part('rows', 'softmax', [matrix], { axis: -1 });
  return node.result('reshape', [rows], { shape });
}
