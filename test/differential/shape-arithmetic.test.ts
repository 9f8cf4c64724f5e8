/** Random chains of what is evaluated at import, against onnxruntime, in which integers must be equal. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { EVALUATED_OPERATORS } from '../../compiler/frontend/shape-arithmetic.ts';
import { DiagnosticError } from '../../compiler/ir/diagnostic.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { decisions } from '../support/arbitraries.ts';
import { Choices } from '../support/choices.ts';
import type { AttributeSpec, ModelSpec, NodeSpec, TensorSpec } from '../support/onnx-builder.ts';
import { modelBytes } from '../support/onnx-builder.ts';
import { createOracle } from '../support/ort.ts';
import { runs } from '../support/effort.ts';

const RUNS = runs(60);
const NODES = 12;
const OPSETS = [9, 11, 13, 18];
/** TensorProto.DataType of what chains compute with. */
const TYPES = { f32: 1, i32: 6, i64: 7, i1: 9 } as const;
type Element = keyof typeof TYPES;
/** Larger numbers make divisions that trap; NaN is not the same to all reductions of onnxruntime. */
const LARGEST = 2 ** 20;

/** A model that grows as long as it can be imported, and the values of what it computes. */
class Chain {
  readonly choices: Choices;
  readonly opset: number;
  readonly #nodes: NodeSpec[] = [];
  readonly #initializers: TensorSpec[] = [];
  readonly values = new Map<string, Tensor>();
  readonly operators = new Set<string>();

  constructor(choices: Choices) {
    this.choices = choices;
    this.opset = choices.pick(OPSETS);
    this.ints([2, 3, 4]);
    this.ints([-1, 0, 1]);
    this.#constant({ dims: [2, 3], data: Float32Array.of(-1.5, 0, 0.5, 1, 2.25, 9) });
    this.#constant({ dims: [2, 1], data: Int32Array.of(5, -7) });
    this.#constant({ dims: [3], data: Uint8Array.of(1, 0, 1), dataType: TYPES.i1 });
  }

  get names(): readonly string[] {
    return [...this.values.keys()];
  }

  /** A new list of integers. */
  ints(values: readonly number[]): string {
    return this.#constant({ dims: [values.length], data: BigInt64Array.from(values, BigInt) });
  }

  int(value: number): string {
    return this.#constant({ dims: [], data: BigInt64Array.of(BigInt(value)) });
  }

  /** A scale of quantized integers. */
  scale(): string {
    return this.#constant({ dims: [], data: Float32Array.of(this.choices.between(1, 8) / 8) });
  }

  /** A value made before, of one of some types where there is one. */
  value(...elements: readonly (Element | 'u8')[]): string {
    const fitting = this.names.filter((name) => elements.includes(this.values.get(name)?.type.element as Element));
    return this.choices.pick(fitting.length > 0 ? fitting : this.names);
  }

  rank(name: string): number {
    return this.values.get(name)?.type.shape.length ?? 0;
  }

  /** A dimension, from the front or from the end. */
  axis(name: string, more = 0): number {
    const rank = Math.max(1, this.rank(name) + more);
    return this.choices.between(-rank, rank - 1);
  }

  /** Adds a node if the importer takes it. */
  node(op: string, inputs: readonly string[], attributes: Record<string, AttributeSpec> = {}, count = 1): void {
    const outputs = Array.from({ length: count }, (_, i) => `v${this.#nodes.length}.${i}`);
    this.#nodes.push({ op, inputs, outputs, attributes });
    const added = this.#evaluate(outputs);
    if (!added) this.#nodes.pop();
    else {
      this.operators.add(op);
      for (const [name, value] of added) this.values.set(name, value);
    }
  }

  model(outputs = this.#nodes.flatMap((node) => node.outputs)): ModelSpec {
    return {
      opset: this.opset,
      nodes: this.#nodes,
      inputs: [{ name: 'x', shape: [2, 3, 1, 4] }],
      initializers: this.#initializers,
      outputs: outputs.map((name) => ({ name, untyped: true })),
    };
  }

  #evaluate(outputs: readonly string[]): ReadonlyMap<string, Tensor> | undefined {
    try {
      const graph = importOnnx(modelBytes(this.model([...outputs])));
      expect(graph.ops).toEqual([]);
      const values = new Map<string, Tensor>();
      for (const { name, value } of graph.outputs) {
        const node = graph.node(value);
        if (node.kind !== 'constant') throw new Error(`${name} is no constant`);
        if (node.value.data.length > 200 || Array.from(node.value.data, Number).some((x) => !(Math.abs(x) <= LARGEST))) return undefined;
        values.set(name, node.value);
      }
      return values;
    } catch (error) {
      if (error instanceof DiagnosticError) return undefined;
      throw error;
    }
  }

  #constant(spec: TensorSpec): string {
    const name = `c${this.#initializers.length}`;
    this.#initializers.push({ ...spec, name });
    const element = (Object.keys(TYPES) as Element[]).find((type) => TYPES[type] === spec.dataType);
    const own = spec.data instanceof Float32Array ? 'f32' : spec.data instanceof BigInt64Array ? 'i64' : 'i32';
    this.values.set(name, tensor(tensorType(element ?? own, spec.dims), spec.data as Float32Array));
    return name;
  }
}

type Grow = (chain: Chain) => void;

/** Operands of an axis list, which is an attribute up to an opset. */
function listed(chain: Chain, last: number, name: string, values: readonly number[]): [string[], Record<string, AttributeSpec>] {
  return chain.opset <= last ? [[], { [name]: values }] : [[chain.ints(values)], {}];
}

const arithmetic =
  (op: string, ...elements: Element[]): Grow =>
  (chain) => {
    const a = chain.value(...elements);
    chain.node(op, [a, chain.value(chain.values.get(a)?.type.element as Element)]);
  };
const unary =
  (op: string, ...elements: Element[]): Grow =>
  (chain) => {
    chain.node(op, [chain.value(...elements)]);
  };
const reduction =
  (op: string, last: number): Grow =>
  (chain) => {
    const x = chain.value('i64', 'i32', 'f32');
    const [operands, attributes] = chain.choices.once(3) ? [[], {}] : listed(chain, last, 'axes', [chain.axis(x)]);
    // onnxruntime leaves a dimension of 0 where it is, whatever the axes.
    if (chain.values.get(x)?.data.length) chain.node(op, [x, ...operands], { ...attributes, keepdims: chain.choices.below(2) });
  };
const division =
  (op: string, attributes: (element: Element) => Record<string, AttributeSpec>): Grow =>
  (chain) => {
    const a = chain.value('i64', 'i32', 'f32');
    const element = chain.values.get(a)?.type.element as Element;
    const b = chain.value(element);
    // onnxruntime refuses 0 even where it divides nothing.
    if (!Array.from(chain.values.get(b)?.data ?? [], Number).includes(0)) chain.node(op, [a, b], attributes(element));
  };
const list = (chain: Chain, most: number): number[] =>
  Array.from({ length: chain.choices.between(1, 3) }, () => chain.choices.between(0, most));

const GROW: Readonly<Record<string, Grow>> = {
  Abs: unary('Abs', 'i64', 'i32', 'f32'),
  Add: arithmetic('Add', 'i64', 'i32', 'f32'),
  And: arithmetic('And', 'i1'),
  Cast: (chain) => {
    chain.node('Cast', [chain.value('i64', 'i32', 'f32', 'i1')], { to: chain.choices.pick(Object.values(TYPES)) });
  },
  Ceil: unary('Ceil', 'f32'),
  Clip: (chain) => {
    const x = chain.value('f32');
    if (chain.opset < 11) chain.node('Clip', [x], { min: { float: 0 }, max: { float: 1 } });
  },
  Concat: (chain) => {
    const x = chain.value('i64', 'i32', 'f32');
    chain.node('Concat', [x, chain.value(chain.values.get(x)?.type.element as Element)], { axis: chain.axis(x) });
  },
  Constant: (chain) => {
    chain.node('Constant', [], { value: { tensor: { dims: [2], data: BigInt64Array.of(3n, 1n) } } });
  },
  ConstantOfShape: (chain) => {
    chain.node('ConstantOfShape', [chain.ints(list(chain, 3))], { value: { tensor: { dims: [1], data: BigInt64Array.of(2n) } } });
  },
  DequantizeLinear: (chain) => {
    if (chain.opset >= 10) chain.node('DequantizeLinear', [chain.value('u8', 'i32'), chain.scale()]);
  },
  Div: division('Div', () => ({})),
  Equal: arithmetic('Equal', 'i64', 'i32', 'i1'),
  Expand: (chain) => {
    chain.node('Expand', [chain.value('i64', 'i32', 'f32', 'i1'), chain.ints(list(chain, 3))]);
  },
  Flatten: (chain) => {
    const x = chain.value('i64', 'f32');
    chain.node('Flatten', [x], { axis: chain.choices.between(0, chain.rank(x)) });
  },
  Floor: unary('Floor', 'f32'),
  Gather: (chain) => {
    const x = chain.value('i64', 'i32', 'f32', 'i1');
    const index = chain.choices.pick([
      () => chain.int(-1),
      () => chain.int(1),
      () => chain.ints([1, 0, -2]),
      () => chain.value('i64', 'i32'),
    ])();
    chain.node('Gather', [x, index], { axis: chain.axis(x) });
  },
  Greater: arithmetic('Greater', 'i64', 'i32', 'f32'),
  GreaterOrEqual: (chain) => {
    if (chain.opset >= 12) arithmetic('GreaterOrEqual', 'i64', 'i32', 'f32')(chain);
  },
  Identity: unary('Identity', 'i64', 'i32', 'f32', 'i1'),
  Less: arithmetic('Less', 'i64', 'i32', 'f32'),
  LessOrEqual: (chain) => {
    if (chain.opset >= 12) arithmetic('LessOrEqual', 'i64', 'i32', 'f32')(chain);
  },
  Max: (chain) => {
    arithmetic('Max', ...(chain.opset < 12 ? (['f32'] as const) : (['i64', 'i32', 'f32'] as const)))(chain);
  },
  Min: (chain) => {
    arithmetic('Min', ...(chain.opset < 12 ? (['f32'] as const) : (['i64', 'i32', 'f32'] as const)))(chain);
  },
  Mod: (chain) => {
    if (chain.opset < 10) return;
    division('Mod', (element) => ({ fmod: element === 'f32' ? 1 : chain.choices.below(2) }))(chain);
  },
  Mul: arithmetic('Mul', 'i64', 'i32', 'f32'),
  Neg: unary('Neg', 'i64', 'i32', 'f32'),
  NonZero: (chain) => {
    const x = chain.value('i64', 'i32', 'f32', 'i1');
    // Of a scalar onnxruntime gives [1,1], as numpy did; ONNX says [0,1].
    if (chain.rank(x) > 0) chain.node('NonZero', [x]);
  },
  Not: unary('Not', 'i1'),
  Or: arithmetic('Or', 'i1'),
  Pad: (chain) => {
    const x = chain.value('f32');
    const pads = Array.from({ length: 2 * chain.rank(x) }, () => chain.choices.below(3));
    const [operands, attributes] = listed(chain, 10, 'pads', pads);
    // onnxruntime refuses a scalar.
    if (pads.length > 0) chain.node('Pad', [x, ...operands], attributes);
  },
  QuantizeLinear: (chain) => {
    if (chain.opset >= 10) chain.node('QuantizeLinear', [chain.value('f32'), chain.scale()]);
  },
  Range: (chain) => {
    const [start, limit, step] = [chain.choices.between(-5, 5), chain.choices.between(-5, 5), chain.choices.pick([1, 2, -1, -3])];
    if (chain.opset >= 11) chain.node('Range', [chain.int(start), chain.int(limit), chain.int(step)]);
  },
  ReduceMax: reduction('ReduceMax', 17),
  ReduceMin: reduction('ReduceMin', 17),
  ReduceProd: reduction('ReduceProd', 17),
  ReduceSum: reduction('ReduceSum', 12),
  Reshape: (chain) => {
    const x = chain.value('i64', 'i32', 'f32', 'i1');
    chain.node('Reshape', [x, chain.ints(chain.choices.pick([[-1], [1, -1], [-1, 1, 1], [0, -1], [2, -1]]))]);
  },
  Shape: (chain) => {
    const bounds = chain.opset < 15 ? {} : { start: chain.choices.between(-5, 5), end: chain.choices.between(-5, 5) };
    chain.node('Shape', [chain.choices.once(2) ? 'x' : chain.value('i64', 'f32')], bounds);
  },
  Size: (chain) => {
    chain.node('Size', [chain.choices.once(2) ? 'x' : chain.value('i64', 'f32')]);
  },
  Slice: (chain) => {
    const x = chain.value('i64', 'i32', 'f32', 'i1');
    const [start, end, axis] = [chain.choices.between(-4, 4), chain.choices.between(-4, 4), chain.axis(x)];
    if (chain.opset < 10) chain.node('Slice', [x], { starts: [start], ends: [end], axes: [axis] });
    else chain.node('Slice', [x, ...[start, end, axis, chain.choices.pick([1, 2, -1, -2])].map((value) => chain.ints([value]))]);
  },
  Split: (chain) => {
    const x = chain.value('i64', 'i32', 'f32');
    const axis = chain.axis(x);
    const extent = chain.values.get(x)?.type.shape.at(axis) ?? 0;
    const first = chain.choices.between(0, extent);
    const [operands, attributes] = listed(chain, 12, 'split', [first, extent - first]);
    chain.node('Split', [x, ...operands], { ...attributes, axis }, 2);
  },
  Sqrt: (chain) => {
    const x = chain.value('f32');
    if (Array.from(chain.values.get(x)?.data ?? [], Number).every((value) => value >= 0)) chain.node('Sqrt', [x]);
  },
  Squeeze: (chain) => {
    const x = chain.value('i64', 'i32', 'f32', 'i1');
    chain.node('Squeeze', [x]);
  },
  Sub: arithmetic('Sub', 'i64', 'i32', 'f32'),
  Sum: arithmetic('Sum', 'f32'),
  Tile: (chain) => {
    const x = chain.value('i64', 'i32', 'f32', 'i1');
    chain.node('Tile', [x, chain.ints(Array.from({ length: chain.rank(x) }, () => chain.choices.between(0, 3)))]);
  },
  Transpose: unary('Transpose', 'i64', 'i32', 'f32', 'i1'),
  Unsqueeze: (chain) => {
    const x = chain.value('i64', 'i32', 'f32', 'i1');
    const axis = chain.opset < 11 ? chain.choices.between(0, chain.rank(x)) : chain.axis(x, 1);
    const [operands, attributes] = listed(chain, 12, 'axes', [axis]);
    chain.node('Unsqueeze', [x, ...operands], attributes);
  },
  Where: (chain) => {
    const x = chain.value('i64', 'i32', 'f32');
    chain.node('Where', [chain.value('i1'), x, chain.value(chain.values.get(x)?.type.element as Element)]);
  },
};

const grown = new Map<string, number>();

async function check(numbers: readonly number[]): Promise<void> {
  const chain = new Chain(new Choices(numbers));
  for (let i = 0; i < NODES; i++) GROW[chain.choices.pick(EVALUATED_OPERATORS)]?.(chain);
  for (const operator of chain.operators) grown.set(operator, (grown.get(operator) ?? 0) + 1);
  const model = chain.model();
  if (!model.outputs?.length) return;
  const oracle = await createOracle(modelBytes(model));
  const x = { type: 'float32', dims: [2, 3, 1, 4], data: new Float32Array(24) } as const;
  const wanted = await oracle.run({ x });
  await oracle.release();
  const text = JSON.stringify(model.nodes, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
  for (const { name } of model.outputs) {
    const value = chain.values.get(name);
    const { dims = [], data } = wanted[name] ?? {};
    expect(value?.type.shape, `${name} of opset ${chain.opset} ${text}`).toEqual([...dims]);
    expect(elementCount(dims)).toBe(value?.data.length);
    const expected = Array.from(data as ArrayLike<number | bigint>, Number);
    for (const [i, y] of Array.from(value?.data ?? [], Number).entries()) {
      const near = Object.is(y, expected[i]) || Math.abs(y - (expected[i] ?? NaN)) <= 1e-6 * Math.abs(y);
      if (!near) expect.fail(`${name}, element ${i}: ${y} instead of ${expected[i] ?? 'nothing'}, opset ${chain.opset} ${text}`);
    }
  }
}

it('chains of all operators', async () => {
  await fc.assert(fc.asyncProperty(decisions, check), { numRuns: 4 * RUNS, seed: 20_190_331 });
  // Fewer runs than usual need not meet all.
  if (RUNS >= 60) expect([...grown.keys()].sort()).toEqual(EVALUATED_OPERATORS);
});
