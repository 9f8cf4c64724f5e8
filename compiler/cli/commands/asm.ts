/** `plumbline asm`: assembly to a program without inputs and outputs. */
import type { Command } from 'commander';
import { assemble } from '../../../isa/assembly.ts';
import { encodeContainer } from '../../../isa/container.ts';
import type { Program } from '../../../isa/program.ts';
import { SEGMENT_ALIGNMENT, instructionCount } from '../../../isa/program.ts';
import { verifyProgram } from '../../../isa/verify.ts';
import { readTextFile, writeFile } from '../../../runtime/platform/node.ts';
import { count } from '../../../runtime/report/format.ts';
import { fail } from '../../ir/diagnostic.ts';
import { addTargetOption, positiveInteger } from '../options.ts';
import { print } from '../output.ts';
import { containerInfo } from '../producer.ts';
import { loadTarget } from '../target.ts';

const DEFAULT_MEMORY_BYTES = 2 ** 20;
const DEFAULT_BUDGET = 10 ** 8;

interface Flags {
  readonly output: string;
  readonly target: string;
  readonly memory: number;
  readonly maxInstructions: number;
}

export function addAsm(program: Command): void {
  const command = program
    .command('asm')
    .description('assemble a .casm file to a program')
    .argument('<file>', 'assembly, see `plumbline isa`')
    .requiredOption('-o, --output <file.cam>', 'where to write the program');
  addTargetOption(command)
    .option('--memory <bytes>', 'main memory of the program, from address 0', positiveInteger, DEFAULT_MEMORY_BYTES)
    .option('--max-instructions <n>', 'budget of executed instructions', positiveInteger, DEFAULT_BUDGET)
    .action(run);
}

function run(file: string, { output, target: name, memory, maxInstructions }: Flags): void {
  const target = loadTarget(name);
  const { code } = assemble(readTextFile(file), { file, target });
  const program = bareProgram(target.name, code, memory, maxInstructions);
  const [problem] = verifyProgram(program, target);
  if (problem)
    return fail('invalid', 'program/invalid', problem.message, {
      place: [file, ...(problem.index === undefined ? [] : [`instruction ${problem.index}`])],
    });
  writeFile(output, encodeContainer(program, containerInfo(target)));
  print(`${output}: ${count(instructionCount(program))} instructions for ${target.name}\n`);
}

/** A program with nothing but code and memory. */
function bareProgram(target: string, code: Uint32Array, memoryBytes: number, maxInstructions: number): Program {
  const end = Math.ceil(memoryBytes / SEGMENT_ALIGNMENT) * SEGMENT_ALIGNMENT;
  const nothing = { start: end, bytes: 0 };
  return {
    target,
    code,
    constants: new Uint8Array(0),
    memory: { constants: nothing, inputs: nothing, outputs: nothing, activations: { start: 0, bytes: end }, spill: nothing },
    inputs: [],
    outputs: [],
    debug: [],
    maxInstructions,
  };
}
