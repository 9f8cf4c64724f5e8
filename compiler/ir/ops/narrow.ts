/** Ops on floats narrower than f32: operands are widened, which is exact, f32 is computed with, and the result is rounded once. */
import { isNarrow, narrowed, widened } from '../../../runtime/numerics/narrow.ts';
import type { NarrowName } from '../../../runtime/numerics/narrow.ts';
import type { AttributeSpecs, OpRecord } from '../op.ts';
import { op } from '../op.ts';
import type { Tensor } from '../tensor.ts';
import { floats, tensor } from '../tensor.ts';
import { tensorType } from '../types.ts';

/** A tensor of floats in f32; others as they are. */
export function widen(value: Tensor): Tensor {
  const { element, shape } = value.type;
  if (!isNarrow(element)) return value;
  return tensor(tensorType('f32', shape), widened(element, value.data as Uint16Array | Uint8Array));
}

/** An f32 tensor rounded to a narrow type. */
export function narrow(element: NarrowName, value: Tensor): Tensor {
  return tensor(tensorType(element, value.type.shape), narrowed(element, floats(value)));
}

/** A record whose `evaluate` knows f32, made to take narrow floats too. */
export function onFloats<A extends AttributeSpecs>(record: OpRecord<A>): OpRecord<A> {
  return {
    ...record,
    evaluate(inputs, attributes, type) {
      const { element } = type;
      if (!isNarrow(element) && !inputs.some((input) => input && isNarrow(input.type.element)))
        return record.evaluate(inputs, attributes, type);
      const wide = isNarrow(element) ? tensorType('f32', type.shape) : type;
      const result = record.evaluate(
        inputs.map((input) => input && widen(input)),
        attributes,
        wide,
      );
      return isNarrow(element) ? narrow(element, result) : result;
    },
  };
}

/** Declares an op that computes on all floats; `evaluate` need only know f32. */
export function floatOp<const A extends AttributeSpecs>(record: OpRecord<A>): OpRecord {
  return op(onFloats(record));
}
