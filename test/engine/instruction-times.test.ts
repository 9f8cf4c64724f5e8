/** Engines that measure: the same results, and every executed instruction is in the times. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { instructionCount } from '../../isa/program.ts';
import type { Program } from '../../isa/program.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import type { EngineName } from '../../runtime/engine/engine.ts';
import { createMachine, ENGINE_NAMES } from '../../runtime/engine/engine.ts';
import { InstructionTimes } from '../../runtime/engine/instruction-times.ts';
import type { InstructionTime } from '../../runtime/engine/instruction-times.ts';
import { programOf, snapshot } from '../support/machine.ts';
import { smallProgram } from '../support/programs.ts';
import { loadTarget } from '../support/targets.ts';

const TARGET = loadTarget('cambricon');
const X = Float32Array.of(1, 2, 3, 4);

/** A clock that stands still until it is started, and then goes on by a second a reading. */
class Clock {
  running = false;
  #seconds = 0;
  readonly now = (): number => (this.running ? ++this.#seconds : this.#seconds);
}

/** Runs a program with the clock going from reset to end; the times by instruction, the end last. */
function timesOf(engine: EngineName, program: Program): { readonly times: InstructionTimes; readonly each: readonly InstructionTime[] } {
  const clock = new Clock();
  const times = new InstructionTimes(instructionCount(program), clock.now);
  const machine = createMachine(engine, program, TARGET, { times });
  if (program.inputs.length > 0) machine.writeInput('x', X);
  clock.running = true;
  machine.run();
  return { times, each: Array.from({ length: instructionCount(program) + 1 }, (_, pc) => times.of(pc)) };
}

const NOTHING: InstructionTime = { executions: 0, seconds: 0, plainExecutions: 0, plainSeconds: 0, scalars: 0, scalarSeconds: 0 };
const kernel = (executions: number, scalars = 0): InstructionTime => ({
  ...NOTHING,
  executions,
  seconds: executions,
  scalars,
  scalarSeconds: Math.min(1, scalars),
});

describe('times of instructions', () => {
  it('are those of the fast engine, scalars together in front of what they lead to', () => {
    const { times, each } = timesOf('fast', smallProgram());
    // SMOVE, SMOVE, SMOVE, SLOAD, VLOAD, VAS, SADD, CB, VSTORE: the loop is gone through once.
    expect(each).toEqual([NOTHING, NOTHING, NOTHING, kernel(1, 3), kernel(1), kernel(1), NOTHING, NOTHING, kernel(1, 2), NOTHING]);
    // One when JavaScript enters and one when WebAssembly does, four instructions, two runs of scalars.
    expect(times.readings).toBe(8);
    expect(times.readingSeconds).toBe(0);
  });

  it('are those of the plain engine, one by one', () => {
    const { each } = timesOf('reference', smallProgram());
    expect(each).toEqual([...Array.from({ length: 9 }, () => ({ ...NOTHING, plainExecutions: 1, plainSeconds: 1 })), NOTHING]);
  });

  it('tell what the fast engine leaves to the plain one', () => {
    const program = programOf(`
      SMOVE $1, #0x4000000
      VAV.f32.rep $0, $0, $0, $0, $1, $0, $0, $0
      SMOVE $2, #4
      VFILL.f32 $0, $2, #0
      SMOVE $1, #1`);
    const { each } = timesOf('fast', program);
    expect(each.map(({ executions, plainExecutions }) => [executions, plainExecutions])).toEqual([
      [0, 0],
      [0, 1],
      [0, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(each[1]?.plainSeconds).toBeGreaterThan(0);
    expect(each.map(({ scalars }) => scalars)).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it('leave out what the clock itself takes', () => {
    let seconds = 0;
    const times = new InstructionTimes(9, () => ++seconds);
    const machine = createMachine('fast', smallProgram(), TARGET, { times });
    machine.writeInput('x', X);
    machine.run();
    expect(times.readingSeconds).toBe(1);
    expect(times.of(5)).toEqual({ ...NOTHING, executions: 1 });
  });

  it.each(ENGINE_NAMES)('change no bit, and count every instruction: %s', async (engine) => {
    const { program } = compileModel(loadGraph(findModel('lenet-5'), {}), { target: TARGET, passes: parsePipeline('O1') });
    const { elements } = await (await zooDataset('fashion-mnist')).read(0);
    const times = new InstructionTimes(instructionCount(program), () => 0);
    const [untimed, timed] = [createMachine(engine, program, TARGET), createMachine(engine, program, TARGET, { times })];
    for (const machine of [untimed, timed]) {
      machine.writeInput('image', elements);
      machine.run();
    }
    const [expected, actual] = [snapshot(untimed), snapshot(timed)];
    expect(actual.rest).toBe(expected.rest);
    expect(Buffer.compare(actual.bytes, expected.bytes)).toBe(0);
    const counted = Array.from({ length: instructionCount(program) + 1 }, (_, pc) => times.of(pc));
    const sum = counted.reduce((total, { executions, plainExecutions, scalars }) => total + executions + plainExecutions + scalars, 0);
    expect(sum).toBe(timed.executed);
  });

  it('do not take part where a run is watched', () => {
    const times = new InstructionTimes(9, () => 0);
    const machine = createMachine('fast', smallProgram(), TARGET, { times });
    machine.writeInput('x', X);
    machine.run({ observers: [{ step: () => undefined }] });
    expect(times.of(5)).toEqual(NOTHING);
  });
});
