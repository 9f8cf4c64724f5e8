/** `plumbline compile`: a model to a program, or to any stage on the way. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { disassemble } from '../../../isa/assembly.ts';
import { encodeContainer } from '../../../isa/container.ts';
import type { Program } from '../../../isa/program.ts';
import { dramEnd, instructionCount } from '../../../isa/program.ts';
import type { Target } from '../../../isa/target.ts';
import { parsePipeline } from '../../../passes/pipeline-text.ts';
import { writeFile } from '../../../runtime/platform/node.ts';
import { bytes, count } from '../../../runtime/report/format.ts';
import { fail } from '../../ir/diagnostic.ts';
import type { Graph } from '../../ir/graph.ts';
import { printGraph } from '../../ir/text.ts';
import { printMemory } from '../../lower/memory-report.ts';
import { printTiled } from '../../lower/tiled-text.ts';
import { lower } from '../../lower/lower.ts';
import { legalize, optimize } from '../../pipeline.ts';
import { annotation } from '../annotate.ts';
import type { CalibrationFlags } from '../calibration.ts';
import { addCalibrationOptions, pipelineOptions } from '../calibration.ts';
import { showPrinted } from '../graph-file.ts';
import { findModel, loadGraph } from '../model.ts';
import type { BindingFlags } from '../options.ts';
import { MODEL_ARGUMENT, addBindingOptions, addTargetOption, passesOption } from '../options.ts';
import { print } from '../output.ts';
import { containerInfo } from '../producer.ts';
import { loadTarget } from '../target.ts';

const STAGES = ['imported', 'graph', 'legal', 'tiled', 'memory', 'asm', 'bin'] as const;
type EmitStage = (typeof STAGES)[number];

interface Flags extends BindingFlags, CalibrationFlags {
  readonly output?: string;
  readonly target: string;
  readonly passes: string;
  readonly emit: EmitStage;
}

export function addCompile(program: Command): void {
  const command = program
    .command('compile')
    .description('compile a model to a program for an accelerator')
    .argument('<model>', MODEL_ARGUMENT)
    .option('-o, --output <file>', 'where to write; text goes to standard output otherwise');
  addCalibrationOptions(addTargetOption(command).addOption(passesOption()));
  addBindingOptions(command)
    .addOption(
      new Option(
        '--emit <stage>',
        'stop at a stage: imported graph, optimized graph, legal graph, tiled program, memory map, assembly, program',
      )
        .choices(STAGES)
        .default('bin'),
    )
    .addHelpText(
      'after',
      `
Graphs and tiled programs with large constants are written as two files, FILE and FILE.data.

Examples:
  plumbline compile lenet-5 -o lenet-5.cam
  plumbline compile lenet-5 --emit asm
  plumbline compile model.onnx --dim batch=8 --target cambricon-base -o model.cam`,
    )
    .action(run);
}

async function run(model: string, flags: Flags): Promise<void> {
  const { emit, output } = flags;
  if (emit === 'bin' && output === undefined)
    return fail('usage', 'cli/no-output', 'a program needs a file to be written to', {
      hint: 'give one with -o FILE.cam, or look at --emit asm',
    });
  const target = loadTarget(flags.target);
  const passes = parsePipeline(flags.passes);
  const source = findModel(model);
  const imported = loadGraph(source, flags);
  if (emit === 'imported') {
    showPrinted(printGraph(imported), output);
    return;
  }
  const optimized = optimize(imported, passes, await pipelineOptions(passes, source, flags)).graph;
  if (emit === 'graph') {
    showPrinted(printGraph(optimized), output);
    return;
  }
  const legal = legalize(optimized, target);
  if (emit === 'legal') {
    showPrinted(printGraph(legal), output);
    return;
  }
  writeLowered(legal, target, emit, output);
}

function writeLowered(
  legal: Graph,
  target: Target,
  emit: Exclude<EmitStage, 'imported' | 'graph' | 'legal'>,
  output: string | undefined,
): void {
  const { tiled, memory, program } = lower(legal, target);
  switch (emit) {
    case 'tiled':
      return showPrinted(printTiled(tiled), output);
    case 'memory':
      return showPrinted({ text: printMemory(memory, tiled) }, output);
    case 'asm':
      return showPrinted({ text: disassemble(program.code, { annotate: annotation(program) }) }, output);
    case 'bin':
      return writeProgram(program, target, output ?? '');
  }
}

function writeProgram(program: Program, target: Target, output: string): void {
  const file = encodeContainer(program, containerInfo(target));
  writeFile(output, file);
  const instructions = `${count(instructionCount(program))} instructions`;
  const weights = `${bytes(program.constants.length)} of constants`;
  print(`${output}: ${instructions}, ${weights}, ${bytes(dramEnd(program.memory))} of DRAM, for ${target.name}\n`);
}
