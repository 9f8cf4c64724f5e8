/** Random valid graphs: for every op of the table a way to propose operands and attributes that fit what is there already. */
import type { ElementType } from '../../runtime/numerics/element.ts';
import { isFixed } from '../../runtime/numerics/element.ts';
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
  /** Element types of the inputs; f32 and fx16.8 by default. */
  readonly elements?: readonly ElementType[];
  /** What the constants hold; ordinary numbers by default. */
  readonly contents?: Contents;
  /** Image layouts that convolutions and pooling may have; both by default. */
  readonly layouts?: readonly ('nchw' | 'nhwc')[];
}

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
    return this.choices.pick(this.#options.elements ?? ['f32', 'f32', 'fx16.8']);
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

const isArithmetic = ({ element }: TensorType): boolean => element === 'f32' || isFixed(element);
const isFloat = ({ element }: TensorType): boolean => element === 'f32';
const arithmeticElement = (sketch: Sketch): ElementType => {
  const element = sketch.element();
  return isArithmetic({ element, shape: [] }) ? element : 'f32';
};
const anyType = (sketch: Sketch): TensorType => tensorType(sketch.element(), sketch.shape(sketch.choices.between(0, 4)));
const arithmeticType = (sketch: Sketch): TensorType => tensorType(arithmeticElement(sketch), sketch.shape(sketch.choices.between(0, 4)));

/** One operand of any arithmetic type. */
const unary: Propose = (sketch) => ({ inputs: [sketch.value(isArithmetic, () => arithmeticType(sketch))] });

/** Two operands: the second of the first one's type, or a constant that broadcasts. */
const binary: Propose = (sketch) => {
  const { choices } = sketch;
  const a = sketch.value(isArithmetic, () => arithmeticType(sketch));
  const { element, shape } = sketch.type(a);
  const same = (type: TensorType): boolean => type.element === element && type.shape.join() === shape.join();
  const small = shape.slice(choices.between(0, shape.length)).map((d) => (choices.once(3) ? 1 : d));
  const b = choices.once(2) ? sketch.value(same, () => tensorType(element, shape)) : sketch.constant(tensorType(element, small));
  return { inputs: choices.once(4) ? [b, a] : [a, b] };
};

const moved: Propose = (sketch) => ({
  inputs: [
    sketch.value(
      () => true,
      () => anyType(sketch),
    ),
  ],
});

/** One f32 operand. */
const floating: Propose = (sketch) => ({
  inputs: [sketch.value(isFloat, () => tensorType('f32', sketch.shape(sketch.choices.between(0, 4))))],
});

/** An f32 value of four dimensions. */
function image(sketch: Sketch): string {
  return sketch.value(
    (type) => isFloat(type) && type.shape.length === 4,
    () => tensorType('f32', [sketch.choices.between(1, 2), ...sketch.shape(3, 7)]),
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
  add: binary,
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
    inputs: [sketch.value(isFloat, () => tensorType('f32', sketch.shape(2)))],
    attributes: { fraction: sketch.choices.below(16) },
  }),
  dequantize: (sketch) => ({
    inputs: [
      sketch.value(
        ({ element }) => isFixed(element),
        () => tensorType('fx16.8', sketch.shape(2)),
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
    const other = choices.once(2) ? x : sketch.constant(tensorType(element, shape.with(axis, choices.between(1, 3))));
    const inputs = choices.pick([[x], [x, other], [other, x]]);
    return { inputs, attributes: { axis: choices.once(2) ? axis - shape.length : axis } };
  },
  pad: (sketch) => {
    const { choices } = sketch;
    const { inputs } = floating(sketch);
    const rank = sketch.type(inputs[0] ?? '').shape.length;
    const pads = Array.from({ length: 2 * rank }, () => (choices.once(3) ? choices.between(1, 2) : 0));
    return { inputs, attributes: { pads, value: choices.once(2) ? 0 : choices.between(-4, 4) / 4 } };
  },
  'average-pool': (sketch) => {
    const { choices } = sketch;
    const kernel = [choices.between(1, 3), choices.between(1, 3)];
    const modes = { ceil_mode: choices.once(2), count_include_pad: choices.once(2) };
    return { inputs: [image(sketch)], attributes: { ...windows(choices, 1), kernel, layout: sketch.layout(), ...modes } };
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
      (type) => isArithmetic(type) && type.shape.length === 2,
      () => tensorType(arithmeticElement(sketch), sketch.shape(2, 9)),
    );
    const { element, shape } = sketch.type(a);
    const [trans_a, trans_b] = [choices.once(2), choices.once(2)];
    const [m = 1, k = 1] = trans_a ? [...shape].reverse() : shape;
    const n = choices.between(1, 9);
    const b = sketch.constant(tensorType(element, trans_b ? [n, k] : [k, n]));
    const attributes = { trans_a, trans_b, ...activation(choices) };
    if (isFixed(element) || choices.once(3)) return { inputs: [a, b], attributes };
    const c = sketch.constant(tensorType(element, choices.pick([[n], [m, n], [1], [m, 1], []])));
    return {
      inputs: [a, b, c],
      attributes: choices.once(2) ? { ...attributes, alpha: choices.between(-8, 8) / 4, beta: choices.between(-8, 8) / 4 } : attributes,
    };
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
    const layout = sketch.layout();
    const x = sketch.value(
      (type) => isFloat(type) && type.shape.length === 4,
      () => tensorType('f32', [choices.between(1, 2), ...sketch.shape(3, 7)]),
    );
    const channels = sketch.type(x).shape[layout === 'nchw' ? 1 : 3] ?? 1;
    const groups = choices.pick([1, 1, channels, ...[2, 3].filter((g) => channels % g === 0)]);
    const [height, width] = [choices.between(1, 3), choices.between(1, 3)];
    const outputs = groups * choices.between(1, 3);
    const w = layout === 'nchw' ? [outputs, channels / groups, height, width] : [height, width, channels / groups, outputs];
    const bias = choices.once(2) ? [] : [sketch.constant(tensorType('f32', [outputs]))];
    const attributes = { ...windows(choices, 2), layout, groups, ...activation(choices) };
    return { inputs: [x, sketch.constant(tensorType('f32', w)), ...bias], attributes };
  },
  'max-pool': (sketch) => {
    const { choices } = sketch;
    const x = sketch.value(
      (type) => isArithmetic(type) && type.shape.length === 4,
      () => tensorType(arithmeticElement(sketch), [choices.between(1, 2), ...sketch.shape(3, 7)]),
    );
    const kernel = [choices.between(1, 3), choices.between(1, 3)];
    return {
      inputs: [x],
      attributes: { kernel, ...windows(choices, Math.min(...kernel) - 1), layout: sketch.layout(), ceil_mode: choices.once(2) },
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
