/**
 * THE op table: every tensor operation of the graph IR, declared once. Builder, printer, parser, verifier, evaluator, importer, reference
 * manual and the random graphs of the tests derive from it.
 */
import type { OpRecord, Trait } from './op.ts';
import { ELEMENTWISE } from './ops/elementwise.ts';
import { LINEAR } from './ops/linear.ts';
import { NONLINEAR } from './ops/nonlinear.ts';
import { POOLING } from './ops/pooling.ts';
import { SHAPE } from './ops/shape.ts';
import { SPATIAL } from './ops/spatial.ts';

export const OPS = { ...ELEMENTWISE, ...NONLINEAR, ...LINEAR, ...SPATIAL, ...POOLING, ...SHAPE } as const satisfies Record<
  string,
  OpRecord
>;

export type OpName = keyof typeof OPS;

/** The names of all ops, in the table's order. */
export const OP_NAMES = Object.keys(OPS) as readonly OpName[];

export function isOpName(text: string): text is OpName {
  return Object.hasOwn(OPS, text);
}

/** Whether an op has one of some traits. */
export function hasTrait(name: OpName, ...traits: readonly Trait[]): boolean {
  return opRecord(name).traits.some((trait) => traits.includes(trait));
}

/** The record of an op. */
export function opRecord(name: OpName): OpRecord {
  return OPS[name];
}
