/** Whether `dist` is what the sources say, by the times of the files. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** Written last, so that a build that was interrupted does not count. */
const STAMP = join(ROOT, 'dist/.built');
const SOURCES = ['compiler', 'passes', 'isa', 'runtime', 'index.ts', 'tsconfig.json', 'tsconfig.build.json'];

export function isBuilt(): boolean {
  const built = changed(STAMP);
  return built !== undefined && SOURCES.every((source) => newest(join(ROOT, source)) <= built);
}

export function markBuilt(): void {
  writeFileSync(STAMP, '');
}

/** When the newest of a folder's files last changed, or one file, in milliseconds since the epoch. */
function newest(path: string): number {
  const files = statSync(path).isDirectory()
    ? readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))
    : [path];
  return Math.max(0, ...files.map((file) => changed(file) ?? 0));
}

function changed(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
