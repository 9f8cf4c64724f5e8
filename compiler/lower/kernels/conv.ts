import type { Tensor } from '../../ir/tensor.ts';
import { at, dimension, repeated, slotOf, tileOp, transfer } from '../build.ts';
import { add, min, scale, subtract } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local, requireExtensions, unsupportedForm } from '../kernel.ts';
import type { Statement } from '../tiled.ts';
import { activationOf, finish, packBias, packColumns, tileColumns } from './epilogue.ts';
import { chooseRows, windowColumns, windowOf, windowRows, windowTiles } from './window.ts';

/**
 * Two-dimensional convolution with constant weights, HWIO. An output row is one repeated product per kernel row: the taps of a row
 * lie side by side in NHWC, so K = kernel width × channels, and the input advances by a stride of pixels. Padding stands in the tile
 * as zeros: a product with a zero adds ±0 to accumulators that are never −0, so it is bit-equal to skipping the tap for finite weights.
 */
export const conv: Kernel = (context) => {
  requireExtensions(context, 'a convolution', ['xrep', 'xacc', 'xdma', 'xfill', 'xcvt']);
  const { element, elementBytes: bytes, target, result } = context;
  const weights = finiteWeights(context);
  if (context.attributes.groups !== 1) return unsupportedForm(context, `a convolution with ${Number(context.attributes.groups)} groups`);
  const [kernelHeight = 1, kernelWidth = 1, , N = 1] = weights.type.shape;
  const w = windowOf(context, [kernelHeight, kernelWidth]);
  const activation = activationOf(context);

  // Dilated taps are apart, so each is a product of its own.
  const tapsPerProduct = w.dilation[1] === 1 ? kernelWidth : 1;
  const inner = tapsPerProduct * w.channels;
  const taps = kernelHeight * kernelWidth * w.channels;
  const { blocks, lanes } = target.matrix;
  const { matrixBytes, vectorBytes } = target.memory;
  const columnLimit = taps * N * bytes <= matrixBytes ? N : Math.floor(matrixBytes / 2 / (taps * bytes));
  if (columnLimit < 1) return unsupportedForm(context, `a kernel of ${taps} taps`);
  const columns = tileColumns(N, Math.min(N, columnLimit), blocks);
  const columnTiles = Math.ceil(N / columns);
  const columnSlots = columnTiles > 1 ? 2 : 1;

  const rate = target.rates[element];
  const pixelCycles = kernelHeight * (kernelWidth / tapsPerProduct) * Math.ceil(inner / lanes) * Math.ceil(columns / blocks) * rate;
  const finishCycles = 2 * Math.ceil(columns / target.vector.lanes) * rate;
  const rowBytes = windowColumns(w) * w.channels * bytes;
  const plan = chooseRows(context, w, {
    bytesOf: (rows, slots) =>
      slots * (windowRows(w, rows) * rowBytes + rows * w.outWidth * columns * bytes + 128) + columnSlots * (columns * bytes + 64),
    capacity: vectorBytes,
    // A row is finished behind the products of the next; only the last row's finish shows.
    computeCycles: (rows) => w.outWidth * (rows * Math.max(pixelCycles, finishCycles) + Math.min(pixelCycles, finishCycles)),
  });

  const packedBias = packBias(context, 2, N, columns);
  const bias = packedBias && context.addConstant('bias', packedBias);
  const packed = context.addConstant('weights', packColumns(weights, taps, N, columns));
  const weightTile = local('w', 'matrix', taps * columns * bytes, columnSlots);
  const biasTile = local('bias', 'vector', columns * bytes, columnSlots);
  const sums = local('acc', 'vector', plan.rows * w.outWidth * columns * bytes, plan.slots);
  const tiles = windowTiles(context, w, plan.rows, plan.slots, 0);

  const n = dimension('n', columnTiles);
  const y = dimension('y', tiles.rows);
  const ky = dimension('ky', kernelHeight - 1);
  const kx = dimension('kx', kernelWidth / tapsPerProduct);
  const kxRest = dimension('kx', kernelWidth / tapsPerProduct - 1);
  const weightSlot = slotOf(weightTile, n.index);
  const xSlot = slotOf(tiles.tile, tiles.iteration);
  const accSlot = slotOf(sums, tiles.iteration);
  const outRow = at(sums, scale(y.index, w.outWidth * columns * bytes), accSlot);

  /** The product of one kernel row (or tap) into the accumulators of output row y; `row` and `column` count taps. */
  const product = (row: ReturnType<typeof add>, column: ReturnType<typeof add>, accumulate: boolean): Statement =>
    repeated(
      'VMM',
      { element, modifiers: accumulate ? { acc: 1 } : {} },
      {
        out: outRow,
        out_size: columns,
        matrix: at(
          weightTile,
          add(scale(row, kernelWidth * w.channels * columns * bytes), scale(column, w.channels * columns * bytes)),
          weightSlot,
        ),
        in: at(
          tiles.tile,
          add(
            scale(y.index, w.stride[0] * tiles.rowBytes),
            scale(row, w.dilation[0] * tiles.rowBytes),
            scale(column, w.dilation[1] * w.channels * bytes),
          ),
          xSlot,
        ),
        in_size: inner,
      },
      { count: w.outWidth, strides: { ostride: columns * bytes, istride: w.stride[1] * w.channels * bytes } },
    );
  const zero = add(0);
  const products = [
    product(zero, zero, false),
    ...(kernelWidth > tapsPerProduct ? kxRest.loop({ body: [product(zero, add(kxRest.index, 1), true)] }) : []),
    ...(kernelHeight > 1 ? ky.loop({ body: kx.loop({ body: [product(add(ky.index, 1), kx.index, true)] }) }) : []),
  ];

  const pixels = scale(tiles.rows, w.outWidth);
  const firstPixel = add(scale(tiles.image.index, w.outHeight * w.outWidth), scale(tiles.rowTile.index, plan.rows * w.outWidth));
  const tileBody: Statement[] = [
    ...y.loop({
      body: products,
      drain: finish(context, outRow, w.outWidth, columns, bias && at(biasTile, 0, slotOf(biasTile, n.index)), activation),
    }),
    transfer('store', element, {
      local: at(sums, 0, accSlot),
      dram: at(result.buffer, add(scale(firstPixel, N * bytes), scale(n.index, columns * bytes))),
      size: min(columns, subtract(N, scale(n.index, columns))),
      rows: pixels,
      localStride: columns * bytes,
      dramStride: N * bytes,
    }),
  ];
  const loadWeights = [
    tileOp(
      'MLOAD',
      { element },
      { local: at(weightTile, 0, weightSlot), base: at(packed, scale(n.index, taps * columns * bytes)), size: taps * columns },
    ),
    ...(bias
      ? [
          tileOp(
            'VLOAD',
            { element },
            { local: at(biasTile, 0, slotOf(biasTile, n.index)), base: at(bias, scale(n.index, columns * bytes)), size: columns },
          ),
        ]
      : []),
  ];
  return {
    locals: [tiles.tile, weightTile, sums, ...(bias ? [biasTile] : [])],
    body: [...tiles.prepare, ...n.loop({ prefetch: loadWeights, body: tiles.loop(tileBody) })],
  };
};

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
