/** What the runner of test cases says of cases of each kind: small ones, whose outputs are computed by hand. */
import { describe, expect, it } from 'vitest';
import { onSamples } from '../../compiler/cli/calibration.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { CaseOptions, CaseResult } from '../../runtime/conformance/conformance.ts';
import { runCase, runCases } from '../../runtime/conformance/conformance.ts';
import { SUITE_TOLERANCE } from '../../runtime/conformance/judge.ts';
import type { ModelSpec, TensorSpec } from '../support/onnx-builder.ts';
import { node, tensorBytes } from '../support/onnx-builder.ts';
import { loadTarget } from '../support/targets.ts';
import type { CaseSpec } from '../support/test-cases.ts';
import { caseOf } from '../support/test-cases.ts';

const EVALUATED: CaseOptions = {
  passes: [],
  judge: { kind: 'tolerance', ...SUITE_TOLERANCE },
  engine: 'fast',
  calibrate: onSamples,
};
const COMPILED: CaseOptions = { ...EVALUATED, target: loadTarget('cambricon'), passes: parsePipeline('O1') };

const f32 = (dims: readonly number[], ...data: readonly number[]): TensorSpec => ({ dims, data: Float32Array.from(data) });
const value = (name: string, ...shape: readonly (number | string)[]) => ({ name, shape });

/** y = a + b, z = relu(a). */
const ADD: ModelSpec = {
  nodes: [node('Add', 'a b', 'y'), node('Relu', 'a', 'z')],
  inputs: [value('a', 1, 4), value('b', 1, 4)],
  outputs: [value('y', 1, 4), value('z', 1, 4)],
};
const A = f32([1, 4], 1, -2, 3, 4);
const B = f32([1, 4], 10, 20, 30, 40);
const Y = f32([1, 4], 11, 18, 33, 44);
const Z = f32([1, 4], 1, 0, 3, 4);
const good: CaseSpec = { model: ADD, sets: [{ inputs: [A, B], outputs: [Y, Z] }] };

/** y = m · w, the right operand of which must be known to be compiled. */
const PRODUCT: CaseSpec = {
  model: {
    nodes: [node('MatMul', 'm w', 'y')],
    inputs: [value('m', 1, 2), value('w', 2, 1)],
    outputs: [value('y', 1, 1)],
  },
  sets: [{ inputs: [f32([1, 2], 2, 3), f32([2, 1], 5, 7)], outputs: [f32([1, 1], 31)] }],
};

function run(spec: CaseSpec, options: CaseOptions = COMPILED): CaseResult {
  return runCase(caseOf(spec), options);
}

describe('what ran', () => {
  const brief = ({ status, form }: CaseResult): string => `${status} ${form ?? ''}`;

  it('is the program, or the evaluator, of all that is fed', () => {
    expect(brief(run(good))).toBe('passed compiled');
    expect(brief(run(good, EVALUATED))).toBe('passed evaluated');
    expect(run(good)).toMatchObject({ reason: null, causes: [] });
  });

  it('is a program with operands in the model where only that is supported', () => {
    expect(brief(run(PRODUCT))).toBe('passed compiled-constants');
    expect(brief(run(PRODUCT, EVALUATED))).toBe('passed evaluated');
  });

  it('is nothing where no operation is left', () => {
    const copy: ModelSpec = { nodes: [node('Identity', 'a', 'y')], inputs: [value('a', 1, 4)], outputs: [value('y', 1, 4)] };
    const less: ModelSpec = {
      nodes: [node('Less', 'a b', 'y')],
      inputs: ADD.inputs ?? [],
      outputs: [{ name: 'y', shape: [1, 4], dataType: 9 }],
    };
    const bools: TensorSpec = { dims: [1, 4], data: Uint8Array.from([1, 1, 1, 1]), dataType: 9 };
    expect(brief(run({ model: copy, sets: [{ inputs: [A], outputs: [A] }] }))).toBe('passed folded');
    expect(brief(run({ model: less, sets: [{ inputs: [A, B], outputs: [bools] }] }, EVALUATED))).toBe('passed folded');
  });

  it('is the least of several sets of data, whose open dimensions may differ', () => {
    const model: ModelSpec = { nodes: [node('Relu', 'a', 'z')], inputs: [value('a', 'n', 4)], outputs: [value('z', 'n', 4)] };
    const sets = [
      { inputs: [A], outputs: [Z] },
      { inputs: [f32([2, 4], 1, -2, 3, 4, -1, 5, -6, 7)], outputs: [f32([2, 4], 1, 0, 3, 4, 0, 5, 0, 7)] },
      { inputs: [B], outputs: [B] },
    ];
    expect(brief(run({ model, sets }))).toBe('passed compiled');
    const wrong = [...sets, { inputs: [A], outputs: [B] }];
    expect(run({ model, sets: wrong })).toMatchObject({
      status: 'failed',
      reason: 'test_data_set_3: output z: element 0 is 1 instead of 10',
    });
  });

  it('uses data for inputs without a value of their own, or for all where there are more', () => {
    const model = { ...ADD, initializers: [{ ...B, name: 'b' }] };
    expect(brief(run({ model, sets: [{ inputs: [A], outputs: [Y, Z] }] }))).toBe('passed compiled');
    const other = f32([1, 4], 100, 200, 300, 400);
    const sum = f32([1, 4], 101, 198, 303, 404);
    expect(run({ model, sets: [{ inputs: [A, other], outputs: [sum, Z] }] })).toMatchObject({
      status: 'passed',
      form: 'compiled-constants',
    });
  });
});

describe('what is wrong', () => {
  const wrong = (sets: CaseSpec['sets'], model: CaseSpec['model'] = ADD): CaseResult => run({ model, sets }, COMPILED);

  it.each([
    ['the second output', [{ inputs: [A, B], outputs: [Y, Y] }], 'test_data_set_0: output z: element 0 is 1 instead of 11'],
    ['an output too few', [{ inputs: [A, B], outputs: [Y] }], 'test_data_set_0: 1 outputs are expected, the model has 2'],
    ['an output too many', [{ inputs: [A, B], outputs: [Y, Z, Z] }], 'test_data_set_0: 3 outputs are expected, the model has 2'],
    ['another shape', [{ inputs: [A, B], outputs: [f32([4], 11, 18, 33, 44), Z] }], 'output y: f32[1,4] instead of f32[4]'],
    ['NaN', [{ inputs: [A, B], outputs: [f32([1, 4], 11, NaN, 33, 44), Z] }], 'output y: element 1 is 18 instead of NaN'],
    ['an input too few', [{ inputs: [A], outputs: [Y, Z] }], 'test_data_set_0: gives 1 of 2 inputs'],
    ['an input too many', [{ inputs: [A, B, B], outputs: [Y, Z] }], 'test_data_set_0: input_2.pb: the model has 2 inputs'],
    [
      'an input of another shape',
      [{ inputs: [A, f32([4], 1, 2, 3, 4)], outputs: [Y, Z] }],
      'input b: the model takes f32[1,4] instead of f32[4]',
    ],
    [
      'an input that is no tensor',
      [{ inputs: [A, Uint8Array.of(255, 255, 255)], outputs: [Y, Z] }],
      'input_1.pb: not a serialised TensorProto',
    ],
    ['an output that is no tensor', [{ inputs: [A, B], outputs: [Y, Uint8Array.of(7)] }], 'output_1.pb: not a serialised TensorProto'],
    ['no data', [], 'the case has no data'],
  ] as const)('%s', (_, sets, reason) => {
    const result = wrong(sets);
    expect(result.status).toBe('failed');
    expect(result.reason).toContain(reason);
  });

  it('is not hidden by another form, and not by another set of data', () => {
    const sets = PRODUCT.sets.map(({ inputs }) => ({ inputs, outputs: [f32([1, 1], 30)] }));
    expect(run({ model: PRODUCT.model, sets })).toMatchObject({ status: 'failed', form: 'compiled-constants' });
  });

  it('is a file that is no model', () => {
    expect(wrong(good.sets, new TextEncoder().encode('no model'))).toMatchObject({ status: 'failed', form: null });
  });
});

describe('what is not supported', () => {
  it('is told by operator', () => {
    const model: ModelSpec = { ...ADD, nodes: [node('Tan', 'a', 't'), node('Add', 't b', 'y'), node('Relu', 'a', 'z')] };
    expect(run({ model, sets: good.sets })).toMatchObject({
      status: 'unsupported',
      form: null,
      reason: 'operators are not supported: Tan ×1',
      causes: [{ operator: 'Tan' }],
    });
  });

  it('is told of passes and of lowering too, with what the operator is called in the model', () => {
    const model: ModelSpec = {
      nodes: [node('Relu', 'a', 'z'), node('Add', 'i j', 'k')],
      inputs: [value('a', 1, 4), { name: 'i', shape: [1], dataType: 7 }, { name: 'j', shape: [1], dataType: 7 }],
      outputs: [value('z', 1, 4), { name: 'k', shape: [1], dataType: 7 }],
    };
    const one = { dims: [1], data: BigInt64Array.of(1n) };
    const result = run({ model, sets: [{ inputs: [A, one, one], outputs: [Z, { ...one, data: BigInt64Array.of(2n) }] }] });
    expect(result).toMatchObject({ status: 'unsupported', form: null });
    expect(result.causes).toEqual([expect.objectContaining({ operator: 'Add' })]);
  });

  it('is not a model whose quantization stands between float operators, with passes that reduce others', () => {
    const model: ModelSpec = {
      nodes: [node('QuantizeLinear', 'a s z', 'q'), node('DequantizeLinear', 'q s z', 'y')],
      inputs: [value('a', 1, 4)],
      outputs: [value('y', 1, 4)],
      initializers: [
        { ...f32([], 1), name: 's' },
        { name: 'z', dims: [], data: Int8Array.of(0), dataType: 3 },
      ],
    };
    const quantized = { model, sets: [{ inputs: [A], outputs: [A] }] };
    expect(run(quantized, EVALUATED).status).toBe('passed');
    expect(run(quantized, { ...COMPILED, passes: parsePipeline('int8') })).toMatchObject({ status: 'passed', form: 'compiled' });
  });

  it('is an input that is a sequence, or has no elements', () => {
    const sequence: ModelSpec = { ...ADD, inputs: [{ name: 'a', sequence: true }, value('b', 1, 4)] };
    expect(run({ model: sequence, sets: good.sets })).toMatchObject({ status: 'unsupported', reason: 'input a is no tensor' });
    const open: ModelSpec = { nodes: [node('Relu', 'a', 'z')], inputs: [value('a', 'n', 4)], outputs: [value('z', 'n', 4)] };
    const none = f32([0, 4]);
    expect(run({ model: open, sets: [{ inputs: [none], outputs: [none] }] })).toMatchObject({
      status: 'unsupported',
      reason: 'input a has no elements',
    });
  });
});

describe('a crash', () => {
  it('is told, and ends neither the case nor the run', async () => {
    const broken = {
      name: 'broken',
      read: () => {
        throw new RangeError('planted');
      },
    };
    const progress: number[] = [];
    const results = await runCases([broken, caseOf(good, 'good')], { ...COMPILED, onProgress: (done) => progress.push(done) });
    expect(results.map(({ name, status }) => `${name} ${status}`)).toEqual(['broken crashed', 'good passed']);
    expect(results[0]?.reason).toBe('RangeError: planted');
    expect(progress).toEqual([1, 2]);
    const observed = run(good, {
      ...COMPILED,
      onCompiled: () => {
        throw new TypeError('planted');
      },
    });
    expect(observed).toMatchObject({ status: 'crashed', form: 'compiled', reason: 'TypeError: planted' });
  });

  it('is no interruption, which stops between cases', async () => {
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(new Error('stopped'));
    await expect(runCases([caseOf(good), caseOf(good)], { ...COMPILED, onProgress, signal: controller.signal })).rejects.toThrow('stopped');
  });
});

describe('how outputs are judged', () => {
  const near = (...elements: readonly number[]): CaseSpec => ({
    model: ADD,
    sets: [{ inputs: [A, B], outputs: [f32([1, 4], ...elements), Z] }],
  });

  it('element by element within a tolerance', () => {
    const judge = { kind: 'tolerance', relative: 0.01, absolute: 0.5 } as const;
    expect(run(near(11.6, 18, 33, 44), { ...COMPILED, judge }).status).toBe('passed');
    expect(run(near(11.7, 18, 33, 44), { ...COMPILED, judge }).status).toBe('failed');
  });

  it('as a whole by its signal-to-noise ratio', () => {
    // Noise of 1 against 11² + 18² + 33² + 45²: 35.5 dB.
    const judged = (decibels: number): string => run(near(11, 18, 33, 45), { ...COMPILED, judge: { kind: 'sqnr', decibels } }).status;
    expect([judged(35.5), judged(35.6)]).toEqual(['passed', 'failed']);
    const nan = run(near(NaN, 18, 33, 44), { ...COMPILED, judge: { kind: 'sqnr', decibels: -1000 } });
    expect(nan).toMatchObject({ status: 'failed', reason: expect.stringContaining('-Infinity dB') as string });
  });

  it.each(['f16', 'int8', 'fixed16'])('behind %s, calibrated on what the case feeds', (preset) => {
    const options: CaseOptions = { ...COMPILED, passes: parsePipeline(preset), judge: { kind: 'sqnr', decibels: 30 } };
    const model: ModelSpec = {
      nodes: [node('MatMul', 'm w', 'p'), node('Add', 'p b', 'y')],
      inputs: [value('m', 1, 4)],
      outputs: [value('y', 1, 2)],
      initializers: [
        { ...f32([4, 2], 1, 2, 3, 4, 5, 6, 7, 8), name: 'w' },
        { ...f32([2], 0.5, -0.5), name: 'b' },
      ],
    };
    const product = { model, sets: [{ inputs: [A], outputs: [f32([1, 2], 38.5, 43.5)] }] };
    expect(run(product, options)).toMatchObject({ status: 'passed', form: 'compiled' });
    expect(run(product, { ...options, judge: { kind: 'sqnr', decibels: 200 } }).status).toBe(preset === 'int8' ? 'failed' : 'passed');
  });

  it('with a tensor that is serialised in another way', () => {
    const typed = tensorBytes({ ...Y, storage: 'typed' });
    expect(run({ model: ADD, sets: [{ inputs: [A, B], outputs: [typed, Z] }] }).status).toBe('passed');
  });
});
