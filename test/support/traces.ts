/** Traces of graphs on given inputs, as comparisons take them. */
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { parseGraph } from '../../compiler/ir/text.ts';
import { checkGraph } from '../../compiler/ir/verify.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { runPipeline } from '../../passes/manager.ts';
import type { PassInvocation, Sample } from '../../passes/pass.ts';
import type { Trace } from '../../runtime/diff/trace.ts';
import { contractOf } from '../../runtime/diff/trace.ts';

/** The values of a graph after some passes. */
export function traceOf(graph: Graph, passes: readonly PassInvocation[], samples: readonly Sample[]): Trace {
  const { graph: result, rearranged } = runPipeline(graph, passes);
  const valuesOn = (sample: Sample): ReadonlyMap<string, Tensor> =>
    new Map([...evaluateGraph(result, sample, { keep: 'all' })].filter(([name]) => result.node(name).kind !== 'constant'));
  return { graph: checkGraph(result), layouts: rearranged, contract: contractOf(passes), values: samples.map(valuesOn) };
}

/** A graph of stage imported from the lines of its body. */
export function graphOf(body: string): Graph {
  return checkGraph(parseGraph(`graph @g stage(imported) {\n${body}\n}`, { file: 'test' }));
}
