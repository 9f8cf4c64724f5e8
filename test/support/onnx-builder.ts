/** Writes small ONNX models for tests, through the reference message definitions rather than the importer's own reader. */
import onnxProto from 'onnx-proto';

const { AttributeProto, ModelProto, TensorProto } = onnxProto.onnx;

export type ElementArray = Float32Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint16Array | Uint8Array | Float64Array;

export interface TensorSpec {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly data: ElementArray;
  /** TensorProto.DataType; taken from the array's kind when left out. */
  readonly dataType?: number;
  /** In raw_data, in the field of the element type, or in another file from `offset` on. */
  readonly storage?: 'raw' | 'typed' | { readonly location: string; readonly offset?: number; readonly length?: number };
}

/** An attribute: a plain number is an int, a list of numbers ints. */
export type AttributeSpec =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly tensor: TensorSpec }
  | { readonly graph: GraphSpec }
  | { readonly strings: readonly string[] };

export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeSpec>>;
}

/** A declared value; f32 unless it says otherwise. Text dimensions are dynamic, '' unnamed. */
export interface ValueSpec {
  readonly name: string;
  readonly shape?: readonly (number | string)[];
  readonly dataType?: number;
  /** Not a tensor but a sequence of them. */
  readonly sequence?: boolean;
  /** Of no declared type. */
  readonly untyped?: boolean;
}

export interface GraphSpec {
  readonly name?: string;
  readonly nodes: readonly NodeSpec[];
  readonly inputs?: readonly ValueSpec[];
  readonly outputs?: readonly ValueSpec[];
  readonly initializers?: readonly TensorSpec[];
  /** Names of initializers in sparse form, without elements. */
  readonly sparseInitializers?: readonly string[];
}

export interface ModelSpec extends GraphSpec {
  /** Version of ONNX's own operators, 13 unless given; or of several domains. */
  readonly opset?: number | Readonly<Record<string, number>>;
}

/** A node with `inputs` and `outputs` as words of a text: `node('Add', 'a b', 'y')`; `_` leaves one out. */
export function node(op: string, inputs: string, outputs: string, attributes: NodeSpec['attributes'] = {}, name = ''): NodeSpec {
  const words = (text: string): string[] => text.split(' ').flatMap((word) => (word === '' ? [] : [word === '_' ? '' : word]));
  return { op, inputs: words(inputs), outputs: words(outputs), attributes, name };
}

/** A serialised ModelProto. */
export function modelBytes(spec: ModelSpec): Uint8Array {
  const opset = typeof spec.opset === 'object' ? spec.opset : { '': spec.opset ?? 13 };
  const message = {
    irVersion: 8,
    opsetImport: Object.entries(opset).map(([domain, version]) => ({ domain, version })),
    graph: graphMessage(spec),
  };
  return new Uint8Array(ModelProto.encode(message).finish());
}

/** A serialised TensorProto. */
export function tensorBytes(spec: TensorSpec): Uint8Array {
  return new Uint8Array(TensorProto.encode(tensorMessage(spec)).finish());
}

function graphMessage(spec: GraphSpec): onnxProto.onnx.IGraphProto {
  return {
    name: spec.name ?? 'test',
    node: spec.nodes.map(nodeMessage),
    input: (spec.inputs ?? []).map(valueMessage),
    output: (spec.outputs ?? []).map(valueMessage),
    initializer: (spec.initializers ?? []).map(tensorMessage),
    sparseInitializer: (spec.sparseInitializers ?? []).map((name) => ({ values: { name, dataType: 1 } })),
  };
}

function nodeMessage({ op, inputs, outputs, name, domain, attributes }: NodeSpec): onnxProto.onnx.INodeProto {
  return {
    opType: op,
    input: [...inputs],
    output: [...outputs],
    name: name ?? null,
    domain: domain ?? null,
    attribute: Object.entries(attributes ?? {}).map(([key, value]) => ({ name: key, ...attributeMessage(value) })),
  };
}

function attributeMessage(value: AttributeSpec): onnxProto.onnx.IAttributeProto {
  const { AttributeType } = AttributeProto;
  if (typeof value === 'number') return { type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('float' in value) return { type: AttributeType.FLOAT, f: value.float };
  if ('floats' in value) return { type: AttributeType.FLOATS, floats: [...value.floats] };
  if ('tensor' in value) return { type: AttributeType.TENSOR, t: tensorMessage(value.tensor) };
  if ('graph' in value) return { type: AttributeType.GRAPH, g: graphMessage(value.graph) };
  if ('strings' in value) return { type: AttributeType.STRINGS, strings: value.strings.map((text) => new TextEncoder().encode(text)) };
  return { type: AttributeType.INTS, ints: [...value] };
}

function valueMessage({ name, shape, dataType = 1, sequence, untyped }: ValueSpec): onnxProto.onnx.IValueInfoProto {
  if (untyped) return { name };
  const tensorType = {
    elemType: dataType,
    ...(shape && { shape: { dim: shape.map((d) => (typeof d === 'number' ? { dimValue: d } : d === '' ? {} : { dimParam: d })) } }),
  };
  return { name, type: sequence ? { sequenceType: { elemType: { tensorType } } } : { tensorType } };
}

function tensorMessage(spec: TensorSpec): onnxProto.onnx.ITensorProto {
  const { name = '', dims, data, storage = 'raw' } = spec;
  const dataType = spec.dataType ?? dataTypeOf(data);
  const head = { name, dims: [...dims], dataType };
  if (storage === 'raw') return { ...head, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  if (storage !== 'typed') {
    const externalData = Object.entries(storage).map(([key, value]) => ({ key, value: String(value) }));
    return { ...head, dataLocation: TensorProto.DataLocation.EXTERNAL, externalData };
  }
  if (data instanceof Float32Array) return { ...head, floatData: [...data] };
  if (data instanceof Float64Array) return { ...head, doubleData: [...data] };
  if (data instanceof BigInt64Array) return { ...head, int64Data: Array.from(data, Number) };
  return { ...head, int32Data: [...data] };
}

function dataTypeOf(data: ElementArray): number {
  const { DataType } = TensorProto;
  if (data instanceof Float32Array) return DataType.FLOAT;
  if (data instanceof Float64Array) return DataType.DOUBLE;
  if (data instanceof BigInt64Array) return DataType.INT64;
  if (data instanceof Int32Array) return DataType.INT32;
  if (data instanceof Int16Array) return DataType.INT16;
  if (data instanceof Int8Array) return DataType.INT8;
  if (data instanceof Uint16Array) return DataType.FLOAT16;
  return DataType.UINT8;
}
