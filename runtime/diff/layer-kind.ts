/** What tables call a node. */
import type { Graph, Node } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { isDepthwise } from '../../compiler/ir/ops/spatial.ts';

/** An op; convolutions of single channels apart, since they lose most to weights of one scale. `constant` where nothing is computed. */
export type LayerKind = OpName | 'depthwise-conv' | 'constant';

export function layerKind(node: Node, graph: Graph): LayerKind {
  if (node.kind !== 'op') return 'constant';
  if (node.op !== 'conv') return node.op;
  const { groups, layout } = node.attributes;
  const channels = layout === 'nchw' ? 1 : 3;
  const [before, after] = [graph.node(node.inputs[0] ?? '').type, node.type].map(({ shape }) => shape[channels] ?? 1);
  return isDepthwise(Number(groups), before ?? 1, after ?? 1) ? 'depthwise-conv' : 'conv';
}
