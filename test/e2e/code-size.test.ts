import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import type { Compilation } from '../../compiler/pipeline.ts';
import { decodeProgram } from '../../isa/codec.ts';
import { encodeContainer } from '../../isa/container.ts';
import { instructionCount } from '../../isa/program.ts';
import { extensionsOf, recordOf } from '../../isa/table.ts';
import { targetHash } from '../../isa/target.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { loadTarget } from '../support/targets.ts';

function compiled(model: string, batch: number, target: 'cambricon' | 'cambricon-base' = 'cambricon'): Compilation {
  return compileModel(loadGraph(findModel(model), { batch }), { target: loadTarget(target), passes: parsePipeline('O1') });
}

describe('static instructions', () => {
  it.each([
    ['lenet-5', 200],
    ['lenet-300-100', 60],
    ['vgg', 500],
  ])('%s: at most %i, and hardly more at batch 16', (model, limit) => {
    const one = instructionCount(compiled(model, 1).program);
    expect(one).toBeLessThanOrEqual(limit);
    expect(instructionCount(compiled(model, 16).program)).toBeLessThanOrEqual(1.2 * one + 40);
  });

  it.each(['googlenet', 'squeezenet', 'resnet', 'mobilenet', 'inception-v3'])('%s: hardly more for images of 56×56', (model) => {
    const large = compileModel(loadGraph(findModel(model), { shape: { image: [1, 1, 56, 56] } }), {
      target: loadTarget('cambricon'),
      passes: parsePipeline('O1'),
    });
    expect(instructionCount(large.program)).toBeLessThanOrEqual(1.2 * instructionCount(compiled(model, 1).program) + 40);
  });

  it('lenet-300-100 on cambricon-base uses published instructions only', () => {
    const { program } = compiled('lenet-300-100', 1, 'cambricon-base');
    for (const instruction of decodeProgram(program.code)) {
      if ('reason' in instruction) throw new Error(instruction.reason);
      expect(recordOf(instruction.mnemonic).extension).toBe('base');
      expect(extensionsOf(instruction)).toEqual([]);
    }
  });

  it('compiles to the same bytes every time', () => {
    const bytes = (): Buffer =>
      Buffer.from(encodeContainer(compiled('lenet-5', 1).program, { targetHash: targetHash(loadTarget('cambricon')), producer: 'test' }));
    expect(bytes().equals(bytes())).toBe(true);
  });
});

describe('activations in DRAM', () => {
  it.each(['alexnet', 'vgg', 'googlenet', 'squeezenet', 'resnet', 'mobilenet', 'inception-v3'])(
    '%s: hardly more than what lives at once',
    (model) => {
      const { peakBytes, liveBytes } = compiled(model, 1).memory.activations;
      expect(liveBytes).toBeGreaterThan(0);
      expect(peakBytes).toBeLessThanOrEqual(1.15 * liveBytes);
    },
  );
});
