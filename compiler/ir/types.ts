import type { ElementType } from '../../runtime/numerics/element.ts';
import { elementBytes } from '../../runtime/numerics/element.ts';

/** A tensor's static type: element type and shape. `[]` is a scalar; a dimension may be 0. */
export interface TensorType {
  readonly element: ElementType;
  readonly shape: readonly number[];
}

export function tensorType(element: ElementType, shape: readonly number[]): TensorType {
  return { element, shape };
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export function typeBytes(type: TensorType): number {
  return elementBytes(type.element, elementCount(type.shape));
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}

export function sameType(a: TensorType, b: TensorType): boolean {
  return a.element === b.element && sameShape(a.shape, b.shape);
}

/** The textual form, `f32[1,28,28]`. */
export function printType(type: TensorType): string {
  return `${type.element}[${type.shape.join(',')}]`;
}
