/**
 * Layers and small networks in every element type, exported and executed by onnxruntime.
 *
 * Quantized ones agree within a step: we sum exactly and requantize with a multiplier of 31 bits and a shift, ties up; onnxruntime sums real numbers in f32
 * and divides by the scale, ties to even. So a result differs only where it lies next to the middle of two steps. Sums and means of 8 bits have factors
 * of 15 bits, which moves the middle a little more. The same goes for fixed point, whose sums are exact too. Narrow floats agree within one unit in the last place of their type: both sides sum in f32, in different orders, and round once.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../../compiler/frontend/export.ts';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import type { Attributes, Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { checkGraph } from '../../compiler/ir/verify.ts';
import type { ElementType } from '../../runtime/numerics/element.ts';
import { fractionBits, isFixed, isQuantized, quantizationOf } from '../../runtime/numerics/element.ts';
import { NARROW_FORMATS, isNarrow } from '../../runtime/numerics/narrow.ts';
import { evaluateCone } from '../../passes/contract/cone.ts';
import type { ConvCase } from '../support/layers.ts';
import { arbitraryConv, values } from '../support/layers.ts';
import { runOrt } from '../support/ort.ts';
import type { Precision } from '../support/precisions.ts';
import { PRECISIONS } from '../support/precisions.ts';
import { runs } from '../support/effort.ts';

const RUNS = runs(25);
const SEED = 20_160_618;
/** Both sides round, each within k · 2⁻²⁴ · Σ|terms| of the exact result. */
const SIDES = 2;
/** Results that are equal, of all: of quantized ones the others lie next to the middle of two steps. */
const EQUAL_SHARE = 0.999;

/** How many numbers of a type lie between two. */
function stepsBetween(element: ElementType, x: number, y: number): number {
  if (isQuantized(element)) {
    const [scale = NaN] = quantizationOf(element).scales;
    return Math.abs(Math.round(x / scale) - Math.round(y / scale));
  }
  if (isFixed(element)) return Math.abs(x - y) * 2 ** fractionBits(element);
  if (!isNarrow(element)) throw new TypeError(`no steps of ${element}`);
  const { leastExponent, fractionBits: bits } = NARROW_FORMATS[element];
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(x), Math.abs(y))));
  return Math.abs(x - y) / 2 ** (Math.max(leastExponent, exponent) - bits);
}

/** The share of results that are equal. */
class Agreement {
  #elements = 0;
  #equal = 0;

  /** Fails where results of a type are more than a step apart, and by more than sums in f32 may differ. */
  add(element: ElementType, ours: Float32Array, theirs: Float32Array, slack: Float64Array): void {
    expect(ours.length).toBe(theirs.length);
    for (const [i, x] of ours.entries()) {
      const y = theirs[i] ?? NaN;
      this.#elements++;
      if (x === y || (x !== x && y !== y)) this.#equal++;
      else if (!(stepsBetween(element, x, y) <= 1 || Math.abs(x - y) <= (slack[i] ?? 0)))
        expect.fail(`element ${i} is ${x}, of onnxruntime ${y}, which is more than a step of ${element} apart`);
    }
  }

  get share(): number {
    return this.#equal / this.#elements;
  }
}

function graphOf(shape: readonly number[], build: (builder: GraphBuilder, x: string) => string): Graph {
  const builder = new GraphBuilder('layer');
  builder.output('y', build(builder, builder.input('x', tensorType('f32', shape))));
  return checkGraph(builder.build('legal'));
}

/** Attributes of a result that has another type than the operands. */
const resultOf = ({ operand, result }: Precision): Attributes => (operand === result ? {} : { result });

function conv(c: ConvCase, precision: Precision): (builder: GraphBuilder, x: string) => string {
  const { groups = 1, strides, pads, dilations, activation } = c;
  return (builder, x) => {
    const w = precision.weights(builder, values([...c.kernel, c.channels / groups, c.outputs], 1));
    const b = c.bias ? [precision.bias(builder, values([c.outputs], 2), w)] : [];
    const clipped = { activation, activation_min: -1, activation_max: 6 };
    return builder.op('conv', [x, w, ...b], { strides, pads, dilations, groups, ...clipped, layout: 'nhwc', ...resultOf(precision) });
  };
}

/** A network of everything: convolutions, one of them depthwise, a sum beside them, pooling, and a product. */
function network(precision: Precision): Graph {
  const base = { batch: 2, height: 9, width: 9, strides: [1, 1], dilations: [1, 1], bias: true, activation: 'relu' } as const;
  const again = (builder: GraphBuilder, x: string): string =>
    isQuantized(precision.result) ? builder.op('requantize', [x], { to: precision.operand }) : x;
  return graphOf([2, 9, 9, 3], (builder, x) => {
    const first = { ...base, channels: 3, outputs: 8, kernel: [3, 3], pads: [1, 1, 1, 1] } as const;
    const a = conv(first, precision)(builder, precision.input(builder, x));
    const pooled = again(builder, builder.op('max-pool', [a], { kernel: [2, 2], strides: [2, 2], layout: 'nhwc' }));
    const depthwise = { ...base, channels: 8, outputs: 8, groups: 8, kernel: [3, 3], pads: [1, 1, 1, 1] } as const;
    const b = conv(depthwise, precision)(builder, pooled);
    const sum = again(builder, builder.op('add', [pooled, b], resultOf(precision)));
    const mean = again(builder, builder.op('average-pool', [sum], { kernel: [4, 4], layout: 'nhwc', ...resultOf(precision) }));
    const flat = builder.op('reshape', [mean], { shape: [2, 8] });
    const w = precision.weights(builder, values([8, 10], 3));
    return precision.output(builder, builder.op('gemm', [flat, w, precision.bias(builder, values([10], 4), w)], resultOf(precision)));
  });
}

describe.each(PRECISIONS)('in $name', (precision) => {
  const agreement = new Agreement();

  async function check(graph: Graph, seed = 9): Promise<void> {
    const inputs = new Map<string, Tensor>(graph.inputs.map(({ name, type }) => [name, values(type.shape, seed)]));
    const output = graph.node(graph.outputs[0]?.value ?? '');
    if (output.kind !== 'op') throw new Error('y is not computed');
    const { tensor: ours, magnitude } = evaluateCone(graph, output.name, inputs);
    const theirs = (await runOrt(exportOnnx(graph), inputs)).get('y');
    if (!theirs) throw new Error('there is no y');
    expect(theirs.type).toEqual(ours.type);
    const { element } = graph.node(output.inputs[0] ?? '').type;
    // Integers are summed exactly here, and nearly so in f32.
    const slack = magnitude.terms.map((terms) => (isQuantized(element) ? 0 : SIDES * magnitude.count * 2 ** -24 * terms));
    agreement.add(element, floats(ours), floats(theirs), slack);
  }

  const property = <T>(cases: fc.Arbitrary<T>, run: (each: T) => Promise<void>): Promise<void> =>
    fc.assert(fc.asyncProperty(cases, run), { numRuns: RUNS, seed: SEED });

  it('convolutions, in groups or not', () =>
    property(fc.tuple(arbitraryConv, fc.constantFrom(1, 1, 2, 3)), async ([c, groups]) => {
      const sizes = { ...c, groups, channels: groups * c.channels, outputs: groups * Math.ceil(c.outputs / groups) };
      const graph = graphOf([c.batch, c.height, c.width, sizes.channels], (builder, x) =>
        precision.output(builder, conv(sizes, precision)(builder, precision.input(builder, x))),
      );
      await check(graph);
    }));

  it('products', () =>
    property(fc.record({ m: fc.constantFrom(1, 5), k: fc.constantFrom(1, 40, 300), n: fc.constantFrom(1, 10) }), async ({ m, k, n }) => {
      const graph = graphOf([m, k], (builder, x) => {
        const w = precision.weights(builder, values([k, n], 3));
        const operands = [precision.input(builder, x), w, precision.bias(builder, values([n], 4), w)];
        return precision.output(builder, builder.op('gemm', operands, { ...resultOf(precision), activation: 'relu' }));
      });
      await check(graph);
    }));

  it('sums, activations, concatenations and padding', () =>
    property(fc.tuple(fc.constantFrom('none', 'relu', 'clip'), fc.integer({ min: 1, max: 20 })), async ([activation, channels]) => {
      const graph = graphOf([2, 3, 3, channels], (builder, x) => {
        const other = precision.input(builder, builder.op('relu', [x]), precision.other);
        const bounds = { activation_min: -2, activation_max: 3 };
        // A sum of fixed-point numbers has their binary point.
        const result = isFixed(precision.operand) ? {} : resultOf(precision);
        const sum = builder.op('add', [precision.input(builder, x), other], { activation, ...bounds, ...result });
        const clamped = builder.op('clip', [builder.op('relu', [sum])], { min: 0.5, max: 2 });
        const padded = builder.op('pad', [builder.op('concat', [sum, clamped], { axis: 3 })], {
          pads: [0, 1, 0, 0, 0, 0, 2, 0],
          value: -1.5,
        });
        return precision.output(builder, builder.op('transpose', [padded], { perm: [0, 3, 1, 2] }));
      });
      await check(graph);
    }));

  it('pooling', () =>
    property(fc.tuple(arbitraryConv, fc.constantFrom('max-pool', 'average-pool')), async ([c, op]) => {
      const { kernel, strides } = c;
      const pads = c.pads.map((extent, i) => Math.min(extent, (kernel[i % 2] ?? 1) - 1));
      const mean = { count_include_pad: true, ...resultOf(precision) };
      const graph = graphOf([c.batch, c.height, c.width, c.channels], (builder, x) => {
        const operand = precision.input(builder, x);
        const attributes = { kernel, strides, pads, layout: 'nhwc', ...(op === 'average-pool' && mean) };
        return precision.output(builder, builder.op(op, [operand], attributes));
      });
      await check(graph);
    }));

  it('small networks', async () => {
    for (const seed of [1, 2, 3, 4]) await check(network(precision), seed);
  });

  it('nearly all results are equal', () => {
    expect(agreement.share).toBeGreaterThan(EQUAL_SHARE);
  });
});
