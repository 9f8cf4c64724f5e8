/** A data set as a stream of requests: some are read and executed while the results of earlier ones are taken, in the order of the samples. */
import type { Dataset } from '../data/dataset.ts';
import type { PortData } from '../machine/host.ts';
import type { BatchExecutor } from './executor.ts';
import type { Phases } from './phase-times.ts';

/** Some samples and what came out. */
export interface ScoredSamples {
  /** Index of the first. */
  readonly first: number;
  /** The stored bytes of each. */
  readonly stored: readonly Uint8Array[];
  /** The scores of each, and then of what stood in for samples in a last batch that is not full. */
  readonly scores: PortData;
}

export interface StreamOptions {
  /** Samples that one run of the program takes. */
  readonly batch: number;
  /** Executes a request here, where the executor failed: what goes wrong then tells its whole story. */
  readonly again: (room: Float32Array, batches: number) => PortData;
  readonly signal: AbortSignal | undefined;
  /** Measures reading, which must not overlap with anything then. */
  readonly phases: Phases<string>;
}

/**
 * Executes all samples, as many requests at a time as the executor has rooms: memory does not grow with the data. A last batch that is not full is padded
 * with its last sample. Throws what reading and executing throw, and the signal's reason as soon as it aborts.
 */
export async function* executeAll(dataset: Dataset, executor: BatchExecutor, options: StreamOptions): AsyncGenerator<ScoredSamples> {
  const { batch, again, signal, phases } = options;
  const { rooms, group } = executor;
  const step = batch * group;
  const running: Promise<ScoredSamples>[] = [];
  let isOver = false;

  async function execute(first: number, room: number): Promise<ScoredSamples> {
    const inputs = rooms[room] as Float32Array;
    const count = Math.min(step, dataset.samples - first);
    const batches = Math.ceil(count / batch);
    const reading = phases.time('read', () => readInto(inputs, dataset, first, count, batches * batch));
    const stored = await phases.wait('read', reading);
    signal?.throwIfAborted();
    try {
      return { first, stored, scores: await executor.run(room, batches) };
    } catch (error) {
      if (isOver) throw error;
      return { first, stored, scores: again(inputs, batches) };
    }
  }

  try {
    for (let first = 0, request = 0; first < dataset.samples; first += step, request++) {
      if (running.length === rooms.length) yield await unlessAborted(running.shift() as Promise<ScoredSamples>, signal);
      const started = execute(first, request % rooms.length);
      // Awaited when its turn comes, unless one in front of it throws.
      started.catch(() => undefined);
      running.push(started);
    }
    for (const each of running) yield await unlessAborted(each, signal);
  } finally {
    isOver = true;
  }
}

/** Reads samples into a room, and the last of them again up to `padded`. Gives their stored bytes. */
export async function readInto(
  room: Float32Array,
  dataset: Dataset,
  first: number,
  count: number,
  padded: number,
): Promise<readonly Uint8Array[]> {
  const samples = await Promise.all(Array.from({ length: count }, (_, i) => dataset.read(first + i)));
  let at = 0;
  for (let i = 0; i < padded; i++) {
    const elements = samples[Math.min(i, count - 1)]?.elements ?? [];
    room.set(elements, at);
    at += elements.length;
  }
  return samples.map(({ stored }) => stored);
}

/** What a promise gives, or the signal's reason as soon as it aborts. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
