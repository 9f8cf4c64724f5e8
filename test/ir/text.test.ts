import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { decodeConstants, encodeConstants } from '../../compiler/ir/constants-file.ts';
import { equalGraphs } from '../../compiler/ir/equal.ts';
import type { Graph, Node } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { graphs } from '../support/arbitraries.ts';
import { expectGolden } from '../support/golden.ts';
import { COMPUTED } from '../support/random-graph.ts';
import { randomTensor } from '../support/random-tensor.ts';

const f32 = (...shape: number[]) => tensorType('f32', shape);

/** A small network in the form of importers, with constants of every kind of notation. */
function lenet(): Graph {
  const builder = new GraphBuilder('lenet');
  const image = builder.input('image', f32(1, 1, 12, 12));
  const w = builder.constant('conv1.weight', randomTensor(f32(4, 1, 5, 5), 1));
  const bits = Uint32Array.of(0x3dcccccd, 0x7fc00001, 0x7fc00000, 0x80000000);
  const b = builder.constant('conv1.bias', tensor(f32(4), new Float32Array(bits.buffer)));
  const conv = builder.op(
    'conv',
    [image, w, b],
    { pads: [2, 2, 2, 2], activation: 'clip', activation_max: 6 },
    { name: 'y', origin: ['/conv1/Conv', '/act/"Clip"'] },
  );
  const pooled = builder.op('max-pool', [conv], { kernel: [2, 2], strides: [2, 2], ceil_mode: true }, { name: 'pool' });
  const flat = builder.op('flatten', [pooled]);
  const weights = builder.constant('fc.weight', randomTensor(f32(10, 144), 2));
  const logits = builder.op('gemm', [flat, weights, ''], { trans_b: true, alpha: 0.1 }, { name: 'logits', origin: ['/fc/Gemm'] });
  const fixed = builder.op('quantize', [logits], { to: 'fx16.8' });
  const step = builder.constant('step', tensor(tensorType('fx16.8', []), Int16Array.of(-32768)));
  const sum = builder.op('add', [fixed, step]);
  builder.constant('longs', tensor(tensorType('i64', [2]), BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)));
  builder.constant('halves', tensor(tensorType('f16', [2]), Uint16Array.of(0x3c00, 0xfe01)));
  builder.constant('none', tensor(f32(0, 3), new Float32Array()));
  builder.output('logits', logits);
  builder.output('sum: "fixed"\n', sum);
  return builder.build();
}

describe('text form', () => {
  test('looks as documented', () => {
    expectGolden('test/golden/ir/lenet.pir', printGraph(lenet()).text);
  });

  test('a printed graph parses to the same graph, through the side file, and prints the same again', () => {
    const unusual = ['i64', 'i32', 'i8', 'u4', 'i1'] as const;
    const survives = (graph: Graph): void => {
      const { text, constants } = printGraph(graph);
      const parsed = parseGraph(text, { file: 'a.pir', constants: decodeConstants(encodeConstants(constants), 'a.pir.data') });
      expect(equalGraphs(parsed, graph)).toBe(true);
      expect(printGraph(parsed).text).toBe(text);
    };
    survives(lenet());
    fc.assert(fc.property(graphs({ contents: 'special', elements: [...COMPUTED, ...unusual] }), survives), { numRuns: 300 });
  });

  test('an absent operand in the middle is written _', () => {
    const graph = lenet();
    const y = graph.node('y');
    const nodes = graph.nodes.map((node): Node => (node === y && y.kind === 'op' ? { ...y, inputs: ['image', '', 'conv1.bias'] } : node));
    expect(printGraph(graph.with({ nodes })).text).toContain('conv(%image, _, %conv1.bias)');
  });

  test('equal constants are stored once', () => {
    const builder = new GraphBuilder('g');
    for (let i = 0; i < 3; i++) builder.output(`o${i}`, builder.constant('c', randomTensor(f32(100), 5)));
    expect([...printGraph(builder.build()).constants.values()].map((bytes) => bytes.length)).toEqual([400]);
  });
});

describe('equality of graphs', () => {
  const graph = lenet();
  const change = (name: string, changed: (node: Node) => Node): Graph =>
    graph.with({ nodes: graph.nodes.map((node) => (node.name === name ? changed(node) : node)) });
  const payload = new Float32Array(Uint32Array.of(0x3dcccccd, 0x7fc00002, 0x7fc00000, 0x80000000).buffer);

  test.each<[string, Graph]>([
    ['name', graph.with({ name: 'other' })],
    ['stage', graph.with({ stage: 'optimized' })],
    ['output names', graph.with({ outputs: graph.outputs.map((output) => ({ ...output, name: `${output.name}!` })) })],
    ['output values', graph.with({ outputs: graph.outputs.map((output) => ({ ...output, value: 'y' })) })],
    ['order of the outputs', graph.with({ outputs: [...graph.outputs].reverse() })],
    ['missing nodes', graph.with({ nodes: graph.nodes.slice(0, -1) })],
    ['order of the nodes', graph.with({ nodes: [...graph.nodes].reverse() })],
    [
      'NaN payloads of constants',
      change('conv1.bias', (node) => ({ kind: 'constant', name: node.name, type: f32(4), value: tensor(f32(4), payload) })),
    ],
    ['kinds of nodes', change('none', (node) => ({ kind: 'input', name: node.name, type: node.type }))],
    ['types', change('image', (node) => ({ ...node, type: f32(1) }))],
    ['attributes', change('y', (node) => (node.kind === 'op' ? { ...node, attributes: { ...node.attributes, groups: 2 } } : node))],
    [
      'signs of zero in attributes',
      change('y', (node) => (node.kind === 'op' ? { ...node, attributes: { ...node.attributes, activation_max: -0 } } : node)),
    ],
    ['operands', change('y', (node) => (node.kind === 'op' ? { ...node, inputs: ['image', 'conv1.weight'] } : node))],
    ['ops', change('flatten', (node) => (node.kind === 'op' ? { ...node, op: 'identity' } : node))],
    ['origins', change('y', (node) => (node.kind === 'op' ? { ...node, origin: [] } : node))],
  ])('sees different %s', (_what, other) => {
    expect(equalGraphs(graph, other)).toBe(false);
    expect(equalGraphs(other, graph)).toBe(false);
  });

  test('does not depend on identity', () => {
    expect(equalGraphs(lenet(), lenet())).toBe(true);
  });
});
