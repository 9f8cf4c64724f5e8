/** A graph under rewriting: the mutable side of the rewrite driver, with use lists kept up to date. */
import { memoryBudget } from '../runtime/budget.ts';
import type { Attributes, ConstantNode, Graph, GraphOutput, Node, OpNode } from '../compiler/ir/graph.ts';
import { makeOp } from '../compiler/ir/infer.ts';
import { uniqueName } from '../compiler/ir/names.ts';
import type { OpName } from '../compiler/ir/ops.ts';
import type { Tensor } from '../compiler/ir/tensor.ts';
import type { TensorType } from '../compiler/ir/types.ts';
import { typeBytes } from '../compiler/ir/types.ts';
import type { Rewriter, Rule } from './rewrite.ts';

/** What a rule made for one root, not yet part of the graph. */
export interface Replacement {
  /** The value that takes the root's place; the root's own name when it is one of `made`. */
  readonly value: string;
  readonly made: readonly (OpNode | ConstantNode)[];
}

/** A constant stands in the graph, in the program and in the program's file. */
const CONSTANT_COPIES = 3;
/** For each byte of constants that the graph has so many are free: what a model contains may be moved and rewritten, whatever its size. */
const FREE_BYTES_PER_BYTE = 16;

const constantBytes = (graph: Graph): number =>
  graph.nodes.reduce((sum, node) => sum + (node.kind === 'constant' ? typeBytes(node.type) : 0), 0);

export class WorkingGraph implements Rewriter {
  readonly #source: Graph;
  readonly #nodes: Map<string, Node>;
  readonly #users = new Map<string, Set<string>>();
  /** The nodes in order, as a list that is linked both ways; '' stands in front of the first and behind the last. */
  readonly #next = new Map<string, string>();
  readonly #previous = new Map<string, string>();
  /** The values of the outputs, and the places of the outputs that have a value. */
  readonly #outputs: string[];
  readonly #outputsOf = new Map<string, readonly number[]>();
  /** The root under rewriting and what its rule has made so far. */
  #root: OpNode | undefined;
  #made: (OpNode | ConstantNode)[] = [];
  /** What is left for constants that are made, in bytes. */
  #affordable: number | undefined;

  constructor(graph: Graph) {
    this.#source = graph;
    this.#nodes = new Map(graph.nodes.map((node) => [node.name, node]));
    let last = '';
    for (const { name } of graph.nodes) {
      this.#link(last, name);
      last = name;
    }
    this.#link(last, '');
    this.#outputs = graph.outputs.map(({ value }) => value);
    for (const [i, value] of this.#outputs.entries()) this.#outputsOf.set(value, [...(this.#outputsOf.get(value) ?? []), i]);
    for (const node of graph.ops) this.#addUses(node);
  }

  /** The value names, in the order of the nodes. */
  order(): readonly string[] {
    const names: string[] = [];
    for (let name = this.#next.get('') ?? ''; name !== ''; name = this.#next.get(name) ?? '') names.push(name);
    return names;
  }

  graph(): Graph {
    const outputs = this.#source.outputs.map(({ name }, i): GraphOutput => ({ name, value: this.#outputs[i] ?? '' }));
    return this.#source.with({ nodes: this.order().map((name) => this.#node(name)), outputs });
  }

  producer(name: string): OpNode | undefined {
    const node = this.#find(name);
    return node?.kind === 'op' ? node : undefined;
  }

  constant(name: string): Tensor | undefined {
    const node = this.#find(name);
    return node?.kind === 'constant' ? node.value : undefined;
  }

  type(name: string): TensorType {
    return this.#node(name).type;
  }

  users(name: string): readonly OpNode[] {
    return [...(this.#users.get(name) ?? [])].flatMap((user) => this.producer(user) ?? []);
  }

  isOnlyUser(name: string, node: OpNode): boolean {
    const users = this.#users.get(name);
    return users?.size === 1 && users.has(node.name) && !this.isOutput(name);
  }

  isOutput(name: string): boolean {
    return this.#outputsOf.has(name);
  }

  make(
    op: OpName,
    inputs: readonly string[],
    attributes: Attributes = {},
    details: { readonly suffix?: string; readonly computes?: readonly OpNode[] } = {},
  ): string {
    const root = this.#rootNode();
    const name = details.suffix === undefined ? root.name : this.#fresh(details.suffix);
    const operandTypes = inputs.map((input) => (input === '' ? undefined : this.type(input)));
    this.#made.push(
      makeOp({ name, op, inputs, operandTypes, attributes, origin: (details.computes ?? []).flatMap((node) => node.origin) }),
    );
    return name;
  }

  affords(bytes: number): boolean {
    this.#affordable ??= memoryBudget() + FREE_BYTES_PER_BYTE * constantBytes(this.#source);
    if (CONSTANT_COPIES * bytes > this.#affordable) return false;
    this.#affordable -= CONSTANT_COPIES * bytes;
    return true;
  }

  makeConstant(value: Tensor, suffix?: string): string {
    const name = suffix === undefined ? this.#rootNode().name : this.#fresh(suffix);
    this.#made.push({ kind: 'constant', name, type: value.type, value });
    return name;
  }

  /** Lets a rule look at a root; what it makes stays outside of the graph. */
  attempt(root: OpNode, rule: Rule): Replacement | undefined {
    this.#root = root;
    this.#made = [];
    const value = rule.apply(root, this);
    const made = this.#made;
    this.#root = undefined;
    this.#made = [];
    return value === undefined ? undefined : { value, made };
  }

  /** The type of what a replacement puts in the root's place. */
  typeOf({ value, made }: Replacement): TensorType {
    return (made.find((node) => node.name === value) ?? this.#node(value)).type;
  }

  /** Puts a replacement in the root's place and drops what it leaves unused. */
  commit(root: OpNode, { value, made }: Replacement): void {
    this.#removeUses(root);
    let last = this.#unlink(root.name);
    const next = this.#next.get(last) ?? '';
    this.#nodes.delete(root.name);
    for (const node of made) {
      this.#link(last, node.name);
      last = node.name;
      this.#nodes.set(node.name, node);
      if (node.kind === 'op') this.#addUses(node);
    }
    this.#link(last, next);
    if (value !== root.name) this.#redirect(root.name, value);

    const dropped: OpNode[] = [];
    for (const name of [...root.inputs, ...made.map((node) => node.name)]) this.#dropIfUnused(name, dropped);
    const computed = [...dropped, root].flatMap((node) => node.origin);
    const replacements = new Set([value, ...made.map((node) => node.name)]);
    for (const name of replacements) {
      const node = this.#nodes.get(name);
      if (node?.kind === 'op') this.#nodes.set(name, { ...node, origin: [...new Set([...node.origin, ...computed])] });
    }
  }

  #redirect(from: string, to: string): void {
    for (const user of this.users(from)) {
      this.#nodes.set(user.name, { ...user, inputs: user.inputs.map((input) => (input === from ? to : input)) });
      this.#usersOf(to).add(user.name);
    }
    this.#users.delete(from);
    const outputs = this.#outputsOf.get(from);
    if (!outputs) return;
    for (const i of outputs) this.#outputs[i] = to;
    this.#outputsOf.delete(from);
    this.#outputsOf.set(to, [...(this.#outputsOf.get(to) ?? []), ...outputs]);
  }

  /** Removes a node that nothing reads, and then its producers likewise; collects the removed ops, producers first. */
  #dropIfUnused(name: string, dropped: OpNode[]): void {
    // A list instead of recursion: chains may be longer than a call stack.
    const open: { readonly node: OpNode; next: number }[] = [];
    const visit = (value: string): void => {
      const node = this.#drop(value);
      if (node?.kind === 'op') open.push({ node, next: 0 });
    };
    visit(name);
    for (let frame = open.at(-1); frame; frame = open.at(-1)) {
      const input = frame.node.inputs[frame.next++];
      if (input !== undefined) visit(input);
      else {
        dropped.push(frame.node);
        open.pop();
      }
    }
  }

  /** Removes a node that nothing reads; undefined where something does. */
  #drop(name: string): Node | undefined {
    const node = this.#nodes.get(name);
    if (!node || node.kind === 'input' || this.#users.get(name)?.size || this.isOutput(name)) return undefined;
    this.#nodes.delete(name);
    this.#unlink(name);
    if (node.kind === 'op') this.#removeUses(node);
    return node;
  }

  #link(before: string, name: string): void {
    this.#next.set(before, name);
    this.#previous.set(name, before);
  }

  /** Takes a node out of the order and gives the one in front of it. */
  #unlink(name: string): string {
    const [before, behind] = [this.#previous.get(name) ?? '', this.#next.get(name) ?? ''];
    this.#next.delete(name);
    this.#previous.delete(name);
    this.#link(before, behind);
    return before;
  }

  #usersOf(name: string): Set<string> {
    const users = this.#users.get(name) ?? new Set();
    this.#users.set(name, users);
    return users;
  }

  #addUses(node: OpNode): void {
    for (const input of node.inputs) if (input !== '') this.#usersOf(input).add(node.name);
  }

  #removeUses(node: OpNode): void {
    for (const input of node.inputs) this.#users.get(input)?.delete(node.name);
  }

  #find(name: string): Node | undefined {
    return this.#made.find((node) => node.name === name) ?? this.#nodes.get(name);
  }

  #node(name: string): Node {
    const node = this.#find(name);
    if (!node) throw new Error(`graph ${this.#source.name} has no value %${name}`);
    return node;
  }

  #rootNode(): OpNode {
    if (!this.#root) throw new Error('nodes can be made only while a rule is being applied');
    return this.#root;
  }

  #fresh(suffix: string): string {
    return uniqueName(`${this.#rootNode().name}/${suffix}`, (name) => this.#find(name) !== undefined);
  }
}
