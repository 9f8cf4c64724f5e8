/** A thread of the pool: executes the batches that it is told of. */
import { workerData } from 'piscina';
import { createMachine } from '../engine/engine.ts';
import type { SharedProgram } from '../engine/shared-program.ts';
import type { ExecutorTask } from '../evaluate/executor.ts';
import { runBatches } from '../evaluate/executor.ts';
import type { PortData } from '../machine/host.ts';
import type { Machine } from '../machine/machine.ts';

/** What all threads are given. */
export interface PoolData {
  readonly task: ExecutorTask;
  readonly shared: SharedProgram;
  readonly rooms: readonly Float32Array[];
  /** Machines that have a home, shared by the threads. */
  readonly housed: Int32Array;
}

export interface PoolRequest {
  readonly room: number;
  readonly batches: number;
}

const { task, shared, rooms, housed } = workerData as PoolData;
let machine: Machine | undefined;

export default function run({ room, batches }: PoolRequest): PortData {
  machine ??= createMachine(task.engine, task.program, task.target, {}, { shared, index: Atomics.add(housed, 0, 1) });
  return runBatches(machine, task, rooms[room] as Float32Array, batches);
}
