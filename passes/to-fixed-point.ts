import { NO_ACTIVATION } from '../compiler/ir/ops/activation.ts';
import { fixed16 } from '../runtime/numerics/element.ts';
import { FIXED_MAX, FIXED_MIN, toFixed16 } from '../runtime/numerics/fixed.ts';
import type { Diagnostic } from '../compiler/ir/diagnostic.ts';
import { DiagnosticError } from '../compiler/ir/diagnostic.ts';
import { equalGraphs } from '../compiler/ir/equal.ts';
import type { ConstantNode, Graph, OpNode } from '../compiler/ir/graph.ts';
import { OpError } from '../compiler/ir/op.ts';
import { isOnHost } from '../compiler/ir/ports.ts';
import { floats, tensor } from '../compiler/ir/tensor.ts';
import { tensorType } from '../compiler/ir/types.ts';
import { GraphWriter } from './graph-writer.ts';
import { assignPorts } from './layout/ports.ts';
import type { PassContext } from './pass.ts';
import { pass } from './pass.ts';
import type { Bounds } from './rules/activations.ts';
import { clampOp, fusedBoundsOf } from './rules/activations.ts';

export const toFixedPoint = pass({
  name: 'to-fixed-point',
  doc: 'Computes in 16-bit fixed point with one binary point for all values: f32 inputs are quantized, outputs dequantized, constants converted.',
  meaning: 'lossy',
  requires: ['float'],
  establishes: ['fixed'],
  params: { fraction: { kind: 'int', default: 10, minimum: 0, maximum: 15, doc: 'fraction bits of every value' } },
  run(graph, { fraction }, context) {
    if (!context.allow('convert-graph')) return graph;
    return new Conversion(graph, fraction, context).run();
  },
});

/** Writes the graph anew in fixed point. Values keep their names; what the host converts is called `name/fixed` and `name/float`. */
class Conversion {
  readonly #graph: Graph;
  readonly #fraction: number;
  readonly #context: PassContext;
  readonly #writer: GraphWriter;
  /** Values that stay f32: inputs, and what the host makes of them before it converts them. */
  readonly #float = new Set<string>();
  readonly #fixed = new Map<string, string>();
  /** Values without a fixed-point form, and all that depend on them: the former are reported at once. */
  readonly #refused = new Set<string>();
  readonly #problems: Diagnostic[] = [];

  constructor(graph: Graph, fraction: number, context: PassContext) {
    this.#graph = graph;
    this.#fraction = fraction;
    this.#context = context;
    this.#writer = new GraphWriter(graph);
  }

  run(): Graph {
    for (const node of this.#graph.nodes) {
      if (node.kind === 'op') this.#op(node);
      else if (node.type.element !== 'f32') this.#refuse(node.name, `${node.kind}s of type ${node.type.element} have no fixed-point form`);
      else if (node.kind === 'input') this.#float.add(this.#writer.copy(node));
      else this.#constant(node);
    }
    if (this.#problems.length > 0) throw new DiagnosticError(this.#problems);
    const outputs = this.#graph.outputs.map(({ name, value }) => ({ name, value: this.#asFloat(value) }));
    const written = this.#writer.finish(this.#graph.stage, outputs);
    const result = written.stage === 'legal' ? assignPorts(written) : written;
    return equalGraphs(result, this.#graph) ? this.#graph : result;
  }

  #refuse(value: string, message: string, hint?: string): void {
    this.#problems.push({
      kind: 'unsupported',
      code: 'to-fixed-point/unsupported',
      message,
      place: [`%${value}`],
      ...(hint !== undefined && { hint }),
    });
    this.#refused.add(value);
  }

  #constant({ name, value }: ConstantNode): void {
    const scale = 2 ** this.#fraction;
    const data = Int16Array.from(floats(value), (x) => toFixed16(x, this.#fraction));
    const outside = floats(value).filter((x) => x * scale > FIXED_MAX + 0.5 || x * scale < FIXED_MIN - 0.5).length;
    if (outside > 0) {
      this.#context.count('constants saturated', outside);
      this.#context.warn(
        `${outside} of ${data.length} elements of %${name} are outside of the range of fx16.${this.#fraction} and saturate`,
      );
    }
    this.#fixed.set(name, this.#writer.constant(name, tensor(tensorType(fixed16(this.#fraction), value.type.shape), data)));
  }

  #op(node: OpNode): void {
    const [x = ''] = node.inputs;
    if (node.inputs.some((input) => this.#refused.has(input))) {
      this.#refused.add(node.name);
      return;
    }
    // The host transposes inputs before it converts them, and outputs after.
    if (isOnHost(node)) {
      this.#float.add(this.#writer.op(node.name, node.op, [this.#asFloat(x)], node.attributes, node.origin));
      return;
    }
    try {
      this.#fixed.set(node.name, node.op === 'gemm' ? this.#gemm(node) : node.op === 'add' ? this.#add(node) : this.#same(node));
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      this.#refuse(node.name, `${node.op} has no fixed-point form: ${error.message}`, HINTS[node.op]);
    }
  }

  #same(node: OpNode): string {
    return this.#writer.op(
      node.name,
      node.op,
      node.inputs.map((input) => this.#asFixed(input)),
      'result' in node.attributes ? { ...node.attributes, ...SAME_RESULT } : node.attributes,
      node.origin,
    );
  }

  /** The published datapath rounds a product when it is written back, so the bias is added, and the activation applied, by ops of their own. */
  #gemm(node: OpNode): string {
    const { name, attributes, origin } = node;
    const [a = '', b = '', c = ''] = node.inputs.map((input) => this.#asFixed(input));
    const bounds = fusedBoundsOf(node);
    const steps = [c !== '' && 'sum', bounds && 'activated'].filter((step) => typeof step === 'string');
    const nameOf = (step: string): string => (step === (steps.at(-1) ?? 'product') ? name : this.#writer.fresh(name, step));
    let value = this.#writer.op(nameOf('product'), 'gemm', [a, b], { ...attributes, ...PLAIN_END }, origin);
    if (c !== '') value = this.#writer.op(nameOf('sum'), 'add', [value, c], {}, origin);
    return bounds ? this.#clamp(nameOf('activated'), value, bounds, origin) : value;
  }

  /** A sum whose activation is an op of its own. */
  #add(node: OpNode): string {
    const bounds = fusedBoundsOf(node);
    if (!bounds) return this.#same(node);
    const { name, inputs, attributes, origin } = node;
    const operands = inputs.map((input) => this.#asFixed(input));
    const sum = this.#writer.op(this.#writer.fresh(name, 'sum'), 'add', operands, { ...attributes, ...PLAIN_END }, origin);
    return this.#clamp(name, sum, bounds, origin);
  }

  #clamp(name: string, x: string, bounds: Bounds, origin: OpNode['origin']): string {
    const { op, attributes } = clampOp(bounds);
    return this.#writer.op(name, op, [x], attributes, origin);
  }

  #asFixed(name: string): string {
    const known = name === '' ? '' : this.#fixed.get(name);
    if (known !== undefined) return known;
    const made = this.#writer.op(this.#writer.fresh(name, 'fixed'), 'quantize', [name], { to: fixed16(this.#fraction) }, []);
    this.#fixed.set(name, made);
    return made;
  }

  #asFloat(name: string): string {
    if (this.#float.has(name)) return name;
    return this.#writer.op(this.#writer.fresh(name, 'float'), 'dequantize', [this.#asFixed(name)], {}, []);
  }
}

const SAME_RESULT = { result: 'same' };
/** No activation, and a result of the operands' type. */
const PLAIN_END = { ...NO_ACTIVATION, ...SAME_RESULT };

/** What removes an op that has no fixed-point form. */
const HINTS: Readonly<Partial<Record<OpNode['op'], string>>> = {
  'batch-norm': 'run fold-batch-norm before',
  matmul: 'run simplify before, which writes products of matrices as gemm',
  gemm: 'run legalize-layout before, which folds alpha and beta into constants',
};
