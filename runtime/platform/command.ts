/** Commands of the user, and folders for what they are shown. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a command ended: its exit status, or the signal that ended it. */
export type CommandResult = { readonly status: number } | { readonly signal: string };

/** Runs a command in the shell, without input; what it prints goes to standard error. An abort ends it. */
export function runCommand(command: string, signal?: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 2, 2], ...(signal && { signal }) });
    // An interruption from the terminal reaches the command, too, and may end it first.
    const aborted = (): boolean => signal?.aborted === true && (reject(asError(signal.reason)), true);
    child.on('error', (error) => aborted() || reject(error));
    child.on('exit', (status, ended) => aborted() || resolve(status === null ? { signal: ended ?? 'unknown' } : { status }));
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** Does something with a new folder, which is removed afterwards with all that is in it. */
export async function withTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
