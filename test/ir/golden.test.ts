/** The helper behind golden files, which tests of every area rely on. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { describeDifference, expectGolden } from '../support/golden.ts';

afterEach(() => vi.unstubAllEnvs());

describe('golden files', () => {
  test('a difference is shown with its surroundings and the way to rewrite it', () => {
    const [expected, actual] = [
      ['1', '2', '3', '4', 'old', '5', '6', '7', '8', ''].join('\n'),
      ['1', '2', '3', '4', 'new', 'newer', '5', '6', '7', '8', ''].join('\n'),
    ];
    expect(describeDifference('docs/x.md', expected, actual)).toBe(
      [
        'docs/x.md is not what was expected (- expected, + actual):',
        '@@ line 5 @@',
        '  2',
        '  3',
        '  4',
        '- old',
        '+ new',
        '+ newer',
        '  5',
        '  6',
        '  7',
        'If the new text is right, rewrite it with: BLESS=1 npx vitest run test/ir/golden.test.ts',
      ].join('\n'),
    );
    expect(describeDifference('docs/x.md', undefined, 'text')).toContain('docs/x.md does not exist.\n');
    expect(describeDifference('docs/x.md', 'a', 'a\n')).toContain('+ \n');
  });

  test('another text fails, and so does blessing under CI', () => {
    vi.stubEnv('BLESS', '');
    expect(() => expectGolden('test/golden/ir/lenet.pir', 'something else')).toThrow('rewrite it with');
    expect(() => expectGolden('test/golden/ir/no-such-file', '')).toThrow('does not exist');
    vi.stubEnv('BLESS', '1');
    vi.stubEnv('CI', 'true');
    expect(() => expectGolden('test/golden/ir/no-such-file', '')).toThrow('not rewritten under CI');
  });
});
