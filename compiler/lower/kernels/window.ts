/**
 * What convolution and pooling share: a window that slides over an NHWC tensor, tiled by output rows, output columns and, where channels do
 * not meet, slices of channels; with padding kept in the tile.
 */
import type { KernelContext, KernelValue } from '../kernel.ts';
import { doesNotFit, local, unsupportedForm } from '../kernel.ts';
import { at, dimension, slotOf, tileOp, transferBox } from '../build.ts';
import type { Dimension } from '../build.ts';
import { divisors, isWorth, loopCycles, tileSizes, transferCycles } from '../cost.ts';
import type { Expr, ExprLike } from '../expr.ts';
import { add, expr, isConstant, max, min, positive, scale, subtract } from '../expr.ts';
import type { Buffer, Place, Statement, TileOp } from '../tiled.ts';

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
  if (attributes.layout !== 'nhwc') return unsupportedForm(context, 'a layout other than nhwc');
  const pair = (name: string): readonly [number, number] => {
    const value = attributes[name];
    if (!Array.isArray(value)) throw new Error(`${node.op} has no attribute ${name}`);
    const [a, b] = value as readonly number[];
    return [a ?? 1, b ?? 1];
  };
  const [padTop, padLeft] = pair('pads');
  return { ...imagesOf(context), kernel, stride: pair('strides'), dilation: pair('dilations'), padTop, padLeft };
}

/** The sizes of the images that an op reads and writes. */
export function imagesOf(context: KernelContext): Omit<Window, 'kernel' | 'stride' | 'dilation' | 'padTop' | 'padLeft'> {
  const [batch = 1, height = 1, width = 1, channels = 1] = context.typeOf(0)?.shape ?? [];
  const [, outHeight = 1, outWidth = 1, outChannels = 1] = context.node.type.shape;
  return { batch, height, width, channels, outHeight, outWidth, outChannels };
}

/** Input positions along axis 0 (rows) or 1 (columns) that `count` outputs read, padding included. */
export function windowExtent(w: Window, axis: 0 | 1, count: number): number {
  return (count - 1) * w.stride[axis] + (w.kernel[axis] - 1) * w.dilation[axis] + 1;
}

/** Output rows and columns of a tile, and input channels. */
export interface WindowTile {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

export interface WindowPlan extends WindowTile {
  readonly slots: 1 | 2;
}

export interface WindowCosts {
  /** Output channels that a tile has for its input channels. */
  readonly outputs: (channels: number) => number;
  /** Bytes of the vector scratchpad besides the tile of inputs and outputs. */
  readonly extraBytes: (tile: WindowTile) => number;
  readonly computeCycles: (tile: WindowTile) => number;
  /** Whether slices of the channels can be computed by themselves. */
  readonly slices: boolean;
  /** Bytes of an accumulator, where results are not written over them; their tile needs one slot. */
  readonly accumulatorBytes?: number;
  /** Whether rows of outputs are as wide as those of inputs, so that all rows of a tile are one; then all tiles have the same columns. */
  readonly joined?: boolean;
}

/** Room that rounding up to whole bank lines takes, for each of a tile's buffers. */
const ROUNDING_BYTES = 64;

/** The tile that the cost model finds fastest among those that fit. */
export function chooseTile(context: KernelContext, w: Window, costs: WindowCosts): WindowPlan {
  const { target, elementBytes: bytes, resultBytes } = context;
  const capacity = target.memory.vectorBytes;
  let best: (WindowPlan & { cycles: number }) | undefined;
  let least = Infinity;
  for (const channels of costs.slices ? divisors(w.channels) : [w.channels])
    for (const columns of tileSizes(w.outWidth))
      for (const rows of tileSizes(w.outHeight)) {
        if (costs.joined === true && w.outWidth % columns !== 0) continue;
        const tile = { rows, columns, channels };
        const outColumns = costs.joined === true ? windowExtent(w, 1, columns) : columns;
        const outputs = costs.outputs(channels);
        const inputBytes = windowExtent(w, 0, rows) * windowExtent(w, 1, columns) * channels * bytes;
        const results = rows * outColumns * outputs;
        const tileBytes = inputBytes + results * resultBytes + 2 * ROUNDING_BYTES;
        const counts = [w.batch, w.channels / channels, Math.ceil(w.outHeight / rows), Math.ceil(w.outWidth / columns)];
        const inner = counts.findLast((count) => count > 1) ?? 1;
        const extra =
          costs.extraBytes(tile) + (costs.accumulatorBytes === undefined ? 0 : results * costs.accumulatorBytes + ROUNDING_BYTES);
        const slots = ([2, 1] as const).find((count) => (count === 1 || inner > 1) && count * tileBytes + extra <= capacity);
        least = Math.min(least, tileBytes + extra);
        if (slots === undefined) continue;
        const cycles = loopCycles(target, counts.reduce((product, count) => product * count, 1) / inner, inner, slots, {
          load: boxCycles(
            context,
            bytes,
            w.channels,
            channels,
            Math.min(windowExtent(w, 0, rows), w.height),
            Math.min(windowExtent(w, 1, columns), w.width),
          ),
          compute: costs.computeCycles(tile),
          store: boxCycles(context, resultBytes, w.outChannels, outputs, rows, columns),
        });
        if (isWorth(cycles, best?.cycles)) best = { ...tile, slots, cycles };
      }
  return best ?? doesNotFit(context, 'one window', least, capacity);
}

function boxCycles({ target }: KernelContext, bytes: number, all: number, channels: number, rows: number, columns: number): number {
  return all === channels
    ? transferCycles(target, rows, columns * channels * bytes)
    : transferCycles(target, rows * columns, channels * bytes);
}

/** The tiles of a window: the scratchpad tile of the input, the loops, the loads, and where outputs go. */
export interface WindowTiles {
  readonly tile: Buffer;
  /** Bytes from one row of the tile to the next. */
  readonly rowBytes: number;
  readonly image: Dimension;
  readonly slice: Dimension;
  /** Output rows and columns of this tile; fewer in the last. */
  readonly rows: Expr;
  readonly columns: Expr;
  /** The iteration that slots alternate by. */
  readonly iteration: Expr;
  /** Slots of what is loaded once for each slice of channels: 2 where that is the loop whose loads run ahead. */
  readonly sliceSlots: 1 | 2;
  /** Fills what loads never write: the columns of padding, where all tiles have the same. */
  readonly prepare: readonly TileOp[];
  /** Stores `channels` channels of each output of this tile, which stand in rows of `columns` pixels, the plan's unless given. */
  store(local: Place, result: KernelValue, firstChannel: ExprLike, channels: number, columns?: number): TileOp;
  /** All loops around the body of a tile, loads running ahead. `perSlice` is done once for each slice of channels of each image. */
  loop(body: readonly Statement[], perSlice?: readonly TileOp[]): readonly Statement[];
}

/** Outputs of an axis, cut into tiles. */
interface Cut {
  readonly axis: 0 | 1;
  /** Outputs of a tile, fewer in a ragged last one. */
  readonly size: number;
  readonly index: Expr;
}

/** Inputs that one tile reads along an axis: where they start in the image, those that exist, and the padding around them. */
interface Span {
  /** First input position that exists. */
  readonly first: Expr;
  readonly count: Expr;
  readonly before: Expr;
  readonly after: Expr;
  /** Whether it is known that only the first tile has padding before the image. */
  readonly beforeFirst: boolean;
  /** Where the image starts in the tile. */
  readonly inside: Expr;
  /** What to fill behind the image before it is loaded: the padding there, or what may become padding in another tile. */
  readonly behind: { readonly start: Expr; readonly count: Expr };
}

function spanOf(w: Window, cut: Cut): Span {
  const { axis, size, index } = cut;
  const [inputs, pad, outputs] = axis === 0 ? [w.height, w.padTop, w.outHeight] : [w.width, w.padLeft, w.outWidth];
  const step = size * w.stride[axis];
  const extent = windowExtent(w, axis, size);
  const padAfter = Math.max(0, windowExtent(w, axis, outputs) - pad - inputs);
  const last = outputs / size - 1;
  const onlyAtEnds = Number.isInteger(last) && last > 0 && Math.max(pad, padAfter) <= Math.min(step, extent - 1);
  return onlyAtEnds ? spanOfEven(index, { step, extent, last, pad, padAfter }) : spanOfAny(w, cut, inputs, pad, outputs);
}

/** Of even tiles only the first has padding before the image, and only the last behind it: which those are is told by a sign. */
function spanOfEven(
  index: Expr,
  { step, extent, last, pad, padAfter }: { step: number; extent: number; last: number; pad: number; padAfter: number },
): Span {
  const before = scale(positive(subtract(1, index)), pad);
  const after = scale(subtract(1, positive(subtract(last, index))), padAfter);
  return {
    first: add(scale(index, step), -pad, before),
    count: subtract(extent, add(before, after)),
    before,
    after,
    beforeFirst: true,
    inside: before,
    // The image overwrites it in all tiles but the last; to ask which tile it is takes longer than to fill.
    behind: { start: expr(extent - padAfter), count: expr(padAfter) },
  };
}

function spanOfAny(w: Window, { axis, size, index }: Cut, inputs: number, pad: number, outputs: number): Span {
  const firstOutput = scale(index, size);
  const start = add(scale(firstOutput, w.stride[axis]), -pad);
  const count = min(size, subtract(outputs, firstOutput));
  const end = add(start, scale(count, w.stride[axis]), windowExtent(w, axis, 1) - w.stride[axis]);
  const first = min(max(0, start), inputs);
  const last = max(first, min(inputs, end));
  const after = max(0, subtract(end, max(last, start)));
  return {
    first,
    count: subtract(last, first),
    before: max(0, subtract(min(first, end), start)),
    after,
    beforeFirst: false,
    inside: subtract(first, start),
    behind: { start: subtract(max(last, start), start), count: after },
  };
}

/** `runs` is how often the kernel goes through all tiles. */
export function windowTiles(context: KernelContext, w: Window, plan: WindowPlan, paddingBits: number, runs = 1): WindowTiles {
  const { element, elementBytes: bytes, resultElement, resultBytes } = context;
  const x = context.operand(0);
  const tileColumns = windowExtent(w, 1, plan.columns);
  const rowElements = tileColumns * plan.channels;
  const rowBytes = rowElements * bytes;
  const tileElements = windowExtent(w, 0, plan.rows) * rowElements;
  const tile = local('x', 'vector', tileElements * bytes, plan.slots, 'even');
  const image = dimension('b', w.batch);
  const slice = dimension('c', w.channels / plan.channels);
  const down = dimension('t', Math.ceil(w.outHeight / plan.rows));
  const across = dimension('u', Math.ceil(w.outWidth / plan.columns));
  const loops = [image, slice, down, across];
  const inner = Math.max(
    0,
    loops.findLastIndex(({ index }) => !isConstant(index)),
  );
  const iteration = loops[inner]?.index ?? expr(0);
  const slot = slotOf(tile, iteration);

  const firstRow = scale(down.index, plan.rows);
  const firstColumn = scale(across.index, plan.columns);
  const rows = min(plan.rows, subtract(w.outHeight, firstRow));
  const columns = min(plan.columns, subtract(w.outWidth, firstColumn));
  const vertical = spanOf(w, { axis: 0, size: plan.rows, index: down.index });
  const horizontal = spanOf(w, { axis: 1, size: plan.columns, index: across.index });

  const fill = (offset: ExprLike, size: ExprLike, fillSlot: ExprLike): TileOp =>
    tileOp('VFILL', { element, form: 'immediate' }, { out: at(tile, offset, fillSlot), size, scalar: paddingBits });
  const wholeWidth = isConstant(across.index);
  const paddedColumns = !wholeWidth || !isConstant(horizontal.count) || horizontal.count.constant < tileColumns;
  const prepares = wholeWidth && paddedColumns;
  // The first tile of all finds its padding filled by what prepares.
  const isFirstOnce = runs === 1 && isConstant(image.index) && isConstant(slice.index);
  const prepared = prepares && vertical.beforeFirst && isFirstOnce;
  const load = [
    ...(wholeWidth
      ? [
          ...(prepared ? [] : [fill(0, scale(vertical.before, rowElements), slot)]),
          fill(scale(vertical.behind.start, rowBytes), scale(vertical.behind.count, rowElements), slot),
        ]
      : // Columns of padding differ from tile to tile: a tile that has any padding is filled whole.
        [fill(0, scale(positive(add(vertical.before, vertical.after, horizontal.before, horizontal.after)), tileElements), slot)]),
    transferBox('load', element, {
      local: at(tile, add(scale(vertical.inside, rowBytes), scale(horizontal.inside, plan.channels * bytes)), slot),
      localRowBytes: rowBytes,
      dram: at(
        x.buffer,
        add(
          x.offset,
          scale(image.index, w.height * w.width * x.pitch),
          scale(vertical.first, w.width * x.pitch),
          scale(horizontal.first, x.pitch),
          scale(slice.index, plan.channels * bytes),
        ),
      ),
      pixelBytes: x.pitch,
      imageRowBytes: w.width * x.pitch,
      rows: vertical.count,
      columns: horizontal.count,
      channels: plan.channels,
    }),
  ];
  return {
    tile,
    rowBytes,
    image,
    slice,
    rows,
    columns,
    iteration,
    sliceSlots: loops[inner] === slice && !isConstant(slice.index) ? plan.slots : 1,
    prepare: prepares ? Array.from({ length: plan.slots }, (_, i) => fill(0, tileElements, i)) : [],
    store: (source, result, firstChannel, channels, outColumns = plan.columns) =>
      transferBox('store', resultElement, {
        local: source,
        localRowBytes: outColumns * channels * resultBytes,
        dram: at(
          result.buffer,
          add(
            result.offset,
            scale(image.index, w.outHeight * w.outWidth * result.pitch),
            scale(firstRow, w.outWidth * result.pitch),
            scale(firstColumn, result.pitch),
            scale(firstChannel, resultBytes),
          ),
        ),
        pixelBytes: result.pitch,
        imageRowBytes: w.outWidth * result.pitch,
        rows,
        columns,
        channels,
      }),
    loop: (body, perSlice = []) =>
      loops.reduceRight<readonly Statement[]>((statements, each, depth) => {
        const own = each === slice ? perSlice : [];
        return each.loop(depth === inner ? { prefetch: [...own, ...load], body: statements } : { body: [...own, ...statements] });
      }, body),
  };
}
