/** Holds every pass to its contract on a batch of samples. */
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { ContractReport, Evaluator, LossBudget } from '../contract/check.ts';
import { checkContract } from '../contract/check.ts';
import type { PassObserver } from '../manager.ts';
import type { PassInvocation, Sample } from '../pass.ts';

export interface ContractCheckOptions {
  readonly samples: readonly Sample[];
  /** Limits for each lossy pass; none when absent. */
  readonly budget?: LossBudget;
  /** Receives what was found for each pass that changed the graph. */
  readonly report?: (step: PassInvocation, report: ContractReport) => void;
}

/** Evaluates the graph before and after each pass that changed it; a broken contract stops the pipeline. */
export function contractCheck({ samples, budget, report }: ContractCheckOptions): PassObserver {
  const remembering = rememberingEvaluator();
  return {
    afterPass({ step, before }, { after, rewritten, rearranged }) {
      if (after === before) return;
      const found = checkContract(
        { pass: step.pass, before, after, rewritten, rearranged, samples, ...(budget && { budget }) },
        remembering,
      );
      report?.(step, found);
    },
  };
}

/** Keeps the values of graphs that were evaluated already: what one pass leaves is what the next one finds. */
export function rememberingEvaluator(): Evaluator {
  const known = new WeakMap<Graph, Map<Sample, ReadonlyMap<string, Tensor>>>();
  return (graph, sample) => {
    const values = known.get(graph) ?? new Map<Sample, ReadonlyMap<string, Tensor>>();
    known.set(graph, values);
    const found = values.get(sample) ?? evaluateGraph(graph, sample, { keep: 'all' });
    values.set(sample, found);
    return found;
  };
}
