/**
 * The error that rounding alone explains. A value's own error is predicted by computing it in f32 twice from the reference's values: as they are, and with
 * operands and results rounded to the program's types, as if these had no ends. What constants were before they were rounded is not known: there they get
 * an error uniform within half a step to each side (its variance is step²/12). f32 itself adds the random walk of its accumulations:
 * count·(2⁻²⁴·Σ|terms|)²/3 on either side (Higham and Mary 2019 for the √count).
 */
import { evaluateNode } from '../../compiler/ir/evaluate.ts';
import type { Graph, Node, OpNode } from '../../compiler/ir/graph.ts';
import type { Magnitude } from '../../compiler/ir/op.ts';
import type { OpName } from '../../compiler/ir/ops.ts';
import { hasTrait } from '../../compiler/ir/ops.ts';
import { unitsOfSums } from '../../compiler/ir/ops/integers.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { floats } from '../../compiler/ir/tensor.ts';
import { fromNumbers, numbers } from '../../passes/contract/compare.ts';
import { isProduct } from '../../passes/precision/convert.ts';
import { roundTiesToEven } from '../numerics/fixed.ts';
import { DEFAULT_SEED, uniformF32, xorshift32 } from '../numerics/random.ts';
import { stepsOf } from './grid.ts';

/** What becomes of the f32 numbers of a value that the program holds in its own type. */
type Rounding = (numbers: Tensor, node: Node) => Tensor;

/** Whether the results are numbers that the operands hold already: nothing is rounded. */
const selects = ({ op }: OpNode): boolean => hasTrait(op, 'moving', 'selecting') || op === 'dequantize';
/** Numbers that an op puts among those of its operands, rounded to their type. */
const ROUNDED_ATTRIBUTES: Partial<Record<OpName, readonly string[]>> = { clip: ['min', 'max'], pad: ['value'] };

/** Values with fewer elements are drawn for several times. */
const ENOUGH_ELEMENTS = 2048;
const MAX_DRAWS = 8;

/** Roundings of the values of one graph, each with a sequence of noise of its own, which does not depend on what else is compared. */
export class NoiseModel {
  readonly #graph: Graph;
  readonly #states = new Map<string, number>();
  #state = DEFAULT_SEED;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** Mean square of the predicted error of `root`, computed from the numbers in `cut`, which the program would round to its own types. */
  roundings(root: string, cut: ReadonlyMap<string, Tensor>): number {
    const rounded = this.#roundedIn(root, cut);
    if (rounded.length === 0) return 0;
    const clean = floats(this.#evaluate(root, cut, (value) => value));
    const isDrawn = rounded.some(({ kind }) => kind === 'constant');
    const draws = isDrawn ? Math.min(MAX_DRAWS, Math.max(1, Math.ceil(ENOUGH_ELEMENTS / Math.max(1, clean.length)))) : 1;
    let sum = 0;
    this.#state = this.#states.get(root) ?? seedOf(root);
    for (let draw = 0; draw < draws; draw++) {
      const noisy = floats(
        this.#evaluate(root, cut, (value, node) => (node.kind === 'constant' ? this.#drawn(value, node) : nearest(value, node))),
      );
      for (let i = 0; i < clean.length; i++) {
        const error = (noisy[i] as number) - (clean[i] as number);
        if (Number.isFinite(error)) sum += error ** 2;
      }
    }
    this.#states.set(root, this.#state);
    return clean.length === 0 ? 0 : sum / (draws * clean.length);
  }

  /**
   * `root` without any rounding where the program only selects among elements of `cut` and moves them, so that the roundings of its operands are theirs and
   * not its own; undefined where it computes.
   */
  selected(root: string, cut: ReadonlyMap<string, Tensor>): Tensor | undefined {
    const isSelected = (name: string): boolean => {
      const node = this.#graph.node(name);
      if (cut.has(name) && !(name === root && node.kind === 'op')) return true;
      return node.kind === 'op' && selects(node) && node.inputs.every((input) => input === '' || isSelected(input));
    };
    return isSelected(root) ? this.#evaluate(root, cut, (value) => value) : undefined;
  }

  /** Values of types coarser than f32 from which `root` is computed, itself included. */
  #roundedIn(root: string, cut: ReadonlyMap<string, Tensor>): readonly Node[] {
    const seen = new Set([root]);
    const nodes: Node[] = [];
    for (const name of seen) {
      const node = this.#graph.node(name);
      nodes.push(node);
      if (node.kind === 'op' && (name === root || !cut.has(name))) for (const input of node.inputs) if (input !== '') seen.add(input);
    }
    return nodes.filter(({ type }) => type.element !== 'f32');
  }

  #evaluate(root: string, cut: ReadonlyMap<string, Tensor>, round: Rounding): Tensor {
    const known = new Map<string, Tensor>();
    const valueOf = (name: string): Tensor => {
      const value = known.get(name) ?? compute(name);
      known.set(name, value);
      return value;
    };
    const compute = (name: string): Tensor => {
      const node = this.#graph.node(name);
      const given = name === root && node.kind === 'op' ? undefined : cut.get(name);
      if (given) return round(asFloat(given), node);
      if (node.kind === 'constant') return round(asFloat(node.value), node);
      if (node.kind === 'input') throw new Error(`input %${name} has no value`);
      const value = this.#applied(
        node,
        node.inputs.map((input) => (input === '' ? undefined : valueOf(input))),
      );
      return selects(node) ? value : round(value, node);
    };
    return valueOf(root);
  }

  /** The op on real numbers, in f32. */
  #applied(node: OpNode, operands: readonly (Tensor | undefined)[]): Tensor {
    const [first] = operands;
    if (hasTrait(node.op, 'conversion') && first) return first;
    const inFloat: OpNode = { ...node, type: { element: 'f32', shape: node.type.shape }, attributes: numbersHeld(node) };
    return evaluateNode(inFloat, isProduct(node) ? this.#withRealBias(node, operands) : operands);
  }

  /** Operands of a product, whose bias is in units of the sums. */
  #withRealBias({ inputs }: OpNode, operands: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[] {
    const [x, w, bias] = operands;
    if (!bias) return operands;
    const { element: ofX } = this.#graph.node(inputs[0] ?? '').type;
    const { element: ofW } = this.#graph.node(inputs[1] ?? '').type;
    const channels = bias.type.shape.at(-1) ?? 1;
    const units = unitsOfSums(ofX, ofW, channels);
    return [x, w, { type: bias.type, data: floats(bias).map((value, i) => value * (units[i % channels] as number)) }];
  }

  /** A constant as it may have been before it was rounded. */
  #drawn(value: Tensor, { type }: Node): Tensor {
    if (type.element === 'f32') return value;
    const step = stepsOf(type);
    return { type: value.type, data: floats(value).map((x, i) => x + (this.#uniform() - 0.5) * step(x, i)) };
  }

  #uniform(): number {
    this.#state = xorshift32(this.#state);
    return uniformF32(this.#state);
  }
}

/** Numbers rounded to a type as if it went on beyond its ends. */
function nearest(value: Tensor, { type }: Node): Tensor {
  if (type.element === 'f32') return value;
  const step = stepsOf(type);
  const round = (x: number, i: number): number => roundTiesToEven(x / step(x, i)) * step(x, i);
  return { type: value.type, data: floats(value).map(round) };
}

/** A nonzero state for a name. */
function seedOf(name: string): number {
  let state = DEFAULT_SEED;
  for (let i = 0; i < name.length; i++) state = xorshift32((state ^ name.charCodeAt(i)) >>> 0 || DEFAULT_SEED);
  return state;
}

/** Attributes in which the numbers that an op rounds to its type are rounded; bounds that are infinite bound nothing. */
function numbersHeld({ op, attributes, type }: OpNode): OpNode['attributes'] {
  const held = (ROUNDED_ATTRIBUTES[op] ?? []).filter((name) => Number.isFinite(attributes[name]));
  const values = Float64Array.from(held, (name) => attributes[name] as number);
  const rounded = numbers(fromNumbers({ element: type.element, shape: [held.length] }, values));
  return { ...attributes, ...Object.fromEntries(held.map((name, i) => [name, rounded[i] as number])) };
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
