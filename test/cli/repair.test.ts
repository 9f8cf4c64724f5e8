/** The walkthrough of docs/quantization.md without its figures: the layer that diff names is the one whose repair regains what int8-naive lost. */
import { expect, it } from 'vitest';
import { z } from 'zod';
import { succeed } from '../support/cli.ts';

const NAIVE = 'weights=tensor ranges=minmax bias-correction=false';

const difference = z.object({
  tensors: z.array(z.object({ op: z.string(), origin: z.array(z.string()), effectDecibels: z.union([z.number(), z.string()]) })),
});
const climbed = z.object({
  rows: z.array(
    z.object({
      metrics: z.object({ top1: z.object({ value: z.number() }) }),
      outputSqnrDecibels: z.number().nullable(),
      timing: z.object({ cycles: z.number() }),
    }),
  ),
});

async function lastRow(passes: string) {
  const { rows } = climbed.parse(JSON.parse(await succeed(['ladder', 'mobilenet', '--passes', passes, '--json'])));
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) throw new Error('a ladder without rows');
  return {
    loss: first.metrics.top1.value - last.metrics.top1.value,
    noise: 10 ** (-(last.outputSqnrDecibels ?? Infinity) / 10),
    cycles: last.timing.cycles,
  };
}

it(
  'regains at least half of the loss by scales for each channel in the depthwise layer that loses most',
  { timeout: 240_000 },
  async () => {
    const { tensors } = difference.parse(JSON.parse(await succeed(['diff', 'mobilenet', '--passes', 'int8-naive', '--json'])));
    const worst = tensors.toSorted((a, b) => Number(a.effectDecibels) - Number(b.effectDecibels))[0];
    expect(worst?.op).toBe('depthwise-conv');
    const naive = await lastRow('int8-naive');
    const repaired = await lastRow(`O1,legalize-layout,quantize{${NAIVE} per-channel=${worst?.origin[0] ?? ''}}`);
    expect(naive.loss).toBeGreaterThan(0);
    expect(repaired.loss).toBeLessThanOrEqual(naive.loss / 2);
    expect(repaired.noise).toBeLessThanOrEqual(naive.noise / 2);
    expect(repaired.cycles).toBe(naive.cycles);
  },
);
