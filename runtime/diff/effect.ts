/** What a change of one value does to the outputs. */
import { evaluateNode } from '../../compiler/ir/evaluate.ts';
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';

/** Computes anew what depends on one value; the dependants of each value are looked up once. */
export class Propagation {
  readonly #graph: Graph;
  readonly #dependants = new Map<string, readonly OpNode[]>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Values of the graph's outputs, in order, if `name` had `value` and everything else were `values`. */
  outputs(values: ReadonlyMap<string, Tensor>, name: string, value: Tensor): readonly (Tensor | undefined)[] {
    const changed = new Map([[name, value]]);
    const valueOf = (operand: string): Tensor | undefined => {
      const node = this.#graph.find(operand);
      return changed.get(operand) ?? (node?.kind === 'constant' ? node.value : values.get(operand));
    };
    for (const node of this.#dependantsOf(name)) changed.set(node.name, evaluateNode(node, node.inputs.map(valueOf)));
    return this.#graph.outputs.map((output) => valueOf(output.value));
  }

  /** In graph order. */
  #dependantsOf(name: string): readonly OpNode[] {
    const known = this.#dependants.get(name);
    if (known) return known;
    const reached = new Set([name]);
    const found = this.#graph.ops.filter((node) => {
      if (node.name === name || !node.inputs.some((input) => reached.has(input))) return false;
      reached.add(node.name);
      return true;
    });
    this.#dependants.set(name, found);
    return found;
  }
}
