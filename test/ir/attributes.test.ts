import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { completeAttributes, printAttributes } from '../../compiler/ir/attributes.ts';
import { GraphBuilder } from '../../compiler/ir/builder.ts';
import { parseFloat32, printFloat32 } from '../../compiler/ir/float-text.ts';
import type { OpNode } from '../../compiler/ir/graph.ts';
import { MAX_MODEL_NAME, isLegalName, legalName } from '../../compiler/ir/names.ts';
import { OP_NAMES, opRecord } from '../../compiler/ir/ops.ts';
import { parseGraph, printGraph } from '../../compiler/ir/text.ts';
import { tensorType } from '../../compiler/ir/types.ts';
import { floatFromBits } from '../../runtime/numerics/float.ts';
import { randomTensor } from '../support/random-tensor.ts';

describe('attributes', () => {
  test('defaults are filled in, in the order of the table, and left out in print', () => {
    const complete = completeAttributes('conv', { layout: 'nhwc', strides: [2, 1] });
    expect(Object.keys(complete)).toEqual(Object.keys(opRecord('conv').attributes));
    expect(complete).toMatchObject({ strides: [2, 1], pads: [0, 0, 0, 0], groups: 1, activation: 'none', activation_min: -Infinity });
    expect(printAttributes('conv', complete)).toBe('{strides=[2,1], layout=nhwc}');
    expect(printAttributes('batch-norm', completeAttributes('batch-norm', {}))).toBe('');
    expect(printAttributes('gemm', completeAttributes('gemm', { trans_a: true, alpha: 0.1, activation: 'clip', activation_min: -0 }))).toBe(
      '{alpha=0.1, trans_a=true, activation=clip, activation_min=-0}',
    );
  });

  test('floats are rounded to binary32', () => {
    expect(completeAttributes('batch-norm', {}).epsilon).toBe(Math.fround(1e-5));
    expect(completeAttributes('clip', { max: 0.1 }).max).toBe(Math.fround(0.1));
  });

  test('unknown, missing and wrong ones are refused', () => {
    expect(() => completeAttributes('relu', { x: 1 })).toThrow('relu has no attribute x');
    expect(() => completeAttributes('clip', { low: 1 })).toThrow('clip has no attribute low; it has min, max');
    expect(() => completeAttributes('transpose', {})).toThrow('attribute perm of transpose is missing');
    expect(() => completeAttributes('flatten', { axis: 1.5 })).toThrow('attribute axis must be an integer, not 1.5');
    expect(() => completeAttributes('transpose', { perm: 1 })).toThrow('must be a list of integers');
    expect(() => completeAttributes('transpose', { perm: [0, 0.5] })).toThrow('must be a list of integers');
    expect(() => completeAttributes('gemm', { trans_a: 1 })).toThrow('must be true or false');
    expect(() => completeAttributes('gemm', { activation: 'toString' })).toThrow('must be none or relu or clip');
    expect(() => completeAttributes('gemm', { alpha: '1' })).toThrow('must be a number');
  });

  test('every default is valid, and the attributes of every op are documented', () => {
    for (const op of OP_NAMES)
      for (const [name, spec] of Object.entries(opRecord(op).attributes)) {
        expect(spec.doc, `${op} ${name}`).not.toBe('');
        if (spec.default === undefined) continue;
        const required = Object.fromEntries(
          Object.entries(opRecord(op).attributes).flatMap(([key, each]) =>
            each.default === undefined ? [[key, each.kind === 'int' ? 1 : each.kind === 'element' ? 'f32' : [1, 1]]] : [],
          ),
        );
        expect(completeAttributes(op, { ...required, [name]: spec.default })[name]).toEqual(
          spec.kind === 'float' ? Math.fround(spec.default) : spec.default,
        );
      }
  });
});

describe('binary32 text', () => {
  test.each([
    [0.1, '0.1'],
    [Math.fround(0.1), '0.1'],
    [-0, '-0'],
    [0, '0'],
    [16777216, '16777216'],
    [Math.fround(1e-5), '0.00001'],
    [2 ** -149, '1e-45'],
    [Math.fround(3.4028234663852886e38), '3.4028235e+38'],
    [-Infinity, '-inf'],
    [NaN, 'nan'],
  ])('%d is %s', (x, text) => {
    expect(printFloat32(Math.fround(x))).toBe(text);
    expect(parseFloat32(text)).toBe(Math.fround(x));
  });

  test('every number survives', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (bits) => {
        const x = floatFromBits(bits);
        expect(parseFloat32(printFloat32(x))).toBe(x);
      }),
      { numRuns: 5000 },
    );
  });

  test('other texts are no numbers', () => {
    for (const text of ['', 'NaN', 'Infinity', '0x10', '1.', '.5', '1e', '+1', '1 ', 'constructor'])
      expect(parseFloat32(text), text).toBeUndefined();
  });
});

describe('builder', () => {
  test('names are made legal and unique, deterministically', () => {
    const builder = new GraphBuilder('my net');
    const type = tensorType('f32', [1]);
    const value = (name: string): string => builder.op('relu', ['x'], {}, { name });
    expect(builder.input('x', type)).toBe('x');
    expect(value('/conv1/Conv')).toBe('conv1/Conv');
    expect(value('conv1/Conv')).toBe('conv1/Conv.1');
    expect(value('/conv1/Conv')).toBe('conv1/Conv.2');
    expect(value('input:0')).toBe('input_0');
    expect(value('224')).toBe('_224');
    expect(value('größe')).toBe('gr__e');
    expect(value('')).toBe('_');
    expect(value('n'.repeat(5000)).length).toBeLessThanOrEqual(MAX_MODEL_NAME);
    expect(builder.op('relu', ['_224'])).toBe('relu');
    expect(builder.op('relu', ['relu'])).toBe('relu.1');
    expect(builder.build().name).toBe('my_net');
  });

  test('inputs keep the names of the model, which stand in the text in quotes', () => {
    const names = ['serving_default_x:0', 'größe', '224', 'a "b"\n%c', '\u202egnp', 'x'];
    const builder = new GraphBuilder('net');
    for (const [i, name] of names.entries()) {
      expect(builder.input(name, tensorType('f32', [1]))).toBe(name);
      builder.output(`out ${i}`, builder.op('relu', [name], {}, { name: `y${i}` }));
    }
    const graph = builder.build();
    const { text } = printGraph(graph);
    expect(text).toContain('  %"serving_default_x:0": f32[1] = input\n');
    expect(text).toContain('  %y0: f32[1] = relu(%"serving_default_x:0")\n');
    expect(text).toContain('%"\\u202egnp"');
    expect(text).not.toContain('\u202e');
    expect(parseGraph(text, { file: 'net' })).toEqual(graph);
  });

  test('any hint becomes a legal name, and a legal one stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (hint) => {
        expect(isLegalName(legalName(hint))).toBe(true);
        expect(legalName(legalName(hint))).toBe(legalName(hint));
      }),
    );
  });

  test('nodes have complete attributes, inferred types, origins, and no absent operands at the end', () => {
    const builder = new GraphBuilder('g');
    const x = builder.input('x', tensorType('f32', [1, 1, 4, 4]));
    const w = builder.constant('w', randomTensor(tensorType('f32', [2, 1, 3, 3]), 1));
    const y = builder.op('conv', [x, w, ''], { pads: [1, 1, 1, 1] }, { name: 'y', origin: ['/conv'] });
    builder.output('out', y);
    const node = builder.build().node(y) as OpNode;
    expect(node.inputs).toEqual(['x', 'w']);
    expect(node.type).toEqual(tensorType('f32', [1, 2, 4, 4]));
    expect(node.attributes).toMatchObject({ pads: [1, 1, 1, 1], strides: [1, 1] });
    expect(node.origin).toEqual(['/conv']);
  });

  test('a misfit is a diagnostic placed at the value, and leaves the builder as it was', () => {
    const builder = new GraphBuilder('g');
    const x = builder.input('x', tensorType('f32', [2]));
    expect(() => builder.op('dequantize', [x], {}, { name: 'y' })).toThrow('%y: operand x must be fx16 or quantized, not f32');
    expect(builder.op('relu', [x], {}, { name: 'y' })).toBe('y');
    expect(() => builder.op('relu', ['z'])).toThrow('no value %z has been built');
  });
});
