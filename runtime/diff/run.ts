/** A run: a program, what it was made from, how it did on data, and the values of some samples. Two runs can be compared, and nothing is run again. */
import { z } from 'zod';
import { contentHash } from '../../compiler/ir/content-hash.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import type { Program } from '../../isa/program.ts';
import type { Evaluation } from '../evaluate/evaluate.ts';
import type { Scores } from './outputs.ts';
import type { Trace } from './trace.ts';

export const RUN_SCHEMA = 'plumbline.run-directory/1';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const text = z.string().max(2 ** 16);
const count = z.number().int().nonnegative();
const named = z.strictObject({ name: text, sha256 });

const contract = z.discriminatedUnion('meaning', [
  z.strictObject({ meaning: z.literal('exact') }),
  z.strictObject({ meaning: z.literal('reassociates'), bound: z.number().positive() }),
  z.strictObject({ meaning: z.literal('lossy') }),
]);

/** What identifies a run. No dates, no paths, no wall time: equal runs have equal bytes. */
export const runManifest = z.strictObject({
  schema: z.literal(RUN_SCHEMA),
  toolchain: text,
  /** Of the text of the imported graph. */
  model: named,
  /** The pipeline, presets expanded, and what the target added to it. */
  passes: text,
  legalization: text,
  /** What those passes promise together. */
  contract,
  /** Of the description of the target. */
  target: named,
  /** Of the samples and how they were preprocessed. */
  data: named,
  samples: count,
  /** Samples that one run of the program takes. */
  batch: count.min(1),
  /** Runs of the program whose values are saved. */
  savedRuns: count,
  /** Hash of the program, as its container has it. */
  program: sha256,
});
export type RunManifest = z.infer<typeof runManifest>;

/** What `eval` tells, without the wall time. */
export type RunResult = Omit<Evaluation, 'host'>;

export interface Run {
  readonly manifest: RunManifest;
  readonly result: RunResult;
  readonly program: Program;
  readonly scores: Scores;
  readonly trace: Trace;
}

/** Identifies an imported graph, whatever file it came from. */
export function graphHash(graph: Graph): string {
  return contentHash(new TextEncoder().encode(printGraph(graph).text));
}
