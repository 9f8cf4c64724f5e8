/** Errors of files that hold data: data sets, arrays. They take bytes, so `place` is the name that the caller gave them. */

export type DataErrorCode =
  'data/format' | 'data/truncated' | 'data/too-large' | 'data/checksum' | 'data/missing' | 'data/ambiguous' | 'data/mismatch';

/** Data that cannot be used. The message is a clause about `place`. */
export class DataError extends Error {
  override readonly name = 'DataError';
  readonly code: DataErrorCode;
  readonly place: string;
  readonly hint: string | undefined;

  constructor(code: DataErrorCode, place: string, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.place = place;
    this.hint = hint;
  }
}
