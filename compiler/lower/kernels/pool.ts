import type { Mnemonic } from '../../../isa/table.ts';
import { floatBits } from '../../../runtime/numerics/float.ts';
import { at, dimension, repeated, slotOf, tileOp } from '../build.ts';
import { tripCycles, vectorCycles } from '../cost.ts';
import type { Expr } from '../expr.ts';
import { add, scale } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local, requireExtensions } from '../kernel.ts';
import type { Place, Statement, TileOp } from '../tiled.ts';
import type { Window, WindowPlan } from './window.ts';
import { chooseTile, windowOf, windowTiles } from './window.ts';

interface Pooling {
  /** Raw bits of padding. */
  readonly padding: number;
  /** Takes the first tap of `count` outputs, a `step` apart, into `out`; size and strides in bytes. */
  readonly start: (out: Place, tap: Place, pixels: Pixels) => TileOp;
  /** Merges another tap. */
  readonly merge: Mnemonic;
  /** What is done with a finished row. */
  readonly finish: (out: Place, pixels: Pixels, plan: WindowPlan) => readonly TileOp[];
  readonly locals: readonly ReturnType<typeof local>[];
  readonly prepare: readonly TileOp[];
}

/** A row of outputs: how many pixels of how many channels, and how far apart their taps are. */
interface Pixels {
  readonly count: Expr;
  readonly channels: number;
  readonly stepBytes: number;
  readonly tapStepBytes: number;
}

/** Per output row of a tile one repeated instruction for each tap; slices of channels are pooled by themselves. */
function pool(context: KernelContext, poolingOf: (w: Window, plan: WindowPlan) => Pooling): ReturnType<Kernel> {
  requireExtensions(context, 'pooling', ['xrep', 'xdma', 'xfill']);
  const { element, elementBytes: bytes, target, result, attributes } = context;
  const [kernelHeight = 1, kernelWidth = 1] = attributes.kernel as readonly number[];
  const w = windowOf(context, [kernelHeight, kernelWidth]);
  const plan = chooseTile(context, w, {
    slices: true,
    outputs: (channels) => channels,
    extraBytes: ({ channels }) => 2 * channels * bytes + 64,
    computeCycles: ({ rows, columns, channels }) =>
      (kernelHeight * kernelWidth + 1) * rows * Math.max(vectorCycles(target, element, columns, channels), tripCycles(target)),
  });
  const pooling = poolingOf(w, plan);
  const tiles = windowTiles(context, w, plan, pooling.padding);
  const outRowBytes = plan.columns * plan.channels * bytes;
  const sums = local('out', 'vector', plan.rows * outRowBytes, plan.slots, 'odd');

  const y = dimension('y', tiles.rows);
  const ky = dimension('ky', kernelHeight - 1);
  const kx = dimension('kx', kernelWidth);
  const kxRest = dimension('kx', kernelWidth - 1);
  const out = at(sums, scale(y.index, outRowBytes), slotOf(sums, tiles.iteration));
  const stepBytes = plan.channels * bytes;
  const pixels: Pixels = { count: tiles.columns, channels: plan.channels, stepBytes, tapStepBytes: w.stride[1] * stepBytes };
  const tap = (row: Expr, column: Expr): Place =>
    at(
      tiles.tile,
      add(
        scale(y.index, w.stride[0] * tiles.rowBytes),
        scale(row, w.dilation[0] * tiles.rowBytes),
        scale(column, w.dilation[1] * stepBytes),
      ),
      slotOf(tiles.tile, tiles.iteration),
    );
  const zero = add(0);
  const merge = (row: Expr, column: Expr): Statement =>
    repeated(
      pooling.merge,
      { element },
      { out, a: tap(row, column), b: out, size: plan.channels },
      { count: pixels.count, strides: { ostride: stepBytes, astride: pixels.tapStepBytes, bstride: stepBytes } },
    );
  const body: Statement[] = [
    ...y.loop({
      body: [
        pooling.start(out, tap(zero, zero), pixels),
        ...(kernelWidth > 1 ? kxRest.loop({ body: [merge(zero, add(kxRest.index, 1))] }) : []),
        ...(kernelHeight > 1 ? ky.loop({ body: kx.loop({ body: [merge(add(ky.index, 1), kx.index)] }) }) : []),
        ...pooling.finish(out, pixels, plan),
      ],
    }),
    tiles.store(at(sums, 0, slotOf(sums, tiles.iteration)), result, scale(tiles.slice.index, plan.channels), plan.channels),
  ];
  return { locals: [tiles.tile, sums, ...pooling.locals], body: [...pooling.prepare, ...tiles.prepare, ...tiles.loop(body)] };
}

/** Maximum over a window. Padding never wins against a tap: minus infinity, or the least fixed-point value. */
export const maxPool: Kernel = (context) =>
  pool(context, () => ({
    padding: context.element === 'f32' ? floatBits(-Infinity) | 0 : -32768,
    start: (out, tap, { count, channels, stepBytes, tapStepBytes }) =>
      repeated(
        'VMOVE',
        { element: context.element },
        { out, a: tap, size: channels },
        { count, strides: { ostride: stepBytes, astride: tapStepBytes } },
      ),
    merge: 'VGTM',
    finish: () => [],
    locals: [],
    prepare: [],
  }));

/**
 * Mean over a window whose taps all count: their sum times one over their number. Padding stands in the tile as zeros, and adds nothing to a sum that
 * starts at +0: so does the first tap, to which +0 is added.
 */
export const averagePool: Kernel = (context) =>
  pool(context, ({ kernel }, plan) => {
    const { element, elementBytes: bytes } = context;
    // A row of factors and one of zeros.
    const rowBytes = plan.channels * bytes;
    const factor = local('factor', 'vector', 2 * rowBytes);
    const fill = (offset: number, value: number): TileOp =>
      tileOp('VFILL', { element, form: 'immediate' }, { out: at(factor, offset), size: plan.channels, scalar: floatBits(value) | 0 });
    return {
      padding: 0,
      start: (out, tap, { count, channels, stepBytes, tapStepBytes }) =>
        repeated(
          'VAV',
          { element },
          { out, a: tap, b: at(factor, rowBytes), size: channels },
          { count, strides: { ostride: stepBytes, astride: tapStepBytes, bstride: 0 } },
        ),
      merge: 'VAV',
      finish: (out, { count, channels, stepBytes }) => [
        repeated(
          'VMV',
          { element },
          { out, a: out, b: at(factor), size: channels },
          { count, strides: { ostride: stepBytes, astride: stepBytes, bstride: 0 } },
        ),
      ],
      locals: [factor],
      prepare: [fill(0, Math.fround(1 / (kernel[0] * kernel[1]))), fill(rowBytes, 0)],
    };
  });
