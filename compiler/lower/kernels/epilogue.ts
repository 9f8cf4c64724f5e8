/** What products share: weights packed by tile, and the bias and activation that end a row of accumulators. */
import type { Tensor, TensorData } from '../../ir/tensor.ts';
import { allocate } from '../../ir/tensor.ts';
import type { Expr, ExprLike } from '../expr.ts';
import { expr, scale } from '../expr.ts';
import { repeated, tileOp } from '../build.ts';
import type { KernelContext } from '../kernel.ts';
import { unsupportedForm } from '../kernel.ts';
import type { Place, TileOp } from '../tiled.ts';
import { floatBits } from '../../../runtime/numerics/float.ts';

/**
 * Packs a row-major K×N matrix as tiles of `columns` columns, each dense and row-major; the last tile is padded with
 * zero columns. Tile n starts at element n·K·columns, its row k at k·columns more.
 */
export function packColumns(matrix: Tensor, rows: number, width: number, columns: number): TensorData {
  const tiles = Math.ceil(width / columns);
  const packed = allocate(matrix.type.element, tiles * rows * columns);
  for (let tile = 0; tile < tiles; tile++)
    for (let row = 0; row < rows; row++) {
      const first = tile * columns;
      const source = matrix.data.subarray(row * width + first, row * width + Math.min(first + columns, width));
      copyInto(packed, source, (tile * rows + row) * columns);
    }
  return packed;
}

function copyInto(target: TensorData, source: TensorData, offset: number): void {
  if (target instanceof BigInt64Array || source instanceof BigInt64Array) throw new TypeError('64-bit integers are not packed');
  target.set(source, offset);
}

/**
 * How many columns a tile of a product has: at most `limit`, all tiles alike. Whole rows of blocks where that pads less than a
 * twentieth, else an even split.
 */
export function tileColumns(width: number, limit: number, blocks: number): number {
  const tiles = Math.ceil(width / limit);
  const whole = Math.ceil(Math.ceil(width / tiles) / blocks) * blocks;
  const even = Math.ceil(width / tiles);
  return whole <= limit && (tiles === 1 ? width : whole * tiles) <= width * 1.05 && tiles > 1 ? whole : even;
}

export type ActivationName = 'none' | 'relu' | 'clip';

/** The activation attributes of conv, gemm and add, or what relu and clip say, as VCVT takes them. */
export interface Activation {
  readonly name: ActivationName;
  readonly low: number;
  readonly high: number;
}

export const NO_ACTIVATION: Activation = { name: 'none', low: -Infinity, high: Infinity };

const ACTIVATION_CODES: Readonly<Record<ActivationName, number>> = { none: 0, relu: 1, clip: 2 };

export function activationOf(context: KernelContext): Activation {
  const { activation, activation_min: low, activation_max: high } = context.attributes;
  if (activation !== 'none' && activation !== 'relu' && activation !== 'clip')
    return unsupportedForm(context, `activation ${String(activation)}`);
  return { name: activation, low: Number(low), high: Number(high) };
}

/** The activation on `size` elements in place; no op where there is none. */
export function activated(context: KernelContext, place: Place, size: ExprLike, activation: Activation): readonly TileOp[] {
  return activation.name === 'none' ? [] : [convert(context, place, place, size, activation)];
}

/** VCVT over `size` elements, in place where `out` is `input`. */
export function convert(context: KernelContext, out: Place, input: Place, size: ExprLike, { name, low, high }: Activation): TileOp {
  return tileOp(
    'VCVT',
    { element: context.element, modifiers: { activation: ACTIVATION_CODES[name] } },
    { out, in: input, size, ...(name === 'clip' && { low: floatBits(low) | 0, high: floatBits(high) | 0 }) },
  );
}

/** Bias over `rows` dense rows of `columns` accumulators, then the activation, in place. */
export function finish(
  context: KernelContext,
  accumulators: Place,
  rows: ExprLike,
  columns: number,
  bias: Place | undefined,
  activation: Activation,
): TileOp[] {
  const stride = columns * context.elementBytes;
  const count: Expr = expr(rows);
  return [
    ...(bias
      ? [
          repeated(
            'VAV',
            { element: context.element },
            { out: accumulators, a: accumulators, b: bias, size: columns },
            { count, strides: { ostride: stride, astride: stride, bstride: 0 } },
          ),
        ]
      : []),
    ...activated(context, accumulators, scale(count, columns), activation),
  ];
}

/** A constant bias of `width` elements, padded with zeros to whole tiles; undefined where the op has none. */
export function packBias(context: KernelContext, index: number, width: number, columns: number): TensorData | undefined {
  if (!context.typeOf(index)) return undefined;
  const bias = context.constantOf(index);
  if (!bias) return unsupportedForm(context, 'a bias that is not constant');
  const packed = allocate(bias.type.element, Math.ceil(width / columns) * columns);
  if (bias.data.length === width) copyInto(packed, bias.data, 0);
  else if (bias.data.length === 1) packed.fill(bias.data[0] as never, 0, width);
  else return unsupportedForm(context, `a bias of shape [${bias.type.shape.join(',')}]`);
  return packed;
}
