/** The state of layout legalization: each value of the source graph and the forms in which the new graph holds it. */
import type { Attributes, Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { permute } from '../../compiler/ir/ops/strided.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { GraphWriter } from '../graph-writer.ts';
import type { PassContext } from '../pass.ts';
import { permutationOf } from '../rules/views.ts';

export const NCHW_TO_NHWC = [0, 2, 3, 1] as const;
const NHWC_TO_NCHW = [0, 3, 1, 2] as const;

/**
 * A value may be held plainly, with its elements in the source's order, or as images (NHWC where the source has NCHW), or both.
 * What is missing is made by a transpose when it is asked for.
 */
export class Layouter {
  readonly source: Graph;
  readonly writer: GraphWriter;
  readonly #context: PassContext;
  readonly #plain = new Map<string, string>();
  readonly #images = new Map<string, string>();
  readonly #derived = new Map<string, string>();
  /** Matrices whose columns stand in the order of flattened NHWC images, and the NCHW shape of those. */
  readonly #flattened = new Map<string, readonly number[]>();

  constructor(source: Graph, context: PassContext) {
    this.source = source;
    this.writer = new GraphWriter(source);
    this.#context = context;
  }

  /** Type in the source graph. */
  type(name: string): TensorType {
    return this.source.node(name).type;
  }

  constant(name: string): Tensor | undefined {
    const node = this.source.find(name);
    return node?.kind === 'constant' ? node.value : undefined;
  }

  /** Whether a value was computed as images and no other form of it exists so far. */
  isImages(name: string): boolean {
    return this.#images.has(name) && !this.#plain.has(name);
  }

  /** The NCHW shape of the images that a value is the flattened form of, when it holds them channels last. */
  flattenedImages(name: string): readonly number[] | undefined {
    return this.#flattened.get(name);
  }

  /** A value in the source's order; '' stays. */
  plain(name: string): string {
    if (name === '') return '';
    const known = this.#plain.get(name);
    if (known !== undefined) return known;
    const images = this.#images.get(name);
    if (images === undefined) throw new Error(`%${name} has not been laid out yet`);
    const made = this.writer.op(this.writer.fresh(name, 'nchw'), 'transpose', [images], { perm: NHWC_TO_NCHW }, this.#originOf(name));
    this.#plain.set(name, made);
    return made;
  }

  /** A value of four dimensions as images. */
  images(name: string): string {
    const known = this.#images.get(name);
    if (known !== undefined) return known;
    const made = this.#toImages(name, this.plain(name));
    this.#images.set(name, made);
    return made;
  }

  /** A constant made from one of the source graph, `name/suffix`; made once for all that ask for it under the same suffix. */
  derived(name: string, suffix: string, make: () => Tensor): string {
    const known = this.#derived.get(`${name}/${suffix}`);
    if (known !== undefined) return known;
    const made = this.writer.constant(this.writer.fresh(name, suffix), make());
    this.#derived.set(`${name}/${suffix}`, made);
    return made;
  }

  #toImages(name: string, plain: string): string {
    const constant = this.constant(name);
    if (constant) return this.derived(name, 'images', () => permute(constant, NCHW_TO_NHWC));
    const node = this.writer.node(plain);
    // A transpose that brought the value into the source's order needs not be undone by another.
    const inner = node.kind === 'op' && node.op === 'transpose' ? permutationOf(node.attributes.perm) : undefined;
    const perm = NCHW_TO_NHWC.map((from) => inner?.[from] ?? from);
    const from = node.kind === 'op' && inner ? (node.inputs[0] ?? plain) : plain;
    if (perm.every((dimension, i) => dimension === i)) return from;
    return this.writer.op(this.writer.fresh(name, 'nhwc'), 'transpose', [from], { perm }, this.#originOf(name));
  }

  /** Defines a source node plainly. */
  define(node: OpNode, inputs: readonly string[], attributes: Attributes = node.attributes, op: OpName = node.op): void {
    this.#plain.set(node.name, this.writer.op(node.name, op, inputs, attributes, node.origin));
  }

  /** Lets another value of the new graph serve for a source value. */
  alias(name: string, plain: string): void {
    this.#plain.set(name, plain);
  }

  /** Defines a source node as images, under its own name. */
  defineImages(node: OpNode, inputs: readonly string[], attributes: Attributes = node.attributes): void {
    this.#images.set(node.name, this.writer.op(node.name, node.op, inputs, attributes, node.origin));
    this.#context.rearranged(node.name, { view: node.type.shape, permutation: NCHW_TO_NHWC });
    this.#context.count('images channels last');
  }

  /** Defines a source node, a matrix, in the column order of flattened NHWC images. */
  defineFlattened(node: OpNode, input: string, shape: readonly number[]): void {
    this.define(node, [input]);
    this.#flattened.set(node.name, shape);
    this.#context.rearranged(node.name, { view: shape, permutation: NCHW_TO_NHWC });
  }

  #originOf(name: string): readonly string[] {
    const node = this.source.node(name);
    return node.kind === 'op' ? node.origin : [];
  }
}
