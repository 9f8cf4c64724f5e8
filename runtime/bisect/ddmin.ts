/**
 * Finding what is to blame among many things. A test says of some of them whether together they are `bad` (the failure shows), `good`, or that it cannot be told (`skip`).
 * Tests are expensive, so the same question is never asked twice.
 */

export type Verdict = 'good' | 'bad' | 'skip';

/**
 * Delta debugging (Zeller and Hildebrandt 2002, ddmin): a subset of `items`, in their order, that is bad, and is so no more without any one of its items.
 * All items together are known to be bad, and none of them to be good. One culprit among n items is found in at most 2·log2 n tests.
 */
export async function ddmin<T>(items: readonly T[], test: (subset: readonly T[]) => Promise<Verdict>): Promise<readonly T[]> {
  const known = new Map<string, Verdict>();
  const isBad = async (indices: readonly number[]): Promise<boolean> => {
    const key = indices.join();
    const verdict = known.get(key) ?? (await test(indices.flatMap((i) => items.slice(i, i + 1))));
    known.set(key, verdict);
    return verdict === 'bad';
  };

  let current = items.map((_, i) => i);
  for (let parts = 2; current.length > 1;) {
    const chunks = split(current, parts);
    const complements = parts === 2 ? [] : chunks.map((chunk) => without(current, chunk));
    const chunk = await firstOf(chunks, isBad);
    const complement = chunk ? undefined : await firstOf(complements, isBad);
    if (chunk) [current, parts] = [chunk, 2];
    else if (complement) [current, parts] = [complement, Math.max(2, parts - 1)];
    else if (parts < current.length) parts = Math.min(current.length, 2 * parts);
    else break;
  }
  return current.flatMap((i) => items.slice(i, i + 1));
}

async function firstOf<T>(candidates: readonly T[], holds: (candidate: T) => Promise<boolean>): Promise<T | undefined> {
  for (const candidate of candidates) if (await holds(candidate)) return candidate;
  return undefined;
}

/** `parts` parts of a list, as even as can be. */
function split(list: readonly number[], parts: number): number[][] {
  const at = (part: number): number => Math.floor((part * list.length) / parts);
  return Array.from({ length: parts }, (_, part) => list.slice(at(part), at(part + 1)));
}

function without(list: readonly number[], chunk: readonly number[]): number[] {
  const dropped = new Set(chunk);
  return list.filter((each) => !dropped.has(each));
}

/** The first so many things are `bad` where one less, or what could be told of less, is `good`. */
export interface Border {
  readonly good: number;
  /** One more than `good`, unless all between were skipped. */
  readonly bad: number;
}

/**
 * Binary search for the first bad one among 0..`count`: `count` is known to be bad, and 0 is taken to be good without a test.
 * Takes at most ⌈log2 count⌉ tests, and ⌊log2 count⌋ where it ends at 1, if none is skipped. Where one is, its neighbours are asked.
 */
export async function firstBad(count: number, test: (n: number) => Promise<Verdict>): Promise<Border> {
  const skipped = new Set<number>();
  let [good, bad] = [0, count];
  for (;;) {
    const n = nearestTo(Math.floor((good + bad) / 2), good, bad, skipped);
    if (n === undefined) return { good, bad };
    const verdict = await test(n);
    if (verdict === 'good') good = n;
    else if (verdict === 'bad') bad = n;
    else skipped.add(n);
  }
}

/** The number between two others, both excluded, that is nearest to `middle` and not skipped. */
function nearestTo(middle: number, low: number, high: number, skipped: ReadonlySet<number>): number | undefined {
  for (let distance = 0; distance < high - low; distance++)
    for (const n of [middle - distance, middle + distance]) if (n > low && n < high && !skipped.has(n)) return n;
  return undefined;
}

export interface Blame {
  /** Places in the list of what is to blame together, ascending. */
  readonly culprits: readonly number[];
  /** Whether the first culprit that was found is bad by itself. */
  readonly alone: boolean;
}

export interface Suspects {
  readonly count: number;
  /** The first `n` of them. */
  readonly testFirst: (n: number) => Promise<Verdict>;
  readonly testSet: (places: readonly number[]) => Promise<Verdict>;
}

/**
 * What is to blame among suspects that are bad together: found among the first so many by binary search, then tried alone, in at most ⌈log2 count⌉ + 1 tests;
 * where it is not bad alone, the least set by delta debugging.
 */
export async function isolate({ count, testFirst, testSet }: Suspects): Promise<Blame> {
  const { bad } = await firstBad(count, testFirst);
  const last = bad - 1;
  if (bad === 1 || (await testSet([last])) === 'bad') return { culprits: [last], alone: true };
  const culprits = await ddmin(
    Array.from({ length: bad }, (_, i) => i),
    testSet,
  );
  return { culprits, alone: culprits.length === 1 };
}
