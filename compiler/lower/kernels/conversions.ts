/** The same numbers in another element type, inside the network; at its ends the host converts. And sums of quantized operands, which are conversions of both. */
import { floatBits } from '../../../runtime/numerics/float.ts';
import type { SumScaling } from '../../../runtime/numerics/requantize.ts';
import { inverseScaleOf } from '../../../runtime/numerics/store.ts';
import type { QuantizedName } from '../../../runtime/numerics/element.ts';
import { fractionBits, isFixed, isQuantized } from '../../../runtime/numerics/element.ts';
import type { Activation } from '../../ir/ops/activation.ts';
import { NO_ACTIVATION } from '../../ir/ops/activation.ts';
import { boundsOf, rescaling, sumScalingOf, tensorScale } from '../../ir/ops/integers.ts';
import { at, slotOf, tileOp } from '../build.ts';
import type { Expr } from '../expr.ts';
import type { Kernel, KernelContext } from '../kernel.ts';
import { local, requireExtensions, unsupportedForm } from '../kernel.ts';
import type { Place, TileOp } from '../tiled.ts';
import { halves } from './ending.ts';
import { commonRows, elementsOf, moveRows, pairs, rowTiles, unary } from './elementwise.ts';

/** The context of what works on the result's element type. */
const asResult = (context: KernelContext): KernelContext => ({
  ...context,
  element: context.resultElement,
  elementBytes: context.resultBytes,
});

/** One vector instruction from operand to result, which differ in width. */
function converted(context: KernelContext, step: (out: Place, input: Place, size: Expr) => TileOp): ReturnType<Kernel> {
  const { elementBytes, resultBytes, result } = context;
  const x = context.operand(0);
  const wider = elementBytes < resultBytes ? asResult(context) : context;
  const tile = rowTiles(wider, commonRows(context, [x, result]), { loads: 1, passes: 1, buffers: 2 });
  const size = tile.size * tile.width;
  const from = local('x', 'vector', size * elementBytes, tile.slots, 'even');
  const to = local('y', 'vector', size * resultBytes, tile.slots, 'odd');
  const [input, out] = [from, to].map((buffer) => at(buffer, 0, slotOf(buffer, tile.over.index))) as [Place, Place];
  return {
    locals: [from, to],
    body: tile.over.loop({
      prefetch: [moveRows(context, 'load', tile, input, x)],
      body: [step(out, input, elementsOf(tile)), moveRows(asResult(context), 'store', tile, out, result)],
    }),
  };
}

export const cast: Kernel = (context) => {
  requireExtensions(context, 'a cast', ['xcvt']);
  const { element, resultElement } = context;
  if (element !== 'f32' && resultElement !== 'f32') return unsupportedForm(context, `a cast from ${element} to ${resultElement}`);
  return converted(context, (out, input, size) => tileOp('VCVT', { element, to: resultElement }, { out, in: input, size }));
};

export const quantize: Kernel = (context) => {
  requireExtensions(context, 'quantization inside the network', ['xquant']);
  const { element } = context.node.type;
  const { inverse, zeroPoint } = isFixed(element)
    ? { inverse: 2 ** fractionBits(element), zeroPoint: 0 }
    : inverseScaleOf(element as QuantizedName);
  const { low, high } = isFixed(element) || isQuantized(element) ? boundsOf(element, NO_ACTIVATION) : { low: 0, high: 0 };
  return converted(context, (out, input, size) =>
    tileOp(
      'VQZ',
      { element: context.resultElement },
      { out, in: input, size, scale: floatBits(inverse) | 0, zero: zeroPoint, bounds: halves(low, high) },
    ),
  );
};

export const dequantize: Kernel = (context) => {
  requireExtensions(context, 'dequantization inside the network', ['xquant']);
  const { element } = context.operand(0).type;
  const { scale, zeroPoint } = isQuantized(element)
    ? tensorScale(element, 'x')
    : { scale: isFixed(element) ? 2 ** -fractionBits(element) : 1, zeroPoint: 0 };
  return converted(context, (out, input, size) =>
    tileOp('VDQ', { element: context.element }, { out, in: input, size, scale: floatBits(scale) | 0, zero: zeroPoint }),
  );
};

/** VQAV over `size` elements. */
function scaledSumOp(
  out: Place,
  a: Place,
  b: Place,
  size: Expr,
  { factorA, factorB, addend, shift }: SumScaling,
  { low, high }: { readonly low: number; readonly high: number },
): TileOp {
  const operands = { out, a, b, size, factors: halves(factorA, factorB), addend, shift, bounds: halves(low, high) };
  return tileOp('VQAV', { element: 'i8' }, operands);
}

export const requantize: Kernel = (context) => {
  requireExtensions(context, 'requantization', ['xquant']);
  const to = context.node.type.element as QuantizedName;
  const scaling = rescaling(context.operand(0).type.element as QuantizedName, to);
  return unary(context, 1, (place, size) => [scaledSumOp(place, place, place, size, scaling, boundsOf(to, NO_ACTIVATION))]);
};

/** An activation on quantized elements: they are clamped. */
export const clampQuantized = (context: KernelContext, activation: Activation): ReturnType<Kernel> => {
  requireExtensions(context, 'an activation', ['xquant']);
  const bounds = boundsOf(context.node.type.element as QuantizedName, activation);
  const unchanged: SumScaling = { factorA: 1, factorB: 0, addend: 0, shift: 0 };
  return unary(context, 1, (place, size) => [scaledSumOp(place, place, place, size, unchanged, bounds)]);
};

/** The sum of two quantized operands of one shape. */
export const addQuantized: Kernel = (context) => {
  requireExtensions(context, 'a sum', ['xquant']);
  const [a, b] = [context.operand(0), context.operand(1)];
  const result = context.node.type.element as QuantizedName;
  const scaling = sumScalingOf(a.type.element as QuantizedName, b.type.element as QuantizedName, result);
  const bounds = boundsOf(result, context.attributes as unknown as Activation);
  return pairs(context, a, b, (out, other, size) => [scaledSumOp(out, out, other, size, scaling, bounds)]);
};
