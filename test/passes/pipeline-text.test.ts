import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { ParameterSpec, ParameterValue, PassInvocation } from '../../passes/pass.ts';
import { invoke, pass } from '../../passes/pass.ts';
import type { Vocabulary } from '../../passes/pipeline-text.ts';
import { parsePipeline, printPipeline } from '../../passes/pipeline-text.ts';
import { PASSES, PRESETS } from '../../passes/registry.ts';

const quantize = pass({
  name: 'quantize',
  doc: 'A pass with a parameter of each kind.',
  meaning: 'lossy',
  requires: [],
  establishes: [],
  params: {
    bits: { kind: 'int', default: 8, minimum: 2, maximum: 16, doc: 'width' },
    share: { kind: 'float', default: 0.5, doc: 'a share' },
    symmetric: { kind: 'bool', default: true, doc: 'no zero point' },
    granularity: { kind: 'enum', values: ['tensor', 'channel'], default: 'tensor', doc: 'what has one scale' },
    label: { kind: 'string', default: '', doc: 'free text' },
  },
  run: (graph) => graph,
});
const plain = pass({
  name: 'plain',
  doc: 'A pass without parameters.',
  meaning: 'exact',
  requires: [],
  establishes: [],
  params: {},
  run: (graph) => graph,
});
const vocabulary: Vocabulary = {
  passes: { quantize, plain },
  presets: { both: { doc: 'Both.', pipeline: 'plain,quantize{bits=4}' }, none: { doc: 'None.', pipeline: '' } },
};

const parse = (text: string): PassInvocation[] => parsePipeline(text, vocabulary);
const canonical = (text: string): string => printPipeline(parse(text));

describe('pipeline text', () => {
  test('parameters become typed values, and defaults fill the rest', () => {
    const [step] = parse('quantize{bits=4 share=1e-3 symmetric=false granularity=channel label="a, b"}');
    expect(step?.pass).toBe(quantize);
    expect(step?.params).toEqual({ bits: 4, share: 0.001, symmetric: false, granularity: 'channel', label: 'a, b' });
    expect(parse('quantize')[0]?.params).toEqual({ bits: 8, share: 0.5, symmetric: true, granularity: 'tensor', label: '' });
  });

  test.each([
    ['', ''],
    ['  ', ''],
    ['none', ''],
    [' plain , plain ', 'plain,plain'],
    ['quantize{}', 'quantize'],
    ['quantize{ bits=8 }', 'quantize'],
    ['quantize{granularity=channel bits=4}', 'quantize{bits=4 granularity=channel}'],
    ['quantize{share=.5e0}', undefined],
    ['quantize{label="x y"}', 'quantize{label="x y"}'],
    ['quantize{label="xy"}', 'quantize{label=xy}'],
    ['plain,both,plain', 'plain,plain,quantize{bits=4},plain'],
  ])('%j prints as %j', (text, expected) => {
    if (expected === undefined) expect(() => canonical(text)).toThrow();
    else expect(canonical(text)).toBe(expected);
  });

  test.each([
    ['quantise', 'pipeline/unknown-pass', 'unknown pass quantise', 'column 1', 'did you mean quantize?'],
    ['plain, zebra', 'pipeline/unknown-pass', 'unknown pass zebra', 'column 8', 'known: quantize, plain, both, none'],
    ['quantize{bit=4}', 'pipeline/unknown-parameter', 'unknown parameter bit of quantize', 'column 10', 'did you mean bits?'],
    ['plain{bits=4}', 'pipeline/unknown-parameter', 'unknown parameter bits of plain', 'column 7', undefined],
    [
      'quantize{granularity=chanel}',
      'pipeline/bad-value',
      'unknown value chanel for parameter granularity of quantize',
      'column 22',
      'did you mean channel?',
    ],
    [
      'quantize{bits=17}',
      'pipeline/bad-value',
      'parameter bits of quantize must be an integer from 2 to 16, not 17',
      'column 15',
      undefined,
    ],
    [
      'quantize{bits=4.5}',
      'pipeline/bad-value',
      'parameter bits of quantize must be an integer from 2 to 16, not 4.5',
      'column 15',
      undefined,
    ],
    [
      'quantize{share=Infinity}',
      'pipeline/bad-value',
      'parameter share of quantize must be a number, not Infinity',
      'column 16',
      undefined,
    ],
    ['quantize{symmetric=1}', 'pipeline/bad-value', 'parameter symmetric of quantize must be true or false, not 1', 'column 20', undefined],
    ['quantize{bits=4 bits=5}', 'pipeline/syntax', 'parameter bits of quantize is given twice', 'column 17', undefined],
    ['both{bits=4}', 'pipeline/bad-value', 'the preset both takes no parameters', 'column 1', undefined],
    ['plain,', 'pipeline/syntax', 'expected a pass, found the end', 'column 7', undefined],
    ['plain plain', 'pipeline/syntax', 'expected "," or the end, found "p"', 'column 7', undefined],
    ['quantize{bits', 'pipeline/syntax', 'expected "=" after bits, found the end', 'column 14', undefined],
    ['quantize{bits=', 'pipeline/syntax', 'expected a value, found the end', 'column 15', undefined],
    ['quantize{bits=4', 'pipeline/syntax', 'expected a parameter or "}", found the end', 'column 16', undefined],
    ['quantize{label="\\x"}', 'pipeline/syntax', '"\\x" is not a valid JSON string', 'column 16', undefined],
    ['constructor', 'pipeline/unknown-pass', 'unknown pass constructor', 'column 1', 'known: quantize, plain, both, none'],
  ])('%s is refused', (text, code, message, column, hint) => {
    const thrown = (): unknown => {
      try {
        return parse(text);
      } catch (error) {
        return (error as DiagnosticError).diagnostics[0];
      }
    };
    expect(thrown()).toEqual({ kind: 'usage', code, message, place: ['pipeline', column], ...(hint !== undefined && { hint }) });
  });

  test('parsing what was printed gives the same steps', () => {
    fc.assert(
      fc.property(fc.array(invocations(Object.values(vocabulary.passes))), (steps) => {
        const text = printPipeline(steps);
        expect(parse(text)).toEqual(steps);
        expect(canonical(text)).toBe(text);
      }),
    );
  });

  test('the same holds for the passes that ship', () => {
    fc.assert(
      fc.property(fc.array(invocations(Object.values(PASSES))), (steps) => {
        expect(parsePipeline(printPipeline(steps))).toEqual(steps);
      }),
    );
  });

  test('every preset parses, and O0 is empty', () => {
    for (const name of Object.keys(PRESETS)) expect(() => parsePipeline(name)).not.toThrow();
    expect(parsePipeline('O0')).toEqual([]);
    expect(parsePipeline('O1').length).toBeGreaterThan(0);
  });
});

function invocations(passes: readonly PassInvocation['pass'][]): fc.Arbitrary<PassInvocation> {
  return fc
    .constantFrom(...passes)
    .chain((each) => fc.record(mapValues(each.params, parameterValues)).map((params) => invoke(each, params)));
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, f: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]));
}

function parameterValues(spec: ParameterSpec): fc.Arbitrary<ParameterValue> {
  switch (spec.kind) {
    case 'int':
      return fc.integer({ min: spec.minimum ?? -(2 ** 31), max: spec.maximum ?? 2 ** 31 });
    case 'float':
      return fc.double({ min: spec.minimum ?? -1e300, max: spec.maximum ?? 1e300, noNaN: true }).map((x) => x + 0);
    case 'bool':
      return fc.boolean();
    case 'enum':
      return fc.constantFrom(...spec.values);
    case 'string':
      return fc.string();
  }
}
