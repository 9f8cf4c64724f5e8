/** The bisection limit: the n-th transformation of a compile and all later ones can be held back, to find the one that does harm. */

/** Counts transformations and grants the first `limit` of them. */
export interface BisectGate {
  /** Transformations granted at most; Infinity to number them without holding any back. */
  readonly limit: number;
  /** Transformations asked for so far. */
  readonly asked: number;
  allow(what: string): boolean;
}

/** A gate that writes a line for each transformation: `BISECT: running (3) simplify: relu-relu on %r2`. Numbers start at 1. */
export function bisectGate(limit: number, write: (line: string) => void): BisectGate {
  let asked = 0;
  return {
    limit,
    get asked() {
      return asked;
    },
    allow(what) {
      const granted = ++asked <= limit;
      write(`BISECT: ${granted ? 'running' : 'NOT running'} (${asked}) ${what}`);
      return granted;
    },
  };
}
