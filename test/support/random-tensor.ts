/** Tensors with seeded contents. */
import type { ElementType } from '../../runtime/numerics/element.ts';
import { isFixed } from '../../runtime/numerics/element.ts';
import { isNarrow, toNarrow } from '../../runtime/numerics/narrow.ts';
import { xorshift32 } from '../../runtime/numerics/random.ts';
import type { Tensor, TensorData } from '../../compiler/ir/tensor.ts';
import { zeros } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';

/** ordinary: floats between -2 and 2, never NaN, infinite or zero · positive: no negative ones · special: all kinds of numbers */
export type Contents = 'ordinary' | 'positive' | 'special';

const SPECIAL_FLOATS = [0, -0, 1, -1, NaN, Infinity, -Infinity, 2 ** -149, -(2 ** -130), 3.4e38, -3.4e38, 65504];

/** Fills a tensor from a seed; any seed will do, equal seeds give equal tensors. */
export function randomTensor(type: TensorType, seed: number, contents: Contents = 'ordinary'): Tensor {
  const value = zeros(type);
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  const random = (): number => (state = xorshift32(state));
  for (let i = 0; i < 4; i++) random(); // neighbouring seeds start alike
  fill(value.data, type, random, contents);
  return value;
}

function fill(data: TensorData, { element }: TensorType, random: () => number, contents: Contents): void {
  if (data instanceof BigInt64Array) {
    for (let i = 0; i < data.length; i++) data[i] = (BigInt(random()) << 32n) | BigInt(random());
    return;
  }
  const next = generator(element, random, contents);
  for (let i = 0; i < data.length; i++) data[i] = next();
}

function generator(element: ElementType, random: () => number, contents: Contents): () => number {
  const special = (): boolean => contents === 'special' && random() % 8 === 0;
  const low = contents === 'positive' ? 0 : -1;
  if (isNarrow(element)) {
    const wide = generator('f32', random, contents);
    return () => (special() ? random() : toNarrow(element, wide()));
  }
  if (isFixed(element)) return () => (special() ? random() : low * 512 + (random() % 1024));
  switch (element) {
    case 'f32':
      return () => (special() ? (SPECIAL_FLOATS[random() % SPECIAL_FLOATS.length] ?? 0) : low * 2 + ((random() >>> 9) + 0.5) * 2 ** -21);
    case 'i1':
      return () => random() % 2;
    case 'u4':
      return () => random() % 16;
    case 'i4':
      return () => (random() % 16) - 8;
    default:
      return random;
  }
}
