/** The bytes of an IDX file. */
export function idx(dims: readonly number[], data: readonly number[], type = 8): Uint8Array {
  const header = dims.flatMap((d) => [(d >>> 24) & 255, (d >>> 16) & 255, (d >>> 8) & 255, d & 255]);
  return Uint8Array.of(0, 0, type, dims.length, ...header, ...data);
}
