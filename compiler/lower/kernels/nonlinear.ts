import { floatBits } from '../../../runtime/numerics/float.ts';
import { at, dimension, repeated, slotOf, tileOp } from '../build.ts';
import { add, scale } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local, requireExtensions, rowsOf, unsupportedForm } from '../kernel.ts';
import type { Place, TileOp } from '../tiled.ts';
import type { RowTiles } from './elementwise.ts';
import { commonRows, elementsOf, fillTile, moveRows, rowTiles } from './elementwise.ts';

/** Vector instructions that exponentials and divisions are worth in the choice of tiles. */
const TRANSCENDENTAL_PASSES = 34;

/** An element-wise function whose steps need tiles full of constants. */
function withConstants(
  context: KernelContext,
  values: readonly number[],
  steps: (x: Place, constants: readonly Place[], tile: RowTiles) => readonly TileOp[],
) {
  requireExtensions(context, context.node.op, ['xf32', 'xfill']);
  const { elementBytes: bytes, result } = context;
  const x = context.operand(0);
  const tile = rowTiles(context, commonRows(context, [x, result]), { loads: 1, passes: TRANSCENDENTAL_PASSES, buffers: 1 + values.length });
  const size = tile.size * tile.width;
  const constants = values.map((_, i) => local(`k${i}`, 'vector', size * bytes));
  const buffer = local('x', 'vector', size * bytes, tile.slots);
  const place = at(buffer, 0, slotOf(buffer, tile.over.index));
  return {
    locals: [buffer, ...constants],
    body: [
      ...constants.map((constant, i) => fillTile(context, at(constant), size, values[i] ?? 0)),
      ...tile.over.loop({
        prefetch: [moveRows(context, 'load', tile, place, x)],
        body: [
          ...steps(
            place,
            constants.map((constant) => at(constant)),
            tile,
          ),
          moveRows(context, 'store', tile, place, result),
        ],
      }),
    ],
  };
}

/** 1 / (exp(0 - x) + 1): the exponentials of +0 and −0 are the same. */
export const sigmoid: Kernel = (context) =>
  withConstants(context, [0, 1], (x, [zero = x, one = x], tile) => {
    const [element, size] = [context.element, elementsOf(tile)];
    return [
      tileOp('VSV', { element }, { out: x, a: zero, b: x, size }),
      tileOp('VEXP', { element }, { out: x, a: x, size }),
      tileOp('VAS', { element, form: 'immediate' }, { out: x, a: x, size, scalar: floatBits(1) | 0 }),
      tileOp('VDV', { element }, { out: x, a: one, b: x, size }),
    ];
  });

/** 1 - 2 / (exp(x + x) + 1). */
export const tanh: Kernel = (context) =>
  withConstants(context, [1, 2], (x, [one = x, two = x], tile) => {
    const [element, size] = [context.element, elementsOf(tile)];
    return [
      tileOp('VAV', { element }, { out: x, a: x, b: x, size }),
      tileOp('VEXP', { element }, { out: x, a: x, size }),
      tileOp('VAS', { element, form: 'immediate' }, { out: x, a: x, size, scalar: floatBits(1) | 0 }),
      tileOp('VDV', { element }, { out: x, a: two, b: x, size }),
      tileOp('VSV', { element }, { out: x, a: one, b: x, size }),
    ];
  });

/**
 * Softmax of the last dimension. Greatest element and sum are reductions in memory, in order: a repeated instruction on one element that goes on with
 * its own result. They are spread over a row by a repeated move, so that the rest is whole vectors.
 */
export const softmax: Kernel = (context) => {
  requireExtensions(context, 'softmax', ['xf32', 'xrep', 'xfill']);
  const { element, elementBytes: bytes, result, attributes } = context;
  const x = context.operand(0);
  const rank = x.type.shape.length;
  const axis = Number(attributes.axis);
  if ((axis < 0 ? axis + rank : axis) !== rank - 1) return unsupportedForm(context, 'a softmax of another dimension than the last');
  const { rows, width } = rowsOf(x.type);
  const tile = rowTiles(
    context,
    { rows, width },
    { loads: 1, passes: 4 * TRANSCENDENTAL_PASSES, buffers: 1, extraBytes: width * bytes + 192 },
  );
  const buffer = local('x', 'vector', tile.size * width * bytes, tile.slots);
  const spread = local('spread', 'vector', width * bytes);
  const one = local('one', 'vector', bytes);
  const place = at(buffer, 0, slotOf(buffer, tile.over.index));
  const r = dimension('r', tile.count);
  const row: Place = { ...place, offset: add(place.offset, scale(r.index, width * bytes)) };
  const reduce = (mnemonic: 'VGTM' | 'VAV', first: Place, count: number): TileOp =>
    repeated(
      mnemonic,
      { element },
      { out: at(one), a: first, b: at(one), size: 1 },
      { count, strides: { ostride: 0, astride: bytes, bstride: 0 } },
    );
  const everywhere = repeated(
    'VMOVE',
    { element },
    { out: at(spread), a: at(one), size: 1 },
    { count: width, strides: { ostride: bytes, astride: 0 } },
  );
  const each = [
    tileOp('VMOVE', { element }, { out: at(one), a: row, size: 1 }),
    ...(width > 1 ? [reduce('VGTM', { ...row, offset: add(row.offset, bytes) }, width - 1)] : []),
    everywhere,
    tileOp('VSV', { element }, { out: row, a: row, b: at(spread), size: width }),
    tileOp('VEXP', { element }, { out: row, a: row, size: width }),
    fillTile(context, at(one), 1, 0),
    reduce('VAV', row, width),
    everywhere,
    tileOp('VDV', { element }, { out: row, a: row, b: at(spread), size: width }),
  ];
  return {
    locals: [buffer, spread, one],
    body: tile.over.loop({
      prefetch: [moveRows(context, 'load', tile, place, x)],
      body: [...r.loop({ body: each }), moveRows(context, 'store', tile, place, result)],
    }),
  };
};

/**
 * Local response normalisation of NHWC images: squares with room for the neighbours that the first and last channels lack, which are zeros and add
 * nothing; their sums over shifted rows; then exp(-beta · log(…)) over the whole tile.
 */
export const lrn: Kernel = (context) => {
  requireExtensions(context, 'local response normalisation', ['xf32', 'xrep', 'xfill', 'xdma']);
  const { element, elementBytes: bytes, result, attributes } = context;
  const x = context.operand(0);
  const { rows, width: channels } = rowsOf(x.type);
  const size = Number(attributes.size);
  const before = Math.floor((size - 1) / 2);
  const wide = channels + size - 1;
  const extraBytes = 2 * channels * bytes + 192;
  // Besides the tile, which may have two slots: the padded squares, and the sums.
  const tile = rowTiles(
    context,
    { rows, width: channels },
    { loads: 1, passes: 2 * TRANSCENDENTAL_PASSES, buffers: 2 + Math.ceil((2 * wide) / channels), extraBytes },
  );
  const buffer = local('x', 'vector', tile.size * channels * bytes, tile.slots);
  const squares = local('squares', 'vector', tile.size * wide * bytes);
  const sums = local('sums', 'vector', tile.size * channels * bytes);
  const factor = local('factor', 'vector', channels * bytes);
  const power = local('power', 'vector', channels * bytes);
  const place = at(buffer, 0, slotOf(buffer, tile.over.index));
  const row = channels * bytes;
  const elements = elementsOf(tile);
  const k = dimension('k', size);
  const scaled = (constant: Place): TileOp =>
    repeated(
      'VMV',
      { element },
      { out: at(sums), a: at(sums), b: constant, size: channels },
      { count: tile.count, strides: { ostride: row, astride: row, bstride: 0 } },
    );
  const number = (value: number): number => Math.fround(value);
  return {
    locals: [buffer, squares, sums, factor, power],
    body: [
      fillTile(context, at(squares), tile.size * wide, 0),
      fillTile(context, at(factor), channels, number(number(Number(attributes.alpha)) / size)),
      fillTile(context, at(power), channels, -number(Number(attributes.beta))),
      ...tile.over.loop({
        prefetch: [moveRows(context, 'load', tile, place, x)],
        body: [
          repeated(
            'VMV',
            { element },
            { out: at(squares, before * bytes), a: place, b: place, size: channels },
            { count: tile.count, strides: { ostride: wide * bytes, astride: row, bstride: row } },
          ),
          fillTile(context, at(sums), elements, 0),
          ...k.loop({
            body: [
              repeated(
                'VAV',
                { element },
                { out: at(sums), a: at(squares, scale(k.index, bytes)), b: at(sums), size: channels },
                { count: tile.count, strides: { ostride: row, astride: wide * bytes, bstride: row } },
              ),
            ],
          }),
          scaled(at(factor)),
          tileOp(
            'VAS',
            { element, form: 'immediate' },
            { out: at(sums), a: at(sums), size: elements, scalar: floatBits(number(Number(attributes.bias))) | 0 },
          ),
          tileOp('VLOG', { element }, { out: at(sums), a: at(sums), size: elements }),
          scaled(at(power)),
          tileOp('VEXP', { element }, { out: at(sums), a: at(sums), size: elements }),
          tileOp('VMV', { element }, { out: place, a: place, b: at(sums), size: elements }),
          moveRows(context, 'store', tile, place, result),
        ],
      }),
    ],
  };
};
