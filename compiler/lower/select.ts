/**
 * Selection: from a legal graph to tile ops. Every op has a kernel, is a view of its operand, or says why it has no lowering; a missing entry is a
 * type error. What the graph leaves to the host has no code and becomes the signature's ports.
 */
import type { Port } from '../../isa/program.ts';
import { isStoredElement } from '../../isa/program.ts';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import { extensionsOf } from '../../isa/table.ts';
import type { Target } from '../../isa/target.ts';
import { hasExtension } from '../../isa/target.ts';
import type { Diagnostic } from '../ir/diagnostic.ts';
import { DiagnosticError, fail } from '../ir/diagnostic.ts';
import type { Attributes, Graph, GraphOutput, InputNode, OpNode } from '../ir/graph.ts';
import type { OpName } from '../ir/ops.ts';
import { joinedAxis } from '../ir/ops/shape.ts';
import type { PortSide } from '../ir/ports.ts';
import { hostSides, movesNothing, permutationOf, stepsBehind, stepsInFront } from '../ir/ports.ts';
import type { Tensor, TensorData } from '../ir/tensor.ts';
import { dataBytes } from '../ir/tensor.ts';
import type { TensorType } from '../ir/types.ts';
import { tensorType, typeBytes } from '../ir/types.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { fixed16, isFixed } from '../../runtime/numerics/element.ts';
import { floatBits } from '../../runtime/numerics/float.ts';
import { encoderOf } from '../../runtime/numerics/store.ts';
import type { Activation } from '../ir/ops/activation.ts';
import { NO_ACTIVATION } from '../ir/ops/activation.ts';
import { isInteger } from '../ir/ops/integers.ts';
import type { Kernel, KernelCode, KernelContext, KernelValue } from './kernel.ts';
import { elementCode } from './kernel.ts';
import { conv } from './kernels/conv.ts';
import { addQuantized, cast, clampQuantized, dequantize, quantize, requantize } from './kernels/conversions.ts';
import { binary, clip, relu } from './kernels/elementwise.ts';
import { activationOf } from './kernels/activation.ts';
import { gemm } from './kernels/gemm.ts';
import { copy, pad } from './kernels/move.ts';
import { lrn, sigmoid, softmax, tanh } from './kernels/nonlinear.ts';
import { averagePool, maxPool } from './kernels/pool.ts';
import { transpose } from './kernels/transpose.ts';
import { Placements, partsOf } from './placement.ts';
import type { Buffer, Section, TiledPort, TiledProgram } from './tiled.ts';
import { tileOps } from './tiled.ts';

export type Lowering =
  /** `inPlace`: each element of an operand is read before the result's element may be written over it. */
  | { readonly kind: 'kernel'; readonly kernel: Kernel; readonly inPlace: boolean }
  /** The result is the operand's bytes under another type. */
  | { readonly kind: 'view' }
  /** By code where the graph does not leave it to the host; results are in one piece. */
  | { readonly kind: 'port'; readonly kernel: Kernel }
  /** Operands are computed where they stand in the result, or copied there. */
  | { readonly kind: 'concat' }
  | { readonly kind: 'unsupported'; readonly reason: string };

const kernel = (code: Kernel): Lowering => ({ kind: 'kernel', kernel: code, inPlace: false });
const elementwise = (code: Kernel): Lowering => ({ kind: 'kernel', kernel: code, inPlace: true });
const view: Lowering = { kind: 'view' };
const port = (code: Kernel): Lowering => ({ kind: 'port', kernel: code });
/** Quantized operands have a kernel of their own. */
const byType =
  (quantized: Kernel, others: Kernel): Kernel =>
  (context) =>
    context.element === 'i8' ? quantized(context) : others(context);
const clipOf = ({ min, max }: Attributes): Activation => ({ activation: 'clip', activation_min: Number(min), activation_max: Number(max) });
const unsupported = (reason: string): Lowering => ({ kind: 'unsupported', reason });

export const LOWERINGS: Readonly<Record<OpName, Lowering>> = {
  add: elementwise(byType(addQuantized, binary('VAV', activationOf))),
  sub: elementwise(binary('VSV')),
  mul: elementwise(binary('VMV')),
  div: elementwise(binary('VDV')),
  relu: elementwise(byType((context) => clampQuantized(context, { ...NO_ACTIVATION, activation: 'relu' }), relu)),
  clip: elementwise(byType((context) => clampQuantized(context, clipOf(context.attributes)), clip)),
  conv: kernel(conv),
  gemm: kernel(gemm),
  matmul: unsupported('a matmul of two computed operands has no kernel; with a constant right operand it becomes a gemm'),
  'max-pool': kernel(maxPool),
  'average-pool': kernel(averagePool),
  lrn: kernel(lrn),
  sigmoid: elementwise(sigmoid),
  tanh: elementwise(tanh),
  softmax: kernel(softmax),
  pad: kernel(pad),
  concat: { kind: 'concat' },
  'batch-norm': unsupported('batch-norm is lowered after fold-batch-norm has turned it into weights or into mul and add'),
  flatten: view,
  reshape: view,
  identity: kernel((context) => copy(context, context.operand(0), context.result)),
  transpose: port(transpose),
  cast: port(cast),
  quantize: port(quantize),
  dequantize: port(dequantize),
  requantize: elementwise(requantize),
};

/** Why a graph op cannot be compiled, or undefined. The kernels may still find a form of it that they do not have. */
export function unsupportedReason(op: OpName): string | undefined {
  const lowering = LOWERINGS[op];
  return lowering.kind === 'unsupported' ? lowering.reason : undefined;
}

/** Writes each op's tile code and gives each value that is computed a DRAM buffer. Reports everything unsupported at once. */
export function select(graph: Graph, target: Target): TiledProgram {
  return new Selection(graph, target).run();
}

class Selection {
  readonly #graph: Graph;
  readonly #target: Target;
  readonly #buffers = new Map<string, Buffer>();
  readonly #constants = new Map<string, Uint8Array>();
  readonly #placements: Placements;
  readonly #sides: ReadonlyMap<string, PortSide>;

  constructor(graph: Graph, target: Target) {
    this.#graph = graph;
    this.#target = target;
    this.#sides = hostSides(graph);
    this.#placements = new Placements(graph, {
      viewed: (node) => (this.#isView(node) ? node.inputs[0] : undefined),
      computes: (node) => LOWERINGS[node.op].kind === 'kernel',
      worksInPlace: (node) => {
        const lowering = LOWERINGS[node.op];
        return lowering.kind === 'kernel' && lowering.inPlace;
      },
      strided: hasExtension(target, 'xdma'),
      onHost: (node) => this.#sides.has(node.name),
      readByHost: new Set(graph.outputs.map(({ value }) => stepsInFront(graph, value).value)),
    });
  }

  run(): TiledProgram {
    const inputs = this.#graph.inputs.map((input) => this.#inputPort(input));
    const outputs = this.#graph.outputs.map((output) => this.#outputPort(output));
    const sections: Section[] = [];
    const problems: Diagnostic[] = [];
    for (const node of this.#graph.ops) {
      try {
        sections.push(...this.#lower(node));
      } catch (error) {
        if (!(error instanceof DiagnosticError)) throw error;
        problems.push(...error.diagnostics);
      }
    }
    if (problems.length > 0) throw new DiagnosticError(problems);
    return {
      name: this.#graph.name,
      target: this.#target.name,
      buffers: [...this.#buffers.values()],
      constants: this.#constants,
      inputs,
      outputs,
      sections,
    };
  }

  #lower(node: OpNode): readonly Section[] {
    const lowering = LOWERINGS[node.op];
    switch (lowering.kind) {
      case 'unsupported':
        return fail('unsupported', 'lower/unsupported-op', lowering.reason, { place: [node.name] });
      case 'view':
        return [];
      case 'concat':
        return this.#copies(node);
      case 'port':
        return this.#sides.has(node.name) || movesNothing(node, this.#graph) ? [] : this.#compute(node, lowering.kernel);
      case 'kernel':
        return this.#compute(node, lowering.kernel);
    }
  }

  #compute(node: OpNode, code: Kernel): readonly Section[] {
    return [this.#section(node, code(this.#context(node)))];
  }

  /** The code of an op, if the target has all that it is made of: what kernels do without elsewhere, or do not choose by the target. */
  #section(node: OpNode, code: KernelCode): Section {
    const needed = [...tileOps(code.body)].flatMap(({ op: { mnemonic, form, modifiers } }) =>
      extensionsOf({ mnemonic, form, fields: modifiers }),
    );
    const missing = [...new Set(needed)].filter((extension) => !hasExtension(this.#target, extension));
    if (missing.length > 0)
      fail(
        'unsupported',
        'lower/missing-extension',
        `${node.op} needs ${missing.join(', ')}, which target ${this.#target.name} does not have`,
        {
          place: [node.name],
        },
      );
    return { node: node.name, origin: node.origin, ...code };
  }

  /** Copies of the operands of a concatenation that are not computed where they stand in it. */
  #copies(concat: OpNode): readonly Section[] {
    const context = this.#context(concat);
    const { element, shape } = concat.type;
    const joinsRows = joinedAxis(shape, Number(concat.attributes.axis)) === shape.length - 1;
    return partsOf(concat, this.#graph).flatMap((part, i) => {
      const name = concat.inputs[i] ?? '';
      if (this.#placements.isPart(name)) return [];
      // Rows of blocks stand one after the other; of single rows the result knows how far apart they are.
      const pitch = joinsRows ? context.result.pitch : part.resultRowBytes;
      const type = { element, shape: [part.rows, part.rowBytes / context.elementBytes] };
      const from = { ...this.#valueOf(name), type, pitch: part.rowBytes };
      const to = { ...context.result, type, offset: context.result.offset + part.offset, pitch };
      return [this.#section(concat, copy(context, from, to))];
    });
  }

  #context(node: OpNode): KernelContext {
    const operandName = (index: number): string => node.inputs[index] ?? '';
    const element = elementCode(this.#graph.node(operandName(0)).type, node.name, this.#target);
    const resultElement = elementCode(node.type, node.name, this.#target);
    const encode = (x: number, type: ElementType): number => (type === 'f32' ? floatBits(x) | 0 : encoderOf(type)(x));
    return {
      target: this.#target,
      node,
      attributes: node.attributes,
      element,
      elementBytes: ELEMENT_CODES[element].bytes,
      resultElement,
      resultBytes: ELEMENT_CODES[resultElement].bytes,
      encode,
      bits: (x) => (isInteger(node.type.element) ? encode(x, node.type.element) : encode(x, 'f32')),
      result: this.#valueOf(node.name),
      operand: (index) => this.#valueOf(operandName(index)),
      typeOf: (index) => (operandName(index) === '' ? undefined : this.#graph.node(operandName(index)).type),
      constantOf: (index) => this.#constantOf(operandName(index)),
      addConstant: (suffix, data) => this.#addConstant(`${node.name}.${suffix}`, data),
    };
  }

  #valueOf(name: string): KernelValue {
    const { offset, pitch } = this.#placements.of(name);
    return { type: this.#graph.node(name).type, buffer: this.#bufferOf(name), offset, pitch };
  }

  #constantOf(name: string): Tensor | undefined {
    const node = this.#graph.find(name);
    return node?.kind === 'constant' ? node.value : undefined;
  }

  /** The DRAM buffer of a value: its own, or that of the value which it is a view or a part of. */
  #bufferOf(name: string): Buffer {
    const { root } = this.#placements.of(name);
    const existing = this.#buffers.get(root.name);
    if (existing) return existing;
    if (root.kind === 'constant') return this.#addConstant(root.name, root.value.data);
    return this.#addBuffer({ name: root.name, space: 'dram', role: 'activation', bytes: typeBytes(root.type), slots: 1, banks: 'any' });
  }

  /** Whether an op's result is its operand's bytes under another type: an input is stored as its last step of the host leaves it. */
  #isView(node: OpNode): boolean {
    const side = this.#sides.get(node.name);
    return side === undefined ? LOWERINGS[node.op].kind === 'view' || movesNothing(node, this.#graph) : side === 'input';
  }

  #inputPort(input: InputNode): TiledPort {
    const { name, type } = input;
    const { steps, value } = stepsBehind(this.#graph, input);
    let layout = type.shape.map((_, i) => i);
    for (const step of steps) if (step.op === 'transpose') layout = permutationOf(step).map((dimension) => layout[dimension] ?? 0);
    const { type: last } = this.#graph.node(value);
    // What nothing reads has no type of its own on a target that computes in one.
    const unread = this.#graph.users(value).length === 0 && this.#target.datapath === 'fx16';
    const stored = unread ? tensorType(fixed16(this.#target.fractionBits), last.shape) : last;
    const buffer = this.#addBuffer({ name, space: 'dram', role: 'input', bytes: typeBytes(stored), slots: 1, banks: 'any' });
    return {
      name,
      shape: type.shape,
      element: portElement(type, name),
      layout,
      stored: this.#stored(stored, name),
      via: this.#elementsBetween(type, steps, name),
      buffer: buffer.name,
    };
  }

  #outputPort({ name, value: output }: GraphOutput): TiledPort {
    const { type } = this.#graph.node(output);
    const { steps, value } = stepsInFront(this.#graph, output);
    let layout = type.shape.map((_, i) => i);
    for (const step of steps.toReversed()) {
      if (step.op !== 'transpose') continue;
      const permutation = permutationOf(step);
      layout = permutation.map((_, i) => layout[permutation.indexOf(i)] ?? 0);
    }
    const node = this.#graph.node(value);
    const { root } = this.#placements.of(value);
    // Legalization copies what outputs read and nothing computes.
    if (root.kind !== 'op') throw new Error(`output ${name} reads the ${root.kind} %${root.name}`);
    if (!this.#buffers.has(root.name))
      this.#addBuffer({ name: root.name, space: 'dram', role: 'output', bytes: typeBytes(root.type), slots: 1, banks: 'any' });
    return {
      name,
      shape: type.shape,
      element: portElement(type, name),
      layout,
      stored: this.#stored(node.type, name),
      via: this.#elementsBetween(node.type, steps, name),
      buffer: root.name,
    };
  }

  /** The element type of a port in DRAM, which the target must have. */
  #stored(type: TensorType, port: string): Port['stored'] {
    elementCode(type, port, this.#target);
    return storedElement(type, port);
  }

  /** The element types that steps of the host give one after the other, but for the one that they end in. */
  #elementsBetween(from: TensorType, steps: readonly OpNode[], port: string): readonly Port['stored'][] {
    const passed = [from.element];
    for (const { type } of steps) if (type.element !== passed.at(-1)) passed.push(type.element);
    return passed.slice(1, -1).map((element) => storedElement({ element, shape: [] }, port));
  }

  #addConstant(name: string, data: TensorData): Buffer {
    const bytes = dataBytes({ type: { element: 'u8', shape: [data.byteLength] }, data });
    this.#constants.set(name, bytes);
    return this.#addBuffer({ name, space: 'dram', role: 'constant', bytes: bytes.length, slots: 1, banks: 'any' });
  }

  #addBuffer(buffer: Buffer): Buffer {
    if (this.#buffers.has(buffer.name)) throw new Error(`two buffers are named ${buffer.name}`);
    this.#buffers.set(buffer.name, buffer);
    return buffer;
  }
}

function portElement({ element }: TensorType, name: string): Port['element'] {
  if (element === 'f32' || isFixed(element)) return element;
  return fail('unsupported', 'lower/element-type', `a program has no port of type ${element}`, { place: [name] });
}

function storedElement({ element }: TensorType, name: string): Port['stored'] {
  if (isStoredElement(element)) return element;
  return fail('unsupported', 'lower/element-type', `a program has no port that is stored as ${element}`, { place: [name] });
}
