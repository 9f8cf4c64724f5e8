/** Errors of the one who uses a machine, as opposed to traps of the program that runs on it. */

export type MachineErrorCode =
  /** The program does not verify. */
  | 'invalid-program'
  /** More memory than the target, the limit or the host has. */
  | 'memory-limit'
  /** No input, output or layer of that name. */
  | 'unknown-name'
  /** Data of another element type or length than the port's. */
  | 'wrong-data'
  /** An output that the program has not written. */
  | 'unwritten-output'
  /** A range outside of its memory space. */
  | 'out-of-range';

export class MachineError extends Error {
  override readonly name = 'MachineError';
  readonly code: MachineErrorCode;
  readonly hint: string | undefined;

  constructor(code: MachineErrorCode, message: string, hint?: string) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}
