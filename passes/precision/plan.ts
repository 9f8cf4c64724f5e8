/** Which operations of a float graph are to compute in another element type. */
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { hasTrait } from '../../compiler/ir/ops.ts';
import { isOnHost } from '../../compiler/ir/ports.ts';
import type { PassContext } from '../pass.ts';
import { Patterns, warnOfUnused } from './patterns.ts';

/** Whether an operation only moves, chooses or clamps elements: such follow what is around them. */
export function follows({ op }: OpNode): boolean {
  return hasTrait(op, 'moving', 'selecting');
}

export interface PlanOptions {
  /** What the new type is called in messages. */
  readonly form: string;
  /** Ops that compute in the new type. */
  readonly computes: readonly OpName[];
  readonly keep: string;
  /** Why an operation of these has to stay f32; undefined where it need not. */
  readonly refuses: (node: OpNode) => string | undefined;
}

/** The operations that are converted. What is not, though not for a pattern, is counted and named. */
export function planConversion(graph: Graph, context: PassContext, { form, computes, keep, refuses }: PlanOptions): ReadonlySet<string> {
  const patterns = new Patterns(keep);
  warnOfUnused(patterns, graph, context);
  const staying = new Map<string, string[]>();
  const stays = (node: OpNode, why: string): false => {
    const reason = `${node.op} ${why}`;
    staying.set(reason, [...(staying.get(reason) ?? []), node.name]);
    return false;
  };
  const isFloat = (name: string): boolean => name === '' || graph.node(name).type.element === 'f32';
  const eligible = graph.ops.filter((node) => {
    // The host moves inputs before it converts them, and outputs after.
    if (node.op === 'identity' || isOnHost(node)) return false;
    if (patterns.matches(node)) {
      context.count('kept f32');
      return false;
    }
    if (![node.name, ...node.inputs].every(isFloat)) return false;
    if (!computes.includes(node.op) && !follows(node)) return stays(node, `has no form in ${form}`);
    const why = refuses(node);
    return why === undefined || stays(node, why);
  });
  for (const [reason, names] of staying) {
    context.count('stays f32', names.length);
    const shown = names.slice(0, 3).map((name) => `%${name}`);
    context.warn(`${reason} and stays f32: ${shown.join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`);
  }
  const wanted = worthwhile(graph, eligible, computes);
  const planned = eligible.filter((node) => wanted.has(node.name) && context.allow('convert', node.name));
  context.count('converted', planned.length);
  return new Set(planned.map(({ name }) => name));
}

/** Ops that compute, and those that only follow where a neighbour is converted; what is free stays with those that read it. */
function worthwhile(graph: Graph, eligible: readonly OpNode[], computes: readonly OpName[]): ReadonlySet<string> {
  const wanted = new Set(eligible.filter(({ op }) => computes.includes(op)).map(({ name }) => name));
  const following = eligible.filter(follows);
  for (const node of following.toReversed()) if (graph.users(node.name).some(({ name }) => wanted.has(name))) wanted.add(node.name);
  for (const node of following) if (!hasTrait(node.op, 'view') && node.inputs.some((input) => wanted.has(input))) wanted.add(node.name);
  return wanted;
}
