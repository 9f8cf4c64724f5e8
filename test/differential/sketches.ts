/** For every supported operator, how to draw a model of it. */
import type { Attributes, Draw, Shape, Sketch } from './sketch.ts';
import { SPATIAL_SKETCHES } from './spatial-sketches.ts';

/** Two inputs, or an input and a constant, whose shapes broadcast. */
const arithmetic =
  (op: string, contents: 'ordinary' | 'positive' = 'ordinary'): Draw =>
  (sketch) => {
    const { choices } = sketch;
    const full = sketch.shape();
    const part = (): Shape => full.slice(choices.once(3) ? choices.below(full.length) : 0).map((d) => (choices.once(4) ? 1 : d));
    switch (choices.below(4)) {
      case 0:
        sketch.node(op, [sketch.input(full), sketch.floats(full, contents)]);
        break;
      case 1:
        sketch.node(op, [sketch.input(full), sketch.floats(part(), contents)]);
        break;
      case 2:
        sketch.node(op, [sketch.floats(part(), contents), sketch.input(full)]);
        break;
      default:
        sketch.node(op, [sketch.input(part()), sketch.input(part())]);
    }
  };

const elementwise =
  (op: string): Draw =>
  (sketch) => {
    sketch.node(op, [sketch.input(sketch.shape())]);
  };

/** Axes of `rank` dimensions, some counted from the end where the version knows that. */
function axes({ choices, opset }: Sketch, rank: number, chosen: readonly number[]): readonly number[] {
  return chosen.map((axis) => (opset >= 11 && choices.once(2) ? axis - rank : axis));
}

export const SKETCHES: Readonly<Record<string, Draw>> = {
  ...SPATIAL_SKETCHES,

  Add: arithmetic('Add'),
  Sub: arithmetic('Sub'),
  Mul: arithmetic('Mul'),
  // No divisors near 0, which make both sides round large numbers.
  Div(sketch) {
    const shape = sketch.shape();
    const divisor = sketch.floats(sketch.choices.pick([shape, shape.slice(-1), []]), 'positive');
    sketch.node('Div', [sketch.input(shape), divisor]);
  },
  Sum(sketch) {
    const shape = sketch.shape();
    const more = Array.from({ length: sketch.choices.below(4) }, () =>
      sketch.input(sketch.opset >= 8 ? sketch.choices.pick([shape, shape.slice(-1)]) : shape),
    );
    sketch.node('Sum', [sketch.input(shape), ...more]);
  },
  Relu: elementwise('Relu'),
  Sigmoid: elementwise('Sigmoid'),
  Tanh: elementwise('Tanh'),
  Softmax(sketch) {
    const { choices, opset } = sketch;
    const shape = sketch.shape(choices.between(2, 4));
    const axis = choices.between(opset >= 11 ? -shape.length : 0, shape.length - 1);
    sketch.node('Softmax', [sketch.input(shape)], choices.once(3) ? {} : { axis });
  },
  Identity(sketch) {
    sketch.node('Relu', [sketch.node('Identity', [sketch.input(sketch.shape())], {}, 'same')]);
  },
  Dropout(sketch) {
    const { opset, choices } = sketch;
    const x = sketch.node('Relu', [sketch.input(sketch.shape())], {}, 'r');
    const ratio = choices.pick([undefined, 0.25]);
    if (opset < 12) sketch.node('Dropout', [x], ratio === undefined ? {} : { ratio: { float: ratio } });
    else {
      const operands = [ratio === undefined ? '' : sketch.scalar(ratio), ...(choices.once(2) ? [sketch.bool(false)] : [])];
      sketch.node('Dropout', [x, ...(operands.length === 1 && ratio === undefined ? [] : operands)]);
    }
  },
  Constant(sketch) {
    const { choices, opset } = sketch;
    const form: Attributes =
      opset >= 12 && choices.once(2)
        ? choices.pick<Attributes>([{ value_float: { float: 0.5 } }, { value_floats: { floats: [0.25] } }])
        : { value: { tensor: { dims: [1], data: Float32Array.of(0.75) } } };
    sketch.node('Add', [sketch.input(sketch.shape()), sketch.node('Constant', [], form, 'k')]);
  },
  ConstantOfShape(sketch) {
    const shape = sketch.shape();
    const value: Attributes = sketch.choices.once(3) ? {} : { value: { tensor: { dims: [1], data: Float32Array.of(0.5) } } };
    sketch.node('Add', [sketch.input(shape), sketch.node('ConstantOfShape', [sketch.ints(shape)], value, 'filled')]);
  },
  Clip(sketch) {
    const { choices, opset } = sketch;
    const bounds = [choices.pick([undefined, -0.5]), choices.pick([undefined, 0.5])];
    const x = sketch.input(sketch.shape());
    if (opset >= 11) {
      const [low = '', high = ''] = bounds.map((bound) => (bound === undefined ? '' : sketch.scalar(bound)));
      sketch.node('Clip', high === '' ? (low === '' ? [x] : [x, low]) : [x, low, high]);
    } else {
      const [min, max] = bounds;
      sketch.node('Clip', [x], { ...(min !== undefined && { min: { float: min } }), ...(max !== undefined && { max: { float: max } }) });
    }
  },

  Gemm(sketch) {
    const { choices, opset } = sketch;
    const [m, k, n] = [choices.between(1, 5), choices.between(1, 40), choices.between(1, 40)];
    const [transA, transB] = [choices.below(2), choices.below(2)];
    const operands = [sketch.input(transA ? [k, m] : [m, k]), sketch.floats(transB ? [n, k] : [k, n])];
    // The addend may be left out from version 11 on.
    const addend = opset >= 11 && choices.once(3) ? [] : [sketch.floats(choices.pick([[n], [1], [m, n], [m, 1], [1, n], []]))];
    sketch.node('Gemm', [...operands, ...addend], {
      ...(transA && { transA }),
      ...(transB && { transB }),
      ...(choices.once(3) && { alpha: { float: choices.between(-4, 4) / 2 } }),
      ...(choices.once(3) && { beta: { float: choices.between(-4, 4) / 2 } }),
    });
  },
  MatMul(sketch) {
    const { choices } = sketch;
    const [m, k, n] = [choices.between(1, 5), choices.between(1, 20), choices.between(1, 20)];
    const second = (shape: Shape): string => (choices.once(4) ? sketch.input(shape) : sketch.floats(shape));
    switch (choices.below(4)) {
      case 0:
        sketch.node('MatMul', [sketch.input([m, k]), second([k, n])]);
        break;
      case 1:
        sketch.node('MatMul', [
          sketch.input([2, 3, m, k]),
          second(
            choices.pick([
              [k, n],
              [3, k, n],
              [2, 1, k, n],
            ]),
          ),
        ]);
        break;
      case 2:
        sketch.node('MatMul', [
          sketch.input([k]),
          second(
            choices.pick([
              [k, n],
              [2, k, n],
            ]),
          ),
        ]);
        break;
      default:
        sketch.node('MatMul', [sketch.input([2, m, k]), second([k])]);
    }
  },

  Concat(sketch) {
    const { choices, opset } = sketch;
    const shape = sketch.shape();
    const axis = choices.below(shape.length);
    const part = (): Shape => shape.with(axis, choices.between(1, 4));
    const operands = Array.from({ length: choices.between(1, 4) }, () => (choices.once(4) ? sketch.floats(part()) : sketch.input(part())));
    sketch.node('Concat', [sketch.input(shape), ...operands], { axis: opset >= 11 && choices.once(2) ? axis - shape.length : axis });
  },
  Pad(sketch) {
    const { choices, opset } = sketch;
    const shape = choices.once(2) ? sketch.shape(4) : sketch.shape();
    const rank = shape.length;
    const spatial = rank === 4 && choices.once(2);
    const all = shape.flatMap((_, i) => (spatial && i < 2 ? [] : [i]));
    const chosen = opset >= 18 && choices.once(2) ? all.filter(() => choices.once(2)) : undefined;
    const extents = Array.from({ length: 2 }, () =>
      (chosen ?? shape.map((_, i) => i)).map((axis) => (all.includes(axis) ? choices.below(3) : 0)),
    );
    const value = choices.pick([undefined, 0.5]);
    const x = sketch.input(shape);
    if (opset < 11) {
      sketch.node('Pad', [x], { pads: extents.flat(), ...(value !== undefined && { value: { float: value } }) });
      return;
    }
    const more = [value === undefined ? '' : sketch.scalar(value), ...(chosen ? [sketch.ints(axes(sketch, rank, chosen))] : [])];
    sketch.node('Pad', [x, sketch.ints(extents.flat()), ...more]);
  },
  Flatten(sketch) {
    const shape = sketch.shape();
    const axis = sketch.choices.between(sketch.opset >= 11 ? -shape.length : 0, shape.length);
    sketch.node('Relu', [sketch.node('Flatten', [sketch.input(shape)], sketch.choices.once(4) ? {} : { axis }, 'flat')]);
  },
  Reshape(sketch) {
    const { choices } = sketch;
    const [a = 1, b = 1, c = 1] = sketch.shape(3);
    const wanted = choices.pick([[a * b, c], [0, -1], [a, b * c], [-1, b, a], [0, 0, 0], [-1]]);
    sketch.node('Relu', [sketch.node('Reshape', [sketch.input([a, b, c]), sketch.ints(wanted)], {}, 'other')]);
  },
  Transpose(sketch) {
    const { choices } = sketch;
    const shape = sketch.shape();
    const rest = shape.map((_, i) => i);
    const perm = [...rest].map(() => rest.splice(choices.below(rest.length), 1)[0] ?? 0);
    sketch.node('Transpose', [sketch.input(shape)], choices.once(4) ? {} : { perm });
  },
  Squeeze(sketch) {
    const { choices } = sketch;
    const shape = sketch.shape().map((d) => (choices.once(2) ? 1 : d));
    const single = shape.flatMap((d, i) => (d === 1 ? [i] : []));
    const chosen = single.filter(() => choices.once(2));
    const x = sketch.input(shape);
    const given =
      chosen.length > 0 ? sketch.attributeUpTo(12, 'axes', axes(sketch, shape.length, chosen)) : { operands: [], attributes: {} };
    sketch.node('Relu', [sketch.node('Squeeze', [x, ...given.operands], given.attributes, 'narrow')]);
  },
  Unsqueeze(sketch) {
    const { choices } = sketch;
    const shape = sketch.shape(choices.between(1, 3));
    const rank = shape.length + choices.between(1, 2);
    const all = Array.from({ length: rank }, (_, i) => i);
    const chosen = Array.from({ length: rank - shape.length }, () => all.splice(choices.below(all.length), 1)[0] ?? 0);
    const { operands, attributes } = sketch.attributeUpTo(12, 'axes', axes(sketch, rank, chosen));
    sketch.node('Relu', [sketch.node('Unsqueeze', [sketch.input(shape), ...operands], attributes, 'wide')]);
  },
};
