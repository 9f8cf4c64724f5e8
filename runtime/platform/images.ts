/** Images by libvips. */
import type { Channels, ResizeOptions, Sharp } from 'sharp';
import sharp from 'sharp';
import { beyondBudget, budgetHint } from '../budget.ts';
import { DataError } from '../data/errors.ts';
import type { Filter, ImageLibrary, NamedBytes, PixelImage } from '../data/image.ts';

/** What a pixel takes, at most: four channels, as they are decoded and in another order or size. */
const BYTES_PER_PIXEL = 8;

/** What is read, in the order of the documentation: what a file of the format begins with, and the loader of libvips for it. */
const FORMATS: readonly { readonly name: string; readonly loader: string; readonly begins: RegExp }[] = [
  { name: 'JPEG', loader: 'VipsForeignLoadJpegBuffer', begins: /^\xff\xd8\xff/ },
  { name: 'PNG', loader: 'VipsForeignLoadPngBuffer', begins: /^\u0089PNG\r\n[^]\n/ },
  { name: 'WebP', loader: 'VipsForeignLoadWebpBuffer', begins: /^RIFF[^]{4}WEBP/ },
  { name: 'GIF', loader: 'VipsForeignLoadNsgifBuffer', begins: /^GIF8[79]a/ },
  { name: 'TIFF', loader: 'VipsForeignLoadTiffBuffer', begins: /^(II[*+]\0|MM\0[*+])/ },
  { name: 'AVIF', loader: 'VipsForeignLoadHeifBuffer', begins: /^[^]{4}ftyp(avif|avis|[^]{8}([^]{4})*(avif|avis))/ },
];
const LONGEST_BEGINNING = 64;
const NAMES = FORMATS.map(({ name }) => name);

// libvips reads many more formats, some of which fetch other files or run programs: none of them is ever tried.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: FORMATS.map(({ loader }) => loader) });

function requireFormat({ place, bytes }: NamedBytes): void {
  const beginning = new TextDecoder('latin1').decode(bytes.subarray(0, LONGEST_BEGINNING));
  if (FORMATS.some(({ begins }) => begins.test(beginning))) return;
  throw new DataError('data/format', place, 'is no image that can be read: its format is another one', READ);
}

const READ = `${NAMES.slice(0, -1).join(', ')} and ${NAMES.at(-1) ?? ''} are read`;

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
    requireFormat({ place, bytes });
    try {
      const image = sharp(bytes, { limitInputPixels: false, failOn: 'error', animated: false });
      const { space, width, height } = await image.metadata();
      const beyond = beyondBudget(BYTES_PER_PIXEL * width * height);
      if (beyond !== undefined) throw new DataError('data/too-large', place, `of ${width} by ${height} pixels ${beyond}`, budgetHint());
      const isGrey = space === 'b-w' || space === 'grey16';
      return await pixelsOf(image.toColourspace(isGrey ? 'b-w' : 'srgb'));
    } catch (error) {
      if (error instanceof DataError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataError('data/format', place, `is no image that can be read: ${reason}`, READ);
    }
  },
  resize({ height, width, channels, data }, newHeight, newWidth, filter) {
    const raw = { height, width, channels: channels as Channels };
    const image = sharp(data, { raw, limitInputPixels: false });
    const resized = image.resize({ width: newWidth, height: newHeight, fit: 'fill', kernel: KERNELS[filter] });
    return pixelsOf(channels < 3 ? resized.toColourspace('b-w') : resized);
  },
};
