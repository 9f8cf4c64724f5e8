/** The work that a model asks for, whatever a compiler makes of it. */
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import { opRecord } from '../../compiler/ir/ops.ts';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import type { StoredElement } from '../../isa/program.ts';
import { isStoredElement } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { codeOfStored, hasExtension, rateOf } from '../../isa/target.ts';

/** Multiply-accumulates of one evaluation of a graph, by the op table. */
export function graphMacs(graph: Graph): number {
  return graph.ops.reduce((sum, node) => sum + opMacs(graph, node), 0);
}

/**
 * Cycles that the multiply-accumulates of a graph take for each cycle of the 16-bit datapath: the mean of the rates of the element types that
 * they are computed in. Undefined where there are none, or where an element type has no rate.
 */
export function meanRate(graph: Graph, target: Target): number | undefined {
  let [macs, cycles] = [0, 0];
  for (const node of graph.ops) {
    const own = opMacs(graph, node);
    if (own === 0) continue;
    const { element } = graph.node(node.inputs[0] ?? '').type;
    macs += own;
    cycles += own * (isStoredElement(element) ? givenRate(element, target) : NaN);
  }
  const rate = cycles / macs;
  return Number.isFinite(rate) ? rate : undefined;
}

/** NaN where the target computes nothing in the type. */
function givenRate(element: StoredElement, target: Target): number {
  const code = codeOfStored(element, target);
  const { extension } = ELEMENT_CODES[code];
  return extension === undefined || hasExtension(target, extension) ? rateOf(target, code) : NaN;
}

function opMacs(graph: Graph, { op, inputs, attributes, type }: OpNode): number {
  const operands = inputs.map((name) => graph.find(name)?.type);
  return opRecord(op).macs(operands, attributes, type);
}
