/** Graphs that are compiled and executed on one data set; programs that are the same are executed once. */
import { asOptimized, compileOptimized } from '../../compiler/pipeline.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { hasTrait } from '../../compiler/ir/ops.ts';
import type { ContainerInfo } from '../../isa/container.ts';
import { containerHash, encodeContainer } from '../../isa/container.ts';
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { Dataset } from '../data/dataset.ts';
import type { EvaluateOptions, Evaluation } from './evaluate.ts';
import type { Proportion } from './metrics.ts';
import type { Flips } from './paired.ts';
import { countFlips, mcnemar, outputNoise, pairedLoss } from './paired.ts';
import type { ScoredEvaluation } from './scores.ts';
import { evaluateScores } from './scores.ts';
import { sizeFigures } from './throughput.ts';

/** Operations of a legal graph that change the element type. */
export interface Conversions {
  /** Done by instructions of the program. */
  readonly inside: number;
  /** Done by the host, where it writes inputs and reads outputs. */
  readonly atPorts: number;
}

/** What a program said of the data, and the graph that it computes. */
export interface Executed extends ScoredEvaluation {
  readonly legal: Graph;
  /** SHA-256, in hexadecimal, of all of the program that its execution depends on. */
  readonly sha256: string;
  readonly conversions: Conversions;
}

/** A program beside a reference, on the same samples. */
export interface Comparison {
  /** Against the reference; the p-value is that of McNemar's exact test. */
  readonly flips: Flips & { readonly pValue: number };
  /** Of top-1 against the reference, with its 95 % interval; negative for a gain. */
  readonly loss: Proportion;
  /** Of the outputs against the reference's, over all samples; null where no element differs in value, that is for infinity. */
  readonly outputSqnrDecibels: number | null;
  /** Samples with an output that is not finite, where the reference's is; they are left out of the SQNR. */
  readonly notFinite: number;
}

/** What a program does on the data and costs, under the names that an evaluation has for it. */
export interface MeasuredFigures extends Pick<Evaluation, 'metrics' | 'timing' | 'energy' | 'size'> {
  readonly conversions: Conversions;
  /** SHA-256 of all of the program that its execution depends on: equal programs are executed once. */
  readonly program: string;
}

export interface ExecutionOptions extends Omit<EvaluateOptions, 'onScores' | 'onProgress' | 'profile'> {
  readonly target: Target;
  readonly dataset: Dataset;
  readonly model: string;
  /** Multiply-accumulates of the imported model for one run. */
  readonly macs: number;
  readonly container: ContainerInfo;
}

export class Executions {
  readonly #options: ExecutionOptions;
  readonly #known = new Map<string, ScoredEvaluation>();

  constructor(options: ExecutionOptions) {
    this.#options = options;
  }

  /** Compiles a graph that `passes` left, and executes it unless that was done already. */
  async run(graph: Graph, passes: string, onProgress: (done: number, total: number) => void): Promise<Executed> {
    const { target, dataset, model, macs, container, ...options } = this.#options;
    const start = options.now();
    const { legal, program } = compileOptimized(asOptimized(graph), target);
    const programBytes = encodeContainer(program, container).length;
    const compileSeconds = options.now() - start;
    // Execution does not depend on the names of layers.
    const sha256 = containerHash(encodeContainer({ ...program, debug: [] }, container));
    const subject = { model, passes, macs, programBytes, compileSeconds };
    const known = this.#known.get(sha256) ?? (await evaluateScores(program, target, dataset, subject, { ...options, onProgress }));
    this.#known.set(sha256, known);
    const evaluation = { ...known.evaluation, passes, size: sizeFigures(program, programBytes) };
    return { legal, sha256, conversions: countConversions(legal, program), evaluation, scores: known.scores };
  }
}

function countConversions(legal: Graph, program: Program): Conversions {
  const conversions = legal.ops.filter(({ op }) => hasTrait(op, 'conversion'));
  const executed = new Set(program.debug.map(({ node }) => node));
  const inside = conversions.filter(({ name }) => executed.has(name)).length;
  return { inside, atPorts: conversions.length - inside };
}

export function figuresOf({ evaluation, conversions, sha256 }: Executed): MeasuredFigures {
  const { metrics, timing, energy, size } = evaluation;
  return { metrics, timing, energy, size, conversions, program: sha256 };
}

export function compareExecuted(reference: Executed, executed: Executed): Comparison {
  const flips = countFlips(reference.scores.right, executed.scores.right);
  const { sqnrDecibels, notFinite } = outputNoise(reference.scores.values, executed.scores.values, reference.scores.classes);
  const loss = pairedLoss(flips, reference.evaluation.samples);
  return { flips: { ...flips, pValue: mcnemar(flips) }, loss, outputSqnrDecibels: sqnrDecibels, notFinite };
}
