/** Models of several operators in a row, with branches, as networks for images have them. */
import { elementCount } from '../../compiler/ir/types.ts';
import type { Draw, Shape, Sketch } from './sketch.ts';

/** A value under construction and its shape, N×C×H×W. */
interface Image {
  readonly value: string;
  readonly shape: Shape;
}

type Layer = (sketch: Sketch, x: Image, name: string) => Image;

const conv: Layer = (sketch, { value, shape: [n = 1, c = 1, h = 1, w = 1] }, name) => {
  const { choices } = sketch;
  const [outputs, size, separate] = [choices.between(1, 5), choices.pick([1, 3]), choices.once(4)];
  const weights = sketch.floats(separate ? [c, 1, size, size] : [outputs, c, size, size]);
  const bias = choices.once(2) ? [] : [sketch.floats([separate ? c : outputs])];
  const pad = (size - 1) / 2;
  const attributes = { kernel_shape: [size, size], pads: [pad, pad, pad, pad], ...(separate && { group: c }) };
  return { value: sketch.node('Conv', [value, weights, ...bias], attributes, name), shape: [n, separate ? c : outputs, h, w] };
};

const relu: Layer = (sketch, { value, shape }, name) => ({ value: sketch.node('Relu', [value], {}, name), shape });

const normalise: Layer = (sketch, { value, shape }, name) => {
  const channels = shape.slice(1, 2);
  const statistics = [sketch.floats(channels), sketch.floats(channels), sketch.floats(channels), sketch.floats(channels, 'positive')];
  return { value: sketch.node('BatchNormalization', [value, ...statistics], {}, name), shape };
};

const pool: Layer = (sketch, { value, shape: [n = 1, c = 1, h = 1, w = 1] }, name) => {
  const operator = sketch.choices.pick(['MaxPool', 'AveragePool']);
  const kernel = [Math.min(2, h), Math.min(2, w)];
  const shape = [n, c, h - (kernel[0] ?? 1) + 1, w - (kernel[1] ?? 1) + 1];
  return { value: sketch.node(operator, [value], { kernel_shape: kernel }, name), shape };
};

/** The layer's result added to what it came from, scaled per channel. */
const residual: Layer = (sketch, x, name) => {
  const scale = sketch.floats([x.shape[1] ?? 1, 1, 1]);
  const scaled = sketch.node('Mul', [x.value, scale], {}, `${name}.scaled`);
  return { value: sketch.node('Add', [relu(sketch, x, `${name}.relu`).value, scaled], {}, name), shape: x.shape };
};

/** Two convolutions side by side. */
const fork: Layer = (sketch, x, name) => {
  const [a, b] = [conv(sketch, x, `${name}.a`), conv(sketch, x, `${name}.b`)];
  const channels = (a.shape[1] ?? 1) + (b.shape[1] ?? 1);
  return { value: sketch.node('Concat', [a.value, b.value], { axis: 1 }, name), shape: x.shape.with(1, channels) };
};

export const chains: Draw = (sketch) => {
  const { choices } = sketch;
  const shape = [choices.between(1, 2), choices.between(1, 4), choices.between(1, 8), choices.between(1, 8)];
  let x: Image = { value: sketch.input(shape), shape };
  const count = choices.between(1, 5);
  for (let i = 0; i < count; i++) x = choices.pick([conv, relu, pool, normalise, residual, fork])(sketch, x, `layer${i}`);
  const [batch = 1, ...rest] = x.shape;
  const pooled = choices.once(2);
  const features = pooled ? (x.shape[1] ?? 1) : elementCount(rest);
  const head = pooled ? sketch.node('GlobalAveragePool', [x.value], {}, 'pooled') : x.value;
  const flat = sketch.node(...flattening(sketch, head, batch, features));
  sketch.node('Gemm', [flat, sketch.floats([3, features]), sketch.floats([3])], { transB: 1 });
};

/** The forms in which exporters write it. */
function flattening(sketch: Sketch, x: string, batch: number, features: number): Parameters<Sketch['node']> {
  return sketch.choices.once(2) ? ['Reshape', [x, sketch.ints([batch, features])], {}, 'flat'] : ['Flatten', [x], {}, 'flat'];
}
