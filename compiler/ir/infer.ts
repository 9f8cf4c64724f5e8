/** Making op nodes: operands counted, attributes completed, the type inferred. */
import { completeAttributes } from './attributes.ts';
import type { Attributes, OpNode } from './graph.ts';
import { OpError } from './op.ts';
import type { OpName } from './ops.ts';
import { opRecord } from './ops.ts';
import type { TensorType } from './types.ts';

/**
 * Result type of an op on operands of these types (absent optional operands undefined) with complete attributes.
 * Throws `OpError` for a wrong number of operands and for whatever the op itself rejects.
 */
export function inferType(op: OpName, operands: readonly (TensorType | undefined)[], attributes: Attributes): TensorType {
  const record = opRecord(op);
  const specs = record.inputs;
  if (operands.length > specs.length && specs.at(-1)?.variadic !== true)
    throw new OpError(`${op} takes at most ${specs.length} operands, not ${operands.length}`);
  for (const [i, { name, optional }] of specs.entries())
    if (!optional && operands[i] === undefined) throw new OpError(`operand ${name} of ${op} is missing`);
  if (operands.some((operand, i) => i >= specs.length && operand === undefined)) throw new OpError(`an operand of ${op} is missing`);
  return record.infer(operands, attributes);
}

export interface OpFields {
  readonly name: string;
  readonly op: OpName;
  /** Operand value names; an optional operand that is absent in the middle is ''. */
  readonly inputs: readonly string[];
  readonly operandTypes: readonly (TensorType | undefined)[];
  readonly attributes?: Attributes;
  readonly origin?: readonly string[];
}

/** An op node with all attributes and its inferred type; absent operands at the end are dropped. Throws `OpError`. */
export function makeOp({ name, op, inputs, operandTypes, attributes: given = {}, origin = [] }: OpFields): OpNode {
  const attributes = completeAttributes(op, given);
  const present = 1 + inputs.findLastIndex((input) => input !== '');
  return {
    kind: 'op',
    name,
    op,
    inputs: inputs.slice(0, present),
    attributes,
    type: inferType(op, operandTypes.slice(0, present), attributes),
    origin,
  };
}
