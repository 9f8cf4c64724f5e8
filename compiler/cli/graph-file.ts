/** Graphs as files: the text, and beside it `FILE.data` with large constants. */
import { writeFile } from '../../runtime/platform/node.ts';
import { encodeConstants } from '../ir/constants-file.ts';
import { print } from './output.ts';

/** A text that names large constants by the hash of their bytes. */
export interface PrintedText {
  readonly text: string;
  readonly constants?: ReadonlyMap<string, Uint8Array>;
}

/** Writes text, the side file first, so that a text never stands without it. */
export function writePrinted({ text, constants }: PrintedText, path: string): void {
  if (constants && constants.size > 0) writeFile(`${path}.data`, encodeConstants(constants));
  writeFile(path, text);
}

/** Writes to a file, or the text alone to standard output. */
export function showPrinted(printed: PrintedText, path: string | undefined): void {
  if (path === undefined) print(printed.text);
  else writePrinted(printed, path);
}
