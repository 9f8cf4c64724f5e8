/**
 * `npm run bench:cambricon`: the ten benchmark networks of the Cambricon paper in published instructions, executed on `cambricon-base`, checked,
 * timed, and counted by the paper's classes of instructions. Writes benchmarks/results/cambricon.md.
 */
import { loadTarget } from '../compiler/cli/target.ts';
import type { InstructionClass } from '../isa/fields.ts';
import { bytes, count, shares, si } from '../runtime/report/format.ts';
import type { Measurement, Mix } from './cambricon/measure.ts';
import { instructionsOf, measure } from './cambricon/measure.ts';
import { NETWORK_NAMES } from './cambricon/networks.ts';
import { markdownTable, publish } from './report.ts';

/** ISCA 2016: the mean shares of the classes over the ten networks, in percent. */
const PUBLISHED: Mix = { transfer: 38.0, control: 4.8, matrix: 12.6, vector: 33.8, scalar: 10.9 };
/** In the order of the paper. */
const CLASSES = Object.keys(PUBLISHED) as readonly InstructionClass[];

function checkRow({ name, network, outputs }: Measurement): string[] {
  const elements = outputs.reduce((sum, { values }) => sum + values.length, 0);
  const differing = outputs.reduce((sum, output) => sum + output.differing, 0);
  const error = Math.max(...outputs.map((output) => output.error));
  return [name, network.shape, network.phase, count(elements), count(differing), network.sampled ? '-' : error.toFixed(4)];
}

function costRow({ name, static: inProgram, body, dynamic, macs, cycles, joules, dramBytes }: Measurement): string[] {
  const counts = [inProgram, body, dynamic].map((mix) => count(instructionsOf(mix)));
  return [name, ...counts, count(macs), count(cycles), bytes(dramBytes), si(joules, 'J')];
}

const decimals = (percents: readonly number[]): string[] => percents.map((percent) => percent.toFixed(1));

/** Shares of the classes for each network, and their means. */
function mixTable(measurements: readonly Measurement[], kind: 'static' | 'body' | 'dynamic'): string {
  const rows = measurements.map(({ name, [kind]: mix }) => {
    const counts = CLASSES.map((each) => mix[each]);
    return { name, counts, percents: counts.map((each) => (100 * each) / instructionsOf(mix)) };
  });
  const column = (i: number): number[] => rows.map(({ percents }) => percents[i] ?? 0);
  const arithmetic = CLASSES.map((_, i) => column(i).reduce((sum, percent) => sum + percent, 0) / rows.length);
  const geometric = CLASSES.map((_, i) => {
    const present = column(i).filter((percent) => percent > 0);
    return Math.exp(present.reduce((sum, percent) => sum + Math.log(percent), 0) / present.length);
  });
  return markdownTable(
    ['%', ...CLASSES],
    [
      ...rows.map(({ name, counts }) => [name, ...decimals(shares(counts))]),
      ['**arithmetic mean**', ...decimals(arithmetic)],
      ['geometric mean where not 0', ...decimals(geometric)],
      ['**published**', ...decimals(CLASSES.map((each) => PUBLISHED[each]))],
    ],
  );
}

const target = loadTarget('cambricon-base');
const measurements = NETWORK_NAMES.map((name) => measure(name, target));
const text = `# The ten networks of the Cambricon paper

Printed by \`npm run bench:cambricon\`: the benchmark networks of Liu et al., *Cambricon: An Instruction Set Architecture for Neural Networks* (ISCA 2016), written by hand in
published instructions (\`benchmarks/cambricon/*.casm\`), verified and executed on \`cambricon-base\`. \`plumbline asm FILE --target cambricon-base -o x.cam\` assembles them too, but a
program from there has no inputs and no constants; this benchmark adds them by the memory map at the head of each file.

## What runs

Shapes are the paper's. Weights and data are random: counts do not depend on them, but for the winners of \`som\` and the number of updates of \`hopfield\`. "differ" counts elements of
outputs that are not, bit for bit, those of a reference in the same fixed point; "error" is the largest distance of an output from the same reference in double precision. It is not
given where units are compared with random numbers, because the last bit of a probability may change all that follows.

${markdownTable(['network', 'shape', 'what runs', 'output elements', 'differ', 'error'], measurements.map(checkRow))}

## What it costs

Cycles are those of the timing model ([docs/timing.md](../../docs/timing.md)) and energy is priced by the table of the target, from data in main memory to results in main memory. The
paper gives speedups over other machines and no cycles, so there is nothing to compare them with. "body" is the code without the instructions at its beginning that only set registers.

${markdownTable(['network', 'instructions', 'body', 'executed', 'MACs', 'cycles', 'DRAM', 'energy'], measurements.map(costRow))}

## Which instructions

The paper prints mean shares of five classes, which stand in the last line of each table; moves of scalars are data transfer there and here, comparisons and logic belong to vector and
scalar (the shares, and that they are geometric means, are recalled from the paper and not verified). Whether instructions of the code or executed ones are counted is not known to us,
so here are both. The published shares add up to 100.1 %, as those of an arithmetic mean do; shares of geometric means add up to less where networks differ. So both means are here too.

### Executed

${mixTable(measurements, 'dynamic')}

### In the code

${mixTable(measurements, 'static')}

### In the code, registers set

The code fragments of the paper take addresses and sizes in registers for granted. Its perceptron has 8 instructions, 3 transfers, 1 matrix and 4 vector instructions: 37.5, 12.5 and
50 %. Counted like that, from the label \`body\` on:

${mixTable(measurements, 'body')}

## Where ours differ, and why

- **Transfer** in the code is above the published share with the setting of registers and below it without: each operand here has an address and a register of its own, and weights
  are loaded once where a scratchpad holds them. How the paper's programs set registers is not printed.
- **Scalar and control**, executed, are above: \`cnn\` gathers each window of a convolution row by row, \`som\` looks at each neuron, and \`hopfield\` tests for an end, in loops of a few
  instructions. Published instructions have no strided access, so a window takes five moves with their address arithmetic. In the code, where a loop counts once, control is near the
  published share.
- **Vector** is near the published share among executed instructions, and with registers set above it: a hyperbolic tangent and a softmax are put together from exponentials, sums and
  divisions, so \`lstm\` and \`rnn\` are mostly vector instructions. No published instruction does either at once.
- **Matrix** is a little below: a layer takes one product, whatever its size, and all else that it needs is vector instructions.
- \`autoencoder\`, \`sparse-autoencoder\`, \`rbm\` and \`som\` run a step of training, where outer products and updates of weights are; the paper does not say which phases it counts.
- The published code is 43 instructions without a list; the ones here are those of [docs/isa.md](../../docs/isa.md).
`;
publish('cambricon.md', text);
