/** README's commands exist, and the outputs that it shows are those that the commands print. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plumbline, ROOT, succeed } from '../support/cli.ts';

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Blocks that begin with a command and go on with what it prints. */
const examples = [...readme.matchAll(/^```\n\$ plumbline (.+)\n([\s\S]*?)^```$/gm)].map(([, command = '', output = '']) => ({
  command,
  lines: output.trimEnd().split('\n'),
}));

/** The words of a command, quotes taken off as the shell does. */
const words = (command: string): string[] => [...command.matchAll(/'([^']*)'|\S+/g)].map(([word, quoted]) => quoted ?? word);

/** Whether a line of the README is a line of the output, of which it may show the beginning; how fast this computer is may differ. */
function shows(shown: string, actual: string): boolean {
  if (shown.startsWith('host')) return actual.startsWith('host');
  return shown.endsWith('…') ? actual.startsWith(shown.slice(0, -1)) : actual.trimEnd() === shown;
}

describe('README', () => {
  it('has examples', () => {
    expect(examples.map(({ command }) => command)).toContain('eval lenet-5');
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  it.each(examples)('shows what `plumbline $command` prints', async ({ command, lines }) => {
    const output = (await succeed(words(command))).split('\n');
    let at = 0;
    for (const line of lines.filter((one) => one.trim() !== '…')) {
      const found = output.findIndex((actual, i) => i >= at && shows(line, actual));
      expect(found, `'${line}' is not in the output`).toBeGreaterThanOrEqual(at);
      at = found + 1;
    }
  });

  it('names commands and options that exist', async () => {
    const commands = [...readme.matchAll(/(?:^|`|&& npx )plumbline ([a-z]+)((?: [^`\n]*)?)/gm)];
    expect(commands.length).toBeGreaterThan(10);
    const help = new Map<string, string>();
    for (const [, name = '', rest = ''] of commands) {
      const text = help.get(name) ?? (await plumbline([name, '--help'])).stdout;
      help.set(name, text);
      expect(text, name).toContain(`plumbline ${name}`);
      for (const [option] of rest.matchAll(/(?<= )--?[a-z][a-z-]*/g)) expect(text, `${name} ${option}`).toMatch(new RegExp(`${option}\\b`));
    }
  });

  it('gives the two commands for a fresh machine', () => {
    expect(readme).toContain('npm ci && npx plumbline eval lenet-5');
    expect(readme).toContain('npm ci && npm test');
  });
});
