/** One node on its way into the graph: typed access to its operands and attributes, and the check that nothing of it was overlooked. */
import { budgetHint, memoryBudget, printBytes } from '../../runtime/budget.ts';
import type { ElementType, ScalarName } from '../../runtime/numerics/element.ts';
import { isFixed, isQuantized } from '../../runtime/numerics/element.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { DiagnosticError, fail } from '../ir/diagnostic.ts';
import type { Attributes } from '../ir/graph.ts';
import type { OpName } from '../ir/ops.ts';
import type { Tensor } from '../ir/tensor.ts';
import { zeros } from '../ir/tensor.ts';
import type { TensorType } from '../ir/types.ts';
import { typeBytes } from '../ir/types.ts';
import { typeProblem } from '../ir/verify.ts';
import type { OnnxAttribute, OnnxAttributeKind, OnnxAttributeValues } from './model.ts';
import type { NamedNode } from './order.ts';
import type { ExternalResolver } from './tensor.ts';
import { elementOf, toTensor } from './tensor.ts';
import type { Values } from './values.ts';

/** What a node is imported into. */
export interface ImportContext {
  readonly builder: GraphBuilder;
  readonly values: Values;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
  readonly resolveExternal: ExternalResolver | undefined;
  readonly evaluated: EvaluationCost;
  /** Quantized values that are unsigned integers in the model: those of the graph are less by 128. */
  readonly unsigned: Set<string>;
}

/** Ops that mean the same on quantized integers as ONNX's operators on plain ones. */
const OF_QUANTIZED: ReadonlySet<OpName> = new Set(['identity', 'flatten', 'reshape', 'transpose', 'concat', 'max-pool', 'dequantize']);

/** Whether integers of a type stand for real numbers, so that an operator on them would mean another one on those. */
const standsForReals = (element: ElementType): boolean => isQuantized(element) || isFixed(element);

/** What evaluation at import has taken so far and may take in all, in bytes: a few bytes of a file can ask for any number. */
export interface EvaluationCost {
  bytes: number;
  limit: number;
}

/** For each byte of a file so many are free: quantized weights grow to f32, are moved, and stand in graph and program. */
const FREE_BYTES_PER_FILE_BYTE = 16;

/** A known value stands in the graph, in the program and in the program's file. */
const COPIES = 3;

/** The memory budget, and what the model's own size allows. */
export function evaluationCost(fileBytes: number): EvaluationCost {
  return { bytes: 0, limit: memoryBudget() + FREE_BYTES_PER_FILE_BYTE * fileBytes };
}

/** A node, its operands counted from 0. An operand or attribute that no one asks for is an error in the end (`finish`). */
export class NodeImport {
  readonly opset: number;
  /** The ONNX operator. */
  readonly operator: string;
  readonly #context: ImportContext;
  readonly #place: readonly string[];
  readonly #origin: readonly string[];
  readonly #operands: readonly string[];
  readonly #outputs: readonly string[];
  readonly #attributes: ReadonlyMap<string, OnnxAttribute>;
  readonly #attributesRead = new Set<string>();
  #operandsRead = 0;

  constructor({ name, node }: NamedNode, context: ImportContext) {
    this.opset = context.opset;
    this.operator = node.op;
    this.#context = context;
    this.#place = [name];
    this.#origin = [name];
    this.#operands = node.inputs;
    this.#outputs = node.outputs;
    this.#attributes = node.attributes;
  }

  get operandCount(): number {
    return this.#operands.length;
  }

  get outputCount(): number {
    return this.#outputs.length;
  }

  /** The model's names of the outputs besides the first. */
  get furtherOutputs(): readonly string[] {
    return this.#outputs.slice(1).filter((name) => name !== '');
  }

  /** The value of an operand, which must be there. */
  operand(index: number): string {
    return this.optional(index) ?? this.invalid(`operand ${index} is missing`);
  }

  /** The value of an operand, or undefined when it is left out. */
  optional(index: number): string | undefined {
    this.skipOperand(index);
    const name = this.#operands[index] ?? '';
    return name === '' ? undefined : this.#context.values.value(name);
  }

  /** The constant that an operand must be, or undefined when it is left out; `what` names it to the user. It does not enter the graph. */
  constant(index: number, what: string): Tensor | undefined {
    this.skipOperand(index);
    const name = this.#operands[index] ?? '';
    if (name === '') return undefined;
    return (
      this.#context.values.constant(name) ?? this.unsupported('onnx/not-constant', `the ${what} must be a constant, '${name}' is none`)
    );
  }

  /** The constant that an operand must be, which must be there. */
  known(index: number): Tensor {
    return this.constant(index, `operand ${index}`) ?? this.invalid(`operand ${index} is missing`);
  }

  /** The type of an operand, which must be there; the operand does not enter the graph. */
  operandType(index: number): TensorType {
    this.skipOperand(index);
    const name = this.#operands[index] ?? '';
    return name === '' ? this.invalid(`operand ${index} is missing`) : this.#context.values.type(name);
  }

  /** The elements of an operand that must be a constant list of integers, or undefined when it is left out. */
  constantInts(index: number, what: string): readonly number[] | undefined {
    const tensor = this.constant(index, what);
    if (tensor === undefined) return undefined;
    const { element, shape } = tensor.type;
    if ((element !== 'i64' && element !== 'i32') || shape.length > 1) this.invalid(`the ${what} must be a list of integers`);
    return Array.from(tensor.data, Number);
  }

  type(value: string): TensorType {
    return this.#context.builder.type(value);
  }

  int(name: string): number | undefined {
    return this.#integers(name, this.#attribute(name, 'int'));
  }

  ints(name: string): readonly number[] | undefined {
    return this.#integers(name, this.#attribute(name, 'ints'));
  }

  float(name: string): number | undefined {
    return this.#attribute(name, 'float');
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attribute(name, 'floats');
  }

  string(name: string): string | undefined {
    return this.#attribute(name, 'string');
  }

  /** The element type that an attribute names, which must be there. */
  elementType(name: string): ScalarName {
    return elementOf(this.int(name) ?? this.invalid(`${this.operator} has no ${name}`), this.#place);
  }

  tensor(name: string): Tensor | undefined {
    const tensor = this.#attribute(name, 'tensor');
    return tensor && toTensor(tensor, { place: this.#place, resolveExternal: this.#context.resolveExternal });
  }

  /** Takes note of a quantized value that is of unsigned integers in the model. */
  markUnsigned(value: string): void {
    this.#context.unsigned.add(value);
  }

  isUnsigned(value: string): boolean {
    return this.#context.unsigned.has(value);
  }

  /** Takes note of an operand that changes nothing here. */
  skipOperand(index: number): void {
    this.#operandsRead = Math.max(this.#operandsRead, index + 1);
  }

  /** Takes note of attributes that change nothing here. */
  skipAttributes(...names: readonly string[]): void {
    for (const name of names) this.#attributesRead.add(name);
  }

  /** Takes note of what evaluating the node costs; fails where the model has asked for too much. */
  spend(bytes: number): void {
    const { evaluated } = this.#context;
    evaluated.bytes += bytes;
    if (evaluated.bytes > evaluated.limit)
      fail(
        'unsupported',
        'onnx/too-large',
        `computing the model's constants takes more than the memory budget of ${printBytes(memoryBudget())}`,
        {
          place: this.#place,
          hint: budgetHint(),
        },
      );
  }

  /** Fails unless there can be tensors of a type. */
  checkType(type: TensorType): void {
    const problem = typeProblem(type);
    if (problem !== undefined) this.invalid(problem);
  }

  /** Takes note of a tensor that evaluation is about to make. */
  reserve(type: TensorType): void {
    this.checkType(type);
    this.spend(COPIES * typeBytes(type));
  }

  /** A tensor of zeros for a result that is evaluated at import. */
  allocate(type: TensorType): Tensor {
    this.reserve(type);
    return zeros(type);
  }

  /** Gives an output besides the first, which is always the same; no one need read it. */
  furtherConstant(index: number, load: () => Tensor): void {
    const output = this.#outputs[index] ?? '';
    if (output !== '') this.#context.values.defineConstant(output, load);
  }

  /** Adds the op that computes the node's first output. */
  result(op: OpName, operands: readonly string[], attributes: Attributes = {}): string {
    return this.#add(this.#outputs[0] ?? '', op, operands, attributes);
  }

  /** Adds an op that computes something on the way to the result, named after it and `suffix`. */
  part(suffix: string, op: OpName, operands: readonly string[], attributes: Attributes = {}): string {
    return this.#add(`${this.#outputs[0] ?? ''}.${suffix}`, op, operands, attributes);
  }

  /** Fails when the node has an operand or attribute that the importer has not asked for. */
  finish(): void {
    if (this.#operands.length > this.#operandsRead) {
      this.invalid(`${this.operator} has ${this.#operands.length} operands, at most ${this.#operandsRead} are expected`);
    }
    const unread = [...this.#attributes.keys()].filter((name) => !this.#attributesRead.has(name));
    if (unread.length > 0) this.unsupported('onnx/unsupported-attribute', `${this.operator} with ${unread.join(', ')} is not supported`);
  }

  unsupported(code: string, message: string): never {
    fail('unsupported', code, message, { place: this.#place });
  }

  unsupportedElement(element: string): never {
    this.unsupported('onnx/unsupported-type', `${this.operator} of ${element} is not supported`);
  }

  invalid(message: string): never {
    fail('invalid', 'onnx/bad-node', message, { place: this.#place });
  }

  #attribute<K extends OnnxAttributeKind>(name: string, kind: K): OnnxAttributeValues[K] | undefined {
    this.#attributesRead.add(name);
    const attribute = this.#attributes.get(name);
    if (attribute === undefined) return undefined;
    if (attribute.kind !== kind) return this.invalid(`attribute ${name} is ${describe(attribute)}, not ${describe({ kind })}`);
    return attribute.value as OnnxAttributeValues[K];
  }

  #integers<T extends number | readonly number[]>(name: string, value: T | undefined): T | undefined {
    if (value !== undefined && ![value].flat().every(Number.isSafeInteger)) this.invalid(`attribute ${name} is out of range`);
    return value;
  }

  #add(name: string, op: OpName, operands: readonly string[], attributes: Attributes): string {
    const { builder, unsigned } = this.#context;
    const integers = operands.find((value) => value !== '' && standsForReals(this.type(value).element));
    if (integers !== undefined && !OF_QUANTIZED.has(op))
      this.unsupported(
        'onnx/unsupported-type',
        `${this.operator} of quantized integers is not supported, only of what DequantizeLinear gives`,
      );
    try {
      const value = builder.op(op, operands, attributes, { name, origin: this.#origin });
      if (integers !== undefined && unsigned.has(integers) && op !== 'dequantize') unsigned.add(value);
      return value;
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      const message = error.diagnostics.map((diagnostic) => diagnostic.message).join(', ');
      // The ops compute on f32; what is wrong with other element types is that they are not supported, not the model.
      const foreign = operands.find((value) => value !== '' && this.type(value).element !== 'f32');
      return foreign === undefined ? this.invalid(message) : this.unsupported('onnx/unsupported-type', message);
    }
  }
}

function describe(attribute: { readonly kind: OnnxAttributeKind; readonly value?: unknown }): string {
  if (attribute.kind === 'other') return String(attribute.value);
  return attribute.kind.endsWith('s') ? `a list of ${attribute.kind}` : `${attribute.kind === 'int' ? 'an' : 'a'} ${attribute.kind}`;
}
