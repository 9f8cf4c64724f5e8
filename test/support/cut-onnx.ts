import onnx from 'onnx-proto';

/** A model without what comes after its last node of a type; that node's result is the only output. */
export function upToLast(opType: string, model: Uint8Array): Uint8Array {
  const { ModelProto, ValueInfoProto } = onnx.onnx;
  const proto = ModelProto.decode(model);
  const { graph } = proto;
  const nodes = graph?.node ?? [];
  const last = nodes.findLastIndex((node) => node.opType === opType);
  const output = nodes[last]?.output?.[0];
  if (!graph || output === undefined) throw new Error(`the model has no ${opType}`);
  graph.node = nodes.slice(0, last + 1);
  const used = new Set(graph.node.flatMap((node) => node.input ?? []));
  graph.initializer = (graph.initializer ?? []).filter(({ name }) => used.has(name ?? ''));
  graph.output = [ValueInfoProto.fromObject({ name: output })];
  return ModelProto.encode(proto).finish();
}
