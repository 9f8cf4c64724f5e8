/** Ops that move elements or give them another shape; they keep every bit, on any element type. */
import { OpError, op } from '../op.ts';
import { elementCount, printType, tensorType } from '../types.ts';
import { noMacs, operand, unchangedMagnitude } from './operands.ts';
import { permute, permuteTerms } from './strided.ts';

export const SHAPE = {
  flatten: op({
    doc: 'A matrix with the same elements: the dimensions before `axis` become the rows, the others the columns.',
    inputs: [{ name: 'x' }],
    attributes: { axis: { kind: 'int', default: 1, doc: 'first dimension of the columns; negative counts from the end' } },
    traits: ['view'],
    onnx: { op: 'Flatten', since: 1 },
    infer(inputs, { axis }) {
      const x = operand(inputs, 0, 'x');
      const rank = x.shape.length;
      if (axis < -rank || axis > rank) throw new OpError(`attribute axis must be ${-rank} to ${rank} for ${printType(x)}, not ${axis}`);
      return tensorType(x.element, [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis))]);
    },
    evaluate: (inputs, _attributes, type) => ({ type, data: operand(inputs, 0, 'x').data }),
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  reshape: op({
    doc: 'The same elements in row-major order under another shape.',
    inputs: [{ name: 'x' }],
    attributes: { shape: { kind: 'ints', doc: 'the new shape, every dimension given' } },
    traits: ['view'],
    onnx: { op: 'Reshape', since: 5 },
    infer(inputs, { shape }) {
      const x = operand(inputs, 0, 'x');
      if (shape.some((d) => d < 0)) throw new OpError(`attribute shape must have no negative dimension, not [${shape.join(',')}]`);
      if (elementCount(shape) !== elementCount(x.shape))
        throw new OpError(`${printType(x)} does not have the elements of a shape [${shape.join(',')}]`);
      return tensorType(x.element, shape);
    },
    evaluate: (inputs, _attributes, type) => ({ type, data: operand(inputs, 0, 'x').data }),
    macs: noMacs,
    magnitude: unchangedMagnitude,
  }),
  transpose: op({
    doc: 'Dimensions in another order: dimension i of the result is dimension `perm[i]` of x.',
    inputs: [{ name: 'x' }],
    attributes: { perm: { kind: 'ints', doc: 'a permutation of the dimensions' } },
    traits: [],
    onnx: { op: 'Transpose', since: 1 },
    infer(inputs, { perm }) {
      const x = operand(inputs, 0, 'x');
      const wanted = x.shape.map((_, i) => i);
      if (perm.length !== wanted.length || wanted.some((d) => !perm.includes(d)))
        throw new OpError(`attribute perm must be a permutation of the ${wanted.length} dimensions of x, not [${perm.join(',')}]`);
      return tensorType(
        x.element,
        perm.map((d) => x.shape[d] ?? 1),
      );
    },
    evaluate: (inputs, { perm }) => permute(operand(inputs, 0, 'x'), perm),
    macs: noMacs,
    magnitude(inputs, types, { perm }) {
      const { terms, count } = operand(inputs, 0, 'x');
      return { terms: permuteTerms(terms, operand(types, 0, 'x').shape, perm), count };
    },
  }),
};
