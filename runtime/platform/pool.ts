/** Worker threads that execute batches, each with a machine of its own. */
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { PortData } from '../machine/host.ts';
import type { BatchExecutor, ExecutorTask } from '../evaluate/executor.ts';

export interface Pool extends BatchExecutor {
  /** Ends the threads, whatever they are at. */
  close(): Promise<void>;
}

/** To hand over a request takes as long as a small network takes an image. */
const BATCHES_AT_ONCE = 16;

/** A pool of `workers` threads for one program. Only the built program has the worker's file. */
export function createPool(task: ExecutorTask, workers: number): Pool {
  const piscina = new Piscina<Float32Array, PortData>({
    filename: new URL('./pool-worker.js', import.meta.url).href,
    workerData: task,
    minThreads: workers,
    maxThreads: workers,
    recordTiming: false,
  });
  return {
    // One request waits for each thread, so that none waits for the next.
    concurrency: 2 * workers,
    group: BATCHES_AT_ONCE,
    run: (data) => piscina.run(data),
    close: () => piscina.destroy(),
  };
}

/** Threads that this computer runs at once. */
export function processorCount(): number {
  return availableParallelism();
}
