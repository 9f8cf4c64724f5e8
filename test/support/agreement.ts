/** Three executions of one legal graph, compared bit for bit: evaluator, tiled interpreter, machine. */
import { expect } from 'vitest';
import { evaluateGraph } from '../../compiler/ir/evaluate.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { Tensor } from '../../compiler/ir/tensor.ts';
import { dataBytes } from '../../compiler/ir/tensor.ts';
import { interpretTiled } from '../../compiler/lower/tiled-interpret.ts';
import type { Lowered } from '../../compiler/lower/lower.ts';
import type { Target } from '../../isa/target.ts';
import { Machine } from '../../runtime/machine/machine.ts';

export type Values = Float32Array | Int16Array;

function bytesOf(values: Values | undefined): string {
  if (!values) return 'nothing';
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('hex');
}

/** Fails unless all three give the same bits for every output. Gives the machine's outputs. */
export function expectAgreement(
  legal: Graph,
  { tiled, program }: Pick<Lowered, 'tiled' | 'program'>,
  target: Target,
  inputs: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Values> {
  const evaluated = evaluateGraph(legal, inputs);
  const data = new Map([...inputs].map(([name, tensor]) => [name, tensor.data as Values]));
  const interpreted = interpretTiled(tiled, data, target.fractionBits);
  const machine = new Machine(program, target);
  for (const [name, values] of data) machine.writeInput(name, values);
  machine.run();
  const outputs = new Map<string, Values>();
  for (const { name, value } of legal.outputs) {
    const reference = evaluated.get(value);
    if (!reference) throw new Error(`the evaluator gave no ${value}`);
    const expected = Buffer.from(dataBytes(reference)).toString('hex');
    expect(bytesOf(interpreted.get(name)), `tiled interpreter, output ${name}`).toBe(expected);
    const output = machine.readOutput(name);
    expect(bytesOf(output), `machine, output ${name}`).toBe(expected);
    outputs.set(name, output);
  }
  return outputs;
}
