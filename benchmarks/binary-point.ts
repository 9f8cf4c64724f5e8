/**
 * `npm run bench:binary-point`: which global binary point 16-bit fixed point should have, measured on the calibration images, which are not the
 * test images. Writes benchmarks/results/binary-point.md; the value stands in isa/targets/cambricon-base.json.
 */
import { findModel, loadGraph } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { zooDataset } from '../compiler/cli/zoo.ts';
import { evaluateGraph } from '../compiler/ir/evaluate.ts';
import { floats, tensor } from '../compiler/ir/tensor.ts';
import { tensorType } from '../compiler/ir/types.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { argmax } from '../runtime/evaluate/metrics.ts';
import { FastMachine } from '../runtime/engine/fast-machine.ts';
import { markdownTable, publish } from './report.ts';

const base = loadTarget('cambricon-base');
const imported = loadGraph(findModel('lenet-300-100'), { batch: 1 });
const dataset = await zooDataset('fashion-mnist', 'calibration');
const passes = parsePipeline('O1');

const { legal } = compileModel(imported, { target: loadTarget('cambricon'), passes });
const reference: Float32Array[] = [];
let largest = 0;
for (let i = 0; i < dataset.samples; i++) {
  const values = evaluateGraph(legal, new Map([['image', tensor(tensorType('f32', [1, 1, 28, 28]), (await dataset.read(i)).elements)]]), {
    keep: 'all',
  });
  for (const node of legal.ops)
    for (const value of floats(values.get(node.name) ?? tensor(tensorType('f32', [0]), new Float32Array())))
      largest = Math.max(largest, Math.abs(value));
  reference.push(floats(values.get(legal.outputs[0]?.value ?? '') ?? tensor(tensorType('f32', [0]), new Float32Array())));
}

const rows: string[][] = [];
for (let fraction = 5; fraction <= 15; fraction++) {
  const target = { ...base, fractionBits: fraction };
  const { program } = compileModel(imported, { target, passes });
  const machine = new FastMachine(program, target);
  let [right, agree, signal, noise] = [0, 0, 0, 0];
  for (let i = 0; i < dataset.samples; i++) {
    machine.reset();
    machine.writeInput('image', (await dataset.read(i)).elements);
    machine.run();
    const logits = machine.readOutput('logits');
    const expected = reference[i] ?? new Float32Array();
    if (argmax(logits) === dataset.label(i)) right++;
    if (argmax(logits) === argmax(expected)) agree++;
    expected.forEach((value, c) => {
      signal += value * value;
      noise += (value - (logits[c] ?? 0)) ** 2;
    });
  }
  const share = (count: number): string => `${((100 * count) / dataset.samples).toFixed(2)} %`;
  const decibels = (10 * Math.log10(signal / noise)).toFixed(1);
  rows.push([String(fraction), `±${2 ** (15 - fraction)}`, `2^-${fraction}`, share(right), share(agree), decibels]);
}
const float = reference.filter((logits, i) => argmax(logits) === dataset.label(i)).length / dataset.samples;
const text = [
  '# The binary point of cambricon-base',
  '',
  `Printed by \`npm run bench:binary-point\`: lenet-300-100 on the ${dataset.samples} calibration images, which come from the training set. In f32 ${(100 * float).toFixed(2)} % are right, and the`,
  `largest magnitude of any value that an op computes is ${largest.toFixed(2)}. SQNR is that of the logits against f32; higher is better.`,
  '',
  markdownTable(['fraction bits', 'range', 'step', 'top-1', 'same class as f32', 'SQNR dB'], rows),
  '',
].join('\n');
publish('binary-point.md', text);
