/** The model on the machine. */
import { describe, expect, it } from 'vitest';
import { sourceOf } from '../../isa/program.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import type { StepTimes } from '../../runtime/machine/timing.ts';
import { TimingModel } from '../../runtime/machine/timing.ts';
import { contents } from '../support/machine.ts';
import { smallProgram } from '../support/programs.ts';
import { loadTarget } from '../support/targets.ts';

const target = loadTarget('cambricon');
const program = smallProgram();
const INPUT = Float32Array.of(1, 2, 3, 4);

function run(model?: TimingModel): Machine {
  const machine = new Machine(program, target);
  machine.writeInput('x', INPUT);
  machine.run({ observers: model === undefined ? [] : [model] });
  return machine;
}

describe('timing on the machine', () => {
  it('leaves registers, memory and outputs as they would be', () => {
    const plain = run();
    const timed = run(new TimingModel(target));
    expect(timed.registers).toEqual(plain.registers);
    expect(timed.executed).toBe(plain.executed);
    expect(Buffer.compare(contents(timed), contents(plain))).toBe(0);
    expect(timed.readOutput('y')).toEqual(plain.readOutput('y'));
  });

  it('times the small program as by hand', () => {
    // SMOVE $1 F0 I3 R4 | SMOVE $2 F0 I3 R4 | SMOVE $3 F1 I4 R5 | SLOAD F1 I4 D5 R9 | VLOAD F2 I5 D6 E7 R107
    // VAS F2, $5 at 9: I9, data at D107, one slice at a quarter: E111 R114 | SADD F3 I9 R10 | CB F3 I10 R11
    // VSTORE F12 I15, its data at D114, E115 R215.
    const times: StepTimes[] = [];
    const model = new TimingModel(target, {
      keyOf: (pc) => sourceOf(program, pc)?.node ?? 'frame',
      onStep: (step) => times.push(step),
    });
    run(model);
    expect(times.map(({ fetch, issue, dispatch, result }) => [fetch, issue, dispatch, result])).toEqual([
      [0, 3, 3, 4],
      [0, 3, 3, 4],
      [1, 4, 4, 5],
      [1, 4, 5, 9],
      [2, 5, 6, 107],
      [2, 9, 107, 114],
      [3, 9, 9, 10],
      [3, 10, 10, 11],
      [12, 15, 114, 215],
    ]);
    const { cycles, causes, layers } = model.report();
    expect(cycles).toBe(215);
    // Issue: front end 3, SMOVE $3 and VLOAD a cycle each behind those before them, dispatch 1.
    expect(causes).toMatchObject({ issue: 6, dramBandwidth: 2, dramLatency: 200, vector: 4, pipelineDepth: 3 });
    // Frame: front end 3, SMOVE $3 1, VSTORE 1 + 100. x: VLOAD 1 + 1 + 1 + 100. y: VAS 4 + 3; SADD and CB are hidden.
    expect(layers.map(({ key, cycles: own }) => [key, own])).toEqual([
      ['frame', 105],
      ['x', 103],
      ['y', 7],
    ]);
  });
});
