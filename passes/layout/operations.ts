/** How each op is written in a graph with NHWC images. */
import type { Attributes, Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { permute } from '../../compiler/ir/ops/strided.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { permutationOf } from '../rules/views.ts';
import type { Layouter } from './layouter.ts';
import { NCHW_TO_NHWC } from './layouter.ts';

type LayOut = (node: OpNode, layouter: Layouter, wanted: ReadonlySet<string>) => void;

const OIHW_TO_HWIO = [2, 3, 1, 0];

/** Ops that work on each element by itself, so in any layout. */
const UNARY: readonly OpName[] = ['relu', 'clip', 'sigmoid', 'tanh', 'identity', 'cast', 'quantize', 'dequantize', 'requantize'];
/** Ops on images whose attributes name dimensions, and which follow the layout of what is around them. */
const DIMENSIONAL: readonly OpName[] = ['concat', 'pad'];
const BINARY: readonly OpName[] = ['add', 'sub', 'mul', 'div'];

const keep: LayOut = (node, layouter) =>
  layouter.define(
    node,
    node.inputs.map((input) => layouter.plain(input)),
  );

const window: LayOut = (node, layouter, wanted) => {
  if (node.attributes.layout === 'nhwc') return keep(node, layouter, wanted);
  const [x = '', w, ...rest] = node.inputs;
  const operands = [layouter.images(x), ...(w === undefined ? [] : [weights(w, layouter)]), ...rest.map((input) => layouter.plain(input))];
  layouter.defineImages(node, operands, { ...node.attributes, layout: 'nhwc' });
};

function weights(name: string, layouter: Layouter): string {
  const constant = layouter.constant(name);
  const { writer } = layouter;
  if (constant) return layouter.derived(name, 'hwio', () => permute(constant, OIHW_TO_HWIO));
  return writer.op(writer.fresh(name, 'hwio'), 'transpose', [layouter.plain(name)], { perm: OIHW_TO_HWIO }, []);
}

const unary: LayOut = (node, layouter, wanted) => {
  const [x = ''] = node.inputs;
  const flattened = layouter.flattenedImages(x);
  if (flattened) layouter.defineFlattened(node, layouter.plain(x), flattened);
  else if (inImages(node, layouter, wanted)) layouter.defineImages(node, [layouter.images(x)]);
  else keep(node, layouter, wanted);
};

const binary: LayOut = (node, layouter, wanted) => {
  if (!inImages(node, layouter, wanted)) return keep(node, layouter, wanted);
  // The result has the dimensions of the operand that has them all.
  const isWhole = (input: string): boolean => layouter.type(input).shape.length === 4 && !layouter.constant(input);
  const whole = node.inputs.some(isWhole);
  layouter.defineImages(
    node,
    node.inputs.map((input) => operandOfImages(input, layouter, whole)),
  );
};

/** Whether an elementwise op computes on images: because an operand is held so, or because a convolution or pooling wants its result so. */
function inImages(node: OpNode, layouter: Layouter, wanted: ReadonlySet<string>): boolean {
  return node.type.shape.length === 4 && (wanted.has(node.name) || node.inputs.some((input) => layouter.isImages(input)));
}

/** Concatenation and padding, of images along the dimensions as those are held. */
const dimensional =
  (attributesOf: (node: OpNode) => Attributes): LayOut =>
  (node, layouter, wanted) => {
    if (!inImages(node, layouter, wanted)) return keep(node, layouter, wanted);
    const images = node.inputs.map((input) => layouter.images(input));
    layouter.defineImages(node, images, attributesOf(node));
  };

const concat = dimensional(({ attributes }) => {
  const axis = Number(attributes.axis);
  return { axis: NCHW_TO_NHWC.findIndex((dimension) => dimension === (axis < 0 ? axis + 4 : axis)) };
});

const pad = dimensional(({ attributes }) => {
  const pads = attributes.pads as readonly number[];
  return { ...attributes, pads: [0, 4].flatMap((end) => NCHW_TO_NHWC.map((dimension) => pads[end + dimension] ?? 0)) };
});

/** An operand that broadcasts to images, with its own dimensions moved as those are; a constant without leading ones where it may be `shorter`. */
function operandOfImages(name: string, layouter: Layouter, shorter: boolean): string {
  const { shape } = layouter.type(name);
  if (shape.length === 4 && !layouter.constant(name)) return layouter.images(name);
  if (elementCount(shape) === 1 && shorter) return layouter.plain(name);
  const { writer } = layouter;
  const padded = [...new Array<number>(4 - shape.length).fill(1), ...shape];
  const constant = layouter.constant(name);
  if (constant) {
    const images = (): Tensor => permute(withShape(constant, padded), NCHW_TO_NHWC);
    return shorter ? layouter.derived(name, 'nhwc', () => withoutLeadingOnes(images())) : layouter.derived(name, 'images', images);
  }
  const viewed = writer.op(writer.fresh(name, 'padded'), 'reshape', [layouter.plain(name)], { shape: padded }, []);
  return writer.op(writer.fresh(name, 'nhwc'), 'transpose', [viewed], { perm: NCHW_TO_NHWC }, []);
}

function withShape({ type, data }: Tensor, shape: readonly number[]): Tensor {
  return { type: tensorType(type.element, shape), data };
}

function withoutLeadingOnes(value: Tensor): Tensor {
  const { shape } = value.type;
  const first = shape.findIndex((extent) => extent !== 1);
  return withShape(value, shape.slice(first));
}

const reshape: LayOut = (node, layouter, wanted) => {
  const [x = ''] = node.inputs;
  const { shape } = layouter.type(x);
  const [batch = 1, channels = 1, height = 1, width = 1] = shape;
  if (!layouter.isImages(x)) keep(node, layouter, wanted);
  else if (channels === 1 || height * width === 1) layouter.define(node, [layouter.images(x)]);
  else if (node.type.shape.length === 2 && node.type.shape[0] === batch && feedsWeights(node, layouter.source))
    layouter.defineFlattened(node, layouter.images(x), shape);
  else keep(node, layouter, wanted);
};

/** Whether a matrix is read by products with constant weights alone, be it through elementwise ops: their rows can be put in any order. */
function feedsWeights(node: OpNode, source: Graph): boolean {
  const users = source.users(node.name);
  return (
    !source.isOutput(node.name) &&
    users.length > 0 &&
    users.every((user) => {
      const [a, b = '', c] = user.inputs;
      if (user.op === 'gemm')
        return a === node.name && c !== node.name && source.find(b)?.kind === 'constant' && user.attributes.trans_a === false;
      return UNARY.includes(user.op) && feedsWeights(user, source);
    })
  );
}

const gemm: LayOut = (node, layouter, wanted) => {
  const [a = '', b = '', ...rest] = node.inputs;
  const shape = layouter.flattenedImages(a);
  const matrix = layouter.constant(b);
  if (!shape || !matrix) return keep(node, layouter, wanted);
  const [, channels = 1, height = 1, width = 1] = shape;
  const columns = matrix.type.shape[1] ?? 1;
  const permuted = layouter.derived(b, `rows-${height}x${width}x${channels}`, () =>
    withShape(permute(withShape(matrix, [channels, height, width, columns]), [1, 2, 0, 3]), matrix.type.shape),
  );
  layouter.define(node, [layouter.plain(a), permuted, ...rest.map((input) => layouter.plain(input))]);
};

/** A transpose of images reads them as they are held. */
const transpose: LayOut = (node, layouter, wanted) => {
  const [x = ''] = node.inputs;
  if (!layouter.isImages(x)) return keep(node, layouter, wanted);
  const perm = permutationOf(node.attributes.perm).map((from) => NCHW_TO_NHWC.findIndex((dimension) => dimension === from));
  if (perm.every((dimension, i) => dimension === i)) layouter.alias(node.name, layouter.images(x));
  else layouter.define(node, [layouter.images(x)], { perm });
};

const LAY_OUT: Readonly<Record<OpName, LayOut>> = {
  add: binary,
  sub: binary,
  mul: binary,
  div: binary,
  relu: unary,
  clip: unary,
  identity: unary,
  cast: unary,
  quantize: unary,
  dequantize: unary,
  requantize: unary,
  sigmoid: unary,
  tanh: unary,
  softmax: keep,
  conv: window,
  'max-pool': window,
  'average-pool': window,
  lrn: window,
  concat,
  pad,
  gemm,
  matmul: keep,
  'batch-norm': keep,
  flatten: keep,
  reshape,
  transpose,
};

export function layOut(node: OpNode, layouter: Layouter, wanted: ReadonlySet<string>): void {
  LAY_OUT[node.op](node, layouter, wanted);
}

/** The values that a convolution or pooling reads, be it through elementwise ops: those are best computed as images. */
export function wantedAsImages(ops: readonly OpNode[], typeOf: (name: string) => TensorType): ReadonlySet<string> {
  const wanted = new Set<string>();
  for (const node of ops.toReversed()) {
    if (node.attributes.layout === 'nchw') wanted.add(node.inputs[0] ?? '');
    const follows = [UNARY, BINARY, DIMENSIONAL].some((ops) => ops.includes(node.op));
    if (follows && wanted.has(node.name)) for (const input of node.inputs) if (typeOf(input).shape.length === 4) wanted.add(input);
  }
  return wanted;
}
