/**
 * The error that rounding alone explains. A value's own error is predicted by computing it in f32 twice from the reference's values, without and with
 * noise: every operand and constant of a coarser type, and every result that its op rounds, gets an error uniform within half a step to each side (its
 * variance is step²/12). f32 itself adds the random walk of its accumulations: count·(2⁻²⁴·Σ|terms|)²/3 on either side (Higham and Mary 2019 for the √count).
 */
import { evaluateNode } from '../../compiler/ir/evaluate.ts';
import type { Graph, OpNode } from '../../compiler/ir/graph.ts';
import type { Magnitude } from '../../compiler/ir/op.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { fromNumbers, numbers } from '../../passes/contract/compare.ts';
import { DEFAULT_SEED, uniformF32, xorshift32 } from '../numerics/random.ts';
import { gridOf } from './grid.ts';

/** A value computed without and with noise. */
interface Twin {
  readonly clean: Tensor;
  readonly noisy: Tensor;
}

/** Ops whose results are numbers that their operands hold already: nothing is rounded. */
const SELECTING: readonly OpName[] = [
  'relu',
  'clip',
  'max-pool',
  'concat',
  'pad',
  'reshape',
  'flatten',
  'transpose',
  'identity',
  'dequantize',
];
/** Ops that are the identity on numbers. */
const CONVERTING: ReadonlySet<string> = new Set(['quantize', 'dequantize', 'requantize', 'cast']);

/** Values with fewer elements are drawn for several times. */
const ENOUGH_ELEMENTS = 2048;
const MAX_DRAWS = 8;

/** Draws of noise: for each value a sequence of its own, which does not depend on what else is compared. */
export class NoiseModel {
  readonly #graph: Graph;
  readonly #states = new Map<string, number>();
  #state = DEFAULT_SEED;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Mean square of the predicted error of `root`, computed from the values in `cut`, which the program would round to its own types. */
  roundings(root: string, cut: ReadonlyMap<string, Tensor>): number {
    const count = this.#graph.node(root).type.shape.reduce((product, d) => product * d, 1);
    const draws = Math.min(MAX_DRAWS, Math.max(1, Math.ceil(ENOUGH_ELEMENTS / Math.max(1, count))));
    let sum = 0;
    this.#state = this.#states.get(root) ?? seedOf(root);
    for (let draw = 0; draw < draws; draw++) {
      const { clean, noisy } = this.#twin(root, cut);
      if (clean === noisy) return 0;
      const [x, y] = [numbers(clean), numbers(noisy)];
      for (let i = 0; i < x.length; i++) sum += ((y[i] as number) - (x[i] as number)) ** 2;
    }
    this.#states.set(root, this.#state);
    return count === 0 ? 0 : sum / (draws * count);
  }

  /**
   * `root` without any rounding where the program only selects among elements of `cut` and moves them, so that the roundings of its operands are theirs and
   * not its own; undefined where it computes.
   */
  selected(root: string, cut: ReadonlyMap<string, Tensor>): Tensor | undefined {
    const isSelected = (name: string): boolean => {
      const node = this.#graph.node(name);
      if (cut.has(name) && !(name === root && node.kind === 'op')) return true;
      return node.kind === 'op' && SELECTING.includes(node.op) && node.inputs.every((input) => input === '' || isSelected(input));
    };
    return isSelected(root) ? this.#twin(root, cut).clean : undefined;
  }

  #twin(root: string, cut: ReadonlyMap<string, Tensor>): Twin {
    const known = new Map<string, Twin>();
    const twinOf = (name: string): Twin => {
      const found = known.get(name) ?? compute(name);
      known.set(name, found);
      return found;
    };
    const compute = (name: string): Twin => {
      const node = this.#graph.node(name);
      const given = name === root && node.kind === 'op' ? undefined : cut.get(name);
      if (given) return this.#noised(given, node.type);
      if (node.kind === 'constant') return this.#noised(asFloat(node.value), node.type);
      if (node.kind === 'input') throw new Error(`input %${name} has no value`);
      return this.#applied(
        node,
        node.inputs.map((input) => (input === '' ? undefined : twinOf(input))),
      );
    };
    return twinOf(root);
  }

  #applied(node: OpNode, operands: readonly (Twin | undefined)[]): Twin {
    const [first] = operands;
    const both = CONVERTING.has(node.op) && first ? first : evaluateTwin(node, operands);
    return SELECTING.includes(node.op) ? both : { clean: both.clean, noisy: this.#noised(both.noisy, node.type).noisy };
  }

  #noised(clean: Tensor, { element, shape }: TensorType): Twin {
    if (element === 'f32') return { clean, noisy: clean };
    const { step } = gridOf({ element, shape });
    const data = Float32Array.from(clean.data as Float32Array, (x) => x + (this.#uniform() - 0.5) * step(x));
    return { clean, noisy: { type: clean.type, data } };
  }

  #uniform(): number {
    this.#state = xorshift32(this.#state);
    return uniformF32(this.#state);
  }
}

/** A nonzero state for a name. */
function seedOf(name: string): number {
  let state = DEFAULT_SEED;
  for (let i = 0; i < name.length; i++) state = xorshift32((state ^ name.charCodeAt(i)) >>> 0 || DEFAULT_SEED);
  return state;
}

/** The op in f32 on both forms of its operands; on one where there is no noise yet. */
function evaluateTwin(node: OpNode, operands: readonly (Twin | undefined)[]): Twin {
  const inFloat: OpNode = { ...node, type: { element: 'f32', shape: node.type.shape }, attributes: boundsHeld(node) };
  const clean = evaluateNode(
    inFloat,
    operands.map((operand) => operand?.clean),
  );
  if (operands.every((operand) => operand?.clean === operand?.noisy)) return { clean, noisy: clean };
  const noisy = evaluateNode(
    inFloat,
    operands.map((operand) => operand?.noisy),
  );
  return { clean, noisy };
}

/** Attributes in which the bounds of a clamp are numbers that its type holds. */
function boundsHeld({ op, attributes, type }: OpNode): OpNode['attributes'] {
  const { min, max } = attributes;
  if (op !== 'clip' || typeof min !== 'number' || typeof max !== 'number') return attributes;
  const [low, high] = numbers(fromNumbers({ element: type.element, shape: [2] }, Float64Array.of(min, max)));
  return { ...attributes, min: low as number, max: high as number };
}

/** The same numbers in f32. */
export function asFloat(value: Tensor): Tensor {
  if (value.type.element === 'f32') return value;
  return { type: { element: 'f32', shape: value.type.shape }, data: Float32Array.from(numbers(value)) };
}

/** Mean square of the error that accumulation in f32 explains, in a reference and in a program of the same magnitude. */
export function accumulationNoise({ terms, count }: Magnitude): number {
  const squares = terms.reduce((sum, term) => sum + (term * 2 ** -24) ** 2, 0);
  return terms.length === 0 ? 0 : (2 * count * squares) / 3 / terms.length;
}
