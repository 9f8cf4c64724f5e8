/** Collecting a run while a program is evaluated. */
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { elementCount, typeBytes } from '../../compiler/ir/types.ts';
import { fail } from '../../compiler/ir/diagnostic.ts';
import type { Compilation } from '../../compiler/pipeline.ts';
import { legalization } from '../../compiler/pipeline.ts';
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { targetHash } from '../../isa/target.ts';
import { numbers } from '../../passes/contract/compare.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import { printPipeline } from '../../passes/pipeline-text.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Evaluation } from '../evaluate/evaluate.ts';
import { graphSample } from '../evaluate/samples.ts';
import type { Scores as EvaluatedScores } from '../evaluate/scores.ts';
import { fractionBits, isFixed } from '../numerics/element.ts';
import type { Scores } from './outputs.ts';
import type { Run, RunResult } from './run.ts';
import { RUN_SCHEMA, graphHash } from './run.ts';
import { contractOf } from './trace.ts';

/** What an evaluation kept of every sample, as numbers and with the classes of the data. */
function labelledScores({ classes, values }: EvaluatedScores, { outputs }: Program, dataset: Dataset): Scores {
  const element = outputs[0]?.element ?? 'f32';
  const scale = isFixed(element) ? 2 ** -fractionBits(element) : 1;
  return {
    classes,
    scores: Float32Array.from(values, (x) => x * scale),
    labels: Int32Array.from({ length: dataset.samples }, (_, i) => dataset.label(i)),
  };
}

/** What a run is recorded of, once its program has been evaluated. */
export interface Recorded {
  readonly toolchain: string;
  readonly model: string;
  readonly compilation: Compilation;
  readonly passes: readonly PassInvocation[];
  readonly target: Target;
  /** Hash of the program's container. */
  readonly programHash: string;
  readonly dataset: Dataset;
  readonly evaluation: Evaluation;
  /** Of every sample. */
  readonly scores: EvaluatedScores;
  /** Runs of the graph whose values are kept. */
  readonly runs: number;
}

/** The run, its values computed on the legal graph. They are held to the scores of the program: they must be the same bits. */
export async function recordRun(recorded: Recorded, signal?: AbortSignal): Promise<Run> {
  const { compilation, passes, target, dataset, evaluation } = recorded;
  const { imported, optimized, legal, layouts, program } = compilation;
  const scores = labelledScores(recorded.scores, program, dataset);
  const values = await traceValues(legal, dataset, recorded.runs, signal);
  requireSameScores(legal, values, scores);
  const required = legalization(optimized, target);
  const contract = contractOf([...passes, ...required]);
  const result: RunResult = Object.fromEntries(Object.entries(evaluation).filter(([key]) => key !== 'host')) as RunResult;
  return {
    manifest: {
      schema: RUN_SCHEMA,
      toolchain: recorded.toolchain,
      model: { name: recorded.model, sha256: graphHash(imported) },
      passes: printPipeline(passes),
      legalization: printPipeline(required),
      contract,
      target: { name: target.name, sha256: targetHash(target) },
      data: { name: dataset.name, sha256: evaluation.data.sha256 },
      samples: dataset.samples,
      batch: batchOf(legal, dataset),
      savedRuns: values.length,
      program: recorded.programHash,
    },
    result,
    program,
    scores,
    trace: { graph: legal, layouts, contract, values },
  };
}

/** Samples that one run of a graph takes. The graph has one input, which samples fill, as `evaluateProgram` has made sure. */
export function batchOf(graph: Graph, dataset: Dataset): number {
  return elementCount(graph.inputs[0]?.type.shape ?? []) / elementCount(dataset.shape);
}

/** Bytes that the values of one run take. */
export function bytesOfRun(graph: Graph): number {
  return graph.nodes.reduce((sum, node) => sum + (node.kind === 'constant' ? 0 : typeBytes(node.type)), 0);
}

/** All values, constants excepted, of the first runs of a graph on a data set. */
async function traceValues(
  graph: Graph,
  dataset: Dataset,
  runs: number,
  signal?: AbortSignal,
): Promise<readonly ReadonlyMap<string, Tensor>[]> {
  const [input] = graph.inputs;
  if (!input) throw new Error(`graph ${graph.name} has no input`);
  const batch = batchOf(graph, dataset);
  const traced: ReadonlyMap<string, Tensor>[] = [];
  for (let run = 0; run < Math.min(runs, Math.ceil(dataset.samples / batch)); run++) {
    signal?.throwIfAborted();
    const values = evaluateGraph(graph, await graphSample(input, dataset, batch, run * batch), { keep: 'all' });
    traced.push(new Map([...values].filter(([name]) => graph.node(name).kind !== 'constant')));
  }
  return traced;
}

/** Holds the values of a graph to the scores that its program gave: they must be the same bits. Throws a `violated` diagnostic. */
function requireSameScores(graph: Graph, values: readonly ReadonlyMap<string, Tensor>[], { scores }: Scores): void {
  const [output] = graph.outputs;
  let at = 0;
  for (const run of values) {
    const value = output && run.get(output.value);
    if (!value) continue;
    for (const x of numbers(value)) {
      if (at < scores.length && !Object.is(x, scores[at]))
        fail('violated', 'run/values', `the program gave ${scores[at] ?? NaN} where its graph gives ${x}, at element ${at} of the scores`, {
          hint: 'this is a bug of the compiler; please report it with the model',
        });
      at++;
    }
  }
}
