/** `plumbline disasm`: a program as assembly. */
import type { Command } from 'commander';
import { join } from 'node:path';
import { COMMENT_COLUMN, disassemble } from '../../../isa/assembly.ts';
import type { Container } from '../../../isa/container.ts';
import type { Port } from '../../../isa/program.ts';
import { SEGMENT_NAMES, instructionCount } from '../../../isa/program.ts';
import { diffRuns } from '../../../runtime/diff/diff.ts';
import { PROGRAM } from '../../../runtime/diff/run-files.ts';
import { profileInstructions } from '../../../runtime/evaluate/profile.ts';
import { writeFile } from '../../../runtime/platform/node.ts';
import { count, oneLine } from '../../../runtime/report/format.ts';
import { annotation, costAnnotation } from '../annotate.ts';
import { print } from '../output.ts';
import { readProgram, targetOf } from '../program-file.ts';
import { isRunDirectory, readRun } from '../runs.ts';

interface Flags {
  readonly output?: string;
  readonly addresses?: boolean;
  readonly cost?: boolean;
  readonly error?: string;
  readonly target?: string;
}

export function addDisasm(program: Command): void {
  program
    .command('disasm')
    .description('print a program as assembly, with the layer of each instruction')
    .argument('<program>', 'a .cam file, or a folder that `eval --save` wrote')
    .option('-o, --output <file>', 'where to write instead of standard output')
    .option('--addresses', 'number the instructions')
    .option(
      '--cost',
      'put before each layer what the instruction costs: runs, cycles charged and busy, what most of them go to, bytes, energy',
    )
    .option('--error <run>', 'and the error of the layer beside this run, the reference; the program is that of a saved run, too')
    .option('-t, --target <file.json>', 'the description of the accelerator; by default the one that ships under the name in the program')
    .addHelpText(
      'after',
      `
Cycles and joules add up to those of \`plumbline eval\`. Errors are SQNR in dB: local as \`plumbline diff\` has it, and the effect at the outputs.

Examples:
  plumbline disasm lenet-5.cam --cost
  plumbline disasm fixed --cost --error float`,
    )
    .action(run);
}

async function run(path: string, { output, addresses = false, cost = false, error, target }: Flags): Promise<void> {
  const file = isRunDirectory(path) ? join(path, PROGRAM) : path;
  const container = readProgram(file);
  const { program } = container;
  const diff = error === undefined ? undefined : await diffRuns(readRun(error), readRun(path));
  const costs =
    cost || diff
      ? costAnnotation(program, profileInstructions(program, targetOf(container, file, target)), { addresses, diff })
      : undefined;
  const code = costs
    ? `; ${'-'.repeat(COMMENT_COLUMN - 2)} ; ${costs.head}\n${disassemble(program.code, { annotate: costs.annotate })}`
    : disassemble(program.code, { addresses, annotate: annotation(program) });
  const text = header(container) + code;
  if (output === undefined) print(text);
  else writeFile(output, text);
}

/** The facts of a program, in comments, so that the text assembles. */
function header({ program, hash, producer }: Container): string {
  const port = ({ name, element, shape, stored, layout, address }: Port): string =>
    `${name} ${element}[${shape.join(',')}] stored as ${stored} in order [${layout.join(',')}] at ${hex(address)}`;
  const lines = [
    `${count(instructionCount(program))} instructions for ${program.target}, by ${producer}`,
    `hash ${hash}`,
    ...program.inputs.map((input) => `input ${port(input)}`),
    ...program.outputs.map((output) => `output ${port(output)}`),
    ...SEGMENT_NAMES.map((name) => `${name} ${hex(program.memory[name].start)}, ${count(program.memory[name].bytes)} bytes`),
    `at most ${count(program.maxInstructions)} executed instructions`,
  ];
  return `${lines.map((line) => `; ${oneLine(line)}`).join('\n')}\n\n`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
