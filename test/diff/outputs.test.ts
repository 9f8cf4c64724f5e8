/** What changed of a task, reckoned by hand. */
import { describe, expect, it } from 'vitest';
import type { Scores } from '../../runtime/diff/outputs.ts';
import { compareScores, klDivergence } from '../../runtime/diff/outputs.ts';

const scores = (labels: readonly number[], ...rows: readonly (readonly number[])[]): Scores => ({
  classes: rows[0]?.length ?? 0,
  scores: Float32Array.from(rows.flat()),
  labels: Int32Array.from(labels),
});

describe('outputs', () => {
  const labels = [0, 0, 1, 1];
  const reference = scores(labels, [3, 1, 0], [1, 2, 0], [0, 5, 1], [4, 1, 0]);
  const program = scores(labels, [1, 3, 0], [2, 1, 0], [0, 5, 1], [0, 1, 4]);

  it('flip for the better, for the worse, and from wrong to wrong', () => {
    const found = compareScores(reference, program);
    expect(found).toMatchObject({ samples: 4, better: 1, worse: 1, other: 1, pValue: 1, medianMargin: 2.5, widestFlippedMargin: 3 });
    expect([found.referenceTop1.value, found.programTop1.value, found.agreement.value]).toEqual([0.5, 0.5, 0.25]);
    expect(found.flips).toEqual([
      { sample: 0, label: 0, reference: 0, program: 1, margin: 2 },
      { sample: 1, label: 0, reference: 1, program: 0, margin: 1 },
      { sample: 3, label: 1, reference: 0, program: 2, margin: 3 },
    ]);
    // Σ reference² = 10 + 5 + 26 + 17, Σ error² = 8 + 2 + 0 + 32
    expect(found.sqnrDecibels).toBeCloseTo(10 * Math.log10(58 / 42), 12);
  });

  it('do not differ from themselves', () => {
    expect(compareScores(reference, reference)).toMatchObject({ sqnrDecibels: Infinity, klDivergence: 0, flips: [], pValue: 1 });
  });

  it('have the divergence of the probabilities that their scores stand for', () => {
    const [p, q] = [0.25, 0.5];
    const expected = p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q));
    const logits = (probability: number): Float32Array => Float32Array.of(Math.log(probability) + 3, Math.log(1 - probability) + 3);
    expect(klDivergence(logits(p), logits(q))).toBeCloseTo(expected, 6);
    // Scores that are probabilities already are taken as such.
    expect(klDivergence(Float32Array.of(p, 1 - p), Float32Array.of(q, 1 - q))).toBeCloseTo(expected, 6);
    expect(klDivergence(Float32Array.of(0, 1), Float32Array.of(0.5, 0.5))).toBeCloseTo(Math.LN2, 12);
    expect(klDivergence(Float32Array.of(1, 2), Float32Array.of(NaN, 2))).toBe(Infinity);
    expect(klDivergence(Float32Array.of(NaN, 2), Float32Array.of(NaN, 2))).toBe(0);
  });
});
