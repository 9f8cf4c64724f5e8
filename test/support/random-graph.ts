/** Random valid graphs: for every op of the table a way to propose operands and attributes that fit what is there already. */
import type { ElementType } from '../../runtime/numerics/element.ts';
import { fixed16, fractionBits, isFixed, isQuantized, quantizationOf, quantized } from '../../runtime/numerics/element.ts';
import { isFloat as isFloatElement } from '../../compiler/ir/ops/operands.ts';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Attributes, Graph } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { OP_NAMES } from '../../compiler/ir/ops.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import type { Choices } from './choices.ts';
import type { Contents } from './random-tensor.ts';
import { randomTensor } from './random-tensor.ts';

export interface GraphOptions {
  /** Ops that may occur; all of the table by default. */
  readonly ops?: readonly OpName[];
  readonly maxOps?: number;
  /** Element types of the inputs; `COMPUTED` by default. */
  readonly elements?: readonly ElementType[];
  /** What the constants hold; ordinary numbers by default. */
  readonly contents?: Contents;
  /** Image layouts that convolutions and pooling may have; both by default. */
  readonly layouts?: readonly ('nchw' | 'nhwc')[];
}

/** Element types that ops compute on, f32 more often than others. */
export const COMPUTED: readonly ElementType[] = [
  ...(['f32', 'f32', 'f32', 'f16', 'bf16', 'f8e4m3', 'f8e5m2'] as const),
  ...(['fx16.8', 'fx16.5', 'i8<0.0625,-3>', 'i8<0.11,17>'] as const),
];

/** Values with more elements are not computed with any further. */
const MAX_ELEMENTS = 4096;

/** A graph of stage imported. Sources' names, optional operands, dead values and several outputs all occur. */
export function randomGraph(choices: Choices, options: GraphOptions = {}): Graph {
  const sketch = new Sketch(choices, options);
  const { ops = OP_NAMES, maxOps = 8 } = options;
  const count = choices.between(1, maxOps);
  for (let i = 0; i < count; i++) sketch.add(choices.pick(ops));
  return sketch.finish();
}

/** Operands, ready made, and attributes that differ from the defaults. */
interface Proposal {
  readonly inputs: readonly string[];
  readonly attributes?: Attributes;
}

type Propose = (sketch: Sketch) => Proposal;

class Sketch {
  readonly choices: Choices;
  readonly #builder = new GraphBuilder('random');
  readonly #options: GraphOptions;
  /** Values that ops may read; constants that were made for one op are not among them. */
  readonly #values: string[] = [];
  readonly #unused = new Set<string>();
  #made = 0;

  constructor(choices: Choices, options: GraphOptions) {
    this.choices = choices;
    this.#options = options;
  }

  type(value: string): TensorType {
    return this.#builder.type(value);
  }

  /** A value whose type passes, or a new input of one of the types. */
  value(passes: (type: TensorType) => boolean, fallback: () => TensorType): string {
    const fitting = this.#values.filter((name) => passes(this.type(name)));
    // The latest first, so that a graph shrinks to a chain.
    if (fitting.length > 0 && !this.choices.once(8)) return this.choices.pick([...fitting].reverse());
    return this.#remember(this.#builder.input(`x${this.#values.length}`, fallback()));
  }

  constant(type: TensorType, contents: Contents = 'ordinary'): string {
    return this.#builder.constant(`c${this.#made++}`, randomTensor(type, this.choices.below(2 ** 30), this.#options.contents ?? contents));
  }

  element(): ElementType {
    return this.choices.pick(this.#options.elements ?? COMPUTED);
  }

  layout(): 'nchw' | 'nhwc' {
    return this.choices.pick(this.#options.layouts ?? ['nchw', 'nhwc']);
  }

  shape(rank: number, most = 5): number[] {
    return Array.from({ length: rank }, () => this.choices.between(1, most));
  }

  /** Adds one op if its proposal fits; what a proposal got wrong is left out. */
  add(op: OpName): void {
    const { inputs, attributes } = PROPOSALS[op](this);
    const origin = this.choices.once(3) ? [] : [`node "${this.#made}"`];
    try {
      const value = this.#builder.op(op, inputs, attributes, { name: `${op}_${this.#made++}`, origin });
      for (const input of inputs) this.#unused.delete(input);
      if (elementCount(this.type(value).shape) <= MAX_ELEMENTS) this.#remember(value);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
    }
  }

  finish(): Graph {
    const last = this.#values.at(-1) ?? this.#remember(this.#builder.input('x', tensorType('f32', [1])));
    const outputs = [...this.#unused].filter((value) => value === last || !this.choices.once(4));
    for (const [i, value] of outputs.entries()) this.#builder.output(`out:${i}`, value);
    return this.#builder.build('imported');
  }

  #remember(value: string): string {
    this.#values.push(value);
    this.#unused.add(value);
    return value;
  }
}

type Passes = (type: TensorType) => boolean;

const isFloat: Passes = ({ element }) => element === 'f32';
const isArithmetic: Passes = ({ element }) => isFloatElement(element) || isFixed(element);
const isTensorScaled: Passes = ({ element }) => isQuantized(element) && quantizationOf(element).axis === undefined;
/** What stands for real numbers in order. */
const isOrdered: Passes = (type) => isArithmetic(type) || isTensorScaled(type);

/** An element type of the options that passes, or f32. */
function element(sketch: Sketch, passes: Passes): ElementType {
  const drawn = sketch.element();
  return passes(tensorType(drawn, [])) ? drawn : 'f32';
}

/** A value that passes, of any rank. */
function anyValue(sketch: Sketch, passes: Passes): string {
  return sketch.value(passes, () => {
    const { choices } = sketch;
    const type = tensorType(element(sketch, passes), sketch.shape(choices.between(0, 4)));
    const channelled = isQuantized(type.element) && type.shape.length > 0 && choices.once(3) ? perChannel(choices, type.shape) : type;
    return passes(channelled) ? channelled : type;
  });
}

/** A type with a scale for each index along a dimension, which is drawn unless given. */
function perChannel(choices: Choices, shape: readonly number[], axis = choices.below(shape.length)): TensorType {
  const scales = Array.from({ length: shape[axis] ?? 1 }, () => Math.fround(choices.between(1, 40) / 100));
  return tensorType(quantized({ scales, zeroPoint: 0, axis }), shape);
}

/** A quantized type with one scale. */
function tensorScaled(choices: Choices): ElementType {
  return quantized({ scales: [Math.fround(choices.between(1, 40) / 64)], zeroPoint: choices.between(-128, 127) });
}

/** The attribute `result` of an op on an element type: what sums, means and products of quantized operands must have. */
function resultOf(choices: Choices, operand: ElementType): Attributes {
  return isQuantized(operand) ? { result: tensorScaled(choices) } : {};
}

/** Type of the weights that operands of an element type multiply with; `axis` is that of the output channels. */
function weightsOf(choices: Choices, operand: ElementType, shape: readonly number[], axis: number): TensorType {
  if (isFixed(operand)) return tensorType(fixed16(choices.between(4, 8)), shape);
  if (!isQuantized(operand)) return tensorType(operand, shape);
  return choices.once(2) ? tensorType('i8<0.125>', shape) : perChannel(choices, shape, axis);
}

/** Element type of the bias of a product. */
function biasElement(operand: ElementType): ElementType {
  if (isFixed(operand)) return 'i64';
  return isQuantized(operand) ? 'i32' : 'f32';
}

/** The attributes in which a product of operands and weights ends. */
function productEnd(choices: Choices, operand: ElementType, weights: ElementType): Attributes {
  if (choices.once(4)) return { result: 'f32' };
  const end = { ...activation(choices), ...resultOf(choices, operand) };
  return isFixed(operand) && isFixed(weights)
    ? { ...end, result: fixed16(Math.min(15, choices.below(fractionBits(operand) + fractionBits(weights)))) }
    : end;
}

/** One operand of any type that stands for real numbers in order. */
const unary: Propose = (sketch) => ({ inputs: [anyValue(sketch, isOrdered)] });

/** Two operands: the second of the first one's type, or a constant that broadcasts. */
const binary: Propose = (sketch) => {
  const { choices } = sketch;
  const a = anyValue(sketch, isArithmetic);
  const { element, shape } = sketch.type(a);
  const same = (type: TensorType): boolean => type.element === element && type.shape.join() === shape.join();
  const small = shape.slice(choices.between(0, shape.length)).map((d) => (choices.once(3) ? 1 : d));
  const b = choices.once(2) ? sketch.value(same, () => tensorType(element, shape)) : sketch.constant(tensorType(element, small));
  return { inputs: choices.once(4) ? [b, a] : [a, b] };
};

/** A sum of quantized operands, of one shape. */
const quantizedSum: Propose = (sketch) => {
  const { choices } = sketch;
  const a = anyValue(sketch, isTensorScaled);
  const { shape } = sketch.type(a);
  const fits: Passes = (type) => isTensorScaled(type) && type.shape.join() === shape.join();
  const other = tensorType(tensorScaled(choices), shape);
  const b = choices.once(2) ? sketch.value(fits, () => other) : sketch.constant(other);
  return { inputs: [a, b], attributes: { ...activation(choices), result: tensorScaled(choices) } };
};

const moved: Propose = (sketch) => ({ inputs: [anyValue(sketch, () => true)] });

/** One f32 operand. */
const floating: Propose = (sketch) => ({ inputs: [anyValue(sketch, isFloat)] });

/** A value of four dimensions that passes. */
function image(sketch: Sketch, passes: Passes = isFloat): string {
  return sketch.value(
    (type) => passes(type) && type.shape.length === 4,
    () => tensorType(element(sketch, passes), [sketch.choices.between(1, 2), ...sketch.shape(3, 7)]),
  );
}

/** Bounds of a clip, the lower one rarely above the upper one. */
function bounds(choices: Choices): [number, number] {
  const low = choices.between(-8, 4) / 4;
  return [low, low + choices.between(-1, 8) / 4];
}

function activation(choices: Choices): Attributes {
  const name = choices.pick(['none', 'relu', 'clip']);
  if (name !== 'clip') return { activation: name };
  const [activation_min, activation_max] = bounds(choices);
  return { activation: name, activation_min, activation_max };
}

/** Strides, padding and dilations of windows over an image; padding is at most `most`. */
function windows(choices: Choices, most: number): Attributes {
  return {
    strides: [choices.between(1, 3), choices.between(1, 3)],
    pads: Array.from({ length: 4 }, () => choices.between(0, most)),
    dilations: [choices.between(1, 2), choices.between(1, 2)],
  };
}

const PROPOSALS: Readonly<Record<OpName, Propose>> = {
  add: (sketch) => {
    if (isQuantized(sketch.element())) return quantizedSum(sketch);
    const sum = binary(sketch);
    return { ...sum, attributes: activation(sketch.choices) };
  },
  sub: binary,
  mul: binary,
  div: binary,
  relu: unary,
  clip: (sketch) => {
    const [min, max] = bounds(sketch.choices);
    return { ...unary(sketch), attributes: { min, max } };
  },
  identity: moved,
  quantize: (sketch) => ({
    inputs: [anyValue(sketch, isFloat)],
    attributes: { to: sketch.choices.pick([fixed16(sketch.choices.below(16)), tensorScaled(sketch.choices)]) },
  }),
  cast: (sketch) => ({
    inputs: [anyValue(sketch, ({ element }) => isFloatElement(element))],
    attributes: { to: sketch.choices.pick<ElementType>(['f32', 'f16', 'bf16', 'f8e4m3', 'f8e5m2']) },
  }),
  requantize: (sketch) => ({
    inputs: [sketch.value(isTensorScaled, () => tensorType('i8<0.5,3>', sketch.shape(2)))],
    attributes: { to: tensorScaled(sketch.choices) },
  }),
  dequantize: (sketch) => ({
    inputs: [
      sketch.value(
        (type) => isFixed(type.element) || isTensorScaled(type),
        () => tensorType(sketch.choices.pick(['fx16.8', 'i8<0.5,3>']), sketch.shape(2)),
      ),
    ],
  }),
  flatten: (sketch) => {
    const { inputs } = moved(sketch);
    const rank = sketch.type(inputs[0] ?? '').shape.length;
    return { inputs, attributes: { axis: sketch.choices.between(-rank, rank) } };
  },
  reshape: (sketch) => {
    const { inputs } = moved(sketch);
    const { shape } = sketch.type(inputs[0] ?? '');
    const split = sketch.choices.below(shape.length + 1);
    return { inputs, attributes: { shape: [elementCount(shape.slice(0, split)), 1, ...shape.slice(split)] } };
  },
  sigmoid: floating,
  tanh: floating,
  softmax: (sketch) => {
    const x = sketch.value(
      (type) => isFloat(type) && type.shape.length > 0,
      () => tensorType('f32', sketch.shape(sketch.choices.between(1, 4))),
    );
    const rank = sketch.type(x).shape.length;
    return { inputs: [x], attributes: { axis: sketch.choices.between(-rank, rank - 1) } };
  },
  lrn: (sketch) => ({
    inputs: [image(sketch)],
    attributes: { size: sketch.choices.between(1, 5), alpha: sketch.choices.between(1, 8) / 8, bias: 1, layout: sketch.layout() },
  }),
  concat: (sketch) => {
    const { choices } = sketch;
    const x = sketch.value(
      ({ shape }) => shape.length > 0,
      () => tensorType(sketch.element(), sketch.shape(choices.between(1, 4))),
    );
    const { element, shape } = sketch.type(x);
    const axis = choices.below(shape.length);
    // Where a dimension has scales of its own, they fit its extent.
    const isScaled = isQuantized(element) && quantizationOf(element).axis === axis;
    const other = choices.once(2) || isScaled ? x : sketch.constant(tensorType(element, shape.with(axis, choices.between(1, 3))));
    const inputs = choices.pick([[x], [x, other], [other, x]]);
    return { inputs, attributes: { axis: choices.once(2) ? axis - shape.length : axis } };
  },
  pad: (sketch) => {
    const { choices } = sketch;
    const { inputs } = unary(sketch);
    const rank = sketch.type(inputs[0] ?? '').shape.length;
    const pads = Array.from({ length: 2 * rank }, () => (choices.once(3) ? choices.between(1, 2) : 0));
    return { inputs, attributes: { pads, value: choices.once(2) ? 0 : choices.between(-4, 4) / 4 } };
  },
  'average-pool': (sketch) => {
    const { choices } = sketch;
    const kernel = [choices.between(1, 3), choices.between(1, 3)];
    const modes = { ceil_mode: choices.once(2), count_include_pad: choices.once(2) };
    const x = image(sketch, isOrdered);
    const attributes = { ...windows(choices, 1), kernel, layout: sketch.layout(), ...modes, ...resultOf(choices, sketch.type(x).element) };
    return { inputs: [x], attributes };
  },
  transpose: (sketch) => {
    const { inputs } = moved(sketch);
    const rest = sketch.type(inputs[0] ?? '').shape.map((_, i) => i);
    const perm = [...rest].map(() => rest.splice(sketch.choices.below(rest.length), 1)[0] ?? 0);
    return { inputs, attributes: { perm } };
  },
  gemm: (sketch) => {
    const { choices } = sketch;
    const a = sketch.value(
      (type) => isOrdered(type) && type.shape.length === 2,
      () => tensorType(element(sketch, isOrdered), sketch.shape(2, 9)),
    );
    const { element: operand, shape } = sketch.type(a);
    const isExact = !isFloatElement(operand);
    const [trans_a, trans_b] = isExact ? [false, false] : [choices.once(2), choices.once(2)];
    const [m = 1, k = 1] = trans_a ? [...shape].reverse() : shape;
    const n = choices.between(1, 9);
    const weights = weightsOf(choices, operand, trans_b ? [n, k] : [k, n], 1);
    const b = sketch.constant(weights);
    const attributes = { trans_a, trans_b, ...productEnd(choices, operand, weights.element) };
    if (choices.once(3)) return { inputs: [a, b], attributes };
    const c = sketch.constant(tensorType(biasElement(operand), isExact ? [n] : choices.pick([[n], [m, n], [1], [m, 1], []])));
    const factors = !isExact && choices.once(2) ? { alpha: choices.between(-8, 8) / 4, beta: choices.between(-8, 8) / 4 } : {};
    return { inputs: [a, b, c], attributes: { ...attributes, ...factors } };
  },
  matmul: (sketch) => {
    const { choices } = sketch;
    const a = sketch.value(
      (type) => isFloat(type) && type.shape.length > 0,
      () => tensorType('f32', sketch.shape(choices.between(1, 4))),
    );
    const { shape } = sketch.type(a);
    const batch = choices.once(2) ? shape.slice(0, -2).map((d) => (choices.once(2) ? 1 : d)) : [];
    const b = [...batch, shape.at(-1) ?? 1, ...(choices.once(4) && batch.length === 0 ? [] : [choices.between(1, 5)])];
    return { inputs: [a, sketch.constant(tensorType('f32', b))] };
  },
  conv: (sketch) => {
    const { choices } = sketch;
    const x = image(sketch, isOrdered);
    const { element: operand, shape } = sketch.type(x);
    const layout = isFloatElement(operand) ? sketch.layout() : 'nhwc';
    const channels = shape[layout === 'nchw' ? 1 : 3] ?? 1;
    const groups = choices.pick([1, 1, channels, ...[2, 3].filter((g) => channels % g === 0)]);
    const [height, width] = [choices.between(1, 3), choices.between(1, 3)];
    const outputs = groups * choices.between(1, 3);
    const w = layout === 'nchw' ? [outputs, channels / groups, height, width] : [height, width, channels / groups, outputs];
    const weights = weightsOf(choices, operand, w, 3);
    const bias = choices.once(2) ? [] : [sketch.constant(tensorType(biasElement(operand), [outputs]))];
    const attributes = { ...windows(choices, 2), layout, groups, ...productEnd(choices, operand, weights.element) };
    return { inputs: [x, sketch.constant(weights), ...bias], attributes };
  },
  'max-pool': (sketch) => {
    const { choices } = sketch;
    const kernel = [choices.between(1, 3), choices.between(1, 3)];
    const most = Math.min(...kernel) - 1;
    return {
      inputs: [image(sketch, isOrdered)],
      attributes: { kernel, ...windows(choices, most), layout: sketch.layout(), ceil_mode: choices.once(2) },
    };
  },
  'batch-norm': (sketch) => {
    const x = sketch.value(
      (type) => isFloat(type) && type.shape.length >= 2,
      () => tensorType('f32', sketch.shape(4)),
    );
    const channels = tensorType('f32', [sketch.type(x).shape[1] ?? 1]);
    const statistics = [1, 2, 3].map(() => sketch.constant(channels));
    return { inputs: [x, ...statistics, sketch.constant(channels, 'positive')], attributes: { epsilon: sketch.choices.pick([1e-5, 4]) } };
  },
};
