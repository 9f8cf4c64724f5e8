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
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { budgetHint, memoryBudget } from '../budget.ts';

export type FileErrorCode =
  | 'file/missing'
  | 'file/is-directory'
  | 'file/not-directory'
  | 'file/not-a-file'
  | 'file/name'
  | 'file/outside'
  | 'file/full'
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

/**
 * The bytes of a file, `limitBytes` at most, or of a pipe that the shell has opened (`/dev/stdin`, `<(…)`), which counts against the memory budget because
 * nothing says how long it is. Throws a `FileError`.
 */
export function readFile(path: string, limitBytes = DEFAULT_LIMIT_BYTES): Uint8Array {
  return guarded(path, 'read', () => {
    refuseWaiting(path);
    const file = openSync(path, 'r');
    try {
      const stat = fstatSync(file);
      if (stat.isDirectory()) throw new FileError('file/is-directory', path, 'is a directory, not a file');
      if (stat.isFile()) {
        if (stat.size > limitBytes) throw tooLarge(path, limitBytes);
        return readAll(file, path, stat.size, limitBytes);
      }
      const budget = memoryBudget();
      return budget < limitBytes ? readAll(file, path, 0, budget, budgetHint()) : readAll(file, path, 0, limitBytes);
    } finally {
      closeSync(file);
    }
  });
}

/** Refuses what would wait for another program, or never end: named pipes, sockets and devices that are no standard stream. */
function refuseWaiting(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat || stat.isFile() || stat.isDirectory()) return;
  if (stat.isFIFO() && !isNamed(path)) return;
  if (stat.isCharacterDevice() && HARMLESS_DEVICES.has(stat.rdev)) return;
  if (stat.isCharacterDevice() && STREAMS.has(path)) return;
  const what = stat.isFIFO() ? 'a named pipe' : stat.isSocket() ? 'a socket' : 'a device';
  throw new FileError('file/not-a-file', path, `is ${what}, not a file`);
}

const STREAMS: ReadonlySet<string> = new Set(['/dev/stdin', '/dev/stdout', '/dev/stderr', '/dev/tty']);
/** `/dev/null` and `/dev/full` on Linux. */
const HARMLESS_DEVICES: ReadonlySet<number> = new Set([0x103, 0x107]);

/** Whether a pipe has a place among files; one that the shell has opened has only a number. */
function isNamed(path: string): boolean {
  try {
    return lstatSync(realpathSync(path)).isFIFO();
  } catch {
    return false;
  }
}

/**
 * The bytes of a file in a folder by its path from there. Links are followed, and what they lead to must be in the folder, too: a file that names another
 * one reaches nothing else. Throws a `FileError`.
 */
export function readFileInside(folder: string, name: string): Uint8Array {
  const path = join(folder, name);
  const [real, home] = guarded(path, 'read', () => [realpathSync(path), realpathSync(folder === '' ? '.' : folder)] as const);
  const inside = relative(home, real);
  if (inside === '..' || inside.startsWith(`..${sep}`) || inside === '' || resolve(home, inside) !== real)
    throw new FileError('file/outside', path, `is a link to a place outside of the folder of the file that names it`);
  return readFile(real);
}

/** Reads to the end, whatever size the file claims: pipes and devices claim none. */
function readAll(file: number, path: string, claimed: number, limitBytes: number, hint?: string): Uint8Array {
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
    if (length > limitBytes) throw tooLarge(path, limitBytes, hint);
  }
}

function tooLarge(path: string, limitBytes: number, hint?: string): FileError {
  return new FileError('file/too-large', path, `has more than ${limitBytes} bytes`, hint);
}

/** Text of a UTF-8 file. */
export function readTextFile(path: string, limitBytes?: number): string {
  return new TextDecoder().decode(readFile(path, limitBytes));
}

let temporaries = 0;

/** A name that nothing has, next to a path; short, so that it is one wherever the path is. */
function temporaryBeside(path: string): string {
  return join(dirname(path), `.plumbline-${process.pid}-${++temporaries}.tmp`);
}

/** A file that has been written, fully and through to the disk, and only waits for its name. */
interface Prepared {
  /** Gives it its name, in place of what stands there. */
  commit(): void;
  /** Removes it, unless it has its name. */
  discard(): void;
}

/** Throws a `FileError` where there is no room; then nothing is left. A file that stands there gives its permissions, a link is followed. */
function prepare(path: string, content: Uint8Array | string): Prepared {
  return guarded(path, 'write', () => {
    const known = statSync(path, { throwIfNoEntry: false });
    if (known?.isDirectory()) throw new FileError('file/is-directory', path, 'is a directory, not a file');
    if (known && !known.isFile()) throw new FileError('file/not-a-file', path, 'is no file that could be replaced');
    const place = known ? realpathSync(path) : path;
    const temporary = temporaryBeside(place);
    // A name that is too long for the disk is refused before anything else is replaced.
    if (!known) lstatSync(place, { throwIfNoEntry: false });
    const discard = (): void => rmSync(temporary, { force: true });
    try {
      writeTo(openSync(temporary, 'wx'), bytesOf(content));
      if (known) chmodSync(temporary, known.mode & 0o7777);
    } catch (error) {
      discard();
      throw error;
    }
    return { commit: () => guarded(path, 'write', () => renameSync(temporary, place)), discard };
  });
}

const bytesOf = (content: Uint8Array | string): Uint8Array => (typeof content === 'string' ? new TextEncoder().encode(content) : content);

/**
 * Writes a file whole or not at all: to a temporary file in the same folder, which then takes the name. A file that stands there is replaced
 * and keeps its permissions; a link is followed; devices and pipes of the shell are written to directly. Throws a `FileError`.
 */
export function writeFile(path: string, content: Uint8Array | string): void {
  if (isStream(path)) guarded(path, 'write', () => writeTo(openSync(path, 'w'), bytesOf(content)));
  else writeInSteps([[path, content]]);
}

/** Whether a path is a device or a pipe, which takes what is written at once. Throws a `FileError` where the writer would wait for a reader. */
function isStream(path: string): boolean {
  return guarded(path, 'write', () => {
    const known = statSync(path, { throwIfNoEntry: false });
    if (!known || known.isFile() || known.isDirectory()) return false;
    refuseWaiting(path);
    return true;
  });
}

/**
 * Replaces files one after the other, each whole or not at all; the same file may come twice. All are written before the first takes its name, so that a
 * full disk leaves everything as it was. Throws a `FileError`.
 */
export function writeInSteps(files: readonly (readonly [path: string, content: Uint8Array | string])[]): void {
  const prepared: Prepared[] = [];
  try {
    for (const [path, content] of files) prepared.push(prepare(path, content));
    for (const each of prepared) each.commit();
  } finally {
    for (const each of prepared) each.discard();
  }
}

/** Removes a file, if there is one. */
export function removeFile(path: string): void {
  guarded(path, 'write', () => rmSync(path, { force: true }));
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

/** In a folder that is being replaced, the new files that have not taken their places yet. While it stands they are the folder's, and the old ones are not. */
const REPLACEMENT = '.replacement';

/**
 * Writes a folder whole or not at all. A new one is made beside its place and takes its name. One that stands there is replaced only if it is empty or
 * holds nothing but `entries`, the first of them for certain: its new files are written into it, become valid all at once when their folder is called
 * `.replacement`, and then take their places one by one. `readFromDirectory` finds all old ones or all new ones, whenever the writer ends. Throws a `FileError`.
 */
export function writeDirectory(path: string, files: ReadonlyMap<string, Uint8Array>, entries: readonly string[]): void {
  guarded(path, 'write', () => {
    const replaced = requireReplaceable(path, entries) && readdirSync(path).length > 0;
    mkdirSync(dirname(path), { recursive: true });
    if (replaced) settle(path);
    const temporary = replaced ? temporaryBeside(join(path, REPLACEMENT)) : temporaryBeside(path);
    try {
      mkdirSync(temporary);
      for (const [name, bytes] of files) {
        mkdirSync(dirname(join(temporary, name)), { recursive: true });
        writeTo(openSync(join(temporary, name), 'wx'), bytes);
      }
      renameSync(temporary, replaced ? join(path, REPLACEMENT) : path);
    } catch (error) {
      rmSync(temporary, { recursive: true, force: true });
      throw error;
    }
    if (!replaced) return;
    settle(path);
    removeOthers(path, files);
  });
}

/** Puts the files of a replacement in their places, if there is one. */
function settle(path: string): void {
  const from = join(path, REPLACEMENT);
  if (!existsSync(from)) return;
  for (const name of filesBelow(from)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    renameSync(join(from, name), join(path, name));
  }
  rmSync(from, { recursive: true });
}

/** Removes the files of a folder that are not among those named; what is left of a writer that was ended, too. */
function removeOthers(path: string, files: ReadonlyMap<string, unknown>): void {
  for (const name of filesBelow(path)) if (!files.has(name)) rmSync(join(path, name));
  for (const name of readdirSync(path)) if (isLeftover(name)) rmSync(join(path, name), { recursive: true });
}

/** Files in a folder and in those below it, by their paths from there. */
function filesBelow(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)));
}

const isLeftover = (name: string): boolean => name === REPLACEMENT || /^\.plumbline-\d+-\d+\.tmp$/.test(name);

/** Reads a file of a folder that `writeDirectory` has written, or is writing. */
export function readFromDirectory(path: string, name: string, limitBytes?: number): Uint8Array {
  const replacement = join(path, REPLACEMENT, name);
  return readFile(kindOf(replacement) === 'file' ? replacement : join(path, name), limitBytes);
}

/** Whether something stands at a path that `writeDirectory` replaces; throws where it would not. */
export function requireReplaceable(path: string, entries: readonly string[]): boolean {
  const kind = kindOf(path);
  if (kind === undefined) return false;
  if (kind === 'file') throw new FileError('file/not-directory', path, 'is a file, not a folder');
  const names = listDirectory(path).filter((name) => !isLeftover(name));
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

/** What stands at a path. Throws a `FileError` for one that cannot be looked at. */
export function kindOf(path: string): 'file' | 'directory' | undefined {
  const stat = guarded(path, 'read', () => statSync(path, { throwIfNoEntry: false }));
  return stat && (stat.isDirectory() ? 'directory' : 'file');
}

const REASONS: Readonly<Record<string, readonly [FileErrorCode, string]>> = {
  ENOENT: ['file/missing', 'no such file or folder'],
  ENOTDIR: ['file/not-directory', 'part of the path is a file, not a folder'],
  EISDIR: ['file/is-directory', 'is a directory, not a file'],
  EACCES: ['file/permission', 'permission denied'],
  EPERM: ['file/permission', 'permission denied'],
  ENAMETOOLONG: ['file/name', 'the name is too long'],
  ELOOP: ['file/name', 'is a link that leads to itself'],
  ERR_INVALID_ARG_VALUE: ['file/name', 'is no name that a file can have'],
  ENOSPC: ['file/full', 'cannot be written: there is no space left'],
  EDQUOT: ['file/full', 'cannot be written: there is no space left'],
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
