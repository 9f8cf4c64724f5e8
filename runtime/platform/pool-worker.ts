/** A thread of the pool: executes the batches that it is given. */
import { workerData } from 'piscina';
import { createMachine } from '../engine/engine.ts';
import type { ExecutorTask } from '../evaluate/executor.ts';
import { runBatches } from '../evaluate/executor.ts';
import type { PortData } from '../machine/host.ts';

const { engine, program, target, ports, batchElements } = workerData as ExecutorTask;
const machine = createMachine(engine, program, target);

export default function run(data: Float32Array): PortData {
  return runBatches(machine, ports, data, batchElements);
}
