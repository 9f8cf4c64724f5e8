/** The shape of an op record. The table itself is `ops.ts`; it spreads the topical files of `ops/`. */
import type { ElementType } from '../../runtime/numerics/element.ts';
import type { Attributes } from './graph.ts';
import type { Tensor } from './tensor.ts';
import type { TensorType } from './types.ts';

export type AttributeSpec =
  | { readonly kind: 'int'; readonly default?: number; readonly doc: string }
  | { readonly kind: 'float'; readonly default?: number; readonly doc: string }
  | { readonly kind: 'bool'; readonly default?: boolean; readonly doc: string }
  | { readonly kind: 'ints'; readonly default?: readonly number[]; readonly doc: string }
  | { readonly kind: 'enum'; readonly values: readonly string[]; readonly default?: string; readonly doc: string }
  /** An element type, or `same` for that of the first operand. */
  | { readonly kind: 'element'; readonly default?: ElementType | 'same'; readonly doc: string };
export type AttributeSpecs = Readonly<Record<string, AttributeSpec>>;

type AttributeType<S> = S extends { kind: 'int' | 'float' }
  ? number
  : S extends { kind: 'bool' }
    ? boolean
    : S extends { kind: 'ints' }
      ? readonly number[]
      : S extends { kind: 'enum'; values: readonly (infer V)[] }
        ? V
        : S extends { kind: 'element' }
          ? ElementType | 'same'
          : never;
export type AttributesOf<A extends AttributeSpecs> = { readonly [K in keyof A]: AttributeType<A[K]> };

export interface InputSpec {
  readonly name: string;
  readonly optional?: boolean;
  /** The last operand of an op that takes one or more of it. */
  readonly variadic?: boolean;
}

/**
 * elementwise: result shape is the broadcast of the operands' · commutative · view: moves no data, elements keep their row-major order ·
 * reducing: sums products, so a rewrite may reassociate it · activation: one that can be fused into its producer ·
 * conversion: the same numbers in another element type · moving: the elements of the one operand, each at some place ·
 * selecting: every element is one of the operands' or of the attributes'
 */
export type Trait = 'elementwise' | 'commutative' | 'view' | 'reducing' | 'activation' | 'conversion' | 'moving' | 'selecting';

/** A 1:1 mapping from an ONNX operator; attributes are renamed by `attributes` (ours ← ONNX's), the rest keep their names. */
export interface OnnxMapping {
  readonly op: string;
  /** First opset version whose form the importer understands. */
  readonly since: number;
  readonly attributes?: Readonly<Record<string, string>>;
}

/**
 * The magnitude of a result: per element the sum of the absolute values of the terms added, and how many are added at most: the counts of the
 * operands plus the rounding steps of the op itself, so that `count · 2⁻²⁴ · terms` bounds the rounding error to first order.
 */
export interface Magnitude {
  readonly terms: Float64Array;
  readonly count: number;
}

export interface OpRecord<A extends AttributeSpecs = AttributeSpecs> {
  readonly doc: string;
  readonly inputs: readonly InputSpec[];
  readonly attributes: A;
  readonly traits: readonly Trait[];
  /** ONNX operator with the same meaning; absent for ops that only passes make or that the importer composes. */
  readonly onnx?: OnnxMapping;
  /** Result type; throws `OpError` naming what does not fit. Absent optional operands are undefined. */
  infer(inputs: readonly (TensorType | undefined)[], attributes: AttributesOf<A>): TensorType;
  /** Reference meaning, in the arithmetic order of the machine's contract: bit-equal to the compiled program in f32. */
  evaluate(inputs: readonly (Tensor | undefined)[], attributes: AttributesOf<A>, type: TensorType): Tensor;
  /** Multiply-accumulates of one evaluation; 0 for ops without. */
  macs(inputs: readonly (TensorType | undefined)[], attributes: AttributesOf<A>, type: TensorType): number;
  /**
   * Magnitudes of the result from those of the operands (the values' own absolute values for graph inputs and constants),
   * for checking passes that reassociate.
   */
  magnitude(
    inputs: readonly (Magnitude | undefined)[],
    types: readonly (TensorType | undefined)[],
    attributes: AttributesOf<A>,
    type: TensorType,
  ): Magnitude;
}

/** Thrown by `infer` when operands or attributes do not fit; the caller adds the place. */
export class OpError extends Error {
  override readonly name = 'OpError';
}

/** Declares an op; the kinds of its attributes flow into the callbacks. */
export function op<const A extends AttributeSpecs>(record: OpRecord<A>): OpRecord {
  // The callbacks only ever receive attributes that `completeAttributes` checked against this very record.
  return record;
}

export type { Attributes };
