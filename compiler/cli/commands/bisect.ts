/** `plumbline bisect`: finds the pass, the transformation, the channels or the samples that break a check. */
import type { Command } from 'commander';
import { Option } from 'commander';
import process from 'node:process';
import type { Dimension } from '../../../runtime/bisect/bisect.ts';
import { bisect, DIMENSIONS } from '../../../runtime/bisect/bisect.ts';
import { renderBisection } from '../../../runtime/report/bisection.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOption, calibrationOf } from '../calibration.ts';
import type { CheckedModelFlags } from '../checked-model.ts';
import { addCheckedModel, CHECK_HELP, checkedModel } from '../checked-model.ts';
import { EXIT } from '../errors.ts';
import { interruptible } from '../interrupt.ts';
import { print, printJson } from '../output.ts';
import { statusLine } from '../progress.ts';

interface Flags extends CheckedModelFlags, CalibrationFlags {
  readonly over: Dimension;
  readonly json?: boolean;
}

export function addBisect(program: Command): void {
  const command = program.command('bisect').description('find what breaks a check: a pass, an op, channels of its value, or samples');
  addCalibrationOption(addCheckedModel(command))
    .addOption(
      new Option('--over <what>', 'how far to look: each of passes, ops and channels begins with those before it')
        .choices(DIMENSIONS)
        .default('ops'),
    )
    .addHelpText(
      'after',
      `
${CHECK_HELP}

Exit code 0 where something was found or nothing is wrong, 1 where the check does not even hold without passes.

Examples:
  plumbline bisect resnet -p O1,legalize-layout --check contract
  plumbline bisect lenet-300-100 -p O1,to-fixed-point{fraction=4} --check "top1 >= base - 0.5pt" --over passes
  plumbline bisect lenet-300-100 -p O1,to-fixed-point{fraction=4} --check "agreement == 100%" --over samples
  plumbline bisect mobilenet -p int8-naive --check "top1 >= base - 0.1pt"
  plumbline bisect lenet-5 -p O1 --check-command "python3 compare.py {onnx}"`,
    )
    .action(run);
}

async function run(model: string, { over, json, ...flags }: Flags): Promise<void> {
  const shown = statusLine();
  const result = await interruptible(async (signal) => {
    const { source, graph, steps, checker } = await checkedModel(model, flags, signal);
    const calibration = await calibrationOf(steps, source, flags);
    const calibrated = calibration ? checker.with({ pipeline: { calibration } }) : checker;
    return bisect({ model: source.name, graph, steps, checker: calibrated }, over, {
      onTrial: (done, what) => shown.update(`${source.name}: evaluation ${done + 1}, ${what}`),
    });
  }).finally(() => shown.clear());
  if (json) printJson(result);
  else print(renderBisection(result));
  if (result.outcome === 'without-passes') process.exitCode = EXIT.violated;
}
