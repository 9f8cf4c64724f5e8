/** Pooling in the form that lowering accepts. */
import { isFloat } from '../../compiler/ir/ops/operands.ts';
import { tapFactors } from '../../compiler/ir/ops/pooling.ts';
import type { PoolAttributes } from '../../compiler/ir/ops/spatial.ts';
import { poolWindows } from '../../compiler/ir/ops/spatial.ts';
import type { Axis } from '../../compiler/ir/ops/windows.ts';
import { countTaps } from '../../compiler/ir/ops/windows.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { requireAffordable, rule } from '../rewrite.ts';

/** Padding behind the input with which the last window has all its taps in what is there. */
function paddingBehind({ output, stride, kernel, dilation, input, padBefore }: Axis): number {
  return Math.max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - input - padBefore);
}

/** Two more roundings, of the factor and of the product, for each result: the magnitude counts at least as many. */
export const AVERAGE_POOL_UNIFORM = rule('average-pool-uniform', {
  doc: 'average-pool with windows of different numbers of taps → average-pool that counts all of them, times a constant; of narrow floats in f32',
  ops: ['average-pool'],
  apply(node, rewriter) {
    const [x = ''] = node.inputs;
    // Integers have one number of taps in all windows, and it is part of their scale.
    if (!isFloat(node.type.element)) return undefined;
    const attributes = node.attributes as unknown as PoolAttributes & { readonly count_include_pad: boolean };
    const windows = poolWindows(rewriter.type(x), attributes);
    const { rows, columns } = windows;
    const taps = rows.kernel * columns.kernel;
    const [down, across] = [rows, columns].map((axis) => [...new Set(countTaps(axis, attributes.count_include_pad))]) as [
      number[],
      number[],
    ];
    if (down.every((y) => across.every((x) => Math.fround(1 / (x * y)) === Math.fround(1 / taps)))) return undefined;
    const bytes = Float32Array.BYTES_PER_ELEMENT * rows.output * columns.output;
    requireAffordable(rewriter, bytes, node, 'a factor for each window of the average');
    const factors = tapFactors(windows, attributes.count_include_pad);
    const [top = 0, left = 0] = attributes.pads;
    const { element } = node.type;
    const image = element === 'f32' ? x : rewriter.make('cast', [x], { to: 'f32' }, { suffix: 'wide' });
    const whole = rewriter.make(
      'average-pool',
      [image],
      {
        ...node.attributes,
        result: 'same',
        pads: [top, left, paddingBehind(rows), paddingBehind(columns)],
        ceil_mode: false,
        count_include_pad: true,
      },
      { suffix: 'whole' },
    );
    const shape = [rows.output, columns.output, ...(attributes.layout === 'nhwc' ? [1] : [])];
    const correction = tensor(
      tensorType('f32', shape),
      factors.map((factor) => factor * taps),
    );
    const factor = rewriter.makeConstant(correction, 'taps');
    if (element === 'f32') return rewriter.make('mul', [whole, factor]);
    return rewriter.make('cast', [rewriter.make('mul', [whole, factor], {}, { suffix: 'mean' })], { to: element });
  },
});
