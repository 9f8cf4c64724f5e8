/** Rectification and clamping, alone or fused behind a product. */
import { fractionBits, isFixed } from '../../../runtime/numerics/element.ts';
import { toFixed16 } from '../../../runtime/numerics/fixed.ts';
import { pmax, pmin } from '../../../runtime/numerics/float.ts';
import type { AttributeSpecs } from '../op.ts';
import type { Tensor } from '../tensor.ts';

/** Attributes of ops that end in an activation. */
export const ACTIVATION_ATTRIBUTES = {
  activation: { kind: 'enum', values: ['none', 'relu', 'clip'], default: 'none', doc: 'applied last, as the op of that name' },
  activation_min: { kind: 'float', default: -Infinity, doc: 'lower bound of the activation clip' },
  activation_max: { kind: 'float', default: Infinity, doc: 'upper bound of the activation clip' },
} as const satisfies AttributeSpecs;

export interface Activation {
  readonly activation: 'none' | 'relu' | 'clip';
  readonly activation_min: number;
  readonly activation_max: number;
}

/** Applies the activation in place and makes every NaN the canonical one; values are f32 or fx16. */
export function activate(
  { data, type }: Pick<Tensor, 'data' | 'type'>,
  { activation, activation_min: low, activation_max: high }: Activation,
): void {
  if (data instanceof Float32Array) activateFloats(data, activation, low, high);
  else if (data instanceof Int16Array && isFixed(type.element)) {
    const fraction = fractionBits(type.element);
    if (activation === 'relu') clampFixed(data, 0, 32767);
    else if (activation === 'clip') clampFixed(data, toFixed16(low, fraction), toFixed16(high, fraction));
  } else throw new TypeError(`no activation on ${type.element}`);
}

/**
 * `relu` is pmax(x, 0) and `clip` pmin(pmax(x, low), high) of `runtime/numerics/float.ts`, written out here: these loops run over every result of
 * every product.
 */
function activateFloats(data: Float32Array, activation: Activation['activation'], low: number, high: number): void {
  switch (activation) {
    case 'none':
      for (let i = 0; i < data.length; i++) if (data[i] !== data[i]) data[i] = NaN;
      return;
    case 'relu':
      for (let i = 0; i < data.length; i++) {
        const x = data[i] as number;
        if (x < 0) data[i] = 0;
        else if (x !== x) data[i] = NaN;
      }
      return;
    case 'clip':
      for (let i = 0; i < data.length; i++) {
        const x = data[i] as number;
        const raised = x < low ? low : x;
        data[i] = high < raised ? high : raised === raised ? raised : NaN;
      }
  }
}

function clampFixed(data: Int16Array, low: number, high: number): void {
  for (let i = 0; i < data.length; i++) data[i] = pmin(pmax(data[i] as number, low), high);
}
