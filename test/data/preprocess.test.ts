/** The declared preprocessing: its text, and what it does to pixels. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../runtime/data/errors.ts';
import type { PixelImage } from '../../runtime/data/image.ts';
import { centreCrop, CHANNEL_ORDERS, FILTERS, withChannels } from '../../runtime/data/image.ts';
import type { Preprocess } from '../../runtime/data/preprocess.ts';
import { DEFAULT_PREPROCESS, parsePreprocess, preprocess, PREPROCESS_PRESETS, printPreprocess } from '../../runtime/data/preprocess.ts';
import { imageLibrary } from '../../runtime/platform/images.ts';

const parse = (text: string): Preprocess => parsePreprocess(text, '--preprocess');

function complaint(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof DataError) return `${error.message} (${error.hint ?? ''})`;
    throw error;
  }
  return 'no error';
}

const side = fc.integer({ min: 1, max: 2000 });
const box = fc.record({ height: side, width: side });
const number = fc.double({ min: -1000, max: 1000, noNaN: true }).map((x) => x + 0);
const positive = fc.double({ min: 1e-6, max: 1000, noNaN: true });
const arbitrary: fc.Arbitrary<Preprocess> = fc.record({
  channels: fc.constantFrom(...CHANNEL_ORDERS),
  resize: fc.oneof(
    fc.constant(null),
    box,
    side.map((shorter) => ({ shorter })),
  ),
  filter: fc.constantFrom(...FILTERS),
  crop: fc.option(box),
  scale: fc.oneof(
    positive,
    fc.integer({ min: 1, max: 4096 }).map((n) => 1 / n),
  ),
  mean: fc.array(number, { minLength: 1, maxLength: 4 }),
  std: fc.array(positive, { minLength: 1, maxLength: 4 }),
  layout: fc.constantFrom('nchw', 'nhwc'),
  classOffset: fc.integer({ min: -1000, max: 1000 }),
});

describe('the text of a preprocessing', () => {
  it('parses to what was printed', () => {
    fc.assert(
      fc.property(arbitrary, (how) => {
        expect(parse(printPreprocess(how))).toEqual(how);
      }),
    );
  });

  it('begins with a preset, which pairs change', () => {
    expect(parse('unit')).toEqual(DEFAULT_PREPROCESS);
    expect(parse('mobilenet-224, class-offset=0, mean=100:110:120')).toMatchObject({
      resize: { height: 224, width: 224 },
      mean: [100, 110, 120],
      std: [127.5],
      classOffset: 0,
    });
    for (const { text } of Object.values(PREPROCESS_PRESETS)) expect(complaint(text)).toBe('no error');
  });

  it.each([
    ['imagnet', /has no preset 'imagnet' \(presets are unit, .*; a preset comes first/],
    ['scale=1,unit', /has no preset 'unit'.*a preset comes first/],
    ['sclae=1', /has no 'sclae' \(it knows channels, resize/],
    ['scale=1,scale=2', /gives scale twice/],
    ['scale=0', /has a wrong scale \(it may be a positive number or a ratio/],
    ['scale=1/0', /wrong scale/],
    ['scale=x', /wrong scale/],
    ['resize=32y32', /has a wrong resize \(it may be WIDTHxHEIGHT/],
    ['resize=99999', /wrong resize/],
    ['resize=1x2x3', /wrong resize/],
    ['crop=0', /wrong crop/],
    ['channels=hsv', /has a wrong channels \(it may be stored, rgb, bgr, grey\)/],
    ['mean=', /wrong mean/],
    ['std=1:0:1', /wrong std/],
    ['layout=chw', /wrong layout \(it may be nchw, nhwc\)/],
    ['class-offset=0.5', /wrong class-offset \(it may be a whole number\)/],
    ['', /has no preset ''/],
  ])('%s is refused', (text, message) => {
    expect(complaint(text)).toMatch(message);
  });
});

const image = (height: number, width: number, channels: number, data: readonly number[]): PixelImage => ({
  height,
  width,
  channels,
  data: Uint8Array.from(data),
});

describe('preprocessing', () => {
  it('divides pixels by 255, exactly rounded', async () => {
    const all = image(16, 16, 1, [...Array(256).keys()]);
    const { shape, elements } = await preprocess(all, DEFAULT_PREPROCESS, imageLibrary, 'f');
    expect(shape).toEqual([1, 16, 16]);
    expect([...elements]).toEqual([...all.data].map((byte) => Math.fround(byte / 255)));
  });

  it('normalises each channel, and puts channels first or last', async () => {
    const pixels = image(1, 2, 3, [10, 20, 30, 40, 50, 60]);
    const how = parse('scale=1,mean=10:20:30,std=2:5:10');
    expect(await preprocess(pixels, how, imageLibrary, 'f')).toEqual({ shape: [3, 1, 2], elements: Float32Array.of(0, 15, 0, 6, 0, 3) });
    expect(await preprocess(pixels, { ...how, layout: 'nhwc' }, imageLibrary, 'f')).toEqual({
      shape: [1, 2, 3],
      elements: Float32Array.of(0, 0, 0, 15, 6, 3),
    });
    await expect(preprocess(pixels, parse('mean=1:2'), imageLibrary, 'f.png')).rejects.toThrow(
      'has 3 channels, and the preprocessing a mean for 2',
    );
  });

  it('orders and drops channels', () => {
    const pixel = (channels: number, order: (typeof CHANNEL_ORDERS)[number]): number[] => [
      ...withChannels(image(1, 1, channels, [200, 100, 50, 7].slice(0, channels)), order).data,
    ];
    expect(pixel(3, 'bgr')).toEqual([50, 100, 200]);
    expect(pixel(4, 'rgb')).toEqual([200, 100, 50]);
    expect(pixel(4, 'stored')).toEqual([200, 100, 50, 7]);
    expect(pixel(2, 'rgb')).toEqual([200, 200, 200]);
    expect(pixel(2, 'grey')).toEqual([200]);
    // 0.299 · 200 + 0.587 · 100 + 0.114 · 50 = 124.2
    expect(pixel(3, 'grey')).toEqual([124]);
  });

  it('crops the middle', () => {
    const pixels = image(3, 4, 1, [...Array(12).keys()]);
    expect([...centreCrop(pixels, 1, 2, 'f').data]).toEqual([5, 6]);
    expect([...centreCrop(pixels, 2, 3, 'f').data]).toEqual([0, 1, 2, 4, 5, 6]);
    expect(() => centreCrop(pixels, 4, 4, 'f')).toThrow('is 4 wide and 3 high, too small to crop 4 by 4 from');
  });

  it('resizes to a box, or the shorter side', async () => {
    const grey = image(4, 8, 1, Array<number>(32).fill(77));
    const { shape, elements } = await preprocess(grey, parse('resize=4x2,scale=1'), imageLibrary, 'f');
    expect(shape).toEqual([1, 2, 4]);
    expect(new Set(elements)).toEqual(new Set([77]));
    expect((await preprocess(grey, parse('resize=3'), imageLibrary, 'f')).shape).toEqual([1, 3, 6]);
    const edge = image(1, 4, 3, [0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
    expect([...(await preprocess(edge, parse('resize=2x1,scale=1'), imageLibrary, 'f')).elements]).toHaveLength(6);
  });
});
