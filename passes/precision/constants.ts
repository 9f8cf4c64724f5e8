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

/** Why a product cannot be converted: its weights or its bias are computed, or no numbers that another type could hold. */
export function needsConstantWeights(graph: Graph): (node: OpNode) => string | undefined {
  return (node) => {
    if (!isProduct(node)) return undefined;
    const parameters = node.inputs.slice(1).map((input) => graph.find(input));
    if (parameters.some((parameter) => parameter?.kind !== 'constant')) return 'has computed weights or a computed bias';
    const isFinite = (value: Tensor): boolean => value.type.element !== 'f32' || floats(value).every(Number.isFinite);
    return parameters.every((parameter) => parameter?.kind !== 'constant' || isFinite(parameter.value))
      ? undefined
      : 'has weights or a bias that are not finite';
  };
}

/** The bias of a product, one number for each of its channels; zeros where it has none. */
export function biasOf(graph: Graph, { inputs: [, , bias] }: OpNode, channels: number): Float64Array {
  const values = bias === undefined ? undefined : floats(constantOf(graph, bias));
  return Float64Array.from({ length: channels }, (_, c) => values?.[values.length === 1 ? 0 : c] ?? 0);
}
