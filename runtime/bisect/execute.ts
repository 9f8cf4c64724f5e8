/** Samples through a compiled program, and what it costs. */
import { tensorType } from '../../compiler/ir/types.ts';
import type { Program } from '../../isa/program.ts';
import { instructionCount } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import { numbers } from '../../passes/contract/compare.ts';
import type { Sample } from '../../passes/pass.ts';
import { createMachine, DEFAULT_ENGINE } from '../engine/engine.ts';
import { joulesPerSample, runObserved, timeAddresses } from '../evaluate/throughput.ts';
import type { PortData } from '../machine/host.ts';
import type { Machine } from '../machine/machine.ts';
import type { Costs, Outputs } from './outcomes.ts';

/** What gives the outputs of one sample after another. */
export function programExecutor(program: Program, target: Target): (sample: Sample) => Outputs {
  const machine = createMachine(DEFAULT_ENGINE, program, target);
  return (sample) => {
    writeInputs(machine, sample);
    machine.run();
    const outputs = program.outputs.map(({ name, element, shape }) => {
      const data = machine.readOutput(name);
      return [name, numbers({ type: tensorType(element, shape), data })] as const;
    });
    return new Map(outputs);
  };
}

/** Costs of one run. The sample is run only where addresses depend on data. */
export function costsOf(program: Program, target: Target, sample: Sample): Costs {
  const machine = createMachine(DEFAULT_ENGINE, program, target);
  const report = timeAddresses(machine) ?? (writeInputs(machine, sample), runObserved(machine));
  const { read, write } = report.activity.bytes.dram;
  return {
    cycles: report.cycles,
    instructions: instructionCount(program),
    bytes: read + write,
    joules: joulesPerSample(report, target, 1),
  };
}

function writeInputs(machine: Machine, sample: Sample): void {
  machine.reset();
  // The machine refuses data of another type than its port's.
  for (const { name } of machine.program.inputs) machine.writeInput(name, (sample.get(name)?.data ?? new Float32Array()) as PortData);
}
