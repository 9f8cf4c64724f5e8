/**
 * Patterns that choose operations: `conv|/features/1/*|logits`. They are separated by `|`; each is a glob, in which `*` stands for any characters and `?`
 * for one. A pattern chooses an operation where it matches the whole name of its op, of its value, or of a source node that it computes.
 */
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { PassContext } from '../pass.ts';

export const KEEP_PARAMETER = {
  kind: 'string',
  default: '',
  doc: 'operations that stay f32: globs, separated by |, of ops, values or source nodes, such as softmax|/features/0/*',
} as const;

function globOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()[\]\\|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}

export class Patterns {
  readonly #globs: readonly (readonly [pattern: string, glob: RegExp])[];

  constructor(text: string) {
    const patterns = text.split('|').filter((pattern) => pattern !== '');
    this.#globs = patterns.map((pattern) => [pattern, globOf(pattern)] as const);
  }

  matches(node: OpNode): boolean {
    return this.#globs.some(([, glob]) => namesOf(node).some((name) => glob.test(name)));
  }

  /** Patterns that choose none of the operations. */
  unused(nodes: readonly OpNode[]): readonly string[] {
    return this.#globs
      .filter(([, glob]) => !nodes.some((node) => namesOf(node).some((name) => glob.test(name))))
      .map(([pattern]) => pattern);
  }
}

/** Tells of patterns that choose nothing of a graph. */
export function warnOfUnused(patterns: Patterns, graph: Graph, context: PassContext): void {
  for (const pattern of patterns.unused(graph.ops)) context.warn(`the pattern ${pattern} matches no operation`);
}

function namesOf({ op, name, origin }: OpNode): readonly string[] {
  return [op, name, ...origin];
}
