/**
 * What happens to an image between its file and the input of a model, as one declared object. In this order: channels, resize, crop,
 * element = (pixel · scale − mean) / std for each channel, rounded once to f32, layout. It has a text, which people write, and one canonical JSON,
 * which stands in results.
 */
import { z } from 'zod';
import { beyondBudget, budgetHint } from '../budget.ts';
import { DataError } from './errors.ts';
import type { ImageLibrary, PixelImage } from './image.ts';
import { centreCrop, CHANNEL_ORDERS, FILTERS, withChannels } from './image.ts';

const LARGEST_SIDE = 2 ** 14;
const side = z.int().min(1).max(LARGEST_SIDE);
const box = z.strictObject({ height: side, width: side });
const perChannel = z.array(z.number()).min(1).max(4);

const schema = z.strictObject({
  /** Channels of the pixels: those that the file has, or these three, or one. */
  channels: z.enum(CHANNEL_ORDERS).default('stored'),
  /** To a height and a width, or the shorter side to a length; null leaves the image as it is. */
  resize: z
    .union([box, z.strictObject({ shorter: side })])
    .nullable()
    .default(null),
  filter: z.enum(FILTERS).default('bilinear'),
  /** The middle of the image. */
  crop: box.nullable().default(null),
  scale: z
    .number()
    .positive()
    .default(1 / 255),
  /** One number for all channels, or one for each. */
  mean: perChannel.default([0]),
  std: perChannel.refine((all) => all.every((each) => each !== 0), 'is 0').default([1]),
  layout: z.enum(['nchw', 'nhwc']).default('nchw'),
  /** Added to each class: 1 where a model's class 0 is "none of them". */
  classOffset: z.int().min(-LARGEST_SIDE).max(LARGEST_SIDE).default(0),
});

export type Preprocess = Readonly<z.infer<typeof schema>>;

/** Pixels divided by 255. */
export const DEFAULT_PREPROCESS: Preprocess = schema.parse({});

/** Names for what families of models were trained with; each is only a text. */
export const PREPROCESS_PRESETS: Readonly<Record<string, { readonly text: string; readonly doc: string }>> = {
  unit: { text: 'scale=1/255', doc: 'pixels divided by 255: the default' },
  pixels: { text: 'scale=1,channels=rgb', doc: 'pixel values as they are, such as MLPerf Tiny’s ResNet-8 takes' },
  'mobilenet-224': {
    text: 'channels=rgb,resize=224x224,scale=1,mean=127.5,std=127.5,class-offset=1',
    doc: 'MobileNet of TensorFlow for 224×224: -1 to 1, class 0 is the background',
  },
  'mobilenet-128': {
    text: 'channels=rgb,resize=128x128,scale=1,mean=127.5,std=127.5,class-offset=1',
    doc: 'MobileNet of TensorFlow for 128×128: -1 to 1, class 0 is the background',
  },
  imagenet: {
    text: 'channels=rgb,resize=256,crop=224x224,scale=1/255,mean=0.485:0.456:0.406,std=0.229:0.224:0.225',
    doc: 'models of torchvision for ImageNet',
  },
};

const KEYS = ['channels', 'resize', 'filter', 'crop', 'scale', 'mean', 'std', 'layout', 'class-offset'] as const;
type Key = (typeof KEYS)[number];

/** How the value of a key is read: into what the schema checks. */
const READERS: Readonly<Record<Key, (text: string) => unknown>> = {
  channels: (text) => text,
  resize: (text) => (text === 'none' ? null : text.includes('x') ? readBox(text) : { shorter: readNumber(text) }),
  filter: (text) => text,
  crop: (text) => (text === 'none' ? null : readBox(text)),
  scale: readNumber,
  mean: (text) => text.split(':').map(readNumber),
  std: (text) => text.split(':').map(readNumber),
  layout: (text) => text,
  'class-offset': readNumber,
};

/** `3`, `-0.5`, `1e-3` or the ratio `1/255`; NaN where it is none. */
function readNumber(text: string): number {
  if (text.length > LONGEST_NUMBER) return NaN;
  const [numerator = '', denominator, ...more] = text.split('/');
  const number = (part: string): number => (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(part) ? Number(part) : NaN);
  return more.length > 0 ? NaN : number(numerator) / (denominator === undefined ? 1 : number(denominator));
}

const LONGEST_NUMBER = 64;
/** Longest text that is read, in characters; what can be said takes a few hundred. */
const LONGEST_TEXT = 4096;

/** `224x160` is 224 wide and 160 high, `224` both. */
function readBox(text: string): unknown {
  const [width = '', height = width, ...more] = text.split('x');
  return more.length > 0 ? text : { height: readNumber(height), width: readNumber(width) };
}

/**
 * The preprocessing that a text says: the name of a preset, `key=value` pairs, or a preset and pairs that change it, separated by commas. `place`
 * names the text in messages. Throws a `DataError` that names the wrong part.
 */
export function parsePreprocess(text: string, place: string): Preprocess {
  const refuse = (message: string, hint?: string): never => {
    throw new DataError('data/format', place, message, hint);
  };
  if (text.length > LONGEST_TEXT) return refuse(`has ${text.length} characters, more than ${LONGEST_TEXT}`);
  const values: Record<string, unknown> = {};
  const seen = new Set<Key>();
  const read = (part: string): void => {
    const at = part.indexOf('=');
    const [key, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    if (!isKey(key)) return refuse(`has no '${key}'`, `it knows ${KEYS.join(', ')}`);
    if (seen.has(key)) refuse(`gives ${key} twice`);
    seen.add(key);
    values[fieldOf(key)] = READERS[key](value);
  };
  const parts = text.split(',').map((part) => part.trim());
  const [first = ''] = parts;
  const preset = Object.hasOwn(PREPROCESS_PRESETS, first) ? PREPROCESS_PRESETS[first] : undefined;
  preset?.text.split(',').forEach(read);
  seen.clear();
  for (const part of parts.slice(preset ? 1 : 0)) {
    if (!part.includes('=')) {
      const known = `presets are ${Object.keys(PREPROCESS_PRESETS).join(', ')}`;
      refuse(`has no preset '${part}'`, `${known}; a preset comes first, and other parts have the form key=value`);
    }
    read(part);
  }
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path[0];
  const key = KEYS.find((each) => fieldOf(each) === field) ?? 'scale';
  return refuse(`has a wrong ${key}`, `it may be ${EXPECTED[key]}`);
}

function isKey(key: string): key is Key {
  return (KEYS as readonly string[]).includes(key);
}

function fieldOf(key: Key): keyof Preprocess {
  return key === 'class-offset' ? 'classOffset' : key;
}

const EXPECTED: Readonly<Record<Key, string>> = {
  channels: CHANNEL_ORDERS.join(', '),
  resize: `WIDTHxHEIGHT, the length of the shorter side, or none; at most ${LARGEST_SIDE}`,
  filter: FILTERS.join(', '),
  crop: `WIDTHxHEIGHT, one length for both, or none; at most ${LARGEST_SIDE}`,
  scale: 'a positive number or a ratio such as 1/255',
  mean: 'a number, or one for each channel such as 0.485:0.456:0.406',
  std: 'a number other than 0, or one for each channel such as 0.229:0.224:0.225',
  layout: 'nchw, nhwc',
  'class-offset': 'a whole number',
};

/** The text that parses to a preprocessing: the scale, and what is not as in the default. */
export function printPreprocess(preprocess: Preprocess): string {
  const [texts, defaults] = [textsOf(preprocess), textsOf(DEFAULT_PREPROCESS)];
  return KEYS.filter((key) => key === 'scale' || texts[key] !== defaults[key])
    .map((key) => `${key}=${texts[key]}`)
    .join(',');
}

function textsOf({ channels, resize, filter, crop, scale, mean, std, layout, classOffset }: Preprocess): Readonly<Record<Key, string>> {
  const size = ({ height, width }: { height: number; width: number }): string => `${width}x${height}`;
  const divisor = Math.round(1 / scale);
  return {
    channels,
    resize: resize === null ? 'none' : 'shorter' in resize ? String(resize.shorter) : size(resize),
    filter,
    crop: crop === null ? 'none' : size(crop),
    scale: divisor > 1 && 1 / divisor === scale ? `1/${divisor}` : String(scale),
    mean: mean.join(':'),
    std: std.join(':'),
    layout,
    'class-offset': String(classOffset),
  };
}

export interface Preprocessed {
  /** C×H×W or H×W×C, as the layout says. */
  readonly shape: readonly number[];
  readonly elements: Float32Array;
}

/** An image made into the elements of an input. Throws a `DataError` that names the image where the preprocessing does not fit it. */
export async function preprocess(image: PixelImage, how: Preprocess, library: ImageLibrary, place: string): Promise<Preprocessed> {
  const coloured = withChannels(image, how.channels);
  const resized = await resize(coloured, how, library, place);
  const { height, width, channels, data } = how.crop ? centreCrop(resized, how.crop.height, how.crop.width, place) : resized;
  for (const name of ['mean', 'std'] as const)
    if (how[name].length !== 1 && how[name].length !== channels)
      throw new DataError(
        'data/mismatch',
        place,
        `has ${channels} channels, and the preprocessing a ${name} for ${how[name].length}`,
        'channels=rgb or channels=grey converts images',
      );
  const planar = how.layout === 'nchw';
  // The elements, and the copy of them that is executed.
  const beyond = beyondBudget(2 * Float32Array.BYTES_PER_ELEMENT * data.length);
  if (beyond !== undefined) throw new DataError('data/too-large', place, `of ${width} by ${height} pixels ${beyond}`, budgetHint());
  const elements = new Float32Array(data.length);
  const pixels = height * width;
  for (let c = 0; c < channels; c++) {
    const values = elementOfPixel(how, c);
    const [start, step] = planar ? [c * pixels, 1] : [c, channels];
    for (let i = 0; i < pixels; i++) elements[start + i * step] = values[data[i * channels + c] as number] as number;
  }
  return { shape: planar ? [channels, height, width] : [height, width, channels], elements };
}

function elementOfPixel({ scale, mean, std }: Preprocess, channel: number): Float32Array {
  const of = (all: readonly number[]): number => all[all.length === 1 ? 0 : channel] ?? 0;
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel * scale - of(mean)) / of(std));
}

async function resize(image: PixelImage, how: Preprocess, library: ImageLibrary, place: string): Promise<PixelImage> {
  if (how.resize === null) return image;
  const { height, width } = 'shorter' in how.resize ? scaledTo(image, how.resize.shorter) : how.resize;
  if (Math.max(height, width) > LARGEST_SIDE)
    throw new DataError('data/too-large', place, `becomes ${width} wide and ${height} high; ${LARGEST_SIDE} is the most`);
  return height === image.height && width === image.width ? image : library.resize(image, height, width, how.filter);
}

/** The longer side is truncated to whole pixels, as torchvision does. */
function scaledTo({ height, width }: PixelImage, shorter: number): { height: number; width: number } {
  return height < width
    ? { height: shorter, width: Math.trunc((shorter * width) / height) }
    : { height: Math.trunc((shorter * height) / width), width: shorter };
}
