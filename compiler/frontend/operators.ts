/**
 * How ONNX's operators become ops of the graph. One with a single counterpart is mapped by the op table itself; the others are composed here,
 * in all their forms from opset 6 to 26 (https://github.com/onnx/onnx/blob/main/docs/Changelog.md).
 */
import type { AttributeSpec } from '../ir/op.ts';
import type { AttributeValue } from '../ir/graph.ts';
import type { OpName } from '../ir/ops.ts';
import { OP_NAMES, opRecord } from '../ir/ops.ts';
import { isNarrow } from '../../runtime/numerics/narrow.ts';
import { widen } from '../ir/ops/narrow.ts';
import { isFloat } from '../ir/ops/operands.ts';
import { floats, tensor } from '../ir/tensor.ts';
import { elementCount, tensorType } from '../ir/types.ts';
import { requireSaturation } from './arithmetic/elementwise.ts';
import type { NodeImport } from './node.ts';
import { globalPooling, pooling, reduceMean } from './pooling.ts';
import { dequantizeLinear, quantizeLinear } from './quantization.ts';
import { concat, pad, softmax, sum } from './shapes.ts';
import { windowAttributes } from './windows.ts';

/** Adds a node's ops and gives the value of the graph that its first output is. */
export type Importer = (node: NodeImport) => string;

/** The versions of ONNX's own operator set whose operators the importer knows. */
export const OPSETS = { first: 6, last: 26 } as const;

/** The largest finite binary32 number, the bound of Clip where none is given. */
const MAX_FLOAT = 3.4028234663852886e38;

const COMPOSED: Readonly<Record<string, Importer>> = {
  Add: (node) => broadcasting(node, 'add'),
  Sub: (node) => broadcasting(node, 'sub'),
  Mul: (node) => broadcasting(node, 'mul'),
  Div: (node) => broadcasting(node, 'div'),

  AveragePool: (node) => pooling(node, 'average-pool', { count_include_pad: (node.int('count_include_pad') ?? 0) !== 0 }),

  BatchNormalization(node) {
    requireInference(node);
    if (node.opset < 9 && node.int('spatial') === 0)
      node.unsupported('onnx/unsupported-attribute', 'BatchNormalization with spatial=0 is not supported');
    node.skipAttributes('momentum');
    const operands = [0, 1, 2, 3, 4].map((i) => node.operand(i));
    return node.result('batch-norm', operands, { epsilon: node.float('epsilon') ?? 1e-5 });
  },

  Clip(node) {
    const x = node.operand(0);
    const min = node.opset < 11 ? node.float('min') : scalar(node, 1, 'lower bound');
    const max = node.opset < 11 ? node.float('max') : scalar(node, 2, 'upper bound');
    return node.result('clip', [x], { min: min ?? -MAX_FLOAT, max: max ?? MAX_FLOAT });
  },

  /** Of a value that is computed; one that is known can be of any type. */
  Cast(node) {
    const x = node.operand(0);
    const [from, to] = [node.type(x).element, node.elementType('to')];
    requireSaturation(node, to);
    if (!isFloat(from) || !isFloat(to))
      node.unsupported('onnx/unsupported-type', `Cast of ${from} to ${to} is not supported on values that are not known at compile time`);
    return from === to ? node.result('identity', [x]) : node.result('cast', [x], { to });
  },

  Concat: concat,

  Conv(node) {
    const [x, w] = [node.operand(0), node.operand(1)];
    const bias = wideBias(node, node.optional(2));
    const kernel = node.type(w).shape.slice(2);
    const declared = node.ints('kernel_shape') ?? kernel;
    const { strides, pads, dilations } = windowAttributes(node, x, kernel);
    if (declared.join() !== kernel.join())
      node.invalid(`kernel_shape [${declared.join(',')}] contradicts weights of [${kernel.join(',')}]`);
    const operands = bias === undefined ? [x, w] : [x, w, bias];
    return node.result('conv', operands, { strides, pads, dilations, groups: node.int('group') ?? 1 });
  },

  DequantizeLinear: dequantizeLinear,

  Dropout(node) {
    const x = node.operand(0);
    requireInference(node);
    node.skipAttributes('ratio', 'seed');
    if (node.opset >= 12) {
      const { shape } = node.type(x);
      // Nothing is dropped in inference, whatever the ratio, nor at a ratio of 0.
      node.skipOperand(1);
      if (node.constant(2, 'training mode')?.data[0] && scalar(node, 1, 'ratio') !== 0) refuseTraining(node);
      node.furtherConstant(1, () => tensor(tensorType('i1', shape), new Uint8Array(elementCount(shape)).fill(1)));
    }
    return node.result('identity', [x]);
  },

  Gemm(node) {
    node.skipAttributes('broadcast');
    return mapped(node, 'gemm', (value, i) => (i === 2 ? wideBias(node, value) : value));
  },

  GlobalAveragePool: (node) => globalPooling(node, 'average-pool'),
  GlobalMaxPool: (node) => globalPooling(node, 'max-pool'),

  MaxPool(node) {
    // The order of the indices, which are not supported themselves.
    node.skipAttributes('storage_order');
    return pooling(node, 'max-pool');
  },

  Pad: pad,
  QuantizeLinear: quantizeLinear,
  ReduceMean: reduceMean,

  Reshape(node) {
    const x = node.operand(0);
    const wanted = node.constantInts(1, 'shape') ?? node.invalid('Reshape has no shape');
    const keepZeros = node.opset >= 14 && node.int('allowzero') === 1;
    return node.result('reshape', [x], { shape: resolveShape(node, node.type(x).shape, wanted, keepZeros) });
  },

  Softmax: softmax,

  Squeeze(node) {
    const x = node.operand(0);
    const { shape } = node.type(x);
    const axes = axesOf(node, shape.length) ?? shape.flatMap((d, i) => (d === 1 ? [i] : []));
    const wide = axes.find((axis) => shape[axis] !== 1);
    if (wide !== undefined) node.invalid(`dimension ${wide} of [${shape.join(',')}] is not 1`);
    return node.result('reshape', [x], { shape: shape.filter((_, i) => !axes.includes(i)) });
  },

  Sum: sum,

  Transpose(node) {
    const x = node.operand(0);
    const reversed = node.type(x).shape.map((_, i, { length }) => length - 1 - i);
    return node.result('transpose', [x], { perm: node.ints('perm') ?? reversed });
  },

  Unsqueeze(node) {
    const x = node.operand(0);
    const { shape } = node.type(x);
    const count = node.opset < 13 ? node.ints('axes')?.length : node.constantInts(1, 'axes')?.length;
    const rank = shape.length + (count ?? 0);
    const axes = axesOf(node, rank) ?? node.invalid('Unsqueeze has no axes');
    const old = shape.values();
    return node.result('reshape', [x], { shape: Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (old.next().value ?? 1))) });
  },
};

/** The bias of a product, which is added to a sum in f32 whatever the product's element type. */
function wideBias(node: NodeImport, bias: string | undefined): string | undefined {
  return bias !== undefined && isNarrow(node.type(bias).element) ? node.part('bias', 'cast', [bias], { to: 'f32' }) : bias;
}

/** Before opset 7 broadcasting had to be asked for, and the second operand could stand at an axis of the first. */
function broadcasting(node: NodeImport, op: OpName): string {
  const [a, b] = [node.operand(0), node.operand(1)];
  if (node.opset >= 7) return node.result(op, [a, b]);
  node.skipAttributes('broadcast');
  const axis = node.int('axis');
  if (axis === undefined) return node.result(op, [a, b]);
  const { shape } = node.type(b);
  const behind = node.type(a).shape.length - axis - shape.length;
  if (axis < 0 || behind < 0) node.invalid(`axis ${axis} leaves no room for [${shape.join(',')}]`);
  return node.result(op, [a, node.part('b', 'reshape', [b], { shape: [...shape, ...new Array<number>(behind).fill(1)] })]);
}

/**
 * Refuses a node that is to train: before opset 7 for lack of an attribute, from 14 on by BatchNormalization's. In between it trains where it names
 * further outputs, whether anything reads them or not, as onnxruntime takes it too.
 */
function requireInference(node: NodeImport): void {
  const further = node.furtherOutputs.map((name) => `'${name}'`).join(', ');
  if (node.operator === 'BatchNormalization' && node.opset >= 7 && node.opset < 14 && further !== '')
    node.unsupported(
      'onnx/training',
      `BatchNormalization that names the outputs ${further} is in training mode, which is not supported, only inference is`,
    );
  if (isTraining(node)) refuseTraining(node);
}

function refuseTraining(node: NodeImport): never {
  node.unsupported('onnx/training', `${node.operator} in training mode is not supported, only inference is`);
}

function isTraining(node: NodeImport): boolean {
  if (node.opset < 7) return node.int('is_test') !== 1;
  return node.operator === 'BatchNormalization' && node.opset >= 14 && node.int('training_mode') === 1;
}

/** The number that a constant operand holds, or undefined when it is left out. */
function scalar(node: NodeImport, index: number, what: string): number | undefined {
  const stored = node.constant(index, what);
  if (stored === undefined) return undefined;
  const value = widen(stored);
  if (value.type.element !== 'f32') node.unsupported('onnx/unsupported-type', `${node.operator} of ${value.type.element} is not supported`);
  if (elementCount(value.type.shape) !== 1) node.invalid(`the ${what} must be one number, not [${value.type.shape.join(',')}]`);
  return floats(value)[0];
}

/** Reshape's convention: 0 keeps the dimension unless `keepZeros`, one -1 takes what is left. */
function resolveShape(node: NodeImport, from: readonly number[], wanted: readonly number[], keepZeros: boolean): readonly number[] {
  const shape = wanted.map((d, i) =>
    d === 0 && !keepZeros ? (from[i] ?? node.invalid(`no dimension ${i} of [${from.join(',')}] to keep`)) : d,
  );
  const open = shape.indexOf(-1);
  if (open < 0) return shape;
  if (shape.indexOf(-1, open + 1) >= 0) node.invalid(`a shape [${wanted.join(',')}] has two open dimensions`);
  const known = elementCount(shape.filter((_, i) => i !== open));
  const rest = elementCount(from) / known;
  if (!Number.isInteger(rest)) node.invalid(`[${from.join(',')}] does not divide into a shape [${wanted.join(',')}]`);
  return shape.with(open, rest);
}

/** The axes of Squeeze and Unsqueeze, an attribute before opset 13 and an operand since, counted from the front of `rank` dimensions. */
function axesOf(node: NodeImport, rank: number): readonly number[] | undefined {
  const given = node.opset < 13 ? node.ints('axes') : node.constantInts(1, 'axes');
  const axes = given?.map((axis) => (axis < 0 ? axis + rank : axis));
  if (axes && (new Set(axes).size < axes.length || axes.some((axis) => axis < 0 || axis >= rank))) {
    node.invalid(`axes [${(given ?? []).join(',')}] are not distinct ones of ${rank} dimensions`);
  }
  return axes;
}

/** ONNX operators by name, for those that are a single op of the table. */
const MAPPED = new Map(
  OP_NAMES.flatMap((name): [string, { name: OpName; since: number }][] => {
    const { onnx } = opRecord(name);
    return onnx ? [[onnx.op, { name, since: onnx.since }]] : [];
  }),
);

/** The importer of an operator, or a clause that says why there is none. */
export function importerOf(domain: string, operator: string, opset: number): Importer | string {
  if (domain !== '') return `no operator of domain ${domain} is supported`;
  const composed = Object.hasOwn(COMPOSED, operator) ? COMPOSED[operator] : undefined;
  if (composed) return composed;
  const op = MAPPED.get(operator);
  if (!op) return 'not supported yet';
  if (opset < op.since) return `only supported from opset ${op.since} on`;
  return (node) => mapped(node, op.name);
}

/** Imports a node as the table says: operands in order, attributes by their kinds. */
function mapped(
  node: NodeImport,
  op: OpName,
  adapt: (value: string | undefined, index: number) => string | undefined = (value) => value,
): string {
  const { inputs, attributes, onnx } = opRecord(op);
  const operands = inputs.map(({ optional }, i) => adapt(optional ? node.optional(i) : node.operand(i), i) ?? '');
  const given = Object.entries(attributes).flatMap(([name, spec]): [string, AttributeValue][] => {
    const value = attributeValue(node, onnx?.attributes?.[name] ?? name, spec);
    return value === undefined ? [] : [[name, value]];
  });
  return node.result(op, operands, Object.fromEntries(given));
}

function attributeValue(node: NodeImport, name: string, spec: AttributeSpec): AttributeValue | undefined {
  switch (spec.kind) {
    case 'int':
      return node.int(name);
    case 'float':
      return node.float(name);
    case 'ints':
      return node.ints(name);
    case 'enum':
      return node.string(name);
    case 'bool': {
      const value = node.int(name);
      return value === undefined ? undefined : value !== 0;
    }
    // Types follow from the operands in ONNX.
    case 'element':
      return undefined;
  }
}
