import { at, slotOf } from '../build.ts';
import { scale } from '../expr.ts';
import type { Kernel, KernelContext, KernelValue } from '../kernel.ts';
import { isDense, local, requireExtensions, rowsOf, unsupportedForm } from '../kernel.ts';
import { moveRows, rowTiles } from './elementwise.ts';
import type { Window } from './window.ts';
import { chooseTile, imagesOf, windowTiles } from './window.ts';

/** Copies a value to where another stands in DRAM. */
export function copy(context: KernelContext, from: KernelValue, to: KernelValue): ReturnType<Kernel> {
  const rows = rowsOf(from.type);
  const together = [from, to].every(isDense);
  const cut = together ? { rows: rows.rows * rows.width, width: 1 } : rows;
  const tile = rowTiles(context, cut, { loads: 1, passes: 0, buffers: 1, apart: !together });
  const buffer = local('x', 'vector', tile.size * tile.width * context.elementBytes, tile.slots);
  const place = at(buffer, 0, slotOf(buffer, tile.over.index));
  return {
    locals: [buffer],
    body: tile.over.loop({
      prefetch: [moveRows(context, 'load', tile, place, from)],
      body: [moveRows(context, 'store', tile, place, to)],
    }),
  };
}

/** Pads the height and width of NHWC images: a window of one pixel, whose tile holds the padding. */
export const pad: Kernel = (context) => {
  requireExtensions(context, 'padding', ['xdma', 'xfill']);
  const { node, result, attributes } = context;
  const pads = attributes.pads as readonly number[];
  const isSpatial = node.type.shape.length === 4 && pads.every((extent, i) => extent === 0 || i % 4 === 1 || i % 4 === 2);
  if (!isSpatial) return unsupportedForm(context, 'padding of other dimensions than the height and width of images');
  const w: Window = { ...imagesOf(context), kernel: [1, 1], stride: [1, 1], dilation: [1, 1], padTop: pads[1] ?? 0, padLeft: pads[2] ?? 0 };
  const plan = chooseTile(context, w, { slices: true, outputs: () => 0, extraBytes: () => 0, computeCycles: () => 0 });
  const tiles = windowTiles(context, w, plan, context.encode(Number(attributes.value), node.type.element));
  const place = at(tiles.tile, 0, slotOf(tiles.tile, tiles.iteration));
  return {
    locals: [tiles.tile],
    body: [...tiles.prepare, ...tiles.loop([tiles.store(place, result, scale(tiles.slice.index, plan.channels), plan.channels)])],
  };
};
