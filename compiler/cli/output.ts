/** The standard streams. Writes are synchronous, so that nothing is lost at exit and a reader that goes away stops the program at once. */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { createColors } from 'picocolors';
import { FileError, isTerminal } from '../../runtime/platform/node.ts';
import { shownText } from '../../runtime/report/format.ts';

/** The reader of standard output has gone, as `head` does: no error. */
export class BrokenPipe extends Error {
  override readonly name = 'BrokenPipe';
}

const RETRY_MILLISECONDS = 1;
const clock = new Int32Array(new SharedArrayBuffer(4));

function writeAll(descriptor: 1 | 2, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') throw new BrokenPipe();
      // A pipe that does not block and is full.
      if (code !== 'EAGAIN') {
        // Nobody is left who could be told.
        if (descriptor === 2) return;
        throw new FileError('file/unwritable', 'standard output', `cannot be written: ${String(code)}`);
      }
      Atomics.wait(clock, 0, 0, RETRY_MILLISECONDS);
    }
  }
}

/** Writes results. */
export function print(text: string): void {
  writeAll(1, text);
}

/** Writes an object as JSON, indented. */
export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Writes an object as JSON in which NaN and infinities, for which JSON has no numbers, are texts. */
export function printMeasurements(value: unknown): void {
  print(
    `${JSON.stringify(value, (_key, each: unknown) => (typeof each === 'number' && !Number.isFinite(each) ? String(each) : each), 2)}\n`,
  );
}

/** Writes what is not a result: progress, warnings, errors. */
export function printMessage(text: string): void {
  writeAll(2, text);
}

export function printWarning(message: string): void {
  printMessage(`${messageColors().yellow('warning:')} ${shownText(message)}\n`);
}

const FLUSH_CHARACTERS = 2 ** 16;

/** Collects lines for standard output; `flush` writes the rest. */
export class LineBuffer {
  #lines: string[] = [];
  #characters = 0;
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  line(text: string): void {
    this.#lines.push(text);
    this.#characters += text.length + 1;
    if (this.#characters >= FLUSH_CHARACTERS) this.flush();
  }

  flush(): void {
    if (this.#lines.length > 0) this.#write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#characters = 0;
  }
}

/** Marks the verdicts of a comparison where standard output is a terminal. */
export function verdictColors(text: string): string {
  const { red, yellow, dim } = colorsOf('stdout');
  return text.replace(/^(broken: .*|suspicious: .*)$|\b(broken|suspicious|expected loss)(?= {2})/gm, (found) =>
    found.startsWith('broken') ? red(found) : found.startsWith('suspicious') ? yellow(found) : dim(found),
  );
}

/** Colours for standard error: none in a pipe, on a dumb terminal or where NO_COLOR is set. */
export function messageColors(): ReturnType<typeof createColors> {
  return colorsOf('stderr');
}

function colorsOf(stream: 'stdout' | 'stderr'): ReturnType<typeof createColors> {
  return createColors(isTerminal(stream) && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb');
}
