/** The networks that ship, on real images: the reference evaluator against onnxruntime. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph, readOnnx } from '../../compiler/cli/model.ts';
import { zoo, zooDataset } from '../../compiler/cli/zoo.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { floats, tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { effort } from '../support/effort.ts';
import { createOracle } from '../support/ort.ts';

const IMAGES = effort(5, 20);
/** Of the range of an image's outputs: both sides round every term, in different orders, layer after layer. */
const TOLERANCE = 1e-5;

/** The network as a graph, or why it cannot be imported. */
function imported(model: string): Graph | string {
  try {
    return loadGraph(findModel(model), { batch: 1 });
  } catch (error) {
    if (error instanceof DiagnosticError && error.diagnostics.every(({ kind }) => kind === 'unsupported')) return error.message;
    throw error;
  }
}

describe('networks that ship', () => {
  it.each(Object.entries(zoo().models))('%s', async (name, { dataset, input }) => {
    const graph = imported(name);
    // Which these are stands in the list of test/conformance.
    if (typeof graph === 'string') return expect(graph).toMatch(/operators are .*supported/);
    const images = await zooDataset(dataset);
    const oracle = await createOracle(readOnnx(findModel(name)));
    for (let i = 0; i < IMAGES; i++) {
      const x = tensor(imageType(graph), (await images.read(i)).elements);
      const values = evaluateGraph(graph, new Map([[input, x]]));
      const outputs = await oracle.run({ [input]: { type: 'float32', dims: x.type.shape, data: floats(x) } });
      for (const { name: output, value } of graph.outputs) {
        const [actual, wanted] = [values.get(value)?.data ?? [], outputs[output]?.data as Float32Array];
        const range = Math.max(...wanted) - Math.min(...wanted);
        const distance = Math.max(...wanted.map((y, k) => Math.abs(Number(actual[k]) - y)));
        expect(distance / range, `output ${output} of image ${i}`).toBeLessThan(TOLERANCE);
      }
    }
    await oracle.release();
  });
});

function imageType(graph: Graph): TensorType {
  const [image] = graph.inputs;
  if (!image) throw new Error(`${graph.name} has no input`);
  return image.type;
}
