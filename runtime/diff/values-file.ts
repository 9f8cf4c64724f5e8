/**
 * The values of a run: `values.bin`, and an index that says where each stands. One run of the graph after the other, in each the values in the graph's order
 * as the graph stores them (little-endian, row-major, in its own types and layouts), each beginning at a multiple of 8 bytes.
 */
import { z } from 'zod';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { allocate, dataBytes } from '../../compiler/ir/tensor.ts';
import { elementCount, printType, typeBytes } from '../../compiler/ir/types.ts';
import type { Layouts } from '../../compiler/pipeline.ts';
import { canonicalJson } from '../../isa/json.ts';
import type { Trace } from './trace.ts';

export const VALUES_SCHEMA = 'plumbline.values/1';
const ALIGNMENT = 8;
const MAX_RANK = 16;
const MAX_REARRANGEMENTS = 64;

const dimensions = z
  .array(
    z
      .number()
      .int()
      .nonnegative()
      .max(2 ** 31),
  )
  .max(MAX_RANK);
const tensorEntry = z.strictObject({
  name: z.string(),
  type: z.string(),
  /** Of the first run; the others follow at distances of `runBytes`. */
  offset: z.number().int().nonnegative(),
  bytes: z.number().int().nonnegative(),
  /** From the model's order: seen in the shape `view`, dimension i of what is stored is dimension `permutation[i]`. */
  layout: z.array(z.strictObject({ view: dimensions, permutation: dimensions })).max(MAX_REARRANGEMENTS),
});
const indexSchema = z.strictObject({
  schema: z.literal(VALUES_SCHEMA),
  runs: z.number().int().nonnegative(),
  runBytes: z.number().int().nonnegative(),
  tensors: z.array(tensorEntry),
});
type ValuesIndex = z.infer<typeof indexSchema>;

/** Where everything stands follows from the graph. */
function indexOf(graph: Graph, layouts: Layouts, runs: number): ValuesIndex {
  let end = 0;
  const tensors = graph.nodes.flatMap((node): ValuesIndex['tensors'] => {
    if (node.kind === 'constant') return [];
    const offset = end;
    const bytes = typeBytes(node.type);
    end = Math.ceil((offset + bytes) / ALIGNMENT) * ALIGNMENT;
    const layout = (layouts.get(node.name) ?? []).map(({ view, permutation }) => ({ view: [...view], permutation: [...permutation] }));
    return [{ name: node.name, type: printType(node.type), offset, bytes, layout }];
  });
  return { schema: VALUES_SCHEMA, runs, runBytes: end, tensors };
}

export function encodeValues({ graph, layouts, values }: Trace): { readonly index: ValuesIndex; readonly bytes: Uint8Array } {
  const index = indexOf(graph, layouts, values.length);
  const bytes = new Uint8Array(values.length * index.runBytes);
  for (const [run, tensors] of values.entries())
    for (const { name, offset } of index.tensors) {
      const value = tensors.get(name);
      if (!value) throw new Error(`the trace has no value %${name}`);
      bytes.set(dataBytes(value), run * index.runBytes + offset);
    }
  return { index, bytes };
}

/** The values of a graph's runs. `refuse` is told which of the two files is wrong, and how. */
export function decodeValues(
  json: unknown,
  bytes: Uint8Array,
  graph: Graph,
  runs: number,
  refuse: (file: 'index' | 'values', message: string) => never,
): Pick<Trace, 'layouts' | 'values'> {
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) return refuse('index', `it is no index of values: ${parsed.error.issues[0]?.message ?? 'invalid'}`);
  const index = parsed.data;
  const layouts: Layouts = new Map(index.tensors.flatMap(({ name, layout }) => (layout.length > 0 ? [[name, layout] as const] : [])));
  if (canonicalJson(index) !== canonicalJson(indexOf(graph, layouts, runs))) refuse('index', 'it does not fit the graph in legal.pir');
  const wrong = index.tensors.find(({ name, layout }) => !layout.every((how) => isOrderOf(how, elementCount(graph.node(name).type.shape))));
  if (wrong) refuse('index', `the layout of %${wrong.name} is no order of its elements`);
  if (bytes.length !== runs * index.runBytes) refuse('values', `it has ${bytes.length} bytes, ${runs} runs take ${runs * index.runBytes}`);
  const values = Array.from({ length: runs }, (_, run) => {
    const start = run * index.runBytes;
    return new Map(
      index.tensors.map(({ name, offset, bytes: size }) => [
        name,
        read(graph, name, bytes.subarray(start + offset, start + offset + size)),
      ]),
    );
  });
  return { layouts, values };
}

function isOrderOf({ view, permutation }: ValuesIndex['tensors'][number]['layout'][number], elements: number): boolean {
  const sorted = [...permutation].sort((a, b) => a - b);
  return permutation.length === view.length && sorted.every((dimension, i) => dimension === i) && elementCount(view) === elements;
}

function read(graph: Graph, name: string, bytes: Uint8Array): Tensor {
  const { type } = graph.node(name);
  const data = allocate(type.element, elementCount(type.shape));
  new Uint8Array(data.buffer).set(bytes);
  return { type, data };
}
