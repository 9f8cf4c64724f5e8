/**
 * `npm run bench:programs`: what the compiler makes of every network in every preset: a hash of the code, instructions, cycles, and a hash of the outputs
 * on two images. What differs from benchmarks/results/programs.json, which was written before, is printed and stands in benchmarks/results/programs.md;
 * then the file is written anew. So a change that should change no program shows that it did not.
 */
import { existsSync } from 'node:fs';
import process from 'node:process';
import { loadGraph } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { contentHash } from '../compiler/ir/content-hash.ts';
import { tensor } from '../compiler/ir/tensor.ts';
import type { TensorType } from '../compiler/ir/types.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { instructionCount } from '../isa/program.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { FastMachine } from '../runtime/engine/fast-machine.ts';
import { calibrationOnSamples } from '../runtime/evaluate/calibration.ts';
import { timeAddresses } from '../runtime/evaluate/throughput.ts';
import { readFile } from '../runtime/platform/node.ts';
import { inFileOrder, subjectNames, subjectOf } from './precision/subjects.ts';
import { REDUCED_PRESETS, markdownTable, writeResult } from './report.ts';

/** Images that calibrate, the first of the data, and images whose outputs are hashed. */
const CALIBRATION_IMAGES = 16;
const IMAGES = 2;
const PRESETS = ['O0', 'O1', ...REDUCED_PRESETS] as const;
const target = loadTarget('cambricon');

interface Compiled {
  readonly network: string;
  readonly preset: string;
  readonly code: string;
  readonly instructions: number;
  readonly cycles: number;
  readonly outputs: string;
}

async function compiled(network: string): Promise<readonly Compiled[]> {
  const subject = await subjectOf(network, Infinity);
  const { source } = subject;
  const [test, calibration] = [inFileOrder(subject.test), inFileOrder(subject.calibration)];
  const graph = loadGraph(source, { batch: 1 });
  const [input] = graph.inputs;
  if (!input) throw new Error(`${network} has no input`);
  const type: TensorType = input.type;
  const samples = await Promise.all(
    Array.from({ length: CALIBRATION_IMAGES }, async (_, i) => ({
      inputs: new Map([[input.name, tensor(type, (await calibration.read(i)).elements)]]),
      place: calibration.place(i),
    })),
  );
  const provider = calibrationOnSamples(samples, { target });
  const rows: Compiled[] = [];
  for (const preset of PRESETS) {
    const { program } = compileModel(graph, { target, passes: parsePipeline(preset), pipeline: { calibration: provider } });
    const machine = new FastMachine(program, target);
    const outputs: Uint8Array[] = [];
    for (let i = 0; i < IMAGES; i++) {
      machine.reset();
      machine.writeInput(input.name, (await test.read(i)).elements);
      machine.run();
      for (const { name } of program.outputs) outputs.push(new Uint8Array(machine.readOutput(name).buffer));
    }
    rows.push({
      network,
      preset,
      code: contentHash(new Uint8Array(program.code.buffer, program.code.byteOffset, program.code.byteLength)).slice(0, 16),
      instructions: instructionCount(program),
      cycles: timeAddresses(new FastMachine(program, target))?.cycles ?? NaN,
      outputs: contentHash(Buffer.concat(outputs)).slice(0, 16),
    });
    process.stderr.write(`${network} ${preset} done\n`);
  }
  return rows;
}

const file = new URL('results/programs.json', import.meta.url).pathname;
const before: readonly Compiled[] = existsSync(file) ? (JSON.parse(new TextDecoder().decode(readFile(file))) as Compiled[]) : [];
const networks = process.argv.length > 2 ? process.argv.slice(2) : subjectNames();
const measured: Compiled[] = [];
for (const network of networks) measured.push(...(await compiled(network)));
const keyOf = ({ network, preset }: Compiled): string => `${network} ${preset}`;
const known = new Map(before.map((row) => [keyOf(row), row]));
const compared = measured.flatMap((after): (readonly [Compiled, Compiled])[] => {
  const was = known.get(keyOf(after));
  return was ? [[was, after]] : [];
});
const changed = compared.filter(([was, after]) => was.code !== after.code || was.outputs !== after.outputs || was.cycles !== after.cycles);
const sum = (rows: readonly Compiled[], figure: 'instructions' | 'cycles'): string =>
  rows.reduce((total, row) => total + row[figure], 0).toLocaleString('en');
const text = [
  '# Programs before and after',
  '',
  '`npm run bench:programs`: programs of the networks in every preset, compared with those of the run before.',
  '',
  `${compared.length} programs, ${compared.length - changed.length} of them the same instruction for instruction with the same outputs and cycles; ` +
    `${compared.filter(([was, after]) => was.outputs !== after.outputs).length} with other outputs, ` +
    `${compared.filter(([was, after]) => after.cycles > was.cycles).length} with more cycles, ` +
    `${compared.filter(([was, after]) => after.instructions > was.instructions).length} with more instructions.`,
  `Instructions in all ${sum(
    compared.map(([was]) => was),
    'instructions',
  )} before and ${sum(
    compared.map(([, after]) => after),
    'instructions',
  )} after, cycles ${sum(
    compared.map(([was]) => was),
    'cycles',
  )} and ${sum(
    compared.map(([, after]) => after),
    'cycles',
  )}.`,
  '',
  ...(changed.length === 0
    ? []
    : [
        markdownTable(
          ['network', 'preset', 'instructions', 'after', 'cycles', 'after', 'outputs'],
          changed.map(([was, after]) => [
            was.network,
            was.preset,
            ...[was.instructions, after.instructions, was.cycles, after.cycles].map((each) => each.toLocaleString('en')),
            was.outputs === after.outputs ? 'the same' : 'OTHERS',
          ]),
        ),
        '',
      ]),
].join('\n');
process.stdout.write(text);
if (networks.length === subjectNames().length) {
  if (before.length > 0) writeResult('programs.md', text);
  writeResult('programs.json', `${JSON.stringify(measured, null, 1)}\n`);
}
