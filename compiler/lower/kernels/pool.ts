import { floatBits } from '../../../runtime/numerics/float.ts';
import { isInteger } from '../../ir/ops/integers.ts';
import { endOfMeans } from '../../ir/ops/pooling.ts';
import type { PoolAttributes } from '../../ir/ops/spatial.ts';
import { poolWindows } from '../../ir/ops/spatial.ts';
import { at, dimension, repeated, slotOf, tileOp } from '../build.ts';
import { tripCycles, vectorCycles } from '../cost.ts';
import type { Expr } from '../expr.ts';
import { add, expr, scale } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local, requireExtensions } from '../kernel.ts';
import type { Place, Statement } from '../tiled.ts';
import { channelwise } from './depthwise.ts';
import type { Ending, EndingForm } from './ending.ts';
import { endingForm, integerEnding, zeroPointOf } from './ending.ts';
import type { Window, WindowPlan } from './window.ts';
import { chooseTile, windowOf, windowTiles } from './window.ts';

/** Maximum over a window: per output row of a tile one repeated instruction for each tap; slices of channels by themselves. Padding never wins. */
export const maxPool: Kernel = (context) => {
  requireExtensions(context, 'pooling', ['xrep', 'xdma', 'xfill']);
  const { element, elementBytes: bytes, target, result, node } = context;
  const w = poolWindow(context);
  const [kernelHeight, kernelWidth] = w.kernel;
  const plan = chooseTile(context, w, {
    slices: true,
    outputs: (channels) => channels,
    extraBytes: () => 0,
    computeCycles: ({ rows, columns, channels }) =>
      kernelHeight * kernelWidth * rows * Math.max(vectorCycles(target, element, columns, channels), tripCycles(target)),
  });
  const tiles = windowTiles(context, w, plan, context.encode(-Infinity, node.type.element));
  const outRowBytes = plan.columns * plan.channels * bytes;
  const greatest = local('out', 'vector', plan.rows * outRowBytes, plan.slots, 'odd');

  const y = dimension('y', tiles.rows);
  const ky = dimension('ky', kernelHeight - 1);
  const kx = dimension('kx', kernelWidth);
  const kxRest = dimension('kx', kernelWidth - 1);
  const slot = slotOf(greatest, tiles.iteration);
  const out = at(greatest, scale(y.index, outRowBytes), slot);
  const pixelBytes = plan.channels * bytes;
  const strides = { ostride: pixelBytes, astride: w.stride[1] * pixelBytes };
  const tap = (row: Expr, column: Expr): Place => {
    const rows = add(scale(y.index, w.stride[0] * tiles.rowBytes), scale(row, w.dilation[0] * tiles.rowBytes));
    return at(tiles.tile, add(rows, scale(column, w.dilation[1] * pixelBytes)), slotOf(tiles.tile, tiles.iteration));
  };
  const zero = add(0);
  const start = repeated('VMOVE', { element }, { out, a: tap(zero, zero), size: plan.channels }, { count: tiles.columns, strides });
  const merge = (row: Expr, column: Expr): Statement =>
    repeated(
      'VGTM',
      { element },
      { out, a: tap(row, column), b: out, size: plan.channels },
      { count: tiles.columns, strides: { ...strides, bstride: pixelBytes } },
    );
  const body: Statement[] = [
    ...y.loop({
      body: [
        start,
        ...(kernelWidth > 1 ? kxRest.loop({ body: [merge(zero, add(kxRest.index, 1))] }) : []),
        ...(kernelHeight > 1 ? ky.loop({ body: kx.loop({ body: [merge(add(ky.index, 1), kx.index)] }) }) : []),
      ],
    }),
    tiles.store(at(greatest, 0, slot), result, scale(tiles.slice.index, plan.channels), plan.channels),
  ];
  return { locals: [tiles.tile, greatest], body: [...tiles.prepare, ...tiles.loop(body)] };
};

/** Mean over a window whose taps all count: their sum, as a product with ones, times one over their number. Padding adds nothing to the sum. */
export const averagePool: Kernel = (context) => {
  const w = poolWindow(context);
  const own = endingForm(context);
  // Floats have a factor for each channel, where other ops have their bias.
  const form = { ...own, parameterBytes: Math.max(own.parameterBytes, Float32Array.BYTES_PER_ELEMENT) };
  return channelwise(context, w, form, (plan) => {
    const taps = w.kernel[0] * w.kernel[1];
    const { factor, ending } = meanEnding(context, w, form, plan);
    return {
      ending,
      loadWeights: () => [],
      prepareWeights: (tile) =>
        Array.from({ length: tile.slots }, (_, slot) =>
          tileOp(
            'VFILL',
            { element: context.element, form: 'immediate' },
            { out: at(tile, 0, slot), size: taps * plan.channels, scalar: factor },
          ),
        ),
    };
  });
};

function poolWindow(context: KernelContext): Window {
  const [kernelHeight = 1, kernelWidth = 1] = context.attributes.kernel as readonly number[];
  return windowOf(context, [kernelHeight, kernelWidth]);
}

/** What each tap is multiplied with, as stored, and how the sums end. */
function meanEnding(context: KernelContext, w: Window, form: EndingForm, { channels }: WindowPlan): { factor: number; ending: Ending } {
  const { node, attributes } = context;
  const x = context.operand(0).type;
  if (isInteger(x.element)) {
    const windows = poolWindows(x, attributes as unknown as PoolAttributes);
    const { factor, end } = endOfMeans(x.element, node.type.element, windows, attributes.count_include_pad === true);
    const zero = -zeroPointOf(context) * w.kernel[0] * w.kernel[1];
    const ends = end.kind === 'scaled' ? { ...end, multipliers: new Int32Array(w.channels).fill(end.multipliers[0] ?? 0) } : end;
    return { factor, ending: integerEnding(context, form, channels, ends, new Array<number>(w.channels).fill(zero)) };
  }
  return {
    factor: context.encode(1, x.element),
    ending: scaledEnding(context, form, channels, Math.fround(1 / (w.kernel[0] * w.kernel[1]))),
  };
}

/** Float sums times one factor, which stands in f32 for each channel where other ops have their bias. */
function scaledEnding(context: KernelContext, form: EndingForm, channels: number, factor: number): Ending {
  const { element, resultElement } = context;
  return {
    ...form,
    load: (into) => [tileOp('VFILL', { element: 'f32', form: 'immediate' }, { out: into, size: channels, scalar: floatBits(factor) | 0 })],
    finish: (sums, out, rows, factors) => {
      const stride = channels * form.accumulatorBytes;
      const strides = { ostride: stride, astride: stride, bstride: 0 };
      const scaled = repeated('VMV', { element: 'f32' }, { out: sums, a: sums, b: factors, size: channels }, { count: rows, strides });
      if (form.inPlace) return [scaled];
      const size = scale(expr(rows), channels);
      return [scaled, tileOp('VCVT', { element: 'f32', to: resultElement === 'f32' ? element : resultElement }, { out, in: sums, size })];
    },
  };
}
