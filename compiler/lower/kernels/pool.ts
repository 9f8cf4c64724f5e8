import { at, dimension, repeated, slotOf, transfer } from '../build.ts';
import type { Expr } from '../expr.ts';
import { add, scale } from '../expr.ts';
import type { Kernel } from '../kernel.ts';
import { local, requireExtensions } from '../kernel.ts';
import type { Statement } from '../tiled.ts';
import { chooseRows, windowColumns, windowOf, windowRows, windowTiles } from './window.ts';
import { floatBits } from '../../../runtime/numerics/float.ts';

/** Maximum over a window: per output row one repeated move of the first tap and one repeated greater-than merge for each other tap. */
export const maxPool: Kernel = (context) => {
  requireExtensions(context, 'pooling', ['xrep', 'xdma', 'xfill']);
  const { element, elementBytes: bytes, target, result, attributes } = context;
  const [kernelHeight = 1, kernelWidth = 1] = attributes.kernel as readonly number[];
  const w = windowOf(context, [kernelHeight, kernelWidth]);
  const rowBytes = windowColumns(w) * w.channels * bytes;
  const outRowBytes = w.outWidth * w.channels * bytes;
  const plan = chooseRows(context, w, {
    bytesOf: (rows, slots) => slots * (windowRows(w, rows) * rowBytes + rows * outRowBytes + 128),
    capacity: target.memory.vectorBytes,
    computeCycles: (rows) =>
      rows * w.outWidth * kernelHeight * kernelWidth * Math.ceil(w.channels / target.vector.lanes) * target.rates[element],
  });
  // Padding never wins against a tap: minus infinity, or the least fixed-point value.
  const tiles = windowTiles(context, w, plan.rows, plan.slots, element === 'f32' ? floatBits(-Infinity) | 0 : -32768);
  const best = local('out', 'vector', plan.rows * outRowBytes, plan.slots);

  const y = dimension('y', tiles.rows);
  const ky = dimension('ky', kernelHeight - 1);
  const kx = dimension('kx', kernelWidth);
  const kxRest = dimension('kx', kernelWidth - 1);
  const out = at(best, scale(y.index, outRowBytes), slotOf(best, tiles.iteration));
  const step = w.channels * bytes;
  const tap = (row: Expr, column: Expr) =>
    at(
      tiles.tile,
      add(scale(y.index, w.stride[0] * tiles.rowBytes), scale(row, w.dilation[0] * tiles.rowBytes), scale(column, w.dilation[1] * step)),
      slotOf(tiles.tile, tiles.iteration),
    );
  const zero = add(0);
  const merge = (row: Expr, column: Expr): Statement =>
    repeated(
      'VGTM',
      { element },
      { out, a: tap(row, column), b: out, size: w.channels },
      { count: w.outWidth, strides: { ostride: step, astride: w.stride[1] * step, bstride: step } },
    );
  const body: Statement[] = [
    ...y.loop({
      body: [
        repeated(
          'VMOVE',
          { element },
          { out, a: tap(zero, zero), size: w.channels },
          { count: w.outWidth, strides: { ostride: step, astride: w.stride[1] * step } },
        ),
        ...(kernelWidth > 1 ? kxRest.loop({ body: [merge(zero, add(kxRest.index, 1))] }) : []),
        ...(kernelHeight > 1 ? ky.loop({ body: kx.loop({ body: [merge(add(ky.index, 1), kx.index)] }) }) : []),
      ],
    }),
    transfer('store', element, {
      local: at(best, 0, slotOf(best, tiles.iteration)),
      dram: at(
        result.buffer,
        add(scale(tiles.image.index, w.outHeight * outRowBytes), scale(tiles.rowTile.index, plan.rows * outRowBytes)),
      ),
      size: w.outWidth * w.channels,
      rows: tiles.rows,
      localStride: outRowBytes,
      dramStride: outRowBytes,
    }),
  ];
  return { locals: [tiles.tile, best], body: [...tiles.prepare, ...tiles.loop(body)] };
};
