/** What convolution and pooling share: a window that slides over an NHWC tensor, tiled by output rows, with padding kept in the tile. */
import type { KernelContext } from '../kernel.ts';
import { doesNotFit, local, unsupportedForm } from '../kernel.ts';
import { at, dimension, slotOf, tileOp, transfer } from '../build.ts';
import type { Dimension } from '../build.ts';
import type { Expr } from '../expr.ts';
import { add, max, min, scale, subtract } from '../expr.ts';
import type { Buffer, Statement, TileOp } from '../tiled.ts';

/** Geometry of a two-dimensional window, all in elements; pads are those before the first row and column. */
export interface Window {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly padTop: number;
  readonly padLeft: number;
}

export function windowOf(context: KernelContext, kernel: readonly [number, number]): Window {
  const { attributes, node } = context;
  const pair = (name: string): readonly [number, number] => {
    const value = attributes[name];
    if (!Array.isArray(value)) throw new Error(`${node.op} has no attribute ${name}`);
    const [a, b] = value as readonly number[];
    return [a ?? 1, b ?? 1];
  };
  const [batch = 1, height = 1, width = 1, channels = 1] = context.typeOf(0)?.shape ?? [];
  const [, outHeight = 1, outWidth = 1, outChannels = 1] = node.type.shape;
  if (attributes.layout !== 'nhwc') return unsupportedForm(context, 'a layout other than nhwc');
  const [padTop, padLeft] = pair('pads');
  return {
    batch,
    height,
    width,
    channels,
    outHeight,
    outWidth,
    outChannels,
    kernel,
    stride: pair('strides'),
    dilation: pair('dilations'),
    padTop,
    padLeft,
  };
}

/** Rows and columns of input that `rows` output rows of the full width read, padding included. */
export function windowRows(w: Window, rows: number): number {
  return (rows - 1) * w.stride[0] + (w.kernel[0] - 1) * w.dilation[0] + 1;
}

export function windowColumns(w: Window): number {
  return (w.outWidth - 1) * w.stride[1] + (w.kernel[1] - 1) * w.dilation[1] + 1;
}

/**
 * Output rows per tile: the number that a first-order model finds fastest among those that fit. A tile loads its rows while the one
 * before computes; what shows is the first load, the last store, and per tile the larger of transfers and computation.
 */
export function chooseRows(
  context: KernelContext,
  w: Window,
  costs: { bytesOf: (rows: number, slots: 1 | 2) => number; capacity: number; computeCycles: (rows: number) => number },
): { rows: number; slots: 1 | 2 } {
  const { dma } = context.target;
  const rowCycles = (elements: number): number => Math.ceil((elements * context.elementBytes) / dma.bytesPerCycle);
  let best: { rows: number; slots: 1 | 2; cycles: number } | undefined;
  for (let rows = w.outHeight; rows >= 1; rows--) {
    const tiles = Math.ceil(w.outHeight / rows);
    const slots = tiles * w.batch > 1 ? 2 : 1;
    const fitting = ([slots, 1] as const).find((count) => costs.bytesOf(rows, count) <= costs.capacity);
    if (fitting === undefined) continue;
    const load = dma.latencyCycles + Math.min(windowRows(w, rows), w.height) * rowCycles(w.width * w.channels);
    const store = rows * rowCycles(w.outWidth * w.outChannels);
    const compute = costs.computeCycles(rows);
    const cycles =
      fitting === 2 ? load + (tiles - 1) * Math.max(load + store, compute) + compute + store : tiles * (load + compute + store);
    if (!best || cycles < best.cycles) best = { rows, slots: fitting, cycles };
  }
  if (!best) return doesNotFit(context, 'one row of the window', costs.bytesOf(1, 1), costs.capacity);
  return best;
}

/** The input side of a tiled window: its scratchpad tile, the loops over images and row tiles, and the loads. */
export interface WindowTiles {
  readonly tile: Buffer;
  /** Bytes from one row of the tile to the next. */
  readonly rowBytes: number;
  readonly image: Dimension;
  readonly rowTile: Dimension;
  /** Output rows of this tile; fewer in the last. */
  readonly rows: Expr;
  /** The iteration that slots alternate by. */
  readonly iteration: Expr;
  /** Fills what loads never write: the columns of padding. */
  readonly prepare: readonly TileOp[];
  readonly load: readonly TileOp[];
  /** Both loops around the body of a tile, loads running ahead. */
  loop(body: readonly Statement[]): readonly Statement[];
}

export function windowTiles(context: KernelContext, w: Window, rowsPerTile: number, slots: 1 | 2, paddingBits: number): WindowTiles {
  const { element, elementBytes: bytes } = context;
  const columns = windowColumns(w);
  const rowElements = columns * w.channels;
  const rowBytes = rowElements * bytes;
  const tile = local('x', 'vector', windowRows(w, rowsPerTile) * rowBytes, slots);
  const tiles = Math.ceil(w.outHeight / rowsPerTile);
  const image = dimension('b', w.batch);
  const rowTile = dimension('t', tiles);
  const iteration = tiles > 1 ? rowTile.index : image.index;
  const slot = slotOf(tile, iteration);
  const firstOut = scale(rowTile.index, rowsPerTile);
  const rows = min(rowsPerTile, subtract(w.outHeight, firstOut));

  // Rows of input from `start` (above the image: padding) to `end`; those inside the image are loaded, the others filled.
  const start = add(scale(firstOut, w.stride[0]), -w.padTop);
  const end = add(start, scale(rows, w.stride[0]), windowRows(w, 1) - w.stride[0]);
  const first = min(max(0, start), w.height);
  const last = max(first, min(w.height, end));
  const above = max(0, subtract(min(first, end), start));
  const below = max(0, subtract(end, max(last, start)));
  const loadedColumns = Math.max(0, Math.min(w.width, columns - w.padLeft));
  const fill = (offset: Expr, count: Expr): TileOp =>
    tileOp('VFILL', { element, form: 'immediate' }, { out: at(tile, offset, slot), size: scale(count, rowElements), scalar: paddingBits });
  const load = [
    fill(scale(0, 1), above),
    fill(scale(subtract(max(last, start), start), rowBytes), below),
    transfer('load', element, {
      local: at(tile, add(scale(subtract(first, start), rowBytes), w.padLeft * w.channels * bytes), slot),
      dram: at(
        context.operand(0).buffer,
        add(scale(image.index, w.height * w.width * w.channels * bytes), scale(first, w.width * w.channels * bytes)),
      ),
      size: loadedColumns * w.channels,
      rows: subtract(last, first),
      localStride: rowBytes,
      dramStride: w.width * w.channels * bytes,
    }),
  ];
  const prepare =
    loadedColumns === columns
      ? []
      : Array.from({ length: slots }, (_, i) =>
          tileOp(
            'VFILL',
            { element, form: 'immediate' },
            { out: at(tile, 0, i), size: windowRows(w, rowsPerTile) * rowElements, scalar: paddingBits },
          ),
        );
  return {
    tile,
    rowBytes,
    image,
    rowTile,
    rows,
    iteration,
    prepare,
    load,
    loop: (body) => (tiles > 1 ? image.loop({ body: rowTile.loop({ prefetch: load, body }) }) : image.loop({ prefetch: load, body })),
  };
}
