/** Which values can hold a NaN whose bits arithmetic would change. */
import { CANONICAL_NAN_BITS } from '../../runtime/numerics/float.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import type { Rewriter } from '../rewrite.ts';

/** Ops that move elements and keep their bits, NaNs as they are; all others store the canonical NaN only. */
const MOVING: readonly OpName[] = ['identity', 'flatten', 'reshape', 'transpose', 'concat', 'pad'];

/**
 * Whether every NaN of a value is the canonical one, so that an operation without any other effect on it can be left out.
 * Of a graph input that cannot be known: users may feed any bits.
 */
export function hasCanonicalNaN(name: string, rewriter: Rewriter): boolean {
  if (rewriter.type(name).element !== 'f32') return true;
  const constant = rewriter.constant(name);
  if (constant) return !hasOtherNaN(constant);
  const producer = rewriter.producer(name);
  if (!producer) return false;
  return !MOVING.includes(producer.op) || producer.inputs.every((input) => hasCanonicalNaN(input, rewriter));
}

function hasOtherNaN({ data }: Tensor): boolean {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  return bits.some((word) => (word & 0x7fffffff) > 0x7f800000 && word !== CANONICAL_NAN_BITS);
}
