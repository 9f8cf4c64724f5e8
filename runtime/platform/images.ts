/** Images by libvips. */
import type { Channels, ResizeOptions, Sharp } from 'sharp';
import sharp from 'sharp';
import { DataError } from '../data/errors.ts';
import type { Filter, ImageLibrary, PixelImage } from '../data/image.ts';

/** Largest image, in pixels. */
const LIMIT_PIXELS = 2 ** 26;

const KERNELS: Readonly<Record<Filter, NonNullable<ResizeOptions['kernel']>>> = {
  nearest: 'nearest',
  bilinear: 'linear',
  bicubic: 'cubic',
  lanczos: 'lanczos3',
};

// Files are read once, so there is nothing to keep.
sharp.cache(false);

async function pixelsOf(pipeline: Sharp): Promise<PixelImage> {
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { height: info.height, width: info.width, channels: info.channels, data };
}

export const imageLibrary: ImageLibrary = {
  async decode({ place, bytes }) {
    try {
      const image = sharp(bytes, { limitInputPixels: LIMIT_PIXELS, failOn: 'error', animated: false });
      const { space } = await image.metadata();
      const isGrey = space === 'b-w' || space === 'grey16';
      return await pixelsOf(image.toColourspace(isGrey ? 'b-w' : 'srgb'));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataError('data/format', place, `is no image that can be read: ${reason}`, 'JPEG, PNG, WebP, GIF, TIFF and AVIF are read');
    }
  },
  resize({ height, width, channels, data }, newHeight, newWidth, filter) {
    const raw = { height, width, channels: channels as Channels };
    const image = sharp(data, { raw, limitInputPixels: LIMIT_PIXELS });
    const resized = image.resize({ width: newWidth, height: newHeight, fit: 'fill', kernel: KERNELS[filter] });
    return pixelsOf(channels < 3 ? resized.toColourspace('b-w') : resized);
  },
};
