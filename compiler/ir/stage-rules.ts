/** What may exist in a graph at each stage, as a table of rules. A stage without rules admits everything that the op table does. */
import type { Graph, Node, OpNode, Stage } from './graph.ts';
import type { OpName } from './ops.ts';
import { PORT_OPS, hostSides, isOnHost } from './ports.ts';

export interface StageRule {
  /** Stable, part of the diagnostic's code. */
  readonly code: string;
  readonly stages: readonly Stage[];
  readonly doc: string;
  /** What a node breaks the rule with, a clause that follows 'in a graph of stage S'; undefined when it keeps to it. */
  readonly violation: (node: Node, graph: Graph) => string | undefined;
}

/** A rule about the nodes of some ops: `keeps` tells whether a node is as it should be. */
function opRule(
  fields: Omit<StageRule, 'violation'> & { readonly ops: readonly OpName[]; readonly keeps: (node: OpNode, graph: Graph) => boolean },
): StageRule {
  const { ops, keeps, ...rule } = fields;
  return {
    ...rule,
    violation: (node, graph) =>
      node.kind === 'op' && ops.includes(node.op) && !keeps(node, graph) ? `${node.op}: ${rule.doc}` : undefined,
  };
}

/** Ops whose second operand are weights that the compiler packs for the machine. */
const WEIGHTED: readonly OpName[] = ['conv', 'gemm'];

export const STAGE_RULES: readonly StageRule[] = [
  opRule({
    code: 'identity',
    stages: ['legal'],
    doc: 'only an output that no op computes is copied',
    ops: ['identity'],
    keeps: (node, graph) => graph.users(node.name).every(isOnHost),
  }),
  opRule({
    code: 'device',
    stages: ['legal'],
    doc: 'the host executes only what stands between an input and its one reader, or in front of outputs alone',
    ops: PORT_OPS,
    keeps: (node, graph) => !isOnHost(node) || hostSides(graph).has(node.name),
  }),
  opRule({
    code: 'batch-norm',
    stages: ['legal'],
    doc: 'normalisation is folded into its producer or written as mul and add',
    ops: ['batch-norm'],
    keeps: () => false,
  }),
  opRule({
    code: 'layout',
    stages: ['legal'],
    doc: 'images are NHWC',
    ops: ['conv', 'max-pool', 'average-pool', 'lrn'],
    keeps: (node) => node.attributes.layout === 'nhwc',
  }),
  opRule({
    code: 'weights',
    stages: ['legal'],
    doc: 'weights are constants',
    ops: WEIGHTED,
    keeps: (node, graph) => graph.find(node.inputs[1] ?? '')?.kind === 'constant',
  }),
  opRule({
    code: 'gemm-form',
    stages: ['legal'],
    doc: 'operands are not transposed and alpha = beta = 1',
    ops: ['gemm'],
    keeps: ({ attributes: { trans_a, trans_b, alpha, beta } }) => trans_a === false && trans_b === false && alpha === 1 && beta === 1,
  }),
];
