/** Activations, as the instructions take them. */
import type { ExprLike } from '../expr.ts';
import { tileOp } from '../build.ts';
import type { KernelContext } from '../kernel.ts';
import { unsupportedForm } from '../kernel.ts';
import type { Place, TileOp } from '../tiled.ts';

export type ActivationName = 'none' | 'relu' | 'clip';

/** The activation attributes of conv, gemm and add, or what relu and clip say. */
export interface Activation {
  readonly name: ActivationName;
  readonly low: number;
  readonly high: number;
}

export const NO_ACTIVATION: Activation = { name: 'none', low: -Infinity, high: Infinity };

export const ACTIVATION_CODES: Readonly<Record<ActivationName, number>> = { none: 0, relu: 1, clip: 2 };

export function activationOf(context: KernelContext): Activation {
  const { activation = 'none', activation_min: low, activation_max: high } = context.attributes;
  if (activation !== 'none' && activation !== 'relu' && activation !== 'clip')
    return unsupportedForm(context, `activation ${String(activation)}`);
  return { name: activation, low: Number(low), high: Number(high) };
}

/** The activation on `size` elements in place; no op where there is none. */
export function activated(context: KernelContext, place: Place, size: ExprLike, activation: Activation): readonly TileOp[] {
  return activation.name === 'none' ? [] : [convert(context, place, place, size, activation)];
}

/** VCVT over `size` elements of one type, in place where `out` is `input`. Floats are clipped in f32. */
export function convert(context: KernelContext, out: Place, input: Place, size: ExprLike, { name, low, high }: Activation): TileOp {
  return tileOp(
    'VCVT',
    { element: context.element, modifiers: { activation: ACTIVATION_CODES[name] } },
    { out, in: input, size, ...(name === 'clip' && { low: context.bits(low), high: context.bits(high) }) },
  );
}
