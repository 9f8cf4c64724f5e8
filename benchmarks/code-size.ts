/**
 * `npm run bench:code-size`: instructions that a program has and executes, and how little they depend on the size of images and batches. Writes
 * benchmarks/results/code-size.md. Networks from outside are in the table where `PLUMBLINE_REAL_DATA` names their folder.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { importOnnx } from '../compiler/frontend/import.ts';
import { findModel } from '../compiler/cli/model.ts';
import { loadTarget } from '../compiler/cli/target.ts';
import { compileModel } from '../compiler/pipeline.ts';
import { instructionCount, portElementCount } from '../isa/program.ts';
import { parsePipeline } from '../passes/pipeline-text.ts';
import { Machine } from '../runtime/machine/machine.ts';
import { readFile, writeFile } from '../runtime/platform/node.ts';
import { upToLast } from '../test/support/cut-onnx.ts';

const ZOO = ['lenet-300-100', 'lenet-5', 'alexnet', 'vgg', 'googlenet', 'squeezenet', 'resnet', 'mobilenet', 'inception-v3'];
/** Those that take images of any size, because they end in a pooling over all positions. */
const ANY_SIZE = new Set(['googlenet', 'squeezenet', 'resnet', 'mobilenet', 'inception-v3']);
const target = loadTarget('cambricon');

function count(name: string, bytes: Uint8Array, shape: readonly number[]): string {
  const graph = importOnnx(bytes);
  const [input] = graph.inputs;
  if (!input) throw new Error(`${name} has no input`);
  const bound = importOnnx(bytes, { shapes: { [input.name]: shape } });
  const { program } = compileModel(bound, { target, passes: parsePipeline('O1') });
  const machine = new Machine(program, target);
  for (const port of program.inputs) machine.writeInput(port.name, new Float32Array(portElementCount(port)).fill(0.5));
  const executed = machine.run().instructions;
  process.stderr.write(`${name} ${shape.join('x')} done\n`);
  return `| ${[name, shape.join('×'), instructionCount(program), executed.toLocaleString('en')].join(' | ')} |`;
}

const rows = ZOO.flatMap((model) => {
  const bytes = readFile(findModel(model).path);
  return [[1, 1, 28, 28], [16, 1, 28, 28], ...(ANY_SIZE.has(model) ? [[1, 1, 56, 56]] : [])].map((shape) => count(model, bytes, shape));
});
const folder = join(process.env.PLUMBLINE_REAL_DATA ?? '', 'models');
if (process.env.PLUMBLINE_REAL_DATA !== undefined && existsSync(folder)) {
  const read = (name: string): Uint8Array => readFile(join(folder, `${name}.onnx`));
  const v2 = read('mobilenet-v2-1.0-224');
  const pooled = upToLast('AveragePool', v2);
  rows.push(
    count('ResNet-8 (MLPerf Tiny)', read('mlperf-tiny-resnet8-cifar10'), [1, 3, 32, 32]),
    count('MobileNet-v1 0.25', read('mobilenet-v1-0.25-128'), [1, 3, 128, 128]),
    count('MobileNet-v2 1.0', v2, [1, 3, 224, 224]),
    count('MobileNet-v2 1.0, up to its last pooling', pooled, [1, 3, 224, 224]),
    count('MobileNet-v2 1.0, up to its last pooling', pooled, [1, 3, 448, 448]),
  );
}
const text = [
  '# Size of the code',
  '',
  'Printed by `npm run bench:code-size`: f32 on `cambricon`. Loops are loops, so a larger image or batch is more trips around them, not more code; a layer whose images do not',
  'fit the scratchpad at once has a loop over tiles more.',
  '',
  '| network | input | instructions | executed |',
  '| --- | --- | --- | --- |',
  ...rows,
  '',
].join('\n');
writeFile(new URL('results/code-size.md', import.meta.url).pathname, text);
process.stdout.write(text);
