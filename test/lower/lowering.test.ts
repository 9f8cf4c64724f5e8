import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Attributes, Graph } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { checkGraph } from '../../compiler/ir/verify.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { expectAgreement } from '../support/agreement.ts';
import type { ConvCase } from '../support/layers.ts';
import { arbitraryConv, convGraph, gemmGraph, poolGraph, values, withSmallScratchpads } from '../support/layers.ts';
import { loadTarget } from '../support/targets.ts';
import { runs } from '../support/effort.ts';

const cambricon = loadTarget('cambricon');
const small = withSmallScratchpads(cambricon);

/** Halves the height of images. */
const HALVED = { kernel: [2, 1], strides: [2, 1], layout: 'nhwc' };

function run(graph: Graph, target = cambricon): void {
  const inputs = new Map(graph.inputs.map(({ name, type }) => [name, values(type.shape, 9)]));
  expectAgreement(graph, lower(graph, target), target, inputs);
}

describe('lowering: evaluator, tiled interpreter and machine agree bit for bit', () => {
  it('on convolutions', () => {
    fc.assert(
      fc.property(arbitraryConv, fc.boolean(), (c, tight) => {
        run(convGraph(c), tight ? small : cambricon);
      }),
      { numRuns: runs(150) },
    );
  });

  it('on convolutions in groups, of single channels and of several', () => {
    const grouped = fc.tuple(arbitraryConv, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }));
    fc.assert(
      fc.property(grouped, fc.boolean(), ([c, groups, inputs, outputs], tight) => {
        run(convGraph({ ...c, groups, channels: groups * inputs, outputs: groups * outputs }), tight ? small : cambricon);
      }),
      { numRuns: runs(150) },
    );
  });

  it('on convolutions in groups whose weights do not fit, whole groups and slices of groups by turns', () => {
    const grouped = fc.tuple(
      fc.constantFrom(1, 2, 4),
      fc.integer({ min: 5, max: 8 }),
      fc.constantFrom(8, 12, 16),
      fc.integer({ min: 1, max: 7 }),
    );
    fc.assert(
      fc.property(grouped, fc.boolean(), fc.integer({ min: 1, max: 2 }), ([groups, inputs, outputs, side], bias, batch) => {
        const c = {
          batch,
          height: side,
          width: 5,
          kernel: [3, 3],
          strides: [1, 1],
          pads: [1, 1, 1, 1],
          dilations: [1, 1],
          activation: 'relu',
        } as const;
        run(convGraph({ ...c, bias, groups, channels: groups * inputs, outputs: groups * outputs }), small);
      }),
      { numRuns: runs(60) },
    );
  });

  it('on depthwise convolutions with sums of -0', () => {
    const c: ConvCase = {
      batch: 1,
      height: 3,
      width: 3,
      channels: 4,
      outputs: 4,
      groups: 4,
      kernel: [2, 2],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      dilations: [1, 1],
      bias: false,
      activation: 'none',
    };
    const graph = convGraph(c);
    const target = cambricon;
    const zeros = new Map([['x', { type: tensorType('f32', [1, 3, 3, 4]), data: new Float32Array(36).fill(-0) }]]);
    const outputs = expectAgreement(graph, lower(graph, target), target, zeros);
    expect([...(outputs.get('y') ?? [])].every((value) => Object.is(value, 0))).toBe(true);
  });

  it('on max-pooling', () => {
    fc.assert(
      fc.property(
        arbitraryConv
          .map((c) => ({ ...c, dilations: [1, 1] as const }))
          .filter(({ kernel, pads }) => pads[0] < kernel[0] && pads[2] < kernel[0] && pads[1] < kernel[1] && pads[3] < kernel[1]),
        fc.boolean(),
        (c, tight) => {
          run(poolGraph(c), tight ? small : cambricon);
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it('on average pooling, padding counted', () => {
    const graphOf = ({ batch, height, width, channels, kernel, strides, dilations }: ConvCase): Graph => {
      const builder = new GraphBuilder('pool');
      const x = builder.input('x', tensorType('f32', [batch, height + 2, width + 2, channels]));
      const attributes = { kernel, strides, pads: [0, 0, 0, 0], dilations: dilations.map(() => 1), layout: 'nhwc' };
      builder.output('y', builder.op('average-pool', [x], attributes, { name: 'y' }));
      return builder.build('legal');
    };
    const fitting = arbitraryConv.filter(({ height, width, kernel }) => height + 2 >= kernel[0] && width + 2 >= kernel[1]);
    fc.assert(
      fc.property(fitting, fc.boolean(), (c, tight) => run(graphOf(c), tight ? small : cambricon)),
      { numRuns: runs(80) },
    );
  });

  it('on normalisation, softmax, sigmoid, tanh and padding', () => {
    const shape = fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 40 }),
    );
    const op = fc.constantFrom(
      ['lrn', { size: 5, alpha: 0.5, layout: 'nhwc' }] as const,
      ['lrn', { size: 2, alpha: 2, beta: 0.5, bias: 2, layout: 'nhwc' }] as const,
      ['softmax', {}] as const,
      ['sigmoid', {}] as const,
      ['tanh', {}] as const,
      ['pad', { pads: [0, 1, 2, 0, 0, 3, 0, 0], value: -2 }] as const,
    );
    fc.assert(
      fc.property(shape, op, fc.boolean(), (dims, [name, attributes], tight) => {
        const builder = new GraphBuilder('g');
        const x = builder.input('x', tensorType('f32', dims));
        builder.output('y', builder.op(name, [x], attributes, { name: 'y' }));
        run(builder.build('legal'), tight ? small : cambricon);
      }),
      { numRuns: runs(120) },
    );
  });

  it('on concatenations, along any dimension, nested, of inputs, of results and of what others read too', () => {
    const dims = fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(dims, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean(), (shape, axis, outer, tight) => {
        const builder = new GraphBuilder('g');
        const x = builder.input('x', tensorType('f32', shape));
        const a = builder.op('relu', [x], {}, { name: 'a' });
        const b = builder.op('max-pool', [a], { kernel: [1, 1], layout: 'nhwc' }, { name: 'b' });
        const w = builder.constant('w', values([1, 1, shape[3], shape[3]], 5));
        const c = builder.op('conv', [b, w], { layout: 'nhwc' }, { name: 'c' });
        builder.output('z', builder.op('add', [b, c], {}, { name: 'z' }));
        const inner = builder.op('concat', [a, x, c], { axis }, { name: 'inner' });
        const other = builder.op('concat', [b, b], { axis }, { name: 'other' });
        const last = builder.op('relu', [inner], {}, { name: 'last' });
        const joined = axis === outer ? [inner, other, last] : [inner, last];
        builder.output('y', builder.op('concat', joined, { axis: outer }, { name: 'y' }));
        run(builder.build('legal'), tight ? small : cambricon);
      }),
      { numRuns: runs(120) },
    );
  });

  it('on transposes inside of a network, of any rank, cut along any dimension', () => {
    const turned = (shape: readonly number[], perm: readonly number[]): Graph => {
      const builder = new GraphBuilder('turned');
      const x = builder.input('x', tensorType('f32', shape));
      const before = builder.op('relu', [x], {}, { name: 'before' });
      const moved = builder.op('transpose', [before], { perm }, { name: 'moved' });
      builder.output('y', builder.op('relu', [moved], {}, { name: 'after' }));
      return checkGraph(builder.build('legal'));
    };
    const shapes = fc
      .array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 })
      .chain((shape) => fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })));
    fc.assert(
      fc.property(shapes, fc.constantFrom(cambricon, small), ([shape, perm], target) => {
        run(turned(shape, perm), target);
      }),
      { numRuns: runs(60) },
    );
    const large: [number[], number[]][] = [
      [
        [5, 1300],
        [1, 0],
      ],
      [
        [1300, 5],
        [1, 0],
      ],
      [
        [2, 3, 1300],
        [1, 0, 2],
      ],
      [
        [3, 2, 700],
        [2, 1, 0],
      ],
      [
        [2, 2, 3, 500, 2],
        [1, 0, 3, 2, 4],
      ],
    ];
    for (const [shape, perm] of large) run(turned(shape, perm), small);
  });

  it('on an input that is stored as it is, and transposed for one of its readers', () => {
    const builder = new GraphBuilder('shared');
    const x = builder.input('x', tensorType('f32', [2, 3, 4]));
    const moved = builder.op('transpose', [x], { perm: [2, 0, 1] }, { name: 'moved' });
    builder.output('y', builder.op('relu', [moved], {}, { name: 'y' }));
    builder.output('z', builder.op('relu', [x], {}, { name: 'z' }));
    builder.output('t', moved);
    run(checkGraph(builder.build('legal')));
  });

  it('on copies of inputs and constants, of which some are views', () => {
    const builder = new GraphBuilder('copies');
    const x = builder.input('x', tensorType('f32', [70, 300]));
    const c = builder.constant('c', values([3], 1));
    const flat = builder.op('reshape', [x], { shape: [21_000] }, { name: 'flat' });
    for (const value of [x, c, flat]) builder.output(`out.${value}`, builder.op('identity', [value], {}, { name: `${value}.copy` }));
    run(checkGraph(builder.build('legal')), small);
  });

  it('on products, with tiles of rows, of K and of columns', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 130 }),
        fc.boolean(),
        fc.boolean(),
        (M, K, N, bias, tight) => {
          run(gemmGraph(M, K, N, bias), tight ? small : cambricon);
        },
      ),
      { numRuns: runs(100) },
    );
  });

  it('on elementwise ops, same shape and broadcast over rows', () => {
    for (const op of ['add', 'sub', 'mul', 'div'] as const)
      for (const second of [[3, 50], [50], [1, 50]] as const) {
        const builder = new GraphBuilder(op);
        const x = builder.input('x', tensorType('f32', [3, 50]));
        const y =
          second.length === 2 && second[0] === 3 ? builder.input('z', tensorType('f32', second)) : builder.constant('c', values(second, 5));
        builder.output('y', builder.op(op, [x, y], {}, { name: 'y' }));
        run(builder.build('legal'));
        run(builder.build('legal'), { ...small, memory: { ...small.memory, vectorBytes: 2048 } });
      }
    for (const [op, attributes] of [
      ['relu', {}],
      ['clip', { min: -0.25, max: 0.5 }],
    ] as const) {
      const builder = new GraphBuilder(op);
      builder.output('y', builder.op(op, [builder.input('x', tensorType('f32', [7, 300]))], attributes, { name: 'y' }));
      run(builder.build('legal'));
      run(builder.build('legal'), small);
    }
  });

  it('on sums that end in an activation', () => {
    for (const second of [[3, 50], [50], [1]] as const)
      for (const activation of ['relu', 'clip'] as const) {
        const builder = new GraphBuilder('g');
        const x = builder.input('x', tensorType('f32', [3, 50]));
        const y = second[0] === 3 ? builder.input('z', tensorType('f32', second)) : builder.constant('c', values(second, 5));
        const clip = activation === 'clip' ? { activation_min: -0.25, activation_max: 0.5 } : {};
        builder.output('y', builder.op('add', [x, y], { activation, ...clip }, { name: 'y' }));
        run(builder.build('legal'));
        run(builder.build('legal'), small);
      }
  });

  it('on results that take the memory of operands, among views, concatenations and late readers', () => {
    const step = fc.record({
      op: fc.constantFrom('add', 'sub', 'mul', 'relu', 'tanh', 'reshape', 'concat', 'max-pool'),
      a: fc.nat(),
      b: fc.nat(),
      isOutput: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.boolean(), (steps, tight) => {
        const builder = new GraphBuilder('g');
        const type = tensorType('f32', [1, 2, 4, 6]);
        const images = [builder.input('x', type), builder.input('z', type)];
        const pick = (n: number): string => images[n % images.length] ?? 'x';
        const outputs: string[] = [];
        steps.forEach(({ op, a, b, isOutput }, i) => {
          const name = `v${i}`;
          const make = (kind: OpName, inputs: readonly string[], attributes: Attributes = {}, own = name): string =>
            builder.op(kind, inputs, attributes, { name: own });
          if (op === 'reshape')
            images.push(make('reshape', [make('reshape', [pick(a)], { shape: [48] }, `${name}.flat`)], { shape: type.shape }));
          else if (op === 'concat')
            images.push(make('max-pool', [make('concat', [pick(a), pick(b)], { axis: 1 }, `${name}.both`)], HALVED));
          else if (op === 'max-pool') images.push(make(op, [pick(a)], { kernel: [1, 1], layout: 'nhwc' }));
          else images.push(make(op, op === 'relu' || op === 'tanh' ? [pick(a)] : [pick(a), pick(b)]));
          if (isOutput && op !== 'reshape') outputs.push(name);
        });
        outputs.push(builder.op('max-pool', [pick(images.length - 1)], { kernel: [1, 1], layout: 'nhwc' }, { name: 'last' }));
        for (const name of outputs) builder.output(name, name);
        run(builder.build('legal'), tight ? small : cambricon);
      }),
      { numRuns: runs(150) },
    );
  });

  it('puts the sum of a residual block where one of its terms was', () => {
    const builder = new GraphBuilder('g');
    const x = builder.input('x', tensorType('f32', [1, 2, 2, 8]));
    const first = builder.op('max-pool', [x], { kernel: [1, 1], layout: 'nhwc' }, { name: 'first' });
    const branch = builder.op('max-pool', [first], { kernel: [1, 1], layout: 'nhwc' }, { name: 'branch' });
    const sum = builder.op('add', [branch, first], {}, { name: 'sum' });
    builder.output('y', builder.op('max-pool', [sum], { kernel: [1, 1], layout: 'nhwc' }, { name: 'y' }));
    const { tiled } = lower(builder.build('legal'), cambricon);
    expect(tiled.buffers.map(({ name }) => name)).toEqual(['x', 'y', 'first', 'branch']);
  });

  it('on special values: NaN, infinities, −0 and denormals in the input', () => {
    const special = [NaN, Infinity, -Infinity, -0, 1e-42, 0, 3, -5];
    const c: ConvCase = {
      batch: 1,
      height: 6,
      width: 6,
      channels: 2,
      outputs: 3,
      kernel: [3, 3],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
      bias: true,
      activation: 'relu',
    };
    for (const graph of [convGraph(c), poolGraph(c), convGraph({ ...c, activation: 'clip' })]) {
      for (const offset of special.keys()) {
        const data = Float32Array.from({ length: 72 }, (_, i) => special[(i * 5 + offset) % special.length] ?? 0);
        const inputs = new Map([['x', { type: tensorType('f32', [1, 6, 6, 2]), data }]]);
        expectAgreement(graph, lower(graph, cambricon), cambricon, inputs);
      }
    }
  });

  it('refuses weights that are not finite', () => {
    const builder = new GraphBuilder('conv');
    const x = builder.input('x', tensorType('f32', [1, 4, 4, 1]));
    const w = builder.constant('w', { type: tensorType('f32', [1, 1, 1, 1]), data: Float32Array.of(Infinity) });
    builder.output('y', builder.op('conv', [x, w], { layout: 'nhwc' }, { name: 'y' }));
    expect(() => lower(builder.build('legal'), cambricon)).toThrow(/weights that are not finite/);
  });
});
