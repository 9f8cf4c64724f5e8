/** What the parser refuses: every message names file, line and column, and no text, however hostile, does more than that. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { equalGraphs } from '../../compiler/ir/equal.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { graphs } from '../support/arbitraries.ts';

/** A graph with some definitions after an input x, whose last value is output as y. */
const around = (...lines: readonly string[]): string =>
  ['graph @g stage(imported) {', '  %x: f32[2,2] = input', ...lines.map((line) => `  ${line}`), '  output "y" = %y', '}'].join('\n');

/** The message that parsing ends with. */
function refusal(text: string): string {
  try {
    parseGraph(text, { file: 'g.pir' });
  } catch (error) {
    if (error instanceof DiagnosticError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('parser', () => {
  test.each([
    ['', 'g.pir:1:1: expected graph, found the end of the text'],
    ['graph lenet', 'g.pir:1:7: expected the name of the graph, as in @lenet, found "lenet"'],
    ['graph @g stage(final) {', 'g.pir:1:16: final is no stage (the stages are imported, optimized, legal)'],
    ['graph @g stage(imported) {', 'g.pir:1:27: expected output, found the end of the text'],
    [
      'graph @g stage(imported) { %x: f32[1] = input output "y" = %x } }',
      'g.pir:1:65: expected the end of the text after the graph, found "}"',
    ],
    [
      'graph @g stage(imported) { output "y" = %x %x: f32[1] = input }',
      'g.pir:1:44: a definition stands behind an output (outputs come last)',
    ],
    [around('%y: f33[2,2] = relu(%x)'), 'g.pir:3:7: f33 is no element type'],
    [around('%y: fx16.16[2,2] = relu(%x)'), 'g.pir:3:7: fx16.16 is no element type'],
    [around('%y: f32[2,-2] = relu(%x)'), 'g.pir:3:7: -2 is no dimension'],
    [around('%y: f32[2,2.5] = relu(%x)'), 'g.pir:3:13: 2.5 is no integer, or too large a one'],
    [around('%y: f32[2,2] = rellu(%x)'), 'g.pir:3:18: there is no op rellu (did you mean relu?)'],
    [around('%y: f32[2,2] = constructor(%x)'), 'g.pir:3:18: there is no op constructor (did you mean concat?)'],
    [around('%y: f32[2,2] = relu(%z)'), 'g.pir:3:3: %y: operand %z is not defined before'],
    [around('%y: f32[2,3] = relu(%x)'), 'g.pir:3:3: %y: the type is declared f32[2,3], but relu gives f32[2,2]'],
    [around('%x: f32[2,2] = relu(%x)'), 'g.pir:3:3: %x is defined twice'],
    [around('%y: f32[2,2] = relu(%x, _)'), 'g.pir:3:3: %y: an absent operand at the end is left out'],
    [around('%y: f32[2,2] = relu(%x) {alpha=1}'), 'g.pir:3:28: relu has no attribute alpha (it has no attributes)'],
    [around('%y: f32[2,2] = clip(%x) {min=true}'), 'g.pir:3:32: attribute min must be a number'],
    [around('%y: f32[2,2] = clip(%x) {min=nan}'), 'g.pir:3:18: attribute min must be a number, not null'],
    [around('%y: f32[2,2] = clip(%x) {min=1, min=2}'), 'g.pir:3:35: attribute min is given twice'],
    [around('%y: f32[2,2] = gemm(%x, %x) {activation=tanh}'), 'g.pir:3:18: attribute activation must be none or relu or clip, not "tanh"'],
    [around('%y: f32[4,1] = reshape(%x)'), 'g.pir:3:18: attribute shape of reshape is missing'],
    [around('%y: f32[2,2] = relu(%x) from [relu]'), 'g.pir:3:33: expected a source node\'s name, a string, found "relu"'],
    [around('%y: f32[2] = constant [1]'), 'g.pir:3:25: a constant of type f32[2] has 2 elements, not 1'],
    [around('%y: f32[2] = constant [1, 2, 3]'), 'g.pir:3:32: a constant of type f32[2] has 2 elements, not more'],
    [around('%y: f32[1] = constant [0x7fc0000]'), 'g.pir:3:26: 0x7fc0000 is no number'],
    [around('%y: f16[1] = constant [1.5]'), 'g.pir:3:26: 1.5 is not 4 hexadecimal digits of an f16'],
    [around('%y: i8[1] = constant [128]'), 'g.pir:3:25: 128 is out of the range of i8'],
    [around('%y: u4[1] = constant [-1]'), 'g.pir:3:25: -1 is out of the range of u4'],
    [around('%y: i64[1] = constant [9223372036854775808]'), 'g.pir:3:26: 9223372036854775808 is out of the range of i64'],
    [around('%y: i32[1] = constant [1e3]'), 'g.pir:3:26: 1e3 is no integer'],
    [around(`%y: f32[32] = constant dense#${'0'.repeat(64)}`), 'is missing (pass the side file of constants that belongs to the text)'],
    [around('%y: f32[32] = constant dense#12'), 'g.pir:3:26: expected'],
    [around('%y: f32[1] = constant [1x]'), 'g.pir:3:26: unexpected "1x]'],
    [around('%y: f32[2,2] = relu(%x) from ["\\q"]'), 'g.pir:3:33: "\\q" is no string'],
    [around('%y: f32[2,2] = relu(%x) from ["a'), 'g.pir:3:33: unexpected'],
    [around('%y = relu(%x)'), 'g.pir:3:6: expected \':\', found "="'],
    [around('%0: f32[1] = input'), 'g.pir:3:3: unexpected "%0: f32[1] ='],
  ])('%j', (text, message) => {
    expect(refusal(text)).toContain(message);
  });

  test('reads blanks, comments and attributes in any order', () => {
    const plain = parseGraph(around('%y: f32[2,2] = clip(%x) {min=-1, max=2} from ["a"]'), { file: 'g.pir' });
    const loose = parseGraph(
      '// heading\n\ngraph @g stage( imported ) {%x:f32[ 2,2 ]=input //blank before only\n%y : f32[2,2] = clip ( %x ) { max = 2 , min = -1.0e0 } from["a"]output "y"=%y}//end of it',
      { file: 'g.pir' },
    );
    expect(equalGraphs(plain, loose)).toBe(true);
  });

  test('a constant of the wrong size under a hash is refused', () => {
    const hash = 'ab'.repeat(32);
    const text = around(`%y: f32[32] = constant dense#${hash}`);
    expect(() => parseGraph(text, { file: 'g.pir', constants: new Map([[hash, new Uint8Array(127)]]) })).toThrow('has 128 bytes, not 127');
  });
});

describe('hostile texts', () => {
  test('deep nesting, huge shapes, huge numbers', () => {
    expect(refusal(around(`%y: f32${'['.repeat(100_000)}`))).toContain('g.pir:3:11: expected an integer, found "["');
    expect(refusal(around('%y: f32[4294967296,4294967296] = constant []'))).toContain('larger than the address space');
    expect(refusal(around('%y: f32[1000000000] = constant []'))).toContain('must be in the side file');
    expect(refusal(around('%y: f32[99999999999999999999] = input'))).toContain('too large');
    expect(refusal(around(`%y: f32[${'1,'.repeat(1000)}1] = input`))).toContain('at most 16 dimensions');
    expect(refusal(around(`%y: f32[2,2] = transpose(%x) {perm=[${'0,'.repeat(1000)}0]}`))).toContain(
      'attribute perm must be a list of integers',
    );
    expect(
      refusal(around('%w: f32[1,1,16384,16384] = input', '%y: f32[1,1,1,1] = max-pool(%w) {kernel=[9007199254740991,9007199254740991]}')),
    ).toContain('does not fit');
    expect(refusal(around(`%y: f32[2,2] = relu(%x) from ["${'\\\\'.repeat(1_000_000)}"]`))).toBe('accepted');
    expect(refusal(`${'//\n'.repeat(1_000_000)}graph`)).toContain('g.pir:1000001:6: expected the name of the graph');
    expect(refusal(' '.repeat(2 ** 26 + 1))).toContain('longer than');
  });

  test('a graph with thousands of errors reports the first ones', () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `%v${i}: f32[1] = relu(%x)`);
    expect(refusal(around(...lines)).split('\n')).toHaveLength(20);
  });

  test('a text cut anywhere is refused', () => {
    fc.assert(
      fc.property(graphs({ maxOps: 4 }), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (graph, part) => {
        const { text } = printGraph(graph);
        expect(refusal(text.slice(0, Math.floor((text.length - 2) * part)))).toMatch(/^g\.pir:\d+:\d+: /);
      }),
    );
  });

  test('a damaged text is refused with a diagnostic or means a graph that prints stably', () => {
    fc.assert(
      fc.property(
        graphs({ maxOps: 4 }),
        fc.nat(),
        fc.nat(),
        fc.constantFrom(
          '%',
          '@',
          '_',
          '-',
          '{',
          '}',
          '[',
          ']',
          '(',
          ')',
          '=',
          ',',
          ':',
          '"',
          '0',
          '9',
          '.',
          'e',
          'f',
          'x',
          ' ',
          '\n',
          '\\',
        ),
        (graph, at, remove, insert) => {
          const { text, constants } = printGraph(graph);
          const position = at % text.length;
          const damaged = text.slice(0, position) + insert + text.slice(position + (remove % 3));
          try {
            const parsed = parseGraph(damaged, { file: 'g.pir', constants });
            const printed = printGraph(parsed);
            expect(equalGraphs(parseGraph(printed.text, { file: 'g.pir', constants: printed.constants }), parsed)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(DiagnosticError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
