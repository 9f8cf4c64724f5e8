/**
 * Diagnostics: errors as values with a code, a place and a hint.
 * Every error that a user can cause is thrown as a `DiagnosticError`; anything else that is thrown is a bug of ours.
 */

/** What went wrong, which decides the exit code of the command line: usage 2, invalid 2, unsupported 3, violated 1. */
export type DiagnosticKind = 'usage' | 'invalid' | 'unsupported' | 'violated';

export interface Diagnostic {
  readonly kind: DiagnosticKind;
  /** Stable, for tests and scripts: `onnx/unsupported-op`. */
  readonly code: string;
  /** One sentence without a final period, naming the offending thing. */
  readonly message: string;
  /** Where: a file, and inside it a node, a line or an address; outermost first. */
  readonly place?: readonly string[];
  /** What to do about it, one sentence. */
  readonly hint?: string;
}

export class DiagnosticError extends Error {
  override readonly name = 'DiagnosticError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(printDiagnostic).join('\n'));
    this.diagnostics = diagnostics;
  }

  /** The same diagnostics seen from further out: `place` is put before each one's own. */
  within(...place: string[]): DiagnosticError {
    return new DiagnosticError(this.diagnostics.map((d) => ({ ...d, place: [...place, ...(d.place ?? [])] })));
  }
}

export function fail(
  kind: DiagnosticKind,
  code: string,
  message: string,
  details: { place?: readonly string[]; hint?: string } = {},
): never {
  throw new DiagnosticError([{ kind, code, message, ...details }]);
}

/** `place: message (hint)` on one line. */
export function printDiagnostic({ place, message, hint }: Diagnostic): string {
  return `${place?.length ? `${place.join(': ')}: ` : ''}${message}${hint ? ` (${hint})` : ''}`;
}
