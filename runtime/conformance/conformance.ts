/**
 * Runs test cases in ONNX's form and says what became of each. A case is evaluated, or compiled and executed where a target is given, and all outputs of
 * all its sets of data are held to what it expects. What a case does wrong ends only that case.
 */
import { operatorOf, operatorsByNode, qualifiedOperator } from '../../compiler/frontend/attribution.ts';
import { listOperators } from '../../compiler/frontend/check.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import type { OnnxModel, OnnxTensor } from '../../compiler/frontend/model.ts';
import { decodeModel } from '../../compiler/frontend/model.ts';
import type { Diagnostic } from '../../compiler/ir/diagnostic.ts';
import { DiagnosticError, fail } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { MachineError } from '../machine/error.ts';
import type { ExecuteOptions } from './execute.ts';
import { prepare } from './execute.ts';
import type { FedSet } from './feeds.ts';
import { expectedOutput, feed, groupByTypes, inputsOf, openShapes } from './feeds.ts';
import type { Judge } from './judge.ts';
import { mismatch, numbersOf, typeMismatch } from './judge.ts';
import type { DataSet, NamedCase, TestCase } from './test-case.ts';

/** What became of a case, the worst last. */
export const STATUSES = ['passed', 'unsupported', 'failed', 'crashed'] as const;
export type Status = (typeof STATUSES)[number];

/**
 * What ran, the most first. Operands that a case feeds are inputs of the program; where that is not supported, all but the first, then all, are put into the
 * model as constants (`-constants`). `folded`: the passes left no operation, so that the outputs are inputs or constants.
 */
export const FORMS = ['compiled', 'compiled-constants', 'evaluated', 'evaluated-constants', 'folded'] as const;
export type Form = (typeof FORMS)[number];

/** Why a case did not pass, as far as one operator is to blame. */
export interface Cause {
  /** Undefined where none is. */
  readonly operator: string | undefined;
  readonly reason: string;
}

export interface CaseResult {
  readonly name: string;
  readonly status: Status;
  /** Null where nothing ran. */
  readonly form: Form | null;
  /** Null where it passed. */
  readonly reason: string | null;
  readonly causes: readonly Cause[];
}

type Outcome = Omit<CaseResult, 'name'>;

export interface CaseOptions extends ExecuteOptions {
  readonly judge: Judge;
}

export interface ConformanceOptions extends CaseOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** All cases, one after the other, with a turn of the event loop between them. */
export async function runCases(cases: readonly NamedCase[], { signal, onProgress, ...options }: ConformanceOptions): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const each of cases) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    results.push(runCase(each, options));
    onProgress?.(results.length, cases.length);
  }
  return results;
}

export function runCase({ name, read }: NamedCase, options: CaseOptions): CaseResult {
  const trial = new Trial();
  return { name, ...trial.outcome(() => caseOutcome(read(), options)) };
}

function caseOutcome(test: TestCase, options: CaseOptions): Outcome {
  const model = decodeModel(test.model);
  if (test.sets.length === 0) fail('invalid', 'conformance/no-data', 'the case has no data: a folder test_data_set_0 is missing');
  const sets = test.sets.map((set) => feed(model, set));
  return worst(groupByTypes(sets).map((group) => groupOutcome(test, model, group, options)));
}

/** Of sets whose inputs have the same types: as the case feeds it, or with operands in the model where only that is supported. */
function groupOutcome(test: TestCase, model: OnnxModel, group: readonly FedSet[], options: CaseOptions): Outcome {
  const fed = attempt(test, model, group, group[0]?.replaced ?? new Map(), options);
  if (fed.status !== 'unsupported') return fed;
  for (const first of [1, 0]) {
    const outcomes = group.flatMap((one) => {
      const known = [...one.feeds].slice(first);
      return known.length === 0 ? [] : [attempt(test, model, [one], new Map([...one.replaced, ...known]), options)];
    });
    if (outcomes.length > 0 && outcomes.every(({ status }) => status !== 'unsupported')) return worst(outcomes);
  }
  return fed;
}

function attempt(
  test: TestCase,
  model: OnnxModel,
  sets: readonly FedSet[],
  constants: ReadonlyMap<string, OnnxTensor>,
  options: CaseOptions,
): Outcome {
  const trial = new Trial(test.model, model);
  const known = new Set(constants.keys());
  return trial.outcome(() => {
    const [first] = sets as readonly [FedSet];
    const { resolveExternal } = test;
    const imported = importOnnx(test.model, { shapes: openShapes(model, first, known), known: constants, resolveExternal });
    trial.graphs.push(imported);
    const inputs = sets.map((set) => inputsOf(imported, set, known));
    const samples = inputs.map((each, i) => ({ inputs: each, place: sets[i]?.set.name ?? '' }));
    const executable = prepare(imported, samples, trial.graphs, options);
    const ran = options.target ? 'compiled' : 'evaluated';
    trial.form = executable.folded ? 'folded' : known.size > 0 ? `${ran}-constants` : ran;
    for (const [i, { set }] of sets.entries()) {
      const reason = firstMismatch(imported, executable.run(inputs[i] ?? new Map()), set, options.judge);
      if (reason !== undefined) return trial.failed(reason);
    }
    return { status: 'passed', form: trial.form, reason: null, causes: [] };
  });
}

/** The first output that is not what a set expects. */
function firstMismatch(imported: Graph, actual: readonly (readonly number[])[], set: DataSet, judge: Judge): string | undefined {
  if (set.outputs.size !== imported.outputs.length)
    return `${set.name}: ${set.outputs.size} outputs are expected, the model has ${imported.outputs.length}`;
  for (const [i, { name, value }] of imported.outputs.entries()) {
    const expected = expectedOutput(set, i);
    const reason = typeMismatch(imported.node(value).type, expected.type) ?? mismatch(actual[i] ?? [], numbersOf(expected), judge);
    if (reason !== undefined) return `${set.name}: output ${name}: ${reason}`;
  }
  return undefined;
}

/** What one attempt has come to, so that its end can be told. */
class Trial {
  form: Form | null = null;
  readonly graphs: Graph[] = [];
  readonly #bytes: Uint8Array | undefined;
  readonly #model: OnnxModel | undefined;

  constructor(bytes?: Uint8Array, model?: OnnxModel) {
    this.#bytes = bytes;
    this.#model = model;
  }

  /** Of work that may throw anything. */
  outcome(work: () => Outcome): Outcome {
    try {
      return work();
    } catch (error) {
      if (error instanceof DiagnosticError) return this.#refused(error.diagnostics);
      if (error instanceof MachineError && error.code === 'memory-limit') return this.#ended('unsupported', error.message);
      return this.#ended('crashed', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }

  failed(reason: string): Outcome {
    return this.#ended('failed', reason);
  }

  #ended(status: Status, reason: string): Outcome {
    return { status, form: this.form, reason, causes: [{ operator: this.#onlyOperator(), reason }] };
  }

  #refused(diagnostics: readonly Diagnostic[]): Outcome {
    const status = diagnostics.every(isUnsupported) ? 'unsupported' : 'failed';
    const reason = diagnostics.map(({ place = [], message }) => [...place, message].join(': ')).join('; ');
    return { status, form: this.form, reason, causes: diagnostics.flatMap((each) => this.#causesOf(each)) };
  }

  #causesOf(diagnostic: Diagnostic): readonly Cause[] {
    if (diagnostic.code === 'onnx/unsupported-op' && this.#bytes)
      return listOperators(this.#bytes).flatMap(({ domain, operator, unsupported: reason }) =>
        reason === undefined ? [] : [{ operator: qualifiedOperator(domain, operator), reason }],
      );
    const named = operatorOf(diagnostic, this.#byNode(), this.graphs);
    return [{ operator: named ?? this.#onlyOperator(), reason: diagnostic.message }];
  }

  /** The operator of a model that has one. */
  #onlyOperator(): string | undefined {
    const operators = new Set(this.#byNode().values());
    return operators.size === 1 ? [...operators][0] : undefined;
  }

  #byNode(): ReadonlyMap<string, string> {
    try {
      return this.#model ? operatorsByNode(this.#model.graph) : new Map();
    } catch (error) {
      // The import has told what is wrong with the order of the nodes.
      if (error instanceof DiagnosticError) return new Map();
      throw error;
    }
  }
}

/** A pass that does not take what the model holds, such as one that quantizes what is quantized already, supports less than there is. */
function isUnsupported({ kind, code }: Diagnostic): boolean {
  return kind === 'unsupported' || code === 'pass/requires';
}

/** The worst status; of those that passed the form in which the least ran. */
function worst(outcomes: readonly Outcome[]): Outcome {
  const badness = ({ status, form }: Outcome): number =>
    STATUSES.indexOf(status) * FORMS.length + (form === null ? 0 : FORMS.indexOf(form));
  return outcomes.reduce((a, b) => (badness(b) > badness(a) ? b : a));
}
