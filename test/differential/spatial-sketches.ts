/** For every operator on images, how to draw a model of it. */
import type { Choices } from '../support/choices.ts';
import type { Attributes, Draw, Shape, Sketch } from './sketch.ts';

const image = ({ choices }: Sketch): Shape => [choices.between(1, 2), choices.between(1, 6), choices.between(1, 9), choices.between(1, 9)];

const pair = (choices: Choices, most: number): [number, number] => [choices.between(1, most), choices.between(1, most)];

/** The forms of padding: explicit ones of up to `most`, or automatic ones. */
function padding(choices: Choices, most: readonly number[]): Attributes {
  const explicit = { pads: [0, 1, 2, 3].map((i) => choices.between(0, most[i % 2] ?? 0)) };
  return choices.pick<Attributes>([{}, explicit, explicit, { auto_pad: 'VALID' }, { auto_pad: 'SAME_LOWER' }, { auto_pad: 'SAME_UPPER' }]);
}

/** A window of a pool that fits into the image; onnxruntime rounds negative counts of windows in ways of its own. */
function pool(
  sketch: Sketch,
  [, , h = 1, w = 1]: Shape,
  { ceilFrom, dilationsFrom }: { ceilFrom: number; dilationsFrom: number },
): Attributes {
  const { choices, opset } = sketch;
  const kernel = [Math.min(choices.between(1, 4), h), Math.min(choices.between(1, 4), w)];
  const pads = padding(
    choices,
    kernel.map((k) => k - 1),
  );
  const automatic = 'auto_pad' in pads;
  // onnxruntime refuses automatic padding that would have to be negative; the specification takes 0 instead.
  const strides = pair(choices, 3).map((stride, i) => (automatic ? Math.min(stride, kernel[i] ?? 1) : stride));
  const dilations = pair(choices, 2).map((d, i) => ((kernel[i] ?? 1) * d <= ([h, w][i] ?? 1) ? d : 1));
  return {
    kernel_shape: kernel,
    ...(!choices.once(3) && { strides }),
    ...pads,
    ...(opset >= ceilFrom && !automatic && choices.once(2) && { ceil_mode: 1 }),
    ...(opset >= dilationsFrom && !automatic && choices.once(2) && { dilations }),
  };
}

export const SPATIAL_SKETCHES: Readonly<Record<string, Draw>> = {
  Conv(sketch) {
    const { choices } = sketch;
    const [n = 1, , h = 1, w = 1] = image(sketch);
    const groups = choices.pick([1, 1, 2, 3]);
    const [inputs, outputs] = [choices.between(1, 3), choices.between(1, 3)];
    const kernel = choices.pick([[3, 3], [1, 1], [1, 3], [5, 1], pair(choices, 4)]).map((k, i) => Math.min(k, [h, w][i] ?? 1));
    const dilations = pair(choices, 2).map((d, i) => ((kernel[i] ?? 1) * d <= ([h, w][i] ?? 1) ? d : 1));
    const operands = [sketch.input([n, groups * inputs, h, w]), sketch.floats([groups * outputs, inputs, ...kernel])];
    const pads = padding(choices, [2, 2]);
    sketch.node('Conv', choices.once(2) ? operands : [...operands, sketch.floats([groups * outputs])], {
      ...(!choices.once(2) && { kernel_shape: kernel }),
      ...(!choices.once(3) && {
        strides: pair(choices, 3).map((stride, i) => ('auto_pad' in pads ? Math.min(stride, kernel[i] ?? 1) : stride)),
      }),
      ...pads,
      ...(choices.once(2) && !('auto_pad' in pads) && { dilations }),
      ...(groups > 1 && { group: groups }),
    });
  },
  MaxPool(sketch) {
    const shape = image(sketch);
    sketch.node('MaxPool', [sketch.input(shape)], pool(sketch, shape, { ceilFrom: 10, dilationsFrom: 10 }));
  },
  BatchNormalization(sketch) {
    const shape = sketch.choices.once(3) ? sketch.shape(2) : image(sketch);
    const channels = shape.slice(1, 2);
    const statistics = [sketch.floats(channels), sketch.floats(channels), sketch.floats(channels), sketch.floats(channels, 'positive')];
    const epsilon: Attributes = sketch.choices.once(2) ? { epsilon: { float: 0.25 } } : {};
    sketch.node('BatchNormalization', [sketch.input(shape), ...statistics], epsilon);
  },
  AveragePool(sketch) {
    const shape = image(sketch);
    const attributes = pool(sketch, shape, { ceilFrom: 10, dilationsFrom: 19 });
    const counted: Attributes = sketch.choices.once(3) ? { count_include_pad: 1 } : {};
    sketch.node('AveragePool', [sketch.input(shape)], { ...attributes, ...counted });
  },
  GlobalAveragePool(sketch) {
    sketch.node('GlobalAveragePool', [sketch.input(image(sketch))]);
  },
  GlobalMaxPool(sketch) {
    sketch.node('GlobalMaxPool', [sketch.input(image(sketch))]);
  },
  ReduceMean(sketch) {
    const { choices } = sketch;
    const { operands, attributes } = sketch.attributeUpTo(17, 'axes', sketch.opset >= 11 && choices.once(2) ? [-1, -2] : [2, 3]);
    sketch.node('ReduceMean', [sketch.input(image(sketch)), ...operands], {
      ...attributes,
      ...(choices.once(2) && { keepdims: choices.below(2) }),
    });
  },
  LRN(sketch) {
    const { choices } = sketch;
    sketch.node('LRN', [sketch.input(image(sketch))], {
      // onnxruntime knows windows of an odd number of channels only.
      size: choices.pick([3, 1, 5]),
      ...(choices.once(2) && { alpha: { float: 0.5 }, beta: { float: 0.5 }, bias: { float: 2 } }),
    });
  },
};
