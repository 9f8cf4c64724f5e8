/** The static types of a model's inputs: its dynamic dimensions bound by name, or whole shapes given. */
import { fail } from '../ir/diagnostic.ts';
import type { TensorType } from '../ir/types.ts';
import { tensorType } from '../ir/types.ts';
import type { OnnxDimension, OnnxValue } from './model.ts';
import { suggest } from './names.ts';
import { elementOf } from './tensor.ts';

export interface ShapeOptions {
  /** Values of named dynamic dimensions, `{ batch: 8 }`. */
  readonly dims?: Readonly<Record<string, number>> | undefined;
  /** Shapes of whole inputs by their names, instead of the declared ones: `{ image: [1, 1, 56, 56] }`. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
}

export interface BoundInputs {
  readonly types: ReadonlyMap<string, TensorType>;
  /** The values of the named dimensions. */
  readonly dimensions: ReadonlyMap<string, number>;
  /** Whether a given shape contradicts a declared one, so that other declared shapes no longer hold either. */
  readonly reshaped: boolean;
}

/**
 * Binds the inputs' types. Every dynamic dimension needs a value, except the first one of the inputs when nothing else has its name:
 * it is taken for the batch and is 1.
 */
export function bindInputs(inputs: readonly OnnxValue[], { dims = {}, shapes = {} }: ShapeOptions): BoundInputs {
  const declared = new Map(inputs.map((input) => [input.name, input]));
  const elements = inputs.map(elementOfInput);
  const given = new Map(Object.entries(shapes));
  for (const name of given.keys()) {
    if (declared.has(name)) continue;
    fail('usage', 'onnx/unknown-input', `the model has no input '${name}'`, { hint: suggest(name, [...declared.keys()]) });
  }
  const dimensions = new DimensionValues();
  bindGiven(dims, inputs, dimensions);
  let reshaped = false;
  for (const [name, shape] of given) {
    const of = declared.get(name)?.shape;
    checkShape(name, shape, of);
    reshaped ||= shape.some((d, i) => typeof of?.[i] === 'number' && of[i] !== d);
    shape.forEach((d, i) => dimensions.bind(of?.[i], d, `in the shape of ${name}`));
  }
  const open = inputs.filter((input) => !given.has(input.name));
  const batch = batchDimension(open, inputs, dimensions);
  if (batch !== undefined) dimensions.bind(batch, 1, 'by default');
  const extent = (d: OnnxDimension, axis: number): number | undefined => dimensions.value(d) ?? (axis === 0 && d === batch ? 1 : undefined);
  requireBound(open, extent);
  const types = inputs.map((input, i): [string, TensorType] => {
    const shape = given.get(input.name) ?? (input.shape ?? []).map((d, axis) => extent(d, axis) ?? 1);
    return [input.name, tensorType(elements[i] ?? 'f32', shape)];
  });
  return { types: new Map(types), dimensions: dimensions.named, reshaped };
}

function elementOfInput({ name, dataType }: OnnxValue): TensorType['element'] {
  if (dataType !== undefined) return elementOf(dataType, [`input ${name}`]);
  return fail('unsupported', 'onnx/unsupported-type', `input ${name} is no tensor`);
}

/** Values of dynamic dimensions, each with what gave it. */
class DimensionValues {
  readonly #values = new Map<string, { readonly value: number; readonly by: string }>();

  /** Gives a dimension a value if it has a name; fails when it has another value already. */
  bind(dimension: OnnxDimension | undefined, value: number, by: string): void {
    if (typeof dimension !== 'string' || dimension === '') return;
    const known = this.#values.get(dimension);
    if (known && known.value !== value) {
      const message = `dimension ${dimension} is ${known.value} ${known.by}, but ${value} ${by}`;
      fail('usage', 'onnx/dimension-conflict', message);
    }
    if (!known) this.#values.set(dimension, { value, by });
  }

  value(dimension: OnnxDimension): number | undefined {
    return typeof dimension === 'number' ? dimension : this.#values.get(dimension)?.value;
  }

  get named(): ReadonlyMap<string, number> {
    return new Map([...this.#values].map(([name, { value }]) => [name, value]));
  }
}

function bindGiven(dims: Readonly<Record<string, number>>, inputs: readonly OnnxValue[], dimensions: DimensionValues): void {
  const known = [...new Set(inputs.flatMap((input) => input.shape ?? []).filter((d) => typeof d === 'string' && d !== ''))].map(String);
  for (const [name, value] of Object.entries(dims)) {
    if (!known.includes(name)) {
      fail('usage', 'onnx/unknown-dimension', `no input has a dimension '${name}'`, { hint: suggest(name, known) });
    }
    if (!isExtent(value)) fail('usage', 'onnx/bad-dimension', `dimension ${name} must be a positive integer, not ${value}`);
    dimensions.bind(name, value, 'as given');
  }
}

function checkShape(name: string, shape: readonly number[], declared: readonly OnnxDimension[] | undefined): void {
  const text = shape.join('x');
  if (!shape.every(isExtent)) fail('usage', 'onnx/bad-shape', `shape ${text} of input ${name} must be of positive integers`);
  if (declared && declared.length !== shape.length) {
    const message = `shape ${text} of input ${name} has ${shape.length} dimensions, the model declares ${declared.length}: ${printShape(declared)}`;
    fail('usage', 'onnx/bad-shape', message);
  }
}

function isExtent(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** `batch×3×?×?` */
export function printShape(shape: readonly OnnxDimension[]): string {
  return shape.length === 0 ? 'a scalar' : shape.map((d) => (d === '' ? '?' : d)).join('×');
}

/** The name, '' if it has none, of the one unbound dimension that leads the inputs; undefined when there are several, or it occurs further in. */
function batchDimension(open: readonly OnnxValue[], inputs: readonly OnnxValue[], dimensions: DimensionValues): string | undefined {
  const leading = new Set(open.flatMap(({ shape }) => shape?.slice(0, 1) ?? []).filter((d) => dimensions.value(d) === undefined));
  const [batch, ...others] = leading;
  const inner = inputs.flatMap(({ shape }) => shape?.slice(1) ?? []);
  if (typeof batch !== 'string' || others.length > 0 || (batch !== '' && inner.includes(batch))) return undefined;
  return batch;
}

function requireBound(open: readonly OnnxValue[], extent: (dimension: OnnxDimension, axis: number) => number | undefined): void {
  const unbound: string[] = [];
  let allNamed = true;
  for (const { name, shape } of open) {
    const missing = shape?.filter((d, axis) => extent(d, axis) === undefined);
    if (missing?.length === 0) continue;
    unbound.push(`${name}: ${shape ? printShape(shape) : 'of no declared shape'}`);
    allNamed &&= missing?.every((d) => d !== '') ?? false;
  }
  if (unbound.length === 0) return;
  fail('usage', 'onnx/unbound-dimensions', `dynamic dimensions have no value (${unbound.join(', ')})`, {
    hint: allNamed ? 'bind each with --dim NAME=VALUE' : 'give whole shapes with --shape INPUT=1x3x224x224',
  });
}
