/** Reduces a compile that fails a check to the least graph, pipeline and samples that fail it in the same way. */
import { fail } from '../../compiler/ir/diagnostic.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { verifyGraph } from '../../compiler/ir/verify.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { PassInvocation } from '../../passes/pass.ts';
import type { CheckSample, Checker, Evaluated } from './check.ts';
import { needsLabels, printCheck, sameFailure, usesSamples } from './check.ts';
import type { Verdict } from './ddmin.ts';
import { ddmin, firstBad } from './ddmin.ts';
import { failingSamples } from './samples.ts';
import type { Example } from './shrink.ts';
import { cut, extents, leafElements, leafNames, plainer, windows } from './shrink.ts';
import { subgraph } from './subgraph.ts';

export interface ReduceSubject {
  readonly graph: Graph;
  readonly steps: readonly PassInvocation[];
  readonly checker: Checker;
}

export interface ReduceOptions {
  /** Called before each evaluation with how many there were, and the ops and elements that are left. */
  readonly onTrial?: (done: number, left: { readonly ops: number; readonly elements: number }) => void;
}

export interface Reduction extends Example {
  readonly steps: readonly PassInvocation[];
  /** What the reduced example fails, evaluated at the end once more. */
  readonly evaluated: Evaluated;
  /** Evaluations of the check. */
  readonly evaluations: number;
}

/** Undefined where the check holds, so that there is nothing to reduce. Throws a diagnostic where the compile cannot be judged. */
export async function reduce({ graph, steps, checker }: ReduceSubject, options: ReduceOptions = {}): Promise<Reduction | undefined> {
  const whole = await checker.test({ graph, steps });
  if (whole.verdict === 'good') return undefined;
  if (whole.verdict === 'skip')
    fail('unsupported', 'reduce/skipped', `${printCheck(checker.spec)} cannot be judged: ${whole.findings[0]?.detail ?? 'unknown'}`);
  const reducer = new Reducer(checker, options, { graph, samples: checker.context.samples, steps });
  await reducer.samples();
  await reducer.steps();
  await reducer.ops();
  await reducer.extents();
  await reducer.elements();
  return reducer.result();
}

interface Failing extends Example {
  readonly steps: readonly PassInvocation[];
}

class Reducer {
  readonly #checker: Checker;
  readonly #options: ReduceOptions;
  #current: Failing;
  #failure: Evaluated | undefined;
  #evaluations = 1;

  constructor(checker: Checker, options: ReduceOptions, start: Failing) {
    this.#checker = checker;
    this.#options = options;
    this.#current = start;
  }

  /** The one pass with which the check begins to fail, on the graph that it finds; where that pass alone does not fail it, the fewest passes. */
  async steps(): Promise<void> {
    const { graph, steps, samples } = this.#current;
    const { bad } = await firstBad(
      steps.length,
      async (n) => (await this.#evaluate({ graph, samples, steps: steps.slice(0, n) }, graph)).verdict,
    );
    const before = runPipeline(graph, steps.slice(0, bad - 1), this.#checker.with({ samples }).pipeline).graph;
    const alone = { graph: before, samples, steps: steps.slice(bad - 1, bad) };
    if (await this.#fails(alone)) this.#current = alone;
    else if (await this.#fails({ ...this.#current, steps: steps.slice(0, bad) }))
      this.#current = {
        graph,
        samples,
        steps: await ddmin(steps.slice(0, bad), (subset) => this.#verdict({ graph, samples, steps: subset })),
      };
  }

  /** The fewest samples; costs alone need none, and values for what is cut off come from one. */
  async samples(): Promise<void> {
    const { graph, steps, samples } = this.#current;
    const { indices } =
      usesSamples(this.#checker.spec) || this.#checker.isCalibratedOnSamples(steps)
        ? await failingSamples(this.#checker, { graph, steps }, async (_, judge) => (this.#count(), (await judge()).verdict))
        : { indices: [0] };
    this.#current = { ...this.#current, samples: indices.flatMap((i) => samples.slice(i, i + 1)) };
  }

  /** The fewest ops: what they read of others is read from inputs, which get the values that were computed for them. */
  async ops(): Promise<void> {
    const { graph, samples, steps } = this.#current;
    const values = samples.map(({ inputs }) => evaluateGraph(graph, inputs, { keep: 'all' }));
    const part = (ops: readonly string[]): Failing | undefined => {
      const smaller = subgraph(graph, new Set(ops));
      if (!smaller || verifyGraph(smaller).length > 0 || !this.#hasScores(smaller, graph)) return undefined;
      return { graph: smaller, steps, samples: samples.map((sample, i) => restricted(sample, smaller, values[i])) };
    };
    const names = graph.ops.map(({ name }) => name);
    const kept = await ddmin(names, async (subset) => {
      const smaller = part(subset);
      return smaller ? this.#verdict(smaller) : 'skip';
    });
    const smaller = part(kept);
    if (smaller && (await this.#fails(smaller))) this.#current = smaller;
  }

  /** Smaller extents, as long as there are some that fail. */
  async extents(): Promise<void> {
    while (await this.#cutOnce()) continue;
  }

  async #cutOnce(): Promise<boolean> {
    for (const extent of extents(this.#current))
      for (const window of windows(extent))
        for (const attributes of [true, false]) {
          const smaller = cut(this.#current, window, attributes);
          if (smaller && (await this.#take(smaller))) return true;
        }
    return false;
  }

  async elements(): Promise<void> {
    for (const leaf of leafNames(this.#current)) for (const simpler of plainer(this.#current, leaf)) if (await this.#take(simpler)) break;
  }

  async result(): Promise<Reduction> {
    const evaluated = await this.#evaluate(this.#current);
    return { ...this.#current, evaluated, evaluations: this.#evaluations };
  }

  /** Goes on with a smaller example if it fails. */
  async #take(example: Example): Promise<boolean> {
    const smaller = { ...this.#current, ...example };
    if (!(await this.#fails(smaller))) return false;
    this.#current = smaller;
    return true;
  }

  async #verdict(example: Failing): Promise<Verdict> {
    return (await this.#fails(example)) ? 'bad' : 'good';
  }

  /** Whether an example fails as the first one did that was asked about. */
  async #fails(example: Failing): Promise<boolean> {
    const evaluated = await this.#evaluate(example);
    if (evaluated.verdict !== 'bad') return false;
    this.#failure ??= evaluated;
    return sameFailure(evaluated, this.#failure);
  }

  /** An example is its own float model, so that errors of what was cut off do not count. */
  #evaluate({ graph, samples, steps }: Failing, base: Graph = graph): Promise<Evaluated> {
    this.#count();
    return this.#checker.with({ base, samples, values: 'graph' }).test({ graph, steps });
  }

  #count(): void {
    this.#options.onTrial?.(this.#evaluations, { ops: this.#current.graph.ops.length, elements: leafElements(this.#current) });
    this.#evaluations++;
  }

  /** Classes are told by the first output, which must stay where they matter. */
  #hasScores(part: Graph, graph: Graph): boolean {
    const { spec } = this.#checker;
    const labelled = spec.kind === 'expression' && spec.expression.some(needsLabels);
    return !labelled || part.outputs[0]?.value === graph.outputs[0]?.value;
  }
}

/** A sample for a part of a graph: the values of its inputs. */
function restricted(sample: CheckSample, { inputs }: Graph, values: ReadonlyMap<string, Tensor> | undefined): CheckSample {
  return { ...sample, inputs: new Map(inputs.flatMap(({ name }) => [[name, values?.get(name)] as const]).filter(hasValue)) };
}

function hasValue(entry: readonly [string, Tensor | undefined]): entry is readonly [string, Tensor] {
  return entry[1] !== undefined;
}
