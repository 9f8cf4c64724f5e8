/** `plumbline calibrate`: statistics of a model's values on representative data, as a file. */
import type { Command } from 'commander';
import { runPipeline } from '../../../passes/manager.ts';
import { parsePipeline, printPipeline } from '../../../passes/pipeline-text.ts';
import { CALIBRATION_SAMPLES } from '../../../runtime/evaluate/calibration.ts';
import { writeCalibration } from '../../../runtime/evaluate/calibration-file.ts';
import { writeFile } from '../../../runtime/platform/node.ts';
import { count } from '../../../runtime/report/format.ts';
import { fail } from '../../ir/diagnostic.ts';
import { checkGraph } from '../../ir/verify.ts';
import { PREPROCESS_OPTION, calibrationData, measuring, modelHash } from '../calibration.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags } from '../options.ts';
import { DATA_FORMS, MODEL_ARGUMENT, addBindingOptions, passesOption, positiveInteger } from '../options.ts';
import { print } from '../output.ts';

/** The form of a graph that passes with statistics ask about. */
const CALIBRATED_PASSES = 'O1,legalize-layout';

interface Flags extends BindingFlags {
  readonly output: string;
  readonly data?: string;
  readonly preprocess?: string;
  readonly samples: number;
  readonly passes: string;
}

export function addCalibrate(program: Command): void {
  const command = program
    .command('calibrate')
    .description('measure the ranges of all values of a model on representative data, for passes that need them')
    .argument('<model>', MODEL_ARGUMENT)
    .requiredOption('-o, --output <file>', 'where to write the statistics, such as model.calibration.json')
    .option('-d, --data <path>', `${DATA_FORMS}; a network of the zoo brings its own`)
    .option(PREPROCESS_OPTION, 'from pixels to elements: see `plumbline eval --help`')
    .option('-n, --samples <n>', 'take so many samples, the classes in turns', positiveInteger, CALIBRATION_SAMPLES)
    .addOption(passesOption().default(CALIBRATED_PASSES));
  addBindingOptions(command)
    .addHelpText(
      'after',
      `
The statistics are those of the graph after the passes, which are to be the ones in front of the pass that needs them. The labels of the data are not used.

Examples:
  plumbline calibrate lenet-5 -o lenet-5.calibration.json
  plumbline eval lenet-5 -p int8 --calibration lenet-5.calibration.json
  plumbline calibrate model.onnx --data photos --preprocess imagenet -n 100 -o model.calibration.json`,
    )
    .action(run);
}

async function run(model: string, flags: Flags): Promise<void> {
  const passes = parsePipeline(flags.passes);
  const needing = passes.find(({ pass }) => pass.calibrated);
  if (needing) fail('usage', 'cli/calibrated-pass', `${needing.pass.name} needs statistics itself`, { hint: 'leave it out of --passes' });
  const source = findModel(model);
  const graph = runPipeline(checkGraph(loadGraph(source, flags)), passes).graph;
  const data = await calibrationData(source, flags.data, flags.preprocess, flags.samples);
  const statistics = measuring(data, source)(graph);
  const identity = { model: { name: source.name, sha256: modelHash(source) }, passes: printPipeline(passes) };
  writeFile(flags.output, writeCalibration(identity, data, statistics));
  print(`${flags.output}: ${count(statistics.size)} values of ${source.name} on ${count(data.samples.length)} samples of ${data.name}\n`);
}
