/** An evaluation that keeps what the program said of every sample, so that programs can be compared sample by sample. */
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { Dataset } from '../data/dataset.ts';
import type { PortData } from '../machine/host.ts';
import type { EvaluateOptions, Evaluation, EvaluationSubject } from './evaluate.ts';
import { evaluateProgram } from './evaluate.ts';
import { rankOf } from './metrics.ts';

/** Samples times classes, row-major, and whether the right class ranks first: 1, or 0. */
export interface Scores {
  readonly classes: number;
  readonly values: PortData;
  readonly right: Uint8Array;
}

export interface ScoredEvaluation {
  readonly evaluation: Evaluation;
  readonly scores: Scores;
}

/** `evaluateProgram`, with the scores of all samples. */
export async function evaluateScores(
  program: Program,
  target: Target,
  dataset: Dataset,
  subject: EvaluationSubject,
  options: Omit<EvaluateOptions, 'onScores'>,
): Promise<ScoredEvaluation> {
  const { samples } = dataset;
  const right = new Uint8Array(samples);
  let classes = 0;
  let values: PortData = new Float32Array();
  const evaluation = await evaluateProgram(program, target, dataset, subject, {
    ...options,
    onScores(sample, scores) {
      if (sample === 0) {
        classes = scores.length;
        values = scores instanceof Float32Array ? new Float32Array(samples * classes) : new Int16Array(samples * classes);
      }
      values.set(scores, sample * classes);
      right[sample] = rankOf(scores, dataset.label(sample)) < 1 ? 1 : 0;
    },
  });
  return { evaluation, scores: { classes, values, right } };
}
