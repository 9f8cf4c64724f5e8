/** Exported models mean what the graph means: to our importer bit for bit, to onnxruntime within rounding, at every stage. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { exportOnnx } from '../../compiler/frontend/export.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { OP_NAMES } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { dataBytes, floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { checkGraph } from '../../compiler/ir/verify.ts';
import { compileModel, legalize } from '../../compiler/pipeline.ts';
import { runPipeline } from '../../passes/manager.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { graphs, randomInputs } from '../support/arbitraries.ts';
import { evaluatedCalibration } from '../support/calibration.ts';
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

  it.each(['f16', 'bf16', 'f8e4m3', 'f8e5m2', 'fixed16', 'int8', 'int8-naive'])(
    'in %s has the names of the model, and its scores',
    async (preset) => {
      const imported = loadGraph(findModel('lenet-5'), { batch: 1 });
      const data = await zooDataset('fashion-mnist');
      const inputs = new Map([['image', tensor(tensorType('f32', [1, 1, 28, 28]), (await data.read(0)).elements)]]);
      const calibration = evaluatedCalibration([inputs]);
      const { legal } = compileModel(imported, {
        target: loadTarget('cambricon'),
        passes: parsePipeline(preset),
        pipeline: { calibration },
      });
      const wanted = floats(outputsOf(legal, inputs).get('logits') ?? tensor(tensorType('f32', [0]), new Float32Array()));
      const actual = floats((await runOrt(exportOnnx(legal), inputs)).get('logits') ?? tensor(tensorType('f32', [0]), new Float32Array()));
      // Steps of the types are rounded the other way here and there, which goes on through the network.
      const noise = wanted.reduce((sum, x, i) => sum + (x - (actual[i] ?? NaN)) ** 2, 0);
      expect(noise).toBeLessThanOrEqual(1e-4 * wanted.reduce((sum, x) => sum + x * x, 0));
    },
  );

  describe('has the names of the model', () => {
    const cases: Readonly<Record<string, (builder: GraphBuilder, x: string) => void>> = {
      'where an output is an input': (builder, x) => builder.output(x, x),
      'where an output has the name of a value inside': (builder, x) => {
        const inside = builder.op('relu', [x], {}, { name: 'y' });
        builder.output('y', builder.op('tanh', [inside], {}, { name: 'z' }));
      },
      'where outputs exchange names': (builder, x) => {
        const a = builder.op('relu', [x], {}, { name: 'a' });
        builder.output('a', builder.op('tanh', [a], {}, { name: 'b' }));
        builder.output('b', a);
      },
      'where two outputs are one value': (builder, x) => {
        const a = builder.op('relu', [x]);
        builder.output('one:0', a);
        builder.output('two:0', a);
      },
      'where an output is a constant': (builder) =>
        builder.output('c', builder.constant('k', tensor(tensorType('f32', [2]), Float32Array.of(1, -2)))),
      'where an output is an image': (builder, x) => {
        const images = builder.op('reshape', [x], { shape: [1, 2, 2, 2] });
        builder.output('image', builder.op('max-pool', [images], { kernel: [1, 1] }, { name: 'image' }));
      },
    };
    it.each(Object.entries(cases))('%s', async (_, build) => {
      const builder = new GraphBuilder('net');
      const x = builder.input('serving_default_x:0', tensorType('f32', [2, 4]));
      build(builder, x);
      const imported = checkGraph(builder.build());
      const inputs = new Map([[x, tensor(tensorType('f32', [2, 4]), Float32Array.of(1, -2, 3, 0.5, -0.25, 6, 7, -8))]]);
      for (const graph of [imported, legalize(imported, loadTarget('cambricon'))]) {
        const bytes = exportOnnx(graph);
        const [wanted, theirs, back] = [outputsOf(imported, inputs), await runOrt(bytes, inputs), importOnnx(bytes)];
        expect(back.inputs.map(({ name }) => name)).toEqual([x]);
        expect(back.outputs.map(({ name }) => name)).toEqual([...wanted.keys()]);
        for (const [name, value] of wanted) {
          expect(theirs.get(name)?.type.shape, name).toEqual(value.type.shape);
          for (const [i, element] of floats(theirs.get(name) ?? value).entries()) expect(element).toBeCloseTo(floats(value)[i] ?? NaN, 6);
        }
      }
    });
  });
});
