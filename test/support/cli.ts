/** The command line as users run it: the built program, in a process of its own, in a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, isBuilt } from '../../tools/build-state.ts';

export { ROOT };
const MAIN = join(ROOT, 'dist/compiler/cli/main.js');

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Sent as soon as something stands on standard error or the time is over, in milliseconds. */
  readonly interruptAfter?: number;
  /** Sent so many milliseconds after the first thread was made. */
  readonly interruptAfterThread?: number;
}

/** A module that interrupts its process as `interruptAfterThread` says. */
function interrupter(milliseconds: number): string {
  const text = `import { isMainThread } from 'node:worker_threads';
    const interrupt = () => process.kill(process.pid, 'SIGINT');
    if (isMainThread) process.once('worker', () => ${milliseconds === 0 ? 'interrupt()' : `setTimeout(interrupt, ${milliseconds}).unref()`});`;
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

// `npm test` builds first; whoever runs one test file alone must not test an old build.
if (!isBuilt()) throw new Error('dist is older than the sources: npm run build');

/** Runs `plumbline` with arguments; standard output and error are pipes. */
export function plumbline(
  args: readonly string[],
  { cwd = ROOT, interruptAfter, interruptAfterThread }: CliOptions = {},
): Promise<CliResult> {
  const before = interruptAfterThread === undefined ? [] : ['--import', interrupter(interruptAfterThread)];
  const child = spawn(process.execPath, [...before, MAIN, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  if (interruptAfter !== undefined) setTimeout(() => child.kill('SIGINT'), interruptAfter);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs `plumbline`, which must succeed, and gives its standard output. */
export async function succeed(args: readonly string[], options: CliOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await plumbline(args, options);
  if (code !== 0) throw new Error(`plumbline ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

/** A folder for one test file, with some files in it; `remove` takes it away. */
export function temporaryFolder(files: Readonly<Record<string, Uint8Array | string>> = {}): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'plumbline-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
