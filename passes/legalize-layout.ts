import { DiagnosticError } from '../compiler/ir/diagnostic.ts';
import { equalGraphs } from '../compiler/ir/equal.ts';
import type { Graph } from '../compiler/ir/graph.ts';
import { verifyGraph } from '../compiler/ir/verify.ts';
import { liveNodes } from './eliminate-dead.ts';
import { Layouter } from './layout/layouter.ts';
import { layOut, wantedAsImages } from './layout/operations.ts';
import { assignPorts } from './layout/ports.ts';
import type { PassContext } from './pass.ts';
import { pass } from './pass.ts';
import { rewrite } from './rewrite.ts';
import { BROADCAST_RULES, NORMAL_FORM_RULES } from './rules/legal.ts';
import { VIEW_RULES } from './rules/views.ts';

/*
 * The bound, in units of u = 2⁻²⁴, for a product of K terms whose absolute values sum up to S. Weights whose rows are put in another order
 * change the order of additions only: before and after, a term is rounded at most K times, and by the bias once more. With alpha, a term is
 * rounded K + 1 times both when the sum is multiplied and when the weight is. With a bias that is at most (2K + 4)·u·S between the two to
 * first order, and the magnitude counts k ≥ K + 2, so 2k suffices; the third k covers the terms in u² up to K of 2²².
 * Images in another layout keep every bit, because convolutions add their taps in the same order in both.
 */
const BOUND = 3;

export const legalizeLayout = pass({
  name: 'legalize-layout',
  doc: 'Brings a graph into the form that lowering accepts: images NHWC, weights H×W×I×O and K×N; what the host does at inputs and outputs is decided, and outputs that no op computes are copied.',
  meaning: 'reassociates',
  bound: BOUND,
  requires: [],
  establishes: ['legal', 'live'],
  params: {},
  rules: [...NORMAL_FORM_RULES, ...BROADCAST_RULES],
  mandatory: true,
  idempotent: true,
  run(graph, _params, context) {
    const normal = rewrite(graph, NORMAL_FORM_RULES, context);
    // Transposes that the layout put in meet those of the model.
    const laidOut = rewrite(withLayout(normal, context), [...VIEW_RULES, ...BROADCAST_RULES], context);
    const result = assignPorts(laidOut);
    refuseIllegal(result);
    return equalGraphs(result, graph) ? graph : result;
  },
});

/** The same computation on NHWC images. Inputs and outputs keep their types. */
function withLayout(graph: Graph, context: PassContext): Graph {
  const layouter = new Layouter(graph, context);
  const wanted = wantedAsImages(graph.ops, (name) => graph.node(name).type);
  for (const node of graph.nodes) {
    if (node.kind === 'op') layOut(node, layouter, wanted);
    else layouter.alias(node.name, layouter.writer.copy(node));
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: layouter.plain(value) }));
  const result = layouter.writer.finish('legal', outputs);
  return result.with({ nodes: liveNodes(result) });
}

/** What the graph cannot be brought into the legal form for is something that the user's model has and the compiler does not. */
function refuseIllegal(graph: Graph): void {
  const problems = verifyGraph(graph).filter(({ code }) => code.startsWith('ir/stage/'));
  if (problems.length > 0)
    throw new DiagnosticError(
      problems.map((problem) => ({ ...problem, kind: 'unsupported', code: problem.code.replace('ir/stage/', 'legalize-layout/') })),
    );
}
