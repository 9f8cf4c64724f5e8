/**
 * Where values stand in DRAM: by themselves, as a view of another value, as a part of the concatenation that they go into, so that concatenating
 * moves nothing, or in place of an operand that nothing reads any more, as the sums of a residual network do.
 */
import { elementCount, sameType, typeBytes } from '../ir/types.ts';
import type { Graph, Node, OpNode } from '../ir/graph.ts';
import { joinedAxis } from '../ir/ops/shape.ts';

/** A place relative to the start of the value that has memory of its own. */
export interface Placed {
  /** The graph's value that has the memory. */
  readonly root: Node;
  readonly offset: number;
  /** Bytes from one row of the value's last dimension to the next. */
  readonly pitch: number;
}

/** How an operand of a concatenation stands in it. */
export interface Part {
  readonly concat: OpNode;
  /** Rows of the operand, the bytes of one, and how far apart they are in the result. */
  readonly rows: number;
  readonly rowBytes: number;
  readonly resultRowBytes: number;
  /** Bytes from the start of the result. */
  readonly offset: number;
}

/** The parts of a concatenation in the order of its operands. */
export function partsOf(concat: OpNode, graph: Graph): readonly Part[] {
  const { shape, element } = concat.type;
  const axis = joinedAxis(shape, Number(concat.attributes.axis));
  const rows = elementCount(shape.slice(0, axis));
  let offset = 0;
  return concat.inputs.map((input) => {
    const rowBytes = typeBytes({ element, shape: graph.node(input).type.shape.slice(axis) });
    const part = { concat, rows, rowBytes, resultRowBytes: typeBytes({ element, shape: shape.slice(axis) }), offset };
    offset += rowBytes;
    return part;
  });
}

export interface PlacementQueries {
  /** The operand that a value is nothing but a view of, or undefined. */
  readonly viewed: (node: OpNode) => string | undefined;
  /** Whether an op computes its result with code of its own, which can write rows that are apart. */
  readonly computes: (node: OpNode) => boolean;
  /** Whether an op has read each element of an operand before it writes the result's element there. */
  readonly worksInPlace: (node: OpNode) => boolean;
}

export class Placements {
  readonly #graph: Graph;
  readonly #queries: PlacementQueries;
  readonly #parts = new Map<string, Part>();
  /** The operands whose memory results take. */
  readonly #hosts = new Map<string, string>();

  constructor(graph: Graph, queries: PlacementQueries) {
    this.#graph = graph;
    this.#queries = queries;
    // The last first, so that a concatenation of concatenations is one.
    for (const node of graph.ops.toReversed()) if (node.op === 'concat') this.#adopt(node);
    const order = new Map(graph.ops.map((node, i) => [node.name, i]));
    for (const node of graph.ops) {
      if (!queries.worksInPlace(node) || this.isPart(node.name) || graph.isOutput(node.name)) continue;
      const host = node.inputs.find((input) => this.#isFree(input, node, order));
      if (host !== undefined) this.#hosts.set(node.name, host);
    }
  }

  /** Whether a value is computed where it stands in a concatenation. */
  isPart(name: string): boolean {
    return this.#parts.has(name);
  }

  of(name: string): Placed {
    const node = this.#graph.node(name);
    const { type } = node;
    const dense = typeBytes({ element: type.element, shape: type.shape.slice(-1) });
    const viewed = node.kind === 'op' ? this.#queries.viewed(node) : undefined;
    if (viewed !== undefined) {
      const { root, offset } = this.of(viewed);
      // Only values in one piece are viewed.
      return { root, offset, pitch: dense };
    }
    const host = this.#hosts.get(name);
    if (host !== undefined) return this.of(host);
    const part = this.#parts.get(name);
    if (!part) return { root: node, offset: 0, pitch: dense };
    const whole = this.of(part.concat.name);
    return { root: whole.root, offset: whole.offset + part.offset, pitch: part.rows === 1 ? dense : whole.pitch };
  }

  #adopt(concat: OpNode): void {
    const inner = concat.type.shape.slice(joinedAxis(concat.type.shape, Number(concat.attributes.axis)) + 1);
    const wholeIsApart = this.of(concat.name).pitch !== typeBytes({ element: concat.type.element, shape: concat.type.shape.slice(-1) });
    for (const [i, part] of partsOf(concat, this.#graph).entries()) {
      // Rows of the last dimension that are apart, or one piece; rows of several dimensions that are apart have no such form.
      if (inner.length > 0 && (part.rows > 1 || wholeIsApart)) continue;
      const name = concat.inputs[i] ?? '';
      const member = this.#graph.node(name);
      // A concatenation along another dimension than the last writes whole blocks of rows, which must not be apart.
      const writesBlocks =
        member.kind === 'op' &&
        member.op === 'concat' &&
        joinedAxis(member.type.shape, Number(member.attributes.axis)) !== member.type.shape.length - 1;
      if (writesBlocks && (part.rows > 1 || wholeIsApart)) continue;
      if (this.#canStandApart(name, concat)) this.#parts.set(name, part);
    }
  }

  /** Whether a value has computed memory of its own, like the node's result, that nothing reads after the node. */
  #isFree(name: string, node: OpNode, order: ReadonlyMap<string, number>): boolean {
    const { root } = this.of(name);
    if (root.kind !== 'op' || !sameType(this.#graph.node(name).type, node.type)) return false;
    if (typeBytes(root.type) !== typeBytes(node.type)) return false;
    const isDone = (reader: OpNode): boolean =>
      this.#queries.viewed(reader) !== undefined || (order.get(reader.name) ?? Infinity) <= (order.get(node.name) ?? -1);
    return this.#graph.ops
      .filter((member) => this.of(member.name).root === root)
      .every((member) => !this.#graph.isOutput(member.name) && this.#graph.users(member.name).every(isDone));
  }

  #canStandApart(name: string, concat: OpNode): boolean {
    const node = this.#graph.node(name);
    if (node.kind !== 'op' || this.#parts.has(name) || this.#graph.isOutput(name)) return false;
    if (node.op !== 'concat' && !this.#queries.computes(node)) return false;
    if (concat.inputs.filter((input) => input === name).length > 1) return false;
    return this.#graph.users(name).every((user) => user === concat || this.#queries.computes(user));
  }
}
