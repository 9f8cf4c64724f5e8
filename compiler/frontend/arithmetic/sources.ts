/** Known values that a model describes instead of containing, and what is known of a value by its type. */
import type { Tensor } from '../../ir/tensor.ts';
import { tensor, zeros } from '../../ir/tensor.ts';
import { elementCount, tensorType } from '../../ir/types.ts';
import type { NodeImport } from '../node.ts';

export function constant(node: NodeImport): Tensor {
  const single = (value: number | undefined): readonly number[] | undefined => (value === undefined ? undefined : [value]);
  const shapeOf = (values: readonly number[], scalar: unknown): readonly number[] => (scalar === undefined ? [values.length] : []);
  const [float, int] = [node.float('value_float'), node.int('value_int')];
  const reals = single(float) ?? node.floats('value_floats');
  const integers = single(int) ?? node.ints('value_ints');
  const value =
    node.tensor('value') ??
    (reals && tensor(tensorType('f32', shapeOf(reals, float)), Float32Array.from(reals))) ??
    (integers && tensor(tensorType('i64', shapeOf(integers, int)), BigInt64Array.from(integers, BigInt)));
  // What is left are strings and sparse tensors, if anything.
  if (value === undefined) node.finish();
  return value ?? node.invalid('Constant has no value');
}

/** A tensor of a known shape, filled with one value: 0 in f32 unless given. */
export function constantOfShape(node: NodeImport): Tensor {
  const shape = node.constantInts(0, 'shape') ?? node.invalid('ConstantOfShape has no shape');
  const value = node.tensor('value') ?? zeros(tensorType('f32', [1]));
  if (value.data.length !== 1) node.invalid(`the value must be one element, not ${value.data.length}`);
  const result = node.allocate(tensorType(value.type.element, shape));
  const words = result.data;
  if (words instanceof BigInt64Array) words.fill(BigInt(value.data[0] ?? 0));
  else words.fill(Number(value.data[0] ?? 0));
  return result;
}

/** The dimensions from `start` to `end`. */
export function shape(node: NodeImport): Tensor {
  const dimensions = node.operandType(0).shape.slice(node.int('start') ?? 0, node.int('end'));
  return tensor(tensorType('i64', [dimensions.length]), BigInt64Array.from(dimensions, BigInt));
}

export function size(node: NodeImport): Tensor {
  return tensor(tensorType('i64', []), BigInt64Array.of(BigInt(elementCount(node.operandType(0).shape))));
}

/** The numbers from a start on in equal steps, up to and without a limit. */
export function range(node: NodeImport): Tensor {
  const [start, limit, delta] = [node.known(0), node.known(1), node.known(2)];
  const { element } = start.type;
  for (const { type, data } of [start, limit, delta]) {
    if (type.element !== element || data.length !== 1) node.invalid('start, limit and step must be single numbers of one type');
  }
  const [first, last, step] = [start, limit, delta].map(({ data }) => data[0] ?? 0);
  if (typeof first === 'bigint' && typeof last === 'bigint' && typeof step === 'bigint') {
    if (step === 0n) node.invalid('the step is 0');
    const distance = step > 0n ? last - first : first - last;
    const size = step > 0n ? step : -step;
    const result = node.allocate(tensorType(element, [distance > 0n ? Number((distance + size - 1n) / size) : 0]));
    for (let i = 0; i < result.data.length; i++) result.data[i] = first + BigInt(i) * step;
    return result;
  }
  if (element !== 'f32' && element !== 'i32' && element !== 'i16') node.unsupportedElement(element);
  const [from, by] = [Number(first), Number(step)];
  const count = Math.ceil((Number(last) - from) / by);
  if (Number.isNaN(count) || by === 0) node.invalid(`there are no steps of ${by} from ${from} to ${Number(last)}`);
  const result = node.allocate(tensorType(element, [Math.max(0, count)]));
  for (let i = 0; i < result.data.length; i++) result.data[i] = from + i * by;
  return result;
}
