/**
 * Shape arithmetic: what exporters write around a network to compute shapes, axes and bounds. A node whose operands are all known at compile
 * time, or of which only the operand's shape matters, is evaluated at import and never becomes a part of the graph.
 */
import { evaluateGraph } from '../ir/evaluate.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { OpError } from '../ir/op.ts';
import { hasTrait } from '../ir/ops.ts';
import type { Tensor } from '../ir/tensor.ts';
import { sameShape, typeBytes } from '../ir/types.ts';
import { binary, cast, comparison, divide, isInteger, logical, modulo, unary, variadic, where } from './arithmetic/elementwise.ts';
import { expand, gather, nonZero, reduce, slice, split, tile } from './arithmetic/moving.ts';
import { constant, constantOfShape, range, shape, size } from './arithmetic/sources.ts';
import type { OnnxGraph } from './model.ts';
import type { ImportContext } from './node.ts';
import { NodeImport } from './node.ts';
import { importerOf } from './operators.ts';
import type { NamedNode } from './order.ts';
import { dequantizeKnown, quantizeKnown } from './quantization.ts';

/** Gives what a node's outputs are, or by name the value of a graph of constants that its first output is. */
type Evaluator = (node: NodeImport) => Tensor | readonly Tensor[] | string;

/** As the ops that the node would become in the graph. */
const asOps: Evaluator = (node) => {
  const importer = importerOf('', node.operator, node.opset);
  return typeof importer === 'string' ? node.unsupported('onnx/unsupported-op', `${node.operator} is ${importer}`) : importer(node);
};

/** Integers by an evaluator of their own, since the ops of the graph compute on floats. */
function onIntegers(evaluate: Evaluator): Evaluator {
  return (node) => (isInteger(node.operandType(0).element) ? evaluate(node) : asOps(node));
}

const greatest = { integer: (a: bigint, b: bigint) => (a < b ? b : a), float: (a: number, b: number) => Math.max(a, b) };
const least = { integer: (a: bigint, b: bigint) => (b < a ? b : a), float: (a: number, b: number) => Math.min(a, b) };
const sum = { integer: (a: bigint, b: bigint) => a + b, float: (a: number, b: number) => a + b };
const product = { integer: (a: bigint, b: bigint) => a * b, float: (a: number, b: number) => a * b };

/** Operators whose operands need only have known shapes. */
const OF_SHAPES: Readonly<Record<string, Evaluator>> = { Shape: shape, Size: size };

/** Operators whose operands must be known. */
const OF_VALUES: Readonly<Record<string, Evaluator>> = {
  Abs: unary({ integer: (x) => (x < 0n ? -x : x), float: Math.abs }),
  Add: onIntegers(binary(sum)),
  And: logical(2, (a, b) => a && b),
  Cast: cast,
  Ceil: unary({ float: Math.ceil }),
  Clip: asOps,
  Concat: asOps,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  DequantizeLinear: dequantizeKnown,
  Div: onIntegers(divide),
  Equal: comparison((a, b) => a === b),
  Expand: expand,
  Flatten: asOps,
  Floor: unary({ float: Math.floor }),
  Gather: gather,
  Greater: comparison((a, b) => a > b),
  GreaterOrEqual: comparison((a, b) => a >= b),
  Identity: asOps,
  Less: comparison((a, b) => a < b),
  LessOrEqual: comparison((a, b) => a <= b),
  Max: variadic(greatest),
  Min: variadic(least),
  Mod: modulo,
  Mul: onIntegers(binary(product)),
  Neg: unary({ integer: (x) => -x, float: (x) => -x }),
  NonZero: nonZero,
  Not: logical(1, (a) => !a),
  Or: logical(2, (a, b) => a || b),
  Pad: asOps,
  QuantizeLinear: quantizeKnown,
  Range: range,
  ReduceMax: reduce({ ...greatest, axesSince: 18 }),
  ReduceMin: reduce({ ...least, axesSince: 18 }),
  ReduceProd: reduce({ ...product, neutral: 1, axesSince: 18 }),
  ReduceSum: reduce({ ...sum, neutral: 0, axesSince: 13 }),
  Reshape: asOps,
  Slice: slice,
  Split: split,
  Sqrt: unary({ float: Math.sqrt }),
  Squeeze: asOps,
  Sub: onIntegers(binary({ integer: (a, b) => a - b })),
  Sum: asOps,
  Tile: tile,
  Transpose: asOps,
  Unsqueeze: asOps,
  Where: where,
};

function evaluatorOf(domain: string, operator: string): Evaluator | undefined {
  if (domain !== '') return undefined;
  const table = [OF_SHAPES, OF_VALUES].find((evaluators) => Object.hasOwn(evaluators, operator));
  return table?.[operator];
}

/** Whether nodes of an operator are evaluated at import when their operands are known. */
export function isEvaluated(domain: string, operator: string): boolean {
  return evaluatorOf(domain, operator) !== undefined;
}

/** ONNX's names of the operators that are evaluated at import. */
export const EVALUATED_OPERATORS: readonly string[] = [...Object.keys(OF_SHAPES), ...Object.keys(OF_VALUES)].sort();

/** Of nodes in order, those that are evaluated at import. */
export function knownNodes({ initializers, sparseInitializers }: OnnxGraph, nodes: readonly NamedNode[]): ReadonlySet<NamedNode> {
  const values = new Set(['', ...initializers.map(({ name }) => name), ...sparseInitializers]);
  const known = new Set<NamedNode>();
  for (const named of nodes) {
    const { domain, op, inputs, outputs } = named.node;
    if (!isEvaluated(domain, op)) continue;
    if (!Object.hasOwn(OF_SHAPES, op) && !inputs.every((input) => values.has(input))) continue;
    known.add(named);
    for (const output of outputs) values.add(output);
  }
  return known;
}

/** The outputs of a node whose operands are known. */
export function evaluateKnown(named: NamedNode, context: ImportContext): readonly Tensor[] {
  const builder = new GraphBuilder('known');
  const node = new NodeImport(named, { ...context, builder, values: context.values.over(builder) });
  const evaluator = evaluatorOf(named.node.domain, named.node.op);
  if (!evaluator) throw new Error(`${named.node.op} is not evaluated at import`);
  try {
    const result = evaluator(node);
    node.finish();
    if (typeof result === 'string') return [valueOf(builder, result, node)];
    return 'type' in result ? [result] : result;
  } catch (error) {
    if (error instanceof OpError) node.invalid(error.message);
    throw error;
  }
}

/** A value of a graph of constants. */
function valueOf(builder: GraphBuilder, name: string, node: NodeImport): Tensor {
  builder.output(name, name);
  const graph = builder.build();
  for (const { op, type, inputs } of graph.ops) {
    // A view has its operand's bytes; other ops may repeat operands until they have the result's shape.
    if (hasTrait(op, 'view')) node.checkType(type);
    else {
      node.reserve(type);
      for (const input of inputs) if (input !== '' && !sameShape(graph.node(input).type.shape, type.shape)) node.spend(typeBytes(type));
    }
  }
  const value = evaluateGraph(graph, new Map()).get(name);
  if (!value) throw new Error(`%${name} was not evaluated`);
  return value;
}
