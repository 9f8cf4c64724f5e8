/** The work that a model asks for, whatever a compiler makes of it. */
import type { Graph } from '../../compiler/ir/graph.ts';
import { opRecord } from '../../compiler/ir/ops.ts';

/** Multiply-accumulates of one evaluation of a graph, by the op table. */
export function graphMacs(graph: Graph): number {
  let macs = 0;
  for (const { op, inputs, attributes, type } of graph.ops) {
    const operands = inputs.map((name) => graph.find(name)?.type);
    macs += opRecord(op).macs(operands, attributes, type);
  }
  return macs;
}
