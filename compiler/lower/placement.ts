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
  /** Whether the host executes an op, so that the machine does not read its operand. */
  readonly onHost: (node: OpNode) => boolean;
  /** Whether code can write and read rows that are apart. */
  readonly strided: boolean;
  /** Values that the host reads at the end of the program. */
  readonly readByHost: ReadonlySet<string>;
}

/** What is read of a value, of the views of it, and of all that stands in the same memory. */
interface Reads {
  /** Position of the last op of the machine that reads it; -1 where none does. */
  readonly last: number;
  readonly byHost: boolean;
}

function joined(a: Reads, b: Reads): Reads {
  return { last: Math.max(a.last, b.last), byHost: a.byHost || b.byHost };
}

export class Placements {
  readonly #graph: Graph;
  readonly #queries: PlacementQueries;
  readonly #parts = new Map<string, Part>();
  /** The operands whose memory results take. */
  readonly #hosts = new Map<string, string>();
  readonly #placed = new Map<string, Placed>();
  /** Of each value with its views, and of each root with all that stands in its memory. */
  readonly #reads: ReadonlyMap<string, Reads>;
  readonly #readsOfRoots = new Map<string, Reads>();

  constructor(graph: Graph, queries: PlacementQueries) {
    this.#graph = graph;
    this.#queries = queries;
    this.#reads = readsOf(graph, queries);
    // The last first, so that a concatenation of concatenations is one.
    for (const node of graph.ops.toReversed()) if (node.op === 'concat') this.#adopt(node);
    for (const [position, node] of graph.ops.entries()) {
      if (queries.worksInPlace(node) && !this.isPart(node.name) && !graph.isOutput(node.name)) this.#takeOver(node, position);
      // In order, so that a chain of views or of sums in place is followed one step at a time.
      if (!queries.onHost(node)) this.of(node.name);
    }
  }

  /** Whether a value is computed where it stands in a concatenation. */
  isPart(name: string): boolean {
    return this.#parts.has(name);
  }

  of(name: string): Placed {
    const known = this.#placed.get(name) ?? this.#locate(name);
    this.#placed.set(name, known);
    return known;
  }

  #locate(name: string): Placed {
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
    const { root, pitch } = this.of(concat.name);
    const wholeIsApart = pitch !== typeBytes({ element: concat.type.element, shape: concat.type.shape.slice(-1) });
    const times = new Map<string, number>();
    for (const input of concat.inputs) times.set(input, (times.get(input) ?? 0) + 1);
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
      if (part.rows > 1 && !this.#queries.strided) continue;
      if (writesBlocks && (part.rows > 1 || wholeIsApart)) continue;
      if (times.get(name) !== 1 || !this.#canStandApart(name, concat)) continue;
      this.#parts.set(name, part);
      this.#share(root.name, name);
    }
  }

  #readsOf(name: string): Reads {
    return this.#reads.get(name) ?? { last: -1, byHost: false };
  }

  #readsOfRoot(root: string): Reads {
    return this.#readsOfRoots.get(root) ?? this.#readsOf(root);
  }

  /** Takes note that a value stands in the memory of a root. */
  #share(root: string, name: string): void {
    this.#readsOfRoots.set(root, joined(this.#readsOfRoot(root), this.#readsOf(name)));
  }

  /** Lets an op write its result over an operand, where there is one that is free. */
  #takeOver(node: OpNode, position: number): void {
    const host = node.inputs.find((input) => this.#isFree(input, node, position));
    if (host === undefined) return;
    this.#hosts.set(node.name, host);
    this.#share(this.of(host).root.name, node.name);
  }

  /** Whether a value has computed memory of its own, like the node's result, that nothing reads after the node. */
  #isFree(name: string, node: OpNode, position: number): boolean {
    const { root } = this.of(name);
    if (root.kind !== 'op' || !sameType(this.#graph.node(name).type, node.type)) return false;
    if (typeBytes(root.type) !== typeBytes(node.type)) return false;
    const { last, byHost } = this.#readsOfRoot(root.name);
    return !byHost && last <= position;
  }

  #canStandApart(name: string, concat: OpNode): boolean {
    const node = this.#graph.node(name);
    if (node.kind !== 'op' || this.#parts.has(name) || this.#queries.readByHost.has(name)) return false;
    if (node.op !== 'concat' && !this.#queries.computes(node)) return false;
    return this.#graph.users(name).every((user) => user === concat || this.#queries.computes(user));
  }
}

/** What reads each value; what reads a view reads what it is a view of. */
function readsOf(graph: Graph, { viewed, onHost, readByHost }: PlacementQueries): ReadonlyMap<string, Reads> {
  const reads = new Map<string, Reads>([...readByHost].map((name) => [name, { last: -1, byHost: true }]));
  const note = (name: string, found: Reads): void => void reads.set(name, joined(reads.get(name) ?? found, found));
  for (const [position, node] of [...graph.ops.entries()].reverse()) {
    const whole = viewed(node);
    for (const input of node.inputs)
      if (input === whole) note(input, reads.get(node.name) ?? { last: -1, byHost: false });
      else if (!onHost(node)) note(input, { last: position, byHost: false });
  }
  return reads;
}
