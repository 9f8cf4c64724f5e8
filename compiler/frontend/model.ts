/**
 * ONNX models as plain objects, read from the messages of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 * Only what the importer understands is kept; nested graphs, functions and training information are noted or skipped, never entered.
 */
import { fail } from '../ir/diagnostic.ts';
import { MessageReader, WireError } from './protobuf.ts';

export interface OnnxModel {
  /** Version of each imported operator set by domain; '' is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  /** Names of initializers in sparse form. */
  readonly sparseInitializers: readonly string[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  /** Value names; '' stands for an optional operand that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** Values of attributes by kind. */
export interface OnnxAttributeValues {
  readonly float: number;
  readonly int: number;
  readonly string: string;
  readonly tensor: OnnxTensor;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  /** A kind that no supported operator has, in words. */
  readonly other: string;
}
export type OnnxAttributeKind = keyof OnnxAttributeValues;
export type OnnxAttribute = {
  readonly [K in OnnxAttributeKind]: { readonly kind: K; readonly value: OnnxAttributeValues[K] };
}[OnnxAttributeKind];

/** A declared type. A dimension is a number, or its name when it is dynamic, '' if it has none. */
export interface OnnxValue {
  readonly name: string;
  /** TensorProto.DataType; undefined when the value is no tensor. */
  readonly dataType: number | undefined;
  /** Undefined when the model does not say. */
  readonly shape: readonly OnnxDimension[] | undefined;
}
export type OnnxDimension = number | string;

/** A tensor, its elements still as they stand in the file. */
export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** TensorProto.DataType. */
  readonly dataType: number;
  readonly data: OnnxTensorData;
}

export type OnnxTensorData =
  /** Little-endian elements, 4-bit ones two to a byte. */
  | { readonly kind: 'raw'; readonly bytes: readonly Uint8Array[] }
  /** Variable-length integers, one for an element (one for two elements of 4 bits). */
  | { readonly kind: 'varints'; readonly bytes: readonly Uint8Array[] }
  /** Kept in another file, with the entries `location`, `offset` and `length`. */
  | { readonly kind: 'external'; readonly entries: ReadonlyMap<string, string> };

const MAX_FILE_BYTES = 2 ** 31;

/** Decodes a serialised ModelProto; fails with `onnx/not-onnx` when it is none. */
export function decodeModel(bytes: Uint8Array): OnnxModel {
  if (bytes.length > MAX_FILE_BYTES) notOnnx(`it has ${bytes.length} bytes and protocol buffers end at ${MAX_FILE_BYTES}`);
  if (bytes.length === 0) notOnnx('it is empty');
  return decoding(() => readModel(new MessageReader(bytes)));
}

/** Decodes a serialised TensorProto, the format of ONNX's test data; fails with `onnx/not-tensor` when it is none. */
export function decodeTensor(bytes: Uint8Array): OnnxTensor {
  try {
    return readTensor(new MessageReader(bytes));
  } catch (error) {
    if (error instanceof WireError) fail('invalid', 'onnx/not-tensor', `not a serialised TensorProto: ${error.message}`);
    throw error;
  }
}

/** Runs a decoder; what it finds malformed becomes `onnx/not-onnx`. */
export function decoding<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) notOnnx(error.message);
    throw error;
  }
}

function notOnnx(reason: string): never {
  fail('invalid', 'onnx/not-onnx', `not an ONNX model: ${reason}`, {
    hint: 'a binary ModelProto is expected, as onnx.save and torch.onnx.export write it',
  });
}

function readModel(reader: MessageReader): OnnxModel {
  const opsets = new Map<string, number>();
  let graph: OnnxGraph | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 7) graph = readGraph(reader.message());
    else if (field === 8) readOpset(reader.message(), opsets);
  }
  return { opsets, graph: graph ?? notOnnx('it has no graph') };
}

function readOpset(reader: MessageReader, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) domain = canonicalDomain(reader.string());
    else if (field === 2) version = reader.integer();
  }
  opsets.set(domain, version);
}

/** ONNX's own domain has two spellings. */
function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function readGraph(reader: MessageReader): OnnxGraph {
  let name = '';
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const sparseInitializers: string[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) nodes.push(readNode(reader.message()));
    else if (field === 2) name = reader.string();
    else if (field === 5) initializers.push(readTensor(reader.message()));
    else if (field === 11) inputs.push(readValue(reader.message()));
    else if (field === 12) outputs.push(readValue(reader.message()));
    else if (field === 15) sparseInitializers.push(readSparseName(reader.message()));
  }
  return { name, nodes, initializers, sparseInitializers, inputs, outputs };
}

function readNode(reader: MessageReader): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  let [name, op, domain] = ['', '', ''];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) inputs.push(reader.string());
    else if (field === 2) outputs.push(reader.string());
    else if (field === 3) name = reader.string();
    else if (field === 4) op = reader.string();
    else if (field === 5) attributes.set(...readAttribute(reader.message()));
    else if (field === 7) domain = canonicalDomain(reader.string());
  }
  return { name, op, domain, inputs, outputs, attributes };
}

/** AttributeProto.AttributeType by number, for the kinds that have no form here. */
const OTHER_KINDS: Readonly<Record<number, string>> = {
  5: 'a graph',
  8: 'strings',
  9: 'tensors',
  10: 'graphs',
  11: 'a sparse tensor',
  12: 'sparse tensors',
  13: 'a type',
  14: 'types',
};

function readAttribute(reader: MessageReader): [string, OnnxAttribute] {
  let name = '';
  let type = 0;
  let [float, int, string] = [0, 0, ''];
  let tensor: OnnxTensor | undefined;
  const floats: number[] = [];
  const ints: number[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 2) float = reader.float();
    else if (field === 3) int = reader.integer();
    else if (field === 4) string = reader.string();
    else if (field === 5) tensor = readTensor(reader.message());
    else if (field === 7) reader.floatsTo(floats);
    else if (field === 8) reader.integersTo(ints);
    else if (field === 20) type = reader.integer();
  }
  if (type === 1) return [name, { kind: 'float', value: float }];
  if (type === 2) return [name, { kind: 'int', value: int }];
  if (type === 3) return [name, { kind: 'string', value: string }];
  if (type === 4 && tensor) return [name, { kind: 'tensor', value: tensor }];
  if (type === 6) return [name, { kind: 'floats', value: floats }];
  if (type === 7) return [name, { kind: 'ints', value: ints }];
  return [name, { kind: 'other', value: OTHER_KINDS[type] ?? 'a value of no type' }];
}

function readTensor(reader: MessageReader): OnnxTensor {
  const dims: number[] = [];
  const entries = new Map<string, string>();
  const raw: Uint8Array[] = [];
  const varints: Uint8Array[] = [];
  let name = '';
  let dataType = 0;
  let external = false;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) reader.integersTo(dims);
    else if (field === 2) dataType = reader.integer();
    else if (field === 4 || field === 10) raw.push(reader.fixed());
    else if (field === 5 || field === 7 || field === 11) varints.push(reader.varints());
    else if (field === 8) name = reader.string();
    else if (field === 9) raw.push(reader.bytes());
    else if (field === 13) entries.set(...readEntry(reader.message()));
    else if (field === 14) external = reader.integer() === 1;
  }
  if (external) return { name, dims, dataType, data: { kind: 'external', entries } };
  if (varints.length > 0) return { name, dims, dataType, data: { kind: 'varints', bytes: varints } };
  return { name, dims, dataType, data: { kind: 'raw', bytes: raw } };
}

function readEntry(reader: MessageReader): [string, string] {
  let [key, value] = ['', ''];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
  }
  return [key, value];
}

/** A sparse tensor goes by the name of its values. */
function readSparseName(reader: MessageReader): string {
  let name = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) if (field === 1) name = readTensor(reader.message()).name;
  return name;
}

function readValue(reader: MessageReader): OnnxValue {
  let name = '';
  let type: Omit<OnnxValue, 'name'> = { dataType: undefined, shape: undefined };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) name = reader.string();
    else if (field === 2) type = readType(reader.message());
  }
  return { name, ...type };
}

/** TypeProto: a tensor's element type and shape; other kinds of type have neither. */
function readType(reader: MessageReader): Omit<OnnxValue, 'name'> {
  let dataType: number | undefined;
  let shape: readonly OnnxDimension[] | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== 1) continue;
    const tensor = reader.message();
    for (let inner = tensor.next(); inner !== 0; inner = tensor.next()) {
      if (inner === 1) dataType = tensor.integer();
      else if (inner === 2) shape = readShape(tensor.message());
    }
  }
  return { dataType, shape };
}

function readShape(reader: MessageReader): readonly OnnxDimension[] {
  const shape: OnnxDimension[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) if (field === 1) shape.push(readDimension(reader.message()));
  return shape;
}

/** Some exporters write a dynamic dimension as a negative number. */
function readDimension(reader: MessageReader): OnnxDimension {
  let dimension: OnnxDimension = '';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) dimension = reader.integer();
    else if (field === 2) dimension = reader.string();
  }
  return typeof dimension === 'number' && dimension < 0 ? '' : dimension;
}
