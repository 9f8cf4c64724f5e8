/** What op records share: fetching operands, and the checks whose failures `infer` reports. */
import type { ElementType } from '../../../runtime/numerics/element.ts';
import { isFixed, isQuantized } from '../../../runtime/numerics/element.ts';
import { isNarrow } from '../../../runtime/numerics/narrow.ts';
import type { AttributeSpec, Magnitude } from '../op.ts';
import { OpError } from '../op.ts';
import type { TensorType } from '../types.ts';
import { printType } from '../types.ts';

/** The attribute of ops that the host can do at a port of a program; which of them it does is decided by legalization. */
export const DEVICE = {
  device: {
    kind: 'enum',
    values: ['machine', 'host'],
    default: 'machine',
    doc: 'what executes it: the machine, or the host where a value enters or leaves the program',
  },
} as const satisfies Record<string, AttributeSpec>;

/** Operand `index` of a list, which must be there; `name` is the op table's name for it. */
export function operand<T>(list: readonly (T | undefined)[], index: number, name: string): T {
  const found = list[index];
  if (found === undefined) throw new OpError(`operand ${name} is missing`);
  return found;
}

export function requireFloat(type: TensorType, name: string): void {
  if (type.element !== 'f32') throw new OpError(`operand ${name} must be f32, not ${type.element}`);
}

export function isFloat(element: ElementType): boolean {
  return element === 'f32' || isNarrow(element);
}

/** A float, or 16-bit fixed point with any binary point. */
export function requireArithmetic(type: TensorType, name: string): void {
  if (!isFloat(type.element) && !isFixed(type.element)) throw new OpError(`operand ${name} must be a float or fx16, not ${type.element}`);
}

/** The types whose elements stand for real numbers in order: floats, fixed point, and integers of one scale. */
export function requireOrdered(type: TensorType, name: string): void {
  if (!isQuantized(type.element)) requireArithmetic(type, name);
  else if (type.element.startsWith('i8<axis')) throw new OpError(`operand ${name} must have one scale for the whole tensor`);
}

export function requireSameElement(a: TensorType, b: TensorType, names: string): void {
  if (a.element !== b.element) throw new OpError(`operands ${names} must have one element type, not ${a.element} and ${b.element}`);
}

export function requireRank(type: TensorType, name: string, rank: number): void {
  if (type.shape.length !== rank) throw new OpError(`operand ${name} must have ${rank} dimensions, not ${printType(type)}`);
}

/** An operand with one element per channel. */
export function requireChannels(type: TensorType, name: string, channels: number): void {
  if (type.shape.length !== 1 || type.shape[0] !== channels)
    throw new OpError(`operand ${name} must have shape [${channels}], one element per channel, not ${printType(type)}`);
}

/** An attribute of several integers: how many, and the least that each may be. */
export function requireInts(values: readonly number[], name: string, count: number, least: number): void {
  if (values.length !== count || values.some((value) => value < least))
    throw new OpError(`attribute ${name} must be ${count} integers of at least ${least}, not [${values.join(',')}]`);
}

/** The dimension at `index`, which the caller's rank check has shown to exist. */
export function dimension(type: TensorType, index: number): number {
  return type.shape[index] ?? 1;
}

/** Row-major strides of a shape, in elements. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] ?? 1) * (shape[i + 1] ?? 1);
  return strides;
}

export function noMacs(): number {
  return 0;
}

/** Magnitude of a result whose elements are the operand's, in order, moved nowhere or clamped. */
export function unchangedMagnitude(inputs: readonly (Magnitude | undefined)[]): Magnitude {
  return operand(inputs, 0, 'x');
}
