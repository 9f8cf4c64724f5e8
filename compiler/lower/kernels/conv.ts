import { isDepthwise } from '../../ir/ops/spatial.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { at, dimension, repeated, slotOf, tileOp } from '../build.ts';
import { divisors, productCycles, tripCycles, vectorCycles } from '../cost.ts';
import type { Expr } from '../expr.ts';
import { add, scale } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local, requireExtensions, unsupportedForm } from '../kernel.ts';
import type { Statement } from '../tiled.ts';
import { depthwise } from './depthwise.ts';
import { endingForm, productEnding, zeroPointOf } from './ending.ts';
import { product } from './gemm.ts';
import { packColumns } from './packing.ts';
import { chooseTile, windowOf, windowTiles } from './window.ts';
import type { Window } from './window.ts';

/** Two-dimensional convolution with constant weights, H×W×I×O: of single pixels it is a matrix product, of single channels it is vector work. */
export const conv: Kernel = (context) => {
  requireExtensions(context, 'a convolution', ['xrep', 'xacc', 'xdma', 'xfill', 'xcvt']);
  const weights = finiteWeights(context);
  const [kernelHeight = 1, kernelWidth = 1, inputs = 1] = weights.type.shape;
  const groups = Number(context.attributes.groups);
  const w = windowOf(context, [kernelHeight, kernelWidth]);
  if (isDepthwise(groups, w.channels, w.outChannels)) return depthwise(context, w, weights);
  return isPointwise(w) && groups === 1 ? product(context, pixels(w), inputs, weights) : windowed(context, w, weights, groups);
};

function isPointwise({ kernel, stride, height, width, outHeight, outWidth, padTop, padLeft }: Window): boolean {
  const single = [...kernel, ...stride].every((extent) => extent === 1);
  return single && padTop === 0 && padLeft === 0 && outHeight === height && outWidth === width;
}

const pixels = ({ batch, outHeight, outWidth }: Window): number => batch * outHeight * outWidth;

/**
 * An output row of a tile is one repeated product per kernel row: the taps of a row lie side by side in NHWC, so K = kernel width × channels, and
 * the input advances by a stride of pixels. Of dilated taps and of groups each is a product of its own. Padding stands in the tile as zeros: a
 * product with a zero adds ±0 to accumulators that are never −0, so it is bit-equal to skipping the tap for finite weights.
 */
function windowed(context: KernelContext, w: Window, weights: Tensor, groups: number): ReturnType<Kernel> {
  const { element, elementBytes: bytes, target, result, resultBytes } = context;
  const [kernelHeight, kernelWidth] = w.kernel;
  const [inputs, N] = [w.channels / groups, w.outChannels];
  const form = endingForm(context);

  const tapsPerProduct = w.dilation[1] === 1 && groups === 1 ? kernelWidth : 1;
  const inner = tapsPerProduct * inputs;
  const taps = kernelHeight * kernelWidth * inputs;
  const { matrixBytes } = target.memory;
  // All weights stay in the scratchpad, or slices of a group's output channels take turns in two slots.
  const isResident = taps * N * bytes <= matrixBytes;
  const columns = isResident ? N : divisors(N / groups).find((d) => 2 * d * taps * bytes <= matrixBytes);
  if (columns === undefined) return unsupportedForm(context, `a kernel of ${taps} taps`);
  const columnTiles = N / columns;
  const columnSlots = columnTiles > 1 ? 2 : 1;
  const groupColumns = isResident ? N / groups : columns;
  const groupsInTile = columns / groupColumns;

  const plan = chooseTile(context, w, {
    slices: false,
    outputs: () => columns,
    extraBytes: () => columnSlots * (columns * form.parameterBytes + 64),
    ...(!form.inPlace && { accumulatorBytes: form.accumulatorBytes }),
    computeCycles: ({ rows, columns: across }) => {
      const each = Math.max(productCycles(target, element, across, inner, groupColumns), tripCycles(target));
      const products = kernelHeight * (kernelWidth / tapsPerProduct) * groupsInTile * each;
      const finishing = vectorCycles(target, element, across, columns);
      // A row is finished behind the products of the next one.
      return columnTiles * rows * Math.max(products, finishing);
    },
  });

  const ending = productEnding(context, form, columns, weights);
  const packed = context.addConstant('weights', packColumns(weights, taps, N, groupColumns));
  const weightTile = local('w', 'matrix', taps * columns * bytes, columnSlots);
  const parameters = local('bias', 'vector', columns * form.parameterBytes, columnSlots, 'even');
  const sumRowBytes = plan.columns * columns * form.accumulatorBytes;
  const sums = local('acc', 'vector', plan.rows * sumRowBytes, form.inPlace ? plan.slots : 1, 'odd');
  const outRowBytes = plan.columns * columns * resultBytes;
  const outTile = form.inPlace ? sums : local('out', 'vector', plan.rows * outRowBytes, plan.slots, 'even');
  const tiles = windowTiles(context, w, plan, zeroPointOf(context), columnTiles);

  // Of several slices a group, or of one; then the next group's weights are loaded behind this one's products.
  const slices = columnTiles / (groups / groupsInTile);
  const outer = dimension('o', slices > 1 ? columnTiles / slices : 1);
  const n = dimension('n', slices > 1 ? slices : columnTiles);
  const slice = add(scale(outer.index, slices), n.index);
  const y = dimension('y', tiles.rows);
  const g = dimension('g', groupsInTile);
  const group = isResident ? g.index : slices > 1 ? outer.index : n.index;
  const ky = dimension('ky', kernelHeight - 1);
  const kx = dimension('kx', kernelWidth / tapsPerProduct);
  const kxRest = dimension('kx', kernelWidth / tapsPerProduct - 1);
  const weightSlot = slotOf(weightTile, slice);
  const sumRow = at(sums, scale(y.index, sumRowBytes), slotOf(sums, tiles.iteration));
  const outSlot = slotOf(outTile, tiles.iteration);
  const outRow = at(outTile, scale(y.index, outRowBytes), outSlot);
  const tapBytes = inputs * groupColumns * bytes;

  /** The product of one kernel row (or tap) of group g into the accumulators of output row y; `row` and `column` count taps. */
  const multiply = (row: Expr, column: Expr, accumulate: boolean): Statement =>
    repeated(
      'VMM',
      { element, modifiers: accumulate ? { acc: 1 } : {} },
      {
        out: { ...sumRow, offset: add(sumRow.offset, scale(g.index, groupColumns * form.accumulatorBytes)) },
        out_size: groupColumns,
        matrix: at(
          weightTile,
          add(scale(g.index, kernelHeight * kernelWidth * tapBytes), scale(row, kernelWidth * tapBytes), scale(column, tapBytes)),
          weightSlot,
        ),
        in: at(
          tiles.tile,
          add(
            scale(y.index, w.stride[0] * tiles.rowBytes),
            scale(row, w.dilation[0] * tiles.rowBytes),
            scale(column, w.dilation[1] * w.channels * bytes),
            scale(group, inputs * bytes),
          ),
          slotOf(tiles.tile, tiles.iteration),
        ),
        in_size: inner,
      },
      { count: tiles.columns, strides: { ostride: columns * form.accumulatorBytes, istride: w.stride[1] * w.channels * bytes } },
    );
  const zero = add(0);
  const products = g.loop({
    body: [
      multiply(zero, zero, false),
      ...(kernelWidth > tapsPerProduct ? kxRest.loop({ body: [multiply(zero, add(kxRest.index, 1), true)] }) : []),
      ...(kernelHeight > 1 ? ky.loop({ body: kx.loop({ body: [multiply(add(ky.index, 1), kx.index, true)] }) }) : []),
    ],
  });
  const parameterPlace = at(parameters, 0, slotOf(parameters, slice));
  const tileBody: Statement[] = [
    ...y.loop({ body: products, drain: ending.finish(sumRow, outRow, tiles.columns, parameterPlace) }),
    tiles.store(at(outTile, 0, outSlot), result, scale(slice, columns), columns),
  ];
  const weightBase = at(packed, scale(slice, taps * columns * bytes));
  const loadWeights = [
    tileOp('MLOAD', { element }, { local: at(weightTile, 0, weightSlot), base: weightBase, size: taps * columns }),
    ...ending.load(parameterPlace, slice),
  ];
  return {
    locals: [tiles.tile, weightTile, sums, ...(form.inPlace ? [] : [outTile]), ...(form.parameterBytes === 0 ? [] : [parameters])],
    body: [...tiles.prepare, ...outer.loop({ body: n.loop({ prefetch: loadWeights, body: tiles.loop(tileBody) }) })],
  };
}

function finiteWeights(context: KernelContext): Tensor {
  const weights = context.constantOf(1);
  if (!weights) return unsupportedForm(context, 'a convolution with weights that are not constant');
  if (weights.data instanceof Float32Array && !weights.data.every(Number.isFinite))
    return unsupportedForm(
      context,
      'a convolution with weights that are not finite',
      'padding is multiplied by the weights, which must leave it zero',
    );
  return weights;
}
