/** Commands in README and in walkthroughs exist, and the outputs that these show are those that the commands print. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plumbline, ROOT, succeed } from '../support/cli.ts';

const DOCUMENTS = ['README.md', 'docs/quantization.md'] as const;
const read = (document: string): string => readFileSync(join(ROOT, document), 'utf8');
const readme = read('README.md');

/** Blocks that begin with a command and go on with what it prints. */
const examples = DOCUMENTS.flatMap((document) =>
  [...read(document).matchAll(/^```\n\$ plumbline (.+)\n([\s\S]*?)^```$/gm)].map(([, command = '', output = '']) => ({
    document,
    command,
    lines: output.trimEnd().split('\n'),
  })),
);

/** The words of a command, quotes taken off as the shell does. */
const words = (command: string): string[] => [...command.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);

/** Whether a line of the README is a line of the output, of which it may show the beginning; how fast this computer is may differ. */
function shows(shown: string, actual: string): boolean {
  if (shown.startsWith('host')) return actual.startsWith('host');
  return shown.endsWith('…') ? actual.startsWith(shown.slice(0, -1)) : actual.trimEnd() === shown;
}

describe('examples', () => {
  it.each(DOCUMENTS)('are in %s', (document) => {
    expect(examples.filter((example) => example.document === document).length).toBeGreaterThanOrEqual(4);
  });

  it.each(examples)('$document shows what `plumbline $command` prints', { timeout: 120_000 }, async ({ command, lines }) => {
    const output = (await succeed(words(command))).split('\n');
    let at = 0;
    for (const line of lines.filter((one) => one.trim() !== '…')) {
      const found = output.findIndex((actual, i) => i >= at && shows(line, actual));
      expect(found, `'${line}' is not in the output`).toBeGreaterThanOrEqual(at);
      at = found + 1;
    }
  });

  it.each(DOCUMENTS)('of %s name commands and options that exist', async (document) => {
    const commands = [...read(document).matchAll(/(?:^|`|&& npx )plumbline ([a-z]+)((?: [^`\n]*)?)/gm)];
    expect(commands.length).toBeGreaterThanOrEqual(3);
    const help = new Map<string, string>();
    for (const [, name = '', rest = ''] of commands) {
      const text = help.get(name) ?? (await plumbline([name, '--help'])).stdout;
      help.set(name, text);
      expect(text, name).toContain(`plumbline ${name}`);
      for (const [option] of rest.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(text, `${name} ${option}`).toMatch(new RegExp(`${option}\\b`));
    }
  });

  it('begin with the two commands for a fresh machine', () => {
    expect(readme).toContain('npm ci && npx plumbline eval lenet-5');
    expect(readme).toContain('npm ci && npm test');
  });
});
