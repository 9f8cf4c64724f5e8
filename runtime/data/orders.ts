/** Arrays whose dimensions stand in another order than the one that is wanted, above all images with their channels last. */

/** Orders that people mix up, tried first: images and volumes channels last and channels first, in batches and alone. */
const COMMON: readonly (readonly number[])[] = [
  [0, 3, 1, 2],
  [0, 2, 3, 1],
  [0, 4, 1, 2, 3],
  [0, 2, 3, 4, 1],
  [2, 0, 1],
  [1, 2, 0],
];

/** Dimensions up to which every order is tried: 720 of them. */
const MOST_DIMENSIONS = 6;

/** All orders of some dimensions. */
function* orders(left: readonly number[], taken: readonly number[] = []): Generator<readonly number[]> {
  if (left.length === 0) yield taken;
  for (const dimension of left)
    yield* orders(
      left.filter((other) => other !== dimension),
      [...taken, dimension],
    );
}

/** Whether one shape is the other with neighbours joined, dimensions of 1 aside, so that it is the same array seen differently. */
export function isReshaped(from: readonly number[], to: readonly number[]): boolean {
  const [own, wanted] = [from, to].map((shape) => {
    let product = 1;
    return new Set(shape.map((extent) => (product *= extent)).concat(1));
  }) as [Set<number>, Set<number>];
  const [fewer, more] = own.size < wanted.size ? [own, wanted] : [wanted, own];
  return [...fewer].every((product) => more.has(product));
}

/** What turns an array of one shape into one of another by exchanging dimensions, in numpy's words; undefined where that does not. */
export function transposeHint(array: string, from: readonly number[], to: readonly number[]): string | undefined {
  // A batch of one is often left out.
  const wanted = from.length === to.length - 1 && to[0] === 1 ? to.slice(1) : to;
  if (wanted.length !== from.length || from.length > MOST_DIMENSIONS || isReshaped(from, to)) return undefined;
  const turned = (order: readonly number[]): boolean => order.length === from.length && order.every((d, i) => from[d] === wanted[i]);
  const order = COMMON.find(turned) ?? [...orders([...from.keys()])].find(turned);
  return order && `its dimensions are in another order: ${array}.transpose(${order.join(', ')})${wanted === to ? '' : '[None]'}`;
}
