/**
 * Networks from outside against onnxruntime: outputs of compiled programs within 1e-4 of the range. The models are not part of the project; they are
 * looked for in `PLUMBLINE_REAL_DATA`, else beside the checkout, and the tests are skipped where there are none.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount } from '../../compiler/ir/types.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { instructionCount } from '../../isa/program.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { upToLast } from '../support/cut-onnx.ts';
import { createOracle } from '../support/ort.ts';
import { loadTarget } from '../support/targets.ts';
import { effort } from '../support/effort.ts';
import { outsideData } from '../support/outside-data.ts';

const { path: data, missing } = outsideData('real', 'PLUMBLINE_REAL_DATA');
const TOLERANCE = 1e-4;

/** Of each network. */
const SAMPLES = effort(3, 20);

/** `scale` is that of the inputs; static and executed instructions are held below what the README says. */
const MODELS = [
  { model: 'mlperf-tiny-resnet8-cifar10', samples: SAMPLES, scale: 255, instructions: 700, executed: 6_000 },
  { model: 'mlperf-tiny-dscnn-kws', samples: SAMPLES, scale: 1, instructions: 500, executed: 8_000 },
  { model: 'mobilenet-v1-0.25-128', samples: SAMPLES, scale: 1, instructions: 1_400, executed: 10_000 },
  { model: 'mobilenet-v2-1.0-224', samples: SAMPLES, scale: 1, instructions: 3_000, executed: 130_000 },
];

function image(count: number, seed: number, scale: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32) * scale;
  });
}

describe.skipIf(missing)('networks from outside', () => {
  it.each(MODELS)('$model', async ({ model, samples, scale, instructions, executed }) => {
    const bytes = readFileSync(join(data, 'models', `${model}.onnx`));
    const target = loadTarget('cambricon');
    const graph = importOnnx(bytes);
    const { program } = compileModel(graph, { target, passes: parsePipeline('O1') });
    expect(instructionCount(program)).toBeLessThanOrEqual(instructions);
    const machine = new Machine(program, target);
    const oracle = await createOracle(bytes);
    const [input, output] = [graph.inputs[0], graph.outputs[0]];
    if (!input || !output) throw new Error(`${model} has no input or output`);
    for (let i = 0; i < samples; i++) {
      const x = tensor(input.type, image(elementCount(input.type.shape), i + 1, scale));
      const wanted = await oracle.run({ [input.name]: { type: 'float32', dims: x.type.shape, data: floats(x) } });
      const expected = wanted[output.name]?.data as Float32Array;
      machine.reset();
      machine.writeInput(input.name, floats(x));
      expect(machine.run().instructions).toBeLessThanOrEqual(executed);
      const actual = machine.readOutput(output.name);
      const range = Math.max(...expected) - Math.min(...expected);
      const worst = expected.reduce((most, value, k) => Math.max(most, Math.abs(value - (actual[k] ?? NaN))), 0);
      expect(worst).toBeLessThanOrEqual(TOLERANCE * range);
    }
    await oracle.release();
  });

  it('MobileNet-v2 up to its last pooling is hardly more code for images of 448×448', () => {
    const bytes = upToLast('AveragePool', readFileSync(join(data, 'models', 'mobilenet-v2-1.0-224.onnx')));
    const [small, large] = [224, 448].map((size) => {
      const graph = importOnnx(bytes, { shapes: { input: [1, 3, size, size] } });
      return instructionCount(compileModel(graph, { target: loadTarget('cambricon'), passes: parsePipeline('O1') }).program);
    });
    expect(large).toBeLessThanOrEqual(1.2 * (small ?? 0) + 40);
  });
});
