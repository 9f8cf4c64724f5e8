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
import { runObserved, timingModelOf } from '../runtime/evaluate/throughput.ts';
import { traceAddresses } from '../runtime/machine/addresses.ts';
import { Machine } from '../runtime/machine/machine.ts';
import type { Step } from '../runtime/machine/observer.ts';
import type { TimingModel } from '../runtime/machine/timing.ts';
import { readFile } from '../runtime/platform/node.ts';
import { plainTimes } from '../test/support/plain-timing.ts';
import { FLOAT_NETWORKS, markdownTable, outsideModel, publish } from './report.ts';

const BATCH = 16;
/** The network of 183 instructions, which are not enough to measure anything but the start: here it has this batch as well. */
const SMALL_NETWORK = 'lenet-300-100';
const LARGE_BATCH = 1024;
/** Each figure is of the fastest run: other work on the computer only slows. */
const RUNS = 100;
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
  const count = activity.instructions;
  const first: Step[] = [];
  traceAddresses(machine, {
    step: ({ pc, instruction, accesses }) => {
      const copies = accesses.map((access) => ({ ...access }));
      if (first.length < PLAIN_STEPS) first.push({ pc, instruction, accesses: copies, registers: machine.registers, taken: false });
    },
  });
  const timed = (skip: boolean): TimingModel => {
    const timing = timingModelOf(program, target, { skip });
    if (!traceAddresses(machine, timing) || timing.report().cycles !== cycles)
      throw new Error(`${name}: its addresses are not timed as a run`);
    return timing;
  };
  const { skipped } = timed(true);
  const whole = fastest(RUNS, () => timed(true));
  const oneByOne = fastest(RUNS / 2, () => timed(false));
  const addresses = fastest(RUNS, () => traceAddresses(machine, { step: () => undefined }));
  const model = fastest(RUNS, () => {
    const timing = timingModelOf(program, target, { skip: false });
    for (const step of first) timing.step(step);
    timing.report();
  });
  const plain = fastest(2, () => plainTimes(first, target));
  process.stderr.write(`${name} done\n`);
  const figures = [observed, whole, oneByOne, addresses].map((seconds) => millions(count, seconds));
  const share = `${((100 * skipped) / count).toFixed(0)} %`;
  const against = [millions(first.length, plain), Math.round(plain / model).toLocaleString('en')];
  const [run, ...byAddresses] = figures as [string, ...string[]];
  return [name, batch.toLocaleString('en'), count.toLocaleString('en'), run, ...byAddresses, share, (1000 * whole).toFixed(1), ...against];
}

const compiled = (model: string, batch: number): string[] => measure(model, batch, loadGraph(findModel(model), { batch }));
const rows = [...FLOAT_NETWORKS.map((model) => compiled(model, BATCH)), compiled(SMALL_NETWORK, LARGE_BATCH)];
const path = outsideModel('mobilenet-v2-1.0-224');
if (path !== undefined) rows.push(measure('MobileNet-v2 1.0', 1, importOnnx(readFile(path))));
const text = [
  '# Speed of the timing model',
  '',
  'Printed by `npm run bench:timing`: f32 on `cambricon`. Millions of executed instructions a second: of the first run that computes values and is watched; timed by their',
  'addresses alone, from the program to the report; the same where no turn of a loop is skipped; of the addresses in this, which are resolved and checked. Then the share of instructions',
  'in turns that were recognised as repetitions and skipped, and the milliseconds from program to report. The last two columns are the plain second writing of the rules that the tests',
  `compare with, on the first ${PLAIN_STEPS.toLocaleString('en')} instructions, and how many times faster than it the model takes the same instructions, none skipped. They are of one computer, which had other work too.`,
  '',
  `Each static instruction is looked up once, at its first execution. At batch ${BATCH} that is all there is to ${SMALL_NETWORK}; the row with a large batch shows its loops.`,
  '',
  markdownTable(
    [
      'network',
      'batch',
      'executed',
      'watched run',
      'by addresses',
      'none skipped',
      'addresses alone',
      'skipped',
      'ms',
      'plain rules',
      'faster',
    ],
    rows,
  ),
  '',
].join('\n');
publish('timing-speed.md', text);
