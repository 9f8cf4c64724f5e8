/** The binary files of CIFAR-10 and CIFAR-100: records of labels and the planes of an image of 32×32 pixels (Krizhevsky 2009). */
import type { ImageSource } from './dataset.ts';
import { checkedIndex } from './dataset.ts';
import { DataError } from './errors.ts';
import type { NamedBytes } from './image.ts';

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const IMAGE_BYTES = 3 * PIXELS;

/** Images of one file or several. A record of CIFAR-100 has a coarse label, which is not used, before its fine one. Throws a `DataError`. */
export function cifarImages(name: string, files: readonly NamedBytes[]): ImageSource {
  const records = files.flatMap(({ place, bytes }) => {
    const labels = [1, 2].find((count) => bytes.length % (count + IMAGE_BYTES) === 0);
    if (labels === undefined || bytes.length === 0)
      throw new DataError(
        'data/format',
        place,
        `has ${bytes.length} bytes, which are no records of CIFAR-10 (${1 + IMAGE_BYTES} bytes) or CIFAR-100 (${2 + IMAGE_BYTES} bytes)`,
      );
    const recordBytes = labels + IMAGE_BYTES;
    return Array.from({ length: bytes.length / recordBytes }, (_, i) => ({
      label: bytes[i * recordBytes + labels - 1] ?? 0,
      planes: bytes.subarray(i * recordBytes + labels, (i + 1) * recordBytes),
      place: `${place}: image ${i}`,
    }));
  });
  const record = (index: number) => records[checkedIndex(index, records.length)] as (typeof records)[number];
  return {
    name,
    samples: records.length,
    read(index) {
      const { planes } = record(index);
      const data = Uint8Array.from({ length: IMAGE_BYTES }, (_, i) => planes[(i % 3) * PIXELS + Math.trunc(i / 3)] as number);
      return Promise.resolve({ stored: planes, image: { height: SIDE, width: SIDE, channels: 3, data } });
    },
    label: (index) => record(index).label,
    place: (index) => record(index).place,
  };
}
