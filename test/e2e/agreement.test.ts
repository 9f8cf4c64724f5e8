/** The main promise: compiled programs predict what onnxruntime predicts, and our three executors agree bit for bit. */
import { describe, expect, it } from 'vitest';
import { compare } from '../../benchmarks/compare.ts';
import { effort } from '../support/effort.ts';

const BIT_CHECKED = effort(2, 50);

describe('predictions equal onnxruntime', () => {
  it.each<{ model: string; samples: number; instructions: number }>([
    { model: 'lenet-300-100', samples: 10_000, instructions: 200 },
    { model: 'lenet-5', samples: effort(2_000, 10_000), instructions: 400 },
    // The benchmark of agreement takes more images.
    { model: 'vgg', samples: effort(100, 1_000), instructions: 800 },
    { model: 'alexnet', samples: effort(20, 100), instructions: 800 },
    { model: 'googlenet', samples: effort(20, 100), instructions: 1_200 },
    { model: 'squeezenet', samples: effort(20, 100), instructions: 800 },
    { model: 'resnet', samples: effort(20, 100), instructions: 1_400 },
    { model: 'mobilenet', samples: effort(20, 100), instructions: 1_000 },
    { model: 'inception-v3', samples: effort(20, 100), instructions: 1_200 },
  ])('$model on cambricon, $samples images', async ({ model, samples, instructions }) => {
    const result = await compare(model, 'cambricon', samples, BIT_CHECKED);
    expect(result.mismatches.length).toBeLessThanOrEqual(1);
    for (const { relativeMargin } of result.mismatches) expect(relativeMargin).toBeLessThan(1e-5);
    expect(result.bitEqual).toBe(result.bitChecked);
    expect(result.instructions).toBeLessThanOrEqual(instructions);
  });

  it('lenet-300-100 in 16-bit fixed point on cambricon-base loses at most half a point', async () => {
    const result = await compare('lenet-300-100', 'cambricon-base', effort(1_000, 10_000), BIT_CHECKED);
    expect(result.oracleTop1 - result.top1).toBeLessThanOrEqual(0.005);
    expect(result.bitEqual).toBe(result.bitChecked);
  });
});
