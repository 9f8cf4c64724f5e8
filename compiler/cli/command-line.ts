/** The command line as a function, for `main.ts` and for whoever tries many files in one process. */
import { Command, InvalidArgumentError, Option } from 'commander';
import process from 'node:process';
import {
  BUDGET_OPTION,
  BUDGET_VARIABLE,
  DEFAULT_MEMORY_BUDGET_BYTES,
  parseBytes,
  printBytes,
  setMemoryBudget,
} from '../../runtime/budget.ts';
import { packageVersion } from '../../runtime/platform/node.ts';
import { addAsm } from './commands/asm.ts';
import { addCalibrate } from './commands/calibrate.ts';
import { addBisect } from './commands/bisect.ts';
import { addCheck } from './commands/check.ts';
import { addCompile } from './commands/compile.ts';
import { addConformance } from './commands/conformance.ts';
import { addDiff } from './commands/diff.ts';
import { addDisasm } from './commands/disasm.ts';
import { addEval } from './commands/eval.ts';
import { addExplain } from './commands/explain.ts';
import { addIsa } from './commands/isa.ts';
import { addLadder } from './commands/ladder.ts';
import { addOps } from './commands/ops.ts';
import { addOpt } from './commands/opt.ts';
import { addPasses } from './commands/passes.ts';
import { addProfile } from './commands/profile.ts';
import { addReduce } from './commands/reduce.ts';
import { addRun } from './commands/run.ts';
import { addTargets } from './commands/targets.ts';
import { addZoo } from './commands/zoo.ts';
import { EXIT, EXIT_CODES, describeFailure } from './errors.ts';
import { messageColors, print, printMessage } from './output.ts';

function commandLine(): Command {
  const program = new Command('plumbline')
    .description('compiles neural networks for AI accelerators, executes the programs, and tells accuracy, cycles, bytes and energy')
    .version(packageVersion())
    .exitOverride()
    .showSuggestionAfterError()
    // Errors are printed in one place, below.
    .configureOutput({ writeOut: print, writeErr: printMessage, outputError: () => undefined })
    .addHelpText('after', `\n${EXIT_CODES}\n\nStart with:\n  plumbline eval lenet-5`);
  for (const add of [
    addEval,
    addLadder,
    addProfile,
    addCalibrate,
    addDiff,
    addExplain,
    addCompile,
    addRun,
    addCheck,
    addConformance,
    addOpt,
    addBisect,
    addReduce,
    addAsm,
    addDisasm,
    addZoo,
    addTargets,
    addPasses,
    addOps,
    addIsa,
  ])
    add(program);
  for (const command of program.commands) command.addOption(budgetOption());
  return program.hook('preAction', (_, command) => {
    const { memoryBudget } = command.opts<{ memoryBudget?: number }>();
    if (memoryBudget !== undefined) setMemoryBudget(memoryBudget);
  });
}

/** An option of every subcommand. */
function budgetOption(): Option {
  const what = 'memory that a file may demand beyond its own size, such as 2GiB';
  return new Option(`${BUDGET_OPTION} <bytes>`, `${what} (default: ${printBytes(DEFAULT_MEMORY_BUDGET_BYTES)})`)
    .env(BUDGET_VARIABLE)
    .argParser((text) => {
      const bytes = parseBytes(text);
      if (bytes === undefined) throw new InvalidArgumentError('A size such as 768MiB or 2GiB is expected.');
      return bytes;
    });
}

/** What a command that has done its work says about it. */
function exitCode(): number {
  return Number(process.exitCode ?? EXIT.fine);
}

/** Runs a command line, words without the program's name, and gives its exit code; failures are told on standard error. */
export async function runCommandLine(words: readonly string[]): Promise<number> {
  process.exitCode = undefined;
  try {
    await commandLine().parseAsync([...words], { from: 'user' });
    return exitCode();
  } catch (error) {
    const { message, exitCode: code } = describeFailure(error);
    if (message !== undefined) printMessage(`${messageColors().red('plumbline:')} ${message}\n`);
    if (process.env['PLUMBLINE_DEBUG'] === '1' && error instanceof Error) printMessage(`${error.stack ?? ''}\n`);
    return code;
  }
}
