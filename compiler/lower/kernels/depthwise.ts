import type { Tensor } from '../../ir/tensor.ts';
import { allocate } from '../../ir/tensor.ts';
import { at, dimension, repeated, slotOf, tileOp } from '../build.ts';
import { tripCycles, vectorCycles } from '../cost.ts';
import type { Expr } from '../expr.ts';
import { add, scale } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local } from '../kernel.ts';
import type { Statement } from '../tiled.ts';
import { activationOf, finish, packBias, packColumns } from './epilogue.ts';
import type { Window } from './window.ts';
import { chooseTile, windowExtent, windowTiles } from './window.ts';

/** Taps of a kernel row that are written out one by one. */
const MOST_WRITTEN_OUT = 3;

/**
 * Convolution of each channel by itself: for each tap of an output row, or of all rows of a tile, one repeated instruction that multiplies the pixels with the tap's row of
 * weights, the first into the accumulators and the others onto them. The sum starts at a product that may be −0 where the graph starts at +0; adding
 * the bias, +0 where there is none, gives the same bits, as the graph's sum is never −0.
 */
export function depthwise(context: KernelContext, w: Window, weights: Tensor): ReturnType<Kernel> {
  const { element, elementBytes: bytes, target, result } = context;
  const [kernelHeight, kernelWidth] = w.kernel;
  const taps = kernelHeight * kernelWidth;
  const activation = activationOf(context);
  // With steps of 1 the taps of all rows of a tile are as far apart as their outputs: those of the columns between rows are computed in vain.
  const joined = w.stride.every((step) => step === 1);
  const plan = chooseTile(context, w, {
    slices: true,
    joined,
    outputs: (each) => each,
    extraBytes: (tile) => 2 * (taps + 1) * tile.channels * bytes + 256,
    computeCycles: (tile) => {
      const [rows, pixels] = joined ? [1, tile.rows * windowExtent(w, 1, tile.columns)] : [tile.rows, tile.columns];
      return (taps + 2) * rows * Math.max(vectorCycles(target, element, pixels, tile.channels), tripCycles(target));
    },
  });
  const { channels } = plan;
  const packed = context.addConstant('weights', packColumns(weights, taps, w.channels, channels));
  const biases = packBias(context, 2, w.channels, w.channels) ?? allocate(weights.type.element, w.channels);
  const bias = context.addConstant('bias', withoutNegativeZero(biases));
  const tiles = windowTiles(context, w, plan, 0);
  const weightTile = local('w', 'vector', taps * channels * bytes, tiles.sliceSlots, 'even');
  const biasTile = local('bias', 'vector', channels * bytes, tiles.sliceSlots, 'even');
  const outColumns = joined ? windowExtent(w, 1, plan.columns) : plan.columns;
  const outRowBytes = outColumns * channels * bytes;
  const sums = local('acc', 'vector', plan.rows * outRowBytes, plan.slots, 'odd');

  const y = dimension('y', joined ? 1 : tiles.rows);
  const pixels = joined ? add(scale(tiles.rows, outColumns), plan.columns - outColumns) : tiles.columns;
  const ky = dimension('ky', kernelHeight - 1);
  // The taps of a short row are written out: a trip around a loop for each takes as long to issue as the taps of a small tile to compute.
  const written = kernelWidth <= MOST_WRITTEN_OUT;
  const acrossFrom = (first: 0 | 1, each: (column: Expr) => Statement): readonly Statement[] => {
    if (written) return Array.from({ length: kernelWidth - first }, (_, i) => each(add(i + first)));
    const kx = dimension('kx', kernelWidth - first);
    return kx.loop({ body: [each(add(kx.index, first))] });
  };
  const sliceSlot = slotOf(weightTile, tiles.slice.index);
  const accSlot = slotOf(sums, tiles.iteration);
  const outRow = at(sums, scale(y.index, outRowBytes), accSlot);

  const multiply = (row: Expr, column: Expr, accumulate: boolean): Statement =>
    repeated(
      accumulate ? 'VMAC' : 'VMV',
      { element },
      {
        out: outRow,
        size: channels,
        a: at(
          tiles.tile,
          add(
            scale(y.index, w.stride[0] * tiles.rowBytes),
            scale(row, w.dilation[0] * tiles.rowBytes),
            scale(column, w.dilation[1] * channels * bytes),
          ),
          slotOf(tiles.tile, tiles.iteration),
        ),
        b: at(weightTile, add(scale(row, kernelWidth * channels * bytes), scale(column, channels * bytes)), sliceSlot),
      },
      { count: pixels, strides: { ostride: channels * bytes, astride: w.stride[1] * channels * bytes, bstride: 0 } },
    );
  const zero = add(0);
  const biasPlace = at(biasTile, 0, sliceSlot);
  const body: Statement[] = [
    ...y.loop({
      body: [
        multiply(zero, zero, false),
        ...acrossFrom(1, (column) => multiply(zero, column, true)),
        ...(kernelHeight > 1 ? ky.loop({ body: acrossFrom(0, (column) => multiply(add(ky.index, 1), column, true)) }) : []),
      ],
      drain: finish(context, outRow, pixels, channels, biasPlace, activation),
    }),
    tiles.store(at(sums, 0, accSlot), result, scale(tiles.slice.index, channels), channels, outColumns),
  ];
  const perSlice = [
    tileOp(
      'VLOAD',
      { element },
      { local: at(weightTile, 0, sliceSlot), base: at(packed, scale(tiles.slice.index, taps * channels * bytes)), size: taps * channels },
    ),
    tileOp('VLOAD', { element }, { local: biasPlace, base: at(bias, scale(tiles.slice.index, channels * bytes)), size: channels }),
  ];
  return { locals: [tiles.tile, weightTile, biasTile, sums], body: [...tiles.prepare, ...tiles.loop(body, perSlice)] };
}

function withoutNegativeZero<T extends ReturnType<typeof allocate>>(data: T): T {
  if (data instanceof Float32Array) data.forEach((value, i) => (data[i] = value + 0));
  return data;
}
