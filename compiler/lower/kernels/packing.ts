/** Weights packed by tile. */
import type { Tensor, TensorData } from '../../ir/tensor.ts';
import { allocate } from '../../ir/tensor.ts';

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
