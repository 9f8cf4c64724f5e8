/** Evaluating a part of a graph from given values, for errors that are one rewrite's own. */
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { Magnitude } from '../../compiler/ir/op.ts';
import { evaluateNode } from '../../compiler/ir/evaluate.ts';
import { opRecord } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { numbers } from './compare.ts';

/** A value and the magnitude of what was added up to get it. */
export interface Evaluated {
  readonly tensor: Tensor;
  readonly magnitude: Magnitude;
}

/**
 * The least magnitude of a term: below it products round by an absolute 2⁻¹⁵⁰, which is 2⁻²⁴ of this, and no longer by a share of their value.
 */
const LEAST_TERM = 2 ** -126;

/**
 * Computes the value `root` from the values in `cut`: they are taken as given wherever another value depends on them,
 * and everything between them and the root is evaluated.
 */
export function evaluateCone(graph: Graph, root: string, cut: ReadonlyMap<string, Tensor>): Evaluated {
  const done = new Map<string, Evaluated>();

  const value = (name: string): Evaluated => {
    const known = done.get(name);
    if (known) return known;
    const result = compute(name);
    done.set(name, result);
    return result;
  };
  const compute = (name: string): Evaluated => {
    const node = graph.node(name);
    const given = name === root && node.kind === 'op' ? undefined : cut.get(name);
    if (given) return leaf(given);
    if (node.kind === 'constant') return leaf(node.value);
    if (node.kind === 'input') throw new Error(`input %${name} has no value`);
    return applyOp(
      node,
      node.inputs.map((input) => (input === '' ? undefined : value(input))),
    );
  };
  return value(root);
}

function leaf(tensor: Tensor): Evaluated {
  return { tensor, magnitude: { terms: numbers(tensor).map(floor), count: 1 } };
}

function applyOp(node: OpNode, operands: readonly (Evaluated | undefined)[]): Evaluated {
  const tensors = operands.map((operand) => operand?.tensor);
  const magnitude = opRecord(node.op).magnitude(
    operands.map((operand) => operand?.magnitude),
    tensors.map((tensor) => tensor?.type),
    node.attributes,
    node.type,
  );
  return {
    tensor: evaluateNode(node, tensors),
    magnitude: { terms: magnitude.terms.map(floor), count: magnitude.count },
  };
}

function floor(term: number): number {
  return Math.max(Math.abs(term), LEAST_TERM);
}
