/** Attributes of ops: filling in defaults, checking kinds, comparing, printing. */
import { parseElementType } from '../../runtime/numerics/element.ts';
import type { AttributeValue, Attributes } from './graph.ts';
import { printFloat32 } from './float-text.ts';
import type { AttributeSpec } from './op.ts';
import { OpError } from './op.ts';
import type { OpName } from './ops.ts';
import { opRecord } from './ops.ts';

/** More integers than any attribute needs: shapes and permutations have one for each dimension. */
const MAX_INTS = 64;
/** Characters of a wrong value that a message quotes. */
const MAX_QUOTED = 60;

/**
 * All attributes of an op in the table's order: the given ones checked, the others' defaults. Floats are rounded to binary32.
 * Throws `OpError` for an unknown attribute, a missing one without default, or a value of the wrong kind.
 */
export function completeAttributes(op: OpName, given: Attributes): Attributes {
  const { attributes: specs } = opRecord(op);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(specs, name)) throw new OpError(`${op} has no attribute ${name}${listOf(Object.keys(specs))}`);
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const value = given[name] ?? spec.default;
      if (value === undefined) throw new OpError(`attribute ${name} of ${op} is missing`);
      return [name, checked(name, spec, value)];
    }),
  );
}

function listOf(names: readonly string[]): string {
  return names.length > 0 ? `; it has ${names.join(', ')}` : '';
}

function checked(name: string, spec: AttributeSpec, value: AttributeValue): AttributeValue {
  switch (spec.kind) {
    case 'int':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value + 0;
      break;
    case 'float':
      if (typeof value === 'number' && value === value) return Math.fround(value);
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'ints':
      if (typeof value === 'object' && value.length <= MAX_INTS && value.every((each) => Number.isSafeInteger(each)))
        return value.map((each) => each + 0);
      break;
    case 'enum':
      if (typeof value === 'string' && spec.values.includes(value)) return value;
      break;
    case 'element':
      if (typeof value === 'string' && (value === 'same' || parseElementType(value) !== undefined)) return value;
  }
  throw new OpError(`attribute ${name} must be ${describeKind(spec)}, not ${JSON.stringify(value).slice(0, MAX_QUOTED)}`);
}

/** What an attribute's value may be, in words. */
export function describeKind(spec: AttributeSpec): string {
  switch (spec.kind) {
    case 'int':
      return 'an integer';
    case 'float':
      return 'a number';
    case 'bool':
      return 'true or false';
    case 'ints':
      return 'a list of integers';
    case 'enum':
      return spec.values.join(' or ');
    case 'element':
      return 'an element type or same';
  }
}

/** Whether two attribute values are the same; -0 and 0 differ. */
export function sameAttribute(a: AttributeValue | undefined, b: AttributeValue | undefined): boolean {
  if (typeof a === 'object' && typeof b === 'object') return a.length === b.length && a.every((value, i) => value === b[i]);
  return Object.is(a, b);
}

export function sameAttributes(a: Attributes, b: Attributes): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && sameAttribute(a[name], b[name]));
}

/** `{strides=[2,2], layout=nhwc}` in the table's order, defaults left out; empty when nothing is left. */
export function printAttributes(op: OpName, attributes: Attributes): string {
  const parts = Object.entries(opRecord(op).attributes).flatMap(([name, spec]) => {
    const value = attributes[name];
    if (value === undefined || (spec.default !== undefined && sameAttribute(value, checked(name, spec, spec.default)))) return [];
    return [`${name}=${printAttribute(spec, value)}`];
  });
  return parts.length > 0 ? `{${parts.join(', ')}}` : '';
}

export function printAttribute(spec: AttributeSpec, value: AttributeValue): string {
  if (typeof value === 'object') return `[${value.join(',')}]`;
  return spec.kind === 'float' && typeof value === 'number' ? printFloat32(value) : String(value);
}
