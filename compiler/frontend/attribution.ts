/** Which operator of a model a diagnostic is about. */
import type { Diagnostic } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import type { OnnxGraph } from './model.ts';
import { orderNodes } from './order.ts';

/** `Conv`, or `ai.onnx.ml.Scaler` of a domain other than ONNX's own. */
export function qualifiedOperator(domain: string, operator: string): string {
  return domain === '' ? operator : `${domain}.${operator}`;
}

/** Operators by the names that diagnostics and origins call their nodes. Throws `DiagnosticError` where the nodes have no order. */
export function operatorsByNode(graph: OnnxGraph): ReadonlyMap<string, string> {
  return new Map(orderNodes(graph).map(({ name, node: { domain, op } }) => [name, qualifiedOperator(domain, op)]));
}

/** The operator of the first node that a diagnostic's places name, in the model or in a graph made of it; undefined where they name none. */
export function operatorOf({ place = [] }: Diagnostic, byNode: ReadonlyMap<string, string>, graphs: readonly Graph[]): string | undefined {
  const nodes = place.flatMap((entry) => {
    const name = entry.replace(/^%/, '');
    const origins = graphs.flatMap((graph) => {
      const node = graph.find(name);
      return node?.kind === 'op' ? node.origin : [];
    });
    return [name, ...origins];
  });
  return nodes.map((node) => byNode.get(node)).find((operator) => operator !== undefined);
}
