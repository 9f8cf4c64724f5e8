/** Whether a compile is good: passes run on a graph, and what comes out is held to an expression or shown to a command. */
import type { Diagnostic } from '../../compiler/ir/diagnostic.ts';
import { DiagnosticError, fail, printDiagnostic } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { CalibrationProvider } from '../../passes/calibration.ts';
import { numbers } from '../../passes/contract/compare.ts';
import type { Gate } from '../../passes/instruments/bisect.ts';
import { contractCheck } from '../../passes/instruments/contracts.ts';
import { verifying } from '../../passes/instruments/verifying.ts';
import type { PipelineOptions } from '../../passes/manager.ts';
import { calibrateAhead, runPipeline } from '../../passes/manager.ts';
import type { PassInvocation, Sample } from '../../passes/pass.ts';
import type { Verdict } from './ddmin.ts';
import type { Proportion } from '../evaluate/metrics.ts';
import type { Clause, Expression, Metric } from './expression.ts';
import { costsOf, programExecutor } from './execute.ts';
import { boundValue, holds, metricRecord, printClause, printExpression } from './expression.ts';
import type { Costs, Measurements, Outcome, Outputs } from './outcomes.ts';
import { measure, outcomeOf } from './outcomes.ts';

/** One sample for a check. */
export interface CheckSample {
  readonly inputs: Sample;
  /** Its class. */
  readonly label?: number;
  /** Where it comes from, for people. */
  readonly place: string;
}

export type CheckSpec =
  | { readonly kind: 'expression'; readonly expression: Expression }
  /** `run` gives the exit status of a command that was shown the graph: 0 good, 125 cannot be told, another one bad. */
  | { readonly kind: 'command'; readonly text: string; run(graph: Graph): Promise<number> };

export interface CheckContext {
  /** The float model, which metrics compare with. */
  readonly base: Graph;
  readonly samples: readonly CheckSample[];
  /** Classes that the data hold that the samples are of, where that is known. */
  readonly classes?: number;
  readonly target: Target;
  /** What computes outputs: the compiled program, much faster, or the reference evaluator, for graphs of any type. In f32 they are equal bit for bit. */
  readonly values: 'program' | 'graph';
  readonly pipeline?: PipelineOptions;
  /** Gives passes statistics of the samples, whatever the graph; else those of `pipeline` are taken. */
  readonly calibrate?: (samples: readonly CheckSample[]) => CalibrationProvider;
  readonly signal?: AbortSignal;
}

/** Passes on a graph, some of whose transformations may be held back. */
export interface Candidate {
  readonly graph: Graph;
  readonly steps: readonly PassInvocation[];
  readonly gate?: Gate;
}

/** What was found for one clause. */
export interface Finding {
  readonly clause: string;
  readonly holds: boolean;
  /** Of clauses about one: the metric, its value, and that of the float model. JSON has null for infinity. */
  readonly metric?: Metric;
  readonly value?: number;
  readonly base?: number;
  /** Of shares of samples: the loss against the float model, and its 95 % interval, as proportions. */
  readonly loss?: Proportion;
  /** Of contracts, of pipelines that fail and of commands: what was wrong. */
  readonly detail?: string;
  /** Tells one failure of a clause from another: the diagnostic's code and the pass. */
  readonly failure?: string;
}

export interface Evaluated {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
}

export function printCheck(spec: CheckSpec): string {
  return spec.kind === 'command' ? spec.text : printExpression(spec.expression);
}

/** Metrics of outputs and of classes, which samples alone decide. */
export function needsOutputs(clause: Clause): boolean {
  return clause.kind === 'metric' && metricRecord(clause.metric).from !== 'program';
}

export function needsLabels(clause: Clause): boolean {
  return clause.kind === 'metric' && metricRecord(clause.metric).from === 'labels';
}

export function needsProgram(clause: Clause): boolean {
  return clause.kind === 'metric' && metricRecord(clause.metric).from === 'program';
}

/** Whether a check depends on samples: those of costs and by commands do not. */
export function usesSamples(spec: CheckSpec): boolean {
  return spec.kind === 'expression' && spec.expression.some((clause) => !needsProgram(clause));
}

/** The exit status by which a command says that it cannot tell, as git's bisection has it. */
const SKIP_STATUS = 125;

/** Samples between two looks at whether to stop. */
const SAMPLES_A_TURN = 32;

export class Checker {
  readonly spec: CheckSpec;
  readonly context: CheckContext;
  /** What passes get from outside. */
  readonly pipeline: PipelineOptions;
  readonly #clauses: readonly Clause[];
  #baseOutputs: Promise<readonly Outputs[]> | undefined;
  #baseCosts: Costs | undefined;

  /** Throws a usage diagnostic where samples have no classes and the check needs them. */
  constructor(spec: CheckSpec, context: CheckContext) {
    this.spec = spec;
    this.context = context;
    this.pipeline = { ...context.pipeline, ...(context.calibrate && { calibration: context.calibrate(context.samples) }) };
    this.#clauses = spec.kind === 'expression' ? spec.expression : [];
    const labelled = this.#clauses.find(needsLabels);
    if (labelled && context.samples.some(({ label }) => label === undefined))
      fail('usage', 'check/no-labels', `${printClause(labelled)} needs labelled samples`, {
        hint: 'give them with --data, or check agreement or sqnr',
      });
  }

  /** The same check on other samples, or of other graphs. */
  with(context: Partial<CheckContext>): Checker {
    return new Checker(this.spec, { ...this.context, ...context });
  }

  /** Whether a pipeline depends on the samples, and not only what is measured of it. */
  isCalibratedOnSamples(steps: readonly PassInvocation[]): boolean {
    return this.context.calibrate !== undefined && steps.some(({ pass }) => pass.calibrated);
  }

  async test(candidate: Candidate): Promise<Evaluated> {
    await this.#turn();
    await calibrateAhead(candidate.graph, candidate.steps, this.pipeline, this.context.signal);
    const contract = this.#clauses.some(({ kind }) => kind === 'contract');
    const ran = this.#attempt(contract, () => this.#run(candidate, contract));
    if (!('result' in ran)) return ran.evaluated;
    if (this.spec.kind === 'command') return this.#command(this.spec, ran.result);
    const findings: Finding[] = contract ? [{ clause: 'contract', holds: true }] : [];
    if (this.#clauses.length === findings.length) return evaluated(findings);
    const compiled = this.#attempt(false, () => this.#programOf(ran.result));
    if (!('result' in compiled)) return compiled.evaluated;
    const outcomes = this.#clauses.some(needsOutputs)
      ? await this.outcomes((samples) => this.#outputs(ran.result, compiled.result, samples))
      : [];
    const costs = this.#clauses.some(needsProgram) ? this.#costs(compiled.result) : undefined;
    return this.judge({ outcomes, ...(costs && { costs }) }, findings);
  }

  /** The outcome of each sample, from outputs that `outputs` computes. */
  async outcomes(outputs: (samples: readonly CheckSample[]) => Promise<readonly Outputs[]>): Promise<readonly Outcome[]> {
    const { samples } = this.context;
    this.#baseOutputs ??= this.#evaluate(this.context.base, samples);
    const base = await this.#baseOutputs;
    const own = await outputs(samples);
    return samples.map(({ label }, i) =>
      outcomeOf(base[i] ?? new Map<string, Float64Array>(), own[i] ?? new Map<string, Float64Array>(), label),
    );
  }

  /** The outcomes of a candidate, all of whose clauses are of outputs. */
  outcomesOf(candidate: Candidate): Promise<readonly Outcome[]> {
    const graph = this.#run(candidate, false);
    const program = this.#programOf(graph);
    return this.outcomes((samples) => this.#outputs(graph, program, samples));
  }

  /** Holds measurements to the clauses about metrics. */
  judge(measurements: Measurements, others: readonly Finding[] = []): Evaluated {
    const metrics = this.#clauses.flatMap((clause): Finding[] => {
      if (clause.kind !== 'metric') return [];
      const { value, base, loss } = measure(clause.metric, measurements);
      const holding = holds(clause.comparison, value, boundValue(clause.bound, base));
      return [{ clause: printClause(clause), holds: holding, metric: clause.metric, value, base, ...(loss && { loss }) }];
    });
    return evaluated([...others, ...metrics]);
  }

  /** Outputs of a graph by the reference evaluator; `override` as in `evaluateGraph`. */
  async evaluateSample(graph: Graph, { inputs }: CheckSample, override?: (name: string, value: Tensor) => Tensor): Promise<Outputs> {
    await this.#turn();
    const values = evaluateGraph(graph, inputs, override ? { override: ({ name }, value) => override(name, value) } : {});
    return new Map(
      graph.outputs.map(({ name, value }) => [name, numbers(values.get(value) ?? fail('invalid', 'check/output', `no %${value}`))]),
    );
  }

  #run({ graph, steps, gate }: Candidate, contract: boolean): Graph {
    const samples = this.context.samples.map(({ inputs }) => inputs);
    const observers = [...(this.pipeline.observers ?? []), ...(contract ? [contractCheck({ samples })] : []), verifying()];
    return runPipeline(graph, steps, { ...this.pipeline, observers, ...(gate && { bisect: gate }) }).graph;
  }

  /** What an error means for the check: what a pass broke is bad, and so is a pass that breaks down; what is not supported, or does not fit together, cannot be told. */
  #attempt<T>(contract: boolean, work: () => T): { readonly result: T } | { readonly evaluated: Evaluated } {
    try {
      return { result: work() };
    } catch (error) {
      if (!(error instanceof DiagnosticError)) return { evaluated: brokenDown(error) };
      const [first] = error.diagnostics;
      if (!first || first.kind === 'usage') throw error;
      const ofContract = contract && first.code.startsWith('contract/');
      const finding: Finding = {
        clause: ofContract ? 'contract' : 'compiles',
        holds: false,
        detail: printDiagnostic(first),
        failure: failureOf(first),
      };
      return { evaluated: { verdict: first.kind === 'violated' ? 'bad' : 'skip', findings: [finding] } };
    }
  }

  async #command(spec: Extract<CheckSpec, { kind: 'command' }>, graph: Graph): Promise<Evaluated> {
    const status = await spec.run(graph);
    const verdict = status === 0 ? 'good' : status === SKIP_STATUS ? 'skip' : 'bad';
    return { verdict, findings: [{ clause: spec.text, holds: status === 0, detail: `exit status ${status}` }] };
  }

  /** The program where the check needs one. Outputs that the target cannot compute are computed by the reference evaluator, unless it legalizes to other types. */
  #programOf(graph: Graph): Program | undefined {
    if (this.#clauses.some(needsProgram)) return this.#compile(graph);
    const { values, target } = this.context;
    if (values === 'graph' || !this.#clauses.some(needsOutputs)) return undefined;
    try {
      return this.#compile(graph);
    } catch (error) {
      const refused =
        error instanceof DiagnosticError && error.diagnostics.every(({ kind }) => kind === 'unsupported' || kind === 'invalid');
      if (refused && target.datapath !== 'fx16') return undefined;
      throw error;
    }
  }

  #compile(graph: Graph): Program {
    return compileModel(graph, { target: this.context.target, passes: [] }).program;
  }

  #outputs(graph: Graph, program: Program | undefined, samples: readonly CheckSample[]): Promise<readonly Outputs[]> {
    return program && this.context.values === 'program' ? this.#execute(program, samples) : this.#evaluate(graph, samples);
  }

  async #evaluate(graph: Graph, samples: readonly CheckSample[]): Promise<readonly Outputs[]> {
    const all: Outputs[] = [];
    for (const sample of samples) all.push(await this.evaluateSample(graph, sample));
    return all;
  }

  async #execute(program: Program, samples: readonly CheckSample[]): Promise<readonly Outputs[]> {
    const execute = programExecutor(program, this.context.target);
    const all: Outputs[] = [];
    for (const [i, { inputs }] of samples.entries()) {
      if (i % SAMPLES_A_TURN === 0) await this.#turn();
      all.push(execute(inputs));
    }
    return all;
  }

  #costs(program: Program | undefined): NonNullable<Measurements['costs']> {
    if (!program) throw new Error('costs are those of a program');
    this.#baseCosts ??= this.#costsOf(this.#compile(this.context.base));
    return { own: this.#costsOf(program), base: this.#baseCosts };
  }

  #costsOf(program: Program): Costs {
    return costsOf(program, this.context.target, this.context.samples[0]?.inputs ?? new Map<string, Tensor>());
  }

  /** Lets an interruption arrive. */
  async #turn(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.context.signal?.throwIfAborted();
  }
}

/** Any other error than a diagnostic is a mistake in a pass, or in what follows. */
function brokenDown(error: unknown): Evaluated {
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { verdict: 'bad', findings: [{ clause: 'compiles', holds: false, detail: `the compiler broke down: ${what}`, failure: what }] };
}

function evaluated(findings: readonly Finding[]): Evaluated {
  return { verdict: findings.every((finding) => finding.holds) ? 'good' : 'bad', findings };
}

/** The code, and the outermost place that is no position in the pipeline. */
function failureOf({ code, place = [] }: Diagnostic): string {
  return [code, ...place.filter((each) => !/^step \d+$/.test(each)).slice(0, 1)].join(' ');
}

/** What makes two failures the same one: the clauses that do not hold, and how. */
export function sameFailure(a: Evaluated, b: Evaluated): boolean {
  const failures = ({ findings }: Evaluated): string =>
    findings.flatMap((finding) => (finding.holds ? [] : [`${finding.clause} ${finding.failure ?? ''}`])).join('\n');
  return a.verdict === b.verdict && failures(a) === failures(b);
}
