/** What a pass is: a graph-to-graph function with a name, typed parameters and a contract that the manager can check. */
import type { Graph } from '../compiler/ir/graph.ts';
import type { Tensor } from '../compiler/ir/tensor.ts';
import type { CalibrationProvider } from './calibration.ts';
import type { Property } from './properties.ts';

export type ParameterSpec =
  | { readonly kind: 'int'; readonly default: number; readonly minimum?: number; readonly maximum?: number; readonly doc: string }
  | { readonly kind: 'float'; readonly default: number; readonly minimum?: number; readonly maximum?: number; readonly doc: string }
  | { readonly kind: 'bool'; readonly default: boolean; readonly doc: string }
  | { readonly kind: 'enum'; readonly values: readonly string[]; readonly default: string; readonly doc: string }
  | { readonly kind: 'string'; readonly default: string; readonly doc: string };
export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

export type ParameterValue = number | boolean | string;

type ParameterType<S> = S extends { kind: 'int' | 'float' }
  ? number
  : S extends { kind: 'bool' }
    ? boolean
    : S extends { kind: 'enum'; values: readonly (infer V)[] }
      ? V
      : S extends { kind: 'string' }
        ? string
        : never;
/** The values that `run` receives for a record of parameter specs. */
export type ParametersOf<P extends ParameterSpecs> = { readonly [K in keyof P]: ParameterType<P[K]> };

/**
 * What a pass promises about the values that a graph computes, checked by evaluating both graphs:
 * exact: outputs keep every bit, -0 and NaN included · reassociates: each operation that changed differs by at most
 * `bound`·k·2⁻²⁴·Σ|terms|, k terms being added · lossy: measured, and held to a budget where one is given
 */
export type Meaning = 'exact' | 'reassociates' | 'lossy';
export type Contract =
  { readonly meaning: 'exact' } | { readonly meaning: 'reassociates'; readonly bound: number } | { readonly meaning: 'lossy' };

/** An order of storage: the old elements, seen in the shape `view`, are transposed so that stored dimension i is dimension `permutation[i]` of the view. */
export interface Rearrangement {
  readonly view: readonly number[];
  readonly permutation: readonly number[];
}

/** One sample: a tensor for each graph input, by the input's name. */
export type Sample = ReadonlyMap<string, Tensor>;

/** What the manager offers to a running pass. */
export interface PassContext {
  /** Adds to a statistic of this pass; rule applications are counted under the rule's name. */
  count(statistic: string, n?: number): void;
  /**
   * Asks leave for one transformation, the unit of bisection: `unit` names what is done (a rule's name where there is one),
   * `value` the value that it rewrites. When refused, the pass must leave the graph as if it had not matched.
   */
  allow(unit: string, value?: string): boolean;
  /** Tells the user something that is no error. */
  warn(message: string): void;
  /** Says that the value `name` keeps its elements, but stores them in another order from here on. */
  rearranged(name: string, how: Rearrangement): void;
  /** Statistics of what a float graph computes on representative data; a usage diagnostic where there are none. */
  readonly calibration: CalibrationProvider;
}

/** A named rewrite of a pass, as help and statistics list it. */
export interface RuleInfo {
  readonly name: string;
  readonly doc: string;
}

interface PassFields<P extends ParameterSpecs> {
  /** As written in pipelines. */
  readonly name: string;
  /** One sentence; help and the reference print it. */
  readonly doc: string;
  /** Properties that the graph must have before; the manager checks them. */
  readonly requires: readonly Property[];
  /** Properties that the graph has afterwards; the manager checks them. */
  readonly establishes: readonly Property[];
  readonly params: P;
  /** The named rewrites that the pass consists of, if it does. */
  readonly rules?: readonly RuleInfo[];
  /** Set when the pass asks for calibration statistics. */
  readonly calibrated?: boolean;
  /** Set when later stages cannot do without the pass: a bisection limit never skips it. */
  readonly mandatory?: boolean;
  /** Set when running the pass on its own result changes nothing; a property test holds it to that. */
  readonly idempotent?: boolean;
  /** The new graph, or the very same object when nothing changed. Valid graph in, valid graph out. */
  run(graph: Graph, params: ParametersOf<P>, context: PassContext): Graph;
}

export type Pass<P extends ParameterSpecs = ParameterSpecs> = PassFields<P> & Contract;

/** Declares a pass; the kinds of its parameters flow into `run`. */
export function pass<const P extends ParameterSpecs>(record: Pass<P>): Pass<P> {
  return record;
}

/** A pass with a value for each of its parameters: one step of a pipeline. */
export interface PassInvocation {
  readonly pass: Pass;
  readonly params: Readonly<Record<string, ParameterValue>>;
}

/** A step with defaults for the parameters that are not given. */
export function invoke<P extends ParameterSpecs>(invoked: Pass<P>, params: Partial<ParametersOf<P>> = {}): PassInvocation {
  const defaults = Object.fromEntries(Object.entries(invoked.params).map(([name, spec]) => [name, spec.default]));
  return { pass: invoked, params: { ...defaults, ...params } };
}

/** What a parameter's value may be, in words. */
export function describeValues(spec: ParameterSpec): string {
  switch (spec.kind) {
    case 'int':
    case 'float':
      return `${spec.kind === 'int' ? 'an integer' : 'a number'}${describeRange(spec)}`;
    case 'bool':
      return 'true or false';
    case 'enum':
      return spec.values.join(' or ');
    case 'string':
      return 'a text';
  }
}

function describeRange({ minimum = -Infinity, maximum = Infinity }: { readonly minimum?: number; readonly maximum?: number }): string {
  if (minimum > -Infinity && maximum < Infinity) return ` from ${minimum} to ${maximum}`;
  if (minimum > -Infinity) return ` of at least ${minimum}`;
  return maximum < Infinity ? ` of at most ${maximum}` : '';
}
