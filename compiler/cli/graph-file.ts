/** Graphs as files: the text, and beside it `FILE.data` with large constants. */
import { FileError, kindOf, readFile, removeFile, writeFile, writeInSteps } from '../../runtime/platform/node.ts';
import { decodeConstants, encodeConstants } from '../ir/constants-file.ts';
import { DiagnosticError } from '../ir/diagnostic.ts';
import { print } from './output.ts';

/** A text that names large constants by the hash of their bytes. */
export interface PrintedText {
  readonly text: string;
  readonly constants?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Writes text and its constants, or leaves both files as they are. The text names constants by their hashes, so that a side file may hold more than it
 * needs: between the old text and the new one stands a side file that serves both, and whenever the writer ends, there is one of them with all its constants.
 * Everything is on the disk before the first file is replaced.
 */
export function writePrinted({ text, constants = new Map() }: PrintedText, path: string): void {
  const side = `${path}.data`;
  const old = constantsOf(side);
  if (constants.size === 0) {
    writeFile(path, text);
    // What the old text named, and nothing names any more.
    if (old) removeFile(side);
    return;
  }
  const kept = [...(old ?? [])].filter(([hash]) => !constants.has(hash));
  const needed = [side, encodeConstants(constants)] as const;
  if (kept.length === 0) writeInSteps([needed, [path, text]]);
  else writeInSteps([[side, encodeConstants(new Map([...constants, ...kept]))], [path, text], needed]);
}

/** The constants of the side file that stands there; undefined where there is none, or none that could be used. */
function constantsOf(side: string): ReadonlyMap<string, Uint8Array> | undefined {
  if (kindOf(side) !== 'file') return undefined;
  try {
    return decodeConstants(readFile(side), side);
  } catch (error) {
    if (error instanceof DiagnosticError || error instanceof FileError) return undefined;
    throw error;
  }
}

/** Writes to a file, or the text alone to standard output. */
export function showPrinted(printed: PrintedText, path: string | undefined): void {
  if (path === undefined) print(printed.text);
  else writePrinted(printed, path);
}
