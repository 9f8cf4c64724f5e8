/** Rules about relu and clip. Both are `pmin(pmax(x, low), high)`, relu with the bounds +0 and infinity. */
import { pmax, pmin } from '../../runtime/numerics/float.ts';
import type { Attributes, OpNode } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { rule } from '../rewrite.ts';
import { hasCanonicalNaN } from './canonical.ts';

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

const RELU: Bounds = { low: 0, high: Infinity };

/** The bounds of a relu or clip node; undefined for any other op. */
export function boundsOf({ op, attributes }: OpNode): Bounds | undefined {
  if (op === 'relu') return RELU;
  return op === 'clip' ? { low: Number(attributes.min), high: Number(attributes.max) } : undefined;
}

/** The bounds of the activation that is fused into a product or sum; undefined when there is none. */
export function fusedBoundsOf({ attributes }: Pick<OpNode, 'attributes'>): Bounds | undefined {
  if (attributes.activation === 'relu') return RELU;
  return attributes.activation === 'clip' ? { low: Number(attributes.activation_min), high: Number(attributes.activation_max) } : undefined;
}

/** The attributes of an op's fused activation, for an op that ends as it does. */
export function activationOf({ attributes }: OpNode): Attributes {
  const bounds = fusedBoundsOf({ attributes });
  return bounds ? fusedClamp(bounds) : {};
}

/** relu exactly: a lower bound of -0 would give -0 for what lies below. */
function isRelu({ low, high }: Bounds): boolean {
  return Object.is(low, 0) && high === Infinity;
}

/** The op and attributes that clamp to the bounds. */
export function clampOp(bounds: Bounds): { readonly op: OpName; readonly attributes: Attributes } {
  return isRelu(bounds) ? { op: 'relu', attributes: {} } : { op: 'clip', attributes: { min: bounds.low, max: bounds.high } };
}

/** The attributes of a product or sum that ends in clamping to the bounds. */
export function fusedClamp(bounds: Bounds): Attributes {
  return isRelu(bounds) ? { activation: 'relu' } : { activation: 'clip', activation_min: bounds.low, activation_max: bounds.high };
}

/**
 * Bounds of one clamp that does what `inner` and then `outer` do, bit for bit. Clamping the inner bounds themselves also gives the right zero
 * where +0 meets -0. Undefined where a lower bound is above its upper one, and where only zero would be left: one clamp lets each zero keep
 * its sign, two may turn both into the same.
 */
export function composed(inner: Bounds, outer: Bounds): Bounds | undefined {
  if (!(inner.low <= inner.high && outer.low <= outer.high)) return undefined;
  const clamp = (x: number): number => pmin(pmax(x, outer.low), outer.high);
  const [low, high] = [clamp(inner.low), clamp(inner.high)];
  return low === 0 && high === 0 ? undefined : { low, high };
}

export const ACTIVATION_RULES = [
  rule('merge-clamps', {
    doc: 'clip(clip(x)), relu(relu(x)) and mixtures → one relu or clip',
    ops: ['relu', 'clip'],
    apply(node, rewriter) {
      const [x = ''] = node.inputs;
      const producer = rewriter.producer(x);
      const inner = producer && boundsOf(producer);
      const outer = boundsOf(node);
      const bounds = inner && outer && composed(inner, outer);
      if (!bounds) return undefined;
      if (Object.is(bounds.low, inner.low) && Object.is(bounds.high, inner.high)) return x;
      const { op, attributes } = clampOp(bounds);
      return rewriter.make(op, [producer.inputs[0] ?? ''], attributes, { computes: [producer] });
    },
  }),
  rule('clip-to-relu', {
    doc: 'clip(x) from +0 to infinity → relu(x)',
    ops: ['clip'],
    apply(node, rewriter) {
      const bounds = boundsOf(node);
      return bounds && isRelu(bounds) ? rewriter.make('relu', node.inputs) : undefined;
    },
  }),
  rule('remove-unbounded-clip', {
    doc: 'clip(x) without bounds → x, where x has no NaN that clip would change',
    ops: ['clip'],
    apply(node, rewriter) {
      const [x = ''] = node.inputs;
      const bounds = boundsOf(node);
      const unbounded = bounds?.low === -Infinity && bounds.high === Infinity;
      return unbounded && hasCanonicalNaN(x, rewriter) ? x : undefined;
    },
  }),
];
