/** What a kernel is: the code of one graph op, written as tile ops for a target. */
import type { ElementCode, Extension } from '../../isa/fields.ts';
import { ELEMENT_CODES } from '../../isa/fields.ts';
import type { Target } from '../../isa/target.ts';
import { isStoredElement } from '../../isa/program.ts';
import { codeOfStored, hasExtension } from '../../isa/target.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { elementBytes } from '../../runtime/numerics/element.ts';
import type { Attributes, OpNode } from '../ir/graph.ts';
import { fail } from '../ir/diagnostic.ts';
import type { Tensor, TensorData } from '../ir/tensor.ts';
import type { TensorType } from '../ir/types.ts';
import type { Buffer, Statement } from './tiled.ts';

/** An operand or result of the op that is being lowered, in DRAM: a tensor by itself, or a slice of the last dimension of a larger one. */
export interface KernelValue {
  readonly type: TensorType;
  readonly buffer: Buffer;
  /** Bytes from the start of the buffer to the first element. */
  readonly offset: number;
  /** Bytes from one row of the last dimension to the next. */
  readonly pitch: number;
}

/** Elements of the last dimension, and how many such rows there are. */
export function rowsOf({ shape }: TensorType): { readonly rows: number; readonly width: number } {
  const width = shape.at(-1) ?? 1;
  return { rows: shape.slice(0, -1).reduce((product, dimension) => product * dimension, 1), width };
}

/** Whether the rows of a value follow each other without gaps. */
export function isDense({ type, pitch }: KernelValue): boolean {
  return pitch === elementBytes(type.element, type.shape.at(-1) ?? 1);
}

export interface KernelContext {
  readonly target: Target;
  readonly node: OpNode;
  readonly attributes: Attributes;
  /** Element type of the first operand, which the op computes with, and its bytes. */
  readonly element: ElementCode;
  readonly elementBytes: number;
  /** Element type of the result, and its bytes. */
  readonly resultElement: ElementCode;
  readonly resultBytes: number;
  readonly result: KernelValue;
  /** The operand at an index, in DRAM; a constant operand is put there as it is. */
  operand(index: number): KernelValue;
  /** Type of an operand, or undefined where it is absent. */
  typeOf(index: number): TensorType | undefined;
  /** The operand's value where it is a constant. */
  constantOf(index: number): Tensor | undefined;
  /** A constant buffer with contents of the kernel's own making, such as weights packed by tile. */
  addConstant(suffix: string, data: TensorData): Buffer;
  /** What is stored for a real number in an element type, as an integer: the bits of a float, or the nearest integer. */
  encode(x: number, element: ElementType): number;
  /** The scalar operand of an instruction of `element` that stands for a real number: bits of f32 for every float, raw integers. */
  bits(x: number): number;
}

export interface KernelCode {
  readonly locals: readonly Buffer[];
  readonly body: readonly Statement[];
}

export type Kernel = (context: KernelContext) => KernelCode;

export function local(name: string, space: 'vector' | 'matrix', bytes: number, slots: 1 | 2 = 1, banks: Buffer['banks'] = 'any'): Buffer {
  // Slots start on a bank line, so that a stream of one slot meets the banks in the order of the other.
  return { name: `.${name}`, space, role: 'local', bytes: Math.ceil(bytes / 64) * 64, slots, banks };
}

/** The instruction set's element type of an IR type, or a diagnostic naming the op where the target does not have it. */
export function elementCode({ element }: TensorType, node: string, target: Target): ElementCode {
  const refuse = (why: string): never => fail('unsupported', 'lower/element-type', why, { place: [node] });
  if (!isStoredElement(element)) return refuse(`no instruction computes on ${element}`);
  const code = codeOfStored(element, target);
  const { extension } = ELEMENT_CODES[code];
  if (extension !== undefined && !hasExtension(target, extension))
    return refuse(`${element} needs ${extension}, which target ${target.name} does not have`);
  return code;
}

export function requireExtensions(context: KernelContext, what: string, extensions: readonly Extension[]): void {
  const missing = extensions.filter((extension) => !hasExtension(context.target, extension));
  if (missing.length > 0)
    fail(
      'unsupported',
      'lower/missing-extension',
      `${what} needs ${missing.join(', ')}, which target ${context.target.name} does not have`,
      { place: [context.node.name] },
    );
}

export function unsupportedForm(context: KernelContext, what: string, hint?: string): never {
  return fail('unsupported', 'lower/unsupported-form', `${what} has no lowering to ${context.target.name}`, {
    place: [context.node.name],
    ...(hint !== undefined && { hint }),
  });
}

export function doesNotFit(context: KernelContext, what: string, bytes: number, capacity: number): never {
  return fail(
    'unsupported',
    'lower/does-not-fit',
    `${what} needs ${bytes} bytes of a scratchpad of ${capacity}, and cannot be split further`,
    { place: [context.node.name] },
  );
}

export function multipleOf(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
