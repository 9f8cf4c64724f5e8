/** What a user may have meant. */
import { closest, distance } from 'fastest-levenshtein';
import { fail } from '../ir/diagnostic.ts';

/** Fails with a usage error: the nearest known name if one is near, else all of them. */
export function failUnknown(code: string, what: string, name: string, known: readonly string[]): never {
  const nearest = known.length > 0 ? closest(name, [...known]) : undefined;
  const near = nearest !== undefined && distance(name.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, Math.floor(name.length / 3));
  return fail('usage', code, `unknown ${what} '${name}'`, { hint: near ? `did you mean ${nearest}?` : `known: ${known.join(', ')}` });
}
