import { describe, expect, test } from 'vitest';
import { listOperators } from '../../compiler/frontend/check.ts';
import { importOnnx } from '../../compiler/frontend/import.ts';
import { printGraph } from '../../compiler/ir/text.ts';
import { diagnosticOf, importSpec, importedText } from '../support/frontend.ts';
import type { ModelSpec, NodeSpec } from '../support/onnx-builder.ts';
import { modelBytes, node } from '../support/onnx-builder.ts';

/** A model of these nodes with input x f32[2,3] and output y. */
function model(nodes: readonly NodeSpec[], rest: Partial<ModelSpec> = {}): ModelSpec {
  return { nodes, inputs: [{ name: 'x', shape: [2, 3] }], outputs: [{ name: 'y' }], ...rest };
}

const errorOf = (spec: ModelSpec): string => diagnosticOf(() => importSpec(spec, { file: 'model.onnx' }));

describe('a whole model', () => {
  const spec = model([node('Gemm', 'x w bias', '/fc/out:0', { transB: 1 }, '/fc/Gemm'), node('Relu', '/fc/out:0', 'y')], {
    name: 'main graph',
    initializers: [
      { name: 'w', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      { name: 'bias', dims: [2], data: Float32Array.of(0.5, -1) },
      { name: 'unused', dims: [1], data: Float32Array.of(1) },
    ],
  });

  test('in text form', () => {
    expect(printGraph(importSpec(spec)).text).toBe(`graph @main_graph stage(imported) {
  %x: f32[2,3] = input
  %w: f32[2,3] = constant [1, 2, 3, 4, 5, 6]
  %bias: f32[2] = constant [0.5, -1]
  %fc/out_0: f32[2,2] = gemm(%x, %w, %bias) {trans_b=true} from ["/fc/Gemm"]
  %y: f32[2,2] = relu(%fc/out_0) from ["Relu_1"]
  output "y" = %y
}
`);
  });

  test('the same file gives the same text', () => {
    expect(printGraph(importSpec(spec)).text).toBe(printGraph(importSpec(spec)).text);
  });

  test('from a file that starts at an odd address', () => {
    const bytes = modelBytes(spec);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect(printGraph(importOnnx(shifted.subarray(1))).text).toBe(printGraph(importSpec(spec)).text);
  });
});

describe('names', () => {
  test('of values that become the same when made legal', () => {
    const nodes = [node('Relu', '0', '/a/b:0'), node('Relu', '/a/b:0', 'a/b_0'), { op: 'Relu', inputs: ['a/b_0'], outputs: ['out put'] }];
    const outputs = [{ name: 'out put' }, { name: '0' }];
    expect(importedText({ nodes, inputs: [{ name: '0', shape: [1] }], outputs })).toBe(
      [
        '%a/b_0: f32[1] = relu(%"0")',
        '%a/b_0.1: f32[1] = relu(%a/b_0)',
        '%out_put: f32[1] = relu(%a/b_0.1)',
        'output "out put" = %out_put',
        'output "0" = %"0"',
      ].join('\n'),
    );
  });

  test('of nodes are the model’s, or the operator and the place in the file, and unique', () => {
    const nodes = [node('Relu', 'x', 'a', {}, 'Relu_1'), node('Relu', 'a', 'b'), node('Relu', 'b', 'y', {}, 'Relu_1')];
    expect(importSpec(model(nodes)).ops.map(({ origin }) => origin)).toEqual([['Relu_1'], ['Relu_1_2'], ['Relu_1_3']]);
  });
});

describe('order', () => {
  test('nodes that stand before what they read are moved, the others stay', () => {
    const nodes = [node('Add', 'a b', 'y'), node('Relu', 'x', 'b'), node('Relu', 'x', 'a')];
    expect(importSpec(model(nodes)).ops.map(({ name }) => name)).toEqual(['a', 'b', 'y']);
    const sorted = [node('Relu', 'x', 'b'), node('Relu', 'x', 'a'), node('Add', 'a b', 'y')];
    expect(importSpec(model(sorted)).ops.map(({ name }) => name)).toEqual(['b', 'a', 'y']);
  });

  test('a long chain, even backwards', () => {
    const length = 16_000;
    const nodes = Array.from({ length }, (_, i) => node('Relu', i === 0 ? 'x' : `v${i - 1}`, i === length - 1 ? 'y' : `v${i}`));
    expect(importSpec(model(nodes.toReversed())).ops).toHaveLength(length);
  });
});

describe('constants', () => {
  const w = { name: 'w', dims: [3], data: Float32Array.of(1, 2, 3) };

  test('an initializer that is an input too is a constant', () => {
    const inputs = [
      { name: 'x', shape: [2, 3] },
      { name: 'w', shape: ['dynamic'] },
    ];
    const graph = importSpec(model([node('Add', 'x w', 'y')], { inputs, initializers: [w] }));
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(graph.node('w').kind).toBe('constant');
  });

  test('an output may be a constant or an input', () => {
    expect(importedText(model([], { initializers: [w], outputs: [{ name: 'w' }, { name: 'x' }] }))).toBe(
      'output "w" = %w\noutput "x" = %x',
    );
  });

  test('parameters of ops stay out of the graph', () => {
    const shape = { name: 'shape', dims: [1], data: BigInt64Array.of(6n) };
    expect(importSpec(model([node('Reshape', 'x shape', 'y')], { initializers: [shape] })).nodes.map(({ name }) => name)).toEqual([
      'x',
      'y',
    ]);
  });

  test('external data is read once a file and only when it is used', () => {
    const file = Float32Array.of(1, 2, 3, 10, 20, 30);
    const read: string[] = [];
    const resolveExternal = (location: string): Uint8Array => {
      read.push(location);
      return new Uint8Array(file.buffer);
    };
    const at = (name: string, offset: number, location = 'weights.bin'): NonNullable<ModelSpec['initializers']>[number] => ({
      name,
      dims: [3],
      data: new Float32Array(0),
      storage: { location, offset },
    });
    const initializers = [at('a', 0), at('b', 12), at('c', 0, 'unused.bin')];
    const graph = importSpec(model([node('Add', 'x a', 's'), node('Add', 's b', 'y')], { initializers }), { resolveExternal });
    expect(read).toEqual(['weights.bin']);
    expect(graph.node('b')).toMatchObject({ value: { data: Float32Array.of(10, 20, 30) } });
  });
});

describe('errors name what is wrong', () => {
  const relu = node('Relu', 'x', 'y');
  test.each<[string, ModelSpec, string]>([
    [
      'opset too old',
      model([relu], { opset: 5 }),
      'unsupported onnx/opset: model.onnx: opset 5 is not supported, 6 to 26 are (convert the model with onnx.version_converter)',
    ],
    [
      'opset too new',
      model([relu], { opset: 27 }),
      'unsupported onnx/opset: model.onnx: opset 27 is not supported, 6 to 26 are (convert the model with onnx.version_converter)',
    ],
    [
      'only foreign operators',
      model([{ ...relu, domain: 'ai.onnx.ml' }], { opset: { 'ai.onnx.ml': 3 } }),
      'unsupported onnx/unsupported-op: model.onnx: operators are not supported: ai.onnx.ml.Relu ×1',
    ],
    [
      'no opset',
      model([relu], { opset: { 'ai.onnx.ml': 3 } }),
      "invalid onnx/opset: model.onnx: the model does not say which version of ONNX's operators it uses",
    ],
    [
      'unsupported operators, all at once',
      model([
        node('Softplus', 'x', 'a'),
        node('Det', 'a', 'b'),
        node('Softplus', 'b', 'c'),
        { ...node('Gelu', 'c', 'y'), domain: 'com.microsoft' },
      ]),
      'unsupported onnx/unsupported-op: model.onnx: operators are not supported: Softplus ×2, Det ×1, com.microsoft.Gelu ×1',
    ],
    [
      'undefined operand',
      model([node('Relu', 'xx', 'y', {}, 'r')]),
      "invalid onnx/undefined-value: model.onnx: r: operand 'xx' is defined nowhere (did you mean 'x'?)",
    ],
    [
      'undefined output',
      model([node('Relu', 'x', 'z')]),
      "invalid onnx/undefined-value: model.onnx: output 'y' is defined nowhere (did you mean 'x'?)",
    ],
    ['no outputs', model([relu], { outputs: [] }), 'invalid ir/outputs: model.onnx: the graph has no outputs'],
    [
      'a value defined twice',
      model([relu, node('Relu', 'x', 'y')]),
      "invalid onnx/duplicate-value: model.onnx: value 'y' is defined twice, by Relu_0 and by Relu_1",
    ],
    [
      'an input defined again',
      model([node('Relu', 'y', 'x', {}, 'r')]),
      "invalid onnx/duplicate-value: model.onnx: value 'x' is defined twice, by an input and by r",
    ],
    [
      'an initializer defined twice',
      model([relu], { initializers: [0, 1].map((v) => ({ name: 'w', dims: [], data: Float32Array.of(v) })) }),
      "invalid onnx/duplicate-value: model.onnx: value 'w' is defined twice, by an initializer and by an initializer",
    ],
    [
      'a cycle',
      model([node('Add', 'x c', 'a', {}, 'A'), node('Relu', 'a', 'b', {}, 'B'), node('Relu', 'b', 'c', {}, 'C'), node('Relu', 'a', 'y')]),
      'invalid onnx/cycle: model.onnx: the graph has a cycle: A ← C ← B ← A',
    ],
    ['a node that reads itself', model([node('Add', 'x y', 'y', {}, 'A')]), 'invalid onnx/cycle: model.onnx: the graph has a cycle: A ← A'],
    [
      'a sequence',
      model([relu], { inputs: [{ name: 'x', sequence: true }] }),
      'unsupported onnx/unsupported-type: model.onnx: input x is no tensor',
    ],
    [
      'a type that no op computes on',
      model([relu], { inputs: [{ name: 'x', shape: [1], dataType: 7 }] }),
      'unsupported onnx/unsupported-type: model.onnx: Relu_0: operand x must be a float or fx16, not i64',
    ],
    [
      'a type that has no place here',
      model([relu], { inputs: [{ name: 'x', shape: [1], dataType: 11 }] }),
      'unsupported onnx/unsupported-type: model.onnx: input x: element type double is not supported',
    ],
    [
      'an unknown attribute',
      model([node('Relu', 'x', 'y', { alpha: { float: 1 }, beta: 1 })]),
      'unsupported onnx/unsupported-attribute: model.onnx: Relu_0: Relu with alpha, beta is not supported',
    ],
    [
      'an attribute of another kind',
      model([node('Transpose', 'x', 'y', { perm: 'abc' })]),
      'invalid onnx/bad-node: model.onnx: Transpose_0: attribute perm is a string, not a list of ints',
    ],
    [
      'a nested graph',
      model([node('Transpose', 'x', 'y', { perm: { graph: { nodes: [] } } })]),
      'invalid onnx/bad-node: model.onnx: Transpose_0: attribute perm is a graph, not a list of ints',
    ],
    [
      'too many operands',
      model([node('Relu', 'x x', 'y')]),
      'invalid onnx/bad-node: model.onnx: Relu_0: Relu has 2 operands, at most 1 are expected',
    ],
    ['too few operands', model([node('Add', 'x', 'y')]), 'invalid onnx/bad-node: model.onnx: Add_0: operand 1 is missing'],
    [
      'operands that do not fit',
      model([node('MatMul', 'x x', 'y')]),
      'invalid onnx/bad-node: model.onnx: MatMul_0: rows of a have 3 elements, columns of b 2',
    ],
  ])('%s', (_, spec, message) => {
    expect(errorOf(spec)).toBe(message);
  });

  test('a sparse initializer', () => {
    const sparse = { sparseInitializers: ['w'] };
    const used = model([node('Add', 'x w', 'y')], sparse);
    expect(errorOf(used)).toBe('unsupported onnx/sparse: model.onnx: initializer w is sparse, only dense ones are supported');
    expect(errorOf(model([relu], sparse))).toBe('no error');
  });
});

describe('operators of a model', () => {
  test('are listed with counts and reasons', () => {
    const nodes = [
      relu('x', 'a'),
      relu('a', 'b'),
      node('Softplus', 'b', 'c'),
      { ...node('Gelu', 'c', 'd'), domain: 'com.microsoft' },
      node('Shape', 'd', 's'),
      node('Gather', 's w', 'n'),
      node('Gather', 'd w', 'e'),
      node('Conv', 'e w', 'y'),
    ];
    const initializers = [{ name: 'w', dims: [], data: BigInt64Array.of(0n) }];
    const known = 'only supported on values that are known at compile time';
    expect(listOperators(modelBytes(model(nodes, { initializers })))).toEqual([
      { domain: '', operator: 'Relu', count: 2, refused: 0, unsupported: undefined },
      { domain: '', operator: 'Softplus', count: 1, refused: 1, unsupported: 'not supported yet' },
      { domain: 'com.microsoft', operator: 'Gelu', count: 1, refused: 1, unsupported: 'no operator of domain com.microsoft is supported' },
      { domain: '', operator: 'Shape', count: 1, refused: 0, unsupported: undefined },
      { domain: '', operator: 'Gather', count: 2, refused: 1, unsupported: known },
      { domain: '', operator: 'Conv', count: 1, refused: 0, unsupported: undefined },
    ]);
    expect(errorOf(model(nodes, { initializers }))).toBe(
      `unsupported onnx/unsupported-op: model.onnx: operators are not supported: Softplus ×1, com.microsoft.Gelu ×1; operators are ${known}: Gather ×1`,
    );
  });

  test('ONNX’s own domain has two names', () => {
    const spec = model([{ ...relu('x', 'y'), domain: 'ai.onnx' }], { opset: { 'ai.onnx': 13 } });
    expect(importedText(spec)).toBe('%y: f32[2,3] = relu(%x)\noutput "y" = %y');
  });

  function relu(from: string, to: string): NodeSpec {
    return node('Relu', from, to);
  }
});
