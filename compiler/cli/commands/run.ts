/** `plumbline run`: executes a program on arrays. */
import type { Command } from 'commander';
import type { Container } from '../../../isa/container.ts';
import type { Port, Program } from '../../../isa/program.ts';
import type { EngineName } from '../../../runtime/engine/engine.ts';
import { createMachine } from '../../../runtime/engine/engine.ts';
import { timingModelOf } from '../../../runtime/evaluate/throughput.ts';
import type { PortData } from '../../../runtime/machine/host.ts';
import type { RunResult } from '../../../runtime/machine/machine.ts';
import { Trace } from '../../../runtime/machine/trace.ts';
import { count, si } from '../../../runtime/report/format.ts';
import { fail } from '../../ir/diagnostic.ts';
import type { Dump, DumpRequest } from '../dump.ts';
import { Dumper, parseDump, renderDump } from '../dump.ts';
import { inFile } from '../errors.ts';
import { collect, engineOption, jsonOption, positiveInteger } from '../options.ts';
import { LineBuffer, print, printJson, printMessage, printWarning } from '../output.ts';
import type { PortFile } from '../ports.ts';
import { countNotFinite, describeNotFinite, describePort, portFiles, readInput, writeOutput } from '../ports.ts';
import { readProgram, targetOf } from '../program-file.ts';
import { failUnknown } from '../suggest.ts';

const RUN_SCHEMA = 'plumbline.run/1';
const SHOWN_ELEMENTS = 8;

interface Flags {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly target?: string;
  readonly trace?: boolean;
  readonly stopAt?: string;
  readonly dump?: readonly DumpRequest[];
  readonly maxInstructions?: number;
  readonly engine: EngineName;
  readonly json?: boolean;
}

export function addRun(program: Command): void {
  program
    .command('run')
    .description('execute a program on .npy arrays')
    .argument('<program>', 'a .cam file that `plumbline compile` or `plumbline asm` wrote')
    .option('-i, --input <name=file.npy>', 'an input of the program; may be repeated', collect)
    .option(
      '-o, --output <name=file.npy>',
      'where to write an output; the name may be left out where there is one; may be repeated',
      collect,
    )
    .option('-t, --target <file.json>', 'the description of the accelerator; by default the one that ships under the name in the program')
    .option('--trace', 'print every executed instruction with the memory that it reads and writes')
    .option('--stop-at <layer>', 'stop before the first instruction of a layer, by its name in the model or in the graph')
    .option(
      '--dump <space:start:bytes[@instruction]>',
      'print memory before an instruction first executes, or at the end; may be repeated',
      parseDump,
    )
    .option('--max-instructions <n>', "budget of executed instructions, instead of the program's own bound", positiveInteger)
    .addOption(engineOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  plumbline run lenet-5.cam --input image=x.npy --output y.npy
  plumbline run lenet-5.cam -i x.npy --stop-at conv2 --dump vector:0:64`,
    )
    .action(run);
}

function run(path: string, flags: Flags): void {
  const container = readProgram(path);
  const { program } = container;
  const target = targetOf(container, path, flags.target);
  const inputs = portFiles('input', flags.input ?? [], program);
  const outputs = portFiles('output', flags.output ?? [], program);
  requireAll(program, inputs);
  const data = inputs.map((file) => [file.port.name, readInput(file)] as const);
  for (const [name, values] of data) {
    const notFinite = countNotFinite(values);
    if (notFinite) printWarning(`input '${name}' holds ${describeNotFinite(notFinite, values)}`);
  }

  const machine = inFile(path, () => createMachine(flags.engine, program, target));
  const stop = flags.stopAt === undefined ? undefined : firstInstructionOf(program, flags.stopAt);
  const dumper = new Dumper(machine, flags.dump ?? []);
  const timing = timingModelOf(program, target);
  const lines = new LineBuffer(flags.json ? printMessage : print);
  const observers = [timing, dumper, ...(flags.trace ? [new Trace(program, (line) => lines.line(line))] : [])];
  for (const [name, values] of data) machine.writeInput(name, values);
  let result: RunResult;
  try {
    result = machine.run({
      observers,
      ...(stop !== undefined && { breakAt: stop }),
      ...(flags.maxInstructions !== undefined && { maxInstructions: flags.maxInstructions }),
    });
  } finally {
    lines.flush();
  }
  if (!result.ended && outputs.length > 0)
    return fail('usage', 'cli/stopped', 'a run that stops early has no outputs', { hint: 'leave out --output or --stop-at' });
  const values = result.ended ? program.outputs.map((port) => ({ port, data: machine.readOutput(port.name) })) : [];
  for (const { port, data: written } of values) for (const file of outputs) if (file.port === port) writeOutput(file, written);
  const { cycles, seconds } = timing.report();
  const outcome: Outcome = { container, result, pc: machine.pc, cycles, seconds, dumps: dumper.finish(), values, outputs };
  if (flags.json) printJson(asJson(outcome));
  else print(asText(outcome));
}

function requireAll({ inputs }: Program, given: readonly PortFile[]): void {
  const missing = inputs.filter((port) => !given.some((file) => file.port === port));
  if (missing.length === 0) return;
  const wanted = missing.map((port) => `'${port.name}' (${describePort(port)})`);
  const hint = `give each with --input NAME=FILE.npy`;
  fail('usage', 'cli/missing-input', `the program needs ${missing.length === 1 ? 'input' : 'inputs'} ${wanted.join(', ')}`, { hint });
}

/** Where a layer begins: by the name of a graph operation, else by that of a node of the model. */
function firstInstructionOf({ debug }: Program, layer: string): number {
  const entry = debug.find(({ node }) => node === layer) ?? debug.find(({ origin }) => origin.includes(layer));
  if (entry) return entry.first;
  return failUnknown('cli/unknown-layer', 'layer', layer, [...new Set(debug.flatMap(({ node, origin }) => [node, ...origin]))]);
}

interface Outcome {
  readonly container: Container;
  readonly result: RunResult;
  readonly pc: number;
  readonly cycles: number;
  readonly seconds: number;
  readonly dumps: readonly Dump[];
  readonly values: readonly { readonly port: Port; readonly data: PortData }[];
  readonly outputs: readonly PortFile[];
}

function asJson({ container, result, pc, cycles, dumps, values, outputs }: Outcome): unknown {
  return {
    schema: RUN_SCHEMA,
    program: container.hash,
    target: container.program.target,
    instructions: result.instructions,
    ended: result.ended,
    pc,
    cycles,
    outputs: values.map(({ port, data }) => {
      const file = outputs.find((output) => output.port === port);
      const { name, element, shape } = port;
      const notFinite = countNotFinite(data);
      // JSON has no number for NaN and infinities.
      return {
        name,
        element,
        shape,
        ...(notFinite && { notFinite }),
        ...(file ? { file: file.path } : { values: Array.from(data, (value) => (Number.isFinite(value) ? value : String(value))) }),
      };
    }),
    dumps: dumps.map(({ space, start, bytes, index, content }) => ({
      space,
      start,
      bytes,
      ...(index !== undefined && { instruction: index }),
      hex: content ? Array.from(content, (byte) => byte.toString(16).padStart(2, '0')).join('') : undefined,
    })),
  };
}

function asText({ container, result, pc, cycles, seconds, dumps, values, outputs }: Outcome): string {
  const executed = `${count(result.instructions)} instructions, ${count(cycles)} cycles, ${si(seconds, 's')} on ${container.program.target}`;
  const lines = [result.ended ? executed : `stopped before instruction ${pc}: ${executed}`];
  for (const { port, data } of values) {
    const file = outputs.find((output) => output.port === port);
    const shown = Array.from(data.subarray(0, SHOWN_ELEMENTS), (value) => Number(value.toPrecision(6))).join(' ');
    const more = data.length > SHOWN_ELEMENTS ? ' …' : '';
    const notFinite = countNotFinite(data);
    lines.push(`${port.name}: ${describePort(port)}${file ? ` written to ${file.path}` : `: ${shown}${more}`}`);
    if (notFinite) lines.push(`${port.name} holds ${describeNotFinite(notFinite, data)}`);
  }
  return `${lines.join('\n')}\n${dumps.map(renderDump).join('')}`;
}
