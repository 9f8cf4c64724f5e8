/**
 * The contract check: evaluates a graph before and after a pass on samples, and holds the pass to its `meaning`.
 *
 * A pass that reassociates is held to its bound operation by operation: each value whose computation changed is computed anew from
 * the values of the graph before the pass ("teacher forcing"), so that errors neither add up nor hide behind later operations.
 */
import { fail } from '../../compiler/ir/diagnostic.ts';
import { sameOperation } from '../../compiler/ir/equal.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { permuteTerms } from '../../compiler/ir/ops/strided.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { printType, sameShape, sameType } from '../../compiler/ir/types.ts';
import { isNarrow, narrowStep } from '../../runtime/numerics/narrow.ts';
import type { Pass, Rearrangement, Sample } from '../pass.ts';
import type { OutputLoss } from './compare.ts';
import { coordinates, difference, firstDifference, numbers, outputLoss, rearrange } from './compare.ts';
import type { Evaluated } from './cone.ts';
import { evaluateCone } from './cone.ts';

/** Limits for a lossy pass, each of them for every output. */
export interface LossBudget {
  readonly maximumError?: number;
  readonly minimumSqnrDecibels?: number;
  /** Share of rows, 0 to 1, whose greatest element stays at its place. */
  readonly minimumAgreement?: number;
}

/** The value that came nearest to a bound. */
export interface NearestToBound {
  readonly value: string;
  readonly element: string;
  readonly difference: number;
  readonly bound: number;
}

export type ContractReport =
  | { readonly meaning: 'exact'; readonly valuesCompared: number }
  | { readonly meaning: 'reassociates'; readonly valuesCompared: number; readonly nearest?: NearestToBound }
  | { readonly meaning: 'lossy'; readonly outputs: readonly OutputLoss[] };

/** One pass's work, to be checked. */
export interface Checked {
  readonly pass: Pass;
  readonly before: Graph;
  readonly after: Graph;
  /** The transformation that rewrote each value, to be named in a violation. */
  readonly rewritten: ReadonlyMap<string, string>;
  readonly rearranged: ReadonlyMap<string, Rearrangement>;
  readonly samples: readonly Sample[];
  readonly budget?: LossBudget;
}

/** All values of a graph on one sample. */
export type Evaluator = (graph: Graph, sample: Sample) => ReadonlyMap<string, Tensor>;

/** Checks a pass; throws a `violated` diagnostic that names pass, rule, value, element and both numbers. */
export function checkContract(checked: Checked, evaluate: Evaluator): ContractReport {
  requireOutputs(checked);
  switch (checked.pass.meaning) {
    case 'exact':
      return checkExact(checked, evaluate);
    case 'reassociates':
      return checkReassociates(checked, checked.pass.bound, evaluate);
    case 'lossy':
      return checkLossy(checked, evaluate);
  }
}

/** Whatever a pass promises, the outputs that users read keep their names and types. */
function requireOutputs({ pass, before, after }: Checked): void {
  for (const { name, value } of before.outputs) {
    const now = after.outputs.find((output) => output.name === name);
    const [oldType, newType] = [before.node(value).type, now && after.node(now.value).type];
    if (!newType || !sameType(oldType, newType))
      fail('violated', 'contract/output', `output ${name} was ${printType(oldType)} and is ${newType ? printType(newType) : 'missing'}`, {
        place: [pass.name],
      });
  }
}

function violated(checked: Checked, value: string, message: string): never {
  const rule = checked.rewritten.get(value);
  const node = checked.after.find(value);
  const layers = node?.kind === 'op' ? node.origin.join(', ') : '';
  return fail('violated', `contract/${checked.pass.meaning}`, message, {
    place: [checked.pass.name, ...(rule === undefined ? [] : [rule]), `%${value}`],
    ...(layers !== '' && { hint: `the value computes ${layers} of the model` }),
  });
}

/** The values, of inputs and operations, that stand for the same thing before and after: those of one name and type. */
function sharedValues({ before, after, rearranged }: Checked): readonly string[] {
  return after.nodes.flatMap((node) => {
    const old = before.find(node.name);
    if (!old || node.kind === 'constant' || old.kind === 'constant' || old.type.element !== node.type.element) return [];
    return rearranged.has(node.name) || sameShape(old.type.shape, node.type.shape) ? [node.name] : [];
  });
}

type Pair = readonly [before: string, after: string];

/** Pairs of values, one of each graph, that must agree: the shared ones, and the graph outputs where another value serves now. */
function pairs(checked: Checked): readonly Pair[] {
  const outputs = checked.after.outputs.flatMap(({ name, value }): Pair[] => {
    const old = checked.before.outputs.find((output) => output.name === name);
    return old && old.value !== value ? [[old.value, value]] : [];
  });
  return [...sharedValues(checked).map((name): Pair => [name, name]), ...outputs];
}

function checkExact(checked: Checked, evaluate: Evaluator): ContractReport {
  const compared = pairs(checked);
  for (const sample of checked.samples) {
    const before = evaluate(checked.before, sample);
    const after = evaluate(checked.after, sample);
    for (const [old, name] of compared) {
      const y = required(after, name);
      const x = old === name ? inNewOrder(checked, name, required(before, old)) : required(before, old);
      const at = firstDifference(x, y);
      if (at === undefined) continue;
      const [was, is] = [numbers(x)[at], numbers(y)[at]].map(printNumber);
      violated(checked, name, `an exact pass changed element ${coordinates(y.type.shape, at)} from ${was} to ${is}`);
    }
  }
  return { meaning: 'exact', valuesCompared: compared.length };
}

function checkReassociates(checked: Checked, bound: number, evaluate: Evaluator): ContractReport {
  const shared = sharedValues(checked);
  const compared = pairs(checked).filter(([old, name]) => old !== name || !unchanged(checked, name));
  let nearest: NearestToBound | undefined;
  for (const sample of checked.samples) {
    const values = evaluate(checked.before, sample);
    const oldCut = new Map(shared.map((name) => [name, required(values, name)]));
    const newCut = new Map(shared.map((name) => [name, inNewOrder(checked, name, required(values, name))]));
    for (const [old, name] of compared) {
      const was = evaluateCone(checked.before, old, oldCut);
      const is = evaluateCone(checked.after, name, newCut);
      const found = largestError(checked, bound, [old, name], was, is);
      if (found && (!nearest || found.difference / found.bound > nearest.difference / nearest.bound)) nearest = found;
    }
  }
  return { meaning: 'reassociates', valuesCompared: compared.length, ...(nearest && { nearest }) };
}

/** Whether a shared value is computed in the same way as before, from values and constants that are the same. */
function unchanged({ before, after, rearranged }: Checked, name: string): boolean {
  const old = before.node(name);
  const node = after.node(name);
  if (old.kind !== 'op' || node.kind !== 'op') return old.kind === node.kind;
  if (rearranged.has(name) || !sameOperation(old, node)) return false;
  return node.inputs.every((input) => {
    const oldInput = before.find(input);
    const newInput = after.find(input);
    if (oldInput?.kind === 'constant' && newInput?.kind === 'constant')
      return sameType(oldInput.type, newInput.type) && firstDifference(oldInput.value, newInput.value) === undefined;
    return (
      oldInput?.kind === newInput?.kind && !rearranged.has(input) && (!oldInput || !newInput || sameType(oldInput.type, newInput.type))
    );
  });
}

/** Above this sum of terms an order of addition may overflow where another does not, and there is nothing to compare. */
const OVERFLOW = 2 ** 127;

/** The element of a value that comes nearest to its bound; a violation when it passes it. */
function largestError(checked: Checked, c: number, [old, name]: Pair, was: Evaluated, is: Evaluated): NearestToBound | undefined {
  // An output that another value serves now has the type that it had.
  const how = old === name ? checked.rearranged.get(name) : undefined;
  const before = numbers(how ? rearrange(was.tensor, how, is.tensor.type.shape) : was.tensor);
  const beforeTerms = how ? permuteTerms(was.magnitude.terms, how.view, how.permutation) : was.magnitude.terms;
  const after = numbers(is.tensor);
  const count = Math.max(was.magnitude.count, is.magnitude.count);
  const { element } = is.tensor.type;
  let nearest: NearestToBound | undefined;
  for (const [i, y] of after.entries()) {
    const x = before[i] ?? NaN;
    const terms = Math.max(beforeTerms[i] ?? NaN, is.magnitude.terms[i] ?? NaN);
    // Where the reference itself overflowed, perhaps half-way, there is nothing to hold the pass to.
    if (!(terms < OVERFLOW) || !Number.isFinite(x)) continue;
    const error = difference(x, y);
    // Sums next to each other may be rounded to two neighbours of a narrow type.
    const step = isNarrow(element) ? Math.max(narrowStep(element, x), narrowStep(element, y)) : 0;
    const bound = c * count * 2 ** -24 * terms + step;
    if (error > bound) {
      const place = coordinates(is.tensor.type.shape, i);
      violated(
        checked,
        name,
        `element ${place} went from ${printNumber(x)} to ${printNumber(y)}: |Δ| = ${printNumber(error)} passes ${c}·k·2⁻²⁴·Σ|terms|${step > 0 ? ' + step' : ''} = ${printNumber(bound)}, k = ${count}, Σ|terms| = ${printNumber(terms)}`,
      );
    }
    if (!nearest || error / bound > nearest.difference / nearest.bound)
      nearest = { value: name, element: coordinates(is.tensor.type.shape, i), difference: error, bound };
  }
  return nearest;
}

function checkLossy(checked: Checked, evaluate: Evaluator): ContractReport {
  const { before, after, samples, budget = {} } = checked;
  const results = samples.map((sample) => [evaluate(before, sample), evaluate(after, sample)] as const);
  const outputs = after.outputs.flatMap(({ name, value }) => {
    const old = before.outputs.find((output) => output.name === name);
    if (!old) return [];
    const loss = outputLoss(
      name,
      results.map(([x, y]) => [required(x, old.value), required(y, value)]),
    );
    const broken = [
      loss.maximumError > (budget.maximumError ?? Infinity) &&
        `an error of ${printNumber(loss.maximumError)}, the budget is ${budget.maximumError ?? 0}`,
      loss.sqnrDecibels < (budget.minimumSqnrDecibels ?? -Infinity) &&
        `an SQNR of ${loss.sqnrDecibels.toFixed(2)} dB, the budget is ${budget.minimumSqnrDecibels ?? 0} dB`,
      loss.agreement < (budget.minimumAgreement ?? 0) && `an agreement of ${loss.agreement}, the budget is ${budget.minimumAgreement ?? 0}`,
    ].filter((text) => text !== false);
    if (broken.length) fail('violated', 'contract/lossy', `output ${name} has ${broken.join(' and ')}`, { place: [checked.pass.name] });
    return [loss];
  });
  return { meaning: 'lossy', outputs };
}

function inNewOrder({ rearranged, after }: Checked, name: string, old: Tensor): Tensor {
  const how = rearranged.get(name);
  return how ? rearrange(old, how, after.node(name).type.shape) : old;
}

function required(values: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const value = values.get(name);
  if (!value) throw new Error(`the evaluation gave no value %${name}`);
  return value;
}

/** Shortest decimal form that reads back as the same number; the sign of zero shows. */
function printNumber(value: number | undefined): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
