import type { Tensor } from '../../ir/tensor.ts';
import { at, dimension, repeated, slotOf, tileOp } from '../build.ts';
import { columnCycles, tripCycles, vectorCycles } from '../cost.ts';
import type { Expr } from '../expr.ts';
import { add, scale } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local, requireExtensions } from '../kernel.ts';
import type { Buffer, Statement, TileOp } from '../tiled.ts';
import type { Ending, EndingForm } from './ending.ts';
import { endingForm, productEnding, zeroPointOf } from './ending.ts';
import { packColumns } from './packing.ts';
import type { Window, WindowPlan, WindowTiles } from './window.ts';
import { chooseTile, windowExtent, windowTiles } from './window.ts';

/** Convolution of each channel by itself with constant weights. */
export function depthwise(context: KernelContext, w: Window, weights: Tensor): ReturnType<Kernel> {
  const form = endingForm(context);
  return channelwise(context, w, form, (plan) => {
    const taps = w.kernel[0] * w.kernel[1];
    const packed = context.addConstant('weights', packColumns(weights, taps, w.channels, plan.channels));
    const sliceElements = taps * plan.channels;
    return {
      ending: productEnding(context, form, plan.channels, weights),
      loadWeights: (tile, slot, slice) => [
        tileOp(
          'VLOAD',
          { element: context.element },
          { local: at(tile, 0, slot), base: at(packed, scale(slice, sliceElements * context.elementBytes)), size: sliceElements },
        ),
      ],
      prepareWeights: () => [],
    };
  });
}

/** Where the weights of a product channel by channel come from, and how its sums end. */
export interface Channelwise {
  readonly ending: Ending;
  /** Loads the weights of a slice of channels, where they differ from slice to slice. */
  readonly loadWeights: (tile: Buffer, slot: Expr, slice: Expr) => readonly TileOp[];
  /** Writes the weights, once, where they are the same for all. */
  readonly prepareWeights: (tile: Buffer) => readonly TileOp[];
}

/**
 * Sums over windows, channel by channel: for each row of the kernel one repeated instruction that multiplies the taps of all pixels of an output row, or
 * of all rows of a tile, with the row's weights, the first into the accumulators and the others onto them.
 */
export function channelwise(
  context: KernelContext,
  w: Window,
  form: EndingForm,
  detailsOf: (plan: WindowPlan) => Channelwise,
): ReturnType<Kernel> {
  requireExtensions(context, context.node.op, ['xrep', 'xacc', 'xdma', 'xfill', 'xcvt', 'xcmm']);
  const { element, elementBytes: bytes, target, result, resultBytes } = context;
  const [kernelHeight, kernelWidth] = w.kernel;
  const taps = kernelHeight * kernelWidth;
  // With steps of 1 the taps of all rows of a tile are as far apart as their outputs: those of the columns between rows are computed in vain.
  const joined = w.stride.every((step) => step === 1);
  // Taps that lie side by side are one instruction.
  const tapsTogether = w.dilation[1] === 1 ? kernelWidth : 1;
  const plan = chooseTile(context, w, {
    slices: true,
    joined,
    outputs: (each) => each,
    extraBytes: (tile) => 2 * (taps * bytes + form.parameterBytes) * tile.channels + 256,
    ...(!form.inPlace && { accumulatorBytes: form.accumulatorBytes }),
    computeCycles: (tile) => {
      const [rows, pixels] = joined ? [1, tile.rows * windowExtent(w, 1, tile.columns)] : [tile.rows, tile.columns];
      const products = Math.max(columnCycles(target, element, pixels, tile.channels, tapsTogether), tripCycles(target));
      return rows * ((taps / tapsTogether) * products + vectorCycles(target, element, pixels, tile.channels));
    },
  });
  const { channels } = plan;
  const { ending, loadWeights, prepareWeights } = detailsOf(plan);
  const tiles = windowTiles(context, w, plan, zeroPointOf(context));
  const weightTile = local('w', 'vector', taps * channels * bytes, tiles.sliceSlots, 'even');
  const parameters = local('bias', 'vector', channels * form.parameterBytes, tiles.sliceSlots, 'even');
  const outColumns = joined ? windowExtent(w, 1, plan.columns) : plan.columns;
  const sumRowBytes = outColumns * channels * form.accumulatorBytes;
  const sums = local('acc', 'vector', plan.rows * sumRowBytes, form.inPlace ? plan.slots : 1, 'odd');
  const outRowBytes = outColumns * channels * resultBytes;
  const outTile = form.inPlace ? sums : local('out', 'vector', plan.rows * outRowBytes, plan.slots, 'even');

  const y = dimension('y', joined ? 1 : tiles.rows);
  const pixels = joined ? add(scale(tiles.rows, outColumns), plan.columns - outColumns) : tiles.columns;
  const sliceSlot = slotOf(weightTile, tiles.slice.index);
  const sumRow = at(sums, scale(y.index, sumRowBytes), slotOf(sums, tiles.iteration));
  const outSlot = slotOf(outTile, tiles.iteration);
  const parameterPlace = at(parameters, 0, slotOf(parameters, tiles.slice.index));
  const products = kernelRows(w, tapsTogether, (row, column, accumulate) =>
    repeated(
      'VCMM',
      { element, modifiers: accumulate ? { acc: 1 } : {} },
      {
        out: sumRow,
        size: channels,
        matrix: at(weightTile, add(scale(row, kernelWidth * channels * bytes), scale(column, channels * bytes)), sliceSlot),
        in: inputPlace(w, tiles, y.index, row, column, channels * bytes),
        taps: tapsTogether,
      },
      { count: pixels, strides: { ostride: channels * form.accumulatorBytes, istride: w.stride[1] * channels * bytes } },
    ),
  );
  const body: Statement[] = [
    ...y.loop({
      body: products,
      drain: ending.finish(sumRow, at(outTile, scale(y.index, outRowBytes), outSlot), pixels, parameterPlace),
    }),
    tiles.store(at(outTile, 0, outSlot), result, scale(tiles.slice.index, channels), channels, outColumns),
  ];
  const perSlice = [...loadWeights(weightTile, sliceSlot, tiles.slice.index), ...ending.load(parameterPlace, tiles.slice.index)];
  return {
    locals: [tiles.tile, weightTile, sums, ...(form.inPlace ? [] : [outTile]), ...(form.parameterBytes === 0 ? [] : [parameters])],
    body: [...prepareWeights(weightTile), ...tiles.prepare, ...tiles.loop(body, perSlice)],
  };
}

/** The first tap that a product reads for output row `y` of a tile. */
function inputPlace(w: Window, tiles: WindowTiles, y: Expr, row: Expr, column: Expr, pixelBytes: number): ReturnType<typeof at> {
  const offset = add(
    scale(y, w.stride[0] * tiles.rowBytes),
    scale(row, w.dilation[0] * tiles.rowBytes),
    scale(column, w.dilation[1] * pixelBytes),
  );
  return at(tiles.tile, offset, slotOf(tiles.tile, tiles.iteration));
}

/** The products of all taps, row after row of the kernel: the first starts the sums, the others continue them. */
function kernelRows(
  w: Window,
  tapsTogether: number,
  multiply: (row: Expr, column: Expr, accumulate: boolean) => Statement,
): readonly Statement[] {
  const [kernelHeight, kernelWidth] = w.kernel;
  const zero = add(0);
  const ky = dimension('ky', kernelHeight - 1);
  const kx = dimension('kx', kernelWidth / tapsTogether);
  const kxRest = dimension('kx', kernelWidth / tapsTogether - 1);
  return [
    multiply(zero, zero, false),
    ...(kernelWidth > tapsTogether ? kxRest.loop({ body: [multiply(zero, add(kxRest.index, 1), true)] }) : []),
    ...(kernelHeight > 1 ? ky.loop({ body: kx.loop({ body: [multiply(add(ky.index, 1), kx.index, true)] }) }) : []),
  ];
}
