/** Pooling in the form that lowering accepts. */
import { tapFactors } from '../../compiler/ir/ops/pooling.ts';
import type { PoolAttributes } from '../../compiler/ir/ops/spatial.ts';
import { poolWindows } from '../../compiler/ir/ops/spatial.ts';
import type { Axis } from '../../compiler/ir/ops/windows.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { rule } from '../rewrite.ts';

/** Padding behind the input with which the last window has all its taps in what is there. */
function paddingBehind({ output, stride, kernel, dilation, input, padBefore }: Axis): number {
  return Math.max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - input - padBefore);
}

/** Two more roundings, of the factor and of the product, for each result: the magnitude counts at least as many. */
export const AVERAGE_POOL_UNIFORM = rule('average-pool-uniform', {
  doc: 'average-pool with windows of different numbers of taps → average-pool that counts all of them, times a constant',
  ops: ['average-pool'],
  apply(node, rewriter) {
    const [x = ''] = node.inputs;
    const attributes = node.attributes as unknown as PoolAttributes & { readonly count_include_pad: boolean };
    const windows = poolWindows(rewriter.type(x), attributes);
    const { rows, columns } = windows;
    const factors = tapFactors(windows, attributes.count_include_pad);
    const taps = rows.kernel * columns.kernel;
    if (factors.every((factor) => factor === Math.fround(1 / taps))) return undefined;
    const [top = 0, left = 0] = attributes.pads;
    const whole = rewriter.make(
      'average-pool',
      [x],
      {
        ...node.attributes,
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
    return rewriter.make('mul', [whole, rewriter.makeConstant(correction, 'taps')]);
  },
});
