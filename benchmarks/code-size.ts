/**
 * `npm run bench:code-size`: instructions that a program has and executes, and how little they depend on the size of images and batches. Writes
 * benchmarks/results/code-size.md. Networks from outside are in the table where `PLUMBLINE_REAL_DATA` names their folder.
 */
import { importOnnx } from '../compiler/frontend/import.ts';
import { findModel } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { instructionCount, portElementCount } from '../isa/program.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { FastMachine } from '../runtime/engine/fast-machine.ts';
import { readFile } from '../runtime/platform/node.ts';
import { upToLast } from '../test/support/cut-onnx.ts';
import { FLOAT_NETWORKS, markdownTable, outsideModel, publish } from './report.ts';

/** Those that take images of any size, because they end in a pooling over all positions. */
const ANY_SIZE = new Set<string>(['googlenet', 'squeezenet', 'resnet', 'mobilenet', 'inception-v3']);
const target = loadTarget('cambricon');

function count(name: string, bytes: Uint8Array, shape: readonly number[]): string[] {
  const graph = importOnnx(bytes);
  const [input] = graph.inputs;
  if (!input) throw new Error(`${name} has no input`);
  const bound = importOnnx(bytes, { shapes: { [input.name]: shape } });
  const { program } = compileModel(bound, { target, passes: parsePipeline('O1') });
  const machine = new FastMachine(program, target);
  for (const port of program.inputs) machine.writeInput(port.name, new Float32Array(portElementCount(port)).fill(0.5));
  const executed = machine.run().instructions;
  process.stderr.write(`${name} ${shape.join('x')} done\n`);
  return [name, shape.join('×'), instructionCount(program).toLocaleString('en'), executed.toLocaleString('en')];
}

const rows = FLOAT_NETWORKS.flatMap((model) => {
  const bytes = readFile(findModel(model).path);
  return [[1, 1, 28, 28], [16, 1, 28, 28], ...(ANY_SIZE.has(model) ? [[1, 1, 56, 56]] : [])].map((shape) => count(model, bytes, shape));
});
const OUTSIDE = [
  ['ResNet-8 (MLPerf Tiny)', 'mlperf-tiny-resnet8-cifar10', [1, 3, 32, 32]],
  ['MobileNet-v1 0.25', 'mobilenet-v1-0.25-128', [1, 3, 128, 128]],
  ['MobileNet-v2 1.0', 'mobilenet-v2-1.0-224', [1, 3, 224, 224]],
] as const;
for (const [name, file, shape] of OUTSIDE) {
  const path = outsideModel(file);
  if (path !== undefined) rows.push(count(name, readFile(path), shape));
}
const v2 = outsideModel('mobilenet-v2-1.0-224');
const pooled = v2 === undefined ? undefined : upToLast('AveragePool', readFile(v2));
if (pooled) for (const side of [224, 448]) rows.push(count('MobileNet-v2 1.0, up to its last pooling', pooled, [1, 3, side, side]));
const text = [
  '# Size of the code',
  '',
  'Printed by `npm run bench:code-size`: f32 on `cambricon`. Loops are loops, so a larger image or batch is more trips around them, not more code; a layer whose images do not',
  'fit the scratchpad at once has a loop over tiles more.',
  '',
  markdownTable(['network', 'input', 'instructions', 'executed'], rows),
  '',
].join('\n');
publish('code-size.md', text);
