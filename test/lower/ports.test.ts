/** What the host does where values enter and leave a program: every chain of transposes and conversions, hung on anything, is computed as the graph says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { hostSides } from '../../compiler/ir/ports.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { dataBytes, tensor } from '../../compiler/ir/tensor.ts';
import { elementCount, tensorType } from '../../compiler/ir/types.ts';
import { checkGraph, verifyGraph } from '../../compiler/ir/verify.ts';
import { printTiled } from '../../compiler/lower/tiled-text.ts';
import { parseTiled } from '../../compiler/lower/tiled-parse.ts';
import { compileModel, legalize } from '../../compiler/pipeline.ts';
import { decodeContainer, encodeContainer } from '../../isa/container.ts';
import { verifyProgram } from '../../isa/verify.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { createMachine } from '../../runtime/engine/engine.ts';
import { expectAgreement } from '../support/agreement.ts';
import { evaluatedCalibration } from '../support/calibration.ts';
import { loadTarget } from '../support/targets.ts';

const RUNS = Number(process.env.PLUMBLINE_FUZZ_RUNS ?? 150);
const target = loadTarget('cambricon');
const SHAPE = [1, 2, 3, 4];

/** Numbers of which many are beyond the range of 8-bit types, so that saturation shows. */
function numbers(shape: readonly number[], seed: number): Tensor {
  return tensor(
    tensorType('f32', shape),
    Float32Array.from({ length: elementCount(shape) }, (_, i) => 9 * Math.sin(seed + 1.7 * i)),
  );
}

const STEPS = ['transpose', 'view', 'f16', 'bf16', 'i8', 'coarse i8', 'relu', 'identity', 'f8e4m3', 'pool', 'sum'] as const;
type Step = (typeof STEPS)[number];
const QUANTIZED = { i8: 'i8<0.0625,-3>', 'coarse i8': 'i8<0.5,7>' } as const;

/** Adds a step to a chain; one that does not fit gives the value itself. */
function apply(builder: GraphBuilder, step: Step, x: string, constant: Tensor): string {
  const { shape, element } = builder.type(x);
  switch (step) {
    case 'transpose':
      return builder.op('transpose', [x], { perm: shape.length === 4 ? [0, 2, 3, 1] : [1, 0] });
    case 'view':
      return shape.length === 4 ? builder.op('flatten', [x], { axis: 2 }) : builder.op('reshape', [x], { shape: [1, 2, 3, 4] });
    case 'i8':
    case 'coarse i8':
      return builder.op('dequantize', [builder.op('quantize', [x], { to: QUANTIZED[step] })]);
    case 'f16':
    case 'bf16':
    case 'f8e4m3':
      return builder.op('cast', [builder.op('cast', [x], { to: step })], { to: 'f32' });
    case 'relu':
    case 'identity':
      return builder.op(step, [x]);
    case 'pool':
      return shape.length === 4 ? builder.op('max-pool', [x], { kernel: [1, 1] }) : x;
    case 'sum':
      return element === 'f32' && shape.join() === SHAPE.join() ? builder.op('add', [x, builder.constant('c', constant)]) : x;
  }
}

interface Chain {
  /** The value that it hangs on, counted from the last. */
  readonly from: number;
  readonly steps: readonly Step[];
  readonly isOutput: boolean;
}

const chains = fc.array(
  fc.record({
    from: fc.nat(20),
    steps: fc.array(fc.constantFrom(...STEPS), { maxLength: 5 }),
    isOutput: fc.constantFrom(true, true, false),
  }),
  { minLength: 1, maxLength: 5 },
);

/** Chains that hang on inputs, a constant and each other; outputs are at their ends, and some values are output twice. */
function graphOf(drawn: readonly Chain[]): Graph {
  const builder = new GraphBuilder('ports');
  const constant = numbers(SHAPE, 5);
  const values = [
    builder.constant('k', numbers(SHAPE, 3)),
    builder.input('in:1', tensorType('f32', SHAPE)),
    builder.input('in:2', tensorType('f32', SHAPE)),
  ];
  for (const [i, { from, steps, isOutput }] of drawn.entries()) {
    let value = values[values.length - 1 - (from % values.length)] ?? 'in:1';
    for (const step of steps) {
      value = apply(builder, step, value, constant);
      values.push(value);
    }
    if (isOutput || i === drawn.length - 1) builder.output(`out:${i}`, value);
  }
  return checkGraph(builder.build());
}

function inputsOf(graph: Graph): ReadonlyMap<string, Tensor> {
  return new Map(graph.inputs.map(({ name, type }, i) => [name, numbers(type.shape, i)]));
}

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

function outputBits(graph: Graph, inputs: ReadonlyMap<string, Tensor>): ReadonlyMap<string, string> {
  const values = evaluateGraph(graph, inputs);
  return new Map(graph.outputs.map(({ name, value }) => [name, hex(dataBytes(values.get(value) ?? numbers([0], 0)))]));
}

describe('chains of transposes and conversions at the ports', () => {
  it('are computed bit for bit, with no pass and with those that keep every bit', () => {
    const count = { ran: 0, onHost: 0, via: 0, outputs: 0, shared: 0 };
    fc.assert(
      fc.property(chains, fc.constantFrom('O0', 'O1'), (drawn, preset) => {
        const graph = graphOf(drawn);
        const inputs = inputsOf(graph);
        const compiled = compileModel(graph, { target, passes: parsePipeline(preset) });
        const wanted = outputBits(graph, inputs);
        expect(outputBits(compiled.legal, inputs)).toEqual(wanted);
        expectAgreement(compiled.legal, compiled, target, inputs);
        const fast = createMachine('fast', compiled.program, target);
        for (const [name, value] of inputs) fast.writeInput(name, value.data as Float32Array);
        fast.run();
        for (const [name, bits] of wanted)
          expect(hex(new Uint8Array(fast.readOutput(name).buffer)), `fast engine, output ${name}`).toBe(bits);

        const { program, tiled } = compiled;
        const { text, constants } = printTiled(tiled);
        expect(parseTiled(text, { file: 'ports', constants })).toEqual(tiled);
        const file = encodeContainer(program, { producer: 'test', targetHash: '0'.repeat(64) });
        expect(decodeContainer(file).program.outputs).toEqual(program.outputs);
        count.ran++;
        count.onHost += hostSides(compiled.legal).size > 0 ? 1 : 0;
        count.via += [...program.inputs, ...program.outputs].some(({ via }) => via.length > 0) ? 1 : 0;
        count.outputs += program.outputs.length > 1 ? 1 : 0;
        count.shared += new Set(program.outputs.map(({ address }) => address)).size < program.outputs.length ? 1 : 0;
      }),
      { numRuns: RUNS, seed: 20_190_212 },
    );
    expect(count.ran).toBe(RUNS);
    // Each of the situations that this is about must occur.
    expect(count.onHost / RUNS).toBeGreaterThan(0.5);
    expect(count.via / RUNS).toBeGreaterThan(0.1);
    expect(count.outputs / RUNS).toBeGreaterThan(0.3);
    expect(count.shared / RUNS).toBeGreaterThan(0.02);
  });

  it('are computed bit for bit as the legal graph says in every precision', () => {
    const presets = ['f16', 'bf16', 'f8e4m3', 'fixed16', 'int8', 'int8-naive'];
    let converted = 0;
    fc.assert(
      fc.property(chains, fc.constantFrom(...presets), (drawn, preset) => {
        const graph = graphOf(drawn);
        const inputs = inputsOf(graph);
        const calibration = evaluatedCalibration([inputs]);
        const compiled = compileModel(graph, { target, passes: parsePipeline(preset), pipeline: { calibration } });
        expectAgreement(compiled.legal, compiled, target, inputs);
        converted += outputBits(compiled.legal, inputs).size > 0 && compiled.legal.ops.length > legalize(graph, target).ops.length ? 1 : 0;
      }),
      { numRuns: RUNS, seed: 20_190_213 },
    );
    expect(converted / RUNS).toBeGreaterThan(0.1);
  });
});

describe('a graph that leaves something to the host', () => {
  const chain = (build: (builder: GraphBuilder, x: string) => void): Graph => {
    const builder = new GraphBuilder('net');
    build(builder, builder.input('x', tensorType('f32', [2, 3])));
    return builder.build('legal');
  };
  const onHost = { perm: [1, 0], device: 'host' } as const;
  const problems = (graph: Graph): readonly string[] => verifyGraph(graph).map(({ code, place }) => `${code} ${place?.join(' ') ?? ''}`);

  it('may do so behind an input that one op reads, and in front of outputs', () => {
    const graph = chain((builder, x) => {
      const inside = builder.op('relu', [builder.op('transpose', [x], onHost)]);
      builder.output('y', builder.op('transpose', [inside], onHost));
      builder.output('z', inside);
    });
    expect(problems(graph)).toEqual([]);
    expect([...hostSides(graph)]).toEqual([
      ['transpose', 'input'],
      ['transpose.1', 'output'],
    ]);
  });

  it.each<[string, (builder: GraphBuilder, x: string) => void]>([
    [
      'behind an input that is read twice',
      (builder, x) => {
        builder.output('y', builder.op('relu', [builder.op('transpose', [x], onHost)]));
        builder.output('z', builder.op('relu', [x]));
      },
    ],
    [
      'behind an input that is an output',
      (builder, x) => {
        builder.output('y', builder.op('relu', [builder.op('transpose', [x], onHost)]));
        builder.output('z', x);
      },
    ],
    [
      'in the middle',
      (builder, x) => builder.output('y', builder.op('relu', [builder.op('transpose', [builder.op('relu', [x])], onHost)])),
    ],
    [
      'in front of an output and of something else',
      (builder, x) => {
        const moved = builder.op('transpose', [builder.op('relu', [x])], onHost);
        builder.output('y', moved);
        builder.output('z', builder.op('relu', [moved]));
      },
    ],
  ])('may not do so %s', (_, build) => {
    expect(problems(chain(build))).toEqual(['ir/stage/device %transpose']);
  });
});

describe('outputs', () => {
  it('may share bytes in a program, inputs may not', () => {
    const builder = new GraphBuilder('net');
    const y = builder.op('relu', [builder.input('x', tensorType('f32', [4]))]);
    builder.output('a', y);
    builder.output('b', builder.op('reshape', [y], { shape: [2, 2] }));
    const { program } = compileModel(builder.build(), { target, passes: [] });
    const [a, b] = program.outputs;
    expect(a?.address).toBe(b?.address);
    expect(verifyProgram(program, target)).toEqual([]);
    const [x] = program.inputs;
    if (!x) throw new Error('there is no input');
    expect(verifyProgram({ ...program, inputs: [x, { ...x, name: 'again' }] }, target).map(({ message }) => message)).toEqual([
      "input 'x' overlaps input 'again'",
    ]);
  });

  it('of a thousand values that follow each other are placed one by one', () => {
    const builder = new GraphBuilder('deep');
    let value = builder.input('x', tensorType('f32', [2, 2]));
    // Deeper than a call stack: views of views, sums in place, and steps of the host.
    for (let i = 0; i < 3000; i++) value = builder.op(i % 2 === 0 ? 'transpose' : 'relu', [value], i % 2 === 0 ? { perm: [1, 0] } : {});
    for (let i = 0; i < 3000; i++) value = builder.op('reshape', [value], { shape: i % 2 === 0 ? [4] : [2, 2] });
    for (let i = 0; i < 3000; i++) value = builder.op('transpose', [value], { perm: [1, 0] });
    builder.output('y', value);
    const { program } = compileModel(builder.build(), { target, passes: [] });
    expect(program.outputs).toHaveLength(1);
  });
});
