/**
 * Random ONNX models with what real ones have at their edges: several inputs, tapped outputs, outputs that are images, inputs, constants, views or equal
 * to another, conversions in pairs at the edges and in the middle, residual sums, concatenations, names that are no identifiers. One list of decisions is
 * one model, in any opset from 7 to 21.
 */
import { elementCount } from '../../compiler/ir/types.ts';
import type { Attributes, Shape } from '../differential/sketch.ts';
import { Sketch } from '../differential/sketch.ts';
import { Choices } from './choices.ts';
import { Dice } from './files/mutate.ts';
import type { ModelSpec, NodeSpec, TensorSpec, ValueSpec } from './onnx-builder.ts';

export const OPSETS = { first: 7, last: 21 } as const;

/** Decisions of one model; further ones are the first alternatives, which end it. */
const DECISIONS = 400;
const MOST_LAYERS = 9;
/** Larger values are not built upon. */
const MOST_ELEMENTS = 600;

/** TensorProto.DataType. */
const TYPES = { u8: 2, i8: 3, i16: 5, f16: 10, bf16: 16, f8e4m3: 17, f8e5m2: 19 } as const;

/** Names of inputs and outputs as exporters and people write them. */
const NAMES = [
  'x',
  'y',
  'serving_default_x:0',
  'StatefulPartitionedCall:0',
  'input/0',
  '1',
  'a b',
  'Größe',
  'x.1',
  '%y',
  '"q"',
  'out\\0',
  '_',
  'i8',
];

/** A value that is f32, which layers can be put on. */
interface Value {
  readonly name: string;
  readonly shape: Shape;
}

/** The decisions of a model that has a number. Models of different numbers have nothing in common. */
export function decisionsOf(seed: number): readonly number[] {
  const dice = new Dice(seed);
  return Array.from({ length: DECISIONS }, () => dice.below(2 ** 30));
}

export function randomModel(decisions: readonly number[]): ModelSpec {
  const choices = new Choices(decisions);
  const sketch = new ModelSketch(choices, choices.between(OPSETS.first, OPSETS.last));
  const layers = choices.between(0, MOST_LAYERS);
  for (let i = 0; i < layers; i++) addLayer(sketch);
  addOutputs(sketch);
  return sketch.model();
}

class ModelSketch extends Sketch {
  readonly values: Value[] = [];
  readonly outputs: ValueSpec[] = [];
  /** Whether elements are converted to other types and back. */
  readonly converts: boolean;
  #made = 0;

  constructor(choices: Choices, opset: number) {
    super(choices, opset);
    this.converts = choices.once(4);
    const count = choices.pick([1, 1, 1, 2, 3]);
    for (let i = 0; i < count; i++) this.newInput();
  }

  newInput(shape: Shape = inputShape(this.choices)): Value {
    const x = this.remember({ name: this.input(shape), shape });
    return this.converts && this.choices.once(2) ? convertedBothWays(this, x) : x;
  }

  /** An operator's result. */
  op(operator: string, inputs: readonly string[], shape: Shape, attributes: Attributes = {}): Value {
    return this.remember({ name: this.hidden(operator, inputs, attributes), shape });
  }

  /** A node whose result no layer is put on. */
  hidden(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.node(operator, inputs, attributes, `v${this.#made++}`);
  }

  /** Constant floats, of some of which exporters leave more to be desired. */
  weights(dims: Shape): string {
    const { choices, opset } = this;
    const count = elementCount(dims);
    switch (choices.below(12)) {
      case 8:
        return this.constant({ dims, data: new Float32Array(count).fill(choices.pick([0, 1, -0.75])) });
      case 9:
        return this.floats(dims, 'positive');
      case 10: {
        // Rows of zeros.
        const row = Math.max(1, count / (dims[0] ?? 1));
        return this.constant({ dims, data: Float32Array.from({ length: count }, (_, i) => (Math.floor(i / row) % 2 ? 0.5 - (i % 3) : 0)) });
      }
      case 11: {
        if (opset < 10) return this.floats(dims);
        const data = Int8Array.from({ length: count }, (_, i) => ((i * 37 + choices.below(2)) % 255) - 127);
        return this.hidden('DequantizeLinear', [
          this.constant({ dims, data }),
          this.scalar(1 / 128),
          this.constant({ dims: [], data: new Int8Array(1) }),
        ]);
      }
      default:
        return this.floats(dims);
    }
  }

  remember(value: Value): Value {
    if (elementCount(value.shape) <= MOST_ELEMENTS) this.values.push(value);
    return value;
  }

  /** A value that fits, recent ones more often. */
  value(fits: (value: Value) => boolean): Value | undefined {
    const fitting = this.values.filter(fits);
    if (fitting.length === 0) return undefined;
    return this.choices.once(3) ? this.choices.pick(fitting) : fitting.at(-1);
  }

  override model(): ModelSpec {
    return renamed({ ...super.model(), outputs: this.outputs }, this.choices);
  }
}

function inputShape(choices: Choices): Shape {
  const small = (most: number): number => choices.between(1, most);
  return choices.pick([
    [small(2), small(4), small(6), small(6)],
    [small(2), small(4), small(6), small(6)],
    [small(2), small(4), small(6), small(6)],
    [small(3), small(9)],
    [small(3), small(9)],
    [small(2), small(3), small(5)],
    [small(7)],
  ]);
}

/** Gives inputs and outputs other names, everywhere. */
function renamed(spec: ModelSpec, choices: Choices): ModelSpec {
  const names = [...NAMES];
  const given = new Map<string, string>();
  for (const { name } of [...(spec.inputs ?? []), ...(spec.outputs ?? [])])
    if (!given.has(name) && choices.once(2)) given.set(name, names.splice(choices.below(names.length), 1)[0] ?? name);
  const to = (name: string): string => given.get(name) ?? name;
  const named = <T extends { readonly name?: string }>(each: T): T => (each.name === undefined ? each : { ...each, name: to(each.name) });
  const nodes = spec.nodes.map((node): NodeSpec => ({ ...node, inputs: node.inputs.map(to), outputs: node.outputs.map(to) }));
  return {
    ...spec,
    nodes,
    inputs: (spec.inputs ?? []).map(named),
    outputs: (spec.outputs ?? []).map(named),
    initializers: (spec.initializers ?? []).map((each: TensorSpec) => named(each)),
  };
}

/** Puts something on a value that the sketch has; undefined where it does not fit. */
type Layer = (sketch: ModelSketch, x: Value) => Value | undefined;

const unary =
  (operator: string): Layer =>
  (sketch, { name, shape }) =>
    sketch.op(operator, [name], shape);

const clip: Layer = (sketch, { name, shape }) => {
  const [low, high] = [sketch.choices.pick([-0.5, 0, 0.25]), sketch.choices.pick([0.5, 6])];
  if (sketch.opset < 11) return sketch.op('Clip', [name], shape, { min: { float: low }, max: { float: high } });
  return sketch.op('Clip', [name, sketch.scalar(low), sketch.scalar(high)], shape);
};

/** With a constant: a number, one for each channel, a row, or of the whole shape. */
const withConstant: Layer = (sketch, { name, shape }) => {
  const { choices } = sketch;
  const channels = shape.length > 2 ? [shape[1] ?? 1, ...shape.slice(2).map(() => 1)] : shape.slice(-1);
  const operator = choices.pick(['Add', 'Mul', 'Sub', 'Add', 'Mul', 'Div']);
  const dims = choices.pick([channels, channels, [], [1], shape, shape.slice(-1)]);
  if (operator === 'Div') return sketch.op('Div', [name, sketch.floats(dims, 'positive')], shape);
  const constant = sketch.weights(dims);
  return sketch.op(operator, choices.once(3) ? [constant, name] : [name, constant], shape);
};

/** With another value of the same shape, or one that broadcasts. */
const residual: Layer = (sketch, x) => {
  const { choices } = sketch;
  const { shape } = x;
  const same = (): Value => sketch.value((other) => other.shape.join() === shape.join()) ?? x;
  if (choices.once(12)) {
    const other = sketch.value(
      (value) => value !== x && value.shape.length > 0 && shape.slice(-value.shape.length).join() === value.shape.join(),
    );
    if (other) return sketch.op('Add', [x.name, other.name], shape);
  }
  if (choices.once(4)) return sketch.op('Sum', [x.name, ...Array.from({ length: choices.below(3) }, () => same().name)], shape);
  return sketch.op(choices.pick(['Add', 'Add', 'Mul', 'Sub']), [x.name, same().name], shape);
};

const conv: Layer = (sketch, { name, shape }) => {
  const { choices } = sketch;
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  if (shape.length !== 4) return undefined;
  const group = choices.pick([1, 1, 1, c, c % 2 === 0 ? 2 : 1]);
  const outputs = group * choices.between(1, 4);
  const [kh, kw] = choices
    .pick([
      [1, 1],
      [3, 3],
      [3, 3],
      [1, 3],
      [2, 2],
    ])
    .map((k, i) => Math.min(k, (i === 0 ? h : w) + 2)) as [number, number];
  const [stride, pad] = [choices.pick([1, 1, 2]), choices.pick([1, 1, 0])];
  const [oh, ow] = [Math.floor((h + 2 * pad - kh) / stride) + 1, Math.floor((w + 2 * pad - kw) / stride) + 1];
  if (oh < 1 || ow < 1) return undefined;
  const bias = choices.once(2) ? [sketch.weights([outputs])] : [];
  const attributes = { group, strides: [stride, stride], pads: [pad, pad, pad, pad] };
  return sketch.op('Conv', [name, sketch.weights([outputs, c / group, kh, kw]), ...bias], [n, outputs, oh, ow], attributes);
};

const normalise: Layer = (sketch, { name, shape }) => {
  if (shape.length < 2) return undefined;
  const channels = [shape[1] ?? 1];
  const variance = sketch.choices.once(6)
    ? sketch.constant({ dims: channels, data: new Float32Array(channels[0] ?? 1) })
    : sketch.floats(channels, 'positive');
  const operands = [name, sketch.weights(channels), sketch.floats(channels), sketch.floats(channels), variance];
  return sketch.op('BatchNormalization', operands, shape, { epsilon: { float: 0.01 } });
};

const pool: Layer = (sketch, { name, shape }) => {
  const { choices } = sketch;
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  if (shape.length !== 4) return undefined;
  if (choices.once(4)) return sketch.op(choices.pick(['GlobalAveragePool', 'GlobalMaxPool']), [name], [n, c, 1, 1]);
  const kernel = [Math.min(choices.between(1, 3), h), Math.min(choices.between(1, 3), w)];
  const [stride, pad] = [choices.pick([1, 2]), choices.once(3) && kernel.every((k) => k > 1) ? 1 : 0];
  const extent = (size: number, k = 1): number => Math.floor((size + 2 * pad - k) / stride) + 1;
  const attributes = { kernel_shape: kernel, strides: [stride, stride], pads: [pad, pad, pad, pad] };
  return sketch.op(choices.pick(['MaxPool', 'AveragePool']), [name], [n, c, extent(h, kernel[0]), extent(w, kernel[1])], attributes);
};

const mean: Layer = (sketch, { name, shape }) => {
  if (shape.length !== 4) return undefined;
  const keeps = sketch.choices.once(2);
  const { operands, attributes } = sketch.attributeUpTo(17, 'axes', [2, 3]);
  return sketch.op('ReduceMean', [name, ...operands], [...shape.slice(0, 2), ...(keeps ? [1, 1] : [])], {
    ...attributes,
    keepdims: Number(keeps),
  });
};

/** With one value or two of the same shape but for one dimension, or a constant. */
const concat: Layer = (sketch, x) => {
  const { choices } = sketch;
  const { shape } = x;
  if (shape.length === 0) return undefined;
  const axis = choices.once(2) ? choices.below(shape.length) : Math.min(1, shape.length - 1);
  const fits = (other: Value): boolean => other.shape.length === shape.length && shape.every((d, i) => i === axis || d === other.shape[i]);
  const parts = Array.from({ length: choices.between(1, 2) }, () => {
    if (choices.once(6)) return { name: sketch.weights(shape), shape };
    return sketch.value(fits) ?? x;
  });
  const all = choices.once(3) ? [...parts, x] : [x, ...parts];
  const extent = all.reduce((sum, part) => sum + (part.shape[axis] ?? 1), 0);
  return sketch.op(
    'Concat',
    all.map(({ name }) => name),
    shape.with(axis, extent),
    { axis },
  );
};

const flatten: Layer = (sketch, { name, shape }) => {
  const axis = sketch.choices.once(3) ? sketch.choices.between(0, shape.length) : Math.min(1, shape.length);
  return sketch.op('Flatten', [name], [elementCount(shape.slice(0, axis)), elementCount(shape.slice(axis))], { axis });
};

const reshape: Layer = (sketch, { name, shape }) => {
  const { choices } = sketch;
  const count = elementCount(shape);
  const [head = 1] = shape;
  const wanted = choices.pick([[head, count / head], [count], [1, count, 1, 1], [head, 1, count / head], [1, ...shape].slice(0, 4)]);
  return elementCount(wanted) === count ? sketch.op('Reshape', [name, sketch.ints(wanted)], wanted) : undefined;
};

const squeeze: Layer = (sketch, { name, shape }) => {
  const axis = shape.lastIndexOf(1);
  const removes = axis >= 0 && shape.length > 1;
  const { operands, attributes } = sketch.attributeUpTo(12, 'axes', [removes ? axis : 0]);
  if (removes) return sketch.op('Squeeze', [name, ...operands], shape.toSpliced(axis, 1), attributes);
  return shape.length < 4 ? sketch.op('Unsqueeze', [name, ...operands], [1, ...shape], attributes) : undefined;
};

const transpose: Layer = (sketch, { name, shape }) => {
  const { choices } = sketch;
  const rest = shape.map((_, i) => i);
  const drawn = [...rest].map(() => rest.splice(choices.below(rest.length), 1)[0] ?? 0);
  const perm = shape.length === 4 ? choices.pick([[0, 2, 3, 1], [0, 3, 1, 2], drawn]) : drawn;
  return sketch.op(
    'Transpose',
    [name],
    perm.map((axis) => shape[axis] ?? 1),
    { perm },
  );
};

const product: Layer = (sketch, { name, shape }) => {
  const { choices } = sketch;
  const [k = 1, n] = [shape.at(-1), choices.between(1, 6)];
  if (shape.length === 2 && choices.once(2)) {
    const transB = choices.below(2);
    const operands = [name, sketch.weights(transB ? [n, k] : [k, n]), sketch.weights([n])];
    return sketch.op('Gemm', operands, [shape[0] ?? 1, n], { transB });
  }
  return shape.length < 2 ? undefined : sketch.op('MatMul', [name, sketch.weights([k, n])], shape.with(-1, n));
};

/** Of the last dimension, before opset 13 with those behind the axis as one. */
const softmax: Layer = (sketch, { name, shape }) =>
  shape.length === 0 ? undefined : sketch.op('Softmax', [name], shape, { axis: shape.length - 1 });

const pad: Layer = (sketch, { name, shape }) => {
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  if (shape.length !== 4) return undefined;
  const pads = [0, 0, 1, 0, 0, 0, 0, 1];
  const padded = [n, c, h + 1, w + 1];
  if (sketch.opset < 11) return sketch.op('Pad', [name], padded, { pads });
  return sketch.op('Pad', [name, sketch.ints(pads)], padded);
};

const localNormalise: Layer = (sketch, { name, shape }) =>
  shape.length === 4 ? sketch.op('LRN', [name], shape, { size: 3, alpha: { float: 0.1 } }) : undefined;

/** The layers, those more often that networks have more often. */
const LAYERS: readonly (readonly [layer: Layer, weight: number])[] = [
  [unary('Relu'), 4],
  [conv, 5],
  [withConstant, 4],
  [residual, 5],
  [concat, 3],
  [pool, 3],
  [product, 3],
  [normalise, 2],
  [transpose, 2],
  [reshape, 1],
  [flatten, 1],
  [squeeze, 1],
  [clip, 1],
  [mean, 1],
  [unary('Sigmoid'), 1],
  [unary('Tanh'), 1],
  [unary('Identity'), 1],
  [unary('Dropout'), 1],
  [softmax, 1],
  [pad, 1],
  [localNormalise, 1],
];
const WEIGHTED = LAYERS.flatMap(([layer, weight]) => new Array<Layer>(weight).fill(layer));

function addLayer(sketch: ModelSketch): void {
  const { choices } = sketch;
  if (sketch.converts && choices.once(4)) convertedBothWays(sketch, lastOf(sketch));
  const x = sketch.value(() => true) ?? sketch.newInput();
  choices.pick(WEIGHTED)(sketch, x);
}

function lastOf({ values }: ModelSketch): Value {
  const last = values.at(-1);
  if (!last) throw new Error('there is no value');
  return last;
}

/** Converted to a narrow type: the value's name, its type, and the node that converts back. */
interface Converted {
  readonly name: string;
  readonly dataType: number;
  readonly back: (name: string, shape: Shape) => Value;
}

function converted(sketch: ModelSketch, { name }: Value): Converted {
  const { choices, opset } = sketch;
  if (opset >= 10 && !choices.once(2)) {
    const integers = choices.pick(opset >= 21 ? (['u8', 'i8', 'i16'] as const) : (['u8', 'i8'] as const));
    const scale = sketch.scalar(integers === 'i16' ? 2 ** -choices.between(8, 14) : choices.pick([1 / 64, 1 / 16, 0.03, 0.011]));
    const zero = integers === 'i16' ? 0 : choices.pick(integers === 'u8' ? [128, 0, 100, 255] : [0, -128, 5]);
    const data = { u8: Uint8Array, i8: Int8Array, i16: Int16Array }[integers].of(zero);
    const point = sketch.constant({ dims: [], data });
    return {
      name: sketch.hidden('QuantizeLinear', [name, scale, point]),
      dataType: TYPES[integers],
      back: (value, shape) => sketch.op('DequantizeLinear', [value, scale, point], shape),
    };
  }
  const floats = (['f16', 'f16', 'bf16', 'f8e4m3', 'f8e5m2'] as const).slice(0, opset >= 19 ? 5 : opset >= 13 ? 3 : 2);
  const to = TYPES[choices.pick(floats)];
  return {
    name: sketch.hidden('Cast', [name], { to }),
    dataType: to,
    back: (value, shape) => sketch.op('Cast', [value], shape, { to: 1 }),
  };
}

/** Through a narrow type, in which it may be moved. */
function convertedBothWays(sketch: ModelSketch, x: Value): Value {
  const { choices } = sketch;
  const { name, dataType, back } = converted(sketch, x);
  const { length } = x.shape;
  // Floats of 8 bits are not moved by ONNX's operators.
  const isMoved = dataType !== TYPES.f8e4m3 && dataType !== TYPES.f8e5m2;
  if (!isMoved || !choices.once(4) || length < 2) return back(name, x.shape);
  const perm = x.shape.map((_, i) => (i + 1) % length);
  return back(
    sketch.hidden('Transpose', [name], { perm }),
    perm.map((axis) => x.shape[axis] ?? 1),
  );
}

function addOutputs(sketch: ModelSketch): void {
  const { choices } = sketch;
  const tapped = [lastOf(sketch), ...Array.from({ length: choices.pick([0, 0, 1, 1, 2, 3]) }, () => choices.pick(sketch.values))];
  for (const each of tapped) addOutput(sketch, each);
  if (choices.once(10)) output(sketch, sketch.constant({ dims: [2, 3], data: Float32Array.of(1, -2, 3, 0, 0.5, 7) }));
}

/** A value or what ends of networks do with it: a view, another order, a conversion, the same once more. */
function addOutput(sketch: ModelSketch, value: Value): void {
  const { choices } = sketch;
  let x = value;
  const steps = choices.pick([0, 0, 0, 1, 1, 2]);
  for (let i = 0; i < steps; i++) {
    const step = choices.pick<Layer>([
      flatten,
      transpose,
      reshape,
      unary('Identity'),
      squeeze,
      sketch.converts ? convertedBothWays : unary('Relu'),
    ]);
    x = step(sketch, x) ?? x;
  }
  if (sketch.converts && choices.once(6)) {
    const { name, dataType, back } = converted(sketch, x);
    // What calls onnxruntime here has no arrays of these.
    const isForeign = [TYPES.bf16, TYPES.f8e4m3, TYPES.f8e5m2].some((type) => type === dataType);
    if (isForeign) output(sketch, back(name, x.shape).name);
    else output(sketch, name, dataType);
  } else output(sketch, x.name);
}

function output(sketch: ModelSketch, name: string, dataType = 1): void {
  const isTaken = sketch.outputs.some((each) => each.name === name);
  sketch.outputs.push({ name: isTaken ? sketch.hidden('Identity', [name]) : name, dataType });
}
