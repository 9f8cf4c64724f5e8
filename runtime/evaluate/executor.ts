/** What executes the batches of an evaluation. */
import type { Program } from '../../isa/program.ts';
import type { Target } from '../../isa/target.ts';
import type { EngineName } from '../engine/engine.ts';
import type { PortData } from '../machine/host.ts';
import type { Machine } from '../machine/machine.ts';

export interface BatchExecutor {
  /** Requests that may be under way at once. */
  readonly concurrency: number;
  /** Batches of one request. */
  readonly group: number;
  /** The scores of some batches, which follow each other in the data and in the result. */
  run(data: Float32Array): Promise<PortData>;
}

/** The names of the ports that an evaluation uses. */
export interface PortNames {
  readonly input: string;
  readonly output: string;
}

/** What an executor must know. */
export interface ExecutorTask {
  readonly engine: EngineName;
  readonly program: Program;
  readonly target: Target;
  readonly ports: PortNames;
  /** Elements that one run of the program takes. */
  readonly batchElements: number;
}

/** Runs a machine on batches that follow each other, each from a reset on; `batch` elements make one. */
export function runBatches(machine: Machine, { input, output }: PortNames, data: Float32Array, batch: number): PortData {
  const results = Array.from({ length: data.length / batch }, (_, i) => {
    machine.reset();
    machine.writeInput(input, data.subarray(i * batch, (i + 1) * batch));
    machine.run();
    return machine.readOutput(output);
  });
  const [first, ...others] = results;
  if (first === undefined || others.length === 0) return first ?? new Float32Array();
  const joined =
    first instanceof Float32Array ? new Float32Array(results.length * first.length) : new Int16Array(results.length * first.length);
  results.forEach((scores, i) => joined.set(scores, i * first.length));
  return joined;
}

/** Batches one after the other, here. */
export function executeHere(machine: Machine, { ports, batchElements }: ExecutorTask): BatchExecutor {
  return { concurrency: 1, group: 1, run: (data) => Promise.resolve(runBatches(machine, ports, data, batchElements)) };
}
