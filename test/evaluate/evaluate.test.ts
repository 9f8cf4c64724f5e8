/** Accuracy with its interval, and the figures of a run, reckoned by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { findModel, loadGraph } from '../../compiler/cli/model.ts';
import { zooDataset } from '../../compiler/cli/zoo.ts';
import { compileModel } from '../../compiler/pipeline.ts';
import { parsePipeline } from '../../passes/pipeline-text.ts';
import { firstSamples } from '../../runtime/data/dataset.ts';
import type { EngineName } from '../../runtime/engine/engine.ts';
import { createMachine } from '../../runtime/engine/engine.ts';
import type { SharedProgram } from '../../runtime/engine/shared-program.ts';
import type { Evaluation } from '../../runtime/evaluate/evaluate.ts';
import { evaluateProgram } from '../../runtime/evaluate/evaluate.ts';
import type { BatchExecutor, ExecutorTask, Threads } from '../../runtime/evaluate/executor.ts';
import { executeHere, runBatches } from '../../runtime/evaluate/executor.ts';
import { Machine } from '../../runtime/machine/machine.ts';
import { Accuracy, argmax, rankOf, wilson } from '../../runtime/evaluate/metrics.ts';
import { parseZoo } from '../../runtime/evaluate/zoo.ts';
import { loadTarget } from '../support/targets.ts';

describe('the interval of a proportion', () => {
  it('is that of Wilson', () => {
    // Newcombe 1998, table I, method 3: 81 of 263 gives 0.2553 to 0.3662, 15 of 148 gives 0.0624 to 0.1605, 0 of 20 gives 0 to 0.1611.
    const rounded = ([hits, trials]: readonly [number, number]) => {
      const { low, high } = wilson(hits, trials);
      return [low, high].map((x) => x.toFixed(4));
    };
    expect(rounded([81, 263])).toEqual(['0.2553', '0.3662']);
    expect(rounded([15, 148])).toEqual(['0.0624', '0.1605']);
    expect(rounded([0, 20])).toEqual(['0.0000', '0.1611']);
  });

  it('holds the proportion, within 0 and 1, and mirrors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(), (trials, n) => {
        const hits = n % (trials + 1);
        const { low, value, high } = wilson(hits, trials);
        expect(0 <= low && low <= value && value <= high && high <= 1).toBe(true);
        expect(wilson(trials - hits, trials).high).toBeCloseTo(1 - low, 12);
      }),
    );
  });
});

describe('ranks', () => {
  it('resolve ties to the lowest index, and put NaN last', () => {
    expect([0, 1, 2, 3].map((label) => rankOf([5, 7, 7, NaN], label))).toEqual([2, 0, 1, 4]);
    expect([argmax([5, 7, 7]), argmax([NaN, 1]), argmax([NaN]), argmax([-Infinity, -Infinity])]).toEqual([1, 1, -1, 0]);
  });

  it('count the first and the first five', () => {
    const accuracy = new Accuracy();
    accuracy.add([9, 8, 7, 6, 5, 4], 0);
    accuracy.add([9, 8, 7, 6, 5, 4], 4);
    accuracy.add([9, 8, 7, 6, 5, 4], 5);
    accuracy.add([9, 8], 1);
    expect([accuracy.top1.value, accuracy.top5.value]).toEqual([0.25, 0.75]);
  });
});

async function evaluate(samples: number, batch: number, signal?: AbortSignal, engine?: EngineName, threads?: Threads): Promise<Evaluation> {
  const target = loadTarget('cambricon');
  const { program } = compileModel(loadGraph(findModel('lenet-300-100'), { batch }), { target, passes: parsePipeline('O1') });
  const subject = { model: 'm', passes: 'O1', macs: 266_200, programBytes: 1, compileSeconds: 0 };
  let now = 0;
  return evaluateProgram(program, target, firstSamples(await zooDataset('fashion-mnist'), samples), subject, {
    now: () => now++,
    ...(signal && { signal }),
    ...(threads && { threads }),
    ...(engine && { engine }),
  });
}

describe('an evaluation', () => {
  it('is the same whatever the batch, also one that does not divide the samples', async () => {
    const [one, seven] = [await evaluate(30, 1), await evaluate(30, 7)];
    expect(seven.metrics).toEqual(one.metrics);
    expect(seven.data).toEqual(one.data);
    expect(seven.samples).toBe(30);
  });

  it('is the same on both engines', async () => {
    const [fast, reference] = [await evaluate(20, 3, undefined, 'fast'), await evaluate(20, 3, undefined, 'reference')];
    expect({ ...fast, host: undefined }).toEqual({ ...reference, host: undefined });
  });

  it('has figures that follow from cycles, clock and work', async () => {
    const { timing } = await evaluate(2, 4);
    const { cycles, macs } = timing;
    expect(timing.latencySeconds).toBe(cycles / 1e9);
    expect(timing.samplesPerSecond).toBe(4e9 / cycles);
    expect(timing.operationsPerSecond).toBe((2 * macs * 4e9) / cycles);
    // 1024 multipliers and as many adders of 16 bits at 1 GHz.
    expect(timing.peakOperationsPerSecond).toBe(2.048e12);
    expect(timing.utilization).toBe(timing.operationsPerSecond / 2.048e12);
  });

  it('is the same whoever executes it, in whatever order results come, and where executing elsewhere fails', async () => {
    const here = await evaluate(30, 4);
    const elsewhere = (fails: boolean): Threads => ({
      count: 3,
      start(task, shared) {
        let requests = 0;
        const rooms = [0, 1, 2, 3].map(() => new Float32Array(2 * task.batchElements));
        const machine = createMachine('fast', task.program, task.target, {}, { shared, index: 1 });
        return {
          rooms,
          group: 2,
          async run(room, batches) {
            // The later a request, the earlier its result.
            await new Promise((resolve) => setTimeout(resolve, Math.max(0, 20 - 5 * requests++)));
            if (fails && requests % 2 === 0) throw new Error('lost');
            return runBatches(machine, task, rooms[room] as Float32Array, batches);
          },
          close: () => Promise.resolve(),
        };
      },
    });
    for (const fails of [false, true])
      expect({ ...(await evaluate(30, 4, undefined, undefined, elsewhere(fails))), host: here.host }).toEqual(here);
  });

  it('starts no more threads than there are batches, and none for one', async () => {
    const machines: number[] = [];
    const start = (task: ExecutorTask, shared: SharedProgram) => {
      machines.push(shared.machines);
      return executeHere(new Machine(task.program, task.target), task);
    };
    for (const samples of [40, 12, 4]) await evaluate(samples, 4, undefined, undefined, { count: 5, start });
    await evaluate(40, 4, undefined, undefined, { count: 1, start });
    expect(machines).toEqual([1 + 5, 1 + 3]);
  });

  it('stops at once while others execute, ends them, and leaves nothing waiting', async () => {
    const controller = new AbortController();
    let closed = 0;
    const start = (task: ExecutorTask): BatchExecutor => ({
      rooms: [new Float32Array(task.batchElements)],
      group: 1,
      run: () => {
        setTimeout(() => controller.abort(new Error('enough')), 5);
        return new Promise(() => undefined);
      },
      close: () => {
        closed++;
        return Promise.resolve();
      },
    });
    await expect(evaluate(30, 4, controller.signal, undefined, { count: 2, start })).rejects.toThrow('enough');
    expect(closed).toBe(1);
  });

  it('stops where it is told to', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(evaluate(30, 1, controller.signal)).rejects.toThrow('enough');
  });
});

describe('the manifest of the zoo', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../benchmarks/zoo/zoo.json', import.meta.url), 'utf8'));

  it('is valid', () => {
    expect(Object.keys(parseZoo(manifest, 'zoo.json').models)).toHaveLength(10);
  });

  it('is refused when something is missing', () => {
    expect(() => parseZoo({ ...(manifest as object), datasets: {} }, 'zoo.json')).toThrow(/fashion-mnist/);
    expect(() => parseZoo({}, 'zoo.json')).toThrow(/schema/);
  });
});
