import { describe, expect, test } from 'vitest';
import type { ImportOptions } from '../../compiler/frontend/import.ts';
import { printType } from '../../compiler/ir/types.ts';
import { diagnosticOf, importSpec } from '../support/frontend.ts';
import type { ValueSpec } from '../support/onnx-builder.ts';
import { node } from '../support/onnx-builder.ts';

/** Types of the inputs of a model that computes nothing from inputs of these shapes. */
function inputs(shapes: Readonly<Record<string, ValueSpec['shape']>>, options: ImportOptions = {}): string {
  const values = Object.entries(shapes).map(([name, shape]) => ({ name, ...(shape && { shape }) }));
  const nodes = values.map(({ name }) => node('Relu', name, `${name}.y`));
  const outputs = values.map(({ name }) => ({ name: `${name}.y` }));
  const graph = importSpec({ nodes, inputs: values, outputs }, options);
  return graph.inputs.map(({ name, type }) => `${name}: ${printType(type)}`).join(' ');
}

describe('dynamic dimensions', () => {
  test.each<[string, Parameters<typeof inputs>[0], ImportOptions, string]>([
    ['a named first one is 1', { x: ['batch', 3] }, {}, 'x: f32[1,3]'],
    ['an unnamed first one is 1', { x: ['', 3] }, {}, 'x: f32[1,3]'],
    ['a negative one counts as unnamed', { x: [-1, 3] }, {}, 'x: f32[1,3]'],
    ['several inputs share the first one', { x: ['n', 3], y: ['n'] }, {}, 'x: f32[1,3] y: f32[1]'],
    ['bound by name', { x: ['batch', 3] }, { dims: { batch: 8 } }, 'x: f32[8,3]'],
    ['bound wherever they occur', { x: ['n', 'h', 'h'] }, { dims: { n: 2, h: 5 } }, 'x: f32[2,5,5]'],
    ['the first one defaults beside others that are bound', { x: ['n', 'h'] }, { dims: { h: 5 } }, 'x: f32[1,5]'],
    ['a shape gives all', { x: ['n', '', ''] }, { shapes: { x: [2, 5, 7] } }, 'x: f32[2,5,7]'],
    ['a shape replaces fixed ones', { x: [1, 28, 28] }, { shapes: { x: [1, 56, 56] } }, 'x: f32[1,56,56]'],
    ['a shape where none is declared', { x: undefined }, { shapes: { x: [4] } }, 'x: f32[4]'],
    ['a shape binds names for other inputs', { x: ['n', 3], y: ['n'] }, { shapes: { x: [6, 3] } }, 'x: f32[6,3] y: f32[6]'],
    ['an empty one stays', { x: [0, 3] }, {}, 'x: f32[0,3]'],
    ['a scalar', { x: [] }, {}, 'x: f32[]'],
  ])('%s', (_, shapes, options, types) => {
    expect(inputs(shapes, options)).toBe(types);
  });

  test.each<[string, Parameters<typeof inputs>[0], ImportOptions, string]>([
    [
      'an inner one is unbound',
      { x: ['n', 3, 'h', 'w'] },
      {},
      'usage onnx/unbound-dimensions: m: dynamic dimensions have no value (x: n×3×h×w) (bind each with --dim NAME=VALUE)',
    ],
    [
      'the first one occurs further in',
      { x: ['n', 'n'] },
      {},
      'usage onnx/unbound-dimensions: m: dynamic dimensions have no value (x: n×n) (bind each with --dim NAME=VALUE)',
    ],
    [
      'inputs start differently',
      { x: ['n', 3], y: ['m'], z: [4] },
      {},
      'usage onnx/unbound-dimensions: m: dynamic dimensions have no value (x: n×3, y: m) (bind each with --dim NAME=VALUE)',
    ],
    [
      'one without a name',
      { x: ['n', '', 3] },
      {},
      'usage onnx/unbound-dimensions: m: dynamic dimensions have no value (x: n×?×3) (give whole shapes with --shape INPUT=1x3x224x224)',
    ],
    [
      'no shape is declared',
      { x: undefined },
      {},
      'usage onnx/unbound-dimensions: m: dynamic dimensions have no value (x: of no declared shape) (give whole shapes with --shape INPUT=1x3x224x224)',
    ],
    [
      'no dimension has the name',
      { x: ['batch', 3] },
      { dims: { bach: 1 } },
      "usage onnx/unknown-dimension: m: no input has a dimension 'bach' (did you mean 'batch'?)",
    ],
    ['a value is none', { x: ['n'] }, { dims: { n: 0 } }, 'usage onnx/bad-dimension: m: dimension n must be a positive integer, not 0'],
    [
      'no input has the name',
      { image: ['n'] },
      { shapes: { data: [1] } },
      "usage onnx/unknown-input: m: the model has no input 'data' (there is image)",
    ],
    [
      'the rank differs',
      { x: ['n', 3] },
      { shapes: { x: [1, 3, 3] } },
      'usage onnx/bad-shape: m: shape 1x3x3 of input x has 3 dimensions, the model declares 2: n×3',
    ],
    [
      'a shape is none',
      { x: ['n'] },
      { shapes: { x: [1.5] } },
      'usage onnx/bad-shape: m: shape 1.5 of input x must be of positive integers',
    ],
    [
      'two values for one name',
      { x: ['n', 3] },
      { dims: { n: 2 }, shapes: { x: [4, 3] } },
      'usage onnx/dimension-conflict: m: dimension n is 2 as given, but 4 in the shape of x',
    ],
    ['larger than the address space', { x: [65536, 65536] }, {}, 'invalid ir/type: m: %x: [65536,65536] is larger than the address space'],
  ])('an error: %s', (_, shapes, options, message) => {
    expect(diagnosticOf(() => inputs(shapes, { ...options, file: 'm' })).split('\n')[0]).toBe(message);
  });
});

describe('declared outputs', () => {
  const flatten = (output: ValueSpec, options: ImportOptions = {}): unknown =>
    importSpec({ nodes: [node('Flatten', 'x', 'y')], inputs: [{ name: 'x', shape: ['n', 2, 3] }], outputs: [output] }, options);

  test('agree, as far as they are declared', () => {
    for (const shape of [['n', 6], ['n', 'm'], ['', 6], [1, 6], undefined]) {
      expect(diagnosticOf(() => flatten({ name: 'y', ...(shape && { shape }) }))).toBe('no error');
    }
  });

  test('may differ after an input has been given another shape', () => {
    expect(diagnosticOf(() => flatten({ name: 'y', shape: ['n', 6] }, { shapes: { x: [1, 2, 5] } }))).toBe('no error');
  });

  test.each<[string, ValueSpec, ImportOptions, string]>([
    ['a dimension', { name: 'y', shape: ['n', 5] }, {}, 'n×5'],
    ['the rank', { name: 'y', shape: ['n', 3, 2] }, {}, 'n×3×2'],
    ['a named dimension', { name: 'y', shape: [4, 6] }, {}, '4×6'],
    ['a scalar', { name: 'y', shape: [] }, {}, 'a scalar'],
    ['the element type', { name: 'y', dataType: 7 }, {}, 'i64'],
  ])('conflict in %s', (_, output, options, declared) => {
    expect(diagnosticOf(() => flatten(output, options))).toBe(
      `invalid onnx/output-type: output y is declared ${declared}, but is computed as f32[1,6]`,
    );
  });

  test('a named dimension that the batch contradicts', () => {
    const transposed = {
      nodes: [node('Transpose', 'x', 'y')],
      inputs: [{ name: 'x', shape: ['n', 6] }],
      outputs: [{ name: 'y', shape: ['n', 6] }],
    };
    expect(diagnosticOf(() => importSpec(transposed, { dims: { n: 2 } }))).toBe(
      'invalid onnx/output-type: output y is declared n×6, but is computed as f32[6,2]',
    );
  });
});
