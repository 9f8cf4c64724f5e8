/**
 * `npm run bench:timing`: executed instructions that are timed in a second of this computer, addresses included, against the plain writing of the
 * rules of `docs/timing.md`. Writes benchmarks/results/timing-speed.md. Networks from outside are in the table where `PLUMBLINE_REAL_DATA` names
 * their folder.
 */
import { findModel, loadGraph } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { importOnnx } from '../compiler/frontend/import.ts';
import type { Graph } from '../compiler/ir/graph.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { portElementCount } from '../isa/program.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { runObserved, timeAddresses, timingModelOf } from '../runtime/evaluate/throughput.ts';
import { traceAddresses } from '../runtime/machine/addresses.ts';
import { Machine } from '../runtime/machine/machine.ts';
import type { Step } from '../runtime/machine/observer.ts';
import { readFile } from '../runtime/platform/node.ts';
import { plainTimes } from '../test/support/plain-timing.ts';
import { FLOAT_NETWORKS, markdownTable, outsideModel, publish } from './report.ts';

const BATCH = 16;
/** Each figure is of the fastest run: other work on the computer only slows. */
const RUNS = 30;
/** The plain reference looks at all earlier instructions for each, so it is given the first ones only, which favours it. */
const PLAIN_STEPS = 4000;
const target = loadTarget('cambricon');

function fastest(runs: number, run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

const millions = (count: number, seconds: number): string => (count / seconds / 1e6).toFixed(count / seconds < 1e6 ? 3 : 1);

function measure(name: string, batch: number, graph: Graph): string[] {
  const { program } = compileModel(graph, { target, passes: parsePipeline('O1') });
  const machine = new Machine(program, target);
  for (const port of program.inputs) machine.writeInput(port.name, new Float32Array(portElementCount(port)).fill(0.5));
  const start = performance.now();
  const { activity, cycles } = runObserved(machine);
  const observed = (performance.now() - start) / 1000;
  const report = timeAddresses(machine);
  if (report?.cycles !== cycles) throw new Error(`${name}: ${report?.cycles ?? 'no'} cycles by addresses, ${cycles} by a run`);
  const count = activity.instructions;
  const first: Step[] = [];
  traceAddresses(machine, {
    step: ({ pc, instruction, accesses }) => {
      const copies = accesses.map((access) => ({ ...access }));
      if (first.length < PLAIN_STEPS) first.push({ pc, instruction, accesses: copies, registers: machine.registers, taken: false });
    },
  });
  const whole = fastest(RUNS, () => timeAddresses(machine));
  const addresses = fastest(RUNS, () => traceAddresses(machine, { step: () => undefined }));
  const model = fastest(RUNS, () => {
    const timing = timingModelOf(program, target);
    for (const step of first) timing.step(step);
    timing.report();
  });
  const plain = fastest(2, () => plainTimes(first, target));
  process.stderr.write(`${name} done\n`);
  const figures = [millions(count, observed), millions(count, whole), millions(count, addresses), millions(first.length, plain)];
  return [name, String(batch), count.toLocaleString('en'), ...figures, Math.round(plain / model).toLocaleString('en')];
}

const rows = FLOAT_NETWORKS.map((model) => measure(model, BATCH, loadGraph(findModel(model), { batch: BATCH })));
const path = outsideModel('mobilenet-v2-1.0-224');
if (path !== undefined) rows.push(measure('MobileNet-v2 1.0', 1, importOnnx(readFile(path))));
const text = [
  '# Speed of the timing model',
  '',
  'Printed by `npm run bench:timing`: f32 on `cambricon`. Millions of executed instructions a second: of the first run that computes values and is watched; timed by their',
  'addresses alone, from the program to the report; of the addresses in this, which are resolved and checked; of the plain second writing of the rules that the tests compare',
  `with, on the first ${PLAIN_STEPS.toLocaleString('en')} instructions. The last column is how many times faster than it the model takes the same instructions. They are of one computer.`,
  '',
  markdownTable(['network', 'batch', 'executed', 'watched run', 'by addresses', 'addresses alone', 'plain rules', 'faster'], rows),
  '',
].join('\n');
publish('timing-speed.md', text);
