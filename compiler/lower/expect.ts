/** The value, where the code's own invariants say that there is one. */
export function expectDefined<T>(value: T | undefined, invariant: string): T {
  if (value === undefined) throw new Error(`broken invariant: ${invariant}`);
  return value;
}
