/**
 * The verifier: what must hold in every graph, and a rule table of what may exist at each stage. It trusts nothing: the graph may come
 * from a file or from a pass gone wrong.
 */
import type { ElementType } from '../../runtime/numerics/element.ts';
import { MAX_ELEMENT_TEXT, elementBytes, isQuantized, parseElementType, quantizationOf } from '../../runtime/numerics/element.ts';
import { completeAttributes, sameAttributes } from './attributes.ts';
import { elementsInRange } from './constant-text.ts';
import type { Diagnostic } from './diagnostic.ts';
import { DiagnosticError } from './diagnostic.ts';
import type { ConstantNode, Graph, Node, OpNode } from './graph.ts';
import { inferType } from './infer.ts';
import { MAX_NAME, isLegalName, nameProblem } from './names.ts';
import { OpError } from './op.ts';
import { isOpName } from './ops.ts';
import { STAGE_RULES } from './stage-rules.ts';
import { allocate } from './tensor.ts';
import type { TensorType } from './types.ts';
import { elementCount, printType, sameType } from './types.ts';

/** Ops that a graph from a file may have at most: each takes time in every pass, and in lowering. */
export const MAX_OPS = 2 ** 14;
/** Dimensions that a tensor may have at most. */
export const MAX_RANK = 16;
/** Bytes that a tensor may have at most: the machine's address space. */
export const MAX_TENSOR_BYTES = 2 ** 32;

/** Everything that is wrong with a graph; nothing when it is valid at its stage. */
export function verifyGraph(graph: Graph): Diagnostic[] {
  const problems = [...structure(graph)];
  // The rules of a stage may rely on the structure.
  return problems.length > 0 ? problems : [...stageProblems(graph)];
}

/** The graph itself when it is valid; throws all that is wrong otherwise. */
export function checkGraph(graph: Graph): Graph {
  const problems = verifyGraph(graph);
  if (problems.length > 0) throw new DiagnosticError(problems);
  return graph;
}

function problem(code: string, message: string, value?: string): Diagnostic {
  return { kind: 'invalid', code: `ir/${code}`, message, ...(value !== undefined && { place: [`%${value}`] }) };
}

function* structure(graph: Graph): Generator<Diagnostic> {
  if (!isLegalName(graph.name)) yield problem('name', `the graph's name ${JSON.stringify(graph.name)} is not a legal name`);
  const defined = new Map<string, TensorType>();
  for (const node of graph.nodes) {
    const wrongName = nameProblem(node.name);
    if (wrongName !== undefined) yield problem('name', wrongName, node.name.slice(0, MAX_NAME));
    if (defined.has(node.name)) yield problem('redefined', 'the value is defined twice', node.name);
    const wrongType = typeProblem(node.type);
    if (wrongType !== undefined) yield problem('type', wrongType, node.name);
    else yield* nodeProblems(node, defined);
    defined.set(node.name, node.type);
  }
  yield* outputProblems(graph, defined);
}

/** What is wrong with a text that `parseElementType` does not know. */
export function noElementType(text: string): string {
  if (text.length > MAX_ELEMENT_TEXT) return `an element type has at most ${MAX_ELEMENT_TEXT} characters, not ${text.length}`;
  return `${text.slice(0, 60)} is no element type`;
}

/** What is wrong with a type by itself, or undefined. */
export function typeProblem({ element, shape }: TensorType): string | undefined {
  if (parseElementType(element) === undefined) return noElementType(element);
  if (shape.length > MAX_RANK) return `a tensor has at most ${MAX_RANK} dimensions, not ${shape.length}`;
  const wrong = shape.find((d) => !Number.isSafeInteger(d) || d < 0);
  if (wrong !== undefined) return `${wrong} is no dimension`;
  // Without the zeros, so that no intermediate product of dimensions is out of bounds either.
  if (elementBytes(element, elementCount(shape.filter((d) => d > 0))) > MAX_TENSOR_BYTES)
    return `[${shape.join(',')}] is larger than the address space`;
  return channelProblem(element, shape);
}

/** A type with a scale for each index along a dimension has that dimension, and as many scales. */
function channelProblem(element: ElementType, shape: readonly number[]): string | undefined {
  if (!isQuantized(element)) return undefined;
  const { scales, axis } = quantizationOf(element);
  if (axis === undefined) return undefined;
  const size = shape[axis];
  if (size === undefined) return `scales along dimension ${axis} need a shape that has it, not [${shape.join(',')}]`;
  return size === scales.length ? undefined : `${scales.length} scales do not fit the ${size} indices along dimension ${axis}`;
}

function* nodeProblems(node: Node, defined: ReadonlyMap<string, TensorType>): Generator<Diagnostic> {
  if (node.kind === 'op') yield* opProblems(node, defined);
  else if (node.kind === 'constant') yield* constantProblems(node);
}

function* constantProblems({ name, type, value }: ConstantNode): Generator<Diagnostic> {
  if (!sameType(type, value.type))
    yield problem('constant', `a constant of type ${printType(type)} holds a tensor of type ${printType(value.type)}`, name);
  else if (value.data.constructor !== allocate(type.element, 0).constructor || value.data.length !== elementCount(type.shape))
    yield problem('constant', `${value.data.length} stored elements do not make a ${printType(type)}`, name);
  else if (!elementsInRange(value)) yield problem('constant', `an element is out of the range of ${type.element}`, name);
}

function* opProblems(node: OpNode, defined: ReadonlyMap<string, TensorType>): Generator<Diagnostic> {
  const { name, op, inputs, attributes, type } = node;
  if (!isOpName(op)) {
    yield problem('unknown-op', `there is no op ${String(op)}`, name);
    return;
  }
  const undefinedInput = inputs.find((input) => input !== '' && !defined.has(input));
  if (undefinedInput !== undefined) {
    yield problem('undefined', `operand %${undefinedInput} is not defined before`, name);
    return;
  }
  if (inputs.at(-1) === '') yield problem('operands', 'an absent operand at the end is left out', name);
  try {
    const complete = completeAttributes(op, attributes);
    if (!sameAttributes(complete, attributes))
      yield problem('attributes', 'the attributes are not complete or not rounded to binary32', name);
    const inferred = inferType(
      op,
      inputs.map((input) => defined.get(input)),
      complete,
    );
    if (!sameType(inferred, type))
      yield problem('type', `the type is declared ${printType(type)}, but ${op} gives ${printType(inferred)}`, name);
  } catch (error) {
    if (!(error instanceof OpError)) throw error;
    yield problem('op', error.message, name);
  }
}

function* outputProblems({ outputs }: Graph, defined: ReadonlyMap<string, TensorType>): Generator<Diagnostic> {
  if (outputs.length === 0) yield problem('outputs', 'the graph has no outputs');
  const names = new Set<string>();
  for (const { name, value } of outputs) {
    if (names.has(name)) yield problem('outputs', `there are two outputs ${JSON.stringify(name)}`);
    names.add(name);
    if (!defined.has(value)) yield problem('undefined', `output ${JSON.stringify(name)} is a value that is not defined`, value);
  }
}

function* stageProblems(graph: Graph): Generator<Diagnostic> {
  const rules = STAGE_RULES.filter((rule) => rule.stages.includes(graph.stage));
  for (const node of graph.nodes)
    for (const { code, violation } of rules) {
      const message = violation(node, graph);
      if (message !== undefined) yield problem(`stage/${code}`, `in a graph of stage ${graph.stage} ${message}`, node.name);
    }
}
