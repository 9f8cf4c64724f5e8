/** A program's values, and the way from its order of storage to that of the model and back. */
import type { Graph } from '../../compiler/ir/graph.ts';
import { permuteTerms } from '../../compiler/ir/ops/strided.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { Layouts } from '../../compiler/pipeline.ts';
import { fromNumbers, numbers } from '../../passes/contract/compare.ts';
import type { Contract, PassInvocation, Rearrangement } from '../../passes/pass.ts';

/** The values that a legal graph, and so its program, computes on some inputs. */
export interface Trace {
  readonly graph: Graph;
  readonly layouts: Layouts;
  /** What the passes between the model and the graph promise together. */
  readonly contract: Contract;
  /** For each run of the graph, all values but constants by name. */
  readonly values: readonly ReadonlyMap<string, Tensor>[];
}

/** The weakest meaning of some passes, and the sum of their bounds. */
export function contractOf(passes: readonly PassInvocation[]): Contract {
  return combine(passes.map(({ pass }) => pass));
}

/** What two graphs of one model promise of each other. */
export function combine(contracts: readonly Contract[]): Contract {
  if (contracts.some(({ meaning }) => meaning === 'lossy')) return { meaning: 'lossy' };
  const bound = contracts.reduce((sum, contract) => sum + (contract.meaning === 'reassociates' ? contract.bound : 0), 0);
  return bound > 0 ? { meaning: 'reassociates', bound } : { meaning: 'exact' };
}

/** The numbers of a value in the model's order. */
export function sourceNumbers(value: Tensor, layout: readonly Rearrangement[] = []): Float64Array {
  return sourceTerms(numbers(value), layout);
}

/** A value of the order and type that a graph gives it, from numbers in the model's order. */
export function storedTensor(values: Float64Array, type: Tensor['type'], layout: readonly Rearrangement[] = []): Tensor {
  return fromNumbers(
    type,
    layout.reduce((moved, { view, permutation }) => permuteTerms(moved, view, permutation), values),
  );
}

/** Numbers, or terms of a magnitude, brought from their order of storage into the model's. */
export function sourceTerms(terms: Float64Array, layout: readonly Rearrangement[] = []): Float64Array {
  return layout.reduceRight((moved, how) => {
    const { shape, permutation } = inverse(how);
    return permuteTerms(moved, shape, permutation);
  }, terms);
}

/** The shape of what was rearranged, and the permutation that brings it back. */
function inverse({ view, permutation }: Rearrangement): { readonly shape: readonly number[]; readonly permutation: readonly number[] } {
  return {
    shape: permutation.map((dimension) => view[dimension] ?? 1),
    permutation: permutation.map((_, dimension) => permutation.indexOf(dimension)),
  };
}
