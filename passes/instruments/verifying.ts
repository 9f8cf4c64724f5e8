/** Verifies the graph after each pass, at the graph's own stage. */
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { printType } from '../../compiler/ir/types.ts';
import { verifyGraph } from '../../compiler/ir/verify.ts';
import type { PassObserver } from '../manager.ts';
import { printStep } from '../pipeline-text.ts';

/** Stops the pipeline when a pass left an invalid graph, or another signature than it found. */
export function verifying(): PassObserver {
  return {
    afterPass({ index, step, before }, { after }) {
      if (after === before) return;
      const place = [`step ${index + 1}`, printStep(step)];
      const problems = verifyGraph(after);
      if (problems.length > 0)
        throw new DiagnosticError(problems.map((problem) => ({ ...problem, kind: 'violated' as const }))).within(...place);
      const [old, now] = [signature(before), signature(after)];
      if (old !== now)
        throw new DiagnosticError([
          { kind: 'violated', code: 'pass/signature', message: `changed the graph's signature from ${old} to ${now}`, place },
        ]);
    },
  };
}

/** Inputs and outputs with their types, in order. */
function signature(graph: Graph): string {
  const inputs = graph.inputs.map(({ name, type }) => `${name}: ${printType(type)}`);
  const outputs = graph.outputs.map(({ name, value }) => `${name}: ${printType(graph.node(value).type)}`);
  return `(${inputs.join(', ')}) → (${outputs.join(', ')})`;
}
