/** From whatever was thrown to one line on standard error and an exit code. */
import { CommanderError } from 'commander';
import { AssemblyError } from '../../isa/assembly.ts';
import { ContainerError } from '../../isa/container.ts';
import { TargetError } from '../../isa/target.ts';
import { DataError } from '../../runtime/data/errors.ts';
import { MachineError } from '../../runtime/machine/error.ts';
import { Trap } from '../../runtime/machine/trap.ts';
import { FileError } from '../../runtime/platform/node.ts';
import { shownText } from '../../runtime/report/format.ts';
import type { Diagnostic, DiagnosticKind } from '../ir/diagnostic.ts';
import { DiagnosticError, fail, printDiagnostic } from '../ir/diagnostic.ts';
import { BrokenPipe } from './output.ts';

export const EXIT = { fine: 0, violated: 1, usage: 2, unsupported: 3, internal: 70, interrupted: 130 } as const;

/** For help texts. */
export const EXIT_CODES = `Exit codes:
  0    fine
  1    a contract or budget is violated, a test case failed, or the program trapped
  2    wrong usage, or a file that cannot be used
  3    the model needs something that is not supported
  70   an error of plumbline itself
  130  interrupted`;

/** Stopped by the user. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const BY_KIND: Readonly<Record<DiagnosticKind, number>> = {
  usage: EXIT.usage,
  invalid: EXIT.usage,
  unsupported: EXIT.unsupported,
  violated: EXIT.violated,
};

export interface Failure {
  /** One line without a line end; undefined when there is nothing to say. */
  readonly message: string | undefined;
  readonly exitCode: number;
}

/** What to tell the user about an error. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof BrokenPipe) return { message: undefined, exitCode: EXIT.fine };
  if (error instanceof Interrupted) return { message: undefined, exitCode: EXIT.interrupted };
  if (error instanceof CommanderError) return describeCommander(error);
  const known = describeKnown(error);
  if (known) return { message: `error: ${shownText(known.message)}`, exitCode: known.exitCode };
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const hint = 'this is a bug; please report it with the command, PLUMBLINE_DEBUG=1 shows where it is';
  return { message: `internal error: ${shownText(what)} (${hint})`, exitCode: EXIT.internal };
}

function describeKnown(error: unknown): { readonly message: string; readonly exitCode: number } | undefined {
  if (error instanceof DiagnosticError) return describeDiagnostics(error.diagnostics);
  if (error instanceof FileError || error instanceof DataError || error instanceof TargetError)
    return { message: placed(error.place, error.message, error.hint), exitCode: EXIT.usage };
  if (error instanceof ContainerError) return { message: placed(undefined, error.message, error.hint), exitCode: EXIT.usage };
  if (error instanceof AssemblyError) {
    const [first = error.message] = error.message.split('\n');
    return { message: first + andMore(error.problems.length), exitCode: EXIT.usage };
  }
  if (error instanceof Trap) return { message: error.message, exitCode: EXIT.violated };
  if (error instanceof MachineError) return { message: placed(undefined, error.message, error.hint), exitCode: EXIT.usage };
  return undefined;
}

function describeDiagnostics(diagnostics: readonly Diagnostic[]): { readonly message: string; readonly exitCode: number } {
  const [first] = diagnostics;
  if (!first) return { message: 'invalid', exitCode: EXIT.usage };
  return { message: printDiagnostic(first) + andMore(diagnostics.length), exitCode: BY_KIND[first.kind] };
}

function andMore(total: number): string {
  return total > 1 ? ` (and ${total - 1} more ${total === 2 ? 'problem' : 'problems'})` : '';
}

function placed(place: string | undefined, message: string, hint: string | undefined): string {
  return printDiagnostic({
    kind: 'invalid',
    code: '',
    message,
    ...(place !== undefined && { place: [place] }),
    ...(hint !== undefined && { hint }),
  });
}

/** Commander spreads suggestions over lines; help and version are no errors. */
function describeCommander({ code, message, exitCode }: CommanderError): Failure {
  if (exitCode === 0) return { message: undefined, exitCode: EXIT.fine };
  // Help that stands for a missing subcommand has been shown already.
  if (code === 'commander.help') return { message: undefined, exitCode: EXIT.usage };
  return {
    message: shownText(
      message
        .replace(/^error: /, 'error: ')
        .replace(/\n\(/g, ' (')
        .replace(/^(?!error: )/, 'error: '),
    ),
    exitCode: EXIT.usage,
  };
}

/** The errors of `work` that name no file of their own get this one. */
export function inFile<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ContainerError)
      return fail('invalid', error.code, error.message, { place: [place], ...(error.hint !== undefined && { hint: error.hint }) });
    if (error instanceof MachineError)
      return fail('invalid', `machine/${error.code}`, error.message, {
        place: [place],
        ...(error.hint !== undefined && { hint: error.hint }),
      });
    throw error;
  }
}
