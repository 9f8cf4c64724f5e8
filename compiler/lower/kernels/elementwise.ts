import { hasExtension } from '../../../isa/target.ts';
import type { Mnemonic } from '../../../isa/table.ts';
import { floatBits } from '../../../runtime/numerics/float.ts';
import { allocate } from '../../ir/tensor.ts';
import { elementCount } from '../../ir/types.ts';
import type { Dimension } from '../build.ts';
import { at, dimension, repeated, slotOf, tileOp, transfer } from '../build.ts';
import { isWorth, loopCycles, tileSizes, transferCycles, vectorCycles } from '../cost.ts';
import type { Expr } from '../expr.ts';
import { add, expr, min, scale, subtract } from '../expr.ts';
import type { Kernel, KernelContext, KernelValue } from '../kernel.ts';
import { doesNotFit, isDense, local, requireExtensions, rowsOf, unsupportedForm } from '../kernel.ts';
import type { Buffer, Place, TileOp } from '../tiled.ts';
import type { Activation } from './activation.ts';
import { activated, convert, NO_ACTIVATION } from './activation.ts';

/** A tensor as rows of `width` elements that lie together; single elements where all operands are dense. */
export interface Rows {
  readonly rows: number;
  readonly width: number;
}

/** How an op's operands and result are cut: by single elements, or where one of them is a slice by rows of the last dimension. */
export function commonRows(context: KernelContext, values: readonly KernelValue[]): Rows {
  const { type } = context.result;
  return values.every(isDense) ? { rows: elementCount(type.shape), width: 1 } : rowsOf(type);
}

/** A tile of rows, how many of them there are, and what of it fits. */
export interface RowTiles extends Rows {
  readonly size: number;
  readonly tiles: number;
  readonly slots: 1 | 2;
  /** Rows of this tile. */
  readonly count: Expr;
  readonly over: Dimension;
}

/** What is done with rows: `loads` operands and one result move, `passes` vector instructions run, `buffers` tiles stand in the scratchpad. */
interface RowWork {
  readonly loads: number;
  readonly passes: number;
  readonly buffers: number;
  readonly extraBytes?: number;
  /** Whether rows in DRAM have gaps between them. */
  readonly apart?: boolean;
}

/** Cuts rows into tiles. */
export function rowTiles(
  context: KernelContext,
  { rows, width }: Rows,
  { loads, passes, buffers, extraBytes = 0, apart = false }: RowWork,
): RowTiles {
  const { target, element, elementBytes: bytes } = context;
  const { vectorBytes } = target.memory;
  const repeats = hasExtension(target, 'xrep') && hasExtension(target, 'xdma');
  let best: { size: number; slots: 1 | 2; cycles: number } | undefined;
  // One row at a time is what a target can do without repeated instructions and strided transfers.
  const oneByOne = (width > 1 && !repeats) || (apart && !hasExtension(target, 'xdma'));
  for (const size of oneByOne ? [1] : tileSizes(rows)) {
    const tiles = Math.ceil(rows / size);
    const fits = (count: number): boolean => buffers * count * (size * width * bytes + 64) + extraBytes <= vectorBytes;
    const slots = tiles > 1 && fits(2) ? 2 : 1;
    if (!fits(slots)) continue;
    const move = width === 1 ? transferCycles(target, 1, size * bytes) : transferCycles(target, size, width * bytes);
    const compute = passes * (width === 1 ? vectorCycles(target, element, 1, size) : vectorCycles(target, element, size, width));
    const cycles = loopCycles(target, 1, tiles, slots, { load: loads * move, compute, store: move });
    if (isWorth(cycles, best?.cycles)) best = { size, slots, cycles };
  }
  if (!best) return doesNotFit(context, 'one row', buffers * width * bytes + extraBytes, vectorBytes);
  const { size, slots } = best;
  const tiles = Math.ceil(rows / size);
  const t = dimension('t', tiles);
  // A single row needs no repetition and no strides, which every target has.
  const count = size === 1 ? expr(1) : min(size, subtract(rows, scale(t.index, size)));
  return { rows, width, size, tiles, slots, count, over: t };
}

/** Loads or stores this tile's rows of a value, `width` elements each, dense in the scratchpad. */
export function moveRows(context: KernelContext, direction: 'load' | 'store', tile: RowTiles, place: Place, value: KernelValue): TileOp {
  const bytes = context.elementBytes;
  // Single elements stand in rows without gaps.
  const stride = tile.width === 1 && isDense(value) ? bytes : value.pitch;
  return transfer(direction, context.element, {
    local: place,
    dram: at(value.buffer, add(value.offset, scale(tile.over.index, tile.size * stride))),
    size: tile.width,
    rows: tile.count,
    localStride: tile.width * bytes,
    dramStride: stride,
  });
}

/** Elements of this tile. */
export function elementsOf({ count, width }: RowTiles): Expr {
  return scale(count, width);
}

/** One operand, element by element. `passes` vector instructions work on each element. */
export function unary(context: KernelContext, passes: number, steps: (tile: Place, size: Expr) => readonly TileOp[]): ReturnType<Kernel> {
  const { elementBytes: bytes, result } = context;
  const x = context.operand(0);
  const tile = rowTiles(context, commonRows(context, [x, result]), { loads: 1, passes, buffers: 1 });
  const buffer = local('x', 'vector', tile.size * tile.width * bytes, tile.slots);
  const place = at(buffer, 0, slotOf(buffer, tile.over.index));
  return {
    locals: [buffer],
    body: tile.over.loop({
      prefetch: [moveRows(context, 'load', tile, place, x)],
      body: [...steps(place, elementsOf(tile)), moveRows(context, 'store', tile, place, result)],
    }),
  };
}

const activationKernel =
  (activationOf: (context: KernelContext) => Activation): Kernel =>
  (context) => {
    requireExtensions(context, 'an activation', ['xcvt']);
    return unary(context, 1, (place, size) => [convert(context, place, place, size, activationOf(context))]);
  };

export const clip: Kernel = activationKernel(({ attributes }) => ({
  name: 'clip',
  low: Number(attributes.min),
  high: Number(attributes.max),
}));

/** relu as VCVT, or without that extension as the greater of x and a vector of zeros. */
export const relu: Kernel = (context) => {
  if (hasExtension(context.target, 'xcvt')) return activationKernel(() => ({ name: 'relu', low: 0, high: 0 }))(context);
  const { element, elementBytes: bytes, result } = context;
  const x = context.operand(0);
  const tile = rowTiles(context, commonRows(context, [x, result]), { loads: 1, passes: 1, buffers: 2 });
  const size = tile.size * tile.width;
  const zeros = context.addConstant('zeros', allocate(result.type.element, size));
  const zero = local('zero', 'vector', size * bytes);
  const buffer = local('x', 'vector', size * bytes, tile.slots);
  const place = at(buffer, 0, slotOf(buffer, tile.over.index));
  return {
    locals: [buffer, zero],
    body: [
      tileOp('VLOAD', { element }, { local: at(zero), base: at(zeros), size }),
      ...tile.over.loop({
        prefetch: [moveRows(context, 'load', tile, place, x)],
        body: [
          tileOp('VGTM', { element }, { out: place, a: place, b: at(zero), size: elementsOf(tile) }),
          moveRows(context, 'store', tile, place, result),
        ],
      }),
    ],
  };
};

/** The instruction of an op of two operands, and the activation that ends it. */
interface Arithmetic {
  readonly mnemonic: Mnemonic;
  readonly activation: Activation;
}

/** Two operands; the second has the result's shape, or is one row that serves every row of the first, or one constant number. */
export const binary =
  (mnemonic: Mnemonic, activationOf: (context: KernelContext) => Activation = () => NO_ACTIVATION): Kernel =>
  (context) => {
    const arithmetic = { mnemonic, activation: activationOf(context) };
    if (arithmetic.activation.name !== 'none') requireExtensions(context, 'an activation', ['xcvt']);
    const [a, b] = [context.operand(0), context.operand(1)];
    const total = elementCount(context.result.type.shape);
    const width = elementCount(b.type.shape);
    if (elementCount(a.type.shape) !== total || !isSuffix(b.type.shape, context.result.type.shape))
      return unsupportedForm(
        context,
        `${context.node.op} of [${a.type.shape.join(',')}] and [${b.type.shape.join(',')}]`,
        'only the second operand may be broadcast, over leading dimensions',
      );
    if (width === total) return pairwise(context, arithmetic, a, b);
    return width === 1 ? withNumber(context, arithmetic, a) : withRow(context, arithmetic, a, b, width);
  };

function pairwise(context: KernelContext, { mnemonic, activation }: Arithmetic, a: KernelValue, b: KernelValue): ReturnType<Kernel> {
  return pairs(context, a, b, (out, other, size) => [
    tileOp(mnemonic, { element: context.element }, { out, a: out, b: other, size }),
    ...activated(context, out, size, activation),
  ]);
}

/** Two operands of one shape, element by element; the result takes the place of the first. */
export function pairs(
  context: KernelContext,
  a: KernelValue,
  b: KernelValue,
  steps: (a: Place, b: Place, size: Expr) => readonly TileOp[],
): ReturnType<Kernel> {
  const { elementBytes: bytes, result } = context;
  const tile = rowTiles(context, commonRows(context, [a, b, result]), { loads: 2, passes: 1, buffers: 2 });
  const buffer = (name: string, banks: Buffer['banks']): Buffer => local(name, 'vector', tile.size * tile.width * bytes, tile.slots, banks);
  const [aTile, bTile] = [buffer('a', 'even'), buffer('b', 'odd')];
  const [aPlace, bPlace] = [at(aTile, 0, slotOf(aTile, tile.over.index)), at(bTile, 0, slotOf(bTile, tile.over.index))];
  return {
    locals: [aTile, bTile],
    body: tile.over.loop({
      prefetch: [moveRows(context, 'load', tile, aPlace, a), moveRows(context, 'load', tile, bPlace, b)],
      body: [...steps(aPlace, bPlace, elementsOf(tile)), moveRows(context, 'store', tile, aPlace, result)],
    }),
  };
}

function withRow(
  context: KernelContext,
  { mnemonic, activation }: Arithmetic,
  a: KernelValue,
  b: KernelValue,
  width: number,
): ReturnType<Kernel> {
  const { element, elementBytes: bytes, result } = context;
  const sliced = commonRows(context, [a, result]);
  if (sliced.width !== 1 && sliced.width !== width)
    return unsupportedForm(context, `${context.node.op} of a slice and a row of ${width} elements`);
  const rows = { rows: elementCount(result.type.shape) / width, width };
  const tile = rowTiles(context, rows, { loads: 1, passes: 1, buffers: 1, extraBytes: width * bytes + 64 });
  const dense = (value: KernelValue): KernelValue => (isDense(value) ? { ...value, pitch: width * bytes } : value);
  const aTile = local('a', 'vector', tile.size * width * bytes, tile.slots, 'even');
  const bTile = local('b', 'vector', width * bytes, 1, 'odd');
  const place = at(aTile, 0, slotOf(aTile, tile.over.index));
  const compute = repeated(
    mnemonic,
    { element },
    { out: place, a: place, b: at(bTile), size: width },
    { count: tile.count, strides: { ostride: width * bytes, astride: width * bytes, bstride: 0 } },
  );
  return {
    locals: [aTile, bTile],
    body: [
      tileOp('VLOAD', { element }, { local: at(bTile), base: at(b.buffer, b.offset), size: width }),
      ...tile.over.loop({
        prefetch: [moveRows(context, 'load', tile, place, dense(a))],
        body: [compute, ...activated(context, place, elementsOf(tile), activation), moveRows(context, 'store', tile, place, dense(result))],
      }),
    ],
  };
}

function withNumber(context: KernelContext, { mnemonic, activation }: Arithmetic, a: KernelValue): ReturnType<Kernel> {
  const { element, elementBytes: bytes, result } = context;
  const tile = rowTiles(context, commonRows(context, [a, result]), { loads: 1, passes: 1, buffers: 2 });
  const size = tile.size * tile.width;
  const aTile = local('a', 'vector', size * bytes, tile.slots, 'even');
  const bTile = local('b', 'vector', size * bytes, 1, 'odd');
  const place = at(aTile, 0, slotOf(aTile, tile.over.index));
  return {
    locals: [aTile, bTile],
    body: [
      everywhere(context, bTile, size),
      ...tile.over.loop({
        prefetch: [moveRows(context, 'load', tile, place, a)],
        body: [
          tileOp(mnemonic, { element }, { out: place, a: place, b: at(bTile), size: elementsOf(tile) }),
          ...activated(context, place, elementsOf(tile), activation),
          moveRows(context, 'store', tile, place, result),
        ],
      }),
    ],
  };
}

/** Puts the one constant number that the second operand is into all `size` elements of a tile. */
function everywhere(context: KernelContext, tile: Buffer, size: number): TileOp {
  const { element, target } = context;
  const constant = context.constantOf(1);
  if (!constant) return unsupportedForm(context, `${context.node.op} of a tensor and one computed number`);
  if (hasExtension(target, 'xfill')) return fillTile(context, at(tile), size, Number(constant.data[0]));
  const filled = allocate(constant.type.element, size).fill(constant.data[0] as never);
  return tileOp('VLOAD', { element }, { local: at(tile), base: at(context.addConstant('everywhere', filled)), size });
}

/** `size` elements of one value: a number in f32, the raw integer in fixed point. */
export function fillTile({ element }: KernelContext, out: Place, size: number | Expr, value: number): TileOp {
  return tileOp('VFILL', { element, form: 'immediate' }, { out, size, scalar: element === 'f32' ? floatBits(value) | 0 : value });
}

function isSuffix(shape: readonly number[], whole: readonly number[]): boolean {
  const significant = shape.slice(shape.findIndex((dimension) => dimension !== 1));
  const tail = significant.length === 0 || shape.every((dimension) => dimension === 1) ? [] : significant;
  return tail.every((dimension, i) => dimension === whole[whole.length - tail.length + i]);
}
