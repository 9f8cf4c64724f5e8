/** Targets that ship, and those of users. */
import type { Target } from '../../isa/target.ts';
import { parseTarget, TargetError } from '../../isa/target.ts';
import { assetPath, listDirectory, readTextFile } from '../../runtime/platform/node.ts';
import { failUnknown } from './suggest.ts';

const EXTENSION = '.json';
const LIMIT_BYTES = 2 ** 20;

function folder(): string {
  return assetPath('isa', 'targets');
}

/** Names of the targets that ship. */
export function targetNames(): readonly string[] {
  return listDirectory(folder())
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length));
}

/** A target by the name of one that ships, or by the path of a `.json` file. */
export function loadTarget(nameOrFile: string): Target {
  if (nameOrFile.endsWith(EXTENSION)) return readTarget(nameOrFile, nameOrFile);
  const known = targetNames();
  if (!known.includes(nameOrFile)) return failUnknown('cli/unknown-target', 'target', nameOrFile, known);
  return readTarget(assetPath('isa', 'targets', nameOrFile + EXTENSION), nameOrFile);
}

function readTarget(path: string, place: string): Target {
  return parseTarget(parseJson(readTextFile(path, LIMIT_BYTES), place), place);
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TargetError(place, 'is not JSON', '`plumbline targets cambricon --json` shows what a target looks like');
  }
}
