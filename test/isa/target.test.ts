import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../isa/json.ts';
import type { Target } from '../../isa/target.ts';
import { hasExtension, parseTarget, peakOperationsPerSecond, TargetError, targetHash } from '../../isa/target.ts';
import { loadTarget, readTargetFile, TARGET_NAMES } from '../support/targets.ts';

/** The dotted paths of all numbers. */
function figures(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => figures(member, path === '' ? key : `${path}.${key}`));
}

describe.each(TARGET_NAMES)('target %s', (name) => {
  const target = loadTarget(name);

  it('is a valid file of its name', () => {
    expect(target.name).toBe(name);
    expect(peakOperationsPerSecond(target)).toBe(2.048e12);
  });

  it('says of every figure where it comes from', () => {
    const { sources, ...rest } = target;
    const sourced = (figure: string): boolean =>
      Object.keys(sources).some((source) => figure === source || figure.startsWith(`${source}.`));
    expect(figures(rest).filter((figure) => !sourced(figure))).toEqual([]);
  });

  it('has a hash that any figure changes, and nothing else', () => {
    expect(targetHash(target)).toMatch(/^[0-9a-f]{64}$/);
    const backwards = Object.fromEntries(Object.entries(target).reverse()) as Target;
    expect(targetHash(backwards)).toBe(targetHash(target));
    expect(targetHash({ ...target, fractionBits: 9 })).not.toBe(targetHash(target));
    expect(targetHash({ ...target, memory: { ...target.memory, banks: 8 } })).not.toBe(targetHash(target));
  });
});

describe('the two targets', () => {
  it('agree in every figure that both have, and differ in those of extensions', () => {
    const [whole, base] = [loadTarget('cambricon'), loadTarget('cambricon-base')];
    const at = (target: Target, path: string): unknown =>
      path.split('.').reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], target);
    const common = figures(base);
    for (const path of common) expect([path, at(whole, path)]).toEqual([path, at(base, path)]);
    const added = figures(whole).filter((path) => !common.includes(path));
    const ofTypes = /^(rates|energy\.operations)\.(f16|bf16|q16|i8|f8e4m3|f8e5m2)(\.|$)/;
    expect(added.filter((path) => !ofTypes.test(path))).toEqual([]);
    expect(hasExtension(loadTarget('cambricon'), 'xrep')).toBe(true);
    expect(loadTarget('cambricon-base').extensions).toEqual([]);
  });
});

describe('a bad target file', () => {
  const edited = (change: (json: Record<string, unknown>) => void): unknown => {
    const json = JSON.parse(readTargetFile('cambricon')) as Record<string, unknown>;
    change(json);
    return json;
  };
  const memory = (changes: object): unknown => edited((json) => (json['memory'] = { ...(json['memory'] as object), ...changes }));

  it.each([
    ['nothing', null, 'the file: Invalid input: expected object, received null', undefined],
    ['an empty object', {}, 'name: Invalid input: expected string, received undefined', '14 more places are wrong'],
    ['no clock', edited((json) => delete json['clockHertz']), 'clockHertz: Invalid input: expected number, received undefined', undefined],
    ['a clock of no speed', edited((json) => (json['clockHertz'] = 0)), 'clockHertz: Too small: expected number to be >0', undefined],
    ['half a bank', memory({ banks: 0.5 }), 'memory.banks: Invalid input: expected int, received number', undefined],
    ['text for a number', memory({ banks: '4' }), 'memory.banks: Invalid input: expected number, received string', undefined],
    ['too much memory', memory({ dramBytes: 2 ** 33 }), 'memory.dramBytes: Too big: expected number to be <=4294967296', undefined],
    ['a key too many', edited((json) => (json['color'] = 1)), 'the file: Unrecognized key: "color"', undefined],
    [
      'an unknown extension',
      edited((json) => (json['extensions'] = ['xrep', 'x'])),
      'extensions[1]: Invalid option: expected one of "xf32"|"xf16"|"xf8"|"xq16"|"xi8"|"xquant"|"xacc"|"xrep"|"xdma"|"xcvt"|"xcmm"|"xfill"',
      undefined,
    ],
    [
      'an extension twice',
      edited((json) => (json['extensions'] = ['xf32', 'xf32'])),
      'extensions: an extension is listed twice',
      undefined,
    ],
    [
      'a float datapath without floats',
      edited((json) => (json['extensions'] = (json['extensions'] as string[]).filter((name) => name !== 'xf32'))),
      "datapath: f32 needs the extension 'xf32'",
      undefined,
    ],
    [
      'an element type without its rate',
      edited((json) => delete (json['rates'] as Record<string, unknown>)['i8']),
      "rates: i8 belongs there exactly where the target has the extension 'xi8'",
      undefined,
    ],
    [
      'prices of an element type that it lacks',
      edited((json) => {
        json['extensions'] = ['xf32'];
        json['rates'] = { fx16: 1, f32: 4 };
      }),
      "energy.operations: f16 belongs there exactly where the target has the extension 'xf16'",
      undefined,
    ],
    [
      'lanes shared by no whole number',
      edited((json) => ((json['rates'] as Record<string, unknown>)['i8'] = 0.3)),
      'rates.i8: a whole number, or one over a whole number',
      undefined,
    ],
    ['banks that do not divide', memory({ vectorBytes: 1000 }), 'memory: the scratchpads are no multiple of banks × bankBytes', undefined],
    [
      'a source of no kind',
      edited((json) => (json['sources'] = { dma: 'guessed' })),
      'sources.dma: Invalid string: must match pattern /^(published|derived|assumed): /',
      undefined,
    ],
    [
      'a source of no figure',
      edited((json) => (json['sources'] = { 'memory.rows': 'assumed: 1' })),
      "sources: 'memory.rows' names no figure of the target",
      undefined,
    ],
  ])('is refused for %s', (_, json, message, hint) => {
    try {
      parseTarget(json, 'bad.json');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(TargetError);
      expect(error).toMatchObject({ code: 'isa/target', place: 'bad.json', message, hint });
    }
  });
});

describe('canonicalJson', () => {
  it('sorts keys, keeps arrays, leaves undefined out', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'é\n' }], a: undefined, A: -0.5 })).toBe('{"A":-0.5,"b":[1,{"c":"é\\n","d":null}]}');
  });
});
