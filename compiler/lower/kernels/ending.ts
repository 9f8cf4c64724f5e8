/**
 * How rows of accumulators become elements of the result: bias, activation, rounding to the type. Products of the published datapath are rounded when they
 * are written; all others end here, by one instruction a row that adds what stands ready for each channel.
 */
import type { ElementCode } from '../../../isa/fields.ts';
import { ELEMENT_CODES, TYPES } from '../../../isa/fields.ts';
import { floatBits } from '../../../runtime/numerics/float.ts';
import type { Activation as OpActivation } from '../../ir/ops/activation.ts';
import type { SumEnd } from '../../ir/ops/integers.ts';
import { centred, endOfSums, isInteger } from '../../ir/ops/integers.ts';
import type { Tensor, TensorData } from '../../ir/tensor.ts';
import { allocate } from '../../ir/tensor.ts';
import type { ExprLike } from '../expr.ts';
import { expr, scale } from '../expr.ts';
import { at, repeated, tileOp } from '../build.ts';
import type { KernelContext } from '../kernel.ts';
import { requireExtensions, unsupportedForm } from '../kernel.ts';
import type { Buffer, Place, TileOp } from '../tiled.ts';
import { ACTIVATION_CODES, activated, activationOf } from './activation.ts';

/** What can be said of an ending before channels are cut into tiles. */
export interface EndingForm {
  readonly accumulator: ElementCode;
  readonly accumulatorBytes: number;
  /** Whether the result is written over the accumulators; else it has a tile of its own. */
  readonly inPlace: boolean;
  /** Bytes that each channel needs beside its accumulators: bias, multiplier. */
  readonly parameterBytes: number;
}

export interface Ending extends EndingForm {
  /** Puts the parameters of a tile of channels into a scratchpad; nothing where there are none. */
  load(into: Place, tile: ExprLike): readonly TileOp[];
  /** Ends `rows` dense rows of one tile's channels; `out` are the accumulators themselves where it works in place. */
  finish(sums: Place, out: Place, rows: ExprLike, parameters: Place): readonly TileOp[];
}

const isPublished = ({ element }: KernelContext): boolean => element === 'fx16';
const isFloat = ({ element }: KernelContext): boolean => (TYPES.floats as readonly ElementCode[]).includes(element);

export function endingForm(context: KernelContext): EndingForm {
  const { element, resultElement } = context;
  const { accumulator } = ELEMENT_CODES[element];
  const accumulatorBytes = ELEMENT_CODES[accumulator].bytes;
  const hasBias = context.typeOf(2) !== undefined;
  if (isPublished(context)) return { accumulator, accumulatorBytes, inPlace: true, parameterBytes: hasBias ? accumulatorBytes : 0 };
  requireExtensions(context, `a product of ${element}`, ['xcvt', 'xrep', ...(isFloat(context) ? [] : (['xquant'] as const))]);
  const inPlace = ELEMENT_CODES[resultElement].bytes === accumulatorBytes;
  const parameterBytes = isFloat(context) ? (hasBias || !inPlace || activationOf(context).name !== 'none' ? 4 : 0) : 8;
  return { accumulator, accumulatorBytes, inPlace, parameterBytes };
}

/** The ending of a product with constant `weights`, whose last dimension are the channels, cut into tiles of `columns`. */
export function productEnding(context: KernelContext, form: EndingForm, columns: number, weights: Tensor): Ending {
  const channels = weights.type.shape.at(-1) ?? 1;
  const bias = biasOf(context, channels);
  if (isFloat(context) || isPublished(context)) return realEnding(context, form, columns, channels, bias);
  const x = context.operand(0).type.element;
  const w = weights.type.element;
  if (!isInteger(x) || !isInteger(w)) return unsupportedForm(context, `a product of ${x} and ${w}`);
  const end = endOfSums(x, w, context.node.type.element, channels, context.attributes as unknown as OpActivation);
  return integerEnding(context, form, columns, end, withoutZeroPoint(context, weights, channels, bias));
}

/** The bias as numbers, one for each channel; undefined where the op has none. */
function biasOf(context: KernelContext, channels: number): readonly number[] | undefined {
  if (!context.typeOf(2)) return undefined;
  const bias = context.constantOf(2);
  if (!bias) return unsupportedForm(context, 'a bias that is not constant');
  const { data, type } = bias;
  if (data.length !== channels && data.length !== 1) return unsupportedForm(context, `a bias of shape [${type.shape.join(',')}]`);
  return Array.from({ length: channels }, (_, c) => Number(data[data.length === 1 ? 0 : c]));
}

/** Products are of the integers as they are: what the zero point of the operand adds to every sum is taken off with the bias. */
function withoutZeroPoint(
  context: KernelContext,
  weights: Tensor,
  channels: number,
  bias: readonly number[] | undefined,
): readonly number[] {
  const zero = zeroPointOf(context);
  const sums = new Float64Array(channels);
  if (zero !== 0) centred(weights).forEach((w, i) => (sums[i % channels] = (sums[i % channels] ?? 0) + w));
  return Array.from(sums, (sum, c) => (bias?.[c] ?? 0) - zero * sum);
}

/** The integer that stands for zero in the first operand; 0 for all but quantized ones. */
export function zeroPointOf(context: KernelContext): number {
  return context.encode(0, context.operand(0).type.element);
}

/** Floats, and the published datapath. */
function realEnding(
  context: KernelContext,
  form: EndingForm,
  columns: number,
  channels: number,
  bias: readonly number[] | undefined,
): Ending {
  const { element, resultElement } = context;
  const published = isPublished(context);
  const activation = activationOf(context);
  const packed = allocate(published ? (context.constantOf(2)?.type.element ?? context.node.type.element) : 'f32', tiled(channels, columns));
  bias?.forEach((value, c) => (packed[c] = value));
  const parameters = form.parameterBytes === 0 ? undefined : context.addConstant('bias', packed);
  return {
    ...form,
    load: loader(parameters, columns * form.parameterBytes, (into, base) =>
      tileOp('VLOAD', { element: published ? element : 'f32' }, { local: into, base, size: columns }),
    ),
    finish: (sums, out, rows, parameter) => {
      if (published)
        return [
          ...addRow(context, sums, rows, columns, bias && parameter),
          ...activated(context, sums, scale(expr(rows), columns), activation),
        ];
      if (!parameters) return [];
      const { name, low, high } = activation;
      return [
        repeated(
          'VFIN',
          { element, modifiers: { to: resultElement === element ? 0 : 1, activation: ACTIVATION_CODES[name] } },
          {
            out,
            size: columns,
            in: sums,
            bias: parameter,
            ...(name === 'clip' && { low: floatBits(low) | 0, high: floatBits(high) | 0 }),
          },
          { count: rows, strides: {} },
        ),
      ];
    },
  };
}

/** A row added to `rows` dense rows of accumulators, in place. */
function addRow(context: KernelContext, sums: Place, rows: ExprLike, columns: number, row: Place | undefined): readonly TileOp[] {
  if (!row) return [];
  const stride = columns * context.elementBytes;
  const strides = { ostride: stride, astride: stride, bstride: 0 };
  return [repeated('VAV', { element: context.element }, { out: sums, a: sums, b: row, size: columns }, { count: rows, strides })];
}

/** Integers: sums with `addends`, one for each channel, requantized. */
export function integerEnding(context: KernelContext, form: EndingForm, columns: number, end: SumEnd, addends: readonly number[]): Ending {
  const { element } = context;
  const packed = packParameters(end, addends, columns);
  const parameters = context.addConstant('parameters', packed);
  const isWide = packed instanceof BigInt64Array;
  const toFloat = end.kind === 'scales' || end.kind === 'fraction';
  const shift = end.kind === 'scales' ? 0 : end.shift;
  const zero = end.kind === 'scaled' ? end.zeroPoint : 0;
  const bounds = toFloat ? {} : { bounds: halves(end.low, end.high) };
  return {
    ...form,
    load: loader(parameters, columns * form.parameterBytes, (into, base) =>
      tileOp('VLOAD', { element: isWide ? 'i64' : 'i32' }, { local: into, base, size: isWide ? columns : 2 * columns }),
    ),
    finish: (sums, out, rows, params) => [
      repeated(
        'VRQ',
        { element, modifiers: { to: toFloat ? 1 : 0 } },
        { out, size: columns, in: sums, params, control: (shift & 255) | ((zero & 255) << 8), ...bounds },
        { count: rows, strides: {} },
      ),
    ],
  };
}

/** Two signed 16-bit numbers in a register. */
export function halves(low: number, high: number): number {
  return (low & 0xffff) | (high << 16);
}

/** For each tile of channels its addends, then what they are multiplied with; fixed point has no multipliers. */
function packParameters(end: SumEnd, addends: readonly number[], columns: number): TensorData {
  const size = tiled(addends.length, columns);
  if (end.kind === 'shifted' || end.kind === 'fraction') return BigInt64Array.from({ length: size }, (_, c) => BigInt(addends[c] ?? 0));
  const packed = new Int32Array(2 * size);
  const factors = end.kind === 'scaled' ? end.multipliers : new Int32Array(end.scales.buffer, end.scales.byteOffset, end.scales.length);
  addends.forEach((addend, c) => {
    const at = 2 * columns * Math.floor(c / columns) + (c % columns);
    packed[at] = addend;
    packed[at + columns] = factors[c] ?? 0;
  });
  return packed;
}

function loader(parameters: Buffer | undefined, tileBytes: number, load: (into: Place, base: Place) => TileOp): Ending['load'] {
  return (into, tile) => (parameters ? [load(into, at(parameters, scale(expr(tile), tileBytes)))] : []);
}

const tiled = (channels: number, columns: number): number => Math.ceil(channels / columns) * columns;
