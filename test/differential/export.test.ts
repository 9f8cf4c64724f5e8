/** Exported models mean what the graph means: to our importer bit for bit, to onnxruntime within rounding, at every stage. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { exportOnnx } from '../../compiler/frontend/export.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { OP_NAMES } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { dataBytes, floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { legalize } from '../../compiler/pipeline.ts';
import { runPipeline } from '../../passes/manager.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { graphs, randomInputs } from '../support/arbitraries.ts';
import { runOrt } from '../support/ort.ts';
import { loadTarget } from '../support/targets.ts';

const NETWORKS = ['lenet-300-100', 'lenet-5', 'alexnet', 'vgg', 'googlenet', 'squeezenet', 'resnet', 'mobilenet', 'inception-v3'];
const TOLERANCE = 1e-5;
const IMAGES = 2;

function outputsOf(graph: Graph, inputs: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const values = evaluateGraph(graph, inputs);
  return new Map(
    graph.outputs.map(({ name, value }) => {
      const found = values.get(value);
      if (!found) throw new Error(`no value of output ${name}`);
      return [name, found];
    }),
  );
}

describe('an exported model', () => {
  it('is the same bytes every time', () => {
    const graph = loadGraph(findModel('resnet'), { batch: 1 });
    expect(Buffer.from(exportOnnx(graph)).equals(Buffer.from(exportOnnx(graph)))).toBe(true);
  });

  it('comes back as a graph with the same values, bit for bit', () => {
    const ops = OP_NAMES.filter((op) => !['quantize', 'dequantize', 'requantize'].includes(op));
    let exported = 0;
    fc.assert(
      fc.property(graphs({ ops, elements: ['f32', 'f32', 'f16', 'bf16', 'f8e4m3', 'f8e5m2'] }), (graph) => {
        const inputs = randomInputs(graph, 7);
        let bytes: Uint8Array;
        try {
          bytes = exportOnnx(graph);
        } catch (error) {
          // What ONNX cannot say is refused: an output that has another value's name.
          expect(error).toBeInstanceOf(DiagnosticError);
          return;
        }
        exported++;
        const [before, after] = [outputsOf(graph, inputs), outputsOf(importOnnx(bytes), inputs)];
        for (const [name, value] of before) {
          const back = after.get(name);
          expect(back && Buffer.from(dataBytes(back)).equals(Buffer.from(dataBytes(value))), name).toBe(true);
        }
      }),
      { numRuns: 150, seed: 20_160_618 },
    );
    expect(exported).toBeGreaterThan(75);
  });

  it.each(NETWORKS)('of %s gives at every stage what the evaluator gives', async (model) => {
    const imported = loadGraph(findModel(model), { batch: 1 });
    const optimized = runPipeline(imported, parsePipeline('O1')).graph;
    const halfway = runPipeline(imported, parsePipeline('simplify,fold-batch-norm')).graph;
    const legal = legalize(optimized.with({ stage: 'optimized' }), loadTarget('cambricon'));
    const data = await zooDataset('fashion-mnist');
    for (const graph of [imported, halfway, optimized, legal]) {
      const bytes = exportOnnx(graph);
      for (let i = 0; i < IMAGES; i++) {
        const inputs = new Map([['image', tensor(tensorType('f32', [1, 1, 28, 28]), (await data.read(i)).elements)]]);
        const wanted = outputsOf(graph, inputs).get('logits');
        const actual = (await runOrt(bytes, inputs)).get('logits');
        if (!wanted || !actual) throw new Error('there are no logits');
        const range = Math.max(...floats(wanted)) - Math.min(...floats(wanted));
        for (const [k, value] of floats(wanted).entries())
          expect(Math.abs(value - (floats(actual)[k] ?? NaN))).toBeLessThanOrEqual(TOLERANCE * range);
      }
    }
  });

  it('of fixed-point arithmetic is refused', () => {
    const graph = runPipeline(loadGraph(findModel('lenet-300-100'), { batch: 1 }), parsePipeline('O1,to-fixed-point{fraction=10}')).graph;
    expect(() => exportOnnx(graph)).toThrow(/no form in ONNX/);
  });
});
