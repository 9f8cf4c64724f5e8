/** Writing a float graph anew with some operations in another element type. Values keep their names; what converts them is called `name/type`. */
import { isFixed, isQuantized } from '../../runtime/numerics/element.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { encoderOf } from '../../runtime/numerics/store.ts';
import { equalGraphs } from '../../compiler/ir/equal.ts';
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import { OpError } from '../../compiler/ir/op.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { isFloat } from '../../compiler/ir/ops/operands.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { allocate, floats, tensor } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { GraphWriter } from '../graph-writer.ts';
import { assignPorts } from '../layout/ports.ts';
import type { PassContext } from '../pass.ts';

const PRODUCTS: readonly OpName[] = ['conv', 'gemm'];

export function isProduct({ op }: OpNode): boolean {
  return PRODUCTS.includes(op);
}

/** Constants of a product as it takes them. */
export interface ProductConstants {
  readonly weights: Tensor;
  readonly bias: Tensor | undefined;
}

/** What values and constants become. */
export interface TargetForm {
  /** Element type in which a value is held; constants that are no weights too. */
  elementOf(value: string): ElementType;
  /** Weights and bias of a product whose first operand is of the element type `x`. */
  constantsOf(node: OpNode, x: ElementType): ProductConstants;
  /** Ops, besides products, whose operands and result have types of their own. */
  readonly rescaling: readonly OpName[];
}

/** The graph with the planned operations converted; the very same one where nothing is. */
export function convertGraph(graph: Graph, planned: ReadonlySet<string>, form: TargetForm, context: PassContext): Graph {
  const result = assignPorts(new Conversion(graph, planned, form, context).run());
  return equalGraphs(result, graph) ? graph : result;
}

class Conversion {
  readonly #graph: Graph;
  readonly #planned: ReadonlySet<string>;
  readonly #form: TargetForm;
  readonly #context: PassContext;
  readonly #writer: GraphWriter;
  /** For each value of the source graph its names in the new one, by element type. */
  readonly #held = new Map<string, Map<ElementType, string>>();
  /** Constants of the new graph by their values, and names of constants of the source graph that are taken. */
  readonly #constants = new Map<Tensor, string>();
  readonly #taken = new Set<string>();

  constructor(graph: Graph, planned: ReadonlySet<string>, form: TargetForm, context: PassContext) {
    this.#graph = graph;
    this.#planned = planned;
    this.#form = form;
    this.#context = context;
    this.#writer = new GraphWriter(graph);
  }

  run(): Graph {
    for (const node of this.#graph.nodes) {
      if (node.kind === 'input') this.#hold(node.name, node.type.element, this.#writer.copy(node));
      else if (node.kind === 'op' && !(this.#planned.has(node.name) && this.#narrow(node))) this.#float(node);
      // Outputs keep their types.
      if (node.kind === 'op' && this.#graph.isOutput(node.name)) this.#as(node.name, node.type.element);
    }
    const outputs = this.#graph.outputs.map(({ name, value }) => ({ name, value: this.#as(value, this.#graph.node(value).type.element) }));
    return this.#writer.finish(this.#graph.stage, outputs);
  }

  #hold(value: string, element: ElementType, name: string): string {
    const forms = this.#held.get(value) ?? new Map<ElementType, string>();
    this.#held.set(value, forms.set(element, name));
    return name;
  }

  /** An operation as it is. */
  #float(node: OpNode): void {
    const inputs = node.inputs.map((input) => (input === '' ? '' : this.#as(input, this.#graph.node(input).type.element)));
    const [operand] = inputs;
    // What a conversion made needs no copy to be an output.
    if (node.op === 'identity' && operand !== undefined && operand !== node.inputs[0]) {
      this.#hold(node.name, node.type.element, operand);
      return;
    }
    this.#hold(node.name, node.type.element, this.#writer.op(node.name, node.op, inputs, node.attributes, node.origin));
  }

  /** An operation in its new type; false where it has no such form, which the user is told. */
  #narrow(node: OpNode): boolean {
    try {
      const element = this.#resultOf(node);
      const { inputs, first } = this.#operands(node, element);
      const rescales = isProduct(node) || this.#form.rescaling.includes(node.op);
      const attributes = rescales ? { ...node.attributes, result: element === first ? 'same' : element } : node.attributes;
      this.#hold(node.name, element, this.#writer.op(node.name, node.op, inputs, attributes, node.origin));
      return true;
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      this.#context.count('stays f32');
      this.#context.warn(`${node.op} stays f32: %${node.name}: ${error.message}`);
      return false;
    }
  }

  /** Products that nobody reads in the new type give f32 at once, if their activation lets them. */
  #resultOf(node: OpNode): ElementType {
    const element = this.#form.elementOf(node.name);
    if (!isProduct(node)) return element;
    const toFloat = isFloat(element) || node.attributes.activation === 'none';
    return toFloat && !this.#graph.users(node.name).some(({ name }) => this.#planned.has(name)) ? 'f32' : element;
  }

  #operands(node: OpNode, element: ElementType): { readonly inputs: readonly string[]; readonly first: ElementType } {
    const [x = '', w = '', c = ''] = node.inputs;
    if (!isProduct(node)) {
      const types = node.inputs.map((input) => (this.#form.rescaling.includes(node.op) ? this.#form.elementOf(input) : element));
      return { inputs: node.inputs.map((input, i) => this.#as(input, types[i] ?? element)), first: types[0] ?? element };
    }
    const first = this.#form.elementOf(x);
    const { weights, bias } = this.#form.constantsOf(node, first);
    const operand = this.#as(x, first);
    const bound = bias === undefined ? [] : [this.#constant(c === '' ? `${node.name}/bias` : c, bias)];
    return { inputs: [operand, this.#constant(w, weights), ...bound], first };
  }

  /** A constant that comes from one called `base`: under that name where it is free. */
  #constant(base: string, value: Tensor): string {
    const written = this.#constants.get(value);
    if (written !== undefined) return written;
    const source = this.#graph.find(base);
    const free = !this.#taken.has(base) && (source === undefined || source.kind === 'constant');
    this.#taken.add(base);
    const name = this.#writer.constant(free ? base : this.#writer.fresh(base, suffixOf(value.type.element)), value);
    this.#constants.set(value, name);
    return name;
  }

  /** A value in an element type, converted where it is not held so yet. */
  #as(value: string, element: ElementType): string {
    const held = this.#held.get(value);
    const known = held?.get(element);
    if (known !== undefined) return known;
    const node = this.#graph.node(value);
    if (node.kind === 'constant')
      return this.#hold(value, element, this.#constant(value, node.type.element === element ? node.value : encoded(node.value, element)));
    const [of, name] = [...(held ?? [])][0] ?? ['f32' as const, value];
    return this.#hold(value, element, this.#converted(value, name, of, element));
  }

  #converted(value: string, from: string, of: ElementType, element: ElementType): string {
    const name = this.#writer.fresh(value, suffixOf(element));
    this.#context.count('conversions');
    if (isFloat(of) && isFloat(element)) return this.#writer.op(name, 'cast', [from], { to: element }, []);
    if (element === 'f32') return this.#writer.op(name, 'dequantize', [from], {}, []);
    if (of === 'f32') return this.#writer.op(name, 'quantize', [from], { to: element }, []);
    return this.#writer.op(name, 'requantize', [from], { to: element }, []);
  }
}

/** What is appended to the name of a value that is held in another type: the type without its scales. */
function suffixOf(element: ElementType): string {
  if (isQuantized(element)) return 'i8';
  return isFixed(element) ? element.replace('.', '-') : element;
}

/** f32 numbers in another element type. */
export function encoded(value: Tensor, element: ElementType): Tensor {
  const encode = encoderOf(element);
  const data = allocate(element, value.data.length);
  floats(value).forEach((x, i) => (data[i] = encode(x)));
  return tensor(tensorType(element, value.type.shape), data);
}
