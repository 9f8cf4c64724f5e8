/** Bisection: transformations of a compile are numbered, and some of them held back, to find the one that does harm. */

/** One transformation that a pass asks leave for: the unit of bisection. */
export interface Transformation {
  readonly pass: string;
  /** What is done: a rule's name where there is one. */
  readonly unit: string;
  /** The value that it rewrites, where it is about one. */
  readonly value?: string;
}

/** `simplify: relu-relu on %r2`. */
export function printTransformation({ pass, unit, value }: Transformation): string {
  return `${pass}: ${unit}${value === undefined ? '' : ` on %${value}`}`;
}

/** Grants transformations or holds them back. */
export interface Gate {
  allow(transformation: Transformation): boolean;
}

/** Counts transformations and grants the first `limit` of them. */
export interface BisectGate extends Gate {
  /** Transformations granted at most; Infinity to number them without holding any back. */
  readonly limit: number;
  /** Transformations asked for so far. */
  readonly asked: number;
}

/** A gate that writes a line for each transformation: `BISECT: running (3) simplify: relu-relu on %r2`. Numbers start at 1. */
export function bisectGate(limit: number, write: (line: string) => void): BisectGate {
  let asked = 0;
  return {
    limit,
    get asked() {
      return asked;
    },
    allow(transformation) {
      const granted = ++asked <= limit;
      write(`BISECT: ${granted ? 'running' : 'NOT running'} (${asked}) ${printTransformation(transformation)}`);
      return granted;
    },
  };
}

/** A gate that grants the transformations of a set, whenever they are asked for. */
export function selectionGate(selected: readonly Transformation[]): Gate {
  const granted = new Set(selected.map(printTransformation));
  return { allow: (transformation) => granted.has(printTransformation(transformation)) };
}

/** A gate that grants everything and keeps what was asked for, in order. */
export function recordingGate(): Gate & { readonly asked: readonly Transformation[] } {
  const asked: Transformation[] = [];
  return { asked, allow: (transformation) => asked.push(transformation) > 0 };
}
