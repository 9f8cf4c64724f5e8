/** Values that are to have one element type, because an operation asks for it. */
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { CalibrationStatistics, ValueStatistics } from '../calibration.ts';
import type { Range } from './ranges.ts';
import { hull } from './ranges.ts';
import { constantOf } from './constants.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import { isProduct } from './convert.ts';
import { follows } from './plan.ts';

/** Sets of values; each value is alone at first. */
export class ValueClasses {
  readonly #parent = new Map<string, string>();

  /** The value that stands for the class. */
  of(value: string): string {
    const parent = this.#parent.get(value);
    if (parent === undefined) return value;
    const root = this.of(parent);
    this.#parent.set(value, root);
    return root;
  }

  join(a: string, b: string): void {
    const [of, other] = [this.of(a), this.of(b)];
    if (of !== other) this.#parent.set(other, of);
  }
}

/** The values that operations hand on as they are, or choose from, in one class with what they give. */
export function joinFollowing(graph: Graph, planned: ReadonlySet<string>, classes: ValueClasses): void {
  for (const node of graph.ops)
    if (planned.has(node.name) && follows(node) && node.op !== 'concat') classes.join(node.name, node.inputs[0] ?? '');
}

/** The part of a value's range that is covered; of a constant all of it. */
export type KnownRange = (value: string) => Range;

export function rangesOfValues(
  graph: Graph,
  statistics: CalibrationStatistics,
  choose: (known: ValueStatistics, value: string) => Range,
): KnownRange {
  const chosen = new Map<string, Range>();
  return (value) => {
    const known = chosen.get(value);
    if (known) return known;
    const node = graph.node(value);
    const measured = statistics.get(value);
    const range = node.kind === 'constant' || !measured ? extremes(floats(constantOf(graph, value))) : choose(measured, value);
    chosen.set(value, range);
    return range;
  };
}

export function extremes(data: Float32Array): Range {
  let [low, high] = [Infinity, -Infinity];
  for (const x of data) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}

/** The range of each class: what its members cover. A value that nothing but clamps and maxima of the class read need not be covered itself. */
export function rangesOfClasses(
  graph: Graph,
  planned: ReadonlySet<string>,
  classes: ValueClasses,
  rangeOf: KnownRange,
): ReadonlyMap<string, Range> {
  const ranges = new Map<string, Range>();
  for (const value of valuesOf(graph, planned)) {
    const root = classes.of(value);
    if (onlyClamped(value, graph, planned)) continue;
    const known = ranges.get(root);
    ranges.set(root, known ? hull(known, rangeOf(value)) : rangeOf(value));
  }
  return ranges;
}

/** Values that planned operations read or give, weights and biases aside. */
function valuesOf(graph: Graph, planned: ReadonlySet<string>): ReadonlySet<string> {
  const operations = graph.ops.filter(({ name }) => planned.has(name));
  return new Set(operations.flatMap((node) => [...operandsOf(node), node.name]));
}

function operandsOf(node: OpNode): readonly string[] {
  return isProduct(node) ? node.inputs.slice(0, 1) : node.inputs;
}

function onlyClamped(value: string, graph: Graph, planned: ReadonlySet<string>): boolean {
  const users = graph.users(value);
  return (
    users.length > 0 &&
    !graph.isOutput(value) &&
    users.every((user) => planned.has(user.name) && (user.op === 'relu' || user.op === 'clip'))
  );
}
