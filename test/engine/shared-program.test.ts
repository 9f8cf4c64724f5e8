/** Machines of one program in one memory: constants and records once, everything else apart. */
import { describe, expect, it } from 'vitest';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import type { Program } from '../../isa/program.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { createMachine, ENGINE_NAMES } from '../../runtime/engine/engine.ts';
import { FastMachine } from '../../runtime/engine/fast-machine.ts';
import { programForThreads, shareProgram } from '../../runtime/engine/shared-program.ts';
import type { Machine } from '../../runtime/machine/machine.ts';
import { contents, programOf } from '../support/machine.ts';
import { smallProgram } from '../support/programs.ts';
import { memoryBudget, setMemoryBudget } from '../../runtime/budget.ts';
import { loadTarget } from '../support/targets.ts';

const TARGET = loadTarget('cambricon');

function compiled(): Program {
  return compileModel(loadGraph(findModel('lenet-300-100'), {}), { target: TARGET, passes: parsePipeline('O1') }).program;
}

function logits(machine: Machine, image: Float32Array): readonly number[] {
  const { inputs, outputs } = machine.program;
  machine.reset();
  machine.writeInput(inputs[0]?.name ?? '', image);
  machine.run();
  return [...machine.readOutput(outputs[0]?.name ?? '')];
}

describe.each(ENGINE_NAMES)('machines of the %s engine in one memory', (engine) => {
  it('give by turns what each gives alone', async () => {
    const program = compiled();
    const shared = shareProgram(program, TARGET, 3);
    const machines = [0, 1, 2].map((index) => createMachine(engine, programForThreads(program, shared), TARGET, {}, { shared, index }));
    const alone = createMachine(engine, program, TARGET);
    const dataset = await zooDataset('fashion-mnist');
    for (let i = 0; i < 6; i++) {
      const { elements } = await dataset.read(i);
      expect(logits(machines[i % 3] as Machine, elements)).toEqual(logits(alone, elements));
    }
    // What the others did since is not seen.
    const [first] = machines;
    const before = contents(first as Machine);
    logits(machines[1] as Machine, (await dataset.read(9)).elements);
    expect(Buffer.compare(contents(first as Machine), before)).toBe(0);
  });
});

describe('a shared program', () => {
  it('has its constants once, whatever the number of machines', () => {
    const program = compiled();
    const [one, five] = [1, 5].map((machines) => shareProgram(program, TARGET, machines).memory.buffer.byteLength) as [number, number];
    const { vectorBytes, matrixBytes } = TARGET.memory;
    const activations = program.memory.spill.start + program.memory.spill.bytes - program.constants.length;
    expect(program.constants.length).toBeGreaterThan(1_000_000);
    // Room for the operands of an instruction, every byte as a word.
    const widened = 4 * (2 * vectorBytes + matrixBytes);
    expect((five - one) / 4).toBeLessThan(activations + vectorBytes + matrixBytes + widened + 4 * 65536);
  });

  it('gives threads the constants without a copy', () => {
    const program = compiled();
    const shared = shareProgram(program, TARGET, 2);
    const { constants } = programForThreads(program, shared);
    expect(constants.buffer).toBe(shared.memory.buffer);
    expect(Buffer.compare(constants, program.constants)).toBe(0);
  });

  it('has room for as many machines as fit into one memory, and no machine has a region twice', () => {
    const gigabyte = programOf('', { segmentBytes: 2 ** 28 });
    const budget = memoryBudget();
    setMemoryBudget(2 ** 33);
    try {
      const shared = shareProgram(gigabyte, TARGET, 100);
      expect(shared.machines).toBe(5);
      expect(() => new FastMachine(gigabyte, TARGET, {}, { shared, index: 5 })).toThrow(RangeError);
    } finally {
      setMemoryBudget(budget);
    }
  });

  it('refuses what a machine refuses', () => {
    expect(() => shareProgram({ ...smallProgram(), constants: new Uint8Array() }, TARGET, 1)).toThrow('there are 0 bytes of constants');
  });

  it('lets one machine stop at a break without stopping the others', () => {
    const program = programOf('SMOVE $1, #1\nSMOVE $2, #2\nSMOVE $3, #3');
    const shared = shareProgram(program, TARGET, 2);
    const [stops, goes] = [0, 1].map((index) => new FastMachine(program, TARGET, {}, { shared, index })) as [FastMachine, FastMachine];
    expect(stops.run({ breakAt: 2 })).toEqual({ instructions: 2, ended: false });
    expect(goes.run()).toEqual({ instructions: 3, ended: true });
    expect([...stops.registers.subarray(1, 4)]).toEqual([1, 2, 0]);
    expect([...goes.registers.subarray(1, 4)]).toEqual([1, 2, 3]);
  });
});
