/**
 * `npm run bench:engine`: wall time of one image on both engines, whose whole state is compared. Writes benchmarks/results/engine.md; with models
 * as arguments (`npx tsx benchmarks/engine.ts model.onnx`) it prints theirs only.
 */
import { findModel, loadGraph } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { SPACES } from '../isa/fields.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import type { EngineName } from '../runtime/engine/engine.ts';
import { createMachine } from '../runtime/engine/engine.ts';
import { graphMacs } from '../runtime/evaluate/work.ts';
import { portElementCount } from '../isa/program.ts';
import type { Machine } from '../runtime/machine/machine.ts';
import { monotonicSeconds } from '../runtime/platform/node.ts';
import { FLOAT_NETWORKS, markdownTable, writeResult } from './report.ts';

/** The best of this many runs counts. */
const RUNS = { fast: 40, reference: 5 } as const;

/** A machine after its runs, and the seconds of the fastest. */
function measure(engine: EngineName, start: () => Machine): { readonly machine: Machine; readonly seconds: number } {
  const machine = start();
  let seconds = Infinity;
  for (let i = 0; i < RUNS[engine]; i++) {
    machine.reset();
    for (const port of machine.program.inputs)
      machine.writeInput(
        port.name,
        Float32Array.from({ length: portElementCount(port) }, (_, at) => (at % 255) / 255),
      );
    const begin = monotonicSeconds();
    machine.run();
    seconds = Math.min(seconds, monotonicSeconds() - begin);
  }
  return { machine, seconds };
}

function row(model: string): string[] {
  const target = loadTarget('cambricon');
  const graph = loadGraph(findModel(model), {});
  const { program } = compileModel(graph, { target, passes: parsePipeline('O1') });
  const [reference, fast] = (['reference', 'fast'] as const).map((engine) => measure(engine, () => createMachine(engine, program, target)));
  if (reference === undefined || fast === undefined) throw new Error('both engines are measured');
  const equal = SPACES.every((space) => {
    const [expected, bytes] = [reference.machine, fast.machine].map((machine) => machine.dump(space, 0, machine.memory.layout.size[space]));
    return Buffer.compare(expected as Uint8Array, bytes as Uint8Array) === 0;
  });
  const macs = graphMacs(graph);
  return [
    model,
    String(fast.machine.executed),
    (macs / 1e6).toFixed(1),
    (1e3 * reference.seconds).toFixed(2),
    (1e3 * fast.seconds).toFixed(2),
    (reference.seconds / fast.seconds).toFixed(0),
    (macs / fast.seconds / 1e9).toFixed(1),
    equal ? 'yes' : 'NO',
  ];
}

const models = process.argv.slice(2);
const header = ['model', 'instructions', 'MMAC', 'reference, ms', 'fast, ms', 'times', 'fast, GMAC/s', 'equal memory'];
const text = [
  '# Speed of the engines',
  '',
  'Printed by `npm run bench:engine`: f32 on `cambricon`, one image, one core, the best of several runs. "equal memory" says whether both engines left the same bytes',
  'in DRAM and scratchpads. Other computers, and busy ones, are slower or faster; the ratio is what counts.',
  '',
  markdownTable(header, (models.length > 0 ? models : FLOAT_NETWORKS).map(row)),
  '',
].join('\n');
if (models.length === 0) writeResult('engine.md', text);
process.stdout.write(text);
