/** Constants of products. */
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import { isProduct } from './convert.ts';

/** The value of a constant. */
export function constantOf(graph: Graph, name: string): Tensor {
  const node = graph.node(name);
  if (node.kind !== 'constant') throw new Error(`%${name} is no constant`);
  return node.value;
}

/** Why a product cannot be converted: its weights or its bias are computed. */
export function needsConstantWeights(graph: Graph): (node: OpNode) => string | undefined {
  return (node) => {
    const computed = node.inputs.slice(1).some((input) => graph.find(input)?.kind !== 'constant');
    return isProduct(node) && computed ? 'has computed weights or a computed bias' : undefined;
  };
}

/** The bias of a product, one number for each of its channels; zeros where it has none. */
export function biasOf(graph: Graph, { inputs: [, , bias] }: OpNode, channels: number): Float64Array {
  const values = bias === undefined ? undefined : floats(constantOf(graph, bias));
  return Float64Array.from({ length: channels }, (_, c) => values?.[values.length === 1 ? 0 : c] ?? 0);
}
