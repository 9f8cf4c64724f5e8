/** Properties of graphs that passes require or establish; each can be checked on a graph by itself. */
import { isFixed, isQuantized } from '../runtime/numerics/element.ts';
import { isNarrow } from '../runtime/numerics/narrow.ts';
import type { Graph, OpNode } from '../compiler/ir/graph.ts';
import { hasTrait } from '../compiler/ir/ops.ts';
import { isOnHost } from '../compiler/ir/ports.ts';
import { verifyGraph } from '../compiler/ir/verify.ts';
import { printDiagnostic } from '../compiler/ir/diagnostic.ts';

interface PropertyRecord {
  /** Words that follow `a graph`. */
  readonly doc: string;
  /** How to get there, one sentence for the user. */
  readonly hint: string;
  /** What keeps the graph from having the property, a clause; undefined when it has it. */
  violation(graph: Graph): string | undefined;
}

/** The first op node that `breaks` it, in words. */
function firstOp(breaks: (node: OpNode) => boolean, words: (node: OpNode) => string): (graph: Graph) => string | undefined {
  return (graph) => {
    const found = graph.ops.find(breaks);
    return found && words(found);
  };
}

/** Whether an op gives a narrow float, fixed point or quantized integers. */
export function isReduced({ type: { element } }: OpNode): boolean {
  return isFixed(element) || isQuantized(element) || isNarrow(element);
}

export const PROPERTIES = {
  live: {
    doc: 'free of operations and constants that no output depends on',
    hint: 'run eliminate-dead before',
    violation(graph) {
      const dead = graph.nodes.find((node) => node.kind !== 'input' && graph.users(node.name).length === 0 && !graph.isOutput(node.name));
      return dead && `nothing reads %${dead.name}`;
    },
  },
  float: {
    doc: 'without values in narrow floats, fixed point or quantized, but for what the host converts and converts back',
    hint: 'the graph has been converted already',
    violation: firstOp(
      (node) => isReduced(node) && !isOnHost(node),
      (node) => `%${node.name} has the element type ${node.type.element}`,
    ),
  },
  unconverted: {
    doc: 'that computes in f32 only, though it may convert, move and choose elements of other types',
    hint: 'the graph has been converted already',
    violation: firstOp(
      (node) => isReduced(node) && !hasTrait(node.op, 'conversion', 'moving', 'selecting'),
      (node) => `%${node.name}, ${node.op}, has the element type ${node.type.element}`,
    ),
  },
  fixed: {
    doc: 'computed in 16-bit fixed point, conversions at inputs and outputs aside',
    hint: 'run to-fixed-point before',
    violation: firstOp(
      (node) => node.type.element === 'f32' && node.op !== 'dequantize' && !isOnHost(node),
      (node) => `%${node.name}, ${node.op}, computes in f32`,
    ),
  },
  legal: {
    doc: 'in the form that lowering accepts',
    hint: 'run legalize-layout before',
    violation(graph) {
      const [problem] = graph.stage === 'legal' ? verifyGraph(graph) : [];
      return graph.stage === 'legal' ? problem && printDiagnostic(problem) : `its stage is ${graph.stage}`;
    },
  },
} as const satisfies Readonly<Record<string, PropertyRecord>>;

export type Property = keyof typeof PROPERTIES;
