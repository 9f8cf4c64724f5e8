/** Every network of the zoo, whole: both engines leave the same memory, and the fast one leaves nothing to the plain one. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { CountingMachine, expectSameState } from '../support/engines.ts';
import { loadTarget } from '../support/targets.ts';

const IMAGES = 3;

describe('networks of the zoo', () => {
  it.each([
    ['lenet-300-100', 'cambricon-base'],
    ...['lenet-300-100', 'lenet-5', 'alexnet', 'vgg', 'googlenet', 'squeezenet', 'resnet', 'mobilenet', 'inception-v3'].map(
      (model) => [model, 'cambricon'] as const,
    ),
  ] as const)('%s on %s', async (model, targetName) => {
    const target = loadTarget(targetName);
    const source = findModel(model);
    const { program } = compileModel(loadGraph(source, {}), { target, passes: parsePipeline('O1') });
    const dataset = await zooDataset(source.zoo?.dataset ?? '');
    const plain = new Machine(program, target);
    const fast = new CountingMachine(program, target);
    for (let i = 0; i < IMAGES; i++) {
      const { elements } = await dataset.read(i);
      for (const machine of [plain, fast]) {
        machine.reset();
        machine.writeInput(program.inputs[0]?.name ?? '', Float32Array.from(elements));
        machine.run();
      }
      expectSameState(fast, plain);
      expect(fast.executed).toBe(plain.executed);
    }
    expect(fast.entries).toBe(IMAGES);
  });
});
