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
import { chooseTile, windowTiles } from './window.ts';

/**
 * Convolution of each channel by itself: for each tap of an output row one repeated instruction that multiplies the pixels with the tap's row of
 * weights, the first into the accumulators and the others onto them. The sum starts at a product that may be −0 where the graph starts at +0; adding
 * the bias, +0 where there is none, gives the same bits, as the graph's sum is never −0.
 */
export function depthwise(context: KernelContext, w: Window, weights: Tensor): ReturnType<Kernel> {
  const { element, elementBytes: bytes, target, result } = context;
  const [kernelHeight, kernelWidth] = w.kernel;
  const taps = kernelHeight * kernelWidth;
  const activation = activationOf(context);
  const plan = chooseTile(context, w, {
    slices: true,
    outputs: (channels) => channels,
    extraBytes: ({ channels }) => 2 * (taps + 1) * channels * bytes + 256,
    computeCycles: ({ rows, columns, channels }) =>
      (taps + 2) * rows * Math.max(vectorCycles(target, element, columns, channels), tripCycles(target)),
  });
  const { channels } = plan;
  const packed = context.addConstant('weights', packColumns(weights, taps, w.channels, channels));
  const biases = packBias(context, 2, w.channels, w.channels) ?? allocate(weights.type.element, w.channels);
  const bias = context.addConstant('bias', withoutNegativeZero(biases));
  const tiles = windowTiles(context, w, plan, 0);
  const weightTile = local('w', 'vector', taps * channels * bytes, tiles.sliceSlots);
  const biasTile = local('bias', 'vector', channels * bytes, tiles.sliceSlots);
  const outRowBytes = plan.columns * channels * bytes;
  const sums = local('acc', 'vector', plan.rows * outRowBytes, plan.slots);

  const y = dimension('y', tiles.rows);
  const ky = dimension('ky', kernelHeight - 1);
  const kx = dimension('kx', kernelWidth);
  const kxRest = dimension('kx', kernelWidth - 1);
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
      { count: tiles.columns, strides: { ostride: channels * bytes, astride: w.stride[1] * channels * bytes, bstride: 0 } },
    );
  const zero = add(0);
  const biasPlace = at(biasTile, 0, sliceSlot);
  const body: Statement[] = [
    ...y.loop({
      body: [
        multiply(zero, zero, false),
        ...(kernelWidth > 1 ? kxRest.loop({ body: [multiply(zero, add(kxRest.index, 1), true)] }) : []),
        ...(kernelHeight > 1 ? ky.loop({ body: kx.loop({ body: [multiply(add(ky.index, 1), kx.index, true)] }) }) : []),
      ],
      drain: finish(context, outRow, tiles.columns, channels, biasPlace, activation),
    }),
    tiles.store(at(sums, 0, accSlot), result, scale(tiles.slice.index, channels), channels),
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
