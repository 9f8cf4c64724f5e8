/** Rectification and clamping, alone or fused behind a product. */
import { clamp } from '../../../runtime/numerics/requantize.ts';
import type { AttributeSpecs } from '../op.ts';
import type { Tensor } from '../tensor.ts';
import { boundsOf, isInteger } from './integers.ts';

/** Attributes of ops that end in an activation. */
export const ACTIVATION_ATTRIBUTES = {
  activation: { kind: 'enum', values: ['none', 'relu', 'clip'], default: 'none', doc: 'applied last, as the op of that name' },
  activation_min: { kind: 'float', default: -Infinity, doc: 'lower bound of the activation clip' },
  activation_max: { kind: 'float', default: Infinity, doc: 'upper bound of the activation clip' },
} as const satisfies AttributeSpecs;

/** Attributes of ops that may give another element type than they take. */
export const RESULT_ATTRIBUTES = {
  result: { kind: 'element', default: 'same', doc: 'element type of the result' },
} as const satisfies AttributeSpecs;

export interface Activation {
  readonly activation: 'none' | 'relu' | 'clip';
  readonly activation_min: number;
  readonly activation_max: number;
}

export const NO_ACTIVATION: Activation = { activation: 'none', activation_min: -Infinity, activation_max: Infinity };

/** Applies the activation in place and makes every NaN the canonical one; values are f32 or integers. */
export function activate({ data, type }: Pick<Tensor, 'data' | 'type'>, activation: Activation): void {
  if (data instanceof Float32Array) activateFloats(data, activation);
  else if (isInteger(type.element) && (data instanceof Int16Array || data instanceof Int8Array)) {
    if (activation.activation === 'none') return;
    const { low, high } = boundsOf(type.element, activation);
    for (let i = 0; i < data.length; i++) data[i] = clamp(data[i] as number, low, high);
  } else throw new TypeError(`no activation on ${type.element}`);
}

/**
 * `relu` is pmax(x, 0) and `clip` pmin(pmax(x, low), high) of `runtime/numerics/float.ts`, written out here: these loops run over every result of
 * every product.
 */
function activateFloats(data: Float32Array, { activation, activation_min: low, activation_max: high }: Activation): void {
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
