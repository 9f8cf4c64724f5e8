/** Equality of graphs: the same nodes, types, attributes, bits and names in the same order. */
import { sameAttributes } from './attributes.ts';
import type { Graph, Node, OpNode } from './graph.ts';
import type { Tensor } from './tensor.ts';
import { dataBytes } from './tensor.ts';
import { sameType } from './types.ts';

/** Whether two tensors have the same type and the same bits. */
export function equalTensors(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  if (!sameType(a.type, b.type)) return false;
  const [x, y] = [dataBytes(a), dataBytes(b)];
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
}

const sameList = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((each, i) => each === b[i]);

/** Whether two ops do the same with values of the same names. */
export function sameOperation(a: OpNode, b: OpNode): boolean {
  return a.op === b.op && sameList(a.inputs, b.inputs) && sameAttributes(a.attributes, b.attributes) && sameType(a.type, b.type);
}

/** How many ops differ: those of `after` that `before` has not, or not with the same operands and constants, and those that are gone. */
export function countChangedOps(before: Graph, after: Graph): number {
  const sameConstant = (name: string): boolean => {
    const [old, now] = [before.find(name), after.find(name)];
    return old?.kind !== 'constant' || now?.kind !== 'constant' || equalTensors(old.value, now.value);
  };
  const changed = after.ops.filter((node) => {
    const old = before.find(node.name);
    return old?.kind !== 'op' || !sameOperation(old, node) || !node.inputs.every(sameConstant);
  });
  const gone = before.ops.filter(({ name }) => after.find(name)?.kind !== 'op');
  return changed.length + gone.length;
}

function equalNodes(a: Node, b: Node): boolean {
  if (a.name !== b.name || !sameType(a.type, b.type)) return false;
  if (a.kind === 'constant') return b.kind === 'constant' && equalTensors(a.value, b.value);
  if (a.kind === 'input') return b.kind === 'input';
  return b.kind === 'op' && sameOperation(a, b) && sameList(a.origin, b.origin);
}

export function equalGraphs(a: Graph, b: Graph): boolean {
  return (
    a.name === b.name &&
    a.stage === b.stage &&
    a.nodes.length === b.nodes.length &&
    a.nodes.every((node, i) => {
      const other = b.nodes[i];
      return other !== undefined && equalNodes(node, other);
    }) &&
    a.outputs.length === b.outputs.length &&
    a.outputs.every((output, i) => output.name === b.outputs[i]?.name && output.value === b.outputs[i].value)
  );
}
