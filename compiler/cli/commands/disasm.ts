/** `plumbline disasm`: a program as assembly. */
import type { Command } from 'commander';
import { disassemble } from '../../../isa/assembly.ts';
import type { Container } from '../../../isa/container.ts';
import type { Port } from '../../../isa/program.ts';
import { SEGMENT_NAMES, instructionCount } from '../../../isa/program.ts';
import { writeFile } from '../../../runtime/platform/node.ts';
import { count, oneLine } from '../../../runtime/report/format.ts';
import { annotation } from '../annotate.ts';
import { print } from '../output.ts';
import { readProgram } from '../program-file.ts';

interface Flags {
  readonly output?: string;
  readonly addresses?: boolean;
}

export function addDisasm(program: Command): void {
  program
    .command('disasm')
    .description('print a program as assembly, with the layer of each instruction')
    .argument('<program>', 'a .cam file')
    .option('-o, --output <file>', 'where to write instead of standard output')
    .option('--addresses', 'number the instructions')
    .action(run);
}

function run(path: string, { output, addresses = false }: Flags): void {
  const container = readProgram(path);
  const { program } = container;
  const text = header(container) + disassemble(program.code, { addresses, annotate: annotation(program) });
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
