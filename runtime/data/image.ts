/** Decoded images, and what is done to whole images before their pixels become numbers. */
import { DataError } from './errors.ts';

/** Rows of pixels of 8-bit channels, H×W×C. */
export interface PixelImage {
  readonly height: number;
  readonly width: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  readonly channels: number;
  readonly data: Uint8Array;
}

export const FILTERS = ['nearest', 'bilinear', 'bicubic', 'lanczos'] as const;
export type Filter = (typeof FILTERS)[number];

export const CHANNEL_ORDERS = ['stored', 'rgb', 'bgr', 'grey'] as const;
export type ChannelOrder = (typeof CHANNEL_ORDERS)[number];

/** What a library for images does for us. */
export interface ImageLibrary {
  /** Throws a `DataError` that names the file where its bytes are no image. */
  decode(file: NamedBytes): Promise<PixelImage>;
  /** Height and width in pixels. Filters that shrink an image average over all pixels that fall into one. */
  resize(image: PixelImage, height: number, width: number, filter: Filter): Promise<PixelImage>;
}

/** The bytes of a file and its name in messages. */
export interface NamedBytes {
  readonly place: string;
  readonly bytes: Uint8Array;
}

/** The image with its channels in another order or number; alpha is dropped by all but `stored`. */
export function withChannels(image: PixelImage, order: ChannelOrder): PixelImage {
  const { height, width, channels, data } = image;
  if (order === 'stored') return image;
  const [red, green, blue] = channels < 3 ? [0, 0, 0] : [0, 1, 2];
  const wanted = order === 'grey' ? 1 : 3;
  const out = new Uint8Array(height * width * wanted);
  for (let from = 0, to = 0; from < data.length; from += channels, to += wanted) {
    const [r, g, b] = [data[from + red] as number, data[from + green] as number, data[from + blue] as number];
    if (order === 'grey') out[to] = channels < 3 ? r : luma(r, g, b);
    else {
      out[to] = order === 'rgb' ? r : b;
      out[to + 1] = g;
      out[to + 2] = order === 'rgb' ? b : r;
    }
  }
  return { height, width, channels: wanted, data: out };
}

/** ITU-R BT.601, in 16 fractional bits, rounded to nearest. */
function luma(r: number, g: number, b: number): number {
  return (19595 * r + 38470 * g + 7471 * b + 32768) >>> 16;
}

/** The middle `height` × `width` pixels; an odd margin leaves one pixel more behind. Throws a `DataError` where the image is smaller. */
export function centreCrop(image: PixelImage, height: number, width: number, place: string): PixelImage {
  if (height > image.height || width > image.width)
    throw new DataError(
      'data/mismatch',
      place,
      `is ${image.width} wide and ${image.height} high, too small to crop ${width} by ${height} from`,
      'resize it first: resize=… in the preprocessing',
    );
  const [top, left] = [(image.height - height) >> 1, (image.width - width) >> 1];
  const rowBytes = width * image.channels;
  const data = new Uint8Array(height * rowBytes);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * image.channels;
    data.set(image.data.subarray(start, start + rowBytes), y * rowBytes);
  }
  return { height, width, channels: image.channels, data };
}
