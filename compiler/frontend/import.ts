/** ONNX models into graphs of stage `imported`. */
import { isFixed, isQuantized } from '../../runtime/numerics/element.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { DiagnosticError, fail } from '../ir/diagnostic.ts';
import type { Graph } from '../ir/graph.ts';
import type { TensorType } from '../ir/types.ts';
import { printType } from '../ir/types.ts';
import { MAX_OPS, checkGraph } from '../ir/verify.ts';
import type { BoundInputs, ShapeOptions } from './bind.ts';
import { bindInputs, printShape } from './bind.ts';
import { requireOperators, requireOpset } from './check.ts';
import type { OnnxGraph, OnnxModel, OnnxTensor, OnnxValue } from './model.ts';
import { decodeModel } from './model.ts';
import type { EvaluationCost, ImportContext } from './node.ts';
import { NodeImport, evaluationCost } from './node.ts';
import { importerOf } from './operators.ts';
import type { NamedNode } from './order.ts';
import { orderNodes } from './order.ts';
import { evaluateKnown, knownNodes } from './shape-arithmetic.ts';
import type { ExternalResolver } from './tensor.ts';
import { elementOf, toTensor } from './tensor.ts';
import { Values } from './values.ts';

export interface ImportOptions extends ShapeOptions {
  /** The model's name in diagnostics. */
  readonly file?: string | undefined;
  /** Reads the files that the model keeps tensors in. */
  readonly resolveExternal?: ExternalResolver | undefined;
  /** Inputs, by name, whose values are known: they become constants. */
  readonly known?: ReadonlyMap<string, OnnxTensor> | undefined;
}

/**
 * The graph of a serialised model, NCHW as in ONNX. Values are called as in the model, made legal, and originate from its nodes.
 * Dynamic dimensions become static: see `bindInputs`. Initializers are constants, also those that are inputs by name.
 * Throws `DiagnosticError`, of kind unsupported where the model is sound but beyond the compiler.
 */
export function importOnnx(bytes: Uint8Array, options: ImportOptions = {}): Graph {
  try {
    const model = decodeModel(bytes);
    const known = { ...model, graph: withKnown(model.graph, options.known) };
    return importModel(known, evaluationCost(bytes.length), options);
  } catch (error) {
    throw error instanceof DiagnosticError && options.file !== undefined ? error.within(options.file) : error;
  }
}

/** Nodes that are evaluated at import, at most. */
const MAX_KNOWN = 4 * MAX_OPS;

function withKnown(graph: OnnxGraph, known: ReadonlyMap<string, OnnxTensor> = new Map()): OnnxGraph {
  const initializers = graph.initializers.filter(({ name }) => !known.has(name));
  return { ...graph, initializers: [...initializers, ...[...known].map(([name, value]) => ({ ...value, name }))] };
}

function importModel(model: OnnxModel, evaluated: EvaluationCost, options: ImportOptions): Graph {
  const { graph } = model;
  const opset = requireOpset(model);
  const nodes = orderNodes(graph);
  const known = knownNodes(graph, nodes);
  requireOperators(nodes, known, opset);
  const ops = nodes.length - known.size;
  if (ops > MAX_OPS || known.size > MAX_KNOWN)
    fail(
      'unsupported',
      'onnx/too-many-nodes',
      `the model has ${ops} nodes that compute and ${known.size} that are known; at most ${MAX_OPS} and ${MAX_KNOWN} are compiled`,
    );
  const initialized = new Set([...graph.initializers.map(({ name }) => name), ...graph.sparseInitializers]);
  const inputs = graph.inputs.filter(({ name }) => !initialized.has(name));
  const bound = bindInputs(inputs, options);

  const builder = new GraphBuilder(graph.name);
  const values = new Values(builder);
  const resolveExternal = options.resolveExternal && once(options.resolveExternal);
  for (const [name, type] of bound.types) values.define(name, builder.input(name, type));
  defineInitializers(graph, values, resolveExternal);
  const read = new Set([...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.map(({ name }) => name)]);
  const context: ImportContext = { builder, values, opset, resolveExternal, evaluated, unsigned: new Set() };
  for (const node of nodes) {
    if (known.has(node)) defineKnown(node, context);
    else importNode(node, context);
    requireOutputs(node, read, context);
  }
  for (const output of graph.outputs) {
    const value = values.value(output.name);
    if (context.unsigned.has(value))
      fail('unsupported', 'onnx/unsupported-type', 'unsigned quantized integers are not supported as an output, signed ones are', {
        place: [`output ${output.name}`],
        hint: 'quantize to int8, or output what DequantizeLinear gives',
      });
    checkDeclared(output, builder.type(value), bound);
    builder.output(output.name, value);
  }
  return checkGraph(builder.build('imported'));
}

/** Reads each file once, however many tensors it holds. */
function once(resolve: ExternalResolver): ExternalResolver {
  const files = new Map<string, Uint8Array>();
  return (location) => {
    const file = files.get(location) ?? resolve(location);
    files.set(location, file);
    return file;
  };
}

function defineInitializers(graph: OnnxGraph, values: Values, resolveExternal: ExternalResolver | undefined): void {
  for (const initializer of graph.initializers) {
    values.defineConstant(initializer.name, () => toTensor(initializer, { place: [`initializer ${initializer.name}`], resolveExternal }));
  }
  for (const name of graph.sparseInitializers) {
    values.defineConstant(name, () => fail('unsupported', 'onnx/sparse', `initializer ${name} is sparse, only dense ones are supported`));
  }
}

function importNode(named: NamedNode, context: ImportContext): void {
  const { domain, op, outputs } = named.node;
  const node = new NodeImport(named, context);
  const importer = importerOf(domain, op, context.opset);
  // `requireOperators` has seen to it that there is one.
  if (typeof importer === 'string') throw new Error(importer);
  const result = importer(node);
  node.finish();
  context.values.define(outputs[0] ?? '', result);
}

function defineKnown(named: NamedNode, context: ImportContext): void {
  const results = evaluateKnown(named, context);
  for (const [i, output] of named.node.outputs.entries()) {
    const result = results[i];
    if (result && output !== '') context.values.defineConstant(output, () => result);
  }
}

/** Fails where an output is read that the import has not defined. */
function requireOutputs({ name, node: { op, outputs } }: NamedNode, read: ReadonlySet<string>, { values }: ImportContext): void {
  const other = outputs.find((output) => output !== '' && read.has(output) && !values.isDefined(output));
  if (other !== undefined)
    fail('unsupported', 'onnx/unsupported-output', `only the first output of ${op} is supported, but '${other}' is used`, {
      place: [name],
    });
}

/** An output must have the type that the model declares for it, as far as the declaration goes. */
function checkDeclared({ name, dataType, shape }: OnnxValue, type: TensorType, { dimensions, reshaped }: BoundInputs): void {
  const conflict = (declared: string): never =>
    fail('invalid', 'onnx/output-type', `output ${name} is declared ${declared}, but is computed as ${printType(type)}`);
  if (dataType !== undefined) {
    const element = elementOf(dataType, [`output ${name}`]);
    if (element !== (isQuantized(type.element) ? 'i8' : isFixed(type.element) ? 'i16' : type.element)) conflict(element);
  }
  // Given shapes that differ from the declared ones change what follows from them.
  if (shape === undefined || reshaped) return;
  const fits = shape.every((d, i) => (typeof d === 'number' ? d : (dimensions.get(d) ?? type.shape[i])) === type.shape[i]);
  if (!fits || shape.length !== type.shape.length) conflict(printShape(shape));
}
