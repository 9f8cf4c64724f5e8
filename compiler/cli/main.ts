#!/usr/bin/env node
/** The command line: a thin user of the library. */
import { Command } from 'commander';
import process from 'node:process';
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
import { EXIT_CODES, describeFailure } from './errors.ts';
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
  return program;
}

try {
  await commandLine().parseAsync();
} catch (error) {
  const { message, exitCode } = describeFailure(error);
  if (message !== undefined) printMessage(`${messageColors().red('plumbline:')} ${message}\n`);
  if (process.env['PLUMBLINE_DEBUG'] === '1' && error instanceof Error) printMessage(`${error.stack ?? ''}\n`);
  process.exitCode = exitCode;
}
