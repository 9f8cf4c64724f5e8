/**
 * The rewrite driver: applies named local rules until none applies any more.
 *
 * A rule looks at one node (its root) and at what stands upstream of it, and names a value that can take the root's place. Nodes are
 * visited in graph order and rules tried in list order, so the result is deterministic. The replacement keeps the replaced value's
 * name, so that values can be compared before and after by name; new nodes on the way to it are called `name/suffix`.
 */
import { fail } from '../compiler/ir/diagnostic.ts';
import { budgetHint, memoryBudget, printBytes } from '../runtime/budget.ts';
import type { Attributes, Graph, OpNode } from '../compiler/ir/graph.ts';
import type { OpName } from '../compiler/ir/ops.ts';
import type { Tensor } from '../compiler/ir/tensor.ts';
import type { TensorType } from '../compiler/ir/types.ts';
import { printType, sameType } from '../compiler/ir/types.ts';
import type { PassContext } from './pass.ts';
import { WorkingGraph } from './working-graph.ts';

/** What a rule may ask and make. Nothing that it makes is part of the graph until the driver commits the rewrite. */
export interface Rewriter {
  /** The op node that computes a value; undefined for graph inputs and constants. */
  producer(name: string): OpNode | undefined;
  /** A constant's tensor; undefined for any other value. */
  constant(name: string): Tensor | undefined;
  type(name: string): TensorType;
  /** The op nodes that read a value. */
  users(name: string): readonly OpNode[];
  /** Whether `node` is all that reads the value: no other node, and no graph output. */
  isOnlyUser(name: string, node: OpNode): boolean;
  isOutput(name: string): boolean;
  /**
   * Makes an op node and gives the name of its value: the root's name, for the replacement, or `root/suffix`.
   * The replacement's origin is the union of those of the nodes that it makes superfluous; `computes` adds more nodes to it.
   */
  make(
    op: OpName,
    inputs: readonly string[],
    attributes?: Attributes,
    details?: { readonly suffix?: string; readonly computes?: readonly OpNode[] },
  ): string;
  /** Takes the bytes of a constant that is to be made out of the memory budget, enlarged by what the graph contains; false where not so many are left. */
  affords(bytes: number): boolean;
  /** Makes a constant called as `make` calls its values, and gives its name. */
  makeConstant(value: Tensor, suffix?: string): string;
}

/** Fails where a constant that a node cannot do without takes more than is left of the memory budget; `what` begins the message. */
export function requireAffordable(rewriter: Rewriter, bytes: number, node: OpNode, what: string): void {
  if (rewriter.affords(bytes)) return;
  const message = `${what} takes ${printBytes(bytes)}: more than is left of the memory budget of ${printBytes(memoryBudget())}`;
  fail('unsupported', 'legalize/constant-size', message, { place: [`%${node.name}`], hint: budgetHint() });
}

export interface Rule {
  readonly name: string;
  /** What becomes what, in one line. */
  readonly doc: string;
  /** Ops of the roots that the rule looks at. */
  readonly ops: readonly OpName[];
  /** The value to use in place of the node's, or undefined where the rule does not apply. */
  apply(node: OpNode, rewriter: Rewriter): string | undefined;
}

export function rule(name: string, fields: Omit<Rule, 'name'>): Rule {
  return { name, ...fields };
}

/** Rewrites that a run may make for each node that the graph has at the start; more are taken for a loop. */
const BUDGET_PER_NODE = 32;

/** Applies the rules to a fixed point. Gives the same graph when none applied. */
export function rewrite(graph: Graph, rules: readonly Rule[], context: PassContext): Graph {
  const working = new WorkingGraph(graph);
  const budget = BUDGET_PER_NODE * Math.max(8, graph.nodes.length);
  let rewrites = 0;

  const applyOne = (name: string): boolean => {
    const node = working.producer(name);
    if (!node) return false;
    for (const each of rules) {
      if (!each.ops.includes(node.op)) continue;
      const replacement = working.attempt(node, each);
      if (!replacement || !context.allow(each.name, name)) continue;
      if (++rewrites > budget)
        fail('violated', 'rewrite/loop', `rewriting does not end: the rule ${each.name} still applied after ${budget} rewrites`, {
          place: [`%${name}`],
        });
      const type = working.typeOf(replacement);
      if (!sameType(type, node.type))
        fail('violated', 'rewrite/type', `the rule ${each.name} puts ${printType(type)} in the place of ${printType(node.type)}`, {
          place: [`%${name}`],
        });
      working.commit(node, replacement);
      context.count(each.name);
      return true;
    }
    return false;
  };

  for (let before = -1; before !== rewrites;) {
    before = rewrites;
    for (const name of working.order()) while (applyOne(name));
  }
  return rewrites === 0 ? graph : working.graph();
}
