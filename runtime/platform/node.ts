/**
 * The platform: files, clock and terminal of Node. With the command line this is the only place that imports Node's modules;
 * everything else takes and gives bytes, so that it runs in a browser too.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';

export type FileErrorCode =
  | 'file/missing'
  | 'file/is-directory'
  | 'file/not-directory'
  | 'file/permission'
  | 'file/too-large'
  | 'file/unreadable'
  | 'file/unwritable';

/** A file that cannot be read or written. The message is a clause about the file at `place`. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;
  /** The path as the caller gave it. */
  readonly place: string;
  readonly hint: string | undefined;

  constructor(code: FileErrorCode, place: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.place = place;
    this.hint = hint;
  }
}

/** Largest file that `readFile` takes unless told, in bytes. */
export const DEFAULT_LIMIT_BYTES = 2 ** 31;
const CHUNK_BYTES = 2 ** 20;

/** The bytes of a file or a pipe, `limitBytes` at most. Throws a `FileError`. */
export function readFile(path: string, limitBytes = DEFAULT_LIMIT_BYTES): Uint8Array {
  return guarded(path, 'read', () => {
    const file = openSync(path, 'r');
    try {
      const stat = fstatSync(file);
      if (stat.isDirectory()) throw new FileError('file/is-directory', path, 'is a directory, not a file');
      if (stat.size > limitBytes) throw tooLarge(path, limitBytes);
      return readAll(file, path, stat.size, limitBytes);
    } finally {
      closeSync(file);
    }
  });
}

/** Reads to the end, whatever size the file claims: pipes and devices claim none. */
function readAll(file: number, path: string, claimed: number, limitBytes: number): Uint8Array {
  let bytes = new Uint8Array(claimed + 1);
  let length = 0;
  for (;;) {
    if (length === bytes.length) {
      const larger = new Uint8Array(Math.max(2 * length, CHUNK_BYTES));
      larger.set(bytes);
      bytes = larger;
    }
    const count = readSync(file, bytes, length, Math.min(bytes.length - length, CHUNK_BYTES), null);
    if (count === 0) return bytes.subarray(0, length);
    length += count;
    if (length > limitBytes) throw tooLarge(path, limitBytes);
  }
}

function tooLarge(path: string, limitBytes: number): FileError {
  return new FileError('file/too-large', path, `has more than ${limitBytes} bytes`);
}

/** Text of a UTF-8 file. */
export function readTextFile(path: string, limitBytes?: number): string {
  return new TextDecoder().decode(readFile(path, limitBytes));
}

let temporaries = 0;

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, which then takes the name. A file that stands there is replaced
 * and keeps its permissions; a link is followed; devices and pipes are written to directly. Throws a `FileError`.
 */
export function writeFile(path: string, content: Uint8Array | string): void {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  guarded(path, 'write', () => {
    const known = statSync(path, { throwIfNoEntry: false });
    if (known?.isDirectory()) throw new FileError('file/is-directory', path, 'is a directory, not a file');
    if (known && !known.isFile()) {
      writeTo(openSync(path, 'w'), bytes);
      return;
    }
    const place = known ? realpathSync(path) : path;
    const temporary = join(dirname(place), `.${basename(place)}.${process.pid}-${++temporaries}.tmp`);
    const file = openSync(temporary, 'wx');
    try {
      writeTo(file, bytes);
      if (known) chmodSync(temporary, known.mode & 0o7777);
      renameSync(temporary, place);
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    }
  });
}

/** Writes and closes. */
function writeTo(file: number, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    if (fstatSync(file).isFile()) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Writes a folder whole or not at all: to a temporary one beside it, which then takes the name. What stands there is replaced only if it is an empty folder
 * or holds nothing but `entries`, the first of them for certain. Throws a `FileError`.
 */
export function writeDirectory(path: string, files: ReadonlyMap<string, Uint8Array>, entries: readonly string[]): void {
  guarded(path, 'write', () => {
    const known = requireReplaceable(path, entries);
    mkdirSync(dirname(path), { recursive: true });
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${++temporaries}.tmp`);
    try {
      for (const [name, bytes] of files) {
        mkdirSync(dirname(join(temporary, name)), { recursive: true });
        writeTo(openSync(join(temporary, name), 'wx'), bytes);
      }
      const old = `${temporary}.old`;
      if (known) renameSync(path, old);
      renameSync(temporary, path);
      if (known) rmSync(old, { recursive: true });
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
  });
}

/** Whether something stands at a path that `writeDirectory` replaces; throws where it would not. */
export function requireReplaceable(path: string, entries: readonly string[]): boolean {
  const kind = kindOf(path);
  if (kind === undefined) return false;
  if (kind === 'file') throw new FileError('file/not-directory', path, 'is a file, not a folder');
  const names = listDirectory(path);
  const own = names.length === 0 || (names.includes(entries[0] ?? '') && names.every((name) => entries.includes(name)));
  if (!own)
    throw new FileError('file/unwritable', path, 'holds other files, and nothing is written over them', 'give a new or empty folder');
  return true;
}

/** Makes a folder, and those above it, unless it exists. */
export function makeDirectory(path: string): void {
  guarded(path, 'write', () => void mkdirSync(path, { recursive: true }));
}

/** Names in a folder, in code unit order. */
export function listDirectory(path: string): readonly string[] {
  return guarded(path, 'read', () => readdirSync(path).sort());
}

/** What stands at a path. */
export function kindOf(path: string): 'file' | 'directory' | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && (stat.isDirectory() ? 'directory' : 'file');
}

const REASONS: Readonly<Record<string, readonly [FileErrorCode, string]>> = {
  ENOENT: ['file/missing', 'no such file or folder'],
  ENOTDIR: ['file/not-directory', 'part of the path is a file, not a folder'],
  EISDIR: ['file/is-directory', 'is a directory, not a file'],
  EACCES: ['file/permission', 'permission denied'],
  EPERM: ['file/permission', 'permission denied'],
};

function guarded<T>(path: string, direction: 'read' | 'write', work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error instanceof FileError) throw error;
    const reason = REASONS[String(error.code)];
    if (direction === 'write' && error.code === 'ENOENT') throw new FileError('file/missing', path, 'the folder does not exist');
    if (reason) throw new FileError(reason[0], path, reason[1]);
    throw new FileError(
      direction === 'read' ? 'file/unreadable' : 'file/unwritable',
      path,
      `cannot be ${direction === 'read' ? 'read' : 'written'}: ${String(error.code)}`,
    );
  }
}

/** The folder of the package: the nearest one upwards with a `package.json`, from the sources and from `dist` alike. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the package has no package.json');
    folder = parent;
  }
  return folder;
}

/** The path of a file that ships with the package, from its root. */
export function assetPath(...names: readonly string[]): string {
  return join(packageRoot(), ...names);
}

/** Version of the package. */
export function packageVersion(): string {
  const json: unknown = JSON.parse(readFileSync(assetPath('package.json'), 'utf8'));
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : '0';
}

/** Seconds from some point in the past, never going backwards. */
export function monotonicSeconds(): number {
  return performance.now() / 1000;
}

/** Whether a standard stream is a terminal. */
export function isTerminal(stream: 'stdout' | 'stderr'): boolean {
  return isatty(stream === 'stdout' ? 1 : 2);
}
