import { hasExtension } from '../../../isa/target.ts';
import { at, dimension, repeated, slotOf, tileOp, transfer } from '../build.ts';
import { add, min, scale, subtract } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { doesNotFit, local, requireExtensions, unsupportedForm } from '../kernel.ts';
import type { Statement } from '../tiled.ts';
import { activationOf, finish, packBias, packColumns, tileColumns } from './epilogue.ts';

interface Tiles {
  /** Rows of the input, inner (K) and columns (N) of one tile. */
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Columns are the outermost tiles: weights are most of the traffic, so each is read once. */
function chooseTiles(context: KernelContext, M: number, K: number, N: number): Tiles {
  const { target, elementBytes: bytes } = context;
  const { vectorBytes, matrixBytes } = target.memory;
  const { blocks } = target.matrix;
  const repeats = hasExtension(target, 'xrep');
  // A row of inputs, twice, takes half of the vector scratchpad at most.
  const rowFits = K * bytes <= vectorBytes / 4;
  const whole = rowFits && K * N * bytes <= matrixBytes;
  const fits = rowFits && K * Math.min(N, blocks) * bytes <= matrixBytes / 2;
  if (!fits && !whole) requireExtensions(context, `a product of ${K} inputs`, ['xacc', 'xfill']);
  const inner =
    fits || whole ? K : Math.floor(Math.min(matrixBytes / 2 / blocks, vectorBytes / 8) / bytes / target.matrix.lanes) * target.matrix.lanes;
  // Four tiles or more let most of the weights arrive behind the computation; without repeats the extra loop is not worth it.
  const limit = Math.min(
    Math.floor(matrixBytes / (whole && !repeats ? 1 : 2) / (inner * bytes)),
    Math.floor(vectorBytes / 16 / bytes),
    repeats ? Math.max(blocks, Math.ceil(N / 4 / blocks) * blocks) : N,
  );
  const columns = tileColumns(N, Math.min(N, limit), blocks);
  const perRow = 2 * (inner + columns) * bytes;
  const rows = repeats ? Math.min(M, Math.floor((vectorBytes - 2 * columns * bytes - 512) / perRow)) : 1;
  if (rows < 1) return doesNotFit(context, 'one row of inputs and outputs', perRow, vectorBytes);
  return { rows, inner, columns };
}

/** Matrix product M×K by K×N with constant weights: column tiles outside, then row tiles, then K-tiles that continue the accumulators. */
export const gemm: Kernel = (context) => {
  const { element, elementBytes: bytes, result } = context;
  const x = context.operand(0);
  const weights = context.constantOf(1);
  if (!weights) return unsupportedForm(context, 'a product with weights that are not constant');
  const [M = 1, K = 1] = x.type.shape;
  const N = weights.type.shape[1] ?? 1;
  const activation = activationOf(context);
  if (activation.name !== 'none') requireExtensions(context, 'a fused activation', ['xcvt']);
  const tiles = chooseTiles(context, M, K, N);
  const [columnTiles, rowTiles, innerTiles] = [Math.ceil(N / tiles.columns), Math.ceil(M / tiles.rows), Math.ceil(K / tiles.inner)];

  const w = context.addConstant('weights', packColumns(weights, K, N, tiles.columns));
  const packedBias = packBias(context, 2, N, tiles.columns);
  const bias = packedBias && context.addConstant('bias', packedBias);

  const slots = (count: number): 1 | 2 => (count > 1 ? 2 : 1);
  const resident = rowTiles === 1 && innerTiles === 1;
  const xLocal = local('x', 'vector', tiles.rows * tiles.inner * bytes, slots(resident ? 1 : 2));
  const wLocal = local('w', 'matrix', tiles.inner * tiles.columns * bytes, slots(columnTiles * innerTiles));
  const accumulators = local('acc', 'vector', tiles.rows * tiles.columns * bytes, slots(columnTiles * rowTiles));
  const biasLocal = local('bias', 'vector', tiles.columns * bytes, slots(columnTiles));

  const n = dimension('n', columnTiles);
  const m = dimension('m', rowTiles);
  const k = dimension('k', innerTiles);
  const accumulate = innerTiles > 1;
  const rows = min(tiles.rows, subtract(M, scale(m.index, tiles.rows)));
  const inner = min(tiles.inner, subtract(K, scale(k.index, tiles.inner)));
  const wPlace = at(wLocal, 0, slotOf(wLocal, accumulate ? k.index : n.index));
  const xPlace = at(xLocal, 0, slotOf(xLocal, accumulate ? k.index : m.index));
  const sums = at(accumulators, 0, slotOf(accumulators, rowTiles > 1 ? m.index : n.index));
  const biasPlace = at(biasLocal, 0, slotOf(biasLocal, n.index));

  const loadX = transfer('load', element, {
    local: xPlace,
    dram: at(x.buffer, add(scale(m.index, tiles.rows * K * bytes), scale(k.index, tiles.inner * bytes))),
    size: inner,
    rows,
    localStride: tiles.inner * bytes,
    dramStride: K * bytes,
  });
  const tileOffset = add(scale(n.index, K * tiles.columns * bytes), scale(k.index, tiles.inner * tiles.columns * bytes));
  const loadW = tileOp('MLOAD', { element }, { local: wPlace, base: at(w, tileOffset), size: scale(inner, tiles.columns) });
  const loadBias = bias
    ? [tileOp('VLOAD', { element }, { local: biasPlace, base: at(bias, scale(n.index, tiles.columns * bytes)), size: tiles.columns })]
    : [];
  const product = repeated(
    'VMM',
    { element, modifiers: accumulate ? { acc: 1 } : {} },
    { out: sums, out_size: tiles.columns, matrix: wPlace, in: xPlace, in_size: inner },
    { count: rows, strides: { ostride: tiles.columns * bytes, istride: tiles.inner * bytes } },
  );
  const store = transfer('store', element, {
    local: sums,
    dram: at(result.buffer, add(scale(m.index, tiles.rows * N * bytes), scale(n.index, tiles.columns * bytes))),
    size: min(tiles.columns, subtract(N, scale(n.index, tiles.columns))),
    rows,
    localStride: tiles.columns * bytes,
    dramStride: N * bytes,
  });

  const multiply: readonly Statement[] = accumulate
    ? [
        tileOp('VFILL', { element, form: 'immediate' }, { out: sums, size: scale(rows, tiles.columns), scalar: 0 }),
        ...k.loop({ prefetch: [loadW, loadX], body: [product] }),
      ]
    : [product];
  const tile = [...multiply, ...finish(context, sums, rows, tiles.columns, bias && biasPlace, activation), store];
  const body = [
    ...(resident ? [loadX] : []),
    ...n.loop({
      prefetch: accumulate ? loadBias : [loadW, ...loadBias],
      body: m.loop({ prefetch: accumulate || resident ? [] : [loadX], body: tile }),
    }),
  ];
  return { locals: [xLocal, wLocal, accumulators, ...(bias ? [biasLocal] : [])], body };
};
