/** Worker threads that execute batches, each with a machine of its own in the program's shared memory. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { SharedProgram } from '../engine/shared-program.ts';
import { programForThreads } from '../engine/shared-program.ts';
import type { BatchExecutor, ExecutorTask } from '../evaluate/executor.ts';
import type { PortData } from '../machine/host.ts';
import type { PoolData, PoolRequest } from './pool-worker.ts';

/** A thread has one request in hand and one in front of it, so that it never waits for this thread. */
const REQUESTS_EACH = 2;
/** To hand over a request takes as long as a small network takes an image. */
const MOST_BATCHES = 16;
const MOST_REQUEST_BYTES = 2 ** 20;
/** Requests of a thread, at least, so that all are done at about the same time. */
const LEAST_REQUESTS = 8;

/** A pool of a thread for each machine that still has room. Only the built program has the worker's file. */
export function createPool(task: ExecutorTask, shared: SharedProgram): BatchExecutor {
  const { program, batchElements, batches } = task;
  const threads = shared.machines - 1;
  const bytes = 4 * batchElements;
  const group = Math.max(1, Math.min(MOST_BATCHES, Math.floor(MOST_REQUEST_BYTES / bytes), Math.floor(batches / threads / LEAST_REQUESTS)));
  const rooms = Array.from({ length: 2 * REQUESTS_EACH * threads }, () => new Float32Array(new SharedArrayBuffer(group * bytes)));
  const workerData: PoolData = {
    task: { ...task, program: programForThreads(program, shared) },
    shared,
    rooms,
    housed: new Int32Array(new SharedArrayBuffer(4)).fill(1),
  };
  const piscina = new Piscina<PoolRequest, PortData>({
    filename: new URL('./pool-worker.js', import.meta.url).href,
    workerData,
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: REQUESTS_EACH,
    recordTiming: false,
  });
  // A thread that is ended while it loads its modules takes the process with it, so the end waits for its first word.
  const started = piscina.threads.map((thread) => Promise.race(['message', 'exit'].map((event) => once(thread, event))));
  for (const each of started) each.catch(() => undefined);
  return {
    rooms,
    group,
    run: (room, batches) => piscina.run({ room, batches }),
    async close() {
      await Promise.allSettled(started);
      // What a thread still answers has nobody who waits for it, which Piscina takes for an error.
      piscina.on('error', () => undefined);
      await piscina.destroy();
    },
  };
}

/** Threads that this computer runs at once. */
export function processorCount(): number {
  return availableParallelism();
}
