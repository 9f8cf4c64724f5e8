import { hasExtension } from '../../../isa/target.ts';
import type { Tensor } from '../../ir/tensor.ts';
import { at, dimension, repeated, slotOf, tileOp, transfer } from '../build.ts';
import { isWorth, loopCycles, productCycles, tileSizes, transferCycles, vectorCycles } from '../cost.ts';
import { add, expr, min, scale, subtract } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { doesNotFit, local, requireExtensions, unsupportedForm } from '../kernel.ts';
import type { Statement } from '../tiled.ts';
import { activationOf } from './activation.ts';
import type { EndingForm } from './ending.ts';
import { endingForm, productEnding } from './ending.ts';
import { packColumns } from './packing.ts';

interface Tiles {
  /** Rows of the input, inner (K) and columns (N) of one tile. */
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** Most of K that a tile takes: all of it, where a row fits the vector scratchpad and a block of its columns the matrix scratchpad twice. */
function chooseInner(context: KernelContext, K: number, N: number): number {
  const { target, elementBytes: bytes } = context;
  const { vectorBytes, matrixBytes } = target.memory;
  const { blocks, lanes } = target.matrix;
  const rowFits = 4 * K * bytes <= vectorBytes;
  if (rowFits && K * N * bytes <= matrixBytes) return K;
  if (rowFits && 2 * K * Math.min(N, blocks) * bytes <= matrixBytes) return K;
  requireExtensions(context, `a product of ${K} inputs`, ['xacc', 'xfill']);
  return Math.floor(Math.min(matrixBytes / 2 / blocks, vectorBytes / 8) / bytes / lanes) * lanes;
}

/**
 * The tiles that the cost model finds fastest. Columns are the outermost loop, because weights are most of the traffic: each is read once, behind the
 * computation of the column tile before.
 */
function chooseTiles(context: KernelContext, form: EndingForm, M: number, K: number, N: number): Tiles {
  const { target, element, elementBytes: bytes, resultBytes } = context;
  const { vectorBytes, matrixBytes } = target.memory;
  const inner = chooseInner(context, K, N);
  const repeats = hasExtension(target, 'xrep');
  let best: (Tiles & { cycles: number }) | undefined;
  for (const columns of tileSizes(N)) {
    const columnTiles = Math.ceil(N / columns);
    if ((columnTiles * Math.ceil(K / inner) > 1 ? 2 : 1) * inner * columns * bytes > matrixBytes) continue;
    for (const rows of repeats ? tileSizes(M) : [1]) {
      const rowTiles = Math.ceil(M / rows);
      const resident = rowTiles === 1 && inner === K;
      const results = (columnTiles * rowTiles > 1 ? 2 : 1) * (rows * columns * resultBytes + 64);
      const sums = form.inPlace ? 0 : rows * columns * form.accumulatorBytes + 64;
      const needed = (resident ? 1 : 2) * (rows * inner * bytes + 64) + results + sums + 2 * (columns * form.parameterBytes + 64);
      if (needed > vectorBytes) continue;
      const weights = transferCycles(target, 1, K * columns * bytes);
      const input = transferCycles(target, 1, rows * K * bytes);
      const compute = productCycles(target, element, rows, K, columns) + 2 * vectorCycles(target, element, rows, columns);
      const store =
        columns === N ? transferCycles(target, 1, rows * columns * resultBytes) : transferCycles(target, rows, columns * resultBytes);
      // Without repeated instructions every row and column tile is another trip around a loop.
      const trips = repeats ? 0 : columnTiles * rowTiles * 16;
      const cycles = resident
        ? input + trips + loopCycles(target, 1, columnTiles, 2, { load: weights, compute, store })
        : trips +
          loopCycles(target, 1, columnTiles, 2, {
            load: weights,
            compute: loopCycles(target, 1, rowTiles, 2, { load: input, compute, store }),
            store: 0,
          });
      if (isWorth(cycles, best?.cycles)) best = { rows, inner, columns, cycles };
    }
  }
  return best ?? doesNotFit(context, 'one row of inputs and outputs', 2 * (inner + Math.min(N, target.matrix.blocks)) * bytes, vectorBytes);
}

/** Matrix product with constant weights. */
export const gemm: Kernel = (context) => {
  const weights = context.constantOf(1);
  if (!weights) return unsupportedForm(context, 'a product with weights that are not constant');
  const [M = 1, K = 1] = context.operand(0).type.shape;
  return product(context, M, K, weights);
};

/** The rows of the first operand, M of K elements, times K×N weights: column tiles outside, then row tiles, then K-tiles that continue the accumulators. */
export function product(context: KernelContext, M: number, K: number, weights: Tensor): ReturnType<Kernel> {
  const { element, elementBytes: bytes, result, resultElement, resultBytes } = context;
  const x = context.operand(0);
  const N = weights.type.shape.at(-1) ?? 1;
  if (activationOf(context).name !== 'none') requireExtensions(context, 'a fused activation', ['xcvt']);
  const form = endingForm(context);
  const tiles = chooseTiles(context, form, M, K, N);
  const [columnTiles, rowTiles, innerTiles] = [Math.ceil(N / tiles.columns), Math.ceil(M / tiles.rows), Math.ceil(K / tiles.inner)];

  const w = context.addConstant('weights', packColumns(weights, K, N, tiles.columns));
  const ending = productEnding(context, form, tiles.columns, weights);

  const slots = (count: number): 1 | 2 => (count > 1 ? 2 : 1);
  const resident = rowTiles === 1 && innerTiles === 1;
  const xLocal = local('x', 'vector', tiles.rows * tiles.inner * bytes, slots(resident ? 1 : 2), 'even');
  const wLocal = local('w', 'matrix', tiles.inner * tiles.columns * bytes, slots(columnTiles * innerTiles));
  const sumBytes = tiles.columns * form.accumulatorBytes;
  const accumulators = local('acc', 'vector', tiles.rows * sumBytes, form.inPlace ? slots(columnTiles * rowTiles) : 1, 'odd');
  const outLocal = form.inPlace
    ? accumulators
    : local('out', 'vector', tiles.rows * tiles.columns * resultBytes, slots(columnTiles * rowTiles), 'even');
  const parameters = local('bias', 'vector', tiles.columns * form.parameterBytes, slots(columnTiles), 'even');

  const n = dimension('n', columnTiles);
  const m = dimension('m', rowTiles);
  const k = dimension('k', innerTiles);
  const accumulate = innerTiles > 1;
  // One row is a plain product, which every target has.
  const rows = tiles.rows === 1 ? expr(1) : min(tiles.rows, subtract(M, scale(m.index, tiles.rows)));
  const inner = min(tiles.inner, subtract(K, scale(k.index, tiles.inner)));
  const wPlace = at(wLocal, 0, slotOf(wLocal, accumulate ? k.index : n.index));
  const xPlace = at(xLocal, 0, slotOf(xLocal, accumulate ? k.index : m.index));
  const tileIndex = rowTiles > 1 ? m.index : n.index;
  const sums = at(accumulators, 0, slotOf(accumulators, tileIndex));
  const out = at(outLocal, 0, slotOf(outLocal, tileIndex));
  const parameterPlace = at(parameters, 0, slotOf(parameters, n.index));

  const loadX = transfer('load', element, {
    local: xPlace,
    dram: at(x.buffer, add(x.offset, scale(m.index, tiles.rows * x.pitch), scale(k.index, tiles.inner * bytes))),
    size: inner,
    rows,
    localStride: tiles.inner * bytes,
    dramStride: x.pitch,
  });
  const tileOffset = add(scale(n.index, K * tiles.columns * bytes), scale(k.index, tiles.inner * tiles.columns * bytes));
  const loadW = tileOp('MLOAD', { element }, { local: wPlace, base: at(w, tileOffset), size: scale(inner, tiles.columns) });
  const loadParameters = ending.load(parameterPlace, n.index);
  const multiply = repeated(
    'VMM',
    { element, modifiers: accumulate ? { acc: 1 } : {} },
    { out: sums, out_size: tiles.columns, matrix: wPlace, in: xPlace, in_size: inner },
    { count: rows, strides: { ostride: sumBytes, istride: tiles.inner * bytes } },
  );
  const store = transfer('store', resultElement, {
    local: out,
    dram: at(result.buffer, add(result.offset, scale(m.index, tiles.rows * result.pitch), scale(n.index, tiles.columns * resultBytes))),
    size: min(tiles.columns, subtract(N, scale(n.index, tiles.columns))),
    rows,
    localStride: tiles.columns * resultBytes,
    dramStride: result.pitch,
  });

  const products: readonly Statement[] = accumulate
    ? [
        tileOp('VFILL', { element: form.accumulator, form: 'immediate' }, { out: sums, size: scale(rows, tiles.columns), scalar: 0 }),
        ...k.loop({ prefetch: [loadW, loadX], body: [multiply] }),
      ]
    : [multiply];
  const tile = [...products, ...ending.finish(sums, out, rows, parameterPlace), store];
  const body = [
    ...(resident ? [loadX] : []),
    ...n.loop({
      prefetch: accumulate ? loadParameters : [loadW, ...loadParameters],
      body: m.loop({ prefetch: accumulate || resident ? [] : [loadX], body: tile }),
    }),
  ];
  return {
    locals: [xLocal, wLocal, accumulators, ...(form.inPlace ? [] : [outLocal]), ...(form.parameterBytes === 0 ? [] : [parameters])],
    body,
  };
}
