/** Evaluation of known values element by element. Integers wrap around as in two's complement, f32 is rounded once. */
import type { ElementType } from '../../../runtime/numerics/element.ts';
import { canonical } from '../../../runtime/numerics/float.ts';
import { NARROW_FORMATS, fromNarrow, isNarrow, toNarrow } from '../../../runtime/numerics/narrow.ts';
import type { Tensor, TensorData } from '../../ir/tensor.ts';
import { elementCount, tensorType } from '../../ir/types.ts';
import { broadcastShapes, broadcastTo } from '../../ir/ops/strided.ts';
import type { NodeImport } from '../node.ts';

type Scalar = number | bigint;

/** What an operator of one or two operands does to integers and to floats; without one it does not take them. */
export interface Arithmetic {
  readonly integer?: (a: bigint, b: bigint) => bigint;
  readonly float?: (a: number, b: number) => number;
}

/** The types of integers that have arithmetic. */
const INTEGERS: readonly string[] = ['i64', 'i32', 'i16', 'i8', 'u8'];

export function isInteger(element: string): boolean {
  return INTEGERS.includes(element);
}

/** Stores a number as an element: integers wrap around, NaN is the canonical one. */
export function store(data: TensorData, at: number, value: Scalar): void {
  if (data instanceof BigInt64Array) data[at] = BigInt(value);
  else if (data instanceof Float32Array) data[at] = canonical(Number(value));
  else data[at] = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value;
}

/** What an element counts for where work is more than memory. */
export const ELEMENT_COST_BYTES = 8;

/** Applies a function to the elements of up to three operands that broadcast. */
function combine(
  node: NodeImport,
  element: ElementType,
  operands: readonly Tensor[],
  f: (a: Scalar, b: Scalar, c: Scalar) => Scalar,
): Tensor {
  const shape = operands.map(({ type }) => type.shape).reduce(broadcastShapes, []);
  node.spend(ELEMENT_COST_BYTES * operands.length * elementCount(shape));
  const result = node.allocate(tensorType(element, shape));
  const [x, y, z] = operands.map((operand) => broadcastTo(operand, shape).data);
  for (let i = 0; i < result.data.length; i++) store(result.data, i, f(x?.[i] ?? 0, y?.[i] ?? 0, z?.[i] ?? 0));
  return result;
}

/** The known operands, which must be of one type; at least one. */
function operandsOf(node: NodeImport, count = Math.max(1, node.operandCount)): readonly [Tensor, ...Tensor[]] {
  const first = node.known(0);
  const others = Array.from({ length: count - 1 }, (_, i) => node.known(i + 1));
  for (const { type } of others) {
    if (type.element !== first.type.element)
      node.invalid(`operands must have one element type, not ${first.type.element} and ${type.element}`);
  }
  return [first, ...others];
}

function applied(node: NodeImport, operands: readonly [Tensor, ...Tensor[]], { integer, float }: Arithmetic): Tensor {
  const { element } = operands[0].type;
  if (element === 'f32' && float) return combine(node, element, operands, (a, b) => float(Number(a), Number(b)));
  if (isInteger(element) && integer) return combine(node, element, operands, (a, b) => integer(BigInt(a), BigInt(b)));
  return node.unsupportedElement(element);
}

export function unary(arithmetic: Arithmetic): (node: NodeImport) => Tensor {
  return (node) => applied(node, operandsOf(node, 1), arithmetic);
}

export function binary(arithmetic: Arithmetic): (node: NodeImport) => Tensor {
  return (node) => {
    // Before opset 7 broadcasting had to be asked for.
    node.skipAttributes('broadcast');
    return applied(node, operandsOf(node, 2), arithmetic);
  };
}

/** An operator of any number of operands, which are combined from the left. */
export function variadic(arithmetic: Arithmetic): (node: NodeImport) => Tensor {
  return (node) => {
    const [first, ...others] = operandsOf(node);
    return others.reduce((sum, operand) => applied(node, [sum, operand], arithmetic), first);
  };
}

/** Quotients of integers are rounded toward zero. */
export function divide(node: NodeImport): Tensor {
  return binary({ integer: (a, b) => (b === 0n ? node.invalid('division by zero') : a / b) })(node);
}

/** The remainder has the sign of the divisor, or with `fmod` that of the dividend. */
export function modulo(node: NodeImport): Tensor {
  const truncated = node.int('fmod') === 1;
  const integer = (a: bigint, b: bigint): bigint => {
    if (b === 0n) node.invalid('division by zero');
    const rest = a % b;
    return truncated || rest === 0n || rest < 0n === b < 0n ? rest : rest + b;
  };
  return binary(truncated ? { integer, float: (a, b) => a % b } : { integer })(node);
}

/** A comparison; integers, floats and truth values compare alike. */
export function comparison(holds: (a: Scalar, b: Scalar) => boolean): (node: NodeImport) => Tensor {
  return (node) => {
    node.skipAttributes('broadcast');
    const operands = operandsOf(node, 2);
    const { element } = operands[0].type;
    if (element !== 'f32' && element !== 'i1' && !isInteger(element)) node.unsupportedElement(element);
    return combine(node, 'i1', operands, (a, b) => Number(holds(a, b)));
  };
}

/** An operator on truth values. */
export function logical(count: number, holds: (a: boolean, b: boolean) => boolean): (node: NodeImport) => Tensor {
  return (node) => {
    node.skipAttributes('broadcast');
    const operands = operandsOf(node, count);
    if (operands[0].type.element !== 'i1') node.unsupportedElement(operands[0].type.element);
    return combine(node, 'i1', operands, (a, b) => Number(holds(a === 1, b === 1)));
  };
}

/** Elements of the second operand where the first is true, else of the third. */
export function where(node: NodeImport): Tensor {
  const [condition, x, y] = [node.known(0), node.known(1), node.known(2)];
  const { element } = x.type;
  if (condition.type.element !== 'i1') node.invalid(`the condition must be of truth values, not ${condition.type.element}`);
  if (element !== y.type.element) node.invalid(`operands must have one element type, not ${element} and ${y.type.element}`);
  return combine(node, element, [condition, x, y], (holds, a, b) => (holds === 1 ? a : b));
}

/** How the elements of a type are read as numbers, for those that can be converted. */
function numbersOf(node: NodeImport, { type, data }: Tensor): (at: number) => Scalar {
  const { element } = type;
  if (isNarrow(element)) return (at) => fromNarrow(element, Number(data[at]));
  if (element === 'f32' || element === 'i1' || isInteger(element)) return (at) => data[at] ?? 0;
  return node.unsupportedElement(element);
}

/** Refuses a Cast to an 8-bit float that does not saturate. */
export function requireSaturation(node: NodeImport, to: ElementType): void {
  // Of matter to another 8-bit float only.
  node.skipAttributes('round_mode');
  if ((node.int('saturate') ?? 1) === 0 && isNarrow(to) && NARROW_FORMATS[to].bits === 8)
    node.unsupported('onnx/unsupported-attribute', `Cast to ${to} with saturate=0 is not supported`);
}

/** Floats are cut off toward zero to become integers, which they must fit; integers wrap around to become smaller ones. */
export function cast(node: NodeImport): Tensor {
  const x = node.known(0);
  const to = node.elementType('to');
  requireSaturation(node, to);
  if (to === x.type.element) return x;
  if (to !== 'f32' && to !== 'i1' && !isInteger(to) && !isNarrow(to)) node.unsupportedElement(to);
  const numberAt = numbersOf(node, x);
  const result = node.allocate(tensorType(to, x.type.shape));
  for (let i = 0; i < result.data.length; i++) {
    const value = numberAt(i);
    if (to === 'f32') store(result.data, i, Number(value));
    else if (isNarrow(to)) store(result.data, i, toNarrow(to, Math.fround(Number(value))));
    else if (to === 'i1') store(result.data, i, Number(Number(value) !== 0));
    else store(result.data, i, isInteger(x.type.element) ? BigInt(value) : whole(node, Number(value), result));
  }
  return result;
}

/** A float as an integer of the type of a result. */
function whole(node: NodeImport, value: number, { type: { element }, data }: Tensor): bigint {
  const integer = Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  const bits = 8 * data.BYTES_PER_ELEMENT;
  const fits = integer !== undefined && integer === (element === 'u8' ? BigInt.asUintN(bits, integer) : BigInt.asIntN(bits, integer));
  return fits ? integer : node.invalid(`${value} does not fit ${element}`);
}
