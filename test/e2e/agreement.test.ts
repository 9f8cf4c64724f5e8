/** The main promise, on all images: compiled programs predict what onnxruntime predicts, and our three executors agree bit for bit. */
import { describe, expect, it } from 'vitest';
import { compare, countAgreeing } from '../../benchmarks/compare.ts';
import { FLOAT_NETWORKS, REDUCED_PRESETS } from '../../benchmarks/report.ts';

const BIT_CHECKED = 50;

describe('predictions equal onnxruntime', () => {
  it.each<{ model: string; samples: number; instructions: number }>([
    { model: 'lenet-300-100', samples: 10_000, instructions: 200 },
    { model: 'lenet-5', samples: 10_000, instructions: 400 },
    { model: 'vgg', samples: 1_000, instructions: 800 },
    // The benchmark of agreement takes more images.
    { model: 'alexnet', samples: 100, instructions: 800 },
    { model: 'googlenet', samples: 100, instructions: 1_200 },
    { model: 'squeezenet', samples: 100, instructions: 800 },
    { model: 'resnet', samples: 100, instructions: 1_400 },
    { model: 'mobilenet', samples: 100, instructions: 1_000 },
    { model: 'inception-v3', samples: 100, instructions: 1_200 },
  ])(
    '$model on cambricon, $samples images',
    async ({ model, samples, instructions }) => {
      const result = await compare(model, 'cambricon', samples, BIT_CHECKED);
      expect(result.mismatches.length).toBeLessThanOrEqual(1);
      for (const { relativeMargin } of result.mismatches) expect(relativeMargin).toBeLessThan(1e-5);
      expect(result.bitEqual).toBe(result.bitChecked);
      expect(result.instructions).toBeLessThanOrEqual(instructions);
    },
    300_000,
  );

  it('lenet-300-100 in 16-bit fixed point on cambricon-base loses at most half a point', async () => {
    const result = await compare('lenet-300-100', 'cambricon-base', 10_000, BIT_CHECKED);
    expect(result.oracleTop1 - result.top1).toBeLessThanOrEqual(0.005);
    expect(result.bitEqual).toBe(result.bitChecked);
  }, 300_000);
});

describe('all executors give the same bits in every precision', () => {
  it.each(FLOAT_NETWORKS)(
    '%s',
    async (model) => {
      for (const preset of REDUCED_PRESETS) expect(await countAgreeing(model, preset, 1), preset).toBe(1);
    },
    120_000,
  );
});
