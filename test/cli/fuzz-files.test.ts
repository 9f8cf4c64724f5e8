/** The short form of `npm run fuzz:files`: a few hundred damaged files of every format, each with a documented end. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/cli.ts';

const RUNS = 400;

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function fuzz(...words: readonly string[]): Promise<Ended> {
  const command = [join(ROOT, 'node_modules/tsx/dist/cli.mjs'), join(ROOT, 'tools/fuzz-files.ts'), ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

describe('damaged files', () => {
  it(`${RUNS} of every format end as documented, in time and memory, and write nothing`, async () => {
    const { code, stdout, stderr } = await fuzz('--runs', String(RUNS), '--seed', '3');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const [, cases, fine, refused] = /(\d+) cases; (\d+) ended with 0, \d+ ended with 1, (\d+) ended with 2/.exec(stdout) ?? [];
    expect(Number(cases)).toBe(RUNS);
    // Damage that nobody notices, or that is noticed at once in every file, would test nothing.
    expect(Number(fine)).toBeGreaterThan(RUNS / 20);
    expect(Number(refused)).toBeGreaterThan(RUNS / 4);
    const untried = stdout.split('\n').filter((line) => /^\| [a-z]/.test(line) && / \| 0 \| 0 \| 0 \| 0 \| 0 \| 0 \|/.test(line));
    expect(untried.length).toBeLessThan(5);
  });
});
