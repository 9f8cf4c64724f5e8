/** The verifier accepts what builders make and refuses everything else with a code and a place. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Attributes, GraphOutput, Node, OpNode, Stage } from '../../compiler/ir/graph.ts';
import { Graph } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { realNumbers } from '../../compiler/ir/ops/integers.ts';
import { tensor, zeros } from '../../compiler/ir/tensor.ts';
import { parseGraph } from '../../compiler/ir/text.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { printType, tensorType } from '../../compiler/ir/types.ts';
import { checkGraph, verifyGraph } from '../../compiler/ir/verify.ts';
import { graphs } from '../support/arbitraries.ts';
import { COMPUTED } from '../support/random-graph.ts';
import { randomTensor } from '../support/random-tensor.ts';

const f32 = (...shape: number[]) => tensorType('f32', shape);
const input: Node = { kind: 'input', name: 'x', type: f32(2, 2) };
const relu: OpNode = { kind: 'op', name: 'y', op: 'relu', inputs: ['x'], attributes: {}, type: f32(2, 2), origin: [] };
const clip: OpNode = { ...relu, op: 'clip', attributes: { min: 0, max: 1 } };
const output: GraphOutput = { name: 'out', value: 'y' };

const graph = (nodes: readonly Node[], outputs: readonly GraphOutput[] = [output], name = 'g', stage: Stage = 'imported'): Graph =>
  new Graph({ name, stage, nodes, outputs });

/** Codes and places of what is wrong. */
const findings = (tested: Graph): string[] => verifyGraph(tested).map(({ code, place }) => [code, ...(place ?? [])].join(' '));

describe('structure', () => {
  test('graphs from the builder are valid', () => {
    fc.assert(
      fc.property(graphs({ elements: [...COMPUTED, 'i64', 'u8'] }), (built) => {
        expect(checkGraph(built)).toBe(built);
      }),
    );
  });

  test.each<[string, Graph, string]>([
    ['an illegal graph name', graph([input, relu], [output], 'a b'), 'ir/name'],
    [
      'a value without a name',
      graph([
        { ...input, name: '' },
        { ...relu, inputs: ['x'] },
      ]),
      'ir/name %',
    ],
    [
      'a value with a long name',
      graph([
        { ...input, name: 'x'.repeat(1025) },
        { ...relu, inputs: ['x'.repeat(1025)] },
      ]),
      `ir/name %${'x'.repeat(1024)}`,
    ],
    ['a value defined twice', graph([input, input, relu]), 'ir/redefined %x'],
    ['an operand that is defined later', graph([relu, input]), 'ir/undefined %y'],
    ['an operand that is not defined', graph([input, { ...relu, inputs: ['z'] }]), 'ir/undefined %y'],
    ['a node that reads itself', graph([{ ...relu, inputs: ['y'] }]), 'ir/undefined %y'],
    ['too many operands', graph([input, { ...relu, inputs: ['x', 'x'] }]), 'ir/op %y'],
    ['a missing operand', graph([input, { ...relu, inputs: [] }]), 'ir/op %y'],
    ['an absent operand that is required', graph([input, { ...relu, op: 'add', inputs: ['', 'x'] }]), 'ir/op %y'],
    ['an unknown op', graph([input, { ...relu, op: 'toString' as OpName }]), 'ir/unknown-op %y'],
    ['a wrong type', graph([input, { ...relu, type: f32(4) }]), 'ir/type %y'],
    ['a wrong element type', graph([input, { ...relu, type: tensorType('fx16.8', [2, 2]) }]), 'ir/type %y'],
    ['a missing attribute', graph([input, { ...clip, attributes: { min: 0 } }]), 'ir/attributes %y'],
    ['an unknown attribute', graph([input, { ...relu, attributes: { alpha: 1 } }]), 'ir/op %y'],
    ['an attribute of the wrong kind', graph([input, { ...clip, attributes: { min: true, max: 1 } }]), 'ir/op %y'],
    ['an attribute that is no binary32', graph([input, { ...clip, attributes: { min: 0, max: 0.1 } }]), 'ir/attributes %y'],
    ['a NaN attribute', graph([input, { ...clip, attributes: { min: 0, max: NaN } }]), 'ir/op %y'],
    ['a negative dimension', graph([{ ...input, type: f32(-1) }], [{ name: 'x', value: 'x' }]), 'ir/type %x'],
    ['a fractional dimension', graph([{ ...input, type: f32(0.5) }], [{ name: 'x', value: 'x' }]), 'ir/type %x'],
    [
      'more dimensions than there can be',
      graph([{ ...input, type: f32(...new Array<number>(17).fill(1)) }], [{ name: 'x', value: 'x' }]),
      'ir/type %x',
    ],
    [
      'a tensor larger than the address space',
      graph([{ ...input, type: f32(2 ** 20, 2 ** 20, 0) }], [{ name: 'x', value: 'x' }]),
      'ir/type %x',
    ],
    ['no outputs', graph([input, relu], []), 'ir/outputs'],
    ['two outputs of one name', graph([input, relu], [output, { name: 'out', value: 'x' }]), 'ir/outputs'],
    ['an output that is not defined', graph([input, relu], [{ name: 'out', value: 'z' }]), 'ir/undefined %z'],
    [
      'a constant of another type than declared',
      graph([{ kind: 'constant', name: 'y', type: f32(2), value: zeros(f32(3)) }]),
      'ir/constant %y',
    ],
    [
      'a constant with too little data',
      graph([{ kind: 'constant', name: 'y', type: f32(2), value: { type: f32(2), data: new Float32Array(1) } }]),
      'ir/constant %y',
    ],
    [
      'a constant stored in the wrong kind of array',
      graph([{ kind: 'constant', name: 'y', type: f32(2), value: { type: f32(2), data: new Int32Array(2) } }]),
      'ir/constant %y',
    ],
    [
      'a constant out of range',
      graph([
        { kind: 'constant', name: 'y', type: tensorType('u4', [1]), value: { type: tensorType('u4', [1]), data: Uint8Array.of(16) } },
      ]),
      'ir/constant %y',
    ],
  ])('refuses %s', (_what, tested, finding) => {
    expect(findings(tested)).toContain(finding);
    expect(() => checkGraph(tested)).toThrow();
  });
});

describe('inference refuses', () => {
  const cases: readonly (readonly [OpName, readonly (readonly number[])[], Attributes, RegExp])[] = [
    ['add', [[2], [3]], {}, /do not broadcast/],
    [
      'gemm',
      [
        [2, 3],
        [2, 3],
      ],
      {},
      /rows of a have 3 elements, columns of b 2/,
    ],
    [
      'gemm',
      [
        [2, 3, 1],
        [3, 2],
      ],
      {},
      /must have 2 dimensions/,
    ],
    [
      'gemm',
      [
        [2, 3],
        [3, 4],
        [2, 2, 4],
      ],
      {},
      /operand c/,
    ],
    [
      'gemm',
      [
        [2, 3],
        [3, 4],
        [3, 4],
      ],
      {},
      /do not broadcast/,
    ],
    [
      'matmul',
      [
        [2, 3],
        [2, 3],
      ],
      {},
      /columns of b 2/,
    ],
    ['matmul', [[], [3]], {}, /no scalars/],
    [
      'conv',
      [
        [1, 3, 4, 4],
        [2, 2, 3, 3],
      ],
      {},
      /1 groups of 2 input channels/,
    ],
    [
      'conv',
      [
        [1, 4, 4, 4],
        [3, 2, 3, 3],
      ],
      { groups: 2 },
      /3 output channels do not divide/,
    ],
    [
      'conv',
      [
        [1, 1, 4, 4],
        [1, 1, 5, 5],
      ],
      {},
      /does not fit/,
    ],
    ['conv', [[1, 1, 4, 4], [1, 1, 3, 3], [2]], {}, /one element per channel/],
    [
      'conv',
      [
        [1, 1, 4, 4],
        [1, 1, 0, 3],
      ],
      {},
      /kernel's height/,
    ],
    [
      'conv',
      [
        [1, 4, 4],
        [1, 1, 3],
      ],
      {},
      /must have 4 dimensions/,
    ],
    [
      'conv',
      [
        [1, 1, 4, 4],
        [1, 1, 3, 3],
      ],
      { strides: [0, 1] },
      /attribute strides/,
    ],
    [
      'conv',
      [
        [1, 1, 4, 4],
        [1, 1, 3, 3],
      ],
      { pads: [0, 0, -1, 0] },
      /attribute pads/,
    ],
    [
      'conv',
      [
        [1, 1, 4, 4],
        [1, 1, 3, 3],
      ],
      { dilations: [1] },
      /attribute dilations/,
    ],
    [
      'conv',
      [
        [1, 1, 4, 4],
        [1, 1, 3, 3],
      ],
      { groups: 0 },
      /attribute groups/,
    ],
    ['max-pool', [[1, 1, 4, 4]], { kernel: [2, 2], pads: [2, 0, 0, 0] }, /without any input/],
    ['max-pool', [[1, 1, 1, 4]], { kernel: [2, 1], dilations: [3, 1], pads: [2, 0, 1, 0] }, /step over/],
    ['max-pool', [[1, 1, 4, 4]], {}, /attribute kernel of max-pool is missing/],
    ['batch-norm', [[1, 2], [2], [2], [2], [1]], {}, /operand variance must have shape \[2\]/],
    ['batch-norm', [[2], [1], [1], [1], [1]], {}, /at least 2 dimensions/],
    ['flatten', [[2, 2]], { axis: 3 }, /attribute axis/],
    ['reshape', [[2, 2]], { shape: [3] }, /does not have the elements/],
    ['reshape', [[2, 2]], { shape: [-1] }, /negative/],
    ['transpose', [[2, 2]], { perm: [0, 0] }, /permutation/],
    ['transpose', [[2, 2]], { perm: [0] }, /permutation/],
    ['quantize', [[2]], { to: 'f16' }, /quantize gives/],
    ['dequantize', [[2]], {}, /must be fx16/],
  ];
  test.each(cases)('%s of %j with %j', (op, shapes, attributes, message) => {
    const builder = new GraphBuilder('g');
    const inputs = shapes.map((shape, i) => builder.input(`x${i}`, f32(...shape)));
    expect(() => builder.op(op, inputs, attributes)).toThrow(message);
  });

  test('fixed point: products with an addend or factors, mixed types, ops without a fixed-point form', () => {
    const builder = new GraphBuilder('g');
    const a = builder.input('a', tensorType('fx16.8', [2, 2]));
    const b = builder.input('b', tensorType('fx16.7', [2, 2]));
    const c = builder.input('c', f32(2, 2));
    expect(() => builder.op('gemm', [a, a, a])).toThrow(/operand c of a product of fx16.8 has the shape \[2\]/);
    expect(() => builder.op('gemm', [a, a, builder.input('d', tensorType('fx16.8', [2]))])).toThrow(/bias must be i64/);
    expect(() => builder.op('gemm', [a, a], { trans_b: true })).toThrow(/no transposed operands/);
    expect(() => builder.op('gemm', [a, b], { result: 'fx16.15' })).not.toThrow();
    expect(() => builder.op('gemm', [builder.input('e', tensorType('fx16.2', [2, 2])), b], { result: 'fx16.15' })).toThrow(
      /9 fraction bits/,
    );
    expect(() => builder.op('gemm', [a, a], { alpha: 2 })).toThrow(/alpha = beta = 1/);
    expect(() => builder.op('gemm', [a, c])).toThrow(/fx16.8 and f32 do not multiply/);
    expect(() => builder.op('add', [a, c])).toThrow(/one element type/);
    expect(() => builder.op('matmul', [a, a])).toThrow(/must be f32/);
    expect(() => builder.op('quantize', [a], { to: 'fx16.3' })).toThrow(/must be f32/);
    expect(() => builder.op('relu', [builder.input('i', tensorType('i64', [2]))])).toThrow(/a float or fx16/);
  });
});

describe('stages', () => {
  /** A graph of x and one or two ops, at a stage. */
  function staged(stage: Stage, build: (builder: GraphBuilder, x: string) => string, shape: readonly number[] = [1, 2, 3, 4]): Graph {
    const builder = new GraphBuilder('g');
    builder.output('y', build(builder, builder.input('x', f32(...shape))));
    return builder.build(stage);
  }
  const constant = (builder: GraphBuilder, ...shape: number[]): string => builder.constant('w', randomTensor(f32(...shape), 1));

  test('legal: no identity but for outputs', () => {
    const renamed = (b: GraphBuilder, x: string): string => b.op('relu', [b.op('identity', [x])]);
    for (const stage of ['imported', 'optimized'] as const) expect(findings(staged(stage, renamed))).toEqual([]);
    expect(findings(staged('legal', renamed))).toEqual(['ir/stage/identity %identity']);
    expect(findings(staged('legal', (b, x) => b.op('identity', [x])))).toEqual([]);
  });

  test('legal: images NHWC, constant weights, plain gemm, no batch-norm', () => {
    const legal = (build: (builder: GraphBuilder, x: string) => string, shape?: readonly number[]): string[] =>
      findings(staged('legal', build, shape));
    expect(legal((b, x) => b.op('max-pool', [x], { kernel: [1, 1] }))).toEqual(['ir/stage/layout %max-pool']);
    expect(legal((b, x) => b.op('max-pool', [x], { kernel: [1, 1], layout: 'nhwc' }))).toEqual([]);
    expect(legal((b, x) => b.op('conv', [x, constant(b, 1, 2, 1, 1)]))).toEqual(['ir/stage/layout %conv']);
    expect(legal((b, x) => b.op('conv', [x, constant(b, 1, 1, 4, 2)], { layout: 'nhwc' }))).toEqual([]);
    expect(legal((b, x) => b.op('conv', [x, b.input('w', f32(1, 1, 4, 2))], { layout: 'nhwc' }))).toEqual(['ir/stage/weights %conv']);
    expect(legal((b, x) => b.op('gemm', [x, constant(b, 3, 2)]), [2, 3])).toEqual([]);
    expect(legal((b, x) => b.op('gemm', [x, constant(b, 2, 3)], { trans_b: true }), [2, 3])).toEqual(['ir/stage/gemm-form %gemm']);
    expect(legal((b, x) => b.op('gemm', [x, constant(b, 3, 2)], { alpha: 2 }), [2, 3])).toEqual(['ir/stage/gemm-form %gemm']);
    expect(legal((b, x) => b.op('gemm', [x, x]), [2, 2])).toEqual(['ir/stage/weights %gemm']);
    expect(legal((b, x) => b.op('batch-norm', [x, ...[1, 2, 3, 4].map(() => constant(b, 2))]))).toEqual([
      'ir/stage/batch-norm %batch-norm',
    ]);
  });

  test('the rules are checked by the parser too, at the line of the value', () => {
    const text =
      'graph @g stage(legal) {\n  %x: f32[1] = input\n  %z: f32[1] = identity(%x)\n  %y: f32[1] = relu(%z)\n  output "y" = %y\n}\n';
    expect(() => parseGraph(text, { file: 'g.pir' })).toThrow(
      'g.pir:3:3: %z: in a graph of stage legal identity: only an output that no op computes is copied',
    );
  });
});

describe('scales along a dimension', () => {
  const perChannel = (axis: number, shape: readonly number[], scales = '0.5 0.25') => tensorType(`i8<axis=${axis}:${scales}>`, shape);
  const only = (type: TensorType): Graph => graph([{ ...input, type }], [{ name: 'x', value: 'x' }]);
  const messages = (tested: Graph): string =>
    verifyGraph(tested)
      .map(({ message }) => message)
      .join();
  const applied = (op: OpName, types: readonly TensorType[], attributes: Attributes): string => {
    const builder = new GraphBuilder('g');
    return builder.type(
      builder.op(
        op,
        types.map((type, i) => builder.input(`x${i}`, type)),
        attributes,
      ),
    ).element;
  };

  test.each<[string, TensorType, string]>([
    ['the dimension is there', perChannel(1, [3, 2]), ''],
    ['there is no such dimension', perChannel(2, [3, 2]), 'scales along dimension 2 need a shape that has it, not [3,2]'],
    ['there are fewer scales', perChannel(0, [3, 2]), '2 scales do not fit the 3 indices along dimension 0'],
    ['a type is as long as may be', perChannel(0, [2 ** 18], scalesOf(2 ** 18)), ''],
    [
      'a type is longer than may be',
      perChannel(0, [2 ** 19], scalesOf(2 ** 19)),
      'an element type has at most 1048576 characters, not 1048586',
    ],
  ])('%s', (_case, type, message) => {
    expect(messages(only(type))).toBe(message);
    if (message !== '')
      expect(() => parseGraph(`graph @g stage(imported) { %x: ${printType(type)} = input output "x" = %x }`, { file: 'g.pir' })).toThrow(
        message,
      );
  });

  test.each<[OpName, Attributes, readonly TensorType[], string | RegExp]>([
    ['transpose', { perm: [2, 0, 1] }, [perChannel(1, [3, 2, 4])], 'i8<axis=2:0.5 0.25>'],
    ['reshape', { shape: [3, 4, 2, 1] }, [perChannel(1, [12, 2])], 'i8<axis=2:0.5 0.25>'],
    ['reshape', { shape: [1, 24] }, [perChannel(1, [12, 2])], /does not tell where the scales along dimension 1 go/],
    ['reshape', { shape: [2, 12] }, [perChannel(1, [12, 2])], /does not tell where/],
    ['reshape', { shape: [1, 1, 3] }, [perChannel(1, [3, 1], '0.5')], /does not tell where/],
    ['flatten', { axis: 1 }, [perChannel(0, [2, 3, 4])], 'i8<axis=0:0.5 0.25>'],
    ['flatten', { axis: 2 }, [perChannel(0, [2, 3, 4])], /does not tell where/],
    ['concat', { axis: 0 }, [perChannel(1, [3, 2]), perChannel(1, [4, 2])], 'i8<axis=1:0.5 0.25>'],
    ['concat', { axis: -1 }, [perChannel(1, [3, 2]), perChannel(1, [3, 2])], /with scales along dimension 1 do not join along it/],
    ['concat', { axis: 1 }, [perChannel(1, [3, 2])], 'i8<axis=1:0.5 0.25>'],
    ['pad', { pads: [0, 0, 0, 1], value: 0 }, [perChannel(1, [3, 2])], /one scale for the whole tensor/],
  ])('%s %o', (op, attributes, types, wanted) => {
    if (typeof wanted === 'string') expect(applied(op, types, attributes)).toBe(wanted);
    else expect(() => applied(op, types, attributes)).toThrow(wanted);
  });

  test('a transposition moves them with the elements', () => {
    const builder = new GraphBuilder('g');
    const type = perChannel(1, [3, 2]);
    const moved = builder.op('transpose', [builder.constant('c', tensor(type, Int8Array.from([1, 2, 3, 4, 5, 6])))], { perm: [1, 0] });
    builder.output('y', moved);
    const value = evaluateGraph(builder.build(), new Map()).get(moved);
    expect(value && [...realNumbers(value)]).toEqual([0.5, 1.5, 2.5, 0.5, 1, 1.5]);
    expect(value?.type).toEqual(perChannel(0, [2, 3]));
  });
});

function scalesOf(count: number): string {
  return new Array<string>(count).fill('1').join(' ');
}
