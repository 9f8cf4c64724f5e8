/** Arrays whose dimensions stand in another order than the one that is wanted, above all images with their channels last. */

/** The orders that people mix up: images channels last and channels first, in batches and alone. */
const COMMON: readonly (readonly number[])[] = [
  [0, 3, 1, 2],
  [0, 2, 3, 1],
  [2, 0, 1],
  [1, 2, 0],
  [1, 0],
];

/** What turns an array of one shape into one of another by exchanging dimensions, in numpy's words; undefined where nothing usual does. */
export function transposeHint(array: string, from: readonly number[], to: readonly number[]): string | undefined {
  // A batch of one is often left out.
  const wanted = from.length === to.length - 1 && to[0] === 1 ? to.slice(1) : to;
  const turned = (order: readonly number[]): boolean => order.length === from.length && order.every((d, i) => from[d] === wanted[i]);
  const order = wanted.length === from.length ? COMMON.find(turned) : undefined;
  if (!order || from.every((d, i) => d === wanted[i])) return undefined;
  return `its dimensions are in another order: ${array}.transpose(${order.join(', ')})${wanted === to ? '' : '[None]'}`;
}
